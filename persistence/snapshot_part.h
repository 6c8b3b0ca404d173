// SPDX-License-Identifier: BSD-3-Clause
// SnapshotPart: what a snapshot has still to write of one large value, piece by piece, while
// commands go on changing or deleting that value.
//
//      string                            pinned, from 1 MiB on viewed    64 KiB a piece
//      list, stream                      its nodes are shared            a node
//      filter, sketch                    its chunks are shared           a chunk
//      set, sorted set, hash, as tables  a view of the table             some elements, in no order
//
// What is about to change in a table is encoded before, into the same buffer.
// Others are written at once when the snapshot comes to them: small ones, and packed ones, which a
// command walks as a whole, too.
// Cost of a piece: some 100 us; but an element, or an entry of a stream, that is larger than a
// piece is encoded as a whole, and not packed: it costs what the command cost that brought it. To
// begin: O(1) for tables and strings, else a count for each page of the value: 0.8 ms for a stream
// of two million entries, half of them pending.
#pragma once

#include <memory>

#include "datastructs/key_filter_pieces.h"
#include "datastructs/keyspace/entry.h"
#include "datastructs/keyspace/shared_value.h"
#include "persistence/rdb_writer.h"

namespace ouro {

class SnapshotPart {
 public:
  // A value that takes no more memory than this is written at once: it is copied faster than it is
  // frozen, and a change has to wait for no longer than some 100 us.
  static constexpr size_t kMemoryMin = 64_KiB;
  // Whether it is one. What takes little memory, but is written, counts, too: zeros of a filter,
  // pressed nodes of a list.
  static bool is_small(const Entry& entry);

  virtual ~SnapshotPart() = default;
  // Encodes the next piece and lowers the budget by what it cost (write_budget.h); true when it was
  // the last.
  virtual bool next(size_t& budget) = 0;
};

// One whose value is shared: as it was, for as long as the part lives.
class SharedPart : public SnapshotPart {
 protected:
  SharedPart(LazyFree& lazy_free, const Entry& entry) : shared_(lazy_free, entry) {}
  template <class T>
  const T& shared() const {
    return shared_.value().as<T>();
  }

 private:
  SharedValue shared_;
};

// A filter of keys, as it is now: a piece a step.
class FilterPart : public SnapshotPart {
 public:
  bool next(size_t& budget) override;

 protected:
  FilterPart(ByteView prefix, const KeyFilter& filter) : pieces_(prefix, filter) {}

 private:
  virtual void write(const FilterPiece& piece) = 0;

  FilterPieces pieces_;
};

// Writes the type, the key and how the value begins, and freezes the rest of it, which will follow
// in the buffer of `out`; null, and nothing is written, if the value is one that is written at
// once. The heap and what waits to be freed outlive the part.
std::unique_ptr<SnapshotPart> begin_snapshot_part(Heap& heap, LazyFree& lazy_free,
                                                  const Entry& entry, RdbWriter& out);

// The bytes of a long string, as they are now. They follow in the buffer of `out`.
std::unique_ptr<SnapshotPart> begin_string_part(Heap& heap, const Entry& entry, RdbWriter& out);

}  // namespace ouro
