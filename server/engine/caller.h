// SPDX-License-Identifier: BSD-3-Clause
// Caller: who asks. A client session, the embedding program, a replayed log, a script. Carries what
// outlives one command: the selected database, the open transaction, watched keys, what refuses its
// commands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "datastructs/codec/owned_argv.h"
#include "server/engine/command.h"
#include "server/engine/field_sets.h"

namespace ouro {

class AclUser;
class Session;

enum class Origin : uint8_t {
  kClient,    // a connection
  kEmbedded,  // the program that holds the library
  kReplay,    // our own log at start
  kPrimary,   // the stream of a primary
  kScript,    // redis.call
  kInternal,  // expiry and eviction
};

// Reasons why a command may be refused before its handler runs; one function each in gates.cc,
// asked from the lowest bit up. A plain GET tests one word: the gates of its origin that can refuse
// now, on this node or for this caller.
using GateMask = uint32_t;
namespace Gate {
inline constexpr GateMask kAuth = 1U << 0;
inline constexpr GateMask kScript = 1U << 1;  // what a running script may not do
inline constexpr GateMask kAcl = 1U << 2;
inline constexpr GateMask kMemory = 1U << 3;
inline constexpr GateMask kDisk = 1U << 4;  // what a write changes could not be kept
inline constexpr GateMask kRole = 1U << 5;
inline constexpr GateMask kSubscribed = 1U << 6;  // a client in subscribed mode
inline constexpr GateMask kStale = 1U << 7;       // a replica without its primary answers nothing
inline constexpr GateMask kLoading = 1U << 8;
inline constexpr GateMask kBusy = 1U << 9;
inline constexpr GateMask kMonitor = 1U << 10;      // watches with MONITOR, or is a replica
inline constexpr GateMask kPause = 1U << 11;        // CLIENT PAUSE
inline constexpr GateMask kTransaction = 1U << 12;  // MULTI is open: queue
inline constexpr GateMask kDue = 1U << 13;          // elements of some collection are due
// Asked for by the command's own row, ahead of all others: the bit is that of Flag::kProtected.
inline constexpr GateMask kProtected = 1U << 16;
}  // namespace Gate

struct QueuedCommand {
  const CommandSpec* spec = nullptr;
  OwnedArgv argv;
};

// MULTI: from MULTI to EXEC or DISCARD.
struct Transaction {
  bool open = false;
  bool broken = false;  // a command was refused while queueing: EXEC aborts
  bool executing = false;
  DbIndex db = 0;                       // while open: the one that is selected where the queue ends
  const CommandSpec* runner = nullptr;  // EXEC's row, while executing
  size_t next = 0;  // while executing: the first command of the queue that has not begun
  std::vector<QueuedCommand> queue;
  size_t queue_bytes = 0;  // of the queued words
  size_t memory_bytes() const { return queue_bytes + queue.capacity() * sizeof(QueuedCommand); }
};

struct Caller;

// On whose behalf a script runs, and what it may not do beyond what its caller may not.
struct ScriptLimits {
  const Caller* caller = nullptr;     // who runs the script
  const CommandSpec* spec = nullptr;  // by which command
  Argv argv = {};
  bool read_only = false;  // EVAL_RO and its kind, or the flag no-writes
  // As of the script's start: what has begun to write is not stopped midway.
  bool memory_is_short = false;
  bool has_written = false;  // a command that may write has run
};

struct WatchedKey {
  DbIndex db;
  std::string key;
};

struct Caller {
  explicit Caller(Origin from) : origin(from) {}
  // What it sends has happened already: nothing of it is refused. Scripts do as who runs them.
  bool obeys() const {
    const Origin from = script == nullptr ? origin : script->caller->origin;
    return from == Origin::kReplay || from == Origin::kPrimary;
  }

  Origin origin;
  DbIndex db = 0;
  // Those of kAuth, kAcl, kSubscribed, kTransaction, kMonitor, kScript that this caller's state
  // asks for.
  GateMask gates = 0;
  bool watch_broken = false;  // a watched key has changed: EXEC answers null
  bool no_touch = false;      // CLIENT NO-TOUCH: reads leave the access clock alone
  bool imports = false;       // CLIENT IMPORT-SOURCE: in import-mode it sees what is due
  Transaction txn;
  std::vector<WatchedKey> watched;
  size_t watched_bytes = 0;              // what they take here and in Watch
  FieldSets field_sets;                  // HIMPORT's; a script's own end with it
  Session* session = nullptr;            // null for all but kClient
  const ScriptLimits* script = nullptr;  // null for all but kScript
  // Whose permissions count; null: may do everything. kAcl stands in `gates` while the user may
  // not.
  const AclUser* user = nullptr;
};

}  // namespace ouro
