// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/function_payload.h"

#include "datastructs/codec/checksum.h"
#include "datastructs/codec/little_endian.h"

namespace ouro {
namespace {

constexpr char kFunction = static_cast<char>(245);
constexpr char kFunctionOfCandidates = static_cast<char>(246);
constexpr uint16_t kVersion = 10;
constexpr size_t kFooterBytes = sizeof(kVersion) + sizeof(uint64_t);
constexpr size_t kTextBytesMax = 512_MiB;

void append_length(std::string& out, size_t length) {
  if (length < 1U << 6) {
    out += static_cast<char>(length);
  } else if (length < 1U << 14) {
    out += static_cast<char>(0x40 | length >> 8);
    out += static_cast<char>(length & 0xFF);
  } else {
    const bool is_long = length > UINT32_MAX;
    out += static_cast<char>(is_long ? 0x81 : 0x80);
    for (int shift = is_long ? 56 : 24; shift >= 0; shift -= 8)
      out += static_cast<char>(length >> shift & 0xFF);
  }
}

// Every call but has_failed() answers with zeros once bytes were missing.
class Reader {
 public:
  explicit Reader(ByteView in) : in_(in) {}

  bool has_more() const { return !in_.empty(); }
  bool has_failed() const { return failed_; }

  unsigned byte() { return static_cast<unsigned char>(take(1).empty() ? '\0' : taken_[0]); }

  void text(std::string& out) {
    const unsigned first = byte();
    if (first == 0xC3) return compressed(out);
    out = take(length(first));
  }

 private:
  ByteView take(uint64_t bytes) {
    failed_ |= bytes > in_.size();
    if (failed_) return taken_ = {};
    taken_ = in_.substr(0, bytes);
    in_.remove_prefix(bytes);
    return taken_;
  }

  uint64_t length(unsigned first) {
    if (first < 0x40) return first;
    if (first < 0x80) return uint64_t{first & 0x3F} << 8 | byte();
    if (first != 0x80 && first != 0x81) failed_ = true;
    uint64_t value = 0;
    for (int i = first == 0x81 ? 8 : 4; i > 0; --i) value = value << 8 | byte();
    return value;
  }

  void compressed(std::string& out) {
    const uint64_t packed = length(byte());
    const uint64_t unpacked = length(byte());
    failed_ |= unpacked > kTextBytesMax;
    const ByteView in = take(packed);
    if (!failed_) failed_ = !unpack_lzf(in, unpacked, out);
  }

  // LZF: a byte below 32 is followed by so many bytes and one; any other is a copy of what was
  // written before: three bits of length (7: one more byte adds to it), 13 bits of distance.
  static bool unpack_lzf(ByteView in, size_t bytes, std::string& out) {
    out.clear();
    for (size_t at = 0; at < in.size();) {
      const auto control = static_cast<unsigned char>(in[at++]);
      if (control < 32) {
        const size_t count = control + size_t{1};
        if (count > in.size() - at || count > bytes - out.size()) return false;
        out.append(in.substr(at, count));
        at += count;
        continue;
      }
      size_t count = size_t{control} >> 5;
      if (count == 7) {
        if (at == in.size()) return false;
        count += static_cast<unsigned char>(in[at++]);
      }
      count += 2;
      if (at == in.size()) return false;
      const size_t distance =
          (size_t{control & 0x1FU} << 8 | static_cast<unsigned char>(in[at++])) + 1;
      if (distance > out.size() || count > bytes - out.size()) return false;
      // What is copied may reach into what the copy writes.
      for (; count > 0; --count) out += out[out.size() - distance];
    }
    return out.size() == bytes;
  }

  ByteView in_;
  ByteView taken_;
  bool failed_ = false;
};

bool is_whole(ByteView payload) {
  if (payload.size() < kFooterBytes) return false;
  ByteView footer = payload.substr(payload.size() - kFooterBytes);
  if (take_fixed<uint16_t>(footer) > kVersion) return false;
  const auto sum = take_fixed<uint64_t>(footer);
  return crc64(0, payload.substr(0, payload.size() - sizeof(sum))) == sum;
}

}  // namespace

std::string write_function_payload(const std::vector<ByteView>& sources) {
  std::string out;
  for (const ByteView source : sources) {
    out += kFunction;
    append_length(out, source.size());
    out += source;
  }
  append_fixed(out, kVersion);
  append_fixed(out, crc64(0, out));
  return out;
}

bool read_function_payload(ByteView payload, std::vector<std::string>& sources,
                           std::string& error) {
  if (!is_whole(payload)) {
    error = "DUMP payload version or checksum are wrong";
    return false;
  }
  Reader reader(payload.substr(0, payload.size() - kFooterBytes));
  while (reader.has_more()) {
    const auto type = static_cast<char>(reader.byte());
    if (type == kFunctionOfCandidates) {
      error = "Pre-GA function format not supported";
      return false;
    }
    if (type != kFunction) {
      error = "given type is not a function";
      return false;
    }
    reader.text(sources.emplace_back());
    if (reader.has_failed()) {
      error = "Failed loading library data";
      return false;
    }
  }
  return true;
}

}  // namespace ouro
