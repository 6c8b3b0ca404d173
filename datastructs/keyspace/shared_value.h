// SPDX-License-Identifier: BSD-3-Clause
// SharedValue: a list, stream, filter or sketch as it was at one moment, read in slices by a
// snapshot while the key it was made of is changed or goes. What of it nobody else has any more is
// part of Heap::kept_bytes(). Goes to LazyFree when it ends, as others may have let go of it.
// Cost: that of share() of each type, a count for each page; a node or a page for each that changes
// meanwhile.
#pragma once

#include "datastructs/keyspace/lazy_free.h"

namespace ouro {

class SharedValue {
 public:
  // Requires: a value that can be shared (Value::share_of). Both outlive it.
  SharedValue(LazyFree& lazy_free, const Entry& entry)
      : lazy_free_(lazy_free), value_(lazy_free.share_of(entry)) {}
  ~SharedValue() { lazy_free_.add_share(value_); }
  SharedValue(const SharedValue&) = delete;
  SharedValue& operator=(const SharedValue&) = delete;

  const Value& value() const { return value_; }

 private:
  LazyFree& lazy_free_;
  Value value_;
};

}  // namespace ouro
