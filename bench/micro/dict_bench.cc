// SPDX-License-Identifier: BSD-3-Clause
// Dict with entries as the keyspace has them: 48 bytes, key of 16. Times are per operation; memory
// is counted.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

#include "datastructs/dict.h"

namespace ouro {
namespace {

struct Entry {
  UnixMs deadline = kNoExpiry;
  char key[16];
  char value[24];
};
static_assert(sizeof(Entry) == 48);

}  // namespace

template <>
struct DictTraits<Entry> {
  static ByteView key(const Entry& entry) { return {entry.key, sizeof entry.key}; }
  static UnixMs deadline(const Entry& entry) { return entry.deadline; }
};

namespace {

using Clock = std::chrono::steady_clock;

double nanos_since(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

void write_key(char* key, size_t number) {
  std::memcpy(key, "key:", 4);
  for (int i = 15; i >= 4; --i, number /= 10) key[i] = static_cast<char>('0' + number % 10);
}

struct Table {
  ~Table() {
    dict.for_each([this](Entry& entry) { heap.destroy(&entry); });
  }
  void add_until(size_t count) {
    for (size_t i = dict.size(); i < count; ++i) {
      Entry* entry = heap.make<Entry>();
      write_key(entry->key, i);
      dict.insert(entry, dict.hash(DictTraits<Entry>::key(*entry)));
    }
  }
  Heap heap;
  Dict<Entry> dict{heap, HashSeed{4711}};
};

void BM_Insert(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    auto table = std::make_unique<Table>();
    table->add_until(count);
    state.PauseTiming();
    table.reset();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["ns_each"] =
      benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)) / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Insert)->Arg(1'000'000)->Arg(5'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

// The thread's own time, so that other load on the machine is no part of a maximum. Costs some 200
// ns a look.
double cpu_nanos() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Single inserts by CPU time: where the slowest stand.
void BM_InsertLatency(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    Table table;
    std::vector<float> nanos(count);
    for (size_t i = 0; i < count; ++i) {
      Entry* entry = table.heap.make<Entry>();
      write_key(entry->key, i);
      const Hash64 hash = table.dict.hash(DictTraits<Entry>::key(*entry));
      const double start = cpu_nanos();
      table.dict.insert(entry, hash);
      nanos[i] = static_cast<float>(cpu_nanos() - start);
    }
    std::sort(nanos.begin(), nanos.end());
    const auto at = [&](double part) {
      return static_cast<double>(nanos[static_cast<size_t>(part * static_cast<double>(count - 1))]);
    };
    state.counters["p50_ns"] = at(0.5);
    state.counters["p99.9_us"] = at(0.999) / 1000;
    state.counters["p99.999_us"] = at(0.99999) / 1000;
    state.counters["max_us"] = at(1) / 1000;
  }
}
BENCHMARK(BM_InsertLatency)->Arg(5'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

void BM_TableBytesAnEntry(benchmark::State& state) {
  for (auto _ : state) {
    Table table;
    double least = 1e9;
    double most = 0;
    double sum = 0;
    unsigned steps = 0;
    for (size_t count = 100'000; count <= 6'000'000; count += 100'000, ++steps) {
      table.add_until(count);
      const double each =
          static_cast<double>(table.dict.memory_bytes()) / static_cast<double>(count);
      least = std::min(least, each);
      most = std::max(most, each);
      sum += each;
    }
    state.counters["min"] = least;
    state.counters["avg"] = sum / steps;
    state.counters["max"] = most;
  }
}
BENCHMARK(BM_TableBytesAnEntry)->Iterations(1)->Unit(benchmark::kMillisecond);

constexpr size_t kBatch = 16;

// Looks up random keys in batches of 16; mode 1 prefetches the bucket of each, then the entry of
// each.
void BM_Find(benchmark::State& state) {
  Table table;
  const auto count = static_cast<size_t>(state.range(0));
  table.add_until(count);
  Prng prng(1);
  constexpr size_t kKeys = 1 << 16;
  std::vector<char> keys(kKeys * 16);
  size_t next = kKeys;
  size_t found = 0;
  for (auto _ : state) {
    if (next == kKeys) {
      state.PauseTiming();
      for (size_t i = 0; i < kKeys; ++i)
        write_key(&keys[i * 16], prng.below(count) + (state.range(2) == 0 ? 0 : count));
      next = 0;
      state.ResumeTiming();
    }
    Hash64 hashes[kBatch];
    const auto key = [&](size_t i) { return ByteView(&keys[(next + i) * 16], 16); };
    for (size_t i = 0; i < kBatch; ++i) hashes[i] = table.dict.hash(key(i));
    if (state.range(1) == 1) {
      for (const Hash64 hash : hashes) table.dict.prefetch_bucket(hash);
      for (const Hash64 hash : hashes) table.dict.prefetch_entry(hash);
    }
    for (size_t i = 0; i < kBatch; ++i) found += table.dict.find(key(i), hashes[i]) != nullptr;
    next += kBatch;
  }
  benchmark::DoNotOptimize(found);
  state.counters["ns_each"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * kBatch / 1e9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(BM_Find)
    ->ArgNames({"entries", "prefetch", "absent"})
    ->Args({5'000'000, 0, 0})
    ->Args({5'000'000, 1, 0})
    ->Args({5'000'000, 1, 1})
    ->Args({10'000, 0, 0});

void BM_Erase(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    Table table;
    table.add_until(count);
    char key[16];
    const auto start = Clock::now();
    for (size_t i = 0; i < count; ++i) {
      // A walk over all numbers in a scattered order (the step has no common divisor with a power
      // of ten).
      write_key(key, i * 7'368'787 % count);
      Entry* entry = table.dict.take({key, 16}, table.dict.hash({key, 16}));
      table.heap.destroy(entry);
    }
    state.counters["ns_each"] = nanos_since(start) / static_cast<double>(count);
  }
}
BENCHMARK(BM_Erase)->Arg(5'000'000)->Iterations(1)->Unit(benchmark::kMillisecond);

// A million of five million keys fall due within one second; asked each 10 ms until nothing is due.
void BM_ExpireAMillionInOneSecond(benchmark::State& state) {
  for (auto _ : state) {
    Table table;
    table.add_until(5'000'000);
    Prng prng(6);
    char key[16];
    const auto noting = Clock::now();
    for (size_t i = 0; i < 2'000'000; ++i) {
      write_key(key, i);
      const Hash64 hash = table.dict.hash({key, 16});
      Entry* entry = table.dict.find({key, 16}, hash);
      entry->deadline = (i % 2 == 0 ? 10'000 : 10'000'000) + static_cast<UnixMs>(prng.below(1000));
      table.dict.note_deadline(hash, entry->deadline);
    }
    state.counters["note_ns"] = nanos_since(noting) / 2e6;
    const auto start = Clock::now();
    size_t expired = 0;
    for (UnixMs now = 10'000; now <= 11'000; now += 10) {
      size_t budget = ~size_t{0};
      while (Entry* due = table.dict.find_due(now, budget)) {
        const ByteView name = DictTraits<Entry>::key(*due);
        table.heap.destroy(table.dict.take(name, table.dict.hash(name)));
        ++expired;
      }
    }
    state.counters["expired"] = static_cast<double>(expired);
    state.counters["ns_each"] = nanos_since(start) / static_cast<double>(expired);
    state.counters["table_bytes_each"] =
        static_cast<double>(table.dict.memory_bytes()) / static_cast<double>(table.dict.size());
  }
}
BENCHMARK(BM_ExpireAMillionInOneSecond)->Iterations(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ouro
