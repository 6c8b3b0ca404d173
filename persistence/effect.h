// SPDX-License-Identifier: BSD-3-Clause
// Effect: one replayable record of the log. It is a fact, not a wish: whoever runs its command on
// the same data comes to the same result, at any time and without dice. What left no effect has
// changed nothing.
//
// A group of effects is what one command, script or transaction left. Groups come in the order in
// which they happened; one that is a transaction is applied whole or not at all.
#pragma once

#include <cstdint>

#include "datastructs/base/units.h"
#include "datastructs/codec/owned_argv.h"

namespace ouro {

// How many elements of a collection one effect names at most, so that it stays well below the
// argument limit of a reader of the log.
inline constexpr size_t kEffectElementsMax = 1024;

// Whom an effect is for: a message to subscribers changes no data, so no file needs it; and a
// script may say who is to have what it does.
enum class EffectReach : uint8_t { kEverybody, kReplicas, kLog };

struct Effect {
  DbIndex db = 0;
  OwnedArgv argv = {};
  EffectReach reach = EffectReach::kEverybody;
};

// What the effects of a group come from. Those of a transaction must be applied whole.
enum class GroupKind : uint8_t { kCommand, kTransaction };

}  // namespace ouro
