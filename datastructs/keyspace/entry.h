// SPDX-License-Identifier: BSD-3-Clause
// Entry: one key of a keyspace with its expiry and its value, or the handle of its value, in one
// allocation.
//
//   byte  0      4                       8            16       32       40
//        +------+-----------------------+------------+--------+--------+-----------+-----+--------+
//        | head | sizes of key and      | [deadline] | [fill] | [wide  | [payload] | key | [value |
//        |      | value, uses           |            |        |  key]  |           | ... |  ...]  |
//        +------+-----------------------+------------+--------+--------+-----------+-----+--------+
//   head: 24 bits of access clock (LRU) or minutes and counter (LFU), 4 bits Kind, 4 bits flags.
//   sizes: 14 bits each; uses: 4 bits, what eviction (eviction_order.h) knows of how the key was
//   used lately.
//   deadline: only with kHasDeadline. fill: what a cache that loads the value from elsewhere knows
//   of it, only with kHasFill. wide key: the size of a key of 16 KiB and more. payload: an integer,
//   a Blob* or the 8-byte handle of a collection; an embedded string has none, its bytes stand
//   behind the key.
//
// So a 16-byte key with a 16-byte value takes 40 bytes, 48 with an expiry: the same size class of
// the allocator. Strings below kBlobBytesMin are embedded, larger ones are Blobs. An entry is moved
// (and its table told by Dict::replace) when it gains or loses its deadline or its string outgrows
// the block: Keyspace does that.
#pragma once

#include <array>
#include <cstdint>

#include "datastructs/base/blob.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/bloom.h"
#include "datastructs/count_min.h"
#include "datastructs/cuckoo.h"
#include "datastructs/dict.h"
#include "datastructs/hash.h"
#include "datastructs/list.h"
#include "datastructs/set.h"
#include "datastructs/stream.h"
#include "datastructs/t_digest.h"
#include "datastructs/top_k.h"
#include "datastructs/zset.h"

namespace ouro {

// How the value is held.
enum class Kind : uint8_t {
  kInt,
  kEmbedded,
  kBlob,
  kList,
  kSet,
  kZSet,
  kHash,
  kStream,
  kBloom,
  kCuckoo,
  kCountMin,
  kTopK,
  kTDigest
};
// What TYPE says.
enum class Type : uint8_t {
  kString,
  kList,
  kSet,
  kZSet,
  kHash,
  kStream,
  kBloom,
  kCuckoo,
  kCountMin,
  kTopK,
  kTDigest
};

constexpr Type type_of(Kind kind) noexcept {
  switch (kind) {
    case Kind::kInt:
    case Kind::kEmbedded:
    case Kind::kBlob:
      return Type::kString;
    case Kind::kList:
      return Type::kList;
    case Kind::kSet:
      return Type::kSet;
    case Kind::kZSet:
      return Type::kZSet;
    case Kind::kHash:
      return Type::kHash;
    case Kind::kStream:
      return Type::kStream;
    case Kind::kBloom:
      return Type::kBloom;
    case Kind::kCuckoo:
      return Type::kCuckoo;
    case Kind::kCountMin:
      return Type::kCountMin;
    case Kind::kTopK:
      return Type::kTopK;
    case Kind::kTDigest:
      return Type::kTDigest;
  }
  return Type::kString;
}
// "string", "list", "set", "zset", "hash", "stream"; filters and sketches are called as by
// RedisBloom.
ByteView type_name(Type type) noexcept;

// Which Kind holds a collection handle of type T.
template <class T>
inline constexpr Kind kKindOf = Kind::kInt;
template <>
inline constexpr Kind kKindOf<List> = Kind::kList;
template <>
inline constexpr Kind kKindOf<Set> = Kind::kSet;
template <>
inline constexpr Kind kKindOf<ZSet> = Kind::kZSet;
template <>
inline constexpr Kind kKindOf<Hash> = Kind::kHash;
template <>
inline constexpr Kind kKindOf<Stream> = Kind::kStream;
template <>
inline constexpr Kind kKindOf<Bloom> = Kind::kBloom;
template <>
inline constexpr Kind kKindOf<Cuckoo> = Kind::kCuckoo;
template <>
inline constexpr Kind kKindOf<CountMin> = Kind::kCountMin;
template <>
inline constexpr Kind kKindOf<TopK> = Kind::kTopK;
template <>
inline constexpr Kind kKindOf<TDigest> = Kind::kTDigest;

// Calls visit with the handle of a collection as what it is. The one place that turns a Kind into a
// type. Requires: `handle` points at a handle of that kind, no string.
template <class Visit>
decltype(auto) visit_collection(Kind kind, void* handle, Visit visit) {
  switch (kind) {
    case Kind::kInt:
    case Kind::kEmbedded:
    case Kind::kBlob:
      break;
    case Kind::kList:
      return visit(*static_cast<List*>(handle));
    case Kind::kSet:
      return visit(*static_cast<Set*>(handle));
    case Kind::kZSet:
      return visit(*static_cast<ZSet*>(handle));
    case Kind::kHash:
      return visit(*static_cast<Hash*>(handle));
    case Kind::kStream:
      return visit(*static_cast<Stream*>(handle));
    case Kind::kBloom:
      return visit(*static_cast<Bloom*>(handle));
    case Kind::kCuckoo:
      return visit(*static_cast<Cuckoo*>(handle));
    case Kind::kCountMin:
      return visit(*static_cast<CountMin*>(handle));
    case Kind::kTopK:
      return visit(*static_cast<TopK*>(handle));
    case Kind::kTDigest:
      return visit(*static_cast<TDigest*>(handle));
  }
  OURO_UNREACHABLE();
}

// The text of an integer needs at most this.
using NumberText = std::array<char, 24>;

// What is known of a value that was loaded from elsewhere (protect/guard.h).
struct Fill {
  uint32_t stale_ms = 0;  // how long it may still be shown after its deadline
  uint32_t load_ms = 0;   // how long it took to load
  uint64_t version = 0;   // of its source; 0: none was told

