// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/key_filter.h"

#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "datastructs/codec/little_endian.h"
#include "datastructs/layer_run.h"

namespace ouro {
namespace {

constexpr size_t kFirstLayerBytes = 32_KiB;
static_assert((size_t{kFirstLayerBytes} << KeyFilter::kLayersMax) - kFirstLayerBytes <=
              KeyFilter::kBytesMax);
// After so many a layer holds 19 tags in 20 places (tests/unit/datastructs/key_filter_test.cc);
// what more would find is not worth the longest of these walks.
constexpr size_t kMovesMax = 256;

// ---- a bucket
constexpr unsigned kTagBits = 21;
constexpr unsigned kTags = 3;
constexpr uint64_t kTagMask = (uint64_t{1} << kTagBits) - 1;
constexpr uint64_t kFree = 0;
constexpr uint64_t kLows = 1 | uint64_t{1} << kTagBits | uint64_t{1} << (2 * kTagBits);
constexpr uint64_t kHighs = kLows << (kTagBits - 1);

// How far the first tag of the bucket that is `tag` is shifted, if one is.
// A tag is zero after the exclusive or if it borrows and had no top bit; the first that seems so
// is.
std::optional<unsigned> find_in(uint64_t bucket, uint64_t tag) noexcept {
  const uint64_t differences = bucket ^ (tag * kLows);
  const uint64_t zeros = (differences - kLows) & ~differences & kHighs;
  if (zeros == 0) return std::nullopt;
  return static_cast<unsigned>(std::countr_zero(zeros)) - (kTagBits - 1);
}

uint64_t with_tag(uint64_t bucket, unsigned shift, uint64_t tag) noexcept {
  return (bucket & ~(kTagMask << shift)) | tag << shift;
}

}  // namespace

// What is left of a key.
struct KeyFilter::Mark {
  uint64_t tag;
  uint64_t bucket;  // before it is taken modulo a layer's buckets
};

struct KeyFilter::Layer {
  ChunkedBytes bytes;

  struct Place {
    uint64_t bucket;
    unsigned shift;
  };

  uint64_t mask() const noexcept { return bytes.size() / sizeof(uint64_t) - 1; }
  uint64_t home(const Mark& mark) const noexcept { return mark.bucket & mask(); }
  // Never the same one.
  uint64_t other(uint64_t bucket, uint64_t tag) const noexcept {
    return (bucket ^ (tag * 0x9E3779B97F4A7C15ULL >> 32 | 1)) & mask();
  }
  uint64_t bucket(uint64_t at) const noexcept { return bytes.get<uint64_t>(at); }
  uint64_t tag(const Place& place) const noexcept {
    return bucket(place.bucket) >> place.shift & kTagMask;
  }
  void set_tag(Heap& heap, const Place& place, uint64_t tag) noexcept {
    bytes.set(heap, place.bucket, with_tag(bucket(place.bucket), place.shift, tag));
  }

