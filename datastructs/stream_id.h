// SPDX-License-Identifier: BSD-3-Clause
// The id of a stream's entry: a time in milliseconds and a number within it, 128 bits in order.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "datastructs/base/units.h"

namespace ouro {

struct StreamId {
  uint64_t ms = 0;
  uint64_t seq = 0;

  friend constexpr auto operator<=>(const StreamId&, const StreamId&) noexcept = default;
  // No entry has it.
  constexpr bool is_zero() const noexcept { return ms == 0 && seq == 0; }
  // The neighbours; none beyond either end.
  constexpr std::optional<StreamId> next() const noexcept {
    if (seq < UINT64_MAX) return StreamId{ms, seq + 1};
    return ms < UINT64_MAX ? std::optional(StreamId{ms + 1, 0}) : std::nullopt;
  }
  constexpr std::optional<StreamId> prev() const noexcept {
    if (seq > 0) return StreamId{ms, seq - 1};
    return ms > 0 ? std::optional(StreamId{ms - 1, UINT64_MAX}) : std::nullopt;
  }
};
inline constexpr StreamId kStreamIdMax{UINT64_MAX, UINT64_MAX};

// "ms-seq", held here.
class StreamIdText {
 public:
  explicit StreamIdText(StreamId id) noexcept;
  ByteView view() const noexcept { return {text_, size_}; }
  // NOLINTNEXTLINE(google-explicit-constructor): it is text
  operator ByteView() const noexcept { return view(); }

 private:
  char text_[41];
  size_t size_;
};

struct ParsedStreamId {
  StreamId id;
  bool any_seq = false;  // "ms-*": id.seq is 0
};
// "ms-seq", "ms-*", or "ms", which gets `missing_seq`. As Redis reads numbers: blanks and a sign
// may stand before them, and a zero byte ends the text.
std::optional<ParsedStreamId> parse_stream_id(ByteView text, uint64_t missing_seq) noexcept;

}  // namespace ouro
