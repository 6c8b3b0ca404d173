// SPDX-License-Identifier: BSD-3-Clause
// Sets in RDB. Written as an intset if the set is one, else member by member; sets whose members
// have deadlines are another matter (timed_codec.h). Read also as a listpack (Redis 7.2). A member
// that stands twice, and an intset out of order, are refused.
#pragma once

#include "datastructs/set.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

RdbType type_of_set(const Set& set);
void begin_set(const Set& set, RdbWriter& out);
void write_set_member(ByteView member, RdbWriter& out);
void write_set(const Set& set, RdbWriter& out);

// What was read before something was wrong is the caller's to free.
Set read_set(RdbType type, RdbReader& in, const ValueTarget& to);

}  // namespace ouro
