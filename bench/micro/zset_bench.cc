// SPDX-License-Identifier: BSD-3-Clause
// ZSet and Set as commands use them: 16-byte members, random scores. heap_bytes is everything an
// element takes, by the allocator's size classes.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/set.h"
#include "datastructs/zset.h"
#include "member_names.h"

namespace ouro {
namespace {

constexpr HashSeed kSeed{42};

struct Fixture {
  explicit Fixture(size_t count) : names(member_names(count)) {}
  ~Fixture() {
    sorted.destroy(heap);
    plain.destroy(heap);
  }
  void fill_sorted() {
    for (const std::string& name : names) {
      sorted.add(heap, limits, kSeed, name, prng.unit() * 1e9, {});
    }
  }
  void fill_plain() {
    for (const std::string& name : names) plain.add(heap, limits, kSeed, name);
  }
  const std::string& any() { return names[prng.below(names.size())]; }

  std::vector<std::string> names;
  Prng prng{1};
  Limits limits;
  Heap heap;
  ZSet sorted;
  Set plain;
};

void report(benchmark::State& state, size_t bytes) {
  state.counters["heap_bytes"] = static_cast<double>(bytes) / static_cast<double>(state.range(0));
}

void set_fill(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto fixture = std::make_unique<Fixture>(static_cast<size_t>(state.range(0)));
    state.ResumeTiming();
    fixture->fill_plain();
    state.PauseTiming();
    report(state, fixture->heap.used_bytes());
    fixture.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(set_fill)->Arg(100)->Arg(1'000'000);

void zset_fill(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto fixture = std::make_unique<Fixture>(static_cast<size_t>(state.range(0)));
    state.ResumeTiming();
    fixture->fill_sorted();
    state.PauseTiming();
    report(state, fixture->heap.used_bytes());
    fixture.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(zset_fill)->Arg(100)->Arg(1'000'000);

void zset_rescore(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)));
  fixture.fill_sorted();
  for (auto _ : state) {
    fixture.sorted.add(fixture.heap, fixture.limits, kSeed, fixture.any(),
                       fixture.prng.unit() * 1e9, {});
  }
}
BENCHMARK(zset_rescore)->Arg(100)->Arg(1000)->Arg(1'000'000);

void zset_rank(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)));
  fixture.fill_sorted();
  for (auto _ : state) benchmark::DoNotOptimize(fixture.sorted.rank(fixture.any()));
}
BENCHMARK(zset_rank)->Arg(100)->Arg(1'000'000);

// ZRANGEBYSCORE with LIMIT 0 10.
void zset_by_score_10(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)));
  fixture.fill_sorted();
  for (auto _ : state) {
    const RankRange range = fixture.sorted.ranks(ScoreRange{.min = fixture.prng.unit() * 1e9});
    size_t bytes = 0;
    fixture.sorted.for_each(range.window(Direction::kAscending, 0, 10), Direction::kAscending,
                            [&](ByteView member, double) { bytes += member.size(); });
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(zset_by_score_10)->Arg(100)->Arg(1'000'000);

void zset_pop_and_add(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)));
  fixture.fill_sorted();
  for (auto _ : state) {
    fixture.sorted.pop(fixture.heap, Direction::kAscending, 1,
                       [](ByteView member, double) { benchmark::DoNotOptimize(member); });
    fixture.sorted.add(fixture.heap, fixture.limits, kSeed, fixture.any(),
                       fixture.prng.unit() * 1e9, {});
  }
}
BENCHMARK(zset_pop_and_add)->Arg(100)->Arg(1'000'000);

}  // namespace
}  // namespace ouro
