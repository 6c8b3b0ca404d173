// SPDX-License-Identifier: BSD-3-Clause
// Commands as they stand in an append-only file: arrays of bulk strings.
#pragma once

#include <initializer_list>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

void append_count(std::string& to, size_t words);  // of the command that follows
void append_bulk_head(std::string& to, size_t bytes);
void append_bulk(std::string& to, ByteView bytes);
void append_command(std::string& to, std::initializer_list<ByteView> words);

// Many commands of the same kind, with up to kItemsMax items each: RPUSH key item item ...
class CommandBatch {
 public:
  // As Redis's rewrite has it.
  static constexpr size_t kItemsMax = 64;

  // `name` is a literal.
  CommandBatch(ByteView name, ByteView key) : name_(name), key_(key) {}
  void add(std::initializer_list<ByteView> words, std::string& to);
  // What is not in `to` yet.
  void finish(std::string& to);

 private:
  ByteView name_;
  std::string key_;
  std::string items_;
  size_t count_ = 0;
  size_t words_ = 0;
};

}  // namespace ouro
