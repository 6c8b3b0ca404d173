// SPDX-License-Identifier: BSD-3-Clause
// The filter of keys: what a look-up and an addition cost, and the longest of all additions while
// it grows to so many keys, by the processor's own clock.
#include <benchmark/benchmark.h>

#include <ctime>
#include <string>

#include "datastructs/key_filter.h"

namespace ouro {
namespace {

constexpr HashSeed kSeed{42};

std::string key(uint64_t number) { return "user:" + std::to_string(number); }

struct Filled {
  explicit Filled(uint64_t keys) {
    for (uint64_t i = 0; i < keys; ++i) filter.add(key(i));
  }
  Heap heap;
  KeyFilter filter{heap, kSeed};
};

void absent(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const Filled filled(keys);
  uint64_t number = keys;
  for (auto _ : state) benchmark::DoNotOptimize(filled.filter.may_contain(key(++number)));
  state.counters["layers"] = filled.filter.layer_count();
}

void present(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  const Filled filled(keys);
  uint64_t number = 0;
  // By a stride, so that neighbours in time lie in different layers.
  for (auto _ : state)
    benchmark::DoNotOptimize(filled.filter.may_contain(key((number += 7919) % keys)));
}

void add_again(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  Filled filled(keys);
  uint64_t number = 0;
  for (auto _ : state) benchmark::DoNotOptimize(filled.filter.add(key((number += 7919) % keys)));
}

int64_t cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void grow(benchmark::State& state) {
  const auto keys = static_cast<uint64_t>(state.range(0));
  int64_t longest = 0, longest_nothing = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    Heap heap;
    KeyFilter filter(heap, kSeed);
    for (uint64_t i = 0; i < keys; ++i) {
      const int64_t before = cpu_ns();
      filter.add(key(i));
      const int64_t after = cpu_ns();
      longest = std::max(longest, after - before);
      longest_nothing = std::max(longest_nothing, cpu_ns() - after);
    }
    bytes = filter.memory_bytes();
  }
  state.counters["longest_us"] = static_cast<double>(longest) / 1000;
  state.counters["nothing_us"] = static_cast<double>(longest_nothing) / 1000;
  state.counters["bits_a_key"] = static_cast<double>(bytes) * 8 / static_cast<double>(keys);
}

BENCHMARK(absent)->Arg(10'000)->Arg(1'000'000)->Arg(10'000'000);
BENCHMARK(present)->Arg(10'000)->Arg(1'000'000)->Arg(10'000'000);
BENCHMARK(add_again)->Arg(10'000)->Arg(1'000'000)->Arg(10'000'000);
BENCHMARK(grow)->Arg(10'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ouro
