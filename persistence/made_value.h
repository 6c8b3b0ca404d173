// SPDX-License-Identifier: BSD-3-Clause
// The last step of every decoder: what was built becomes a Value, or, if something was wrong with
// its bytes, is freed.
#pragma once

#include <new>
#include <optional>

#include "datastructs/keyspace/value.h"
#include "persistence/rdb_reader.h"

namespace ouro {

template <class T>
std::optional<Value> made_value(T made, RdbReader& in, Heap& heap) {
  if (!in.ok()) {
    made.destroy(heap);
    return std::nullopt;
  }
  Value value{.kind = kKindOf<T>};
  new (&value.payload) T(made);
  return value;
}

// The same of a collection that no key has without elements.
template <class T>
std::optional<Value> made_collection(T made, RdbReader& in, Heap& heap) {
  if (in.ok() && made.size() == 0) in.refuse_empty();
  return made_value(made, in, heap);
}

}  // namespace ouro
