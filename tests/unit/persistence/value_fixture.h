// SPDX-License-Identifier: BSD-3-Clause
// A database whose values are written and read.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "datastructs/keyspace/keyspace.h"
#include "persistence/value_codec.h"
#include "random_values.h"
#include "value_text.h"

namespace ouro {

inline std::string from_hex(ByteView hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  return bytes;
}

class ValueFixture : public ::testing::Test {
 protected:
  struct Written {
    RdbType type;
    std::string bytes;
    unsigned version;
    RdbDialect dialect;
  };
  Written write(const Entry& entry, RdbWriter::Packing packing = RdbWriter::Packing::kLzf) {
    Written written{rdb_type_of(entry), {}, 0, {}};
    RdbWriter out(written.bytes, packing);
    write_value(entry, written.type, out);
    written.version = out.needs_version();
    written.dialect = out.needs();
    return written;
  }
  // Reads the value to a key of that name; or the reason why not, with a state before it.
  std::string read(RdbType type, ByteView bytes, ByteView name = "read") {
    RdbReader in(bytes);
    const size_t used = heap.used_bytes();
    auto value = read_value(type, in, {heap, limits, db.seed()});
    if (!value) {
      EXPECT_FALSE(in.ok());
      EXPECT_EQ(heap.used_bytes(), used) << "something was left behind";
      const char* const states[] = {"ok", "more", "corrupt", "empty"};
      return std::string(states[static_cast<size_t>(in.state())]) + ": " + in.reason();
    }
    EXPECT_TRUE(in.ok());
    if (in.left() > 0) {
      size_t budget = SIZE_MAX;
      value->free_some(heap, budget);
      return "bytes are left over";
    }
    const Key key = db.key(name);
    if (db.find(key) != nullptr) db.erase(key, Freeing::kNow);
    const Entry& entry = *db.put_value(key, nullptr, *value, kNoExpiry);
    if (!entry.is_string()) entry.visit([](const auto& its) { its.check_invariants(); });
    return value_text(entry);
  }
  std::string encoding(ByteView name = "read") {
    return std::string(db.find(db.key(name))->encoding());
  }

  Heap heap;
  LazyFree lazy_free{heap};
  Limits limits;
  Keyspace db{heap, HashSeed{}, lazy_free};
};

}  // namespace ouro
