// SPDX-License-Identifier: BSD-3-Clause
// How answers hold elements of a sorted set: members alone, or with their scores, flat in RESP2 and
// as pairs in RESP3.
#pragma once

#include "server/engine/reply.h"

namespace ouro {

class ElementWriter {
 public:
  ElementWriter(Reply& reply, bool with_scores)
      : reply_(reply), with_scores_(with_scores), pairs_(with_scores && reply.is_resp3()) {}

  void begin(size_t count) { reply_.array(with_scores_ && !pairs_ ? 2 * count : count); }
  void put(ByteView member, double score) {
    if (pairs_) reply_.array(2);
    reply_.bulk(member);
    if (with_scores_) reply_.real(score);
  }

 private:
  Reply& reply_;
  bool with_scores_;
  bool pairs_;
};

}  // namespace ouro
