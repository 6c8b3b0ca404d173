// SPDX-License-Identifier: BSD-3-Clause
// Up to four frozen views over databases that change all the time in every way a Keyspace knows:
// each view hands out what there was at its moment, once, whatever became of it since.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/keyspace/freeze.h"

namespace ouro {
namespace {

constexpr DbIndex kDatabases = 3;

// A key as a view should see it: its deadline, and all of its value as text.
std::string text_of(const Entry& entry) {
  std::string text = std::to_string(entry.deadline()) + "|";
  if (entry.is_string()) {
    NumberText scratch;
    return text.append(entry.text(scratch));
  }
  const List& list = entry.as<List>();
  list.for_each(0, list.size(),
                [&](const ListElement& element) { text.append(element.bytes).append(","); });
  return text;
}

using Contents = std::map<std::pair<DbIndex, std::string>, std::string>;

class View final : private FrozenView::Saver {
 public:
  View(Databases& databases, Contents wanted)
      : wanted_(std::move(wanted)), view_(databases, *this) {
    size_t keys = 0, with_deadline = 0;
    for (const FrozenView::Frozen& frozen : view_.frozen()) {
      keys += frozen.keys;
      with_deadline += frozen.keys_with_deadline;
    }
    EXPECT_EQ(keys, wanted_.size());
    size_t deadlines = 0;
    for (const auto& [key, text] : wanted_) deadlines += text.starts_with("-1|") ? 0U : 1U;
    EXPECT_EQ(with_deadline, deadlines);
  }

  // True when it has everything, which is then looked at.
  bool next(size_t budget) {
    if (!view_.next(budget)) return false;
    EXPECT_EQ(got_, wanted_);
    return true;
  }

 private:
  void save(DbIndex db, Entry& entry) override {
    EXPECT_TRUE(got_.try_emplace({db, std::string(entry.key())}, text_of(entry)).second)
        << "handed out twice: " << entry.key();
  }

  Contents wanted_;
  Contents got_;
  FrozenView view_;
};

class FreezeModel {
 public:
  explicit FreezeModel(uint64_t seed)
      : prng_(seed), databases_(heap_, HashSeed{seed * 31}, kDatabases) {}

  void run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      // Phases of growth and of shrinking, with tables of some thousand keys between.
      shrinks_ = i / 20'000 % 2 == 1;
      step();
      for (auto& view : views_) work_on(view);
      (void)databases_.lazy_free().run(prng_.below(3));
    }
    for (auto& view : views_) {
      while (view != nullptr && !view->next(1000)) {
      }
      view = nullptr;
    }
    EXPECT_TRUE(databases_.lazy_free().run(~size_t{0}));
    EXPECT_TRUE(databases_.lazy_free().empty());
    for (DbIndex db = 0; db < kDatabases; ++db) {
      databases_[db].check_invariants();
      databases_[db].clear(Freeing::kNow);
    }
  }

 private:
  Contents contents() {
    Contents all;
    for (DbIndex db = 0; db < kDatabases; ++db) {
      databases_[db].for_each([&](Entry& entry) {
        all[{db, std::string(entry.key())}] = text_of(entry);
      });
    }
    return all;
  }

  void work_on(std::unique_ptr<View>& view) {
    if (view == nullptr) {
      if (prng_.below(4000) == 0) view = std::make_unique<View>(databases_, contents());
    } else if (prng_.below(5000) == 0 || view->next(prng_.below(8))) {
      view = nullptr;  // some end before they are complete
    }
  }

  Keyspace& any_database() { return databases_[static_cast<DbIndex>(prng_.below(kDatabases))]; }

  void step() {
    Keyspace& db = any_database();
    const std::string name = "key:" + std::to_string(prng_.below(6000));
    const Key key = db.key(name);
    Entry* entry = db.find(key);
    if (prng_.below(20'000) == 0) return flush_or_swap(db);
    if (shrinks_ && prng_.below(2) == 0) {
      return db.erase(key, prng_.below(2) == 0 ? Freeing::kNow : Freeing::kLazy);
    }
    const UnixMs deadline =
        prng_.below(3) == 0 ? static_cast<UnixMs>(prng_.below(1000)) : kNoExpiry;
    switch (prng_.below(10)) {
      case 0:
      case 1:
        db.put_string(key, entry, std::string(prng_.below(60), 'e'), deadline);
        return;
      case 2:
        db.put_integer(key, entry, static_cast<int64_t>(prng_.below(100)), deadline);
        return;
      case 3:
        db.put_string(key, entry, std::string(kBlobBytesMin + prng_.below(100), 'b'), deadline);
        return;
      case 4:
        if (entry != nullptr) db.set_deadline(key, entry, deadline);
        return;
      case 5:
        if (entry != nullptr && entry->is_string()) edit(db, key, *entry);
        return;
      case 6:
        if (entry != nullptr) move(db, key, any_database());
        return;
      case 7:
        return db.erase(key, Freeing::kLazy);
      default:
        return push(db, key, entry);
    }
  }
  void flush_or_swap(Keyspace& db) {
    if (prng_.below(2) == 0) {
      db.clear(prng_.below(2) == 0 ? Freeing::kNow : Freeing::kLazy);
    } else {
      db.swap_contents(any_database());
    }
  }
  void edit(Keyspace& db, const Key& key, Entry& entry) {
    if (entry.kind() == Kind::kInt) return db.set_integer(key, &entry, entry.integer() + 1);
    const Keyspace::Editable text = db.edit_string(key, &entry, entry.text_size() + prng_.below(9));
    if (!text.bytes.empty()) text.bytes[prng_.below(text.bytes.size())] = 'x';
  }
  void move(Keyspace& from, const Key& key, Keyspace& to) {
    const std::string name = "moved:" + std::to_string(prng_.below(500));
    const Key target = to.key(name);
    const Value value = from.take(key);
    to.put_value(target, to.find(target), value, kNoExpiry);
  }
  void push(Keyspace& db, const Key& key, Entry* entry) {
    if (entry != nullptr && entry->kind() != Kind::kList) return;
    if (entry != nullptr) db.before_change(key);
    List& list = entry == nullptr ? db.add<List>(key) : entry->as<List>();
    for (uint64_t left = 1 + prng_.below(prng_.below(50) == 0 ? 400 : 3); left > 0; --left)
      list.push(heap_, limits_, ListEnd::kBack, std::to_string(prng_.next()));
  }

  Prng prng_;
  Heap heap_;
  Limits limits_;
  Databases databases_;
  std::unique_ptr<View> views_[kFrozenViewsMax];
  bool shrinks_ = false;
};

TEST(FreezeModel, EachViewSeesItsMoment) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    FreezeModel(seed).run(100'000);
  }
}

}  // namespace
}  // namespace ouro