  // A place in one of the mark's two buckets that holds `tag`.
  std::optional<Place> find(const Mark& mark, uint64_t tag) const noexcept {
    const uint64_t first = home(mark);
    if (const auto shift = find_in(bucket(first), tag)) return Place{first, *shift};
    const uint64_t second = other(first, mark.tag);
    if (const auto shift = find_in(bucket(second), tag)) return Place{second, *shift};
    return std::nullopt;
  }
  bool put(Heap& heap, const Mark& mark) noexcept {
    const auto free = find(mark, kFree);
    if (free) set_tag(heap, *free, mark.tag);
    return free.has_value();
  }
  bool put_by_moves(Heap& heap, const Mark& mark) noexcept;
};

struct KeyFilter::Head {
  HashSeed seed;
  uint64_t keys = 0;
  bool full = false;
};

// Puts the mark into its full first bucket: each tag that has to go moves on to its other bucket,
// until one of these has room. False, with all of them back where they were, when that takes too
// long. The place in the bucket goes round, so the same calls give the same bytes.
bool KeyFilter::Layer::put_by_moves(Heap& heap, const Mark& mark) noexcept {
  std::array<Place, kMovesMax> way;
  uint64_t tag = mark.tag;
  uint64_t at = home(mark);
  const auto exchange = [&](const Place& place) {
    const uint64_t out = this->tag(place);
    set_tag(heap, place, std::exchange(tag, out));
  };
  for (unsigned moves = 0; moves < kMovesMax; ++moves) {
    way[moves] = {at, moves % kTags * kTagBits};
    exchange(way[moves]);
    at = other(at, tag);
    if (const auto free = find_in(bucket(at), kFree)) {
      set_tag(heap, {at, *free}, tag);
      return true;
    }
  }
  for (size_t moves = kMovesMax; moves > 0; --moves) exchange(way[moves - 1]);
  return false;
}

KeyFilter::KeyFilter(Heap& heap, HashSeed seed) noexcept
    : KeyFilter(heap, heap.make<Table>(Head{.seed = seed})) {
  add_layer();
}

KeyFilter::~KeyFilter() {
  size_t budget = SIZE_MAX;
  free_some(budget);
}

std::unique_ptr<KeyFilter> KeyFilter::share() const {
  return std::unique_ptr<KeyFilter>(new KeyFilter(heap_, table_->share(heap_)));
}

void KeyFilter::add_layer() noexcept {
  const size_t bytes = kFirstLayerBytes << table_->layer_count();
  table_ = Table::push(heap_, table_, Layer{ChunkedBytes::create(heap_, bytes)});
}

KeyFilter::Mark KeyFilter::mark_of(ByteView key) const noexcept {
  const Hash64 hash = hash_bytes(key, table_->seed);
  return {.tag = 1 + (hash >> 32) % kTagMask, .bucket = hash & UINT32_MAX};
}

bool KeyFilter::add(ByteView key) noexcept {
  const Mark mark = mark_of(key);
  if (table_->full || contains(mark)) return false;
  bool done = false;
  // What was removed leaves room in old layers; without that they are full.
  for (size_t i = 0; i < table_->layer_count() && !done; ++i) {
    done = table_->layers()[i].put(heap_, mark);
  }
  if (!done) done = table_->newest().put_by_moves(heap_, mark);
  if (!done && table_->layer_count() < kLayersMax) {
    add_layer();
    done = table_->newest().put(heap_, mark);
    CHECK(done);
  }
  if (done) ++table_->keys;
  if (!done) table_->full = true;
  return done;
}

bool KeyFilter::remove(ByteView key) noexcept {
  const Mark mark = mark_of(key);
  // The newest first: it has the most buckets, so what is found there is the least likely to be
  // another key's.
  for (size_t i = table_->layer_count(); i > 0; --i) {
    Layer& layer = table_->layers()[i - 1];
    const auto place = layer.find(mark, mark.tag);
    if (!place) continue;
    layer.set_tag(heap_, *place, kFree);
    // A dump may hold more than its header says.
    if (table_->keys > 0) --table_->keys;
    return true;
  }
  return false;
}

bool KeyFilter::may_contain(ByteView key) const noexcept {
  return table_->full || contains(mark_of(key));
}

bool KeyFilter::contains(const Mark& mark) const noexcept {
  // Half of all keys are in the newest.
  for (size_t i = table_->layer_count(); i > 0; --i) {
    if (table_->layers()[i - 1].find(mark, mark.tag)) return true;
  }
  return false;
}

bool KeyFilter::is_full() const noexcept { return table_->full; }
uint64_t KeyFilter::size() const noexcept { return table_->keys; }
uint16_t KeyFilter::layer_count() const noexcept { return table_->layer_count(); }

std::string KeyFilter::header() const {
  std::string out;
  append_fixed(out, table_->seed.value);
  append_fixed(out, table_->keys);
  append_fixed(out, table_->layer_count());
  append_fixed<uint8_t>(out, table_->full);
  return out;
}

Result<std::unique_ptr<KeyFilter>> KeyFilter::from_header(Heap& heap, ByteView header) {
  if (header.size() != kHeaderBytes) return Err::kCorrupt;
  const HashSeed seed{take_fixed<uint64_t>(header)};
  const auto keys = take_fixed<uint64_t>(header);
  const auto layers = take_fixed<uint16_t>(header);
  const auto full = take_fixed<uint8_t>(header);
  if (layers == 0 || layers > kLayersMax || full > 1) return Err::kCorrupt;
  auto made = std::make_unique<KeyFilter>(heap, seed);
  while (made->layer_count() < layers) made->add_layer();
  made->table_->keys = keys;
  made->table_->full = full != 0;
  return made;
}

std::string KeyFilter::read(uint64_t at, size_t bytes_max) const {
  return table_->read(at, bytes_max);
}

Status KeyFilter::write(uint64_t at, ByteView bytes) noexcept {
  return table_->write(heap_, at, bytes);
}

uint64_t KeyFilter::run_bytes() const noexcept { return table_->bytes(); }

std::optional<uint64_t> KeyFilter::count_tags(ByteView piece) noexcept {
  if (piece.size() % sizeof(uint64_t) != 0) return std::nullopt;
  uint64_t tags = 0;
  while (!piece.empty()) {
    const auto bucket = take_fixed<uint64_t>(piece);
    if (bucket >> (kTags * kTagBits) != 0) return std::nullopt;
    for (unsigned i = 0; i < kTags; ++i) tags += (bucket >> (i * kTagBits) & kTagMask) != kFree;
  }
  return tags;
}

size_t KeyFilter::memory_bytes() const noexcept { return table_->memory_bytes(); }

bool KeyFilter::free_some(size_t& budget) noexcept {
  return Table::free_some(heap_, table_, budget);
}

void KeyFilter::check_invariants() const {
  table_->check_invariants();
  uint64_t tags = 0;
  for (const Layer& layer : table_->layers()) {
    for (uint64_t at = 0; at <= layer.mask(); ++at) {
      CHECK(layer.bucket(at) >> (kTags * kTagBits) == 0);
      for (unsigned i = 0; i < kTags; ++i) tags += layer.tag({at, i * kTagBits}) != kFree;
    }
  }
  CHECK(tags == table_->keys);
}

}  // namespace ouro
