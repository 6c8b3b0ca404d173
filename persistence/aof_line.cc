// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_line.h"

#include "datastructs/base/hash.h"
#include "datastructs/codec/number_text.h"

namespace ouro {

namespace {

constexpr size_t kHashDigits = 16;

std::optional<uint64_t> parse_hash(ByteView text) {
  if (text.size() != kHashDigits) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uint64_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<uint64_t>(c - 'a' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

// What stands between the start of the line and its end.
std::optional<ByteView> inside(ByteView line, ByteView start) {
  if (!line.starts_with(start) || !line.ends_with("\r\n")) return std::nullopt;
  if (line.size() < start.size() + 2) return std::nullopt;
  return line.substr(start.size(), line.size() - start.size() - 2);
}

}  // namespace

uint64_t aof_hash(ByteView bytes) noexcept { return hash_bytes(bytes, HashSeed{0}); }

std::string aof_checksum_line(ByteView bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  const uint64_t hash = aof_hash(bytes);
  std::string line(kAofChecksumStart);
  line += std::to_string(bytes.size());
  line += ':';
  for (int shift = 60; shift >= 0; shift -= 4) line += kHex[hash >> shift & 15];
  line += "\r\n";
  return line;
}

std::string aof_timestamp_line(int64_t unix_seconds) {
  return std::string(kAofTimestampStart) + std::to_string(unix_seconds) + "\r\n";
}

std::optional<AofChecksum> parse_aof_checksum(ByteView line) {
  const std::optional<ByteView> text = inside(line, kAofChecksumStart);
  if (!text) return std::nullopt;
  const size_t colon = text->find(':');
  if (colon == ByteView::npos) return std::nullopt;
  const std::optional<uint64_t> bytes = parse_uint64(text->substr(0, colon));
  const std::optional<uint64_t> hash = parse_hash(text->substr(colon + 1));
  if (!bytes || *bytes == 0 || !hash) return std::nullopt;
  return AofChecksum{*bytes, *hash};
}

std::optional<int64_t> parse_aof_timestamp(ByteView line) {
  const std::optional<ByteView> text = inside(line, kAofTimestampStart);
  return text ? parse_int64(*text) : std::nullopt;
}

}  // namespace ouro
