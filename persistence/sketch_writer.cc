// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <limits>
#include <vector>

#include "datastructs/chunked_bytes.h"
#include "datastructs/codec/little_endian.h"
#include "persistence/module_id.h"
#include "persistence/sketch_codec.h"
#include "persistence/write_budget.h"

namespace ouro {
namespace {

constexpr size_t kPieceBytes = ChunkedBytes::kChunkBytes;

void begin(uint64_t module, RdbWriter& out) {
  out.need(RdbDialect::kRedisBloom);
  out.module_id(module);
}

class BloomWriter final : public SketchWriter {
 public:
  // The header has all that is wanted, in another order.
  explicit BloomWriter(const Bloom& bloom)
      : bloom_(bloom), header_(bloom.header()), from_(header_) {}

 private:
  std::string read_array(uint64_t at, size_t bytes_max) const override {
    return bloom_.read(at, bytes_max);
  }
  bool write_numbers(RdbWriter& out) override {
    if (!has_begun_) {
      out.module_unsigned(take_fixed<uint64_t>(from_));
      out.module_unsigned(take_fixed<uint32_t>(from_));
      out.module_unsigned(take_fixed<uint32_t>(from_));
      out.module_unsigned(take_fixed<uint32_t>(from_));
      has_begun_ = true;
    } else {
      out.module_unsigned(items_);
    }
    if (from_.empty()) {
      out.module_end();
      return true;
    }
    write_layer(out);
    return false;
  }
  void write_layer(RdbWriter& out) {
    const auto bytes = take_fixed<uint64_t>(from_);
    const auto bits = take_fixed<uint64_t>(from_);
    items_ = take_fixed<uint64_t>(from_);
    const auto error = take_fixed<double>(from_);
    const auto bits_an_item = take_fixed<double>(from_);
    const auto hashes = take_fixed<uint32_t>(from_);
    out.module_unsigned(take_fixed<uint64_t>(from_));
    out.module_double(error);
    out.module_unsigned(hashes);
    out.module_double(bits_an_item);
    out.module_unsigned(bits);
    out.module_unsigned(take_fixed<uint8_t>(from_));
    begin_array(bytes, out);
  }

  const Bloom& bloom_;
  std::string header_;
  ByteView from_;
  bool has_begun_ = false;
  uint64_t items_ = 0;  // of the layer whose bits are written
};

class CuckooWriter final : public SketchWriter {
 public:
  explicit CuckooWriter(const Cuckoo& cuckoo) : cuckoo_(cuckoo), buckets_(cuckoo.buckets()) {}

 private:
  std::string read_array(uint64_t at, size_t bytes_max) const override {
    return cuckoo_.read(at, bytes_max);
  }
  bool write_numbers(RdbWriter& out) override {
    if (layer_ == 0) write_head(out);
    if (layer_ == cuckoo_.layers()) {
      out.module_end();
      return true;
    }
    out.module_unsigned(buckets_);
    begin_array(buckets_ * cuckoo_.bucket_size(), out);
    ++layer_;
    buckets_ *= cuckoo_.expansion();
    return false;
  }
  void write_head(RdbWriter& out) const {
    out.module_unsigned(cuckoo_.layers());
    out.module_unsigned(cuckoo_.buckets());
    out.module_unsigned(cuckoo_.size());
    out.module_unsigned(cuckoo_.removed());
    out.module_unsigned(cuckoo_.bucket_size());
    out.module_unsigned(cuckoo_.max_iterations());
    out.module_unsigned(cuckoo_.expansion());
  }

  const Cuckoo& cuckoo_;
  uint16_t layer_ = 0;
  uint64_t buckets_;  // of that layer
};

class CountMinWriter final : public SketchWriter {
 public:
  explicit CountMinWriter(const CountMin& sketch) : sketch_(sketch) {}

 private:
  std::string read_array(uint64_t at, size_t bytes_max) const override {
    return sketch_.read(at, bytes_max);
  }
  bool write_numbers(RdbWriter& out) override {
    if (has_begun_) {
      out.module_end();
      return true;
    }
    has_begun_ = true;
    out.module_unsigned(sketch_.width());
    out.module_unsigned(sketch_.depth());
    out.module_unsigned(static_cast<uint64_t>(sketch_.total()));
    begin_array(sketch_.counter_bytes(), out);
    return false;
  }

  const CountMin& sketch_;
  bool has_begun_ = false;
};

class TopKWriter final : public SketchWriter {
 public:
  explicit TopKWriter(const TopK& top) : top_(top) {}

 private:
  struct Place {
    TopK::Kept kept;
    uint32_t heap_place = 0;  // plus one
  };
  // Items that one piece has.
  static constexpr size_t kItemsAtOnce = 64;

