// SPDX-License-Identifier: BSD-3-Clause
// BigKeys: which keys take the most bytes, and which have the most elements (MEMORY BIGKEYS).
//
// Found by a walk over all keys (key_walk.h). A size is that of when the walk came by, exact
// (MEMORY USAGE).
#pragma once

#include <string>
#include <vector>

#include "server/engine/key_walk.h"

namespace ouro {

class BigKeys final : public KeyWalk {
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

  explicit BigKeys(Engine& engine) : KeyWalk(engine) {}

  // What is known, fresh if the keyspace is small; begins a walk.
  const Report& ask();
  // The walk that goes on: how many keys it has come by. Zero if there is none.
  size_t walked() const { return goes_on() ? found_.key_count : 0; }

 private:
  void on_begin(uint32_t db_count) override;
  void on_key(DbIndex db, const Entry& entry) override;
  void on_end(UnixMs now) override;
  static void keep(std::vector<Item>& items, size_t size, DbIndex db, const Entry& entry);

  Report report_;
  // Of the walk that goes on. Its lists are heaps with the smallest on top.
  Report found_;
};

}  // namespace ouro
