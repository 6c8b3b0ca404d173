// SPDX-License-Identifier: BSD-3-Clause
// Up to four frozen views over databases that change all the time (random_changes.h): each view
// hands out what there was at its moment, once, and what it took of a large value is still that
// when it is read, whatever became of the value since.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "datastructs/keyspace/freeze.h"
#include "datastructs/keyspace/shared_value.h"
#include "random_changes.h"
#include "value_text.h"

namespace ouro {
namespace {

using Place = std::pair<DbIndex, std::string>;
using Contents = std::map<Place, std::string>;

std::string head_of(const Entry& entry) {
  return std::string(type_name(entry.type())) + "@" + std::to_string(entry.deadline()) + "|";
}

// A value that a view has taken, read bit by bit.
class Taken {
 public:
  virtual ~Taken() = default;
  // True at the end; then text() is all of it.
  virtual bool next(size_t budget) = 0;
  virtual std::string text() = 0;
};

class TakenSet final : public Taken, private SetView {
 public:
  explicit TakenSet(const Set& set) { begin(set); }
  bool next(size_t budget) override { return SetView::next(budget); }
  std::string text() override { return text_of_elements(got_); }

 private:
  void save(ByteView member, UnixMs deadline) override {
    EXPECT_TRUE(got_.try_emplace(std::string(member), std::to_string(deadline)).second);
  }
  Elements got_;
};

class TakenZSet final : public Taken, private ZSetView {
 public:
  explicit TakenZSet(const ZSet& zset) { begin(zset); }
  bool next(size_t budget) override { return ZSetView::next(budget); }
  std::string text() override { return text_of_elements(got_); }

 private:
  void save(ByteView member, double score, UnixMs deadline) override {
    const std::string value = std::to_string(score) + "@" + std::to_string(deadline);
    EXPECT_TRUE(got_.try_emplace(std::string(member), value).second);
  }
  Elements got_;
};

class TakenHash final : public Taken, private HashView {
 public:
  explicit TakenHash(const Hash& hash) { begin(hash); }
  bool next(size_t budget) override { return HashView::next(budget); }
  std::string text() override { return text_of_elements(got_); }

 private:
  void save_field(const Hash::Item& item) override {
    const std::string value = std::string(item.value) + "@" + std::to_string(item.deadline);
    EXPECT_TRUE(got_.try_emplace(std::string(item.field), value).second);
  }
  Elements got_;
};

class TakenBlob final : public Taken {
 public:
  TakenBlob(Heap& heap, Blob& blob) { view_.begin(heap, blob); }
  bool next(size_t budget) override {
    if (budget > 0) got_.append(view_.next());
    return view_.is_complete();
  }
  std::string text() override {
    EXPECT_EQ(got_.size(), view_.size());
    return got_;
  }

 private:
  BlobView view_;
  std::string got_;
};

// Waits some turns, then is read at once.
class TakenPin final : public Taken {
 public:
  TakenPin(Heap& heap, Blob& blob, uint64_t turns) : heap_(heap), blob_(blob), turns_(turns) {
    blob.pin_to_read();
  }
  ~TakenPin() override { Blob::unpin_reader(heap_, &blob_); }
  bool next(size_t) override { return turns_ == 0 || --turns_ == 0; }
  std::string text() override { return std::string(blob_.view()); }

 private:
  Heap& heap_;
  Blob& blob_;
  uint64_t turns_;
};

class TakenShare final : public Taken {
 public:
  TakenShare(LazyFree& lazy_free, const Entry& entry, uint64_t turns)
      : share_(lazy_free, entry), turns_(turns) {}
  bool next(size_t) override { return turns_ == 0 || --turns_ == 0; }
  std::string text() override {
    const Value& value = share_.value();
    return visit_collection(value.kind, const_cast<uint64_t*>(&value.payload),
                            [](const auto& collection) {
                              if constexpr (requires { collection.check_invariants(); })
                                collection.check_invariants();
                              return text_of(collection);
                            });
  }

 private:
  SharedValue share_;
  uint64_t turns_;
};

class View final : private FrozenView::Saver {
 public:
  View(RandomChanges& changes, Contents wanted)
      : changes_(changes), wanted_(std::move(wanted)), view_(changes.databases(), *this) {
    size_t keys = 0, with_deadline = 0;
    for (const FrozenView::Frozen& frozen : view_.frozen()) {
      keys += frozen.keys;
      with_deadline += frozen.keys_with_deadline;
    }
    EXPECT_EQ(keys, wanted_.size());
    size_t deadlines = 0;
    for (const auto& [key, text] : wanted_)
      deadlines += text.find("@-1|") == std::string::npos ? 1U : 0U;
    EXPECT_EQ(with_deadline, deadlines);
  }

  // True when it has everything, which is then looked at.
  bool next(size_t budget) {
    if (!taken_.empty()) {
      const size_t any = changes_.prng().below(taken_.size());
      auto& [place, taken] = taken_[any];
      if (taken->next(budget)) {
        got_[place] += taken->text();
        std::swap(taken_[any], taken_.back());
        taken_.pop_back();
      }
    }
    if (!view_.next(budget) || !taken_.empty()) return false;
    for (const auto& [place, text] : wanted_) {
      const auto got = got_.find(place);
      if (got == got_.end() || got->second != text) {
        ADD_FAILURE() << "not as it was: " << place.second << ", "
                      << (got == got_.end() ? "missing" : got->second.substr(0, 300)) << "\n but "
                      << text.substr(0, 300);
      }
    }
    EXPECT_EQ(got_.size(), wanted_.size());
    return true;
  }

