// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/fsync_policy.h"

#include <algorithm>

#include "datastructs/base/check.h"

namespace ouro {

namespace {

constexpr Micros kPeriod = 1'000'000;
// A sync that is in flight for longer than this has kept the next one waiting.
constexpr Micros kLate = 2'000'000;

// A quick sync is shorter than this. In the background it counts with both wake-ups, which take
// some 200 us on a busy core.
constexpr Micros kQuick = 500;
// So little that its data alone cannot take a disk long.
constexpr size_t kAtOnceBytesMax = 256_KiB;
// After one that was not quick nobody waits for so many times as long as it took.
constexpr Micros kRests = 20;

}  // namespace

void FsyncPolicy::on_written(uint64_t log_end) {
  CHECK(log_end >= written_);
  written_ = log_end;
}

Instant FsyncPolicy::due_at() const {
  if (!can_sync() || paused_ || written_ == syncing_) return kNever;
  switch (mode_) {
    case AppendFsync::kAlways:
      return 0;
    case AppendFsync::kEverySecond:
      return has_begun_ ? began_at_ + kPeriod : 0;
    case AppendFsync::kNo:
      break;
  }
  return kNever;
}

bool FsyncPolicy::is_late(Instant now) {
  if (!in_flight_ || was_late_ || now - began_at_ < kLate) return false;
  was_late_ = true;
  ++late_syncs_;
  return true;
}

SyncHow FsyncPolicy::begin_sync(Instant now, size_t bytes) {
  CHECK(can_sync());
  in_flight_ = true;
  was_late_ = false;
  has_begun_ = true;
  began_at_ = now;
  syncing_ = written_;
  ++syncs_;
  const bool may_wait = mode_ == AppendFsync::kAlways && bytes <= kAtOnceBytesMax;
  how_ = may_wait && was_quick_ && now >= waits_from_ ? SyncHow::kAtOnce : SyncHow::kInBackground;
  return how_;
}

void FsyncPolicy::on_synced(Instant now) {
  CHECK(in_flight_);
  in_flight_ = false;
  const Micros took = now - began_at_;
  was_quick_ = took < kQuick;
  if (!was_quick_ && how_ == SyncHow::kAtOnce) waits_from_ = now + kRests * took;
  durable_ = syncing_;
}

void FsyncPolicy::on_sync_failed() {
  CHECK(in_flight_);
  in_flight_ = false;
  failed_ = true;
}

void FsyncPolicy::on_new_file(uint64_t log_end) {
  CHECK(!in_flight_);
  CHECK(log_end >= durable_);
  failed_ = false;
  written_ = std::max(written_, log_end);
  syncing_ = durable_ = log_end;
}

uint64_t FsyncPolicy::released() {
  const bool waits_for_disk = mode_ == AppendFsync::kAlways && !paused_;
  released_ = std::max(released_, waits_for_disk ? durable_ : written_);
  return released_;
}

void FsyncPolicy::check_invariants() const {
  CHECK(durable_ <= syncing_);
  CHECK(syncing_ <= written_);
  CHECK(released_ <= written_);
  if (in_flight_) CHECK(!failed_);
}

}  // namespace ouro
