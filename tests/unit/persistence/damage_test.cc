// SPDX-License-Identifier: BSD-3-Clause
// Files that have been damaged, a snapshot and a log with checksums: what is wrong is found and
// named by file and offset, or does no harm; nothing is loaded that was never written.
#include <gtest/gtest.h>

#include "aof_text.h"
#include "persistence/aof_writer.h"
#include "persistence/recovery.h"
#include "persistence/snapshot_preamble.h"
#include "persistence/snapshot_writer.h"
#include "random_values.h"
#include "snapshot_text.h"

namespace ouro {
namespace {

constexpr int kRounds = 1000;

void flip_a_bit(std::string& file, Prng& prng) {
  char& byte = file[prng.below(file.size())];
  byte = static_cast<char>(byte ^ 1 << prng.below(8));
}

// Up to 64 bytes in a row; they may come out as they were.
void put_random_bytes(std::string& file, Prng& prng) {
  const size_t at = prng.below(file.size());
  const size_t end = std::min(file.size(), at + 1 + prng.below(64));
  for (size_t i = at; i < end; ++i) file[i] = static_cast<char>(prng.next());
}

using Damage = void (*)(std::string&, Prng&);

// What a file holds, or what is wrong with it.
struct Loaded {
  std::vector<std::string> lines;
  std::string problem;
};

// The data may only be what it was; a problem has to be named.
void expect_found_or_harmless(const Loaded& loaded, const std::vector<std::string>& whole,
                              const std::string& start) {
  if (loaded.problem.empty()) {
    EXPECT_EQ(loaded.lines, whole);
  } else {
    EXPECT_TRUE(loaded.problem.starts_with(start)) << loaded.problem;
    EXPECT_NE(loaded.problem.find(" offset "), std::string::npos) << loaded.problem;
  }
}

// ---- snapshots

using Load = Loaded (*)(ByteView);

Loaded load_snapshot(ByteView file) {
  Heap heap;
  const Limits limits;
  LazyFree lazy_free(heap);
  Keyspace place(heap, HashSeed{}, lazy_free);
  SnapshotText text(place);
  SnapshotReader reader(text, {heap, limits, place.seed()});
  reader.feed(file);
  reader.end();
  std::string problem = describe_problem("dump.rdb", reader);
  // An end that came too early, behind which nothing was checked.
  if (problem.empty() && !file.empty())
    problem = "The RDB file dump.rdb goes on behind its end at offset " +
              std::to_string(reader.bytes_taken());
  return {std::move(text.lines), std::move(problem)};
}

// The same file as the base of a log.
Loaded load_base(ByteView file) {
  Heap heap;
  const Limits limits;
  LazyFree lazy_free(heap);
  Keyspace place(heap, HashSeed{}, lazy_free);
  SnapshotText text(place);
  SnapshotPreamble preamble(text, {heap, limits, place.seed()});
  AofReader reader(&preamble);
  const auto apply = [&](DbIndex, Argv) {
    text.lines.emplace_back("a command");
    return Status::ok();
  };
  reader.feed(file, apply);
  reader.end(apply);
  return {std::move(text.lines), describe_problem("x.base.rdb", reader)};
}

class DamagedSnapshot : public ::testing::Test {
 protected:
  std::string a_file(uint64_t seed) {
    RandomValues values(databases[0], limits, seed);
    for (uint64_t form = 0; form < RandomValues::kForms; ++form) {
      const std::string name = "key" + std::to_string(form);
      // A file that is read two thousand times.
      if (values.put(name, form).memory_bytes() > 30'000)
        databases[0].erase(databases[0].key(name), Freeing::kNow);
    }
    SnapshotWriter writer(databases, {.aux = {{"redis-ver", "7.0.15"}}}, {});
    std::string file;
    for (size_t budget = SIZE_MAX; !writer.next_chunk(SIZE_MAX, budget, file);) {
    }
    return file;
  }
  void damage_again_and_again(Damage damage, uint64_t seed, Load load, const std::string& name) {
    const std::string file = a_file(seed);
    const Loaded whole = load(file);
    ASSERT_EQ(whole.problem, "");
    Prng prng(seed);
    for (int round = 0; round < kRounds; ++round) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " round " << round);
      std::string damaged = file;
      damage(damaged, prng);
      expect_found_or_harmless(load(damaged), whole.lines, name);
    }
  }

  Heap heap;
  Limits limits;
  Databases databases{heap, HashSeed{}, 1};
};

TEST_F(DamagedSnapshot, AFlippedBitIsFound) {
  damage_again_and_again(flip_a_bit, 1, load_snapshot, "The RDB file dump.rdb ");
}
TEST_F(DamagedSnapshot, RandomBytesAreFound) {
  damage_again_and_again(put_random_bytes, 2, load_snapshot, "The RDB file dump.rdb ");
}
TEST_F(DamagedSnapshot, AFlippedBitInTheBaseOfALogIsFound) {
  damage_again_and_again(flip_a_bit, 5, load_base, "The AOF file x.base.rdb");
}

// ---- logs

class DamagedLog : public ::testing::Test {
 protected:
  // Commands of all lengths, some in transactions, in writes of a few.
  std::string a_file(uint64_t seed) {
    Prng prng(seed);
    AofWriter writer(heap, {.checksums = true, .timestamps = true});
    std::string file;
    for (UnixMs now = 1'700'000'000'000; file.size() < 20'000; now += 300) {
      std::vector<Effect> group;
      for (uint64_t left = 1 + prng.below(3); left > 0; --left) {
        std::string value(prng.below(100), '\0');
        for (char& byte : value) byte = static_cast<char>(prng.next());
        group.push_back(effect(heap, static_cast<DbIndex>(prng.below(3)),
                               {"SET", "key" + std::to_string(prng.below(9)), value}));
      }
      writer.append(group, group.size() > 1 ? GroupKind::kTransaction : GroupKind::kCommand, now);
      if (prng.below(3) > 0) continue;
      file += writer.take().bytes;
      writer.release();
    }
    return file;
  }
  static Loaded load(ByteView file) {
    AofReader reader;
    std::vector<std::string> lines;
    const auto apply = [&](DbIndex db, Argv argv) {
      lines.push_back(std::to_string(db));
      for (const ByteView word : argv) lines.emplace_back(word);
      return Status::ok();
    };
    reader.feed(file, apply);
    reader.end(apply);
    return {std::move(lines), describe_problem("x.incr.aof", reader)};
  }
  void damage_again_and_again(Damage damage, uint64_t seed) {
    const std::string file = a_file(seed);
    const Loaded whole = load(file);
    ASSERT_EQ(whole.problem, "");
    Prng prng(seed);
    for (int round = 0; round < kRounds; ++round) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " round " << round);
      std::string damaged = file;
      damage(damaged, prng);
      const Loaded loaded = load(damaged);
      expect_found_or_harmless(loaded, whole.lines, "The AOF file x.incr.aof is ");
      // What was applied before the place that is named is what was written.
      ASSERT_LE(loaded.lines.size(), whole.lines.size());
      EXPECT_TRUE(std::equal(loaded.lines.begin(), loaded.lines.end(), whole.lines.begin()));
    }
  }

  Heap heap;
};

TEST_F(DamagedLog, AFlippedBitIsFound) { damage_again_and_again(flip_a_bit, 3); }
TEST_F(DamagedLog, RandomBytesAreFound) { damage_again_and_again(put_random_bytes, 4); }

}  // namespace
}  // namespace ouro
