// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cmath>
#include <vector>

#include "datastructs/chunked_bytes.h"
#include "datastructs/codec/little_endian.h"
#include "persistence/module_id.h"
#include "persistence/sketch_codec.h"

namespace ouro {
namespace {

constexpr const char* kWrongSketch = "a filter's or sketch's numbers do not fit each other";

// What a double of a module takes.
constexpr size_t kDoubleBytes = 9;
// A cell of a top-k list: fingerprint and count.
constexpr size_t kCellBytes = 8;

// A string that is `bytes` long, as its pieces that are not all zeros: write(at, piece).
template <class Write>
void read_pieces(uint64_t bytes, RdbReader& in, Write write) {
  std::string scratch;
  const ByteView all = in.module_string(scratch);
  if (!in.check(all.size() == bytes, "a filter's or sketch's bytes are too few or too many"))
    return;
  for (size_t at = 0; at < all.size(); at += ChunkedBytes::kChunkBytes) {
    const ByteView piece = all.substr(at, ChunkedBytes::kChunkBytes);
    if (piece.find_first_not_of('\0') != ByteView::npos) write(at, piece);
  }
}

// Of the string that comes next.
uint64_t next_string_bytes(RdbReader in) { return in.skip_module_string(); }

template <class T>
std::optional<T> made_of(Result<T> result, RdbReader& in) {
  if (result.is_ok()) return std::move(result).value();
  in.refuse(kWrongSketch);
  return std::nullopt;
}

// What was made, unless something was wrong with its bytes.
template <class T>
std::optional<T> kept_if_ok(T made, RdbReader& in, Heap& heap) {
  if (in.ok()) return made;
  made.destroy(heap);
  return std::nullopt;
}

uint32_t small_number(RdbReader& in) {
  const uint64_t value = in.module_unsigned();
  return in.check(value <= UINT32_MAX, kWrongSketch) ? static_cast<uint32_t>(value) : 0;
}

struct TopKPlace {
  std::string name;
  uint32_t count = 0;
  uint32_t heap_place = 0;  // plus one
};
struct TopKList {
  std::vector<TopKPlace> places;  // those in use
  uint64_t dice = 0;
};

TopKList read_top_k_list(uint32_t k, RdbReader& in) {
  constexpr size_t kPlaceBytes = 24;
  TopKList list;
  std::string scratch;
  std::string name_scratch;
  ByteView bytes = in.module_string(scratch);
  in.check(bytes.size() == k * kPlaceBytes, kWrongSketch);
  for (uint32_t at = 0; in.ok() && at < k; ++at) {
    TopKPlace place;
    const auto fingerprint = take_fixed<uint32_t>(bytes);
    const auto name_bytes = take_fixed<uint32_t>(bytes);
    const auto address = take_fixed<uint64_t>(bytes);
    place.count = take_fixed<uint32_t>(bytes);
    place.heap_place = take_fixed<uint32_t>(bytes);
    if (at == 0) list.dice = address;
    ByteView name = in.module_string(name_scratch);
    if (place.count == 0) continue;
    if (!in.check(name.size() == size_t{name_bytes} + 1 && name.back() == '\0', kWrongSketch))
      break;
    name.remove_suffix(1);
    in.check(fingerprint == TopK::fingerprint_of(name), kWrongSketch);
    place.name = name;
    list.places.push_back(std::move(place));
  }
  return list;
}

// Whether the places can be taken as those of our heap, and ordered so.
bool order_by_place(std::vector<TopKPlace>& places) {
  std::sort(places.begin(), places.end(),
            [](const TopKPlace& a, const TopKPlace& b) { return a.heap_place < b.heap_place; });
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i].heap_place != i + 1) return false;
    if (i > 0 && places[(i - 1) / 2].count > places[i].count) return false;
  }
  return true;
}

