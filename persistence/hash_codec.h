// SPDX-License-Identifier: BSD-3-Clause
// Hashes in RDB. A packed one is written as a listpack of field and value, a table pair by pair.
// Once a field has a deadline Redis 7.0 cannot express it, and the forms of 7.4 are written: in the
// listpack each field has its deadline (0: none), fields that end first stand first; in the other
// each pair begins with its deadline, counted from the first one so that it is short.
//
// Read also as a ziplist, a zipmap, and as release candidates of 7.4 wrote deadlines. A field that
// stands twice is refused. Fields that are due are read as they are: who may end them is not
// decided here.
#pragma once

#include "datastructs/hash.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

// Cost: linear if there were deadlines, to know that there are some.
RdbType type_of_hash(const Hash& hash);
// Of the tables: kHash and kHashTimed. first_deadline: no field's deadline is before it;
// write_hash_field() follows for each.
struct HashBegin {
  RdbType type;
  UnixMs first_deadline = 0;
};
void begin_hash(const Hash& hash, HashBegin begin, RdbWriter& out);
void write_hash_field(const Hash::Item& item, HashBegin begin, RdbWriter& out);
// type: as type_of_hash() says.
void write_hash(const Hash& hash, RdbType type, RdbWriter& out);

// What was read before something was wrong is the caller's to free.
Hash read_hash(RdbType type, RdbReader& in, const ValueTarget& to);

}  // namespace ouro
