// SPDX-License-Identifier: BSD-3-Clause
// UseSketch: which keys are used most, always: one use in kSampled is looked at, and the names go
// into as many counters as bound what it costs (heavy_hitters.h). Two windows, the one that runs
// and the one before it, tell of the last minute or less.
//
// Cost: a test for each use, a look-up for each that is sampled, at most 2 * kCounters names of up
// to kKeyBytesMax. These are no part of used_memory: nobody's keys go for them.
#pragma once

#include <memory>
#include <vector>

#include "datastructs/base/units.h"
#include "datastructs/heavy_hitters.h"

namespace ouro {

class UseSketch {
 public:
  static constexpr uint64_t kSampled = 128;
  // A key of which there is one use in 256 of all is seen for sure (heavy_hitters.h).
  static constexpr size_t kCounters = 256;
  static constexpr Millis kWindow = 30'000;
  // Longer keys are not counted.
  static constexpr size_t kKeyBytesMax = 512;

  explicit UseSketch(HashSeed seed) noexcept : seed_(seed) {}

  // Whether to look at this use; `dice` is uniform.
  static bool samples(uint64_t dice) noexcept { return dice < UINT64_MAX / kSampled; }
  // Of a use that is sampled.
  void note(ByteView key, UnixMs now);

  struct Uses {
    ByteView key;    // until the next note()
    uint64_t count;  // as far as the sample tells
  };
  // Of both windows, the most used first.
  std::vector<Uses> top(UnixMs now);
  // Since when is counted; 0: nothing is there.
  UnixMs began(UnixMs now);

 private:
  struct Window {
    Heap heap;
    HeavyHitters uses;
    UnixMs began;

    Window(HashSeed seed, UnixMs now) : uses(heap, seed, kCounters), began(now) {}
  };
  void turn_over(UnixMs now);

  HashSeed seed_;
  std::unique_ptr<Window> running_, before_;
};

}  // namespace ouro
