// SPDX-License-Identifier: BSD-3-Clause
// Aside against a model of maps, by random calls and a clock that goes on; and what a frozen view
// of its tables sees.
#include "datastructs/keyspace/aside.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/keyspace/databases.h"
#include "datastructs/keyspace/freeze.h"

namespace ouro {
namespace {

struct ModelKey {
  std::optional<std::pair<std::string, UnixMs>> stale;
  UnixMs absent_until = 0;
  uint64_t version = 0;
  UnixMs refused_until = 0;
};

class AsideModel {
 public:
  explicit AsideModel(uint64_t seed) : prng_(seed) {}
  ~AsideModel() {
    aside_.clear(Freeing::kNow);
    lazy_free_.run(~size_t{0});
  }

  void step() {
    const std::string name = "key" + std::to_string(prng_.below(40));
    const Key key{name, dict_hash(name)};
    ModelKey& model = model_[name];
    switch (prng_.below(7)) {
      case 0:
        put_stale(key, model);
        break;
      case 1:
        put_absent(key, model);
        break;
      case 2:
        put_fence(key, model);
        break;
      case 3: {
        // What is due and was not looked at may still be known.
        aside_.forget(key);
        model.stale.reset();
        model.absent_until = 0;
        break;
      }
      case 4:
        now_ += static_cast<UnixMs>(prng_.below(50));
        break;
      case 5: {
        size_t budget = prng_.below(30);
        aside_.end_due(now_, budget);
        break;
      }
      default:
        break;
    }
    expect_same(key, model);
  }
  void check() {
    aside_.check_invariants();
    size_t all = ~size_t{0};
    aside_.end_due(now_, all);
    size_t stale = 0;
    size_t absent = 0;
    for (const auto& [name, model] : model_) {
      stale += model.stale && model.stale->second > now_ ? 1U : 0U;
      absent += std::max(model.absent_until, model.refused_until) > now_ ? 1U : 0U;
    }
    EXPECT_EQ(aside_.stale_count(), stale);
    // An absent key that was forgotten leaves a note that ends later, if it had a version.
    EXPECT_GE(aside_.absent_count(), absent);
  }

 private:
  Hash64 dict_hash(ByteView name) const { return hash_bytes(name, HashSeed{7}); }
  UnixMs later() { return now_ + 1 + static_cast<UnixMs>(prng_.below(200)); }

  void put_stale(const Key& key, ModelKey& model) {
    const std::string text(prng_.below(3) == 0 ? 50'000 : 5, 'v');
    const UnixMs until = later();
    Entry* entry = nullptr;
    if (text.size() < kBlobBytesMin) {
      entry = Entry::create(heap_, key.bytes,
                            {.kind = Kind::kEmbedded,
                             .has_deadline = true,
                             .has_fill = true,
                             .embedded_bytes = text.size()});
      text.copy(entry->embedded_bytes(), text.size());
    } else {
      entry = Entry::create(heap_, key.bytes,
                            {.kind = Kind::kBlob, .has_deadline = true, .has_fill = true});
      entry->set_blob(Blob::create_from(heap_, text));
    }
    entry->set_deadline(until);
    aside_.put_stale(key, entry);
    model.stale = {text, until};
  }
  void put_absent(const Key& key, ModelKey& model) {
    model.absent_until = later();
    aside_.put_absent(key, model.absent_until, now_);
    if (model.refused_until > now_)
      model.refused_until = std::max(model.refused_until, model.absent_until);
  }
  void put_fence(const Key& key, ModelKey& model) {
    const uint64_t version = 1 + prng_.below(1000);
    if (model.refused_until <= now_) model.version = 0;
    model.version = std::max(model.version, version);
    model.refused_until = std::max({later(), model.refused_until, model.absent_until});
    aside_.put_fence(key, version, model.refused_until, now_);
  }
  void expect_same(const Key& key, const ModelKey& model) {
    const Entry* stale = aside_.find_stale(key, now_);
    const bool has_stale = model.stale && model.stale->second > now_;
    ASSERT_EQ(stale != nullptr, has_stale);
    NumberText scratch;
    if (has_stale) {
      EXPECT_EQ(stale->text(scratch), model.stale->first);
    }
    EXPECT_EQ(aside_.absent_until(key, now_), model.absent_until > now_ ? model.absent_until : 0);
    EXPECT_EQ(aside_.fence(key, now_), model.refused_until > now_ ? model.version : 0);
  }

  Prng prng_;
  Heap heap_;
  LazyFree lazy_free_{heap_};
  Aside aside_{heap_, HashSeed{7}, lazy_free_};
  std::map<std::string, ModelKey> model_;
  UnixMs now_ = 1000;
};

TEST(Aside, IsAsItsModel) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    AsideModel model(seed);
    for (int i = 0; i < 2000; ++i) model.step();
    model.check();
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(Aside, TheNoteThatEndsFirstIsDropped) {
  Heap heap;
  LazyFree lazy_free(heap);
  Aside aside(heap, HashSeed{}, lazy_free);
  const auto key = [](ByteView name) { return Key{name, hash_bytes(name, HashSeed{})}; };
  const size_t empty = heap.used_bytes();
  for (int i = 0; i < 1000; ++i) aside.put_absent(key(std::to_string(i)), 10'000 + i, 0);
  EXPECT_LE(aside.absent_bytes(), heap.used_bytes() - empty);
  for (int i = 0; i < 500; ++i) aside.drop_first_absent();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(aside.absent_until(key(std::to_string(i)), 0) != 0, i >= 500) << i;
  aside.clear(Freeing::kNow);
  EXPECT_EQ(aside.absent_count(), 0U);
}

}  // namespace
}  // namespace ouro
