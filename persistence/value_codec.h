// SPDX-License-Identifier: BSD-3-Clause
// The values of keys and their bytes in RDB: what a snapshot, DUMP, RESTORE and MIGRATE are made
// of.
//
//      Entry  --rdb_type_of, write_value-->  type, bytes  --read_value-->  Value
//
// Written is what Redis 7.0 writes for such a value, packed where it is packed here and would be
// there. What 7.0 cannot express is written as a later Redis does (deadlines of hash fields), as
// the module RedisBloom does (filters and sketches) or as our own (deadlines of members); the
// writer then says so (needs_version(), needs()).
//
// Read is every type of Redis up to 7.4, but for values of unknown modules. The bytes may come from
// anyone: a value that comes out is one that commands could have made, with the encodings that the
// limits ask for; everything else is refused with a reason and an offset, and leaves nothing
// behind.
//
// How each type looks stands in its own file: list_codec.h, set_codec.h, zset_codec.h,
// hash_codec.h, stream_codec.h, sketch_codec.h, timed_codec.h; there it is also said how a value is
// written part by part. Cost: linear.
#pragma once

#include <optional>

#include "datastructs/keyspace/entry.h"
#include "datastructs/keyspace/value.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

RdbType rdb_type_of(const Entry& entry);
// type: as rdb_type_of() says. Not the type's own byte: a key stands between it and the value.
void write_value(const Entry& entry, RdbType type, RdbWriter& out);

// What the arrays of a filter or sketch take when they are written; those of zeros take no memory
// before. 0 of other values.
uint64_t written_array_bytes(const Entry& entry);

// The value that follows its type (and key). Nothing if something was wrong, which `in` tells; the
// type may be any byte.
std::optional<Value> read_value(RdbType type, RdbReader& in, const ValueTarget& to);

// Why a value was refused, with the words by which Redis's log names its encoding: "Zset ziplist
// integrity check failed: a score is no number". Requires !in.ok().
std::string describe_refusal(RdbType type, const RdbReader& in);

}  // namespace ouro
