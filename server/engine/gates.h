// SPDX-License-Identifier: BSD-3-Clause
// Gates: one small function for each reason to refuse a command, and the table that says which
// origins each applies to. There are no fake clients and no second copy of these checks: an origin
// that must not be refused is not in the table.
#pragma once

#include "server/engine/caller.h"
#include "server/engine/command.h"
#include "server/engine/options.h"

namespace ouro {

class Engine;

// The gates that may refuse a command of this origin, before the node's and the caller's state are
// looked at.
GateMask gates_of(Origin origin);

// Whether the caller is one of those; the program itself is a local peer.
bool is_among(Allowed allowed, const Caller& caller);

// Whether the command, or for EXEC one of those that wait for it, has one of these flags.
bool has_any(Engine& engine, const Caller& caller, const CommandSpec& spec, Argv argv, Flags flags);

enum class Passage : uint8_t {
  kPass,
  kRefused,    // the text stands in Executor::message()
  kQueued,     // put into the caller's transaction
  kPostponed,  // to be tried again later (CLIENT PAUSE)
};

// Asks the gates in `mask`, in their fixed order; the first that does not pass decides.
Passage ask_gates(Engine& engine, GateMask mask, Caller& caller, const CommandSpec& spec,
                  Argv argv);

}  // namespace ouro
