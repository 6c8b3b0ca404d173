// SPDX-License-Identifier: BSD-3-Clause
// SnapshotWriter: the bytes of an RDB file with all databases as they were at one moment, asked for
// in chunks while commands go on.
//
//      head, facts, functions, sizes | keys, in the order in which the view hands them out | end
//
//      FrozenView --save()--> waiting_: [bytes, part] [bytes, part] ... --next_chunk()--> file
//                                             \ of a large value (snapshot_part.h)
//
// A key comes when the walk gets to it, or ahead of that when it is about to change. Small values
// are encoded then and there; of a large one only the head, the rest of it when its turn in the
// file comes. So what waits in memory is what changed ahead of the walk: waiting_bytes(), encoded,
// and copied_bytes(), still as it was. Who cannot write as fast as these grow gives the snapshot
// up. A key that is due is written like any other: the reader decides.
//
// Keys of different databases may come in any order; each change of the database is said (kSelect).
// The version in the head is Redis 7.0's unless a hash has fields with deadlines at the moment;
// needs() says, at the end, who can read the values.
// Cost: what encoding costs, in slices; begin is O(databases), and what the texts of functions
// take. At most kFrozenViewsMax writers at a time. Not here: files, their names and their order
// (aof_plan.h), when one is begun.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/keyspace/freeze.h"
#include "persistence/snapshot_part.h"

namespace ouro {

// What stands before the keys.
struct SnapshotFacts {
  std::vector<std::pair<std::string, std::string>> aux = {};  // name and value
  std::vector<std::string> functions = {};                    // texts of libraries
};

// Tells of a key what an eviction policy goes by, if it is to be saved.
class AccessHints {
 public:
  virtual ~AccessHints() = default;
  virtual std::optional<uint64_t> idle_seconds(const Entry& entry) const = 0;
  virtual std::optional<uint8_t> frequency(const Entry& entry) const = 0;
};

class SnapshotWriter final : private FrozenView::Saver {
 public:
  struct Options {
    RdbWriter::Packing packing = RdbWriter::Packing::kLzfBounded;
    bool checksum = true;                // else eight zeros stand for it
    const AccessHints* hints = nullptr;  // outlives the writer
  };
  // Freezes the databases, which outlive the writer. It may be destroyed before it is done.
  SnapshotWriter(Databases& databases, const SnapshotFacts& facts, const Options& options);

  // Appends up to `bytes_max` > 0 bytes to `out`; ends before that when `budget` > 0 is spent
  // (write_budget.h: 10,000 units are one or two ms). It is overspent by one piece of a value at
  // most (snapshot_part.h). True when the file is whole.
  bool next_chunk(size_t bytes_max, size_t& budget, std::string& out);
  bool is_done() const { return is_done_; }

  unsigned version() const { return version_; }
  RdbDialect needs() const { return needs_; }
  uint64_t keys_total() const { return keys_total_; }
  // Keys that were encoded, or begun if they are large.
  uint64_t keys_saved() const { return keys_saved_; }
  uint64_t bytes_written() const { return bytes_written_; }
  // Encoded, and not handed out yet.
  size_t waiting_bytes() const;
  // As FrozenView tells.
  size_t copied_bytes() const { return view_.copied_bytes(); }

 private:
  // So many units are walked before what they gave is handed out.
  static constexpr size_t kUnitsAtOnce = 256;

  // Bytes, and what appends to them: the rest of a large value, if any.
  struct Waiting {
    std::string bytes;
    size_t taken = 0;
    std::unique_ptr<SnapshotPart> part;
  };

  void save(DbIndex db, Entry& entry) override;
  void write_head(const SnapshotFacts& facts);
  void write_hints(const Entry& entry, RdbWriter& out) const;
  void select(DbIndex db, RdbWriter& out);
  // Where the next record is encoded.
  std::string& tail();
  void step(size_t bytes_max, size_t& budget, std::string& out);
  void walk(size_t& budget);
  void go_on(Waiting& front, size_t& budget);
  void hand_out(Waiting& front, size_t bytes_max, std::string& out);
  void write_end(std::string& out);

  Heap& heap_;
  LazyFree& lazy_free_;
  Options options_;
  FrozenView view_;
  std::deque<Waiting> waiting_;  // parts keep the address of their bytes
  size_t spent_ = 0;             // in units, by keys that were saved in this step
  DbIndex db_ = 0;               // of the keys that are encoded now
  bool is_selected_ = false;     // has been said
  unsigned version_ = kRdbVersion;
  RdbDialect needs_ = RdbDialect::kRedis;
  uint64_t keys_total_ = 0;
  uint64_t keys_saved_ = 0;
  uint64_t bytes_written_ = 0;
  uint64_t checksum_ = 0;  // of all written
  bool is_done_ = false;
};

}  // namespace ouro
