// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/blocking.h"

#include <algorithm>

#include "server/engine/session.h"

namespace ouro {

void Blocking::add(Session& session, Wait wait) {
  CHECK(!session.wait().active);
  std::sort(wait.keys.begin(), wait.keys.end());
  wait.keys.erase(std::unique(wait.keys.begin(), wait.keys.end()), wait.keys.end());
  for (const Where& where : wait.keys) {
    Waiters& waiters = waiters_[where];
    waiters.sessions.push_back(&session);
    waiters.told_of_removal += wait.is_told_of_removal();
    wait.key_bytes += sizeof(Where) + where.second.capacity();
  }
  wait.active = true;
  session.wait() = std::move(wait);
  set_timer(session);
  ++sessions_;
}

Wait Blocking::remove(Session& session) {
  CHECK(session.wait().active);
  Wait wait = std::exchange(session.wait(), Wait());
  for (const Where& where : wait.keys) {
    const auto found = waiters_.find(where);
    std::erase(found->second.sessions, &session);
    found->second.told_of_removal -= wait.is_told_of_removal();
    // If it is ready, take_ready() finds that nobody waits any more.
    if (found->second.sessions.empty()) waiters_.erase(found);
  }
  clear_timer(session, wait);
  wait.active = false;
  --sessions_;
  return wait;
}

void Blocking::set_timer(Session& session) {
  const Instant next = session.wait().next();
  if (next != Wait::kForever) by_deadline_.emplace(next, &session);
}

void Blocking::clear_timer(Session& session, const Wait& wait) {
  const auto [first, last] = by_deadline_.equal_range(wait.next());
  for (auto it = first; it != last; ++it) {
    if (it->second != &session) continue;
    by_deadline_.erase(it);
    return;
  }
}

void Blocking::look_again(Session& session, Instant when) {
  CHECK(session.wait().active);
  clear_timer(session, session.wait());
  session.wait().look_again = when;
  set_timer(session);
}

void Blocking::mark_due(Instant now) {
  for (auto it = by_deadline_.begin(); it != by_deadline_.end() && it->first <= now;) {
    Session& session = *it->second;
    const Wait& wait = session.wait();
    ++it;
    // Whose time is over is not asked any more.
    if (wait.until <= now) continue;
    for (const auto& [db, key] : wait.keys) mark_ready(db, key);
    look_again(session, Wait::kForever);
  }
}

void Blocking::mark_ready(DbIndex db, ByteView key) {
  const auto found = waiters_.find(std::pair(db, key));
  if (found == waiters_.end() || found->second.is_ready) return;
  found->second.is_ready = true;
  ready_.push_back(found->first);
}

void Blocking::on_database_changed(DbIndex db) {
  for (const auto& [where, waiters] : waiters_) {
    if (where.first == db) mark_ready(db, where.second);
  }
}

Blocking::Where Blocking::take_ready() {
  Where where = std::move(ready_.front());
  ready_.pop_front();
  if (const auto found = waiters_.find(where); found != waiters_.end())
    found->second.is_ready = false;
  return where;
}

void Blocking::hold(const Where& where) {
  if (const auto found = waiters_.find(where); found != waiters_.end())
    found->second.is_ready = true;
}

void Blocking::release(const Where& where) {
  if (const auto found = waiters_.find(where); found != waiters_.end())
    found->second.is_ready = false;
  mark_ready(where.first, where.second);
}

Session* Blocking::waiter(const Where& where, size_t passed) const {
  const auto found = waiters_.find(where);
  if (found == waiters_.end() || passed >= found->second.sessions.size()) return nullptr;
  return found->second.sessions[passed];
}

Session* Blocking::waiter_told_of_removal(const Where& where, size_t& passed) const {
  const auto found = waiters_.find(where);
  if (found == waiters_.end() || found->second.told_of_removal == 0) return nullptr;
  const std::deque<Session*>& sessions = found->second.sessions;
  for (; passed < sessions.size(); ++passed) {
    if (sessions[passed]->wait().is_told_of_removal()) return sessions[passed];
  }
  return nullptr;
}

Session* Blocking::find_timed_out(Instant now) const {
  if (by_deadline_.empty() || by_deadline_.begin()->first > now) return nullptr;
  return by_deadline_.begin()->second;
}

}  // namespace ouro
