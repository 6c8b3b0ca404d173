// SPDX-License-Identifier: BSD-3-Clause
// Feed: one replica, as its primary knows it. What it said of itself, and how far it is.
//
//      kGreeting --PSYNC--> kWaiting --its moment--> kWalk ------------> kLoading --ACK--> kOnline
//                    |              \--by a file---> kSaving --> kSnapshot -------------------^
//                    \----- partial -----------------------------------------------------------^
//
// kSaving: its snapshot is written to a file, before that is sent (kSnapshot). One without a file
// is sent while it is made (kWalk), and to Redis is not yet there as long as it is not whole.
// kLoading: a snapshot without a length ended, and nothing may be sent before the replica says that
// it has it (WIRE.md 1.3); one that was sent with its length is followed by the stream at once.
// The bytes are moved by who owns the connection; the stream's stand in the Backlog.
#pragma once

#include <cstdint>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

class Feed {
 public:
  enum class State : uint8_t { kGreeting, kWaiting, kSaving, kWalk, kSnapshot, kLoading, kOnline };
  // As INFO names them.
  static ByteView name_of(State state);

  State state = State::kGreeting;
  bool takes_stream() const { return state == State::kOnline; }
  // As Redis has it: it has been sent all that it needs, and says so itself at last.
  bool is_online() const { return state >= State::kLoading; }
  // What is behind sent_to must be kept for it.
  bool needs_stream() const { return state >= State::kSaving && !wants_snapshot_alone; }
  // Nothing comes yet, and it is to know that we live.
  bool waits() const { return state == State::kWaiting || state == State::kSaving; }

  // ---- what REPLCONF said
  uint16_t listening_port = 0;
  std::string announced_ip;  // empty: that of its connection
  bool takes_eof = false;    // a snapshot without a length
  bool knows_psync2 = false;
  bool is_ouro = false;                // knows all that we do
  bool wants_snapshot_alone = false;   // rdb-only: closed behind it
  bool wants_functions_alone = false;  // rdb-filter-only functions
  // Of semi-sync-members, and so long it promises nobody else the lead once it has acknowledged;
  // empty: none of them.
  std::string member;
  Micros lease = 0;
  bool speaks_psync = true;  // it did not come by SYNC, which has no answer

  // May be sent what Redis 7.0 has no words for; one that takes a snapshot for a file, too.
  bool takes_all() const { return is_ouro || wants_snapshot_alone; }

  // ---- how far it is
  uint64_t begins_at = 0;  // its stream; of a full sync, the moment of the snapshot
  uint64_t sent_to = 0;    // by then everything is in its output
  uint64_t acked = 0;      // it has taken in
  uint64_t durable = 0;    // it has on disk, if it says so (FACK)
  Instant heard_at = 0;    // when it last said anything
  Instant asked_at = 0;    // for a snapshot
  // What it may miss while it takes in its snapshot: as much as a new one would bring, or its
  // output limit if that is more. Whoever misses more begins anew at less cost, and is closed for
  // that.
  uint64_t missed_max = 0;
  // Of what it is behind, what it missed so: less as it catches up. Its output limit is for what
  // comes on top.
  uint64_t missed = 0;

  void on_ack(uint64_t offset, uint64_t on_disk, Instant now);
  // Whole seconds since it said something; 0 until it is online.
  int64_t lag_seconds(Instant now) const;
};

}  // namespace ouro
