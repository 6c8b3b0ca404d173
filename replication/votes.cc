// SPDX-License-Identifier: BSD-3-Clause
#include "replication/votes.h"

#include <utility>

#include "datastructs/codec/checksum.h"

namespace ouro {
namespace {

constexpr ByteView kMember = "member ";
constexpr ByteView kPromised = "promised ";
constexpr ByteView kChecksum = "crc64 ";

// What stands behind `word` in the first line, which is taken off; none if that begins otherwise.
std::optional<ByteView> take_line(ByteView& text, ByteView word) {
  const size_t end = text.find('\n');
  if (end == ByteView::npos || !text.starts_with(word)) return std::nullopt;
  const ByteView value = text.substr(word.size(), end - word.size());
  text.remove_prefix(end + 1);
  return value;
}

}  // namespace

std::string text_of(const Votes& votes) {
  std::string text;
  if (!votes.member.empty()) text.append(kMember).append(votes.member).append("\n");
  text.append(kPromised).append(marker_of(votes.promised)).append("\n");
  if (votes.member.empty()) return text;
  const uint64_t checksum = crc64(0, text);
  return text.append(kChecksum).append(std::to_string(checksum)).append("\n");
}

std::optional<Votes> parse_votes(ByteView text) {
  ByteView rest = text;
  const std::optional<ByteView> member = take_line(rest, kMember);
  const std::optional<ByteView> marker = take_line(rest, kPromised);
  std::optional<Ballot> promised = marker ? parse_marker(*marker) : std::nullopt;
  if (!promised) return std::nullopt;
  Votes votes{.member = std::string(member.value_or("")), .promised = *std::move(promised)};
  if (text_of(votes) != text) return std::nullopt;
  return votes;
}

}  // namespace ouro
