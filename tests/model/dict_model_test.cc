// SPDX-License-Identifier: BSD-3-Clause
// Dict against std::map: random operations in phases of growth and shrinking, with scans, deadlines
// and frozen views going on meanwhile.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "datastructs/dict.h"
#include "datastructs/dict_view.h"

namespace ouro {
namespace {

struct TestEntry {
  std::string key;
  uint64_t value = 0;
  UnixMs deadline = kNoExpiry;
};

}  // namespace

template <>
struct DictTraits<TestEntry> {
  static ByteView key(const TestEntry& entry) { return entry.key; }
  static UnixMs deadline(const TestEntry& entry) { return entry.deadline; }
};

namespace {

struct Shadow {
  uint64_t value;
  UnixMs deadline;
  bool operator==(const Shadow&) const = default;
};
using Model = std::map<std::string, Shadow>;

// Dict and its model, changed together.
class World {
 public:
  explicit World(uint64_t seed, uint64_t key_space)
      : prng_(seed), dict_(heap_, HashSeed{seed * 77}), key_space_(key_space) {}
  ~World() {
    dict_.for_each([](TestEntry& entry) { delete &entry; });
  }

  std::string any_key() { return "key:" + std::to_string(prng_.below(key_space_)); }

  // A key that is there, if any is.
  std::string some_key() {
    if (model_.empty()) return any_key();
    const auto it = model_.lower_bound(any_key());
    return it == model_.end() ? model_.begin()->first : it->first;
  }

  void put(const std::string& key) {
    const Hash64 hash = dict_.hash(key);
    const uint64_t value = prng_.next();
    TestEntry* found = dict_.find(key, hash);
    ASSERT_EQ(found != nullptr, model_.count(key) != 0);
    if (found == nullptr) {
      found = new TestEntry{key, value, kNoExpiry};
      dict_.insert(found, hash);
      model_[key] = {value, kNoExpiry};
    } else if (prng_.below(2) == 0) {
      dict_.before_change(hash);
      found->value = value;
      model_[key].value = value;
    } else {
      auto* fresh = new TestEntry{key, value, found->deadline};
      dict_.replace(found, fresh, hash);
      delete found;
      model_[key].value = value;
    }
  }
  void erase(const std::string& key) {
    TestEntry* taken = dict_.take(key, dict_.hash(key));
    ASSERT_EQ(taken != nullptr, model_.erase(key) != 0);
    delete taken;
  }
  void expire(const std::string& key, UnixMs when) {
    const Hash64 hash = dict_.hash(key);
    TestEntry* found = dict_.find(key, hash);
    if (found == nullptr) return;
    dict_.before_change(hash);
    found->deadline = when;
    if (when != kNoExpiry) dict_.note_deadline(hash, when);
    model_[key].deadline = when;
  }
  void compare() {
    dict_.check_invariants();
    ASSERT_EQ(dict_.size(), model_.size());
    size_t met = 0;
    dict_.for_each([&](TestEntry& entry) {
      ++met;
      const auto it = model_.find(entry.key);
      ASSERT_NE(it, model_.end());
      ASSERT_EQ(it->second, (Shadow{entry.value, entry.deadline}));
    });
    ASSERT_EQ(met, model_.size());
    for (const auto& [key, shadow] : model_) ASSERT_NE(dict_.find(key), nullptr) << key;
  }

