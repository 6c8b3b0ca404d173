// SPDX-License-Identifier: BSD-3-Clause
// Blocking: sessions that wait for a key to change (BLPOP and its kind).
//
// A waiting session keeps its command. When one of its keys changes, the key becomes ready; after the command that changed
// it, the executor runs the commands of that key's waiters again, first come first served, until one finds nothing. A wait
// that times out is run again too, with Context::may_block() false: the handler then answers as if its time were over.
// Invariant: a session is in the queue of each of its keys, once, in the order in which it began to wait.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/owned_argv.h"

namespace ouro {

class Session;

// What a waiting session waits for.
struct Wait {
  static constexpr Instant kForever = INT64_MAX;

  const CommandSpec* spec = nullptr;
  OwnedArgv argv;
  std::vector<std::pair<DbIndex, std::string>> keys;
  Instant until = kForever;
  bool active = false;
};

class Blocking {
 public:
  using Where = std::pair<DbIndex, std::string>;

  // Requires: the session does not wait.
  void add(Session& session, Wait wait);
  // Ends the wait; the session's Wait is handed back.
  Wait remove(Session& session);

  bool active() const { return !waiters_.empty(); }
  size_t session_count() const { return sessions_; }
  void on_changed(DbIndex db, ByteView key) {
    if (active()) mark_ready(db, key);
  }
  // Any key of the database may have become ready (SWAPDB).
  void on_database_changed(DbIndex db);

  bool has_ready() const { return !ready_.empty(); }
  // The next ready key, taken from the queue.
  Where take_ready();
  // The sessions that wait for a key, oldest first; a copy, since serving one changes the queue.
  std::vector<Session*> waiters_of(const Where& where) const;

  // When the next wait ends, kForever if none does.
  Instant next_deadline() const { return by_deadline_.empty() ? Wait::kForever : by_deadline_.begin()->first; }
  // A session whose wait is over at `now`, or null.
  Session* find_timed_out(Instant now) const;

 private:
  void mark_ready(DbIndex db, ByteView key);

  std::map<Where, std::deque<Session*>> waiters_;
  std::deque<Where> ready_;
  std::multimap<Instant, Session*> by_deadline_;
  size_t sessions_ = 0;
};

}  // namespace ouro
