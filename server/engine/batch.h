// SPDX-License-Identifier: BSD-3-Clause
// Batch: the commands that all sessions received in one turn. They are looked up and their first
// keys hashed first, then the table's lines are prefetched, then they run in the order in which
// they came: memory is cold at each command, and this overlaps the waits across commands and
// connections.
//
// A script that is over its time lets turns happen inside its own (Host::pump): begin_nested()
// before the loop moves bytes, run_nested() after it. The queue goes on behind the command that
// runs, which keeps its place and what its words stand in; everybody else's is done with at the end
// of each.
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
  static constexpr size_t kCommandsMax = 512;

  explicit Batch(Engine& engine);

  bool is_full() const { return count_ >= kCommandsMax + (is_nested_ ? kNestedRoom : 0); }
  // Where the next command is to be parsed into, empty; its views stand in arena(). Requires
  // !is_full().
  RespReader::Command& room() {
    if (items_.empty()) [[unlikely]]
      items_.resize(kCommandsMax + kNestedRoom);
    items_[count_] = Item();
    return items_[count_].command;
  }
  // What was parsed into room() is this session's next command.
  void add(Session& session) { items_[count_++].session = &session; }
  // After the commands before it, this session is told that its peer broke the protocol.
  void add_broken(Session& session) {
    room();
    add(session);
  }
  // A session whose reader was fed or read from: its turn is ended after the run.
  void add_fed(Session& session) { fed_.push_back(&session); }
  // Where argument views live until the run is over.
  ArgvArena& arena() { return is_nested_ ? nested_arena_ : arena_; }
  // A session whose input is not all parsed yet.
  void add_unfinished(Session& session) { unfinished_.push_back(&session); }
  // A session goes: none of its commands will run.
  void forget(Session& session);

  void run();
  void begin_nested();
  void run_nested();
  bool is_nested() const { return is_nested_; }
  // Commands wait already: the loop should not.
  bool has_more() const { return count_ != 0 || !unfinished_.empty(); }

 private:
  // Whatever command of a full batch is the busy one, a nested turn has room behind it.
  static constexpr size_t kNestedRoom = 64;

  struct Item {
    Session* session = nullptr;
    RespReader::Command command;  // argv empty: a broken peer
    const CommandSpec* spec = nullptr;
    Key first_key = {};
  };
  static_assert(sizeof(Item) <= 128);
  void prepare(Item& item);
  void prefetch_entry(const Item& item);
  void run_queue();
  void parse_unfinished();
  void end_turn();

  Engine& engine_;
  ArgvArena arena_;
  std::vector<Item, HeapAllocator<Item>> items_;  // made with the first; they stay where they are
  size_t count_ = 0;
  size_t next_ = 0;      // the first that has not begun
  size_t prepared_ = 0;  // the first that is not prepared
  bool is_nested_ = false;
  size_t nested_from_ = 0;  // of the queue, while nested
  ArgvArena nested_arena_;
  std::vector<Session*> fed_;
  std::vector<Session*> unfinished_;
  std::vector<Session*> parsing_;  // those of unfinished_ whose turn it is; empty between runs
};

}  // namespace ouro
