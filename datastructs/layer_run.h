// SPDX-License-Identifier: BSD-3-Clause
// The bytes of a filter's layers as one run, which a dump takes and gives piece by piece; a piece
// lies in one layer. A Layer is anything with a ChunkedBytes called `bytes`.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "datastructs/base/result.h"
#include "datastructs/chunked_bytes.h"
#include "datastructs/codec/little_endian.h"

namespace ouro {

// The layer that holds byte `at` of the run, which becomes the place inside of it; or null.
template <class Layer>
Layer* find_layer(std::span<Layer> layers, uint64_t& at) noexcept {
  for (Layer& layer : layers) {
    if (at < layer.bytes.size()) return &layer;
    at -= layer.bytes.size();
  }
  return nullptr;
}

// At most `bytes_max` bytes from `at` on; none behind the end.
template <class Layer>
std::string read_run(std::span<Layer> layers, uint64_t at, size_t bytes_max) {
  const Layer* layer = find_layer(layers, at);
  if (layer == nullptr) return {};
  std::string out(std::min<size_t>(bytes_max, layer->bytes.size() - at), '\0');
  layer->bytes.read(at, out.size(), out.data());
  return out;
}

// Errors, with nothing written: Err::kOutOfRange - no layer is there; Err::kTooBig - the bytes go
// beyond the end of the layer.
template <class Layer>
Status write_run(Heap& heap, std::span<Layer> layers, uint64_t at, ByteView bytes) noexcept {
  Layer* layer = find_layer(layers, at);
  if (layer == nullptr) return Err::kOutOfRange;
  if (bytes.size() > layer->bytes.size() - at) return Err::kTooBig;
  layer->bytes.write(heap, at, bytes);
  return Status::ok();
}

template <class Layer>
uint64_t run_bytes(std::span<Layer> layers) noexcept {
  uint64_t sum = 0;
  for (const Layer& layer : layers) sum += layer.bytes.size();
  return sum;
}

// ChunkedBytes::visit_parts of all layers.
template <class Layer>
void visit_run(std::span<Layer> layers, FunctionRef<void(ByteView)> visit) {
  uint64_t begin = 0;
  for (const Layer& layer : layers) {
    layer.bytes.visit_parts(visit, begin);
    begin += layer.bytes.size();
  }
}

}  // namespace ouro
