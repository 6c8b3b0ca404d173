// SPDX-License-Identifier: BSD-3-Clause
// Blocking: sessions that wait for a key to change (BLPOP and its kind).
//
// A waiting session keeps its command. When one of its keys changes, the key becomes ready; after
// the command that changed it (EXEC as a whole), the executor runs the commands of that key's
// waiters again, first come first served, as long as the key exists. Such a run serves this one key
// only (Context::find_awaited). A command that is told of removal (Flag::kToldOfRemoval) is run
// again also when the key has gone. A wait for keys that times out is answered with a null array,
// as all of Redis's are; a wait without keys is run again with Context::may_block() false, and so
// is one that answers late (Flag::kAnswersLate).
// Invariant: a session is in the queue of each of its keys, once, in the order in which it began to
// wait.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/codec/owned_argv.h"
#include "server/engine/command.h"

namespace ouro {

class Session;

// What a waiting session waits for.
struct Wait {
  static constexpr Instant kForever = INT64_MAX;

  const CommandSpec* spec = nullptr;
  OwnedArgv argv;
  bool is_told_of_removal() const { return spec->flags.has(Flag::kToldOfRemoval); }
  std::vector<std::pair<DbIndex, std::string>> keys;
  size_t key_bytes = 0;  // what they take here
  Instant until = kForever;
  Instant look_again = kForever;  // then its keys count as changed
  bool active = false;

  Instant next() const { return until < look_again ? until : look_again; }
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
  // At `when` the keys of a session that waits count as changed, in place of what was said before:
  // what it waits for may come with time alone (XREADGROUP CLAIM).
  void look_again(Session& session, Instant when);
  // Marks the keys of those whose time to look again has come.
  void mark_due(Instant now);
  // Any key of the database may have become ready (SWAPDB).
  void on_database_changed(DbIndex db);

  bool has_ready() const { return !ready_.empty(); }
  // The key stands at the end of the queue, if anybody waits for it.
  void mark_ready(DbIndex db, ByteView key);
  // The next ready key, taken from the queue.
  Where take_ready();
  // A key that was taken, but may not be shown yet (due_members.h): however often it changes, it is
  // ready when it is released.
  void hold(const Where& where);
  void release(const Where& where);
  // The first session behind the `passed` oldest that wait for a key; null if there is none.
  Session* waiter(const Where& where, size_t passed) const;
  // The same among those that are told of removal. Cost: O(1) if nobody is.
  Session* waiter_told_of_removal(const Where& where, size_t& passed) const;

  // When the next wait ends or looks again, kForever if none does.
  Instant next_deadline() const {
    return by_deadline_.empty() ? Wait::kForever : by_deadline_.begin()->first;
  }
  // A session whose wait is over at `now`, or null.
  Session* find_timed_out(Instant now) const;

 private:
  // Finds a place by a view of its key: a changed key that nobody waits for costs no allocation.
  struct Before {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first != b.first ? a.first < b.first : ByteView(a.second) < ByteView(b.second);
    }
  };
  struct Waiters {
    std::deque<Session*> sessions;
    size_t told_of_removal = 0;  // how many of them are
    bool is_ready = false;       // stands in ready_, or is held
  };

  void set_timer(Session& session);
  void clear_timer(Session& session, const Wait& wait);

  std::map<Where, Waiters, Before> waiters_;
  std::deque<Where> ready_;
  std::multimap<Instant, Session*> by_deadline_;  // by Wait::next(), unless that is never
  size_t sessions_ = 0;
};

}  // namespace ouro
