// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/blocking.h"

#include <algorithm>

#include "server/engine/session.h"

namespace ouro {

void Blocking::add(Session& session, Wait wait) {
  CHECK(!session.wait().active);
  std::sort(wait.keys.begin(), wait.keys.end());
  wait.keys.erase(std::unique(wait.keys.begin(), wait.keys.end()), wait.keys.end());
  for (const Where& where : wait.keys) waiters_[where].push_back(&session);
  if (wait.until != Wait::kForever) by_deadline_.emplace(wait.until, &session);
  wait.active = true;
  session.wait() = std::move(wait);
  ++sessions_;
}

Wait Blocking::remove(Session& session) {
  CHECK(session.wait().active);
  Wait wait = std::exchange(session.wait(), Wait());
  for (const Where& where : wait.keys) {
    const auto found = waiters_.find(where);
    std::erase(found->second, &session);
    if (found->second.empty()) waiters_.erase(found);
  }
  const auto [first, last] = by_deadline_.equal_range(wait.until);
  for (auto it = first; it != last; ++it) {
    if (it->second == &session) {
      by_deadline_.erase(it);
      break;
    }
  }
  wait.active = false;
  --sessions_;
  return wait;
}

void Blocking::mark_ready(DbIndex db, ByteView key) {
  Where where(db, std::string(key));
  if (!waiters_.contains(where)) return;
  if (std::find(ready_.begin(), ready_.end(), where) == ready_.end()) ready_.push_back(std::move(where));
}

void Blocking::on_database_changed(DbIndex db) {
  for (const auto& [where, sessions] : waiters_) {
    if (where.first == db) mark_ready(db, where.second);
  }
}

Blocking::Where Blocking::take_ready() {
  Where where = std::move(ready_.front());
  ready_.pop_front();
  return where;
}

std::vector<Session*> Blocking::waiters_of(const Where& where) const {
  const auto found = waiters_.find(where);
  if (found == waiters_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

Session* Blocking::find_timed_out(Instant now) const {
  if (by_deadline_.empty() || by_deadline_.begin()->first > now) return nullptr;
  return by_deadline_.begin()->second;
}

}  // namespace ouro
