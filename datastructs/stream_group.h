// SPDX-License-Identifier: BSD-3-Clause
// StreamGroup: a consumer group of a stream. What has been delivered to it, and what of that nobody
// has acknowledged yet.
//
//      StreamGroup                             StreamConsumer (by name)
//      +---------------------------+           +---------------+
//      | last_id, entries_read     |           | name, times   |
//      | pending: id, times, owner | --owner-> | pending: ids  |
//      | consumers                 | --------> +---------------+
//      | queue: time, id           |
//      +---------------------------+
//
// A pending entry is 40 bytes in the group's list, in the order of ids, and 16 in its owner's: what
// is known of it stands in the group's alone. 24 more are its place in the queue of those who claim
// what is idle: the one that was delivered longest ago stands first. Before all of these stand the
// released ones, which are nobody's until they are claimed, in the order of their release: theirs
// are times below zero. Group and consumer are one allocation each, name included, beside their
// lists.
// Invariants: an id stands in the list of exactly that consumer which the group's entry names, and
// once in the queue; the entry itself may have gone from the stream. What has been shared keeps
// the ids of its consumers, the owners named in its entries are those of the other.
// A StreamPending* dies at the next change of the list, a StreamConsumer* when it is erased.
// Cost: O(log n), erase_consumer() O(its pending).
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/sorted_pages.h"
#include "datastructs/stream_id.h"

namespace ouro {

struct StreamConsumer {
  struct IdItself {
    static StreamId key(const StreamId& id) noexcept { return id; }
  };

  ByteView name() const noexcept { return {reinterpret_cast<const char*>(this + 1), name_bytes}; }

  static constexpr UnixMs kNeverActive = -1;

  UnixMs seen_at = 0;               // when it last asked for something
  UnixMs active_at = kNeverActive;  // when it last got an entry that was not its own before
  SortedPages<StreamId, IdItself> pending;
  size_t name_bytes = 0;
};

struct StreamPending {
  static constexpr uint64_t kDeliveriesMax = INT64_MAX;  // as a reply can tell

  bool is_released() const noexcept { return owner == nullptr; }
  ByteView owner_name() const noexcept { return is_released() ? ByteView() : owner->name(); }
  void count_delivery() noexcept { deliveries += deliveries < kDeliveriesMax; }

  StreamId id;
  UnixMs delivered_at = 0;  // below 0: released
  uint64_t deliveries = 0;
  StreamConsumer* owner = nullptr;
};

class StreamGroup {
 public:
  static constexpr int64_t kUnknown = -1;

  static StreamGroup* create(Heap& heap, ByteView name) noexcept;
  StreamGroup* copy(Heap& heap) const noexcept;
  // For Stream::share().
  StreamGroup* share(Heap& heap) const noexcept;
  // Frees in slices of `budget`; true when all is gone, this too.
  bool free_some(Heap& heap, size_t& budget) noexcept;

  ByteView name() const noexcept { return {reinterpret_cast<const char*>(this + 1), name_bytes_}; }
  StreamId last_id;                 // of the last entry that was delivered
  int64_t entries_read = kUnknown;  // how many entries of the stream were, ever, up to last_id

  // ---- consumers
  StreamConsumer* find_consumer(ByteView name) const noexcept;
  // The name must be absent.
  StreamConsumer& add_consumer(Heap& heap, ByteView name, UnixMs now) noexcept;
  // With all that is pending of it.
  void erase_consumer(Heap& heap, StreamConsumer& consumer) noexcept;
  size_t consumer_count() const noexcept { return consumers_.size(); }
  // In the order of names.
  void for_each_consumer(FunctionRef<void(const StreamConsumer&)> visit) const;

  // ---- pending entries
  // Makes the entry pending of this consumer, whose it may have been before; the count is what it
  // was, 0 if it is new. Requires: delivered_at >= 0.
  StreamPending& assign(Heap& heap, StreamId id, StreamConsumer& owner,
                        UnixMs delivered_at) noexcept;
  // Makes the entry pending of nobody, behind those that were released before it. The count is what
  // it was, 0 if it is new.
  StreamPending& release(Heap& heap, StreamId id) noexcept;
  // False if it was not pending.
  bool erase_pending(Heap& heap, StreamId id) noexcept;
  size_t pending_count() const noexcept { return pending_.size(); }
  // Cost: O(consumers).
  size_t released_count() const noexcept;
  const StreamPending* find_pending(StreamId id) const noexcept { return pending_.find(id); }
  // The first pending entry whose id is not below `id`; null if there is none.
  const StreamPending* pending_from(StreamId id) const noexcept;
  StreamId first_pending() const noexcept { return pending_.front().id; }
  StreamId last_pending() const noexcept { return pending_.back().id; }
  // From the first whose id is not below `first` on, of all or of one consumer, until `visit` says
  // false.
  void for_each_pending(StreamId first, FunctionRef<bool(const StreamPending&)> visit) const;
  void for_each_pending(const StreamConsumer& owner, StreamId first,
                        FunctionRef<bool(const StreamPending&)> visit) const;
  // As they stand in the queue, from its front.
  void for_each_queued(FunctionRef<bool(const StreamPending&)> visit) const {
    for_each_queued_from(INT64_MIN, {}, visit);
  }
  // From the first on that was delivered not before `delivered_at` and, of those of that time,
  // whose id is not below `first`.
  void for_each_queued_from(UnixMs delivered_at, StreamId first,
                            FunctionRef<bool(const StreamPending&)> visit) const;

  size_t memory_bytes() const noexcept { return memory_bytes_; }
  size_t free_effort() const noexcept {
    return 1 + consumers_.size() + pending_.page_count() + queue_.page_count();
  }
  void check_invariants() const;

 private:
  struct ById {
    static StreamId key(const StreamPending& item) noexcept { return item.id; }
  };
  struct ByName {
    static ByteView key(StreamConsumer* item) noexcept { return item->name(); }
  };
  struct Turn {
    UnixMs time;
    StreamId id;
    friend auto operator<=>(const Turn&, const Turn&) noexcept = default;
  };
  struct TurnItself {
    static Turn key(const Turn& item) noexcept { return item; }
  };
  // There is room for 2^62 releases before time begins.
  static constexpr UnixMs kFirstRelease = -(int64_t{1} << 62);

  StreamGroup() = default;
  static Turn turn_of(const StreamPending& item) noexcept { return {item.delivered_at, item.id}; }
  StreamPending& put(Heap& heap, StreamId id, StreamConsumer* owner, UnixMs time) noexcept;
  void disown(Heap& heap, const StreamPending& item) noexcept;

  SortedPages<StreamPending, ById> pending_;
  SortedPages<Turn, TurnItself> queue_;
  SortedPages<StreamConsumer*, ByName> consumers_;
  size_t memory_bytes_ = 0;  // with this block
  size_t name_bytes_ = 0;
  bool is_share_ = false;  // its entries' owners are not its own
};

}  // namespace ouro
