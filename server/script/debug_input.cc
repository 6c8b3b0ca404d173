// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/debug_input.h"

#include <cstdlib>

namespace ouro {
namespace {

using Read = DebugInput::Read;

// The number behind a '*' or '$', which goes with its line; as C reads it, so "3x" is three. kMore
// if the line has not come yet.
Read take_number(ByteView& rest, int max, int& number) {
  const size_t end = rest.find("\r\n");
  if (end == ByteView::npos) return Read::kMore;
  const std::string digits(rest.substr(1, end - 1));
  const long value = std::strtol(digits.c_str(), nullptr, 10);
  if (value <= 0 || value > max) return Read::kBroken;
  number = static_cast<int>(value);
  rest.remove_prefix(end + 2);
  return Read::kCommand;
}

Read take_word(ByteView& rest, std::string& word) {
  if (rest.empty()) return Read::kMore;
  if (rest.front() != '$') return Read::kBroken;
  int size = 0;
  const Read read = take_number(rest, DebugInput::kWordBytesMax, size);
  if (read != Read::kCommand) return read;
  const auto bytes = static_cast<size_t>(size);
  if (rest.size() < bytes + 2) return Read::kMore;
  if (rest.substr(bytes, 2) != "\r\n") return Read::kBroken;
  word = rest.substr(0, bytes);
  rest.remove_prefix(bytes + 2);
  return Read::kCommand;
}

}  // namespace

void DebugInput::feed(ByteView bytes) {
  is_over_ = is_over_ || bytes_.size() + bytes.size() > kBytesMax;
  if (!is_over_) bytes_.append(bytes);
}

Read DebugInput::next(std::vector<std::string>& words) {
  words.clear();
  if (is_over_) return Read::kTooLong;
  if (bytes_.empty()) return Read::kMore;
  ByteView rest = bytes_;
  const size_t begin = rest.find('*');
  if (begin == ByteView::npos) return Read::kBroken;
  rest.remove_prefix(begin);
  int count = 0;
  Read read = take_number(rest, kWordsMax, count);
  while (read == Read::kCommand && count-- > 0) read = take_word(rest, words.emplace_back());
  if (read == Read::kCommand) bytes_.erase(0, bytes_.size() - rest.size());
  return read;
}

}  // namespace ouro
