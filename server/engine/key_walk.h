// SPDX-License-Identifier: BSD-3-Clause
// KeyWalk: what is found by looking at every key of a node, without holding a turn up for long.
//
// A walk is begun by who asks for its outcome: nothing is paid when nobody asks. Few keys are
// walked at once. Many are walked in slices between turns, and who asks meanwhile is told of the
// last walk that has ended. A slice is bounded by keys and buckets, so what is done for a key must
// not depend on the size of its value.
//
// A key is seen as it is when the walk comes by. One that stays is seen at least once, and again
// where its table grows meanwhile.
#pragma once

#include "datastructs/keyspace/databases.h"

namespace ouro {

class Engine;

class KeyWalk {
 public:
  KeyWalk(const KeyWalk&) = delete;
  KeyWalk& operator=(const KeyWalk&) = delete;

  // True when more is left to be walked.
  bool run_slice();

 protected:
  explicit KeyWalk(Engine& engine) : engine_(engine) {}
  ~KeyWalk() = default;

  // Begins a walk unless one goes on; with few keys it has ended on return.
  void begin();
  bool goes_on() const { return goes_on_; }

  // Of what consists of elements; 0 of what does not.
  static size_t element_count(const Entry& entry);

 private:
  virtual void on_begin(uint32_t db_count) = 0;
  virtual void on_key(DbIndex db, const Entry& entry) = 0;
  virtual void on_end(UnixMs now) = 0;

  void walk(size_t keys_max);

  Engine& engine_;
  bool goes_on_ = false;
  DbIndex db_ = 0;
  uint64_t cursor_ = 0;
};

}  // namespace ouro
