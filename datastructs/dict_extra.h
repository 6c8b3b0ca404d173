// SPDX-License-Identifier: BSD-3-Clause
// What only some tables need, so it is no part of every DictCore: the open views and the heap of
// segments by deadline.
#pragma once

#include <cstdint>

#include "datastructs/base/units.h"
#include "datastructs/dict_segment.h"

namespace ouro {

class DictViewCore;

struct DictHeapItem {
  UnixMs min;
  DictSegment* segment;
};

struct DictExtra {
  // The 4-ary heap lies in chunks, so that it grows without copying; small ones, for the many small
  // tables.
  static constexpr unsigned kChunkBits = 4;
  static constexpr size_t kChunkItems = size_t{1} << kChunkBits;

  DictHeapItem& item(size_t index) {
    return chunks[index >> kChunkBits][index & (kChunkItems - 1)];
  }

  DictViewCore* views[kDictViewsMax] = {};
  uint32_t epoch = 0;  // counts the views ever begun
  uint32_t chunk_count = 0;
  uint32_t chunk_capacity = 0;
  size_t heap_count = 0;
  DictHeapItem** chunks = nullptr;
};

}  // namespace ouro
