// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/command_text.h"

namespace ouro {
namespace {

constexpr ByteView kEnd = "\r\n";

void append_line(std::string& to, char type, size_t number) {
  to += type;
  to += std::to_string(number);
  to += kEnd;
}

}  // namespace

void append_count(std::string& to, size_t words) { append_line(to, '*', words); }

void append_bulk_head(std::string& to, size_t bytes) { append_line(to, '$', bytes); }

void append_bulk(std::string& to, ByteView bytes) {
  append_bulk_head(to, bytes.size());
  to += bytes;
  to += kEnd;
}

void append_command(std::string& to, std::initializer_list<ByteView> words) {
  append_count(to, words.size());
  for (const ByteView word : words) append_bulk(to, word);
}

void CommandBatch::add(std::initializer_list<ByteView> words, std::string& to) {
  for (const ByteView word : words) append_bulk(items_, word);
  words_ += words.size();
  if (++count_ == kItemsMax) finish(to);
}

void CommandBatch::finish(std::string& to) {
  if (count_ == 0) return;
  append_count(to, 2 + words_);
  append_bulk(to, name_);
  append_bulk(to, key_);
  to += items_;
  items_.clear();
  count_ = words_ = 0;
}

}  // namespace ouro
