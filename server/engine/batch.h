// SPDX-License-Identifier: BSD-3-Clause
// Batch: the commands that all sessions received in one turn. They are looked up and their first
// keys hashed first, then the table's lines are prefetched, then they run in the order in which
// they came: memory is cold at each command, and this overlaps the waits across commands and
// connections.
//
// argv views point into receive buffers and readers, which live until the turn ends. At most
// kCommandsMax commands run a turn; a session that has more keeps the rest in its reader and is
// asked again in the next turn.
#pragma once

#include <vector>

#include "datastructs/codec/argv_arena.h"
#include "datastructs/codec/resp_reader.h"
#include "datastructs/keyspace/keyspace.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;
class Session;

class Batch {
 public:
  static constexpr size_t kCommandsMax = 1024;

  explicit Batch(Engine& engine);

  bool is_full() const { return items_.size() >= kCommandsMax; }
  // The command's views stand in arena().
  void add(Session& session, const RespReader::Command& command) {
    items_.push_back({.session = &session, .command = command});
  }
  // After the commands before it, this session is told that its peer broke the protocol.
  void add_broken(Session& session) { items_.push_back({.session = &session, .command = {}}); }
  // A session whose reader was fed or read from: its turn is ended after the run.
  void add_fed(Session& session) { fed_.push_back(&session); }
  // Where argument views live until the run is over.
  ArgvArena& arena() { return arena_; }
  // A session whose input is not all parsed yet.
  void add_unfinished(Session& session) { unfinished_.push_back(&session); }
  // A session goes: none of its commands may run.
  void forget(Session& session);

  void run();
  // Commands wait already: the loop should not.
  bool has_more() const { return !items_.empty() || !unfinished_.empty(); }

 private:
  struct Item {
    Session* session;
    RespReader::Command command;  // argv empty: a broken peer
    const CommandSpec* spec = nullptr;
    Key first_key = {};
  };
  static_assert(sizeof(Item) <= 128);
  void prepare(Item& item);
  void end_turn();

  Engine& engine_;
  ArgvArena arena_;
  std::vector<Item> items_;
  std::vector<Session*> fed_;
  std::vector<Session*> unfinished_;
  std::vector<Session*> parsing_;  // those of unfinished_ whose turn it is; empty between runs
};

}  // namespace ouro
