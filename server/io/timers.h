// SPDX-License-Identifier: BSD-3-Clause
// Timers of a loop: a binary heap of timers that live in their owners. Used by every Loop, the
// simulated one too.
//
// Timers run in the order of their due times; equal ones in the order in which they were set.
// Cost: set and cancel O(log n), next_due O(1). No allocation per timer beyond the heap's array of
// pointers.
#pragma once

#include <cstdint>
#include <vector>

#include "datastructs/base/check.h"
#include "datastructs/base/units.h"

namespace ouro {

// Runs once at its time; the callback may set it again. Cancelled by its destructor.
class Timer {
 public:
  using Callback = void (*)(void* owner);

  Timer(void* owner, Callback callback) noexcept : owner_(owner), callback_(callback) {}
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool is_set() const noexcept { return home_ != nullptr; }
  Instant due() const noexcept { return due_; }

 private:
  friend class Timers;
  void* owner_;
  Callback callback_;
  class Timers* home_ = nullptr;  // where it is set
  Instant due_ = kNever;
  uint64_t order_ = 0;
  size_t index_ = 0;  // in Timers::heap_
};

class Timers {
 public:
  Timers() = default;
  ~Timers();
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;

  // Moves the timer if it is set already.
  void set(Timer& timer, Instant due);
  void cancel(Timer& timer);
  Instant next_due() const noexcept { return heap_.empty() ? kNever : heap_.front()->due_; }
  // Runs what is due at `now`. Timers that callbacks set meanwhile wait for the next call, so this
  // ends.
  void run_due(Instant now);
  size_t size() const noexcept { return heap_.size(); }
  void check_invariants() const;

 private:
  static bool before(const Timer& a, const Timer& b) noexcept {
    return a.due_ != b.due_ ? a.due_ < b.due_ : a.order_ < b.order_;
  }
  void place(size_t index, Timer* timer) noexcept;
  void sift_up(size_t index) noexcept;
  void sift_down(size_t index) noexcept;

  std::vector<Timer*> heap_;
  uint64_t orders_ = 0;  // set() calls so far
};

// Timer(this, timer_to<&Listener::on_pause_over>())
template <auto Method>
Timer::Callback timer_to() noexcept {
  return []<class Owner>(void (Owner::*)()) -> Timer::Callback {
    return [](void* owner) { (static_cast<Owner*>(owner)->*Method)(); };
  }(Method);
}

}  // namespace ouro
