// SPDX-License-Identifier: BSD-3-Clause
// The lines of an append-only file that are not commands. They begin with '#', stand between
// commands, and are passed over by Redis:
//
//      #OURO:1                            from here on there are checksums: where an ouro began to
//                                         write, behind the time if there is one (which nobody
//                                         vouches for then); never inside of a transaction
//      #TS:<seconds since 1970>           what follows was written at this time or later
//      #C:<bytes>:<16 hex digits>         XXH3 of the bytes before this line, back to the line #C
//                                         before it or the beginning of the line #OURO:1,
//                                         whichever is nearer; never of none
//
// Each ends with CR LF. Numbers have no leading zeros, hex digits are lower-case: what is written
// in another way has been damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

// Of a line with its end: what Redis 7.0 reads at once.
inline constexpr size_t kAofLineBytesMax = 1023;

inline constexpr ByteView kAofHeaderLine = "#OURO:1\r\n";
// What the header of any version of these lines begins with.
inline constexpr ByteView kAofHeaderStart = "#OURO:";
inline constexpr ByteView kAofChecksumStart = "#C:";
inline constexpr ByteView kAofTimestampStart = "#TS:";
inline constexpr size_t kAofChecksumLineBytesMax = 3 + 20 + 1 + 16 + 2;

struct AofChecksum {
  uint64_t bytes = 0;
  uint64_t hash = 0;
};

uint64_t aof_hash(ByteView bytes) noexcept;

std::string aof_checksum_line(ByteView bytes);
std::string aof_timestamp_line(int64_t unix_seconds);

// `line` is whole, with its end. Nothing if it is not written exactly as above.
std::optional<AofChecksum> parse_aof_checksum(ByteView line);
std::optional<int64_t> parse_aof_timestamp(ByteView line);

}  // namespace ouro
