// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/value.h"

namespace ouro {
namespace {

template <class T>
uint64_t payload_of_copy(Heap& heap, const T& value) noexcept {
  uint64_t payload = 0;
  new (&payload) T(value.copy(heap));
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
    case Kind::kList:
      value.payload = payload_of_copy(heap, entry.as<List>());
      break;
    case Kind::kSet:
      value.payload = payload_of_copy(heap, entry.as<Set>());
      break;
    case Kind::kZSet:
      value.payload = payload_of_copy(heap, entry.as<ZSet>());
      break;
    case Kind::kHash:
      value.payload = payload_of_copy(heap, entry.as<Hash>());
      break;
    case Kind::kStream:
      value.payload = payload_of_copy(heap, entry.as<Stream>());
      break;
  }
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
    case Kind::kList:
      return as<List>().free_some(heap, budget);
    case Kind::kSet:
      return as<Set>().free_some(heap, budget);
    case Kind::kZSet:
      return as<ZSet>().free_some(heap, budget);
    case Kind::kHash:
      return as<Hash>().free_some(heap, budget);
    case Kind::kStream:
      return as<Stream>().free_some(heap, budget);
  }
  return true;
}

size_t Value::free_effort() const noexcept {
  Value& self = const_cast<Value&>(*this);
  switch (kind) {
    case Kind::kInt:
    case Kind::kEmbedded:
    case Kind::kBlob:
      return 1;
    case Kind::kList:
      return self.as<List>().free_effort();
    case Kind::kSet:
      return self.as<Set>().free_effort();
    case Kind::kZSet:
      return self.as<ZSet>().free_effort();
    case Kind::kHash:
      return self.as<Hash>().free_effort();
    case Kind::kStream:
      return self.as<Stream>().free_effort();
  }
  return 1;
}

}  // namespace ouro
