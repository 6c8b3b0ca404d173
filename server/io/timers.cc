// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/timers.h"

namespace ouro {

Timer::~Timer() {
  if (home_ != nullptr) home_->cancel(*this);
}

Timers::~Timers() {
  for (Timer* timer : heap_) timer->home_ = nullptr;
}

void Timers::set(Timer& timer, Instant due) {
  if (timer.home_ != nullptr) timer.home_->cancel(timer);
  timer.home_ = this;
  timer.due_ = due;
  timer.order_ = ++orders_;
  heap_.push_back(&timer);
  timer.index_ = heap_.size() - 1;
  sift_up(timer.index_);
}

void Timers::cancel(Timer& timer) {
  if (timer.home_ == nullptr) return;
  CHECK(timer.home_ == this);
  CHECK(heap_[timer.index_] == &timer);
  timer.home_ = nullptr;
  Timer* const last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  place(timer.index_, last);
  sift_up(last->index_);
  sift_down(last->index_);
}

void Timers::run_due(Instant now) {
  const uint64_t orders_before = orders_;
  while (!heap_.empty()) {
    Timer& timer = *heap_.front();
    // A timer set by one of these callbacks may be due at once; then it and all behind it wait for
    // the next turn.
    if (timer.due_ > now || timer.order_ > orders_before) return;
    cancel(timer);
    timer.callback_(timer.owner_);
  }
}

void Timers::place(size_t index, Timer* timer) noexcept {
  heap_[index] = timer;
  timer->index_ = index;
}

void Timers::sift_up(size_t index) noexcept {
  Timer* const timer = heap_[index];
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!before(*timer, *heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, timer);
}

void Timers::sift_down(size_t index) noexcept {
  Timer* const timer = heap_[index];
  for (;;) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && before(*heap_[child + 1], *heap_[child])) ++child;
    if (!before(*heap_[child], *timer)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, timer);
}

void Timers::check_invariants() const {
  for (size_t i = 0; i < heap_.size(); ++i) {
    CHECK(heap_[i]->index_ == i);
    CHECK(heap_[i]->home_ == this);
    if (i > 0) CHECK(!before(*heap_[i], *heap_[(i - 1) / 2]));
  }
}

}  // namespace ouro
