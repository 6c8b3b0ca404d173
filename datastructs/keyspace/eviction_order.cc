// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/eviction_order.h"

#include <algorithm>
#include <cmath>

namespace ouro {
namespace {

// What follows was chosen by replaying request traces at several sizes of memory. Prices and uses
// are compared in quarters of one use.
constexpr unsigned kQuarters = 4;
// From which multiple of the mean size on a key costs one quarter more to stay: the price goes with
// the cube root of the size, from a quarter of a use to three.
constexpr std::array kSizeSteps = {0.0527, 0.244, 0.670, 1.42, 2.60, 4.29,
                                   6.59,   9.60,  13.4,  18.1, 23.8};
// Who leaves the trial pays so many quarters of that price: it must be worth a place.
constexpr unsigned kTrialQuarters = 5;

constexpr double kTrialShareMin = 0.01;
constexpr double kTrialShareMax = 0.69;  // below what trim_queue() lets there be
constexpr double kTrialShareAtStart = 0.02;
// Ghosts for each key that is there, as long as they and the queue stay below kBytesPerKey.
constexpr double kGhostsPerKey = 1.5;
constexpr double kBytesPerKey = 4.9;
constexpr double kGhostBytes = 64.0 / 31;
// The queue may hold so much that is there no more; beyond it each push looks at some.
constexpr size_t kStaleShare = 16;
constexpr size_t kStaleSlack = 256;
constexpr unsigned kTrimStep = 4;
constexpr unsigned kStalePops = 16;

// A ghost that comes back within so many evictions, as a share of all keys, would still be there if
// its queue were that much longer: so the share of the trial follows (adapt()).
constexpr double kNear = 0.07;
constexpr double kAdaptGain = 16;
// One that was on trial is kept as soon as it is back, and had it stayed it would have had to be
// used twice for that: most of such evictions cost no more misses than they save. One of a kept key
// counts so much more.
constexpr double kWeightOfKept = 2.5;
// How far, in keys as a share of all, the queue may be from what the share says while it learns.
constexpr double kLengthSlack = 0.02;
// One that was gone for longer than this share of a round of the hand would not be used again
// before the hand meets it.
constexpr double kRoundShare = 0.5;
// What the last evictions were is a mean over a share of the keys, of so many at least.
constexpr double kKeysMin = 1000;
// After so many calls keys are counted anew, in all databases.
constexpr unsigned kCountEvery = 256;
// After so many evictions what moves slowly is looked at: the mean size, and how many ghosts there
// should be; that many lines of them may come then.
constexpr unsigned kMeasureEvery = 8;

}  // namespace

EvictionOrder::EvictionOrder(Heap& heap, Databases& dbs, uint64_t seed, Weigh weigh)
    : dbs_(dbs),
      prng_(seed),
      weigh_(weigh),
      queue_(HeapAllocator<Item>(heap)),
      ghosts_(heap),
      trial_share_(kTrialShareAtStart) {}

void EvictionOrder::start(Scope scope) {
  scope_ = scope;
  until_count_ = until_measure_ = 0;
  for (DbIndex db = 0; db < dbs_.count(); ++db) dbs_[db].set_eviction(this);
}

void EvictionOrder::stop() {
  for (DbIndex db = 0; db < dbs_.count(); ++db) dbs_[db].set_eviction(nullptr);
}

// ---- the queue of those on trial

void EvictionOrder::on_new(Keyspace& db, Entry& entry, Hash64 hash) {
  if (!may_go(entry)) return;
  ++keys_;
  count_keys();
  if (const Ghosts::Found ghost = ghosts_.take(hash); ghost.is && was_missed(ghost)) {
    entry.set_uses(1);
    return;
  }
  db.set_on_trial(entry, true);
  ++on_trial_;
  push(db.identity(), DictCore::part_of(hash));
  trim_queue();
}

// Whether the key that is back should have been kept.
bool EvictionOrder::was_missed(const Ghosts::Found& ghost) {
  const auto keys = static_cast<double>(std::max<size_t>(keys_, 1));
  const auto age = static_cast<double>(ghost.age);
  if (age <= kNear * keys) adapt(ghost.origin);
  const double round =
      (keys - static_cast<double>(on_trial_)) / std::max(looks_per_eviction_, 1e-3);
  return age <= kRoundShare * round;
}

// By the way it is learned how long the trial should be: an eviction from either queue that is
// regretted soon speaks for a longer one, the more the fewer it evicts. (ARC, FAST 2003, moves its
// border so.) A queue that still grows or shrinks to its length says nothing: then all evictions
// are of one side, and nobody could speak for the other.
void EvictionOrder::adapt(GhostOf origin) {
  constexpr double kEvictsMin = 0.02;
  const auto keys = static_cast<double>(std::max<size_t>(keys_, 1));
  const double too_long = static_cast<double>(on_trial_) - trial_share_ * keys;
  if (std::abs(too_long) > kLengthSlack * keys) return;
  const double step = kAdaptGain / keys;
  trial_share_ += origin == GhostOf::kTrial
                      ? step / std::max(gone_from_trial_, kEvictsMin)
                      : -step * kWeightOfKept / std::max(1 - gone_from_trial_, kEvictsMin);
  trial_share_ = std::clamp(trial_share_, kTrialShareMin, kTrialShareMax);
}

void EvictionOrder::push(DbIndex identity, HashPart part) {
  if (queue_.empty()) front_identity_ = back_identity_ = identity;
  if (identity != back_identity_) queue_.push_back(Item{identity << kTagBits});
  back_identity_ = identity;
  queue_.push_back(part);
}

// Fills the line of those whose turn comes next. What the table and the ghosts have for the last of
// them is asked for at once, the entry when the bucket has arrived.
void EvictionOrder::draw_ahead() {
  constexpr unsigned kEntryAt = kAheadMax / 2;
  while (ahead_count_ < kAheadMax && !queue_.empty()) {
    const Item item = queue_.front();
    queue_.pop_front();
    if ((static_cast<uint32_t>(item) & kTagMask) == 0) {
      front_identity_ = static_cast<uint32_t>(item) >> kTagBits;
      continue;
    }
    ahead_[(ahead_first_ + ahead_count_++) % kAheadMax] = {front_identity_, item};
    const DbIndex db = index_of(front_identity_);
    if (db == dbs_.count()) continue;
    const Hash64 lowest = DictCore::lowest_of(item);
    dbs_[db].prefetch_for_change(lowest);
    ghosts_.prefetch_line(lowest);
  }
  if (ahead_count_ <= kEntryAt) return;
  const Next& next = ahead_[(ahead_first_ + kEntryAt) % kAheadMax];
  const DbIndex db = index_of(next.identity);
  if (db != dbs_.count()) dbs_[db].prefetch_entry(DictCore::lowest_of(next.part));
}

// The count of databases if there is none.
DbIndex EvictionOrder::index_of(DbIndex identity) const {
  DbIndex db = 0;
  while (db < dbs_.count() && dbs_[db].identity() != identity) ++db;
  return db;
}

// The oldest item and its key, if that is still there and on trial. Requires: somebody is.
EvictionOrder::Found EvictionOrder::pop() {
  draw_ahead();
  const Next next = ahead_[ahead_first_];
  ahead_first_ = (ahead_first_ + 1) % kAheadMax;
  --ahead_count_;
  const DbIndex db = index_of(next.identity);
  return db == dbs_.count() ? Found{} : find(db, next.part);
}

EvictionOrder::Found EvictionOrder::find(DbIndex db, HashPart part) const {
  Found found{.db = db};
  found.entry = dbs_[db].table().find_by_part(part, [&](Entry& entry) {
    found.hash = dbs_[db].key(entry.key()).hash;
    return entry.is_on_trial() && DictCore::part_of(found.hash) == part;
  });
  return found;
}

// What was deleted leaves its item behind, and before memory is short nothing takes items out. Nor
// may more than seven of ten keys be on trial, for the queue's memory. The oldest
// that are still there are kept then, used or not: to queue up again they would not do, since an
// item of a key that was deleted and written again looks like the key's own.
void EvictionOrder::trim_queue() {
  for (unsigned i = 0; i < kTrimStep && !nobody_on_trial(); ++i) {
    const bool too_many = on_trial_ > keys_ - keys_ * 3 / 10 + kStaleSlack;
    const bool too_stale = queue_.size() > on_trial_ + on_trial_ / kStaleShare + kStaleSlack;
    if (!too_many && !too_stale) return;
    const Found oldest = pop();
    if (oldest.entry == nullptr) continue;
    dbs_[oldest.db].set_on_trial(*oldest.entry, false);
    --on_trial_;
  }
}

bool EvictionOrder::forget_some(size_t budget) {
  for (; budget > 0 && !nobody_on_trial(); --budget) {
    const Found oldest = pop();
    if (oldest.entry != nullptr) dbs_[oldest.db].set_on_trial(*oldest.entry, false);
  }
  return nobody_on_trial();
}

// ---- who goes

std::optional<EvictionOrder::Victim> EvictionOrder::next(size_t bytes) {
  count_keys();
  if (until_measure_-- == 0) measure(bytes);
  weakest_ = {};
  looks_at_kept_ = 0;
  for (unsigned looks = 0; looks < kLooksMax; ++looks) {
    const std::optional<Victim> victim =
        trial_is_too_long() ? judge_oldest_on_trial() : judge_next_kept();
    if (victim) return victim;
  }
  return least_used();
}

void EvictionOrder::measure(size_t bytes) {
  until_measure_ = kMeasureEvery - 1;
  const auto keys = static_cast<double>(std::max<size_t>(keys_, 1));
  per_byte_of_mean_ = keys / static_cast<double>(std::max<size_t>(bytes, 1));
  per_key_ = 1 / std::max(keys, kKeysMin);
  const size_t wanted = ghosts_wanted();
  for (unsigned i = 0; i < kMeasureEvery; ++i) ghosts_.approach(wanted);
}

size_t EvictionOrder::ghosts_wanted() const {
  const auto keys = static_cast<double>(keys_);
  const auto queue_bytes = static_cast<double>(queue_.size() * sizeof(Item));
  const double fitting = (kBytesPerKey * keys - queue_bytes) / kGhostBytes;
  return static_cast<size_t>(std::clamp(fitting, 0.0, kGhostsPerKey * keys));
}

// What others remove, delete and expire, is found out now and then.
void EvictionOrder::count_keys() {
  if (until_count_ > 0) {
    --until_count_;
    return;
  }
  until_count_ = kCountEvery;
  keys_ = on_trial_ = 0;
  for (DbIndex db = 0; db < dbs_.count(); ++db) {
    keys_ += scope_ == Scope::kAll ? dbs_[db].size() : dbs_[db].expires_count();
    on_trial_ += dbs_[db].on_trial_count();
  }
}

bool EvictionOrder::trial_is_too_long() const {
  if (nobody_on_trial()) return false;
  return static_cast<double>(on_trial_) > trial_share_ * static_cast<double>(keys_) ||
         on_trial_ >= keys_;
}

// How many uses, in quarters, it takes to stay.
unsigned EvictionOrder::price_of(const Entry& entry) const {
  const double by_mean = static_cast<double>(weigh_(entry)) * per_byte_of_mean_;
  unsigned steps = 0;
  while (steps < kSizeSteps.size() && kSizeSteps[steps] <= by_mean) ++steps;
  return 1 + steps;
}

// False: it was not used enough. What is left of a use is left by chance, so that the mean holds.
bool EvictionOrder::takes_back_uses(Entry& entry, unsigned price) {
  const unsigned uses = std::min(entry.uses(), Entry::kUsesExact) * kQuarters;
  if (uses < price) return false;
  const auto dice = static_cast<unsigned>(prng_.next() % kQuarters);
  entry.set_uses((uses - price + dice) / kQuarters);
  return true;
}

std::optional<EvictionOrder::Victim> EvictionOrder::judge_oldest_on_trial() {
  Found oldest;
  for (unsigned i = 0; i < kStalePops && oldest.entry == nullptr && !nobody_on_trial(); ++i)
    oldest = pop();
  if (oldest.entry == nullptr) return std::nullopt;
  const unsigned price = price_of(*oldest.entry);
  const unsigned uses = std::min(oldest.entry->uses(), Entry::kUsesExact) * kQuarters;
  const bool stays = 4 * uses >= kTrialQuarters * price || !may_go(*oldest.entry);
  if (!stays) return gone(oldest, GhostOf::kTrial);
  note_stays(oldest, price);
  dbs_[oldest.db].set_on_trial(*oldest.entry, false);
  oldest.entry->set_uses(0);
  --on_trial_;
  return std::nullopt;
}

std::optional<EvictionOrder::Victim> EvictionOrder::judge_next_kept() {
  if (pending_count_ == 0) advance_hand();
  if (pending_count_ == 0) return std::nullopt;
  const Found found = find_kept(hand_db_, pending_[--pending_count_]);
  if (found.entry == nullptr || !may_go(*found.entry)) return std::nullopt;
  ++looks_at_kept_;
  const unsigned price = price_of(*found.entry);
  note_stays(found, price);
  if (!takes_back_uses(*found.entry, price)) return gone(found, GhostOf::kKept);
  return std::nullopt;
}

void EvictionOrder::note_stays(const Found& found, unsigned price) {
  const unsigned uses_by_price = found.entry->uses() * 64 / price;
  if (uses_by_price < weakest_.uses_by_price && may_go(*found.entry))
    weakest_ = {found.db, found.hash, uses_by_price};
}

// Goes on to the next bucket; at the end of a database to the next one that has keys.
void EvictionOrder::advance_hand() {
  for (DbIndex passed = 0; hand_ == 0 && passed < dbs_.count(); ++passed) {
    hand_db_ = hand_db_ + 1 < dbs_.count() ? hand_db_ + 1 : 0;
    if (dbs_[hand_db_].size() > 0) break;
  }
  Keyspace& db = dbs_[hand_db_];
  hand_ = db.scan(hand_, [&](Entry& entry) {
    if (pending_count_ == kPendingMax) return;
    // Without a queue nobody is on trial, whatever an earlier one has left.
    if (nobody_on_trial()) db.set_on_trial(entry, false);
    if (!entry.is_on_trial()) pending_[pending_count_++] = db.key(entry.key()).hash;
  });
}

std::optional<EvictionOrder::Victim> EvictionOrder::least_used() {
  if (weakest_.uses_by_price == ~0U) return std::nullopt;
  return gone(find_kept(weakest_.db, weakest_.hash), GhostOf::kKept);
}

EvictionOrder::Found EvictionOrder::find_kept(DbIndex db, Hash64 hash) const {
  Found found{.db = db, .hash = hash};
  found.entry = dbs_[db].table().find_by_hash(hash, [&](Entry& entry) {
    return !entry.is_on_trial() && dbs_[db].key(entry.key()).hash == hash;
  });
  return found;
}

EvictionOrder::Victim EvictionOrder::gone(const Found& found, GhostOf origin) {
  ghosts_.add(found.hash, origin);
  gone_from_trial_ += ((origin == GhostOf::kTrial ? 1 : 0) - gone_from_trial_) * 10 * per_key_;
  looks_per_eviction_ += (looks_at_kept_ - looks_per_eviction_) * 4 * per_key_;
  if (keys_ > 0) --keys_;
  if (found.entry->is_on_trial()) --on_trial_;
  return {found.db, found.entry, found.hash};
}

size_t EvictionOrder::memory_bytes() const {
  return queue_.size() * sizeof(Item) + ghosts_.memory_bytes();
}

}  // namespace ouro