  constexpr bool is_none() const noexcept { return (stale_ms | load_ms | version) == 0; }
  friend constexpr bool operator==(const Fill&, const Fill&) = default;
};
inline constexpr Fill kNoFill{};

class Entry {
 public:
  // What create() lays out room for.
  struct Shape {
    Kind kind;
    bool has_deadline;
    bool has_fill = false;
    size_t embedded_bytes = 0;
    size_t spare_bytes = 0;  // room for an embedded string to grow in place
  };
  static Entry* create(Heap& heap, ByteView key, Shape shape) noexcept;
  // A new entry with the same key, value and what else both have room for. The value is then owned
  // by it: what is left is for Heap::release().
  Entry* remade(Heap& heap, bool has_deadline, bool has_fill) const noexcept;

  ByteView key() const noexcept { return {key_bytes(), key_size()}; }
  Kind kind() const noexcept { return static_cast<Kind>((head_ >> 24) & 0xF); }
  Type type() const noexcept { return type_of(kind()); }
  bool is_string() const noexcept { return kind() <= Kind::kBlob; }

  bool has_deadline() const noexcept { return (head_ & kHasDeadline) != 0; }
  UnixMs deadline() const noexcept {
    return has_deadline() ? load<int64_t>(sizeof(Entry)) : kNoExpiry;
  }
  // Requires has_deadline().
  void set_deadline(UnixMs when) noexcept { store(sizeof(Entry), when); }
  bool has_fill() const noexcept { return (head_ & kHasFill) != 0; }
  Fill fill() const noexcept { return has_fill() ? load<Fill>(fill_at()) : Fill(); }
  // Requires has_fill().
  void set_fill(const Fill& fill) noexcept { store(fill_at(), fill); }
  // The end of the time in which the value may be shown as stale: not before its deadline.
  UnixMs stale_until() const noexcept { return deadline() + fill().stale_ms; }
  bool is_due(UnixMs now) const noexcept { return has_deadline() && deadline() <= now; }

