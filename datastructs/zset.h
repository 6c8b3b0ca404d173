// SPDX-License-Identifier: BSD-3-Clause
// ZSet: members with scores, ordered by (score, member bytes). Two encodings behind one 8-byte
// handle:
//
//      packed   "listpack"   PackedScores: one run, for few and short members
//      (Limits::zset_packed_*) table    "skiplist"   Dict (by member) and RankTree (by score), both
//      pointing at one ScoredMember an element
//
// A set becomes a table when an element comes in that the limits do not allow, and stays one;
// lowering a limit changes no set that exists. Members may be given deadlines, at no cost for a set
// without (timed_word.h). A table takes about 65 bytes an element of 16 bytes
// (32 entry, 12 Dict, 20 tree). Trivially relocatable, no destructor: freed by destroy() or
// free_some(). Views that are handed out or to a callback die at the next change; no method may be
// called from inside a callback. All stretches are ranks: ranks(range) finds them in two descents,
// then for_each, remove_ranks and counting follow. Cost: O(log n) plus the elements visited;
// packed: a walk over its run. NaN must not come in. 0.0 and -0.0 are equal; a table keeps which of
// them came in first, a packed set has 0.0 only, as in Redis, where it keeps integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/hash.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"
#include "datastructs/limits.h"
#include "datastructs/packed_scores.h"
#include "datastructs/timed_word.h"
#include "datastructs/zset_range.h"

namespace ouro {

struct ScoredMember;

// ZADD's conditions.
struct ZAddRule {
  bool only_new = false;       // NX
  bool only_existing = false;  // XX
  bool only_greater = false;   // GT: an existing element, if its score would grow
  bool only_less = false;      // LT
  bool increment = false;      // the score given is added to the element's own
  // For results that are built up: -0.0 is told from 0.0, and kept in a packed set too, until
  // drop_zero_signs().
  bool zero_signs = false;
};

struct ZAddResult {
  enum class Outcome : uint8_t {
    kAdded,
    kUpdated,
    kSame,        // it has this score already
    kRefused,     // by the rule; nothing changed
    kNotANumber,  // the increment's sum (inf - inf); nothing changed
  };
  Outcome outcome;
  // What was to be stored, for a client to see: a packed set has 0 for -0. Of no meaning if refused
  // or not a number.
  double score;
};

class ZSet {
 public:
  using Visit = FunctionRef<void(ByteView member, double score)>;

  ZSet() = default;
  void destroy(Heap& heap) noexcept;
  ZSet copy(Heap& heap) const;

  ZAddResult add(Heap& heap, const Limits& limits, HashSeed seed, ByteView member, double score,
                 const ZAddRule& rule);
  // False if it was not there.
  bool remove(Heap& heap, ByteView member);
  // range.end <= size().
  void remove_ranks(Heap& heap, RankRange range);
  // Makes each -0.0 of a packed set 0.0. Cost: of a table O(1).
  void drop_zero_signs(Heap& heap);
  // Takes up to `count` elements from the low (ascending) or high end, in that order.
  void pop(Heap& heap, Direction direction, size_t count, Visit taken);

  // ---- members that end by the clock
  // Gives a member a deadline (>= 0) or takes it away (kNoExpiry); false if it is not there.
  bool set_deadline(Heap& heap, HashSeed seed, ByteView member, UnixMs when);
  // Removes members that are due, each handed to `fn` before; looks at no more than about `budget`
  // places, which is counted down. Returns how many were removed.
  size_t expire_due(Heap& heap, UnixMs now, size_t& budget, FunctionRef<void(ByteView member)> fn);
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
  std::optional<double> score(ByteView member) const;
  // From the lowest; from the highest it is size() - 1 - rank.
  std::optional<size_t> rank(ByteView member) const;
  // The elements of a stretch; its size() is ZCOUNT, ZLEXCOUNT. By members it has a meaning only if
  // all scores are equal.
  RankRange ranks(const ScoreRange& range) const;
  RankRange ranks(const LexRange& range) const;
  RankRange all() const noexcept { return {0, size()}; }
  // rank < size().
  ScoredView at(size_t rank) const;
  // Each element with the same probability; the set is not empty.
  ScoredView random(Prng& prng) const { return at(prng.below(size())); }

