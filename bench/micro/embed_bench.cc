// SPDX-License-Identifier: BSD-3-Clause
// The cache in process: GET and SET of 16-byte keys and values by one thread, through the typed
// calls and through execute(); the sharded form with one thread and two. Keys are drawn at random
// from 4,096 (they fit the processor's caches) or 1M.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "server/embed/ouro.h"

namespace ouro {
namespace {

std::string key_of(int64_t number) {
  char text[32];
  std::snprintf(text, sizeof(text), "key:%012lld", static_cast<long long>(number));
  return std::string(text, 16);
}

// Keys in random order, one after the other in memory, so that making them costs nothing.
class Draw {
 public:
  Draw(int64_t keys, uint64_t seed) : state_(seed) {
    keys_.reserve(kDrawn * 16);
    for (size_t i = 0; i < kDrawn; ++i) {
      state_ = state_ * 6364136223846793005U + 1442695040888963407U;
      keys_ += key_of(static_cast<int64_t>((state_ >> 33) % static_cast<uint64_t>(keys)));
    }
  }
  std::string_view next() { return {keys_.data() + 16 * (at_++ % kDrawn), 16}; }

 private:
  static constexpr size_t kDrawn = 1 << 16;
  uint64_t state_;
  size_t at_ = 0;
  std::string keys_;
};

constexpr std::string_view kValue = "0123456789abcdeX";

template <class Form>
void fill(Form& cache, int64_t keys) {
  for (int64_t i = 0; i < keys; ++i) cache.set(key_of(i), kValue);
}

void get(benchmark::State& state) {
  Cache cache = *Cache::open();
  fill(cache, state.range(0));
  Draw draw(state.range(0), 1);
  size_t bytes = 0;
  for (auto _ : state) {
    (void)cache.get(draw.next(), [&](std::string_view value) { bytes += value.size(); });
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(state.iterations());
}

void get_string(benchmark::State& state) {
  Cache cache = *Cache::open();
  fill(cache, state.range(0));
  Draw draw(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(cache.get(draw.next()));
  state.SetItemsProcessed(state.iterations());
}

void set(benchmark::State& state) {
  Cache cache = *Cache::open();
  fill(cache, state.range(0));
  Draw draw(state.range(0), 1);
  for (auto _ : state) cache.set(draw.next(), kValue);
  state.SetItemsProcessed(state.iterations());
}

void execute_get(benchmark::State& state) {
  Cache cache = *Cache::open();
  fill(cache, state.range(0));
  Draw draw(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(cache.execute({"GET", draw.next()}));
  state.SetItemsProcessed(state.iterations());
}

void incr(benchmark::State& state) {
  Cache cache = *Cache::open();
  Draw draw(state.range(0), 1);
  for (auto _ : state) benchmark::DoNotOptimize(cache.incr(draw.next()));
  state.SetItemsProcessed(state.iterations());
}

// One cache for all threads of a run; the first makes it, the last to leave the barrier of the loop
// drops it.
struct Shared {
  void open(int64_t keys) {
    cache.emplace(*SharedCache::open({}, 64));
    fill(*cache, keys);
  }
  std::optional<SharedCache> cache;
};

template <bool kWrites>
void shared(benchmark::State& state, Shared& common) {
  if (state.thread_index() == 0) common.open(state.range(0));
  Draw draw(state.range(0), static_cast<uint64_t>(state.thread_index()) + 1);
  size_t bytes = 0;
  for (auto _ : state) {
    if constexpr (kWrites) {
      common.cache->set(draw.next(), kValue);
    } else {
      (void)common.cache->get(draw.next(), [&](std::string_view value) { bytes += value.size(); });
    }
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(state.iterations());
}

constexpr int64_t kFew = 4096;
constexpr int64_t kMany = 1'000'000;

BENCHMARK(get)->Arg(kFew)->Arg(kMany);
BENCHMARK(get_string)->Arg(kFew)->Arg(kMany);
BENCHMARK(set)->Arg(kFew)->Arg(kMany);
BENCHMARK(incr)->Arg(kFew);
BENCHMARK(execute_get)->Arg(kFew);

}  // namespace
}  // namespace ouro

int main(int argc, char** argv) {
  ouro::Shared common;
  const auto add = [](const char* name, auto fn) {
    benchmark::RegisterBenchmark(name, fn)
        ->Arg(ouro::kFew)
        ->Arg(ouro::kMany)
        ->ThreadRange(1, 2)
        ->UseRealTime();
  };
  add("shared_get", [&](benchmark::State& state) { ouro::shared<false>(state, common); });
  add("shared_set", [&](benchmark::State& state) { ouro::shared<true>(state, common); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
