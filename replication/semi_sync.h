// SPDX-License-Identifier: BSD-3-Clause
// SemiSync: what may leave and what may be begun, as far as replicas have a say. A reply leaves
// when K of them have acknowledged the stream as it was when the reply was made.
//
//      marks   [log end, offset, when it was sent] ...      one a turn that sent something
//               ^ acknowledged by K: released, and the lease is renewed from when it was sent
//
// The lease is what makes a silent primary harmless: K replicas that acknowledge something sent at
// t promise nobody else a ballot before t + timeout, by their own clocks, which began to count when
// it came. What is marked must be new: an acknowledgement of older bytes may have left before t.
// When it lapses, somebody else may lead. By `refuse` writes are refused then before they are
// executed, and those in flight are never answered (what they are told could be false either way);
// by `degrade`, which is the operator's own choice and the end of the promise, replies leave
// without the replicas, until these are back. Without writes a heartbeat is due now and then, so
// that an idle primary keeps its lease. Source: HIGH-AVAILABILITY.md, rules 3, 5 and 6. Cost: O(1)
// a turn and an acknowledgement. Not here: who counts as a replica, and how far K of them are
// (Replication), ballots (ballot.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "datastructs/base/out_buffer.h"
#include "datastructs/base/units.h"

namespace ouro {

class SemiSync {
 public:
  enum class OnTimeout : uint8_t { kRefuse, kDegrade };
  struct Options {
    size_t acks = 0;  // 0: off
    Micros timeout = 0;
    OnTimeout on_timeout = OnTimeout::kRefuse;
  };
  // kLapsed: nothing leaves. kDegraded: everything does.
  enum class State : uint8_t { kOff, kHeld, kLapsed, kDegraded };

  // One that is on begins without a lease.
  void set_options(const Options& options, Instant now);
  const Options& options() const { return options_; }
  bool is_on() const { return options_.acks > 0; }

  // The log up to `log_end` stands in the stream before `offset`, the last bytes of which are sent
  // to the replicas now for the first time. Neither ever goes back, nor does `now`.
  void on_sent(uint64_t log_end, uint64_t offset, Instant now);
  // K replicas have the stream before `offset`.
  void on_acked(uint64_t offset, Instant now);
  // The clock: true if the state is another than it was when this was last asked.
  bool look(Instant now);
  // When that may be; kNever if only an acknowledgement can change it.
  Instant lapses_at() const { return state_ == State::kHeld ? lease_until_ : kNever; }
  // When something is to be sent though nobody writes; kNever while off.
  Instant heartbeat_due() const;

  State state() const { return state_; }
  // By the end of the log.
  uint64_t released() const;
  // Marks that K replicas have not acknowledged.
  size_t waiting() const { return marks_.size(); }
  uint64_t lapses() const { return lapses_; }
  uint64_t degradations() const { return degradations_; }

 private:
  // More are not kept: the last one stands for what comes, as if all of it had been sent when that
  // was.
  static constexpr size_t kMarksMax = 4096;
  // So many heartbeats fit into a lease: one or two may be late.
  static constexpr Micros kHeartbeatsALease = 4;

  void judge(Instant now);

  struct Mark {
    uint64_t log_end;
    uint64_t offset;
    Instant sent_at;
  };

  Options options_;
  State state_ = State::kOff;
  State told_ = State::kOff;
  std::deque<Mark> marks_;
  uint64_t released_ = 0;
  Instant lease_until_ = 0;
  Instant sent_at_ = 0;
  uint64_t lapses_ = 0;
  uint64_t degradations_ = 0;
};

}  // namespace ouro
