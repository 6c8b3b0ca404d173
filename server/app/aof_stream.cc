// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/aof_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ouro {

AofStream::AofStream(Loop& loop, Logger& log, Heap& heap, const Commit& commit)
    : loop_(loop), log_(log), commit_(commit), writer_(heap, {}) {}

AofStream::~AofStream() { CHECK(!has_file()); }

void AofStream::on_group(std::span<const Effect> effects, GroupKind kind) {
  writer_.append(effects, kind, loop_.wall_now());
}

void AofStream::on_command(DbIndex db, Argv argv, ByteView raw) {
  writer_.append_one(db, argv, raw, loop_.wall_now());
}

void AofStream::write() {
  if (!has_file() || write_op_.busy() || loop_.now() < retry_at_) return;
  if (policy_.holds_writes()) return;
  if (taken_.bytes.empty()) {
    if (!writer_.has_gathered()) return note_written_to(commit_.log_end());
    if (is_delayed()) return;
    taken_ = writer_.take();
    taken_done_ = 0;
    taken_to_ = commit_.log_end();
  }
  while (!taken_.bytes.empty()) {
    const int32_t result = loop_.write_at(write_op_, fd_, taken_.bytes.substr(taken_done_),
                                          taken_.at + taken_done_, WriteEnd::kPrompt);
    if (result == kInFlight) return;
    note_written(result);
    if (result <= 0) return;
  }
}

bool AofStream::is_delayed() {
  if (delay_ > 0 && !delayed_to_) delayed_to_ = loop_.now() + delay_;
  if (delayed_to_ && loop_.now() < *delayed_to_) return true;
  delayed_to_.reset();
  return false;
}

void AofStream::note_written(int32_t result) {
  if (result <= 0) {
    note_problem("Error writing to the AOF file", result == 0 ? ENOSPC : -result);
    retry_at_ = loop_.now() + kRetryAfter;
    return;
  }
  taken_done_ += static_cast<size_t>(result);
  unsynced_bytes_ += static_cast<size_t>(result);
  if (taken_done_ < taken_.bytes.size()) return;
  taken_ = {};
  writer_.release();
  note_written_to(taken_to_);
  if (problem_.empty() || policy_.failed()) return;
  problem_.clear();
  log_.write(LogLevel::kWarning, "AOF write error looks solved. The server can write again.");
}

void AofStream::note_written_to(uint64_t log_end) {
  if (log_end == written_to_) return;
  written_to_ = log_end;
  if (is_settled_) policy_.on_written(log_end);
}

void AofStream::sync() {
  if (!has_file() || !is_settled_) return;
  if (policy_.is_late(loop_.now())) {
    log_.write(LogLevel::kNotice,
               "A sync of the AOF file takes longer than two seconds: is the disk busy?");
  }
  if (policy_.due_at() <= loop_.now()) sync_now();
}

void AofStream::sync_now() {
  if (policy_.begin_sync(loop_.fresh_now(), std::exchange(unsynced_bytes_, 0)) == SyncHow::kAtOnce)
    return note_synced(loop_.sync_at_once(fd_));
  loop_.sync(sync_op_, fd_);
}

void AofStream::note_synced(int32_t result) {
  if (result >= 0) return policy_.on_synced(loop_.fresh_now());
  policy_.on_sync_failed();
  note_problem("Fail to fsync the AOF file", -result);
}

void AofStream::note_sync_failure(int error) {
  if (policy_.can_sync()) (void)policy_.begin_sync(loop_.now(), 0);
  if (policy_.is_syncing()) policy_.on_sync_failed();
  note_problem("Fail to fsync the AOF file", error);
}

// Told in the log once, however often it is tried again.
void AofStream::note_problem(const char* what, int error) {
  const char* const words = strerrordesc_np(error);
  if (problem_ == words) return;
  problem_ = words;
  log_.print(LogLevel::kWarning, "%s: %s", what, words);
}

Instant AofStream::due() const {
  if (!has_file()) return kNever;
  const bool waits = !write_op_.busy() && !policy_.holds_writes() &&
                     (!taken_.bytes.empty() || writer_.has_gathered());
  const Instant write = waits ? std::max(retry_at_, delayed_to_.value_or(0)) : kNever;
  return is_settled_ ? std::min(write, policy_.due_at()) : write;
}

void AofStream::begin_file(uint64_t bytes) {
  CHECK(!is_in_flight());
  is_settled_ = false;
  retry_at_ = 0;
  unsynced_bytes_ = 0;
  if (!taken_.bytes.empty()) {
    taken_ = {};
    writer_.release();
  }
  if (writer_.has_gathered()) {
    (void)writer_.take();
    writer_.release();
  }
  writer_.begin_file(bytes);
  written_to_ = commit_.log_end();
  if (has_file()) loop_.close(close_op_, std::exchange(fd_, FileFd()));
}

void AofStream::take_file(FileFd fd) {
  CHECK(!has_file());
  fd_ = fd;
}

void AofStream::settle(uint64_t log_end) {
  is_settled_ = true;
  if (policy_.failed()) problem_.clear();
  policy_.on_new_file(log_end);
  policy_.on_written(written_to_);
}

}  // namespace ouro
