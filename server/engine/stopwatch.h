// SPDX-License-Identifier: BSD-3-Clause
// Stopwatch: what times commands for SLOWLOG, commandstats and LATENCY, and ends a slice of freeing
// in time; nothing else. server/io reads the cycle counter, the simulation its virtual clock. The
// end of one command is the start of the next, so a batch costs one reading a command.
#pragma once

#include <cstdint>

namespace ouro {

class Stopwatch {
 public:
  virtual ~Stopwatch() = default;
  virtual uint64_t ticks() = 0;
  // Never 0.
  virtual double ticks_per_us() const = 0;
  // Called about once a second: the rate may be measured anew.
  virtual void refine() {}
};

}  // namespace ouro
