// SPDX-License-Identifier: BSD-3-Clause
// Gates: one small function for each reason to refuse a command, and the table that says which
// origins each applies to. There are no fake clients and no second copy of these checks: an origin
// that must not be refused is not in the table.
//
// Two of them hold a command back instead, to be tried again: that of CLIENT PAUSE, and that of
// members that are due (kDue). A set or sorted set cannot hide such a member, as a hash hides its
// fields: its size, the ranks of its elements and a fair random choice are those of all that it
// holds. So what is due is removed before a command sees it. A million members may be due at one
// moment, which nobody's turn has time for; thus the removal takes its share of each turn
// (Engine::are_due_members_gone, the slice of expiry), and a command that names such a key waits
// until it is done, while others go on (due_members.h). Few that are due cost it no wait, or that
// of a few turns: those who wait come first in turn, and none of them is tried again before its
// keys show what they should. EXEC and EVAL wait before they begin, for all the keys that their
// commands and arguments name, so that what they do is one turn's work as ever; a key that wakes
// BZPOPMIN waits itself (Executor::run_woken). HRANDFIELD, whose choice would have to walk over all
// the due fields of its hash, waits likewise. While clients are paused nothing may be removed: who
// would see what is due waits for the end of the pause, as PFCOUNT does. Who cannot be held back
// pays for the whole removal at once, half a microsecond for each member of a set and one for each
// of a sorted set: the embedding program, a script for keys that it did not name (Context's
// look-ups), and EXEC for what came due while it waited in its middle (DEBUG SLEEP, SAVE).
#pragma once

#include "server/engine/caller.h"
#include "server/engine/command.h"
#include "server/engine/options.h"

namespace ouro {

class Engine;

// Origin x gate. Replay and a primary's stream are facts: refusing one would be corruption. Whoever
// runs a script has passed the gates already, so its commands pass those that depend on the
// command. The embedding program is trusted.
inline constexpr GateMask kGatesOf[] = {
    /* kClient   */ ~GateMask{0},
    /* kEmbedded */ Gate::kMemory | Gate::kTransaction,
    /* kReplay   */ 0,
    /* kPrimary  */ 0,
    /* kScript   */ Gate::kScript | Gate::kAcl | Gate::kRole | Gate::kDisk | Gate::kStale,
    /* kInternal */ 0,
};

// The gates that may refuse a command of this origin, before the node's and the caller's state are
// looked at.
constexpr GateMask gates_of(Origin origin) { return kGatesOf[static_cast<size_t>(origin)]; }

// Whether the caller is one of those; the program itself is a local peer.
bool is_among(Allowed allowed, const Caller& caller);

// Whether the command, or for EXEC one of those that wait for it, has one of these flags.
bool has_any(Engine& engine, const Caller& caller, const CommandSpec& spec, Argv argv, Flags flags);

enum class Passage : uint8_t {
  kPass,
  kRefused,    // the text stands in Executor::message()
  kQueued,     // put into the caller's transaction
  kPostponed,  // to be tried again later (CLIENT PAUSE, members that are due)
};

// Asks the gates in `mask`, in their fixed order; the first that does not pass decides.
Passage ask_gates(Engine& engine, GateMask mask, Caller& caller, const CommandSpec& spec,
                  Argv argv);

}  // namespace ouro
