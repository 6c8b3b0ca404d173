// SPDX-License-Identifier: BSD-3-Clause
// Set: distinct byte strings. Three encodings behind one 8-byte handle:
//
//      ints     "intset"      IntSet, while all members are integers and few enough
//      (Limits::set_ints_entries) packed   "hashtable"   Packed: one run, for few and short members
//      (Limits::set_packed_*) table    "hashtable"   Dict of members, one allocation each
//
// Packed reports Redis 7.0's name: there such a set is a table. A set moves down this list when a
// member comes in that its encoding does not allow, and never back up; lowering a limit changes no
// set that exists. Members may be given deadlines, at no cost for a set without (timed_word.h).
// A table takes about 44 bytes a member of 16 bytes (32 entry, 12 Dict). Trivially
// relocatable, no destructor: freed by destroy() or free_some(). Views that are handed out or to a
// callback die at the next change; no method may be called from inside a callback, except
// contains(). Cost: ints O(log n), packed a walk over its run, table one look-up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/hash.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"
#include "datastructs/codec/number_text.h"
#include "datastructs/int_set.h"
#include "datastructs/limits.h"
#include "datastructs/packed.h"
#include "datastructs/timed_word.h"

namespace ouro {

// Where a member that is kept as an integer is printed.
struct IntText {
  char bytes[kInt64TextMax];
};

class Set {
 public:
  using Visit = FunctionRef<void(ByteView member)>;

  Set() = default;
  void destroy(Heap& heap) noexcept;
  Set copy(Heap& heap) const;

  // False if it was there already.
  bool add(Heap& heap, const Limits& limits, HashSeed seed, ByteView member);
  // False if it was not there. The member may be a view into this set.
  bool remove(Heap& heap, ByteView member);
  // Removes up to `count` members, each with the same probability, handing each to `taken` before.
  void pop_random(Heap& heap, Prng& prng, size_t count, Visit taken);

  // ---- members that end by the clock
  // Gives a member a deadline (>= 0) or takes it away (kNoExpiry); false if it is not there.
  bool set_deadline(Heap& heap, HashSeed seed, ByteView member, UnixMs when);
  // Removes members that are due, each handed to `fn` before; looks at no more than about `budget`
  // places, which is counted down. Returns how many were removed.
  size_t expire_due(Heap& heap, UnixMs now, size_t& budget, Visit fn);
  // kNoExpiry if it has none or is not there.
  UnixMs deadline(ByteView member) const { return word_.deadline(member); }
  // No member is due before; kNever if none has a deadline.
  UnixMs next_deadline() const { return word_.next_deadline(); }
  // True only if every member is due; may be false although they are (timed_word.h). Cost: O(1).
  bool are_all_due(UnixMs now) const noexcept { return word_.are_all_due(now, size()); }
  bool has_deadlines() const noexcept { return word_.is_timed(); }

  // ---- questions
  size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  bool contains(ByteView member) const;
  // Each member with the same probability; the set is not empty. The view may point into `text`.
  ByteView random(Prng& prng, IntText& text) const;

  void for_each(Visit visit) const;
  // Stops when `visit` returns false.
  void for_each_while(FunctionRef<bool(ByteView member)> visit) const;
  // SCAN's step: 0 begins and ends. Ints and packed sets are returned as a whole.
  uint64_t scan(uint64_t cursor, Visit visit) const;

  // The members as RDB's intset has them, while they are kept so; else nothing.
  ByteView ints_bytes() const noexcept { return tag() == Tag::kInts ? ints().bytes() : ByteView(); }
  ByteView encoding() const noexcept;
  // All allocations by usable size, exact. Cost: O(1).
  size_t memory_bytes() const noexcept;
  // How many allocations freeing takes, roughly.
  size_t free_effort() const noexcept;
  // Frees in slices of `budget` allocations, which is counted down; true when all is gone and the
  // handle is empty. Once begun nothing else may be asked. Not while it has views.
  bool free_some(Heap& heap, size_t& budget);
  // A table, which a SetView can freeze. Other encodings are small enough to be copied.
  bool is_table() const noexcept { return tag() == Tag::kTable; }
  bool has_views() const noexcept;
  // How its table is filled; nothing if it is none.
  std::optional<DictStats> table_stats() const;
  void check_invariants() const;

 private:
  friend class SetView;
  enum class Tag : uint8_t { kNone, kInts, kPacked, kTable };
  struct Table;

  Tag tag() const noexcept { return word_.plain().tag(); }
  IntSet ints() const noexcept { return IntSet::from_raw(word_.plain().pointer()); }
  Packed packed() const noexcept { return Packed(word_.plain().pointer()); }
  Table& table() const noexcept { return *static_cast<Table*>(word_.plain().pointer()); }

  bool add_integer(Heap& heap, const Limits& limits, HashSeed seed, int64_t value);
  bool add_packed(Heap& heap, const Limits& limits, HashSeed seed, ByteView member);
  void leave_ints(Heap& heap, const Limits& limits, HashSeed seed);
  void become_table(Heap& heap, HashSeed seed);
  bool remove_member(Heap& heap, ByteView member);
  Set copy_members(Heap& heap) const;
  void check_members() const;
  void announce(ByteView member);
  void note_deadlines() const;

  TimedWord<Tag> word_;
};

static_assert(sizeof(Set) == 8);

// The members of a table as they are at one moment, each handed to save() once, while the set goes
// on changing, is renamed, or has become empty (dict_view.h has the rules). At most 4 at a time.
class SetView {
 public:
  SetView();
  virtual ~SetView();
  // Requires: the set is a table.
  void begin(const Set& set);
  // Saves on until `budget` is spent; true when all members have been saved.
  bool next(size_t& budget);

 protected:
  virtual void save(ByteView member, UnixMs deadline) = 0;

 private:
  class Walk;
  std::unique_ptr<Walk> walk_;
};

}  // namespace ouro
