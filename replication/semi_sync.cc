// SPDX-License-Identifier: BSD-3-Clause
#include "replication/semi_sync.h"

#include <algorithm>
#include <utility>

#include "datastructs/base/check.h"

namespace ouro {

void SemiSync::set_options(const Options& options, Instant now) {
  const bool was_on = is_on();
  options_ = options;
  if (!is_on()) {
    state_ = State::kOff;
    marks_.clear();
    return;
  }
  // What K others have acknowledged is not known of these.
  if (!was_on) lease_until_ = now;
  if (!was_on || state_ == State::kDegraded) state_ = State::kHeld;
  judge(now);
}

void SemiSync::on_sent(uint64_t log_end, uint64_t offset, Instant now) {
  if (!is_on()) return;
  sent_at_ = now;
  if (!marks_.empty()) {
    Mark& last = marks_.back();
    CHECK(last.log_end <= log_end);
    CHECK(last.offset <= offset);
    if (marks_.size() >= kMarksMax) {
      last.log_end = log_end;
      last.offset = offset;
      return;
    }
  }
  marks_.push_back({.log_end = log_end, .offset = offset, .sent_at = now});
}

void SemiSync::on_acked(uint64_t offset, Instant now) {
  while (!marks_.empty() && marks_.front().offset <= offset) {
    released_ = marks_.front().log_end;
    lease_until_ = std::max(lease_until_, marks_.front().sent_at + options_.timeout);
    marks_.pop_front();
  }
  if (is_on() && now < lease_until_) state_ = State::kHeld;
}

bool SemiSync::look(Instant now) {
  judge(now);
  return std::exchange(told_, state_) != state_;
}

void SemiSync::judge(Instant now) {
  if (state_ == State::kHeld && now >= lease_until_) {
    const bool refuses = options_.on_timeout == OnTimeout::kRefuse;
    state_ = refuses ? State::kLapsed : State::kDegraded;
    ++(refuses ? lapses_ : degradations_);
  } else if (state_ == State::kLapsed && options_.on_timeout == OnTimeout::kDegrade) {
    state_ = State::kDegraded;
    ++degradations_;
  }
}

Instant SemiSync::heartbeat_due() const {
  return is_on() ? sent_at_ + options_.timeout / kHeartbeatsALease : kNever;
}

uint64_t SemiSync::released() const {
  const bool holds = state_ == State::kHeld || state_ == State::kLapsed;
  return holds ? released_ : kReleaseAll;
}

}  // namespace ouro