  uint32_t access() const noexcept { return head_ & kAccessMask; }
  void set_access(uint32_t clock) noexcept {
    head_ = (head_ & ~kAccessMask) | (clock & kAccessMask);
  }
  static constexpr uint32_t kAccessMask = (1U << 24) - 1;

  // ---- what eviction asks for
  // How often the key was used since it was new, or since uses were taken back: exact up to
  // kUsesExact, above it a step stands for eight times as many as the step before.
  unsigned uses() const noexcept { return sizes_ >> kUsesAt & kUsesMax; }
  void set_uses(unsigned uses) noexcept {
    sizes_ = (sizes_ & ~(kUsesMax << kUsesAt)) | static_cast<uint32_t>(uses) << kUsesAt;
  }
  // One use more. Above kUsesExact only some count, by the lowest bits of `dice`.
  void note_use(uint64_t dice) noexcept {
    const unsigned before = uses();
    if (before >= kUsesExact) {
      const unsigned bits = 3 * (before - kUsesExact + 1);
      if (before == kUsesMax || (dice & ((uint64_t{1} << bits) - 1)) != 0) return;
    }
    sizes_ += 1U << kUsesAt;
  }
  static constexpr unsigned kUsesExact = 3;
  static constexpr unsigned kUsesMax = 7;
  // A new key that has still to show that it is used again.
  bool is_on_trial() const noexcept { return (sizes_ & kOnTrial) != 0; }
  void set_on_trial(bool on) noexcept { sizes_ = on ? sizes_ | kOnTrial : sizes_ & ~kOnTrial; }
  // What is known of the use of another, in whose place this one stands.
  void take_use_of(const Entry& other) noexcept {
    set_access(other.access());
    set_uses(other.uses());
    set_on_trial(other.is_on_trial());
  }

  // Has this kind and this layout, and is no string that was edited.
  bool is_plain(Kind its_kind, bool with_deadline, bool with_fill) const noexcept {
    const uint32_t wanted = static_cast<uint32_t>(its_kind) << 24 |
                            (with_deadline ? kHasDeadline : 0) | (with_fill ? kHasFill : 0);
    return (head_ & (0xFU << 24 | kHasDeadline | kHasFill | kEdited)) == wanted;
  }

  // ---- strings
  // A string that was changed in place: OBJECT ENCODING calls it raw, as in Redis.
  bool was_edited() const noexcept { return (head_ & kEdited) != 0; }
  void set_edited() noexcept { head_ |= kEdited; }
  int64_t integer() const noexcept { return load<int64_t>(payload_at()); }
  void set_integer(int64_t value) noexcept { store(payload_at(), value); }
  Blob* blob() const noexcept { return load<Blob*>(payload_at()); }
  void set_blob(Blob* blob) noexcept { store(payload_at(), blob); }
  ByteView embedded() const noexcept { return {key_bytes() + key_size(), value_size()}; }
  char* embedded_bytes() noexcept { return const_cast<char*>(key_bytes()) + key_size(); }
  // Bytes an embedded string may have without moving the entry.
  size_t embedded_room() const noexcept;
  void set_embedded_size(size_t bytes) noexcept {
    sizes_ = (sizes_ & ~(kSizeMask << kSizeBits)) | static_cast<uint32_t>(bytes) << kSizeBits;
  }
  // The string's bytes; an integer is printed into `scratch`.
  ByteView text(NumberText& scratch) const noexcept;
  size_t text_size() const noexcept;

