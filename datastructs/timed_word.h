// SPDX-License-Identifier: BSD-3-Clause
// TimedWord: the one word of a set or sorted set whose members may be given deadlines.
//
//      word_ -> the collection                                  while no member has a deadline
//      word_ -> Box { word of the collection, deadlines, the latest of them }   else
//
// The deadlines are a Hash of their own, member -> no value, for only those members that have one:
// so a collection without them pays nothing but the test of a tag, and one with them about as much
// as a hash of these members. The box comes with the first deadline and goes with the last.
//
// The collection asks for plain() wherever it would look at its word, and tells of members that go
// by forget(); it is never asked what it holds. Unlike a Hash, nothing is hidden here: sizes and
// ranks are those of all members, and one whose deadline is past is there until expire_due() takes
// it out, which is the caller's part before it shows the collection to anyone, in slices if there
// are many (server/engine/gates.h). Cost: as the Hash's; next_deadline() of a small one is a walk.
#pragma once

#include <algorithm>

#include "datastructs/hash.h"
#include "datastructs/tagged_word.h"

namespace ouro {

template <class Tag>  // as TaggedWord's, of values below 7
class TimedWord {
 public:
  TaggedWord<Tag>& plain() noexcept { return is_timed() ? box().plain : word_; }
  const TaggedWord<Tag>& plain() const noexcept { return is_timed() ? box().plain : word_; }
  bool is_timed() const noexcept { return word_.tag() == kTimed; }

  // The member, which is in the collection, ends at `when` (>= 0); kNoExpiry takes that away.
  void set_deadline(Heap& heap, HashSeed seed, ByteView member, UnixMs when) {
    if (when == kNoExpiry) return forget(heap, member);
    if (!is_timed()) word_.set(kTimed, heap.make<Box>(word_));
    Hash& deadlines = box().deadlines;
    deadlines.set(heap, Limits(), seed, member, {});
    deadlines.set_deadline(heap, member, when);
    box().latest = std::max(box().latest, when);
  }
  // The member has left the collection.
  void forget(Heap& heap, ByteView member) {
    if (!is_timed()) [[likely]]
      return;
    box().deadlines.erase(heap, member);
    drop_empty_box(heap);
  }
  // Members that are due, each handed to `fn` before, which takes it out of the collection. Counts
  // down `budget` for what is looked at. Returns how many there were.
  size_t expire_due(Heap& heap, UnixMs now, size_t& budget, FunctionRef<void(ByteView member)> fn) {
    if (!is_timed()) return 0;
    const size_t expired = box().deadlines.expire_due(heap, now, budget, fn);
    drop_empty_box(heap);
    return expired;
  }

  UnixMs deadline(ByteView member) const {
    if (!is_timed()) return kNoExpiry;
    const auto item = box().deadlines.find(member);
    return item ? item->deadline : kNoExpiry;
  }
  // No member is due before; kNever if none has a deadline. May be a lower bound.
  UnixMs next_deadline() const { return is_timed() ? box().deadlines.next_deadline() : kNever; }
  // True only if each of the collection's `members` has a deadline and is due. Cost: O(1). It may
  // be false although they are: the latest deadline is remembered even when its member has gone.
  bool are_all_due(UnixMs now, size_t members) const noexcept {
    return is_timed() && box().latest <= now && box().deadlines.size() == members;
  }
  void for_each_deadline(FunctionRef<void(ByteView member, UnixMs when)> fn) const {
    if (!is_timed()) return;
    box().deadlines.for_each([&fn](const Hash::Item& item) { fn(item.field, item.deadline); });
  }

  // The deadlines, by member; null if there are none. Stays where it is until it is empty.
  const Hash* deadlines() const noexcept { return is_timed() ? &box().deadlines : nullptr; }

  // ---- the box's share of the collection's own functions
  void copy_deadlines_to(Heap& heap, TimedWord& to) const {
    if (!is_timed()) return;
    Box* made = heap.make<Box>(to.word_);
    made->deadlines = box().deadlines.copy(heap);
    made->latest = box().latest;
    to.word_.set(kTimed, made);
  }
  // True when the deadlines are freed; then the word leads to the collection again.
  bool free_deadlines(Heap& heap, size_t& budget) {
    if (!is_timed()) return true;
    if (!box().deadlines.free_some(heap, budget)) return false;
    drop_empty_box(heap);
    return true;
  }
  size_t deadlines_bytes() const noexcept {
    return is_timed() ? Heap::usable_bytes(&box()) + box().deadlines.memory_bytes() : 0;
  }
  size_t deadlines_count() const noexcept { return is_timed() ? box().deadlines.size() : 0; }
  void check_deadlines() const {
    if (!is_timed()) return;
    CHECK(!box().deadlines.empty());
    box().deadlines.check_invariants();
    for_each_deadline([this](ByteView, UnixMs when) { CHECK(when <= box().latest); });
  }

 private:
  struct Box {
    explicit Box(TaggedWord<Tag> word) : plain(word) {}
    TaggedWord<Tag> plain;
    Hash deadlines;
    UnixMs latest = 0;  // no deadline is later; never lowered
  };

  static constexpr auto kTimed = static_cast<Tag>(7);

  Box& box() const noexcept { return *static_cast<Box*>(word_.pointer()); }
  void drop_empty_box(Heap& heap) {
    Box& from = box();
    if (!from.deadlines.empty()) return;
    word_ = from.plain;
    heap.destroy(&from);
  }

  TaggedWord<Tag> word_;
};

}  // namespace ouro
