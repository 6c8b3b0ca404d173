// SPDX-License-Identifier: BSD-3-Clause
// Reply elements -> RESP bytes at the end of an OutBuffer, in the version that the peer speaks.
//
//                  RESP2                     RESP3
//   map            flat array, *2n           %n
//   set, push      array                     ~n, >n
//   attribute      refused: see below        |n
//   real           bulk                      ,1.5
//   boolean        :1 or :0                  #t or #f
//   null           $-1                       _
//   null array     *-1                       _
//   big number     bulk                      (123
//   verbatim       bulk of the text alone    =n of "txt:" and the text
//
// Writes what it is told: that the elements add up is the caller's part. Attributes do not exist in
// RESP2: the caller leaves out both the header and its elements. Cost: an element with a short
// payload is one reservation and one run of stores.
#pragma once

#include <cstdint>

#include "datastructs/base/out_buffer.h"
#include "datastructs/base/units.h"

namespace ouro {

class RespWriter {
 public:
  explicit RespWriter(OutBuffer& out) noexcept : out_(out) {}

  bool is_resp3() const noexcept { return resp3_; }
  void set_resp3(bool resp3) noexcept { resp3_ = resp3; }

  void ok() { out_.append("+OK\r\n"); }
  // Without line ends.
  void simple(ByteView text);
  // Begins with its code: "ERR ...". Line ends inside become blanks, as the text may quote what a
  // client sent.
  void error(ByteView text);
  void integer(int64_t value);
  void bulk(ByteView bytes);
  // Sent from where it is stored; see OutBuffer::append_blob.
  void blob(Blob* blob, ByteView part);
  void null() { out_.append(resp3_ ? ByteView("_\r\n") : ByteView("$-1\r\n")); }
  void null_array() { out_.append(resp3_ ? ByteView("_\r\n") : ByteView("*-1\r\n")); }
  void array(size_t count) { header('*', count); }
  void map(size_t pairs) { resp3_ ? header('%', pairs) : header('*', 2 * pairs); }
  void set(size_t count) { header(resp3_ ? '~' : '*', count); }
  void push(size_t count) { header(resp3_ ? '>' : '*', count); }
  void attribute(size_t pairs);
  void real(double value);
  // The same with up to 17 decimals and no exponent.
  void decimal(double value);
  void boolean(bool value);
  void big_number(ByteView digits);
  // `format` has three letters.
  void verbatim(ByteView format, ByteView text);

  // Headers whose count is known only after their elements; inner ones are ended first.
  OutBuffer::Position begin() const { return out_.position(); }
  void end_array(OutBuffer::Position begin, size_t count) { late_header(begin, '*', count); }
  void end_map(OutBuffer::Position begin, size_t pairs) {
    resp3_ ? late_header(begin, '%', pairs) : late_header(begin, '*', 2 * pairs);
  }
  void end_set(OutBuffer::Position begin, size_t count) {
    late_header(begin, resp3_ ? '~' : '*', count);
  }

 private:
  void header(char type, uint64_t count);
  void late_header(OutBuffer::Position begin, char type, uint64_t count);
  void line(char type, ByteView text);

  OutBuffer& out_;
  bool resp3_ = false;
};

}  // namespace ouro
