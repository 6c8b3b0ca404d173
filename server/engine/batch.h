// SPDX-License-Identifier: BSD-3-Clause
// Batch: the commands that all sessions received in one turn. They are looked up and their first keys hashed first, then
// the table's lines are prefetched, then they run in the order in which they came: memory is cold at each command, and
// this overlaps the waits across commands and connections.
//
// argv views point into receive buffers and readers, which live until the turn ends. At most kCommandsMax commands run a
// turn; a session that has more keeps the rest in its reader and is asked again in the next turn.
#pragma once

#include <vector>

#include "datastructs/keyspace/keyspace.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;
class Session;

class Batch {
 public:
  static constexpr size_t kCommandsMax = 1024;

  explicit Batch(Engine& engine) : engine_(engine) {}

  bool is_full() const { return items_.size() >= kCommandsMax; }
  // argv[0 .. count) stands in arena() from `begin` on.
  void add(Session& session, size_t begin, size_t count, size_t blobs_begin, size_t blobs_count);
  // Where argument views are collected; indices stay valid, addresses do not until run().
  std::vector<ByteView>& arena() { return arena_; }
  // Bulks received into their own memory, handed over by sessions; those that no command took are freed after the run.
  std::vector<Blob*>& blobs() { return blobs_; }
  // A session whose input is not all parsed yet.
  void add_unfinished(Session& session) { unfinished_.push_back(&session); }
  // A session goes: none of its commands may run.
  void forget(Session& session);

  void run();
  bool has_more() const { return !unfinished_.empty(); }

 private:
  struct Item {
    Session* session;
    uint32_t begin, count;
    uint32_t blobs_begin, blobs_count;
    const CommandSpec* spec = nullptr;
    Key first_key = {};
  };
  void prepare(Item& item);

  Engine& engine_;
  std::vector<ByteView> arena_;
  std::vector<Blob*> blobs_;
  std::vector<Item> items_;
  std::vector<Session*> unfinished_;
};

}  // namespace ouro