 private:
  void save(DbIndex db, Entry& entry, FrozenView::Standing) override {
    const Place place{db, std::string(entry.key())};
    EXPECT_TRUE(got_.try_emplace(place, head_of(entry)).second)
        << "handed out twice: " << entry.key();
    const bool is_tiny = entry.is_string() && entry.kind() != Kind::kBlob;
    if (is_tiny ||
        (!Value::needs_view(entry) && changes_.prng().below(entry.is_string() ? 20 : 4) != 0)) {
      got_[place] += text_of(entry);
      return;
    }
    taken_.emplace_back(place, take(entry));
  }
  std::unique_ptr<Taken> take(Entry& entry) {
    const uint64_t turns = changes_.prng().below(300);
    if (!Value::needs_view(entry) && !entry.is_string())
      return std::make_unique<TakenShare>(changes_.databases().lazy_free(), entry, turns);
    switch (entry.kind()) {
      case Kind::kSet:
        return std::make_unique<TakenSet>(entry.as<Set>());
      case Kind::kZSet:
        return std::make_unique<TakenZSet>(entry.as<ZSet>());
      case Kind::kHash:
        return std::make_unique<TakenHash>(entry.as<Hash>());
      default:
        if (!Value::needs_view(entry))
          return std::make_unique<TakenPin>(changes_.heap(), *entry.blob(), turns);
        return std::make_unique<TakenBlob>(changes_.heap(), *entry.blob());
    }
  }

  RandomChanges& changes_;
  Contents wanted_;
  Contents got_;
  std::vector<std::pair<Place, std::unique_ptr<Taken>>> taken_;
  FrozenView view_;
};

class FreezeModel {
 public:
  explicit FreezeModel(uint64_t seed) : changes_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      changes_.step(i / 20'000 % 2 == 1);
      for (auto& view : views_) work_on(view);
      (void)changes_.databases().lazy_free().run(changes_.prng().below(3));
      if (i % 5000 == 4999) expect_kept_comes_back();
    }
    for (auto& view : views_) {
      while (view != nullptr && !view->next(1000)) {
      }
      view = nullptr;
    }
    EXPECT_TRUE(changes_.databases().lazy_free().run(~size_t{0}));
    EXPECT_TRUE(changes_.databases().lazy_free().empty());
    EXPECT_GT(changes_.heap().left_bytes(), 0U);
    EXPECT_GT(most_kept_, 1'000'000U);
    for (DbIndex db = 0; db < RandomChanges::kDatabases; ++db) compare_memory(db);
    changes_.clear();
    for (DbIndex db = 0; db < RandomChanges::kDatabases; ++db)
      EXPECT_EQ(changes_.databases()[db].overhead_bytes(), 0U);
    EXPECT_EQ(changes_.heap().used_bytes(), 0U);
  }

 private:
  Contents contents() {
    Contents all;
    for (DbIndex db = 0; db < RandomChanges::kDatabases; ++db) {
      changes_.databases()[db].for_each([&](Entry& entry) {
        if (!entry.is_string()) {
          entry.visit([](const auto& value) { value.check_invariants(); });
        }
        all[{db, std::string(entry.key())}] = head_of(entry) + text_of(entry);
      });
    }
    return all;
  }

  // What is said to be kept for views is what is back when they end, but for what their tables
  // note of them.
  void expect_kept_comes_back() {
    Heap& heap = changes_.heap();
    LazyFree& lazy_free = changes_.databases().lazy_free();
    EXPECT_TRUE(lazy_free.run(~size_t{0}));
    most_kept_ = std::max(most_kept_, heap.kept_bytes());
    const size_t held = heap.used_bytes() - heap.kept_bytes();
    for (auto& view : views_) view = nullptr;
    EXPECT_TRUE(lazy_free.run(~size_t{0}));
    EXPECT_EQ(heap.kept_bytes(), 0U);
    EXPECT_NEAR(static_cast<double>(heap.used_bytes()), static_cast<double>(held), 10'000);
  }

  // What was shared counts right again: each key gives back what it said that it takes.
  void compare_memory(DbIndex number) {
    Keyspace& db = changes_.databases()[number];
    std::vector<std::string> names;
    db.for_each([&](Entry& entry) { names.emplace_back(entry.key()); });
    for (const std::string& name : names) {
      Entry* const entry = db.find(db.key(name));
      // With a key whose elements have, or had, deadlines an entry of another table goes, too.
      const Kind kind = entry->kind();
      if (kind == Kind::kSet || kind == Kind::kZSet || kind == Kind::kHash) continue;
      const size_t bytes = entry->memory_bytes();
      const size_t before = changes_.heap().used_bytes() - db.overhead_bytes();
      db.erase(db.key(name), Freeing::kNow);
      const size_t after = changes_.heap().used_bytes() - db.overhead_bytes();
      ASSERT_EQ(before - after, bytes) << name;
    }
  }

  void work_on(std::unique_ptr<View>& view) {
    Prng& prng = changes_.prng();
    if (view == nullptr) {
      if (prng.below(4000) == 0) view = std::make_unique<View>(changes_, contents());
    } else if (prng.below(6000) == 0 || view->next(prng.below(8))) {
      view = nullptr;  // some end before they are complete
    }
  }

  RandomChanges changes_;
  std::unique_ptr<View> views_[kFrozenViewsMax];
  size_t most_kept_ = 0;
};

TEST(FreezeModel, EachViewSeesItsMoment) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    FreezeModel(seed).run(100'000);
  }
}

}  // namespace
}  // namespace ouro
