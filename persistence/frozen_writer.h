// SPDX-License-Identifier: BSD-3-Clause
// FrozenWriter: a file with all databases as they were at one moment, asked for in chunks while
// commands go on. What the file looks like is a derived class's: SnapshotWriter, CommandsWriter.
//
//      FrozenView --save()--> waiting_: [bytes, part] [bytes, part] ... --next_chunk()--> file
//                                             \ of a large value (snapshot_part.h)
//
// A key comes when the walk gets to it, or ahead of that when it is about to change. Small values
// are encoded then and there; of a large one only the head, the rest of it when its turn in the
// file comes. So what waits in memory is what changed ahead of the walk: waiting_bytes(), encoded,
// and copied_bytes(), still as it was. Who cannot write as fast as these grow gives the file up.
//
// Keys of different databases may come in any order. A key that is due is written like any other:
// the reader decides.
// Cost: what encoding costs, in slices; to begin O(databases), and what stands before the keys. At
// most kFrozenViewsMax writers at a time. Not here: files, their names and their order
// (aof_plan.h), when one is begun.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/keyspace/freeze.h"
#include "persistence/rdb_facts.h"
#include "persistence/snapshot_part.h"

namespace ouro {

// What stands before the keys.
struct SnapshotFacts {
  // Of a rule's keys. The writer shares it, so that it is saved as it is then.
  struct Filter {
    std::string prefix;
    const KeyFilter* filter;
  };
  std::vector<std::pair<std::string, std::string>> aux = {};  // name and value
  std::vector<std::string> functions = {};                    // texts of libraries
  std::vector<Filter> filters = {};
};

class FrozenWriter : private FrozenView::Saver {
 public:
  // Freezes the databases, which outlive the writer. It may be destroyed before it is done.
  explicit FrozenWriter(Databases& databases);

  // Appends up to `bytes_max` > 0 bytes to `out`; ends before that when `budget` > 0 is spent
  // (write_budget.h: 10,000 units are one or two ms). It is overspent by one piece of a value at
  // most (snapshot_part.h). True when the file is whole.
  bool next_chunk(size_t bytes_max, size_t& budget, std::string& out);
  bool is_done() const { return is_done_; }

  uint64_t keys_total() const { return keys_total_; }
  // Keys that were encoded, or begun if they are large.
  uint64_t keys_saved() const { return keys_saved_; }
  uint64_t bytes_written() const { return bytes_written_; }
  // Encoded, and not handed out yet.
  size_t waiting_bytes() const;
  // A value was among those so far that Redis 7.0 could not load.
  bool has_only_ours() const { return has_only_ours_; }
  // As FrozenView tells.
  size_t copied_bytes() const { return view_.copied_bytes(); }

 protected:
  using Standing = FrozenView::Standing;

  // What of a value is to follow: its rest, and what stands behind that.
  struct Rest {
    std::unique_ptr<SnapshotPart> part;
    std::string end = {};
  };

  Heap& heap() { return heap_; }
  LazyFree& lazy_free() { return lazy_free_; }
  const std::vector<FrozenView::Frozen>& frozen() const { return view_.frozen(); }
  // Where the next record is encoded.
  std::string& tail();
  // What is still to be encoded follows the tail.
  void follow(std::unique_ptr<SnapshotPart> part);
  void note_only_ours() { has_only_ours_ = true; }
  // When the value of an entry ended, or will.
  static UnixMs end_of(const Entry& entry, Standing standing) {
    return standing == Standing::kStale ? entry.deadline() - entry.fill().stale_ms
                                        : entry.deadline();
  }
  // True, once, if the keys to come are of another database than those before.
  bool changes_to(DbIndex db);

 private:
  // So many units are walked before what they gave is handed out.
  static constexpr size_t kUnitsAtOnce = 256;

  // Bytes, and what appends to them: the rest of a large value, if any.
  struct Waiting {
    std::string bytes;
    size_t taken = 0;
    Rest rest;
  };

  // Appends the key and its value, or how it begins; parts may keep `out`. One that is stale has
  // its stale deadline.
  virtual Rest encode(DbIndex db, Entry& entry, Standing standing, std::string& out) = 0;
  // Appends what is known of a key that is not there.
  virtual void encode_absent(DbIndex db, const AbsentKey& absent, std::string& out) = 0;
  // These bytes go to the file.
  virtual void on_bytes(ByteView) {}
  virtual void write_end(std::string&) {}

  void save(DbIndex db, Entry& entry, Standing standing) override;
  void step(size_t bytes_max, size_t& budget, std::string& out);
  void walk(size_t& budget);
  void go_on(Waiting& front, size_t& budget);
  void hand_out(Waiting& front, size_t bytes_max, std::string& out);

  Heap& heap_;
  LazyFree& lazy_free_;
  FrozenView view_;
  std::deque<Waiting> waiting_;  // parts keep the address of their bytes
  size_t spent_ = 0;             // in units, by keys that were saved in this step
  DbIndex db_ = 0;               // of the keys that are encoded now
  bool is_selected_ = false;     // has been said
  uint64_t keys_total_ = 0;
  uint64_t keys_saved_ = 0;
  uint64_t bytes_written_ = 0;
  bool has_only_ours_ = false;
  bool is_done_ = false;
};

}  // namespace ouro
