// SPDX-License-Identifier: BSD-3-Clause
// SnapshotPart: what a snapshot has still to write of one large value, some bytes at a time, while
// commands go on changing or deleting that value.
//
//      string                            pinned                  in pieces
//      list                              its nodes are shared    node by node
//      set, sorted set, hash, as tables  a view of the table     element by element, in no order
//
// What is about to change in a table is encoded before and waits in the part until its turn.
// Others are written at once when the snapshot comes to them: small ones, and streams, filters and
// sketches of any size.
#pragma once

#include <memory>

#include "datastructs/keyspace/entry.h"
#include "persistence/rdb_writer.h"

namespace ouro {

class SnapshotPart {
 public:
  // A value that takes no more memory than this is written at once: it is copied faster than it is
  // frozen, and a change has to wait for no longer than some 100 us.
  static constexpr size_t kMemoryMin = 64_KiB;

  virtual ~SnapshotPart() = default;
  // Appends up to `bytes_max` bytes to `out`, or one node of a list more; ends before that when
  // `budget` (buckets, nodes, elements) is spent. True when all has been written.
  virtual bool write(size_t bytes_max, size_t& budget, std::string& out) = 0;
  // What is encoded already.
  virtual size_t waiting_bytes() const { return 0; }
};

// Writes the type, the key and how the value begins, and freezes the rest of it; null, and nothing
// is written, if the value is one that is written at once. The heap outlives the part.
std::unique_ptr<SnapshotPart> begin_snapshot_part(Heap& heap, const Entry& entry, RdbWriter& out);

}  // namespace ouro
