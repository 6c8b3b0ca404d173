// SPDX-License-Identifier: BSD-3-Clause
// How answers hold elements of two parts, a member with its score or a field with its value: the
// first parts alone, or both, flat in RESP2 and as pairs in RESP3.
#pragma once

#include "server/engine/reply.h"

namespace ouro {

class ElementWriter {
 public:
  ElementWriter(Reply& reply, bool with_second)
      : reply_(reply), with_second_(with_second), pairs_(with_second && reply.is_resp3()) {}

  void begin(size_t count) { reply_.array(with_second_ && !pairs_ ? 2 * count : count); }
  void put(ByteView member, double score) {
    put_first(member);
    if (with_second_) reply_.real(score);
  }
  void put(ByteView field, ByteView value) {
    put_first(field);
    if (with_second_) reply_.bulk(value);
  }

 private:
  void put_first(ByteView bytes) {
    if (pairs_) reply_.array(2);
    reply_.bulk(bytes);
  }

  Reply& reply_;
  bool with_second_;
  bool pairs_;
};

}  // namespace ouro
