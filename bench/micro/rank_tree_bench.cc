// SPDX-License-Identifier: BSD-3-Clause
// RankTree by itself: what an insert, a change of score, a rank and a bound cost, and what a node
// costs in memory. tree_bytes is the tree's own memory an element, without the 32 bytes of the
// member's entry.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <memory>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/rank_tree.h"

namespace ouro {
namespace {

enum class Scores { kRandom, kAscending, kEqual };

// Entries with 16-byte members; the tree is filled by the caller.
class Fixture {
 public:
  Fixture(size_t count, Scores scores) {
    for (size_t i = 0; i < count; ++i) {
      char name[17];
      std::snprintf(name, sizeof name, "m:%014zu", i * 0x9E3779B1U % 100'000'000'000'000U);
      const double score = scores == Scores::kRandom      ? prng.unit() * 1e9
                           : scores == Scores::kAscending ? static_cast<double>(i)
                                                          : 0;
      entries.push_back(ScoredMember::create(heap, {name, 16}, score));
    }
  }
  ~Fixture() {
    for (ScoredMember* entry : entries) heap.release(entry);
  }
  void fill() {
    for (ScoredMember* entry : entries) tree.insert(entry);
  }
  ScoredMember* any() { return entries[prng.below(entries.size())]; }

  Prng prng{1};
  Heap heap;
  RankTree tree{heap};
  std::vector<ScoredMember*> entries;
};

void insert(benchmark::State& state, Scores scores) {
  for (auto _ : state) {
    state.PauseTiming();
    auto fixture = std::make_unique<Fixture>(static_cast<size_t>(state.range(0)), scores);
    state.ResumeTiming();
    fixture->fill();
    state.PauseTiming();
    state.counters["tree_bytes"] = static_cast<double>(fixture->tree.memory_bytes()) /
                                   static_cast<double>(fixture->tree.size());
    fixture.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(insert, random, Scores::kRandom)->Arg(1000)->Arg(1'000'000);
BENCHMARK_CAPTURE(insert, ascending, Scores::kAscending)->Arg(1'000'000);
BENCHMARK_CAPTURE(insert, equal, Scores::kEqual)->Arg(1'000'000);

void erase_and_insert(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)), Scores::kRandom);
  fixture.fill();
  for (auto _ : state) {
    ScoredMember* entry = fixture.any();
    fixture.tree.erase(entry);
    entry->score = fixture.prng.unit() * 1e9;
    fixture.tree.insert(entry);
  }
  state.counters["tree_bytes"] =
      static_cast<double>(fixture.tree.memory_bytes()) / static_cast<double>(fixture.tree.size());
}
BENCHMARK(erase_and_insert)->Arg(1000)->Arg(1'000'000);

// ZINCRBY by one on scores that lie far apart: the neighbours stay.
void rescore_near(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)), Scores::kRandom);
  fixture.fill();
  for (auto _ : state) {
    ScoredMember* entry = fixture.any();
    fixture.tree.rescore(entry, entry->score + 1e-6);
  }
}
BENCHMARK(rescore_near)->Arg(1'000'000);

void rank_of(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)), Scores::kRandom);
  fixture.fill();
  for (auto _ : state) benchmark::DoNotOptimize(fixture.tree.rank_of(fixture.any()));
}
BENCHMARK(rank_of)->Arg(1000)->Arg(1'000'000);

void at_rank(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)), Scores::kRandom);
  fixture.fill();
  for (auto _ : state) {
    benchmark::DoNotOptimize(fixture.tree.at(fixture.prng.below(fixture.entries.size())));
  }
}
BENCHMARK(at_rank)->Arg(1000)->Arg(1'000'000);

void count_less(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)), Scores::kRandom);
  fixture.fill();
  for (auto _ : state) {
    benchmark::DoNotOptimize(fixture.tree.count_less(fixture.prng.unit() * 1e9));
  }
}
BENCHMARK(count_less)->Arg(1000)->Arg(1'000'000);

void walk_100(benchmark::State& state) {
  Fixture fixture(static_cast<size_t>(state.range(0)), Scores::kRandom);
  fixture.fill();
  for (auto _ : state) {
    auto cursor = fixture.tree.cursor_at(fixture.prng.below(fixture.entries.size() - 100));
    size_t bytes = 0;
    for (int i = 0; i < 100; ++i, cursor.next()) bytes += cursor.entry()->member().size();
    benchmark::DoNotOptimize(bytes);
  }
}
BENCHMARK(walk_100)->Arg(1000)->Arg(1'000'000);

}  // namespace
}  // namespace ouro
