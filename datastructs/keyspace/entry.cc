// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/entry.h"

#include <cstring>

#include "datastructs/codec/number_text.h"

namespace ouro {

ByteView type_name(Type type) noexcept {
  switch (type) {
    case Type::kString:
      return "string";
    case Type::kList:
      return "list";
    case Type::kSet:
      return "set";
    case Type::kZSet:
      return "zset";
    case Type::kHash:
      return "hash";
    case Type::kBloom:
      return "MBbloom--";
    case Type::kCuckoo:
      return "MBbloomCF";
    case Type::kCountMin:
      return "CMSk-TYPE";
    case Type::kTopK:
      return "TopK-TYPE";
    case Type::kTDigest:
      return "TDIS-TYPE";
    case Type::kStream:
      return "stream";
  }
  return "";
}

Entry* Entry::create(Heap& heap, ByteView key, Shape shape) noexcept {
  const bool wide = key.size() > kSizeMask;
  const uint32_t head = (static_cast<uint32_t>(shape.kind) << 24) |
                        (shape.has_deadline ? kHasDeadline : 0U) |
                        (shape.has_fill ? kHasFill : 0U) | (wide ? kWideKey : 0U);
  const size_t payload_at = kPayloadAt[head >> 28];
  const bool embedded = shape.kind == Kind::kEmbedded;
  const size_t key_at = payload_at + (embedded ? 0U : 8U);
  CHECK(shape.embedded_bytes < kBlobBytesMin);
  void* block = heap.allocate(key_at + key.size() + shape.embedded_bytes + shape.spare_bytes);
  Entry* entry = new (block) Entry();
  entry->head_ = head;
  if (shape.has_fill) entry->set_fill(kNoFill);
  if (wide) {
    entry->store<uint64_t>(payload_at - 8, key.size());
  } else {
    entry->sizes_ = static_cast<uint32_t>(key.size());
  }
  entry->set_embedded_size(shape.embedded_bytes);
  if (!key.empty()) std::memcpy(static_cast<char*>(block) + key_at, key.data(), key.size());
  return entry;
}

Entry* Entry::remade(Heap& heap, bool has_deadline, bool has_fill) const noexcept {
  const bool is_embedded = kind() == Kind::kEmbedded;
  const ByteView text = is_embedded ? embedded() : ByteView();
  Entry* fresh = create(heap, key(),
                        {.kind = kind(),
                         .has_deadline = has_deadline,
                         .has_fill = has_fill,
                         .embedded_bytes = text.size()});
  if (!text.empty()) std::memcpy(fresh->embedded_bytes(), text.data(), text.size());
  if (!is_embedded) fresh->set_payload(payload());
  fresh->take_use_of(*this);
  if (was_edited()) fresh->set_edited();
  if (has_deadline && this->has_deadline()) fresh->set_deadline(deadline());
  if (has_fill && this->has_fill()) fresh->set_fill(fill());
  return fresh;
}

size_t Entry::embedded_room() const noexcept {
  const size_t at = payload_at() + key_size();
  const size_t room = Heap::usable_bytes(this) - at;
  return room < kBlobBytesMin ? room : kBlobBytesMin - 1;
}

ByteView Entry::text(NumberText& scratch) const noexcept {
  switch (kind()) {
    case Kind::kInt:
      return {scratch.data(), format_int64(integer(), scratch.data())};
    case Kind::kEmbedded:
      return embedded();
    default:
      DCHECK(kind() == Kind::kBlob);
      return blob()->view();
  }
}

size_t Entry::text_size() const noexcept {
  NumberText scratch;
  return text(scratch).size();
}

ByteView Entry::encoding() const noexcept {
  // Redis embeds strings up to this size; clients see the name only.
  constexpr size_t kEmbstrBytesMax = 44;
  switch (kind()) {
    case Kind::kInt:
      return "int";
    case Kind::kEmbedded:
      return value_size() <= kEmbstrBytesMax && !was_edited() ? "embstr" : "raw";
    case Kind::kBlob:
      return "raw";
    default:
      return visit([](const auto& value) { return value.encoding(); });
  }
}

void Entry::for_each_part(FunctionRef<void(ByteView)> visit_part) const {
  visit([&](const auto& value) {
    if constexpr (requires { value.for_each_part(visit_part); }) {
      value.for_each_part(visit_part);
    } else {
      OURO_UNREACHABLE();
    }
  });
}

size_t Entry::memory_bytes() const noexcept {
  const size_t own = Heap::usable_bytes(this);
  switch (kind()) {
    case Kind::kInt:
    case Kind::kEmbedded:
      return own;
    case Kind::kBlob:
      return own + blob()->memory_bytes();
    default:
      return own + visit([](const auto& value) { return value.memory_bytes(); });
  }
}

UnixMs Entry::next_element_deadline() const {
  switch (kind()) {
    case Kind::kSet:
      return as<Set>().next_deadline();
    case Kind::kZSet:
      return as<ZSet>().next_deadline();
    case Kind::kHash:
      return as<Hash>().next_deadline();
    default:
      return kNever;
  }
}

}  // namespace ouro
