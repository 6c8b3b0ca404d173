// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/field_sets.h"

namespace ouro {

size_t FieldSets::bytes_of(ByteView name, Argv fields) {
  size_t bytes = sizeof(Kept) + sizeof(std::string) + name.size();
  for (const ByteView field : fields) bytes += sizeof(std::string) + field.size();
  return bytes;
}

bool FieldSets::set(Heap& heap, ByteView name, Argv fields) {
  const auto found = kept_.find(name);
  const size_t before = found == kept_.end() ? 0 : found->second.bytes;
  const size_t bytes = bytes_of(name, fields);
  if (memory_bytes() - before + bytes > kBytesMax) return false;
  if (!held_) held_.emplace(heap);
  held_->resize(held_->bytes() - before + bytes);
  kept_.insert_or_assign(std::string(name), Kept{Fields(fields.begin(), fields.end()), bytes});
  return true;
}

bool FieldSets::erase(ByteView name) {
  const auto found = kept_.find(name);
  if (found == kept_.end()) return false;
  held_->remove(found->second.bytes);
  kept_.erase(found);
  return true;
}

size_t FieldSets::clear() {
  const size_t count = kept_.size();
  kept_.clear();
  held_.reset();
  return count;
}

const FieldSets::Fields* FieldSets::find(ByteView name) const {
  const auto found = kept_.find(name);
  return found == kept_.end() ? nullptr : &found->second.fields;
}

}  // namespace ouro
