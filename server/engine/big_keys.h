// SPDX-License-Identifier: BSD-3-Clause
// BigKeys: which keys take the most bytes, and which have the most elements (MEMORY BIGKEYS).
//
// Found by a walk over all keys, as KeySizes does it: begun by who asks, at once if there are few
// keys, else in slices between turns. Who asks is told of the last walk that has ended and how far
// the one is that goes on. A size is that of when the walk came by, exact (MEMORY USAGE). Nothing
// is paid when nobody asks.
#pragma once

#include <string>
#include <vector>

#include "datastructs/keyspace/databases.h"

namespace ouro {

class Engine;

class BigKeys {
 public:
  static constexpr size_t kKept = 64;  // of each list

  struct Item {
    size_t size;
    DbIndex db;
    Type type;
    std::string key;
  };
  struct Report {
    std::vector<Item> by_bytes;  // the largest first
    std::vector<Item> by_elements;
    size_t key_count = 0;
    UnixMs ended = 0;  // 0: no walk has ended yet
  };

  explicit BigKeys(Engine& engine) : engine_(engine) {}

  // What is known, fresh if the keyspace is small; begins a walk.
  const Report& ask();
  // The walk that goes on: how many keys it has come by. Zero if there is none.
  size_t walked() const { return walks_ ? found_.key_count : 0; }

  // True when more is left to be walked.
  bool run_slice();

 private:
  void walk(size_t keys_max);
  void look_at(const Entry& entry);
  static void keep(std::vector<Item>& items, size_t size, DbIndex db, const Entry& entry);

  Engine& engine_;
  Report report_;
  // The walk that goes on. Its lists are heaps with the smallest on top.
  bool walks_ = false;
  Report found_;
  DbIndex db_ = 0;
  uint64_t cursor_ = 0;
};

}  // namespace ouro
