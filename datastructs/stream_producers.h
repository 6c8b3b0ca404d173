// SPDX-License-Identifier: BSD-3-Clause
// StreamProducers: which entries the idempotent producers of a stream have added lately, so that
// one which is sent twice is added once (XADD IDMP).
//
//      StreamProducers                     Producer (by name)         Record
//      +----------------------+            +---------------+          +---------------------+
//      | producers            | ---------> | records       | -------> | id of the entry     |
//      | records, oldest first| ---+       | by their name |          | producer, own name  |
//      +----------------------+    |       +---------------+          +---------------------+
//                                  +---------------------------------------^
//
// A producer has at most Settings::records_max records: one too many pushes out its oldest. A
// record is overdue Settings::duration_s after the time in its entry's id, and then as good as
// forgotten; each add() really forgets some of these, of all producers, so that those which come no
// more leave nothing behind. What time it is the caller says: the clock, or, while a log is
// applied, the id that comes if that is earlier.
// Records and producers are one allocation each, name included; 24 bytes of tables a record. A
// share has the table of all records only, and with it a pin of each: a producer's block lives as
// long as a record names it.
// Invariants: a record stands once in each of the three tables; no producer is without records. Two
// records may be of one entry.
// Cost: O(log n). Not here: whether an entry is still in the stream, which does not matter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/limits.h"
#include "datastructs/sorted_pages.h"
#include "datastructs/stream_id.h"

namespace ouro {

class StreamProducers {
 public:
  struct Settings {
    uint32_t duration_s = 0;
    uint32_t records_max = 0;  // of one producer
    friend bool operator==(const Settings&, const Settings&) = default;
  };
  static Settings standard(const Limits& limits) noexcept {
    return {limits.stream_idmp_duration_s, limits.stream_idmp_records};
  }

  static StreamProducers* create(Heap& heap, Settings settings) noexcept;
  StreamProducers* copy(Heap& heap) const noexcept;
  // For Stream::share(): it has the records, with for_each_record() and copy().
  StreamProducers* share(Heap& heap) const noexcept;
  // Frees in slices of `budget`; true when all is gone, this too.
  bool free_some(Heap& heap, size_t& budget) noexcept;

  // ---- change
  // Others than before forget all records.
  void set(Heap& heap, Settings settings) noexcept;
  // The producer has added this entry; takes the place of what it added by that name before.
  void add(Heap& heap, ByteView producer, ByteView name, StreamId id, UnixMs now) noexcept;
  void count_duplicate() noexcept { ++duplicates_; }

  // ---- ask
  // The entry that the producer has added by this name, if that is not overdue at `now`.
  std::optional<StreamId> find(ByteView producer, ByteView name, UnixMs now) const noexcept;
  const Settings& settings() const noexcept { return settings_; }
  size_t producer_count() const noexcept { return producers_.size(); }
  size_t record_count() const noexcept { return records_.size(); }
  uint64_t added() const noexcept { return added_; }            // ever
  uint64_t duplicates() const noexcept { return duplicates_; }  // ever

  // ---- dump
  // Oldest first: the next `count` records, or all that are left, from `from` on ({} is the first).
  // Returns where to go on; a place dies at the next change.
  struct Place {
    uint32_t page = 0;
    uint32_t at = 0;
  };
  using RecordFn = FunctionRef<void(ByteView producer, ByteView name, StreamId id)>;
  Place for_each_record(Place from, size_t count, RecordFn visit) const;
  void for_each_record(RecordFn visit) const { for_each_record({}, record_count(), visit); }
  // One that was saved: not counted, and never overdue.
  void insert(Heap& heap, ByteView producer, ByteView name, StreamId id) noexcept;
  void set_counts(uint64_t added, uint64_t duplicates) noexcept {
    added_ = added;
    duplicates_ = duplicates;
  }

  size_t memory_bytes() const noexcept { return memory_bytes_; }
  size_t free_effort() const noexcept { return 1 + 2 * producers_.size() + records_.size(); }
  void check_invariants() const;

 private:
  // So many overdue records are forgotten for each that comes.
  static constexpr int kForgottenAtOnce = 8;

  struct Producer;
  struct Record {
    ByteView name() const noexcept { return {reinterpret_cast<const char*>(this + 1), name_bytes}; }
    StreamId id;
    Producer* producer = nullptr;
    uint32_t name_bytes = 0;
    uint32_t pins = 1;  // how many pages of StreamProducers::records_ have it
  };
  struct ByAge {
    // Two records of one entry are told apart by their places.
    static std::pair<StreamId, const Record*> key(const Record* record) noexcept {
      return {record->id, record};
    }
    static Record* share(Heap&, Record* record) noexcept {
      ++record->pins;
      return record;
    }
  };
  struct ByName {
    static ByteView key(const Record* record) noexcept { return record->name(); }
    static ByteView key(const Producer* producer) noexcept { return producer->name(); }
  };
  using Ages = SortedPages<Record*, ByAge>;
  struct Producer {
    ByteView name() const noexcept { return {reinterpret_cast<const char*>(this + 1), name_bytes}; }
    Ages records;
    SortedPages<Record*, ByName> names;
    uint32_t name_bytes = 0;
    uint32_t blocks = 0;  // Records that name it, those in shares too: it goes with the last
  };

  StreamProducers() = default;
  Producer* find_producer(ByteView name) const noexcept;
  bool is_overdue(const Record& record, UnixMs now) const noexcept;
  void forget(Heap& heap, Record* record) noexcept;
  void forget_age(Heap& heap, const Record* record) noexcept;
  static size_t release(Heap& heap, Record* record) noexcept;

  Settings settings_;
  uint64_t added_ = 0;
  uint64_t duplicates_ = 0;
  SortedPages<Producer*, ByName> producers_;
  Ages records_;
  size_t memory_bytes_ = 0;  // with this block
  bool is_share_ = false;
};

}  // namespace ouro
