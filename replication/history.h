// SPDX-License-Identifier: BSD-3-Clause
// History: which stream a node's data come from, and how far. Every change of a primary's data is a
// run of bytes of its stream; the same id and the same offset mean the same data.
//
//      id         ................................|-------- offset ...    offset: bytes so far
//      second id  ....................|            the stream before this one, up to second_end
//
// A promotion begins a new id where the old stream stands, so who followed the old one goes on. An
// offset here counts the bytes behind one; Redis's PSYNC names the first byte that is wanted, which
// is one more, and so do the fields that INFO calls offsets of a first byte.
// Source: Redis's replication as WIRE.md 1.5 has it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"

namespace ouro {

// 40 hex digits.
using ReplicationId = std::string;
inline constexpr size_t kReplicationIdBytes = 40;

bool is_replication_id(ByteView text);
// Nobody else makes the same one.
ReplicationId make_replication_id(Prng& prng);
// What is said where there is none.
inline constexpr ByteView kNoReplicationId = "0000000000000000000000000000000000000000";
static_assert(kNoReplicationId.size() == kReplicationIdBytes);

struct History {
  ReplicationId id = {};
  uint64_t offset = 0;
  ReplicationId second_id = {};  // empty: none
  uint64_t second_end = 0;

  // Whoever has the stream of `of` up to `at` can go on from there in this one.
  bool continues(ByteView of, uint64_t at) const;
  // The data are what they are, and nobody's stream so far. The count goes on: who remembers where
  // the log stood must not find it there again.
  void begin(ReplicationId fresh);
  // The node leads from here on, in a stream of its own that goes on where this one is.
  void branch(ReplicationId fresh);
  // The data are those of another's stream.
  void adopt(ReplicationId of, uint64_t at);
};

}  // namespace ouro
