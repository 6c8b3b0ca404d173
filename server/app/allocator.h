// SPDX-License-Identifier: BSD-3-Clause
// Allocator: what a server tells the allocator of its program. The in-process library keeps its
// host's and tells it nothing.
#pragma once

#include "datastructs/base/units.h"

namespace ouro {

class Allocator {
 public:
  virtual ~Allocator() = default;
  virtual ByteView name() const { return "libc"; }
  // Whether memory that becomes free goes back to the system at once, in small pieces, or is kept
  // for a while to be used again, and then goes back in pieces that may hold up a turn.
  virtual void return_at_once(bool) {}
  // Gives back to the system what nobody uses now. Cost: milliseconds a gigabyte.
  virtual void purge() {}
};

}  // namespace ouro
