// SPDX-License-Identifier: BSD-3-Clause
// FrozenView: all databases as they were at one moment, each key handed out exactly once, while
// commands go on changing them. What a snapshot, the base of a log and a full sync are made from.
// Nothing is copied ahead, nobody waits, there is no second process.
//
//      begin()          next() in slices, ahead of them what is about to change          end()
//      moment ---------> save(db, entry) ... save(db, entry) ... ----------------------> done
//
// Each table of a database, of its keys and of what is known of others (aside.h), that was not
// empty has a DictView (dict_view.h says how an entry is saved before its first change). A table is
// known by what it is, not by its number: SWAPDB does not touch a view, and the table of a FLUSHALL
// stays with LazyFree until its views have ended.
//
// save() comes from inside of a change, which goes on when it returns: it must not touch the
// databases, and takes what it wants to keep in one of three ways, none of which copies a value of
// many elements at once:
//
//      writes it out at once                a small value
//      SharedValue, Blob::pin_to_read()     a list, stream, filter, sketch, a string; in slices
//      a view of its own, if                SetView, ZSetView, HashView, BlobView: elements in any
//      Value::needs_view(entry)             order, chunks from the front; next() in slices
//
// Either way it is the value as it is now. What changes of it later, before it was read, is copied
// once by the node, page, chunk or bucket; what is deleted stays with LazyFree, or with who shares
// it. The sooner a value is read whose key has just changed, the less is copied: its save() was
// called because of a change. Such copies are counted: copied_bytes(). They are never more than
// what there was at the moment; a consumer so slow that there are more than kFrozenCopiedBytesMax
// should not be waited for any longer: its owner writes what waits to a file, or ends the view.
//
// At most 4 views at a time; one that has ended counts while its saver still reads values through
// views of theirs. Cost: begin O(databases); next() as its budget says; a change of a key that is
// not saved yet saves the few keys of its bucket; with no view open a change tests one word.
// Not here: what a saved key looks like outside (persistence/), when a view is begun.
#pragma once

#include <memory>
#include <vector>

#include "datastructs/dict_view.h"
#include "datastructs/keyspace/databases.h"

namespace ouro {

inline constexpr unsigned kFrozenViewsMax = kDictViewsMax;
inline constexpr size_t kFrozenCopiedBytesMax = 1_GiB;

class FrozenView {
 public:
  // What an entry tells of its key.
  enum class Standing : uint8_t { kPresent, kStale, kAbsent };

  class Saver {
   public:
    virtual ~Saver() = default;
    // `db` is the number that the database had at the moment.
    virtual void save(DbIndex db, Entry& entry, Standing standing) = 0;
  };

  // All databases as they are now. Both outlive the view.
  FrozenView(Databases& databases, Saver& saver);
  ~FrozenView();
  FrozenView(const FrozenView&) = delete;
  FrozenView& operator=(const FrozenView&) = delete;

  // The databases that had keys, or knew of some, at the moment.
  struct Frozen {
    DbIndex db;
    size_t keys;
    size_t keys_with_deadline;
  };
  const std::vector<Frozen>& frozen() const { return frozen_; }

  // Saves on until `budget` (buckets and entries) is spent; true when all keys have been saved.
  bool next(size_t& budget);
  bool is_complete() const { return at_ == tables_.size(); }
  // What was copied or kept from being freed since the moment because something was still to be
  // seen as it had been, by this view or another (Heap::left_bytes()).
  size_t copied_bytes() const { return heap_.left_bytes() - left_before_; }

 private:
  class Table;

  const Heap& heap_;
  size_t left_before_;
  std::vector<Frozen> frozen_;
  std::vector<std::unique_ptr<Table>> tables_;
  size_t at_ = 0;  // those before are saved
};

}  // namespace ouro
