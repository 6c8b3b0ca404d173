// SPDX-License-Identifier: BSD-3-Clause
// Value: a value on its way between keys (RENAME, MOVE, COPY) or to the heap's end (UNLINK). Owns
// what it points to; the holder hands it on with Keyspace::put_value or frees it with free_some.
// Eight bytes of payload and a tag; strings below kBlobBytesMin are turned into Blobs while they
// travel.
#pragma once

#include <cstdint>
#include <new>

#include "datastructs/keyspace/entry.h"

namespace ouro {

// A pinned string is copied as a whole by who changes it: below this that takes 100 us at most.
inline constexpr size_t kViewedBlobBytesMin = 1_MiB;

struct Value {
  Kind kind = Kind::kInt;
  bool edited = false;
  uint64_t payload = 0;

  template <class T>
  T& as() noexcept {
    return *std::launder(reinterpret_cast<T*>(&payload));
  }
  template <class T>
  const T& as() const noexcept {
    return *std::launder(reinterpret_cast<const T*>(&payload));
  }
  // What an entry owns: its holder leaves it there, or frees the entry alone.
  static Value of(const Entry& entry) noexcept;
  // A deep copy of an entry's value.
  static Value copy_of(Heap& heap, const Entry& entry) noexcept;
  // Too large to be copied at once and of a kind that cannot be shared: a table, or a string from
  // kViewedBlobBytesMin on. A snapshot reads it through a SetView, ZSetView, HashView or BlobView.
  static bool needs_view(const Entry& entry) noexcept;
  // A collection as it is now, for one who reads it bit by bit and then frees it by free_some():
  // lists, streams, filters and sketches are shared (see share() of each: what it costs, and what
  // may be asked), others, which are small, copied. Requires: no string, !needs_view(entry).
  static Value share_of(Heap& heap, const Entry& entry) noexcept;
  // Frees up to `budget` allocations and lowers it by what was freed; true when nothing is left.
  bool free_some(Heap& heap, size_t& budget) noexcept;
  // How many allocations freeing takes: what UNLINK decides by.
  size_t free_effort() const noexcept;
  // Of its own blocks, by usable size.
  size_t memory_bytes() const noexcept;
  // A frozen view has elements of it still to save: it may not be freed yet.
  bool has_views() const noexcept;
};

}  // namespace ouro
