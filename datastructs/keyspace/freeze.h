// SPDX-License-Identifier: BSD-3-Clause
// FrozenView: all databases as they were at one moment, each key handed out exactly once, while
// commands go on changing them. What a snapshot, the base of a log and a full sync are made from.
// Nothing is copied ahead, nobody waits, there is no second process.
//
//      begin()          next() in slices, ahead of them what is about to change          end()
//      moment ---------> save(db, entry) ... save(db, entry) ... ----------------------> done
//
// Each database that had keys has a DictView (dict_view.h says how an entry is saved before its
// first change). A table is known by what it is, not by its number: SWAPDB does not touch a view,
// and the table of a FLUSHALL stays with LazyFree until its views have ended.
//
// save() comes from inside of a change: it must not touch the databases, and must copy or share
// what it wants to keep. A value of many elements it should not copy at once: large strings are
// pinned, lists shared (List::share()), the tables of sets, hashes and sorted sets viewed in their
// turn. At most 4 views at a time. Cost: begin() O(databases), next() as its budget says; a change
// of a key that is not saved yet saves the few keys of its bucket.
#pragma once

#include <memory>
#include <vector>

#include "datastructs/dict_view.h"
#include "datastructs/keyspace/databases.h"

namespace ouro {

inline constexpr unsigned kFrozenViewsMax = kDictViewsMax;

class FrozenView {
 public:
  class Saver {
   public:
    virtual ~Saver() = default;
    // `db` is the number that the database had at the moment.
    virtual void save(DbIndex db, Entry& entry) = 0;
  };

  // All databases as they are now. Both outlive the view.
  FrozenView(Databases& databases, Saver& saver);
  ~FrozenView();
  FrozenView(const FrozenView&) = delete;
  FrozenView& operator=(const FrozenView&) = delete;

  // What there was at the moment.
  struct Frozen {
    DbIndex db;
    size_t keys;
    size_t keys_with_deadline;
  };
  const std::vector<Frozen>& frozen() const { return frozen_; }

  // Saves on until `budget` (buckets and entries) is spent; true when all keys have been saved.
  bool next(size_t& budget);
  bool is_complete() const { return at_ == tables_.size(); }

 private:
  class Table;

  std::vector<Frozen> frozen_;
  std::vector<std::unique_ptr<Table>> tables_;  // as frozen_
  size_t at_ = 0;                               // those before are saved
};

}  // namespace ouro
