// SPDX-License-Identifier: BSD-3-Clause
// Random operations on Hash and on a std::map of value and deadline, compared as a whole after
// each, under a clock that goes on. Limits are small, so that hashes start packed, get deadlines,
// become tables and empty again, many times.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/hash.h"

namespace ouro {
namespace {

constexpr HashSeed kSeed{1};

struct ModelField {
  std::string value;
  UnixMs deadline = kNoExpiry;
};

class HashModel {
 public:
  HashModel(size_t packed_entries, uint64_t fields, uint64_t seed) : fields_(fields), prng_(seed) {
    limits_.hash_packed_entries = packed_entries;
    // Without a bound on the fields none on values either: that hash stays packed all the time.
    limits_.hash_packed_value_bytes = packed_entries > fields ? 300 : 30;
  }
  ~HashModel() {
    hash_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      if (prng_.below(1500) == 0) erase_all();
      step();
      compare();
    }
  }

 private:
  using Fields = std::map<std::string, ModelField>;

  std::string draw_field() { return "f" + std::to_string(prng_.below(fields_)); }
  std::string draw_value() {
    const size_t bytes = prng_.below(40) == 0 ? prng_.below(300) : prng_.below(30);
    return std::string(bytes, static_cast<char>(prng_.next()));
  }
  bool is_due(const ModelField& field) const {
    return field.deadline != kNoExpiry && field.deadline <= now_;
  }
  // The field if it is there and not due.
  Fields::iterator find_alive(const std::string& name) {
    const auto found = model_.find(name);
    return found != model_.end() && is_due(found->second) ? model_.end() : found;
  }

  void step() {
    now_ += static_cast<UnixMs>(prng_.below(3));
    switch (prng_.below(10)) {
      case 0:
      case 1:
      case 2:
        return set();
      case 3:
      case 4:
        return erase();
      case 5:
      case 6:
        return set_deadline();
      case 7:
        return expire();
      case 8:
        return draw();
      default:
        return prng_.below(30) == 0 ? copy() : get();
    }
  }

  void set() {
    const std::string name = draw_field();
    const std::string value = draw_value();
    const bool keep = prng_.below(2) == 0;
    const bool there = find_alive(name) != model_.end();
    const bool added =
        hash_.set(heap_, limits_, kSeed, name, value, {.now = now_, .keep_deadline = keep});
    ASSERT_EQ(added, !there);
    ModelField& field = model_[name];
    field.value = value;
    if (!there || !keep) field.deadline = kNoExpiry;
  }
  void erase() {
    const std::string name = draw_field();
    const bool there = find_alive(name) != model_.end();
    ASSERT_EQ(hash_.erase(heap_, name, now_), there);
    model_.erase(name);
  }
  void set_deadline() {
    const std::string name = draw_field();
    const UnixMs when =
        prng_.below(3) == 0 ? kNoExpiry : now_ + 1 + static_cast<UnixMs>(prng_.below(300));
    const auto found = find_alive(name);
    ASSERT_EQ(hash_.set_deadline(heap_, name, when, now_), found != model_.end());
    if (found != model_.end()) found->second.deadline = when;
  }
  void expire() {
    size_t budget = 1 + prng_.below(200);
    const size_t before = model_.size();
    const size_t removed = hash_.expire_due(heap_, now_, budget, [&](ByteView field) {
      const auto found = model_.find(std::string(field));
      ASSERT_NE(found, model_.end());
      ASSERT_TRUE(is_due(found->second));
      model_.erase(found);
    });
    ASSERT_EQ(removed, before - model_.size());
    if (budget == 0) return;
    for (const auto& [name, field] : model_) ASSERT_FALSE(is_due(field)) << name;
  }
  void get() {
    const std::string name = draw_field();
    const auto found = find_alive(name);
    const std::optional<Hash::Item> item = hash_.find(name, now_);
    ASSERT_EQ(item.has_value(), found != model_.end());
    if (!item) return;
    ASSERT_EQ(item->field, name);
    ASSERT_EQ(item->value, found->second.value);
    ASSERT_EQ(item->deadline, found->second.deadline);
  }
  void draw() {
    size_t alive = 0;
    for (const auto& [name, field] : model_) alive += is_due(field) ? 0u : 1u;
    const std::optional<Hash::Item> item = hash_.random(prng_, now_);
    ASSERT_EQ(item.has_value(), alive > 0);
    if (item) {
      ASSERT_NE(find_alive(std::string(item->field)), model_.end());
    }
    const size_t count = prng_.below(fields_);
    size_t given = 0;
    Fields seen;
    const auto note = [&](const Hash::Item& one) {
      ++given;
      ASSERT_NE(find_alive(std::string(one.field)), model_.end());
      seen.emplace(one.field, ModelField());
    };
    hash_.random_distinct(heap_, prng_, count, note, now_);
    ASSERT_EQ(given, std::min(count, alive));
    ASSERT_EQ(seen.size(), given);
  }
  void copy() {
    Hash fresh = hash_.copy(heap_);
    hash_.destroy(heap_);
    hash_ = fresh;
  }
  void erase_all() {
    for (const auto& [name, field] : model_) hash_.erase(heap_, name);
    model_.clear();
    ASSERT_TRUE(hash_.empty());
  }

  void compare() {
    hash_.check_invariants();
    ASSERT_EQ(hash_.size(), model_.size());
    ASSERT_EQ(hash_.empty(), model_.empty());
    ASSERT_EQ(hash_.memory_bytes(), heap_.used_bytes());
    size_t seen = 0;
    UnixMs least = kNever;
    hash_.for_each([&](const Hash::Item& item) {
      const auto found = model_.find(std::string(item.field));
      ASSERT_NE(found, model_.end());
      ASSERT_EQ(item.value, found->second.value);
      ASSERT_EQ(item.deadline, found->second.deadline);
      if (item.deadline != kNoExpiry) least = std::min(least, item.deadline);
      ++seen;
    });
    ASSERT_EQ(seen, model_.size());
    ASSERT_LE(hash_.next_deadline(), least);
    if (hash_.encoding() == "listpack") {
      ASSERT_EQ(hash_.next_deadline(), least);
    }
  }

  Limits limits_;
  Heap heap_;
  Hash hash_;
  Fields model_;
  uint64_t fields_;
  Prng prng_;
  UnixMs now_ = 1'000'000;
};

TEST(HashModel, AgreesWithAMapInAllForms) {
  struct Setting {
    size_t packed_entries;
    uint64_t fields;
  };
  for (const auto& [packed_entries, fields] : {Setting{1000, 40}, {20, 60}, {0, 10}, {8, 700}}) {
    for (uint64_t seed = 1; seed <= 2; ++seed) {
      SCOPED_TRACE(testing::Message() << "packed up to " << packed_entries << ", fields " << fields
                                      << ", seed " << seed);
      HashModel(packed_entries, fields, seed).run(5000);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace ouro
