// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/value.h"

namespace ouro {
namespace {

template <class T>
uint64_t payload_of(const T& value) noexcept {
  uint64_t payload = 0;
  new (&payload) T(value);
  return payload;
}

}  // namespace

Value Value::copy_of(Heap& heap, const Entry& entry) noexcept {
  Value value{.kind = entry.kind(), .edited = entry.was_edited()};
  switch (entry.kind()) {
    case Kind::kInt:
      value.payload = entry.payload();
      break;
    case Kind::kEmbedded:
    case Kind::kBlob: {
      NumberText scratch;
      value.kind = Kind::kBlob;
      value.payload = reinterpret_cast<uint64_t>(Blob::create_from(heap, entry.text(scratch)));
      break;
    }
    default:
      value.payload = entry.visit([&](const auto& from) { return payload_of(from.copy(heap)); });
  }
  return value;
}

bool Value::needs_view(const Entry& entry) noexcept {
  switch (entry.kind()) {
    case Kind::kBlob:
      return entry.blob()->size() >= kViewedBlobBytesMin;
    case Kind::kSet:
      return entry.as<Set>().is_table();
    case Kind::kZSet:
      return entry.as<ZSet>().is_table();
    case Kind::kHash:
      return entry.as<Hash>().is_table();
    default:
      return false;
  }
}

Value Value::share_of(Heap& heap, const Entry& entry) noexcept {
  DCHECK(!entry.is_string());
  DCHECK(!needs_view(entry));
  return {.kind = entry.kind(), .payload = entry.visit([&](const auto& from) {
            return payload_of([&] {
              if constexpr (requires { from.share(heap); }) {
                return from.share(heap);
              } else {
                return from.copy(heap);
              }
            }());
          })};
}

Value Value::of(const Entry& entry) noexcept {
  Value value{.kind = entry.kind(), .edited = entry.was_edited()};
  if (value.kind != Kind::kEmbedded) value.payload = entry.payload();
  return value;
}

bool Value::free_some(Heap& heap, size_t& budget) noexcept {
  switch (kind) {
    case Kind::kInt:
    case Kind::kEmbedded:
      return true;
    case Kind::kBlob:
      Blob::unpin(heap, reinterpret_cast<Blob*>(payload));
      kind = Kind::kInt;
      if (budget > 0) --budget;
      return true;
    default:
      return visit_collection(kind, &payload,
                              [&](auto& value) { return value.free_some(heap, budget); });
  }
}

size_t Value::free_effort() const noexcept {
  if (kind <= Kind::kBlob) return 1;
  return visit_collection(kind, const_cast<uint64_t*>(&payload),
                          [](const auto& value) { return value.free_effort(); });
}

size_t Value::memory_bytes() const noexcept {
  if (kind == Kind::kBlob) return reinterpret_cast<const Blob*>(payload)->memory_bytes();
  if (kind < Kind::kBlob) return 0;
  return visit_collection(kind, const_cast<uint64_t*>(&payload),
                          [](const auto& value) { return value.memory_bytes(); });
}

bool Value::has_views() const noexcept {
  if (kind == Kind::kBlob) return reinterpret_cast<const Blob*>(payload)->has_views();
  if (kind < Kind::kBlob) return false;
  return visit_collection(kind, const_cast<uint64_t*>(&payload), [](const auto& value) {
    if constexpr (requires { value.has_views(); }) {
      return value.has_views();
    } else {
      return false;
    }
  });
}

}  // namespace ouro
