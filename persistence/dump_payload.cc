// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/dump_payload.h"

#include "datastructs/codec/checksum.h"
#include "persistence/value_codec.h"

namespace ouro {
namespace {

constexpr size_t kChecksumBytes = sizeof(uint64_t);
constexpr size_t kEndBytes = sizeof(uint16_t) + kChecksumBytes;

}  // namespace

std::string dump_payload(const Entry& entry, RdbWriter::Packing packing) {
  std::string out;
  RdbWriter writer(out, packing);
  const RdbType type = rdb_type_of(entry);
  writer.type(type);
  write_value(entry, type, writer);
  seal_payload(writer.needs_version(), out);
  return out;
}

void seal_payload(unsigned version, std::string& out) {
  append_fixed(out, static_cast<uint16_t>(version));
  append_fixed(out, crc64(0, out));
}

std::optional<ByteView> open_payload(ByteView payload, PayloadCheck check) {
  if (payload.size() < kEndBytes) return std::nullopt;
  const ByteView body = payload.substr(0, payload.size() - kEndBytes);
  if (check == PayloadCheck::kLengthOnly) return body;
  ByteView end = payload.substr(body.size());
  if (take_fixed<uint16_t>(end) > kRdbVersionReadMax) return std::nullopt;
  const auto sum = take_fixed<uint64_t>(end);
  if (crc64(0, payload.substr(0, payload.size() - kChecksumBytes)) != sum) return std::nullopt;
  return body;
}

bool is_version_of_redis7(ByteView payload) {
  ByteView end = payload.substr(payload.size() - kEndBytes);
  return take_fixed<uint16_t>(end) <= kRdbVersion;
}

}  // namespace ouro
