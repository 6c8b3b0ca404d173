// SPDX-License-Identifier: BSD-3-Clause
// Streams in RDB: their nodes, what is known of the whole, and the groups.
//
//   nodes     count, of each: string of 16 bytes, the id that its entries' are counted from | a
//   listpack whole     entries | last id | [2: first id | highest id deleted | entries that ever
//   came] groups    count, of each: name | last id | [2: entries read]
//               pending      count, of each: id | when, 8 bytes | how often
//               consumers    count, of each: name | seen, 8 bytes | [3: active, 8 bytes] | count,
//               ids
//
//   listpack  live, gone, field count, fields ..., 0, entries
//   entry     flags (1: gone, 2: the fields above) | ms since the node's | seq since it |
//             [field count] | [field] value ... | elements of this entry
//
// An id is two lengths, in nodes and lists of pending 16 bytes, high ones first. Written is the
// second version, of Redis 7.0, and no entries that have gone. Read are all three; a node stays one
// node, so that what its entries share is shared here, too, and Redis's trimming by nodes goes on.
// Refused are ids out of order, entries without fields, counts that do not fit, and pending entries
// that are no consumer's or several ones'.
//
// A stream is saved node by node, then write_stream_info(), then group by group.
#pragma once

#include "datastructs/stream.h"
#include "persistence/listpack_writer.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

void begin_stream(size_t nodes, RdbWriter& out);
// `scratch` is what the listpack is built in.
void write_stream_node(const StreamNode& node, ListpackWriter& scratch, RdbWriter& out);
// Behind the nodes; so many calls of write_stream_group() follow as there are groups.
void write_stream_info(const Stream& stream, RdbWriter& out);
void write_stream_group(const StreamGroup& group, RdbWriter& out);
void write_stream(const Stream& stream, RdbWriter& out);

// What was read before something was wrong is the caller's to free.
Stream read_stream(RdbType type, RdbReader& in, const ValueTarget& to);

}  // namespace ouro