  Prng prng_;
  Heap heap_;
  Dict<TestEntry> dict_;
  Model model_;
  uint64_t key_space_;
};

// A scan in progress, and what was in the table during all of it.
struct Scan {
  uint64_t cursor = 0;
  std::set<std::string> must;
  std::set<std::string> met;
};

class DictModel : public testing::TestWithParam<uint64_t> {};

// Growth and shrinking by large factors; at the end of each scan, what stayed must have been
// returned.
TEST_P(DictModel, ScanReturnsWhatStayedWhileTheTableGrowsAndShrinks) {
  World world(GetParam(), 16000);
  std::vector<Scan> scans(6);
  size_t finished = 0;
  const auto step = [&](Scan& scan) {
    if (scan.cursor == 0) {
      scan.must.clear();
      scan.met.clear();
      for (const auto& item : world.model_) scan.must.insert(item.first);
    }
    scan.cursor =
        world.dict_.scan(scan.cursor, [&](TestEntry& entry) { scan.met.insert(entry.key); });
    if (scan.cursor != 0) return;
    ++finished;
    for (const std::string& key : scan.must) ASSERT_EQ(scan.met.count(key), 1u) << key;
  };
  for (unsigned phase = 0; phase < 8; ++phase) {
    const bool grows = phase % 2 == 0;
    const uint64_t operations = 2000 + world.prng_.below(16000);
    for (uint64_t i = 0; i < operations; ++i) {
      const std::string key = world.any_key();
      if (grows == (world.prng_.below(10) != 0)) {
        ASSERT_NO_FATAL_FAILURE(world.put(key));
      } else {
        const std::string gone = world.some_key();
        ASSERT_NO_FATAL_FAILURE(world.erase(gone));
        for (Scan& scan : scans) scan.must.erase(gone);
      }
      // Each scan at its own speed, from slower than the table changes to much faster.
      for (size_t s = 0; s < scans.size(); ++s)
        if (world.prng_.below(size_t{1} << (2 * s)) == 0) {
          ASSERT_NO_FATAL_FAILURE(step(scans[s]));
        }
    }
    ASSERT_NO_FATAL_FAILURE(world.compare());
  }
  EXPECT_GT(finished, 3u);
}

TEST_P(DictModel, AgreesWithAMapInSmallTables) {
  World world(GetParam(), 40);
  for (unsigned i = 0; i < 20000; ++i) {
    if (i % 500 == 0) world.key_space_ = 1 + world.prng_.below(600);
    if (world.prng_.below(2) == 0)
      ASSERT_NO_FATAL_FAILURE(world.put(world.any_key()));
    else
      ASSERT_NO_FATAL_FAILURE(world.erase(world.any_key()));
    if (i % 50 == 0) {
      ASSERT_NO_FATAL_FAILURE(world.compare());
    }
  }
}

// Deadlines: at any moment all that is due is found, and nothing else.
TEST_P(DictModel, FindsWhatIsDueAndNothingElse) {
  World world(GetParam(), 5000);
  UnixMs now = 1000;
  for (unsigned round = 0; round < 200; ++round) {
    const uint64_t operations = world.prng_.below(400);
    for (uint64_t i = 0; i < operations; ++i) {
      const std::string key = world.any_key();
      switch (world.prng_.below(6)) {
        case 0:
        case 1:
          ASSERT_NO_FATAL_FAILURE(world.put(key));
          break;
        case 2:
          ASSERT_NO_FATAL_FAILURE(world.erase(key));
          break;
        case 3:
          world.expire(key, kNoExpiry);
          break;
        default:
          world.expire(key, now + 1 + static_cast<UnixMs>(world.prng_.below(300)));
      }
    }
    world.dict_.check_invariants();
    now += static_cast<UnixMs>(world.prng_.below(50));
    size_t spent = 0;
    while (true) {
      size_t budget = 1 + world.prng_.below(40);
      const size_t given = budget;
      TestEntry* due = world.dict_.find_due(now, budget);
      spent += given - budget;
      if (due == nullptr && budget != 0) break;
      if (due == nullptr) continue;
      ASSERT_LE(due->deadline, now);
      ASSERT_NE(due->deadline, kNoExpiry);
      if (world.prng_.below(3) == 0)
        world.expire(due->key, now + 7);
      else
        ASSERT_NO_FATAL_FAILURE(world.erase(std::string(due->key)));
    }
    for (const auto& [key, shadow] : world.model_)
      if (shadow.deadline != kNoExpiry) {
        ASSERT_GT(shadow.deadline, now);
        ASSERT_GE(shadow.deadline, world.dict_.next_deadline());
      }
    ASSERT_LT(spent, 40000u);
  }
  ASSERT_NO_FATAL_FAILURE(world.compare());
}

class MapView : public DictView<TestEntry> {
 public:
  void save(TestEntry& entry) override {
    const bool is_new = got_.emplace(entry.key, Shadow{entry.value, entry.deadline}).second;
    EXPECT_TRUE(is_new) << entry.key << " was handed out twice";
  }
  void freeze(World& world) {
    want_ = world.model_;
    got_.clear();
    begin(world.dict_);
  }
  Model want_;
  Model got_;
};

// Up to four views, each walked at its own speed while the table changes, grows and shrinks: each
// sees the table of its begin.
TEST_P(DictModel, ViewsSeeTheTableAsItWasAtTheirBegin) {
  World world(GetParam(), 20000);
  MapView views[kDictViewsMax];
  size_t completed = 0;
  for (unsigned i = 0; i < 90000; ++i) {
    const bool grows = (i / 15000) % 2 == 0;
    if (world.prng_.below(4) == 0)
      world.expire(world.any_key(), static_cast<UnixMs>(world.prng_.below(1000)));
    else if (grows == (world.prng_.below(8) != 0))
      ASSERT_NO_FATAL_FAILURE(world.put(world.any_key()));
    else
      ASSERT_NO_FATAL_FAILURE(world.erase(world.some_key()));
    if (i % 20 != 0) continue;
    for (unsigned v = 0; v < kDictViewsMax; ++v) {
      MapView& view = views[v];
      if (!view.is_open()) {
        if (world.prng_.below(40) == 0) view.freeze(world);
        continue;
      }
      if (world.prng_.below(2000) == 0) {  // given up midway
        view.end();
        continue;
      }
      size_t budget = 1 + world.prng_.below(size_t{20} << v);
      if (!view.next(budget)) continue;
      ++completed;
      ASSERT_EQ(view.got_, view.want_);
      if (world.prng_.below(2) == 0) view.end();
    }
    if (i % 5000 == 0) {
      ASSERT_NO_FATAL_FAILURE(world.compare());
    }
  }
  EXPECT_GT(completed, 5u);
  for (MapView& view : views) view.end();
  ASSERT_NO_FATAL_FAILURE(world.compare());
}

INSTANTIATE_TEST_SUITE_P(Seeds, DictModel, testing::Values(1, 2, 3));

}  // namespace
}  // namespace ouro
