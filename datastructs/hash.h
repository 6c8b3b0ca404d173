// SPDX-License-Identifier: BSD-3-Clause
// The hash type: fields with values, each field with a deadline of its own if wanted.
//
//      word == 0    empty
//      ......00 ->  Packed  field, value, field, value ...   while small (Limits::hash_packed_*)
//      ......10 ->  Packed  field, value, deadline, ...      the same, once a field was given a
//                                                            deadline: 8 bytes, no byte for none
//      ......01 ->  Table   Dict of HashField                above
//
// A field is due when its deadline <= now. Calls take `now`: a due field is not there for them,
// although it still counts in size() and memory until expire_due() or a write removes it.
// kTimeless, the default, sees everything: for callers that must not let anything die by the clock.
//
// A Hash is one word, moved by copying it, and owns memory without a destructor: destroy() or
// free_some() it. Views die at the next change. Bytes handed in must not lie inside the same hash.
// Cost: packed forms are scanned; the table finds a field in O(1) and writes values in place while
// their block has room. A table stays one until the hash is empty. HashSeed is kept by the table
// that the call creates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/hash.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"
#include "datastructs/dict_view.h"
#include "datastructs/hash_field.h"
#include "datastructs/limits.h"
#include "datastructs/packed.h"

namespace ouro {

// A `now` at which nothing is due: before any deadline.
inline constexpr UnixMs kTimeless = -2;

class Hash {
 public:
  using Item = HashField::Content;  // field, value, deadline (kNoExpiry: none)

  // Whatever the limits say, a packed run ends here: a write moves up to all of it.
  static constexpr size_t kPackedBytesMax = 128_KiB;
  // The latest deadline that commands give, as in Redis; also of members of sets and sorted sets.
  static constexpr UnixMs kDeadlineMax = (UnixMs{1} << 46) - 1;

  struct Write {
    UnixMs now = kTimeless;
    bool keep_deadline = false;  // of a field that is there; a due field never keeps it
  };
  // True if the field is new (or was due).
  bool set(Heap& heap, const Limits& limits, HashSeed seed, ByteView field, ByteView value,
           Write how);
  bool set(Heap& heap, const Limits& limits, HashSeed seed, ByteView field, ByteView value) {
    return set(heap, limits, seed, field, value, Write());
  }
  // True if the field was there; a due one is removed too.
  bool erase(Heap& heap, ByteView field, UnixMs now = kTimeless);
  // Gives a field that is there a deadline, or takes it away (kNoExpiry); false if it is absent.
  // `when` >= 0 otherwise.
  bool set_deadline(Heap& heap, ByteView field, UnixMs when, UnixMs now = kTimeless);
  // Removes due fields, each handed to `fn` before; looks at no more than about `budget` places,
  // which is counted down. Returns how many were removed.
  size_t expire_due(Heap& heap, UnixMs now, size_t& budget, FunctionRef<void(ByteView field)> fn);

  std::optional<ByteView> get(ByteView field, UnixMs now = kTimeless) const;
  bool contains(ByteView field, UnixMs now = kTimeless) const {
    return find(field, now).has_value();
  }
  // Value and deadline in one look-up.
  std::optional<Item> find(ByteView field, UnixMs now = kTimeless) const;
  // Fields, with those that are due but not yet removed.
  size_t size() const noexcept;
  bool empty() const noexcept { return word_ == 0; }
  bool has_deadlines() const { return next_deadline() != kNever; }
  // No field is due before; kNever if none has a deadline. For a table a lower bound.
  UnixMs next_deadline() const;

  void for_each(FunctionRef<void(const Item&)> fn, UnixMs now = kTimeless) const;
  // A step of an incremental walk with SCAN's guarantee: 0 begins and ends. A packed hash is
  // visited at once.
  uint64_t scan(uint64_t cursor, FunctionRef<void(const Item&)> fn, UnixMs now = kTimeless) const;
  // Each field with the same probability; nothing if there is none.
  std::optional<Item> random(Prng& prng, UnixMs now = kTimeless) const;
  // Draws `count` times, with repetition. Where most fields are due it walks over all of them,
  // once.
  void random_each(Heap& heap, Prng& prng, size_t count, FunctionRef<void(const Item&)> fn,
                   UnixMs now = kTimeless) const;
  // `count` different fields (all, if there are fewer), each set of them with the same probability.
  void random_distinct(Heap& heap, Prng& prng, size_t count, FunctionRef<void(const Item&)> fn,
                       UnixMs now = kTimeless) const;