  // range.end <= size().
  void for_each(RankRange range, Direction direction, Visit visit) const;
  void for_each(Visit visit) const { for_each(all(), Direction::kAscending, visit); }
  // The elements of a stretch, lowest score first, whose score is `wanted`; of others a table reads
  // no member, which is what costs in a large set. Stops when `visit` returns false.
  void for_each_wanted(const ScoreRange& range, FunctionRef<bool(double score)> wanted,
                       FunctionRef<bool(ByteView member, double score)> visit) const;
  // SCAN's step: 0 begins and ends. A packed set is returned as a whole.
  uint64_t scan(uint64_t cursor, Visit visit) const;

  bool is_packed() const noexcept { return !is_table(); }
  ByteView encoding() const noexcept;
  // All allocations by usable size, exact. Cost: O(1).
  size_t memory_bytes() const noexcept;
  // How many allocations freeing takes, roughly.
  size_t free_effort() const noexcept;
  // Frees in slices of `budget` allocations, which is counted down; true when all is gone and the
  // handle is empty. Once begun nothing else may be asked. Not while it has views.
  bool free_some(Heap& heap, size_t& budget);
  // A table, which a ZSetView can freeze. A packed set is small enough to be copied.
  bool is_table() const noexcept { return word_.plain().tag() == Tag::kTable; }
  bool has_views() const noexcept;
  // How its table is filled; nothing if it is none.
  std::optional<DictStats> table_stats() const;
  void check_invariants() const;

 private:
  friend class ZSetView;
  friend class ZSetBuilder;
  enum class Tag : uint8_t { kNone, kPacked, kTable };
  struct Table;

  Table& table() const noexcept { return *static_cast<Table*>(word_.plain().pointer()); }
  PackedScores packed() const noexcept { return PackedScores(word_.plain().pointer()); }
  void keep(PackedScores packed) noexcept { word_.plain().set(Tag::kPacked, packed.block()); }

  void insert_new(Heap& heap, const Limits& limits, HashSeed seed, ByteView member, double score,
                  const ZAddRule& rule);
  void become_table(Heap& heap, HashSeed seed);
  bool remove_member(Heap& heap, ByteView member);
  ZSet copy_members(Heap& heap) const;
  void check_members() const;
  void announce(ByteView member);
  void note_deadlines() const;
  template <class Use>
  auto with_order(Use use) const;

  TimedWord<Tag> word_;
};

static_assert(sizeof(ZSet) == 8);

// Makes a sorted set of elements that come in any order, as a snapshot has them. What would be
// looked up element by element is sorted a run at a time: 5M random elements take half the time.
class ZSetBuilder {
 public:
  // All outlive the builder.
  ZSetBuilder(Heap& heap, const Limits& limits, HashSeed seed);
  ~ZSetBuilder();  // frees what was not taken
  ZSetBuilder(const ZSetBuilder&) = delete;
  ZSetBuilder& operator=(const ZSetBuilder&) = delete;

  // False if the member is there already.
  bool add(ByteView member, double score);
  // What was added, and nothing is left. A packed set gets 0 for -0, as by ZAddRule.
  ZSet take();

 private:
  // 4 MiB of memory while it is made.
  static constexpr size_t kRunMax = 1U << 18;

  void order_run();

  Heap& heap_;
  const Limits& limits_;
  HashSeed seed_;
  ZSet zset_;
  // In the table, and not in the tree yet.
  std::vector<std::pair<double, ScoredMember*>> run_;
};

// The elements of a table as they are at one moment, in no order, each handed to save() once, while
// the set goes on changing, is renamed, or has become empty (dict_view.h has the rules). At most 4
// at a time.
class ZSetView {
 public:
  ZSetView();
  virtual ~ZSetView();
  // Requires: the set is a table.
  void begin(const ZSet& zset);
  // Saves on until `budget` is spent; true when all elements have been saved.
  bool next(size_t& budget);

 protected:
  virtual void save(ByteView member, double score, UnixMs deadline) = 0;

 private:
  class Walk;
  std::unique_ptr<Walk> walk_;
};

}  // namespace ouro
