// SPDX-License-Identifier: BSD-3-Clause
// LayerRun: the one block of a filter that grows by layers, and what is the same for all of these.
//
//      | Head: the filter's own numbers | layer 0 | layer 1 | ... |
//                                           |         |
//                                         bytes     bytes          ChunkedBytes
//
// A Layer is anything that is moved as bytes and has a ChunkedBytes called `bytes`. For a dump the
// bytes of all layers are one run, layer 0 first, which is taken and given piece by piece; a piece
// lies in one layer.
//
// Made without layers by Heap::make, ended by free_some(). push() may move the block. Cost: push()
// copies the block, which does not hold the bytes; all else walks over the layers.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <type_traits>

#include "datastructs/base/result.h"
#include "datastructs/chunked_bytes.h"

namespace ouro {

template <class Head, class Layer>
class LayerRun : public Head {
  static_assert(std::is_trivially_copyable_v<Layer> && alignof(Layer) <= alignof(Head));

 public:
  explicit LayerRun(const Head& head) noexcept : Head(head) {}

  // ---- layers
  uint16_t layer_count() const noexcept { return layer_count_; }
  std::span<Layer> layers() noexcept { return {first_layer(), layer_count_}; }
  std::span<const Layer> layers() const noexcept { return {first_layer(), layer_count_}; }
  Layer& newest() noexcept { return first_layer()[layer_count_ - 1]; }

  // Returns where the block is now.
  static LayerRun* push(Heap& heap, LayerRun* run, const Layer& layer) noexcept {
    const size_t count = size_t{run->layer_count_} + 1;
    run = static_cast<LayerRun*>(heap.reallocate(run, sizeof(LayerRun) + count * sizeof(Layer)));
    run->first_layer()[run->layer_count_++] = layer;
    return run;
  }
  // Frees the newest layer.
  void pop(Heap& heap) noexcept {
    newest().bytes.destroy(heap);
    --layer_count_;
  }
  LayerRun* copy(Heap& heap) const noexcept {
    return with(heap, [&](const ChunkedBytes& bytes) { return bytes.copy(heap); });
  }
  // The same layers of the same chunks.
  LayerRun* share(Heap& heap) const noexcept {
    return with(heap, [&](const ChunkedBytes& bytes) { return bytes.share(heap); });
  }

  // ---- the run of bytes
  uint64_t bytes() const noexcept {
    uint64_t sum = 0;
    for (const Layer& layer : layers()) sum += layer.bytes.size();
    return sum;
  }
  // At most `bytes_max` bytes from `at` on; none behind the end.
  std::string read(uint64_t at, size_t bytes_max) const {
    const Layer* layer = find(layers(), at);
    if (layer == nullptr) return {};
    std::string out(std::min<size_t>(bytes_max, layer->bytes.size() - at), '\0');
    layer->bytes.read(at, out.size(), out.data());
    return out;
  }
  // Errors, with nothing written: Err::kOutOfRange - no layer is there; Err::kTooBig - the bytes go
  // beyond the end of the layer.
  Status write(Heap& heap, uint64_t at, ByteView bytes) noexcept {
    Layer* layer = find(layers(), at);
    if (layer == nullptr) return Err::kOutOfRange;
    if (bytes.size() > layer->bytes.size() - at) return Err::kTooBig;
    layer->bytes.write(heap, at, bytes);
    return Status::ok();
  }
  // ChunkedBytes::visit_parts of all layers.
  void visit_parts(FunctionRef<void(ByteView)> visit) const {
    uint64_t begin = 0;
    for (const Layer& layer : layers()) {
      layer.bytes.visit_parts(visit, begin);
      begin += layer.bytes.size();
    }
  }

  // ---- memory
  size_t memory_bytes() const noexcept {
    size_t sum = Heap::usable_bytes(this);
    for (const Layer& layer : layers()) sum += layer.bytes.memory_bytes();
    return sum;
  }
  size_t free_effort() const noexcept {
    size_t sum = 1;
    for (const Layer& layer : layers()) sum += layer.bytes.free_effort();
    return sum;
  }
  // Frees up to `budget` chunks, which is counted down; true when all is gone and `run`, which may
  // have been null, is null.
  static bool free_some(Heap& heap, LayerRun*& run, size_t& budget) noexcept {
    if (run == nullptr) return true;
    for (; run->layer_count_ > 0; --run->layer_count_) {
      if (!run->newest().bytes.free_some(heap, budget)) return false;
    }
    heap.release(run);
    run = nullptr;
    return true;
  }
  void check_invariants() const {
    CHECK(layer_count_ > 0);
    for (const Layer& layer : layers()) layer.bytes.check_invariants();
  }

 private:
  // The same, with what `made_of` gives for the bytes of each layer.
  template <class MadeOf>
  LayerRun* with(Heap& heap, MadeOf made_of) const noexcept {
    auto* made = heap.make<LayerRun>(static_cast<const Head&>(*this));
    for (Layer layer : layers()) {
      layer.bytes = made_of(layer.bytes);
      made = push(heap, made, layer);
    }
    return made;
  }
  Layer* first_layer() noexcept { return reinterpret_cast<Layer*>(this + 1); }
  const Layer* first_layer() const noexcept { return reinterpret_cast<const Layer*>(this + 1); }
  // The layer that holds byte `at` of the run, which becomes the place inside of it; or null.
  template <class Any>
  static Any* find(std::span<Any> layers, uint64_t& at) noexcept {
    for (Any& layer : layers) {
      if (at < layer.bytes.size()) return &layer;
      at -= layer.bytes.size();
    }
    return nullptr;
  }

  uint16_t layer_count_ = 0;
};

}  // namespace ouro
