// SPDX-License-Identifier: BSD-3-Clause
// FieldSets: the lists of field names that a client has prepared, so that it need not send them
// with each hash (HIMPORT). They end with the connection, or by RESET.
//
// Bounded by kBytesMax, and counted to the client's memory (maxmemory-clients).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/memory.h"
#include "server/engine/command.h"

namespace ouro {

class FieldSets {
 public:
  static constexpr size_t kBytesMax = 64_MiB;
  using Fields = std::vector<std::string>;

  // Takes the place of one of that name. False if that would be too much. All calls of one client
  // name the same heap.
  bool set(Heap& heap, ByteView name, Argv fields);
  bool erase(ByteView name);  // false if there was none
  size_t clear();             // how many there were
  const Fields* find(ByteView name) const;
  size_t memory_bytes() const { return held_ ? held_->bytes() : 0; }

 private:
  static size_t bytes_of(ByteView name, Argv fields);

  struct Kept {
    Fields fields;
    size_t bytes;
  };
  std::map<std::string, Kept, std::less<>> kept_;
  std::optional<HeapShare> held_;  // since the first was set
};

}  // namespace ouro
