// SPDX-License-Identifier: BSD-3-Clause
// Lists in RDB. Written as Redis 7.0 does: a count of nodes, then each node, a listpack of its
// elements or, of one too large for a node, the element itself. Read in all forms there are: one by
// one, a ziplist, ziplists, nodes; the nodes are made anew by the limits.
//
// A list is saved node by node: begin_list(), then write_list_node() for each. Cost: a node is a
// few KiB.
#pragma once

#include "datastructs/list.h"
#include "persistence/listpack_writer.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

void begin_list(size_t nodes, RdbWriter& out);
// `scratch` is what a listpack is built in.
void write_list_node(const ListNode& node, ListpackWriter& scratch, RdbWriter& out);
// How a node that is one element begins; its bytes follow as they are.
void begin_plain_list_node(uint64_t bytes, RdbWriter& out);
void write_list(const List& list, RdbWriter& out);

// What the pressed nodes come to when they are opened to be written. Cost: linear in the nodes.
size_t pressed_list_bytes(const List& list);

// Any type of a list. What was read before something was wrong is the caller's to free.
List read_list(RdbType type, RdbReader& in, const ValueTarget& to);

}  // namespace ouro
