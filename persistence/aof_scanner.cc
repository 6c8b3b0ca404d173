// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_scanner.h"

#include "datastructs/base/ascii.h"
#include "persistence/aof_line.h"

namespace ouro {

AofScanner::Item AofScanner::next(ByteView bytes) {
  if (!inside_) {
    at_ = 0;
    arguments_.clear();
    if (bytes.empty()) return Item::kMore;
    if (bytes[0] == '#') return line(bytes);
    if (const Item item = begin(bytes); item != Item::kCommand) return item;
  }
  const Item item = arguments_of(bytes);
  inside_ = item == Item::kMore;
  return item;
}

AofScanner::Item AofScanner::line(ByteView bytes) {
  const size_t end = bytes.substr(0, kAofLineBytesMax).find('\n');
  if (end != ByteView::npos) {
    at_ = end + 1;
    return Item::kLine;
  }
  return bytes.size() < kAofLineBytesMax ? Item::kMore : bad("a line that does not end", 0);
}

AofScanner::Item AofScanner::begin(ByteView bytes) {
  switch (read_number(bytes, '*', kAofArgumentsMax, left_)) {
    case Number::kMore:
      return Item::kMore;
    case Number::kBad:
      return bad("neither a command nor a line that begins with '#'", at_);
    case Number::kRead:
      break;
  }
  if (left_ == 0) return bad("a command without words", 0);
  inside_ = true;
  return Item::kCommand;
}

AofScanner::Item AofScanner::arguments_of(ByteView bytes) {
  while (left_ > 0) {
    const size_t before = at_;
    uint64_t size = 0;
    switch (read_number(bytes, '$', kAofArgumentBytesMax, size)) {
      case Number::kMore:
        return Item::kMore;
      case Number::kBad:
        return bad("not the length of an argument", at_);
      case Number::kRead:
        break;
    }
    if (bytes.size() - at_ < size + 2) {
      at_ = before;
      return Item::kMore;
    }
    if (bytes.substr(at_ + size, 2) != "\r\n")
      return bad("an argument does not end where its length says", at_ + size);
    arguments_.push_back({at_, size});
    at_ += size + 2;
    --left_;
  }
  return Item::kCommand;
}

// Moves behind the number's line, or to the byte that does not belong there; not if it is not
// whole.
AofScanner::Number AofScanner::read_number(ByteView bytes, char type, uint64_t max,
                                           uint64_t& value) {
  value = 0;
  size_t at = at_;
  const auto has = [&](size_t count) { return at + count <= bytes.size(); };
  const auto wrong = [&] {
    at_ = at;
    return Number::kBad;
  };
  if (!has(1)) return Number::kMore;
  if (bytes[at] != type) return wrong();
  const size_t first = ++at;
  while (has(1) && is_digit(bytes[at])) {
    if (at > first && value == 0) return wrong();
    value = value * 10 + static_cast<uint64_t>(bytes[at] - '0');
    if (value > max) return wrong();
    ++at;
  }
  if (!has(1)) return Number::kMore;
  if (at == first || bytes[at] != '\r') return wrong();
  ++at;
  if (!has(1)) return Number::kMore;
  if (bytes[at] != '\n') return wrong();
  at_ = at + 1;
  return Number::kRead;
}

AofScanner::Item AofScanner::bad(const char* reason, size_t at) {
  inside_ = false;
  at_ = at;
  reason_ = reason;
  return Item::kBad;
}

}  // namespace ouro