// Ascending counts are a heap, too.
void order_by_count(std::vector<TopKPlace>& places) {
  std::sort(places.begin(), places.end(), [](const TopKPlace& a, const TopKPlace& b) {
    return a.count != b.count ? a.count < b.count : a.name < b.name;
  });
}

bool has_twins(const std::vector<TopKPlace>& places) {
  std::vector<ByteView> names;
  names.reserve(places.size());
  for (const TopKPlace& place : places) names.push_back(place.name);
  std::sort(names.begin(), names.end());
  return std::adjacent_find(names.begin(), names.end()) != names.end();
}

}  // namespace

std::optional<Bloom> read_bloom(RdbReader& in, Heap& heap) {
  std::string header;
  append_fixed(header, in.module_unsigned());
  const uint32_t layers = small_number(in);
  append_fixed(header, layers);
  append_fixed(header, small_number(in));
  append_fixed(header, small_number(in));
  in.check(layers <= Bloom::kLayersMax, kWrongSketch);
  // The sizes first: the filter is made as a whole, and only then filled.
  RdbReader ahead = in;
  for (uint32_t layer = 0; ahead.ok() && layer < layers; ++layer) {
    const uint64_t capacity = ahead.module_unsigned();
    const double error = ahead.module_double();
    const uint32_t hashes = small_number(ahead);
    const double bits_an_item = ahead.module_double();
    const uint64_t bits = ahead.module_unsigned();
    const uint64_t rounded = ahead.module_unsigned();
    append_fixed(header, ahead.skip_module_string());
    append_fixed(header, bits);
    append_fixed(header, ahead.module_unsigned());
    append_fixed(header, error);
    append_fixed(header, bits_an_item);
    append_fixed(header, hashes);
    append_fixed(header, capacity);
    append_fixed(header, static_cast<uint8_t>(rounded != 0));
  }
  if (!ahead.ok()) {
    in = ahead;
    return std::nullopt;
  }
  std::optional<Bloom> made = made_of(Bloom::from_header(heap, header), in);
  if (!made) return std::nullopt;
  uint64_t begin = 0;
  for (uint32_t layer = 0; in.ok() && layer < layers; ++layer) {
    for (int number = 0; number < 6; ++number) in.skip_module_value();
    const uint64_t bytes = next_string_bytes(in);
    read_pieces(bytes, in, [&](uint64_t at, ByteView piece) {
      CHECK(made->write(heap, begin + at, piece).is_ok());
    });
    in.module_unsigned();
    begin += bytes;
  }
  return kept_if_ok(*made, in, heap);
}

std::optional<Cuckoo> read_cuckoo(RdbReader& in, Heap& heap) {
  const uint64_t layers = in.module_unsigned();
  const uint64_t buckets = in.module_unsigned();
  const uint64_t items = in.module_unsigned();
  const uint64_t removed = in.module_unsigned();
  const uint32_t bucket_size = small_number(in);
  const uint32_t iterations = small_number(in);
  const uint32_t expansion = small_number(in);
  in.check(bucket_size <= Cuckoo::kBucketSizeMax && iterations <= Cuckoo::kIterationsMax &&
               expansion <= Cuckoo::kExpansionMax,
           kWrongSketch);
  if (!in.ok()) return std::nullopt;
  std::string header;
  append_fixed(header, items);
  append_fixed(header, buckets);
  append_fixed(header, removed);
  append_fixed(header, layers);
  append_fixed(header, static_cast<uint16_t>(bucket_size));
  append_fixed(header, static_cast<uint16_t>(iterations));
  append_fixed(header, static_cast<uint16_t>(expansion));
  std::optional<Cuckoo> made = made_of(Cuckoo::from_header(heap, header), in);
  if (!made) return std::nullopt;
  uint64_t begin = 0;
  uint64_t layer_buckets = buckets;
  for (uint64_t layer = 0; in.ok() && layer < layers; ++layer, layer_buckets *= expansion) {
    in.check(in.module_unsigned() == layer_buckets, kWrongSketch);
    const uint64_t bytes = layer_buckets * bucket_size;
    read_pieces(bytes, in, [&](uint64_t at, ByteView piece) {
      CHECK(made->write(heap, begin + at, piece).is_ok());
    });
    begin += bytes;
  }
  return kept_if_ok(*made, in, heap);
}

