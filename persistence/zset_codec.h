// SPDX-License-Identifier: BSD-3-Clause
// Sorted sets in RDB. A packed one is written as a listpack of member and score, in order; a table
// element by element with the score as a double, from the highest on, as Redis does (a list that is
// built at its head is cheap to build then). Sorted sets whose members have deadlines are another
// matter (timed_codec.h).
//
// Read also as a ziplist and with scores as text. Refused are members that stand twice, scores that
// are no number, and packed forms out of order.
#pragma once

#include "datastructs/zset.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

RdbType type_of_zset(const ZSet& zset);
// Of a table; write_zset_element() follows for each, the highest first.
void begin_zset(const ZSet& zset, RdbWriter& out);
void write_zset_element(ByteView member, double score, RdbWriter& out);
void write_zset(const ZSet& zset, RdbWriter& out);

// What was read before something was wrong is the caller's to free.
ZSet read_zset(RdbType type, RdbReader& in, const ValueTarget& to);

}  // namespace ouro
