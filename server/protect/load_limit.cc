// SPDX-License-Identifier: BSD-3-Clause
#include "server/protect/load_limit.h"

#include <algorithm>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

constexpr Micros kSecond = 1'000'000;
constexpr Nanos kNanosPerMicro = 1000;
constexpr Nanos kNanosPerMilli = 1'000'000;
constexpr Nanos kNanosPerSecond = 1'000'000'000;
// Any interval is beyond a second by then.
constexpr Instant kHalvingsMax = 40;

// Of a heap by std::push_heap: what is over first is on top.
constexpr auto kOverLater = [](const auto& a, const auto& b) { return a.until > b.until; };

}  // namespace

Instant LoadLimit::Meter::next(const Pace& pace, Instant now) const noexcept {
  const GcraRequest request{arrival, pace.interval, pace.tolerance};
  const Nanos wait = ask_gcra(request, now * kNanosPerMicro).ahead;
  if (wait <= 0) return now;
  return now + static_cast<Micros>((wait + kNanosPerMicro - 1) / kNanosPerMicro);
}

void LoadLimit::Meter::pass(const Pace& pace, Instant now) noexcept {
  arrival = ask_gcra({arrival, pace.interval, pace.tolerance}, now * kNanosPerMicro).arrival;
}

Instant LoadLimit::next_begin(Instant now) noexcept {
  Instant next = now;
  if (limits_.loads > 0) {
    end_overdue(now);
    // Usually one of those in flight ends before its time is over.
    if (loads_.size() >= limits_.loads) {
      const Instant over = loads_.front().until;
      next = usual_ > 0 ? std::min(over, now + usual_) : over;
    }
  }
  if (limits_.rate_count > 0) next = std::max(next, rate_.next(pace_as_set(), now));
  if (is_tripped()) next = std::max(next, breaker_.next(pace_of_breaker(now), now));
  return next;
}

void LoadLimit::begin(uint64_t token, Instant now, Instant until) noexcept {
  DCHECK(next_begin(now) <= now);
  if (limits_.loads > 0) {
    loads_.push_back({until, now, token});
    std::push_heap(loads_.begin(), loads_.end(), kOverLater);
  }
  if (limits_.rate_count > 0) rate_.pass(pace_as_set(), now);
  if (is_tripped()) breaker_.pass(pace_of_breaker(now), now);
  begun_.note(now);
}

void LoadLimit::end(uint64_t token, LoadEnd how, Instant now) noexcept {
  const auto load = std::find_if(loads_.begin(), loads_.end(),
                                 [&](const Load& each) { return each.token == token; });
  if (load != loads_.end()) {
    if (how == LoadEnd::kAnswered) note_duration(now - load->began);
    *load = loads_.back();
    loads_.pop_back();
    std::make_heap(loads_.begin(), loads_.end(), kOverLater);
  }
  if (how == LoadEnd::kAnswered) {
    failures_ = 0;
  } else if (++failures_ == kFailuresMax) {
    tripped_at_ = now;
    tripped_from_ = std::max(begun_.in_a_second(now), 1U);
    breaker_ = {};
  }
}

size_t LoadLimit::in_flight(Instant now) noexcept {
  end_overdue(now);
  return loads_.size();
}

void LoadLimit::end_overdue(Instant now) noexcept {
  while (!loads_.empty() && loads_.front().until <= now) {
    std::pop_heap(loads_.begin(), loads_.end(), kOverLater);
    loads_.pop_back();
  }
}

void LoadLimit::note_duration(Micros duration) noexcept {
  // A load that took no time at all has been seen, too.
  duration = std::max<Micros>(duration, 1);
  usual_ = usual_ == 0 ? duration : usual_ + (duration - usual_) / 8;
}

LoadLimit::Pace LoadLimit::pace_as_set() const noexcept {
  const Nanos period = limits_.rate_period * kNanosPerMilli;
  const Nanos interval = period / limits_.rate_count;
  return {.interval = interval, .tolerance = interval * limits_.rate_count};
}

LoadLimit::Pace LoadLimit::pace_of_breaker(Instant now) const noexcept {
  const Nanos whole =
      limits_.rate_count > 0 ? pace_as_set().interval : kNanosPerSecond / tripped_from_;
  const auto halvings = std::min(1 + (now - tripped_at_) / kSecond, kHalvingsMax);
  const Nanos interval = std::min(whole << halvings, kNanosPerSecond);
  return {.interval = interval, .tolerance = interval};
}

void LoadLimit::Begun::note(Instant now) noexcept {
  roll(now);
  ++count;
}

uint32_t LoadLimit::Begun::in_a_second(Instant now) noexcept {
  roll(now);
  return std::max(count, before);
}

void LoadLimit::Begun::roll(Instant now) noexcept {
  if (now - since < kSecond) return;
  before = now - since < 2 * kSecond ? count : 0;
  count = 0;
  since = now;
}

}  // namespace ouro
