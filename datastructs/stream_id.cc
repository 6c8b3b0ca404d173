// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/stream_id.h"

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

// Longer texts are no ids.
constexpr size_t kTextBytesMax = 127;

// A strict integer must not be negative; any other text is read as strtoull does, which takes
// blanks, signs and leading zeros, and lets a negative number wrap.
std::optional<uint64_t> parse_number(ByteView text) noexcept {
  if (const auto strict = parse_int64(text)) {
    if (*strict < 0) return std::nullopt;
    return static_cast<uint64_t>(*strict);
  }
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  const auto value = parse_digits(text);
  if (!value) return std::nullopt;
  return negative ? 0 - *value : *value;
}

}  // namespace

StreamIdText::StreamIdText(StreamId id) noexcept {
  size_ = format_uint64(id.ms, text_);
  text_[size_++] = '-';
  size_ += format_uint64(id.seq, text_ + size_);
}

std::optional<ParsedStreamId> parse_stream_id(ByteView text, uint64_t missing_seq) noexcept {
  if (text.size() > kTextBytesMax) return std::nullopt;
  text = text.substr(0, text.find('\0'));
  const size_t dash = text.find('-');
  const auto ms = parse_number(text.substr(0, dash));
  if (!ms) return std::nullopt;
  if (dash == ByteView::npos) return ParsedStreamId{{*ms, missing_seq}};
  const ByteView seq_text = text.substr(dash + 1);
  if (seq_text == "*") return ParsedStreamId{.id = {*ms, 0}, .any_seq = true};
  const auto seq = parse_number(seq_text);
  if (!seq) return std::nullopt;
  return ParsedStreamId{{*ms, *seq}};
}

}  // namespace ouro
