// SPDX-License-Identifier: BSD-3-Clause
// Frozen views of large sets, sorted sets and hashes, with deadlines of their elements, while these
// change in every way: each view hands out what there was when it began, each element once.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/hash.h"
#include "datastructs/set.h"
#include "datastructs/zset.h"

namespace ouro {
namespace {

// By element: value or score as text, deadline.
using Contents = std::map<std::string, std::pair<std::string, UnixMs>>;

// What a view is given, compared with what it should be.
class Expected {
 public:
  explicit Expected(Contents wanted) : wanted_(std::move(wanted)) {}
  void add(ByteView element, std::string value, UnixMs deadline) {
    EXPECT_TRUE(got_.try_emplace(std::string(element), std::move(value), deadline).second);
  }
  void compare() const { EXPECT_EQ(got_, wanted_); }

 private:
  Contents wanted_, got_;
};

struct SetKind {
  using Value = Set;
  class View : public SetView, public Expected {
   public:
    using Expected::Expected;
    void save(ByteView member, UnixMs deadline) override { add(member, "", deadline); }
  };
  static void put(Heap& heap, Set& set, ByteView member, uint64_t) {
    set.add(heap, Limits(), HashSeed{7}, member);
  }
  static void erase(Heap& heap, Set& set, ByteView member) { set.remove(heap, member); }
  static void expire(Heap& heap, Set& set, ByteView member, UnixMs when) {
    set.set_deadline(heap, HashSeed{7}, member, when);
  }
  static Contents contents(const Set& set) {
    Contents all;
    set.for_each([&](ByteView member) { all[std::string(member)] = {"", set.deadline(member)}; });
    return all;
  }
};

struct ZSetKind {
  using Value = ZSet;
  class View : public ZSetView, public Expected {
   public:
    using Expected::Expected;
    void save(ByteView member, double score, UnixMs deadline) override {
      add(member, std::to_string(score), deadline);
    }
  };
  static void put(Heap& heap, ZSet& zset, ByteView member, uint64_t draw) {
    zset.add(heap, Limits(), HashSeed{7}, member, static_cast<double>(draw % 100), {});
    if (draw % 300 == 0)
      zset.remove_ranks(heap, {zset.size() / 2, zset.size() / 2 + zset.size() / 9});
  }
  static void erase(Heap& heap, ZSet& zset, ByteView member) { zset.remove(heap, member); }
  static void expire(Heap& heap, ZSet& zset, ByteView member, UnixMs when) {
    zset.set_deadline(heap, HashSeed{7}, member, when);
  }
  static Contents contents(const ZSet& zset) {
    Contents all;
    zset.for_each([&](ByteView member, double score) {
      all[std::string(member)] = {std::to_string(score), zset.deadline(member)};
    });
    return all;
  }
};

struct HashKind {
  using Value = Hash;
  class View : public HashView, public Expected {
   public:
    using Expected::Expected;
    void save_field(const Hash::Item& item) override {
      add(item.field, std::string(item.value), item.deadline);
    }
  };
  static void put(Heap& heap, Hash& hash, ByteView field, uint64_t draw) {
    hash.set(heap, Limits(), HashSeed{7}, field, std::string(draw % 40, 'v'));
  }
  static void erase(Heap& heap, Hash& hash, ByteView field) { hash.erase(heap, field); }
  static void expire(Heap& heap, Hash& hash, ByteView field, UnixMs when) {
    hash.set_deadline(heap, field, when);
  }
  static Contents contents(const Hash& hash) {
    Contents all;
    hash.for_each([&](const Hash::Item& item) {
      all[std::string(item.field)] = {std::string(item.value), item.deadline};
    });
    return all;
  }
};

template <class Kind>
class ValueViewModel : public testing::Test {
 protected:
  using View = typename Kind::View;

  void run(uint64_t seed, int steps) {
    prng_ = Prng(seed);
    for (int i = 0; i < steps && !HasFailure(); ++i) {
      // Up to about 2,000 elements, and down to none.
      const bool shrinks = i / 10'000 % 2 == 1;
      step(shrinks);
      for (auto& view : views_) work_on(view);
    }
    for (auto& view : views_) {
      for (size_t budget = ~size_t{0}; view != nullptr && !view->next(budget);) budget = ~size_t{0};
      if (view != nullptr) view->compare();
      view = nullptr;
    }
    value_.check_invariants();
    value_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0U);
  }

 private:
  void step(bool shrinks) {
    const std::string name = "element:" + std::to_string(prng_.below(2500));
    switch (prng_.below(8)) {
      case 0:
        return Kind::expire(heap_, value_, name,
                            prng_.below(4) == 0 ? kNoExpiry : static_cast<UnixMs>(prng_.below(50)));
      case 1: {
        size_t budget = 20;
        const auto now = static_cast<UnixMs>(prng_.below(4));
        value_.expire_due(heap_, now, budget, [](ByteView) {});
        return;
      }
      case 2:
        return Kind::erase(heap_, value_, name);
      default:
        return shrinks ? Kind::erase(heap_, value_, name)
                       : Kind::put(heap_, value_, name, prng_.next());
    }
  }
  void work_on(std::unique_ptr<View>& view) {
    if (view == nullptr) {
      if (!value_.is_table() || prng_.below(2000) != 0) return;
      view = std::make_unique<View>(Kind::contents(value_));
      view->begin(value_);
      return;
    }
    size_t budget = prng_.below(6);
    if (prng_.below(3000) == 0) {
      view = nullptr;
    } else if (view->next(budget)) {
      view->compare();
      view = nullptr;
    }
  }

  Prng prng_{0};
  Heap heap_;
  typename Kind::Value value_;
  std::unique_ptr<View> views_[4];
};

using Kinds = testing::Types<SetKind, ZSetKind, HashKind>;
TYPED_TEST_SUITE(ValueViewModel, Kinds);

TYPED_TEST(ValueViewModel, EachViewSeesItsMoment) {
  for (uint64_t seed = 1; seed <= 3; ++seed) this->run(seed, 60'000);
}

}  // namespace
}  // namespace ouro
