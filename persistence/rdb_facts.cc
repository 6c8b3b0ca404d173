// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/rdb_facts.h"

#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

// A number up to the next blank, which is taken as well.
std::optional<uint64_t> take_number(ByteView& text) {
  const size_t end = text.find(' ');
  const auto number = parse_uint64(text.substr(0, end));
  text.remove_prefix(end == ByteView::npos ? text.size() : end + 1);
  return number;
}

std::optional<UnixMs> take_time(ByteView& text) {
  const auto number = take_number(text);
  if (!number || *number > INT64_MAX) return {};
  return static_cast<UnixMs>(*number);
}

}  // namespace

AbsentKey AbsentKey::of(const Entry& note) noexcept {
  AbsentKey absent{.key = note.key(), .absent_until = note.integer()};
  absent.version = note.fill().version;
  if (absent.version > 0) absent.refused_until = note.deadline();
  return absent;
}

std::string fill_text(const Fill& fill) {
  return std::to_string(fill.stale_ms) + ' ' + std::to_string(fill.load_ms) + ' ' +
         std::to_string(fill.version);
}

std::string absent_text(const AbsentKey& absent) {
  std::string text = std::to_string(absent.absent_until) + ' ' + std::to_string(absent.version) +
                     ' ' + std::to_string(absent.refused_until) + ' ';
  return text.append(absent.key);
}

std::string filter_text(const FilterPiece& piece) {
  std::string text =
      std::to_string(piece.position) + ' ' + std::to_string(piece.prefix.size()) + ' ';
  return text.append(piece.prefix).append(piece.bytes);
}

std::optional<Fill> parse_fill(ByteView text) {
  const auto stale = take_number(text);
  const auto load = take_number(text);
  const auto version = take_number(text);
  if (!stale || !load || !version || !text.empty() || *stale > UINT32_MAX || *load > UINT32_MAX)
    return {};
  return Fill{static_cast<uint32_t>(*stale), static_cast<uint32_t>(*load), *version};
}

std::optional<AbsentKey> parse_absent(ByteView text) {
  const auto absent_until = take_time(text);
  const auto version = take_number(text);
  const auto refused_until = take_time(text);
  if (!absent_until || !version || !refused_until) return {};
  return AbsentKey{text, *absent_until, *version, *refused_until};
}

std::optional<FilterPiece> parse_filter(ByteView text) {
  const auto position = take_number(text);
  const auto prefix_bytes = take_number(text);
  if (!position || !prefix_bytes || *prefix_bytes > text.size()) return {};
  return FilterPiece{text.substr(0, *prefix_bytes), *position, text.substr(*prefix_bytes)};
}

}  // namespace ouro