  // ---- collections: the handle inside this entry. Requires the matching kind.
  template <class T>
  T& as() noexcept {
    DCHECK(kind() == kKindOf<T>);
    return *reinterpret_cast<T*>(reinterpret_cast<char*>(this) + payload_at());
  }
  template <class T>
  const T& as() const noexcept {
    return const_cast<Entry*>(this)->as<T>();
  }
  // Calls visit with the handle inside this entry, as what it is. Requires !is_string().
  template <class Visit>
  decltype(auto) visit(Visit visit) const {
    void* self = const_cast<Entry*>(this);
    return visit_collection(kind(), static_cast<char*>(self) + payload_at(), visit);
  }
  // The contents of a filter or sketch as bytes, in a fixed order. Requires one.
  void for_each_part(FunctionRef<void(ByteView)> visit_part) const;
  // No element (hash field, member of a set or sorted set) is due before; kNever if none has a
  // deadline. May be a lower bound.
  UnixMs next_element_deadline() const;
  // A set or sorted set some of whose members end by the clock; it shows them until they are
  // removed. Not for hashes, which hide what is due themselves.
  bool has_timed_members() const noexcept {
    return (kind() == Kind::kSet && as<Set>().has_deadlines()) ||
           (kind() == Kind::kZSet && as<ZSet>().has_deadlines());
  }
  // A set or sorted set known to have no member that is not due.
  bool has_only_due_members(UnixMs now) const noexcept {
    return (kind() == Kind::kSet && as<Set>().are_all_due(now)) ||
           (kind() == Kind::kZSet && as<ZSet>().are_all_due(now));
  }
  // As OBJECT ENCODING of Redis 7.0 names it.
  ByteView encoding() const noexcept;
  // The eight payload bytes, whatever they are. Requires kind() != kEmbedded.
  uint64_t payload() const noexcept { return load<uint64_t>(payload_at()); }
  void set_payload(uint64_t word) noexcept { store(payload_at(), word); }

  // This allocation and all that the value owns.
  size_t memory_bytes() const noexcept;

 private:
  static constexpr uint32_t kHasDeadline = 1U << 28;
  static constexpr uint32_t kWideKey = 1U << 29;
  static constexpr uint32_t kEdited = 1U << 30;
  static constexpr uint32_t kHasFill = 1U << 31;
  static constexpr uint32_t kSizeBits = 14;
  static constexpr uint32_t kSizeMask = (1U << kSizeBits) - 1;
  static constexpr uint32_t kUsesAt = 2 * kSizeBits;
  static constexpr uint32_t kOnTrial = 1U << 31;  // of sizes_

  Entry() = default;
  size_t fill_at() const noexcept { return sizeof(Entry) + (has_deadline() ? 8U : 0U); }
  size_t key_size() const noexcept {
    return (head_ & kWideKey) == 0 ? sizes_ & kSizeMask : load<uint64_t>(payload_at() - 8);
  }
  size_t value_size() const noexcept { return sizes_ >> kSizeBits & kSizeMask; }
  // By the four flags of the head.
  static constexpr std::array<uint8_t, 16> kPayloadAt = [] {
    std::array<uint8_t, 16> at{};
    for (uint32_t flags = 0; flags < at.size(); ++flags) {
      const auto has = [flags](uint32_t flag) { return (flags << 28 & flag) != 0; };
      at[flags] = static_cast<uint8_t>(8 + (has(kHasDeadline) ? 8 : 0) + (has(kHasFill) ? 16 : 0) +
                                       (has(kWideKey) ? 8 : 0));
    }
    return at;
  }();
  size_t payload_at() const noexcept { return kPayloadAt[head_ >> 28]; }
  const char* key_bytes() const noexcept {
    return reinterpret_cast<const char*>(this) + payload_at() +
           (kind() == Kind::kEmbedded ? 0U : 8U);
  }
  template <class T>
  T load(size_t at) const noexcept {
    return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(this) + at);
  }
  template <class T>
  void store(size_t at, T value) noexcept {
    *reinterpret_cast<T*>(reinterpret_cast<char*>(this) + at) = value;
  }

  uint32_t head_ = 0;
  uint32_t sizes_ = 0;
};
static_assert(sizeof(Entry) == 8);
static_assert(sizeof(List) == 8 && sizeof(Set) == 8 && sizeof(ZSet) == 8 && sizeof(Hash) == 8 &&
              sizeof(Stream) == 8);
static_assert(kBlobBytesMin <= 1U << 14, "an embedded string's size has 14 bits");

template <>
struct DictTraits<Entry> {
  static ByteView key(const Entry& entry) { return entry.key(); }
  static UnixMs deadline(const Entry& entry) { return entry.deadline(); }
};

}  // namespace ouro
