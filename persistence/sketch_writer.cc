// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <vector>

#include "datastructs/chunked_bytes.h"
#include "datastructs/codec/little_endian.h"
#include "persistence/module_id.h"
#include "persistence/sketch_codec.h"

namespace ouro {
namespace {

constexpr size_t kPieceBytes = ChunkedBytes::kChunkBytes;

// One string out of pieces: read(at, bytes_max) gives each. What is one piece may be packed.
template <class Read>
void write_pieces(uint64_t bytes, Read read, RdbWriter& out) {
  if (bytes <= kPieceBytes) return out.module_string(read(uint64_t{0}, kPieceBytes));
  out.module_string_begin(bytes);
  for (uint64_t at = 0; at < bytes; at += kPieceBytes) {
    out.raw(read(at, static_cast<size_t>(std::min<uint64_t>(kPieceBytes, bytes - at))));
  }
}

void begin(uint64_t module, RdbWriter& out) {
  out.need(RdbDialect::kRedisBloom);
  out.module_id(module);
}

}  // namespace

void write_sketch(const Bloom& bloom, RdbWriter& out) {
  begin(kBloomModule, out);
  // The header has all that is wanted, in another order.
  const std::string header = bloom.header();
  ByteView from = header;
  out.module_unsigned(take_fixed<uint64_t>(from));
  out.module_unsigned(take_fixed<uint32_t>(from));
  out.module_unsigned(take_fixed<uint32_t>(from));
  out.module_unsigned(take_fixed<uint32_t>(from));
  for (uint64_t at = 0; !from.empty();) {
    const auto bytes = take_fixed<uint64_t>(from);
    const auto bits = take_fixed<uint64_t>(from);
    const auto items = take_fixed<uint64_t>(from);
    const auto error = take_fixed<double>(from);
    const auto bits_an_item = take_fixed<double>(from);
    const auto hashes = take_fixed<uint32_t>(from);
    out.module_unsigned(take_fixed<uint64_t>(from));
    out.module_double(error);
    out.module_unsigned(hashes);
    out.module_double(bits_an_item);
    out.module_unsigned(bits);
    out.module_unsigned(take_fixed<uint8_t>(from));
    write_pieces(
        bytes, [&](uint64_t piece, size_t max) { return bloom.read(at + piece, max); }, out);
    out.module_unsigned(items);
    at += bytes;
  }
  out.module_end();
}

void write_sketch(const Cuckoo& cuckoo, RdbWriter& out) {
  begin(kCuckooModule, out);
  out.module_unsigned(cuckoo.layers());
  out.module_unsigned(cuckoo.buckets());
  out.module_unsigned(cuckoo.size());
  out.module_unsigned(cuckoo.removed());
  out.module_unsigned(cuckoo.bucket_size());
  out.module_unsigned(cuckoo.max_iterations());
  out.module_unsigned(cuckoo.expansion());
  uint64_t at = 0;
  uint64_t buckets = cuckoo.buckets();
  for (uint16_t layer = 0; layer < cuckoo.layers(); ++layer, buckets *= cuckoo.expansion()) {
    const uint64_t bytes = buckets * cuckoo.bucket_size();
    out.module_unsigned(buckets);
    write_pieces(
        bytes, [&](uint64_t piece, size_t max) { return cuckoo.read(at + piece, max); }, out);
    at += bytes;
  }
  out.module_end();
}

void write_sketch(const CountMin& sketch, RdbWriter& out) {
  begin(kCountMinModule, out);
  out.module_unsigned(sketch.width());
  out.module_unsigned(sketch.depth());
  out.module_unsigned(static_cast<uint64_t>(sketch.total()));
  write_pieces(
      sketch.counter_bytes(), [&](uint64_t at, size_t max) { return sketch.read(at, max); }, out);
  out.module_end();
}

void write_sketch(const TopK& top, RdbWriter& out) {
  begin(kTopKModule, out);
  const TopK::Shape& shape = top.shape();
  out.module_unsigned(shape.k);
  out.module_unsigned(shape.width);
  out.module_unsigned(shape.depth);
  out.module_double(shape.decay);
  write_pieces(
      top.cell_bytes(), [&](uint64_t at, size_t max) { return top.read_cells(at, max); }, out);

  struct Place {
    TopK::Kept kept;
    uint32_t heap_place = 0;  // plus one
  };
  std::vector<Place> places;
  top.for_each_in_heap([&](const TopK::Kept& kept) {
    places.push_back({kept, static_cast<uint32_t>(places.size() + 1)});
  });
  std::stable_sort(places.begin(), places.end(),
                   [](const Place& a, const Place& b) { return a.kept.count < b.kept.count; });
  places.insert(places.begin(), shape.k - places.size(), Place());
  std::string bytes;
  for (const Place& place : places) {
    append_fixed(bytes, place.kept.fingerprint);
    append_fixed(bytes, static_cast<uint32_t>(place.kept.item.size()));
    append_fixed(bytes, bytes.size() < sizeof(uint64_t) + 1 ? top.dice() : uint64_t{0});
    append_fixed(bytes, place.kept.count);
    append_fixed(bytes, place.heap_place);
  }
  out.module_string(bytes);
  for (const Place& place : places) {
    bytes = place.kept.item;
    bytes += '\0';
    out.module_string(bytes);
  }
  out.module_end();
}

void write_sketch(const TDigest& digest, RdbWriter& out) {
  begin(kTDigestModule, out);
  const TDigest::View view = digest.view();
  const bool is_empty = view.centroids().empty();
  constexpr double kDoubleMax = std::numeric_limits<double>::max();
  out.module_double(static_cast<double>(digest.compression()));
  out.module_double(is_empty ? kDoubleMax : view.min());
  out.module_double(is_empty ? -kDoubleMax : view.max());
  out.module_signed(digest.capacity());
  out.module_signed(static_cast<int64_t>(view.centroids().size()));
  out.module_signed(0);
  out.module_signed(
      static_cast<int64_t>(digest.compressions() + (digest.unmerged_nodes() > 0 ? 1 : 0)));
  out.module_double(view.total());
  out.module_double(0);
  for (const TDigest::Centroid& centroid : view.centroids()) out.module_double(centroid.mean);
  for (const TDigest::Centroid& centroid : view.centroids()) out.module_double(centroid.weight);
  out.module_end();
}

}  // namespace ouro