std::optional<CountMin> read_count_min(RdbReader& in, Heap& heap) {
  CountMin::Shape shape;
  shape.width = in.module_unsigned();
  shape.depth = in.module_unsigned();
  const uint64_t total = in.module_unsigned();
  in.check(shape.width > 0 && shape.depth > 0 && total <= INT64_MAX && CountMin::fits(shape),
           kWrongSketch);
  // Nothing is made that the bytes do not fill.
  if (in.ok())
    in.check(next_string_bytes(in) == shape.width * shape.depth * sizeof(uint32_t), kWrongSketch);
  if (!in.ok()) return std::nullopt;
  CountMin made = CountMin::create(heap, shape);
  made.set_total(static_cast<int64_t>(total));
  read_pieces(made.counter_bytes(), in,
              [&](uint64_t at, ByteView piece) { made.write(heap, at, piece); });
  return kept_if_ok(made, in, heap);
}

std::optional<TopK> read_top_k(RdbReader& in, Heap& heap) {
  TopK::Shape shape;
  shape.k = small_number(in);
  shape.width = small_number(in);
  shape.depth = small_number(in);
  shape.decay = in.module_double();
  in.check(shape.k > 0 && shape.width > 0 && shape.depth > 0 && shape.decay > 0 &&
               shape.decay <= 1 && TopK::fits(shape),
           kWrongSketch);
  if (in.ok())
    in.check(next_string_bytes(in) == uint64_t{shape.width} * shape.depth * kCellBytes,
             kWrongSketch);
  if (!in.ok()) return std::nullopt;
  TopK made = TopK::create(heap, shape);
  read_pieces(made.cell_bytes(), in,
              [&](uint64_t at, ByteView piece) { made.write_cells(heap, at, piece); });

  TopKList list = read_top_k_list(shape.k, in);
  in.check(!has_twins(list.places), "an item stands twice");
  if (!order_by_place(list.places)) order_by_count(list.places);
  made.set_dice(list.dice);
  for (const TopKPlace& place : list.places) {
    if (in.ok()) made.push_kept(heap, place.name, place.count);
  }
  return kept_if_ok(made, in, heap);
}

std::optional<TDigest> read_t_digest(RdbReader& in, Heap& heap) {
  TDigest::Saved saved;
  const double compression = in.module_double();
  const bool is_whole = compression >= 1 &&
                        compression <= static_cast<double>(TDigest::kCompressionMax) &&
                        compression == std::trunc(compression);
  if (!in.check(is_whole, kWrongSketch)) return std::nullopt;
  saved.compression = static_cast<int64_t>(compression);
  saved.min = in.module_double();
  saved.max = in.module_double();
  in.module_signed();  // nodes there is room for: follows from the compression
  const auto merged = static_cast<uint64_t>(in.module_signed());
  in.check(in.module_signed() == 0, "a t-digest was saved with samples that are not joined");
  saved.compressions = static_cast<uint64_t>(in.module_signed());
  const double weight = in.module_double();
  in.module_double();
  in.check(merged <= in.left() / (2 * kDoubleBytes), kWrongSketch);
  if (!in.ok()) return std::nullopt;
  std::vector<TDigest::Centroid> centroids(merged);
  double sum = 0;
  for (TDigest::Centroid& centroid : centroids) centroid.mean = in.module_double();
  for (TDigest::Centroid& centroid : centroids) sum += centroid.weight = in.module_double();
  in.check(sum == weight, kWrongSketch);
  if (!in.ok()) return std::nullopt;
  saved.centroids = centroids;
  return made_of(TDigest::from_saved(heap, saved), in);
}

}  // namespace ouro