  std::string read_array(uint64_t at, size_t bytes_max) const override {
    return top_.read_cells(at, bytes_max);
  }
  bool write_numbers(RdbWriter& out) override {
    if (!has_begun_) {
      has_begun_ = true;
      write_head(out);
      return false;
    }
    if (places_.empty()) {
      write_places(out);
      return false;
    }
    const size_t end = std::min(items_written_ + kItemsAtOnce, places_.size());
    for (; items_written_ < end; ++items_written_) {
      std::string item(places_[items_written_].kept.item);
      item += '\0';
      out.module_string(item);
    }
    if (end < places_.size()) return false;
    out.module_end();
    return true;
  }
  void write_head(RdbWriter& out) {
    const TopK::Shape& shape = top_.shape();
    out.module_unsigned(shape.k);
    out.module_unsigned(shape.width);
    out.module_unsigned(shape.depth);
    out.module_double(shape.decay);
    begin_array(top_.cell_bytes(), out);
  }
  void write_places(RdbWriter& out) {
    top_.for_each_in_heap([&](const TopK::Kept& kept) {
      places_.push_back({kept, static_cast<uint32_t>(places_.size() + 1)});
    });
    std::stable_sort(places_.begin(), places_.end(),
                     [](const Place& a, const Place& b) { return a.kept.count < b.kept.count; });
    places_.insert(places_.begin(), top_.shape().k - places_.size(), Place());
    std::string bytes;
    for (const Place& place : places_) {
      append_fixed(bytes, place.kept.fingerprint);
      append_fixed(bytes, static_cast<uint32_t>(place.kept.item.size()));
      append_fixed(bytes, bytes.size() < sizeof(uint64_t) + 1 ? top_.dice() : uint64_t{0});
      append_fixed(bytes, place.kept.count);
      append_fixed(bytes, place.heap_place);
    }
    out.module_string(bytes);
  }

  const TopK& top_;
  bool has_begun_ = false;
  std::vector<Place> places_;
  size_t items_written_ = 0;
};

class TDigestWriter final : public SketchWriter {
 public:
  explicit TDigestWriter(const TDigest& digest) : digest_(digest) {}

 private:
  std::string read_array(uint64_t /*at*/, size_t /*bytes_max*/) const override { return {}; }
  bool write_numbers(RdbWriter& out) override {
    const TDigest::View view = digest_.view();
    const bool is_empty = view.centroids().empty();
    constexpr double kDoubleMax = std::numeric_limits<double>::max();
    out.module_double(static_cast<double>(digest_.compression()));
    out.module_double(is_empty ? kDoubleMax : view.min());
    out.module_double(is_empty ? -kDoubleMax : view.max());
    out.module_signed(digest_.capacity());
    out.module_signed(static_cast<int64_t>(view.centroids().size()));
    out.module_signed(0);
    out.module_signed(
        static_cast<int64_t>(digest_.compressions() + (digest_.unmerged_nodes() > 0 ? 1 : 0)));
    out.module_double(view.total());
    out.module_double(0);
    for (const TDigest::Centroid& centroid : view.centroids()) out.module_double(centroid.mean);
    for (const TDigest::Centroid& centroid : view.centroids()) out.module_double(centroid.weight);
    out.module_end();
    return true;
  }

  const TDigest& digest_;
};

}  // namespace

bool SketchWriter::next(size_t& budget, RdbWriter& out) {
  spend(budget, write_units(std::min<uint64_t>(array_left_, kPieceBytes)));
  if (array_left_ == 0) return write_numbers(out);
  const std::string piece =
      read_array(at_, static_cast<size_t>(std::min<uint64_t>(kPieceBytes, array_left_)));
  out.raw(piece);
  at_ += piece.size();
  array_left_ -= piece.size();
  return false;
}

// What is one piece may be packed.
void SketchWriter::begin_array(uint64_t bytes, RdbWriter& out) {
  if (bytes > kPieceBytes) {
    out.module_string_begin(bytes);
    array_left_ = bytes;
    return;
  }
  out.module_string(read_array(at_, static_cast<size_t>(bytes)));
  at_ += bytes;
}

void begin_sketch(const Bloom& /*bloom*/, RdbWriter& out) { begin(kBloomModule, out); }
void begin_sketch(const Cuckoo& /*cuckoo*/, RdbWriter& out) { begin(kCuckooModule, out); }
void begin_sketch(const CountMin& /*sketch*/, RdbWriter& out) { begin(kCountMinModule, out); }
void begin_sketch(const TopK& /*top*/, RdbWriter& out) { begin(kTopKModule, out); }
void begin_sketch(const TDigest& /*digest*/, RdbWriter& out) { begin(kTDigestModule, out); }

std::unique_ptr<SketchWriter> sketch_writer(const Bloom& bloom) {
  return std::make_unique<BloomWriter>(bloom);
}
std::unique_ptr<SketchWriter> sketch_writer(const Cuckoo& cuckoo) {
  return std::make_unique<CuckooWriter>(cuckoo);
}
std::unique_ptr<SketchWriter> sketch_writer(const CountMin& sketch) {
  return std::make_unique<CountMinWriter>(sketch);
}
std::unique_ptr<SketchWriter> sketch_writer(const TopK& top) {
  return std::make_unique<TopKWriter>(top);
}
std::unique_ptr<SketchWriter> sketch_writer(const TDigest& digest) {
  return std::make_unique<TDigestWriter>(digest);
}

}  // namespace ouro