  bool is_packed() const noexcept { return !is_table(); }
  // As OBJECT ENCODING of Redis names the form (7.4 one with deadlines).
  ByteView encoding() const noexcept {
    return is_table() ? "hashtable" : is_timed() ? "listpackex" : "listpack";
  }
  size_t memory_bytes() const noexcept;
  // Allocations that destroy() frees, for the decision to free lazily.
  size_t free_effort() const noexcept { return is_table() ? size() : 1; }
  void destroy(Heap& heap);
  // Frees up to `budget` fields and takes them off it; true when all is freed. Once begun nothing
  // else may be asked. Not while it has views.
  bool free_some(Heap& heap, size_t& budget);
  Hash copy(Heap& heap) const;
  // A table, which a HashView can freeze. Packed forms are small enough to be copied.
  bool is_table() const noexcept { return (word_ & kTableTag) != 0; }
  bool has_views() const noexcept { return is_table() && table().dict.has_views(); }
  // How its table is filled; nothing if it is none.
  std::optional<DictStats> table_stats() const {
    return is_table() ? std::optional(table().dict.stats()) : std::nullopt;
  }
  void check_invariants() const;

 private:
  friend class HashView;
  struct Table {
    Table(Heap& heap, HashSeed table_seed) : dict(heap, table_seed), seed(table_seed) {}
    Dict<HashField> dict;
    HashSeed seed;
    size_t fields_bytes = 0;  // of all fields, by usable size
  };
  using At = Packed::At;

  static constexpr uintptr_t kTableTag = 1;
  static constexpr uintptr_t kTimedTag = 2;
  static constexpr uintptr_t kTagMask = 7;

  bool is_timed() const noexcept { return (word_ & kTimedTag) != 0; }
  size_t stride() const noexcept { return is_timed() ? 3 : 2; }
  Packed run() const noexcept { return Packed(reinterpret_cast<void*>(word_ & ~kTagMask)); }
  Table& table() const noexcept { return *reinterpret_cast<Table*>(word_ & ~kTagMask); }
  void set_run(Packed run, bool timed) noexcept;

  Item read_item(Packed run, At& at) const noexcept;
  void become_timed(Heap& heap);
  void become_table(Heap& heap, HashSeed seed);
  void release_table(Heap& heap);

  std::optional<bool> set_packed(Heap& heap, const Limits& limits, ByteView field, ByteView value,
                                 Write how);
  bool set_in_table(Heap& heap, ByteView field, ByteView value, Write how);
  void replace_in_table(Heap& heap, HashField* old, Hash64 hash, const Item& item);
  std::optional<Item> draw_from_table(Prng& prng, UnixMs now) const;
  std::optional<Item> random_of_all(Prng& prng, UnixMs now) const;
  void random_each_of_few(Heap& heap, Prng& prng, size_t count, FunctionRef<void(const Item&)> fn,
                          UnixMs now) const;
  void random_by_rejection(Heap& heap, Prng& prng, size_t count,
                           FunctionRef<void(const Item&)> fn) const;

  uintptr_t word_ = 0;
};
static_assert(sizeof(Hash) == 8);

// The fields of a table as they are at one moment, each handed to save() once, while the hash goes
// on changing, is renamed, or has become empty (dict_view.h has the rules). At most 4 at a time.
class HashView : private DictView<HashField> {
 public:
  ~HashView() override { end(); }
  // Requires: the hash is a table.
  void begin(const Hash& hash) { DictView::begin(hash.table().dict); }
  // Saves on until `budget` is spent; true when all fields have been saved.
  using DictView::next;

 protected:
  virtual void save_field(const Hash::Item& item) = 0;

 private:
  void save(HashField& field) final { save_field(field.content()); }
};

}  // namespace ouro
