// SPDX-License-Identifier: BSD-3-Clause
// StreamNode: neighbouring entries of a stream in one allocation.
//
//      +------+------------------+-------+-------+-----
//      | head | fields of `base` | entry | entry | ...     room up to the block's usable size
//      +------+------------------+-------+-------+-----
//                                ^ front (once entries before it have gone)
//
//      entry:  own fields | ms - base.ms | seq | [field] value ... | bytes before, mirrored
//
// The head holds the id of the entry that began the node and the node keeps that entry's field
// names: an entry with the same fields (own fields 0) has its values only. `seq` is relative to the
// base's in the base's millisecond, whole in a later one. Numbers are varints, strings have a
// length code in front, and the mirrored length at the end lets a walk go backwards. An entry with
// one short field takes 6 bytes.
//
// A removal closes the gap, from the front by a step of `front` alone. Ids are relative to the
// base, not to each other, so nothing else changes. Several streams may have one node (share()): it
// counts them, and only one that is nobody else's may be changed (own()).
// Invariants: at least one entry; ids ascend from base; added >= live. Positions (At) die at any
// change, entries and their views too; append() may move the node. Cost: a search is a walk over
// the entries before. Not here: how many entries are too many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/length_code.h"
#include "datastructs/stream_id.h"

namespace ouro {

// An entry as it stands in its node.
class StreamEntry {
 public:
  StreamId id;

  size_t field_count() const noexcept { return field_count_; }
  // Its fields are not those in the node's head.
  bool has_own_fields() const noexcept { return names_ == nullptr; }
  // fn(field, value) for each, in the order they came in.
  template <class Fn>
  void for_each_field(Fn fn) const {
    const char* name = names_;
    const char* value = values_;
    for (size_t i = 0; i < field_count_; ++i) {
      const ByteView field = read_string(name == nullptr ? value : name);
      fn(field, read_string(value));
    }
  }

 private:
  friend struct StreamNode;
  static ByteView read_string(const char*& at) noexcept {
    size_t size;
    const char* bytes = length_code::read(at, size);
    at = bytes + size;
    return {bytes, size};
  }

  const char* names_ = nullptr;  // in the node's head; null: each stands before its value
  const char* values_ = nullptr;
  size_t field_count_ = 0;
};

struct StreamNode {
  using At = uint32_t;  // byte offset of an entry, or end()

  // field value field value ...
  using Pairs = std::span<const ByteView>;

  // A node of one entry.
  static StreamNode* create(Heap& heap, StreamId id, Pairs pairs) noexcept;
  // A node without entries yet, of which the first must follow; for what knows the names before.
  static StreamNode* create_bare(Heap& heap, StreamId base,
                                 std::span<const ByteView> names) noexcept;
  // Puts an entry behind the last; its id is above all ids here. Returns where the node is now.
  // Room for more is taken up to `bytes_max`.
  static StreamNode* append(Heap& heap, StreamNode* node, StreamId id, Pairs pairs,
                            size_t bytes_max) noexcept;
  static StreamNode* copy(Heap& heap, const StreamNode* node) noexcept;
  // The same node, for one more; a copy if as many as can be counted have it.
  static StreamNode* share(Heap& heap, StreamNode* node) noexcept;
  // The node, to be changed: a copy, if others have it, who keep it.
  static StreamNode* own(Heap& heap, StreamNode* node) noexcept {
    return node->sharers_ == 0 ? node : leave(heap, node);
  }
  // Frees it, or leaves it to the others who have it; returns how many bytes are left so.
  static size_t release(Heap& heap, StreamNode* node) noexcept;
  // Gives back the room for more, unless others have it, too; returns where the node is now.
  static StreamNode* fit(Heap& heap, StreamNode* node) noexcept;
  // Not the last one there is.
  void erase(At at) noexcept;
  // Counts entries that had gone from this node before it was loaded.
  void note_gone(uint32_t entries) noexcept { added_ += entries; }

  uint32_t live() const noexcept { return live_; }
  // All that ever came in, those that have gone too.
  uint32_t added() const noexcept { return added_; }
  size_t bytes() const noexcept { return used_; }
  StreamId base() const noexcept { return base_; }

  // The field names in the head.
  size_t name_count() const noexcept { return field_count_; }
  template <class Fn>
  void for_each_name(Fn fn) const {
    const char* name = names();
    for (size_t i = 0; i < field_count_; ++i) fn(StreamEntry::read_string(name));
  }

  At begin() const noexcept { return front_; }
  At end() const noexcept { return used_; }
  // The entry at `at`, which moves behind it.
  StreamEntry read(At& at) const noexcept;
  StreamEntry get(At at) const noexcept { return read(at); }
  // Moves `at` to the entry before it. Requires: at != begin().
  StreamEntry read_back(At& at) const noexcept;
  StreamId first_id() const noexcept { return get(begin()).id; }
  StreamId last_id() const noexcept {
    At at = end();
    return read_back(at).id;
  }
  // The first entry whose id is not below `id`, or end().
  At lower_bound(StreamId id) const noexcept;

  void check_invariants() const;

 private:
  static constexpr uint32_t kSharersMax = 7;

  StreamNode() = default;
  static StreamNode* leave(Heap& heap, StreamNode* node) noexcept;
  struct Layout;
  static StreamNode* create_head(Heap& heap, StreamId base, std::span<const ByteView> words,
                                 size_t step) noexcept;
  void write(const Layout& layout, StreamId id, Pairs pairs) noexcept;
  bool has_fields_of(Pairs pairs) const noexcept;
  const char* bytes_at(At at) const noexcept { return reinterpret_cast<const char*>(this) + at; }
  char* bytes_at(At at) noexcept { return reinterpret_cast<char*>(this) + at; }
  const char* names() const noexcept { return reinterpret_cast<const char*>(this + 1); }

  StreamId base_;
  uint32_t used_ = 0;
  uint32_t front_ = 0;
  uint32_t live_ = 0;
  uint32_t added_ = 0;
  // Of the names in the head: no more than half of Stream::kBytesMax has room for.
  uint32_t field_count_ : 29 = 0;
  uint32_t sharers_ : 3 = 0;  // who have it beside the first
  uint32_t names_end_ = 0;
};

}  // namespace ouro
