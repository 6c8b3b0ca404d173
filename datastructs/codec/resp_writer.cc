// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/resp_writer.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"

namespace ouro {

namespace {

constexpr size_t kHeaderBytesMax = 1 + kInt64TextMax + 2;
// A payload up to here is written together with its header and end in one reservation.
constexpr size_t kShortBytesMax = OutBuffer::kRoomBytesMax - kHeaderBytesMax - 2;

char* put_line_end(char* at) {
  *at++ = '\r';
  *at++ = '\n';
  return at;
}

char* put_header(char* at, char type, uint64_t value) {
  *at++ = type;
  if (value < 10) {  // most counts and many lengths
    *at++ = static_cast<char>('0' + value);
  } else {
    at += format_uint64(value, at);
  }
  return put_line_end(at);
}

size_t distance(const char* from, const char* to) { return static_cast<size_t>(to - from); }

}  // namespace

void RespWriter::header(char type, uint64_t count) {
  char* start = out_.room(kHeaderBytesMax);
  out_.keep(distance(start, put_header(start, type, count)));
}

void RespWriter::late_header(OutBuffer::Position begin, char type, uint64_t count) {
  char text[kHeaderBytesMax];
  out_.insert(begin, {text, distance(text, put_header(text, type, count))});
}

void RespWriter::line(char type, ByteView text) {
  if (text.size() > kShortBytesMax) {
    out_.append({&type, 1});
    out_.append(text);
    out_.append("\r\n");
    return;
  }
  char* start = out_.room(text.size() + 3);
  *start = type;
  if (!text.empty()) std::memcpy(start + 1, text.data(), text.size());
  put_line_end(start + 1 + text.size());
  out_.keep(text.size() + 3);
}

void RespWriter::simple(ByteView text) { line('+', text); }

void RespWriter::error(ByteView text) {
  while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
  out_.append("-");
  while (!text.empty()) {
    const size_t run = std::min(text.find_first_of("\r\n"), text.size());
    out_.append(text.substr(0, run));
    if (run < text.size()) out_.append(" ");
    text.remove_prefix(std::min(run + 1, text.size()));
  }
  out_.append("\r\n");
}

void RespWriter::integer(int64_t value) {
  char* start = out_.room(kHeaderBytesMax);
  char* at = start;
  *at++ = ':';
  at = put_line_end(at + format_int64(value, at));
  out_.keep(distance(start, at));
}

void RespWriter::bulk(ByteView bytes) {
  if (bytes.size() > kShortBytesMax) {
    header('$', bytes.size());
    out_.append(bytes);
    out_.append("\r\n");
    return;
  }
  char* start = out_.room(kHeaderBytesMax + bytes.size() + 2);
  char* at = put_header(start, '$', bytes.size());
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  out_.keep(distance(start, put_line_end(at + bytes.size())));
}

void RespWriter::blob(Blob* blob, ByteView part) {
  header('$', part.size());
  out_.append_blob(blob, part);
  out_.append("\r\n");
}

void RespWriter::attribute(size_t pairs) {
  CHECK(resp3_);
  header('|', pairs);
}

void RespWriter::real(double value) {
  char text[kDoubleTextMax];
  const ByteView formatted = {text, format_double(value, text)};
  resp3_ ? line(',', formatted) : bulk(formatted);
}

void RespWriter::decimal(double value) {
  char text[kLongDoubleTextMax];
  const ByteView formatted = {text, format_long_double(value, text)};
  resp3_ ? line(',', formatted) : bulk(formatted);
}

void RespWriter::boolean(bool value) {
  if (resp3_) {
    out_.append(value ? "#t\r\n" : "#f\r\n");
  } else {
    out_.append(value ? ":1\r\n" : ":0\r\n");
  }
}

void RespWriter::big_number(ByteView digits) { resp3_ ? line('(', digits) : bulk(digits); }

void RespWriter::verbatim(ByteView format, ByteView text) {
  CHECK(format.size() == 3);
  if (!resp3_) return bulk(text);
  header('=', text.size() + 4);
  out_.append(format);
  out_.append(":");
  out_.append(text);
  out_.append("\r\n");
}

}  // namespace ouro
