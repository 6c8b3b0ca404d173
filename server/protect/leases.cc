// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/leases.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace ouro {

Dict<Lease>& Leases::table_of(DbIndex db) {
  if (tables_.size() <= db) tables_.resize(db + 1);
  if (tables_[db] == nullptr) tables_[db] = std::make_unique<Dict<Lease>>(heap_, seed_);
  return *tables_[db];
}

Lease* Leases::find(DbIndex db, const Key& key) const {
  if (db >= tables_.size() || tables_[db] == nullptr) return nullptr;
  return tables_[db]->find(key.bytes, key.hash);
}

bool Leases::grant(DbIndex db, const Key& key, const Grant& what, size_t leases_max) {
  Lease* lease = find(db, key);
  DCHECK(lease == nullptr || !lease->holds(what.now));
  if (lease == nullptr) {
    if (count_ >= leases_max) {
      if (oldest_ == nullptr) return false;
      remove(*oldest_, tables_[oldest_->db]->hash(oldest_->key()));
    }
    lease = add(db, key);
  }
  set_state(*lease, Lease::State::kLive);
  lease->token = what.token;
  lease->holder = what.holder;
  lease->granted = what.now;
  lease->until = instant_after(what.now, what.time);
  tables_[db]->note_deadline(key.hash, lease->until);
  return true;
}

Lease* Leases::add(DbIndex db, const Key& key) {
  void* block = heap_.allocate(sizeof(Lease) + key.bytes.size());
  Lease* lease = new (block) Lease{.db = db};
  lease->key_bytes = static_cast<uint32_t>(key.bytes.size());
  if (!key.bytes.empty()) std::memcpy(lease + 1, key.bytes.data(), key.bytes.size());
  table_of(db).insert(lease, key.hash);
  ++count_;
  ++live_;
  return lease;
}

std::optional<Instant> Leases::take(DbIndex db, const Key& key, uint64_t token) {
  Lease* lease = find(db, key);
  if (lease == nullptr || lease->token != token || lease->state == Lease::State::kCooling)
    return {};
  const Instant granted = lease->granted;
  remove(*lease, key.hash);
  return granted;
}

bool Leases::cool(DbIndex db, const Key& key, uint64_t token, Instant until) {
  Lease* lease = find(db, key);
  if (lease == nullptr || lease->token != token || lease->state == Lease::State::kCooling)
    return false;
  set_state(*lease, Lease::State::kCooling);
  lease->until = until;
  tables_[db]->note_deadline(key.hash, until);
  return true;
}

void Leases::drop(DbIndex db, const Key& key) {
  if (Lease* lease = find(db, key)) remove(*lease, key.hash);
}

void Leases::drop_all(DbIndex db) {
  if (db >= tables_.size() || tables_[db] == nullptr) return;
  size_t all = ~size_t{0};
  tables_[db]->free_some(all, [this](Lease* lease) { free(*lease); });
  tables_[db] = nullptr;
}

void Leases::clear() {
  for (DbIndex db = 0; db < tables_.size(); ++db) drop_all(db);
}

// What cools down holds no token any more: it just goes.
void Leases::end_due(Instant now, size_t& budget, FunctionRef<void(const Lease&)> visit) {
  for (const auto& table : tables_) {
    if (table == nullptr) continue;
    while (Lease* due = table->find_due(now, budget)) {
      if (due->state == Lease::State::kCooling) {
        remove(*due, table->hash(due->key()));
        continue;
      }
      set_state(*due, Lease::State::kLate);
      visit(*due);
    }
  }
}

Instant Leases::next_end() const {
  Instant next = kNever;
  for (const auto& table : tables_) {
    if (table != nullptr) next = std::min(next, table->next_deadline());
  }
  return next;
}

void Leases::remove(Lease& lease, Hash64 hash) {
  tables_[lease.db]->take(lease.key(), hash);
  free(lease);
}

void Leases::free(Lease& lease) {
  if (lease.state == Lease::State::kLate) unlink(lease);
  if (lease.state == Lease::State::kLive) --live_;
  --count_;
  heap_.release(&lease);
}

void Leases::set_state(Lease& lease, Lease::State state) {
  if (lease.state == state) return;
  if (lease.state == Lease::State::kLate) unlink(lease);
  if (lease.state == Lease::State::kLive) --live_;
  lease.state = state;
  if (state == Lease::State::kLate) note_late(lease);
  if (state == Lease::State::kLive) ++live_;
}

void Leases::note_late(Lease& lease) {
  lease.older = newest_;
  lease.newer = nullptr;
  (newest_ == nullptr ? oldest_ : newest_->newer) = &lease;
  newest_ = &lease;
}

void Leases::unlink(Lease& lease) {
  (lease.older == nullptr ? oldest_ : lease.older->newer) = lease.newer;
  (lease.newer == nullptr ? newest_ : lease.newer->older) = lease.older;
}

void Leases::check_invariants() const {
  size_t count = 0;
  size_t live = 0;
  size_t late = 0;
  for (const auto& table : tables_) {
    if (table == nullptr) continue;
    table->check_invariants();
    table->for_each([&](const Lease& lease) {
      ++count;
      live += lease.state == Lease::State::kLive ? 1U : 0U;
      late += lease.state == Lease::State::kLate ? 1U : 0U;
    });
  }
  CHECK(count == count_ && live == live_);
  for (const Lease* lease = oldest_; lease != nullptr; lease = lease->newer) {
    CHECK(lease->newer == nullptr ? lease == newest_ : lease->newer->older == lease);
    CHECK(late-- > 0);
  }
  CHECK(late == 0);
}

}  // namespace ouro
