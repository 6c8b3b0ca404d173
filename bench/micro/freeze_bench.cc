// SPDX-License-Identifier: BSD-3-Clause
// What a frozen view costs: its walk over ten million keys of 16 bytes with values of 16, in slices
// as between turns, and what it takes to share the largest values at once. `longest_us` is the
// longest slice.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>

#include "datastructs/keyspace/freeze.h"

namespace ouro {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kKeys = 10'000'000;

double micros_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

struct Filled {
  Filled() {
    char name[24];
    for (size_t i = 0; i < kKeys; ++i) {
      const int size = std::snprintf(name, sizeof name, "key:%012zu", i);
      const Key key = databases[0].key({name, static_cast<size_t>(size)});
      databases[0].put_text(key, nullptr, "value-of-16-byte", kNoExpiry);
    }
  }
  Heap heap;
  Databases databases{heap, HashSeed{4711}, 16};
};

Filled& filled() {
  static Filled all;
  return all;
}

struct Counting final : FrozenView::Saver {
  void save(DbIndex, Entry& entry, FrozenView::Standing) override {
    NumberText scratch;
    bytes += entry.key().size() + entry.text(scratch).size();
  }
  size_t bytes = 0;
};

void BM_Walk(benchmark::State& state) {
  Filled& all = filled();
  double longest = 0;
  for (auto _ : state) {
    Counting saver;
    FrozenView view(all.databases, saver);
    for (bool done = false; !done;) {
      const auto start = Clock::now();
      auto budget = static_cast<size_t>(state.range(0));
      done = view.next(budget);
      longest = std::max(longest, micros_since(start));
    }
    benchmark::DoNotOptimize(saver.bytes);
  }
  state.counters["longest_us"] = longest;
  state.counters["keys"] = benchmark::Counter(
      double{kKeys} * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Walk)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(benchmark::kMillisecond)->Iterations(2);

// Overwrites while a view that nobody walks is open: each saves the few keys of its bucket first.
void BM_Overwrite(benchmark::State& state) {
  Filled& all = filled();
  Counting saver;
  std::unique_ptr<FrozenView> view;
  if (state.range(0) != 0) view = std::make_unique<FrozenView>(all.databases, saver);
  char name[24];
  size_t i = 0;
  for (auto _ : state) {
    const int size = std::snprintf(name, sizeof name, "key:%012zu", (i += 7919) % kKeys);
    const Key key = all.databases[0].key({name, static_cast<size_t>(size)});
    all.databases[0].put_text(key, all.databases[0].find(key), "other-of-16-byte", kNoExpiry);
  }
}
BENCHMARK(BM_Overwrite)->Arg(0)->Arg(1)->Iterations(2'000'000);

// A stream of so many entries, all pending in one group.
void BM_ShareStream(benchmark::State& state) {
  Heap heap;
  Stream stream;
  StreamGroup& group = stream.add_group(heap, "group");
  StreamConsumer& consumer = group.add_consumer(heap, "consumer", 0);
  const ByteView pair[] = {"field", "value"};
  for (uint64_t i = 1; i <= static_cast<uint64_t>(state.range(0)); ++i) {
    stream.append(heap, Limits(), {i, 0}, pair);
    group.assign(heap, {i, 0}, consumer, 1);
  }
  for (auto _ : state) {
    Stream share = stream.share(heap);
    benchmark::DoNotOptimize(share);
    state.PauseTiming();
    share.destroy(heap);
    state.ResumeTiming();
  }
  stream.destroy(heap);
}
BENCHMARK(BM_ShareStream)->Arg(1'000'000)->Unit(benchmark::kMicrosecond)->Iterations(20);

void BM_ShareList(benchmark::State& state) {
  Heap heap;
  List list;
  for (int64_t i = 0; i < state.range(0); ++i)
    list.push(heap, Limits(), ListEnd::kBack, "element-of-some-bytes");
  for (auto _ : state) {
    List share = list.share(heap);
    benchmark::DoNotOptimize(share);
    state.PauseTiming();
    share.destroy(heap);
    state.ResumeTiming();
  }
  list.destroy(heap);
}
BENCHMARK(BM_ShareList)->Arg(10'000'000)->Unit(benchmark::kMicrosecond)->Iterations(20);

void BM_ShareFilter(benchmark::State& state) {
  Heap heap;
  CountMin sketch = CountMin::create(
      heap, {.width = static_cast<uint64_t>(state.range(0)) / sizeof(uint32_t), .depth = 1});
  for (int i = 0; i < 1'000'000; ++i) sketch.add(heap, std::to_string(i), 1);
  for (auto _ : state) {
    CountMin share = sketch.share(heap);
    benchmark::DoNotOptimize(share);
    state.PauseTiming();
    share.destroy(heap);
    state.ResumeTiming();
  }
  sketch.destroy(heap);
}
BENCHMARK(BM_ShareFilter)->Arg(1 << 30)->Unit(benchmark::kMicrosecond)->Iterations(20);

}  // namespace
}  // namespace ouro
