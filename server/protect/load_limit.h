// SPDX-License-Identifier: BSD-3-Clause
// LoadLimit: how many loads of one rule the database behind the cache bears, at once and in a span
// of time, and how much less while it is down.
//
// A load is known by its lease's token, from begin() until end() or until its time is over by
// itself. It counts all that time, whatever becomes of the lease: a DEL voids that, but the
// database goes on working. Two bounds say when the next may begin:
//   LOADS  so many are in flight at once
//   RATE   so many begin in a period: GCRA (datastructs/gcra.h), a burst of as many after a rest
// and a circuit breaker: after kFailuresMax loads in a row that failed or ran out of time, the rate
// is halved, and again each second, until one succeeds; one a second is always left to find that
// out. Where no RATE is set it halves what began in the second before.
//
// Cost: begin() O(log loads), end() one pass over them, next_begin() O(1) unless loads ran
// out of time. 24 bytes a load in flight, none where there is no LOADS.
#pragma once

#include <vector>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/gcra.h"

namespace ouro {

// How a load ended, seen from the database.
enum class LoadEnd : uint8_t {
  kAnswered,  // SET or CACHE.NIL, even if they came too late to be taken
  kFailed,    // CACHE.FAIL
  kExpired,   // the lease's time was over and its loader had not been heard of
};

class LoadLimit {
 public:
  // Bounds the pass of end(). Who allows more at once has no use for a bound.
  static constexpr uint32_t kLoadsMax = 10'000;
  // With the least period of 1 ms an interval is still a nanosecond.
  static constexpr uint32_t kRateMax = 1'000'000;
  static constexpr Millis kPeriodMax = 3'600'000;
  static constexpr uint32_t kFailuresMax = 5;

  struct Limits {
    uint32_t loads = 0;       // at once; 0: as many as come
    uint32_t rate_count = 0;  // begin in a period; 0: as many as come
    Millis rate_period = 0;   // > 0 if rate_count is

    friend bool operator==(const Limits&, const Limits&) = default;
  };

  explicit LoadLimit(Heap& heap) noexcept : loads_(HeapAllocator<Load>(heap)) {}

  // Loads in flight stay so.
  void set_limits(const Limits& limits) noexcept { limits_ = limits; }

  // When the next load may begin: `now` or before if it may at once, else an estimate, later than
  // `now`, for who asks again then.
  Instant next_begin(Instant now) noexcept;
  // Requires next_begin(now) <= now, and a token that is not in flight.
  void begin(uint64_t token, Instant now, Instant until) noexcept;
  // The token may be unknown or out of time: how the load ended counts all the same.
  void end(uint64_t token, LoadEnd how, Instant now) noexcept;

  size_t in_flight(Instant now) noexcept;  // where LOADS is set; else 0
  // The breaker is open: the rate is lower than it is set.
  bool is_tripped() const noexcept { return failures_ >= kFailuresMax; }

 private:
  struct Load {
    Instant until;
    Instant began;
    uint64_t token;
  };

  struct Pace {
    Nanos interval;
    Nanos tolerance;
  };
  // GCRA's memory.
  struct Meter {
    Nanos arrival = 0;

    Instant next(const Pace& pace, Instant now) const noexcept;
    void pass(const Pace& pace, Instant now) noexcept;
  };
  // How many began in this second, and in the one before.
  struct Begun {
    Instant since = 0;
    uint32_t count = 0;
    uint32_t before = 0;

    void note(Instant now) noexcept;
    uint32_t in_a_second(Instant now) noexcept;
    void roll(Instant now) noexcept;
  };

  void end_overdue(Instant now) noexcept;
  void note_duration(Micros duration) noexcept;
  // Requires limits_.rate_count > 0.
  Pace pace_as_set() const noexcept;
  // Requires is_tripped().
  Pace pace_of_breaker(Instant now) const noexcept;

  Limits limits_;
  std::vector<Load, HeapAllocator<Load>> loads_;  // a heap: what is over first is on top
  Micros usual_ = 0;                              // how long a load takes, a running mean
  Meter rate_;
  Begun begun_;
  uint32_t failures_ = 0;      // in a row
  uint32_t tripped_from_ = 0;  // loads a second, for where no rate is set
  Instant tripped_at_ = 0;
  Meter breaker_;
};

}  // namespace ouro
