// SPDX-License-Identifier: BSD-3-Clause
// A frozen view: the entries of a Dict as they were when the view began, each handed to save()
// exactly once, while the table goes on changing. What snapshots are made from.
//
//   prefix 0                       at_                                          end
//   [ saved: all of them ......... | homes saved so far: one bit each, per segment ]
//
// next() walks segments in the order of their prefixes. The first change to a home bucket that is
// not saved yet (insert, take, replace, before_change) saves that bucket's entries first, so an
// entry is seen as it was, and one that came later never. Moving entries within the table is no
// change: a split copies the bits; a resize, which changes the homes, saves the whole segment first
// (at most one segment's entries); merging waits until there is no view. Cost: begin is O(1); with
// a view open each change looks up its segment once more; 48 bytes a segment while it is walked.
// save() must not call into the table, and must copy what it wants to keep: the entry may change
// right after. At most 4 views at a time. The table must not be emptied by free_some() before its
// views ended; one whose entries were all taken may be destroyed, which completes its views.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/dict.h"

namespace ouro {

class DictViewCore {
 public:
  DictViewCore() = default;
  DictViewCore(const DictViewCore&) = delete;
  DictViewCore& operator=(const DictViewCore&) = delete;
  virtual ~DictViewCore() { end(); }

  // Walks on until `budget` (buckets and entries) is spent, at least one bucket. True when all
  // entries have been saved.
  bool next(size_t& budget);
  bool is_open() const { return dict_ != nullptr; }
  // All entries have been saved. The table's changes no longer reach this view.
  bool is_complete() const { return at_ >= kDictPrefixEnd; }
  // Leaves the table, complete or not.
  void end();

 protected:
  void begin(DictCore& dict);
  virtual void save_entry(void* entry) = 0;

 private:
  friend class DictCore;

  bool has_saved(const DictSegment& segment, unsigned home) const;
  // Hands out the entries of a home not saved yet; returns how many.
  size_t save_home(DictSegment& segment, unsigned home);
  uint64_t saved_homes(const DictSegment& segment) const;

  DictCore* dict_ = nullptr;
  unsigned index_ = 0;  // which of the table's views
  uint32_t epoch_ = 0;  // tells its bits from those of earlier views of the same index
  uint32_t at_ = 0;     // all segments below this prefix are saved; the start of a segment
};

template <class T>
class DictView : public DictViewCore {
 public:
  // Freezes the table as it is now. CHECKs that it has fewer than 4 views.
  void begin(Dict<T>& dict) { DictViewCore::begin(dict.core_); }

 protected:
  virtual void save(T& entry) = 0;

 private:
  void save_entry(void* entry) final { save(*static_cast<T*>(entry)); }
};

}  // namespace ouro
