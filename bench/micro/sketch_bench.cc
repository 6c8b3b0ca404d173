// SPDX-License-Identifier: BSD-3-Clause
// Filters and sketches as commands use them: items of 16 bytes, each of the sizes that fit in cache
// and that do not.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/bloom.h"
#include "datastructs/count_min.h"
#include "datastructs/cuckoo.h"
#include "datastructs/t_digest.h"
#include "datastructs/top_k.h"
#include "member_names.h"

namespace ouro {
namespace {

size_t count_of(const benchmark::State& state) { return static_cast<size_t>(state.range(0)); }

void bloom_add(benchmark::State& state) {
  const std::vector<std::string> names = member_names(count_of(state));
  Heap heap;
  for (auto _ : state) {
    Bloom filter = Bloom::create(heap, {.capacity = names.size()});
    for (const std::string& name : names) benchmark::DoNotOptimize(filter.add(heap, name));
    filter.destroy(heap);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(bloom_add)->Arg(10'000)->Arg(1'000'000);

void bloom_contains(benchmark::State& state) {
  const std::vector<std::string> names = member_names(count_of(state) * 2);
  Heap heap;
  Bloom filter = Bloom::create(heap, {.capacity = count_of(state)});
  for (size_t i = 0; i < count_of(state); ++i) filter.add(heap, names[i]);
  Prng prng(1);
  // Half of them are strangers.
  for (auto _ : state) benchmark::DoNotOptimize(filter.contains(names[prng.below(names.size())]));
  state.SetItemsProcessed(state.iterations());
  filter.destroy(heap);
}
BENCHMARK(bloom_contains)->Arg(10'000)->Arg(1'000'000);

void cuckoo_add(benchmark::State& state) {
  const std::vector<std::string> names = member_names(count_of(state));
  Heap heap;
  for (auto _ : state) {
    Cuckoo filter = Cuckoo::create(heap, {.capacity = names.size() * 2});
    for (const std::string& name : names) benchmark::DoNotOptimize(filter.add(heap, name));
    filter.destroy(heap);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(cuckoo_add)->Arg(10'000)->Arg(1'000'000);

void cuckoo_contains(benchmark::State& state) {
  const std::vector<std::string> names = member_names(count_of(state) * 2);
  Heap heap;
  Cuckoo filter = Cuckoo::create(heap, {.capacity = count_of(state) * 2});
  for (size_t i = 0; i < count_of(state); ++i) filter.add(heap, names[i]);
  Prng prng(1);
  for (auto _ : state) benchmark::DoNotOptimize(filter.contains(names[prng.below(names.size())]));
  state.SetItemsProcessed(state.iterations());
  filter.destroy(heap);
}
BENCHMARK(cuckoo_contains)->Arg(10'000)->Arg(1'000'000);

void count_min_add(benchmark::State& state) {
  const std::vector<std::string> names = member_names(100'000);
  Heap heap;
  CountMin sketch = CountMin::create(heap, {.width = count_of(state), .depth = 5});
  Prng prng(1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(sketch.add(heap, names[prng.below(names.size())], 1));
  }
  state.SetItemsProcessed(state.iterations());
  sketch.destroy(heap);
}
BENCHMARK(count_min_add)->Arg(2'000)->Arg(1'000'000);

// The argument is k; items of which few come often.
void top_k_add(benchmark::State& state) {
  const std::vector<std::string> names = member_names(100'000);
  Heap heap;
  TopK top = TopK::create(heap, {.k = static_cast<uint32_t>(state.range(0)), .width = 2000});
  Prng prng(1);
  for (auto _ : state) {
    const double unit = prng.unit();
    const auto at = static_cast<size_t>(unit * unit * unit * static_cast<double>(names.size()));
    if (Blob* expelled = top.add(heap, names[at], 1)) Blob::unpin(heap, expelled);
  }
  state.SetItemsProcessed(state.iterations());
  top.destroy(heap);
}
BENCHMARK(top_k_add)->Arg(10)->Arg(1000);

// The argument is the compression.
void t_digest_add(benchmark::State& state) {
  Heap heap;
  TDigest digest = TDigest::create(heap, state.range(0));
  Prng prng(1);
  for (auto _ : state) digest.add(heap, prng.unit());
  state.SetItemsProcessed(state.iterations());
  digest.destroy(heap);
}
BENCHMARK(t_digest_add)->Arg(100)->Arg(1000);

void t_digest_quantile(benchmark::State& state) {
  Heap heap;
  TDigest digest = TDigest::create(heap, state.range(0));
  Prng prng(1);
  for (int i = 0; i < 100'000; ++i) digest.add(heap, prng.unit());
  for (auto _ : state) benchmark::DoNotOptimize(digest.view().quantile(0.99));
  state.SetItemsProcessed(state.iterations());
  digest.destroy(heap);
}
BENCHMARK(t_digest_quantile)->Arg(100)->Arg(1000);

}  // namespace
}  // namespace ouro
