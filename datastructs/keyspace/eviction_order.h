// SPDX-License-Identifier: BSD-3-Clause
// EvictionOrder: which key should go next when memory is short. Adaptive, safe from scans, and
// aware of sizes, with no key chosen by lot.
//
//   new key ----> [ queue of those on trial ] ---- not used ----> gone, and its ghost stays a while
//      |                     | used
//      | a ghost of it       v
//      +-------------> kept: every other key of the tables. A hand goes round them bucket by
//                      bucket; who was not used since it last came by goes, and leaves a ghost
//
// The frame is that of S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction",
// SOSP 2023): most new keys are never used again, and are found out by a short queue. The main
// queue is none here: the table itself is gone through as a clock, in the order of hashes, so that
// only keys on trial cost memory of their own: four bytes of their hash each; a ghost takes two.
// Together they take less than five bytes for each key of the tables. A key weighs by its size:
// what is larger than the mean needs more uses to stay.
//
// Cost: a new key one push and one line of ghosts; an eviction looks at kLooksMax keys at most and
// then takes the least used of these. Requires: no other order is told of the same databases.
#pragma once

#include <array>
#include <deque>
#include <optional>

#include "datastructs/base/prng.h"
#include "datastructs/keyspace/databases.h"
#include "datastructs/keyspace/ghosts.h"

namespace ouro {

class EvictionOrder {
 public:
  // Which keys may go at all.
  enum class Scope : uint8_t { kAll, kWithDeadline };

  // weigh: what an entry takes, in bytes.
  using Weigh = size_t (*)(const Entry&);
  EvictionOrder(
      Heap& heap, Databases& dbs, uint64_t seed,
      Weigh weigh = [](const Entry& entry) -> size_t { return entry.memory_bytes(); });
  ~EvictionOrder() { stop(); }
  EvictionOrder(const EvictionOrder&) = delete;
  EvictionOrder& operator=(const EvictionOrder&) = delete;

  // From the keyspace: this key was not there before.
  void on_new(Keyspace& db, Entry& entry, Hash64 hash);
  // What that will look at.
  void prefetch(Hash64 hash) const { ghosts_.prefetch_line(hash); }

  struct Victim {
    DbIndex db;
    Entry* entry;
    Hash64 hash;
  };
  // The key to be removed now, which the caller does; nothing when none was found that may go.
  // bytes: what all keys take.
  std::optional<Victim> next(size_t bytes);
  static constexpr unsigned kLooksMax = 64;

  // Is told of new keys from now until it stops. Those that are there count as kept.
  void start(Scope scope);
  // No new keys come any more. Until forget_some() has returned true those on trial are marked.
  void stop();
  bool forget_some(size_t budget);

  double trial_share() const { return trial_share_; }
  size_t memory_bytes() const;

 private:
  // Parts of hashes; what has a tag of 0 is a mark instead: an identity, above it. What follows is
  // of that database.
  using Item = HashPart;
  static constexpr uint32_t kTagBits = 8;
  static constexpr uint32_t kTagMask = (1U << kTagBits) - 1;
  struct Found {
    DbIndex db = 0;
    Entry* entry = nullptr;
    Hash64 hash = 0;
  };

  bool was_missed(const Ghosts::Found& ghost);
  void adapt(GhostOf origin);
  void push(DbIndex identity, HashPart part);
  void draw_ahead();
  Found pop();
  bool nobody_on_trial() const { return ahead_count_ == 0 && queue_.empty(); }
  Found find(DbIndex db, HashPart part) const;
  DbIndex index_of(DbIndex identity) const;
  Found find_kept(DbIndex db, Hash64 hash) const;
  void trim_queue();
  void count_keys();
  bool trial_is_too_long() const;
  void measure(size_t bytes);
  size_t ghosts_wanted() const;
  unsigned price_of(const Entry& entry) const;
  bool takes_back_uses(Entry& entry, unsigned price);
  std::optional<Victim> judge_oldest_on_trial();
  std::optional<Victim> judge_next_kept();
  void note_stays(const Found& found, unsigned price);
  void advance_hand();
  std::optional<Victim> least_used();
  Victim gone(const Found& found, GhostOf origin);
  bool may_go(const Entry& entry) const { return scope_ == Scope::kAll || entry.has_deadline(); }

  Databases& dbs_;
  Scope scope_ = Scope::kAll;
  Prng prng_;
  Weigh weigh_;
  std::deque<Item, HeapAllocator<Item>> queue_;
  DbIndex front_identity_ = 0;
  DbIndex back_identity_ = 0;
  // The oldest of the queue have left it already: what is known of them is fetched while they wait.
  struct Next {
    DbIndex identity;
    HashPart part;
  };
  static constexpr unsigned kAheadMax = 8;
  std::array<Next, kAheadMax> ahead_{};
  unsigned ahead_first_ = 0;
  unsigned ahead_count_ = 0;
  Ghosts ghosts_;

  double trial_share_;             // how many of all keys may be on trial
  double gone_from_trial_ = 0.5;   // of the last evictions, as a share
  double looks_per_eviction_ = 0;  // at kept keys, of the last evictions
  unsigned looks_at_kept_ = 0;     // in this call
  // As last counted; kept up to date by what happens here.
  size_t keys_ = 0;
  size_t on_trial_ = 0;
  unsigned until_count_ = 0;
  // As last measured: one by the mean size of a key, and one by the number of keys.
  double per_byte_of_mean_ = 0;
  double per_key_ = 0;
  unsigned until_measure_ = 0;

  DbIndex hand_db_ = 0;
  uint64_t hand_ = 0;  // where the next bucket is (Keyspace::scan)
  // Of the bucket behind it, still to be judged.
  static constexpr unsigned kPendingMax = 32;
  std::array<Hash64, kPendingMax> pending_{};
  unsigned pending_count_ = 0;

  // Of those judged in this call, who was used least for its size.
  struct Weakest {
    DbIndex db = 0;
    Hash64 hash = 0;
    unsigned uses_by_price = ~0U;
  };
  Weakest weakest_;
};

}  // namespace ouro
