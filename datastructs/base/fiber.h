// SPDX-License-Identifier: BSD-3-Clause
// Fiber: a function on a stack of its own, which can be left in the middle and gone back to.
//
//      outside:   start --> resume() ------> resume() ---------> resume() --> is_over()
//                               v  ^             v  ^                v  ^
//      inside:                body leave() ... (goes on) leave() ... (goes on, returns)
//
// For code that has to wait at any depth of calls, some of them not ours (the debugger of scripts,
// which stops inside of Lua). No system thread: nothing runs while something else does.
// Requires: who derives sees to it that the body has ended before it is destroyed; what its frames
// hold is lost otherwise. The stack has no guard: the body bounds its own depth.
// Cost: a switch is about a microsecond (the C library's, which asks the system for the signal
// mask); of the stack's memory what was touched.
#pragma once

#include <ucontext.h>

#include <cstddef>

#include "datastructs/base/memory.h"

namespace ouro {

class Fiber {
 public:
  Fiber(Heap& heap, size_t stack_bytes);
  virtual ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // Runs the body from where it was left, up to the next leave() or its end. Requires: !is_over(),
  // and called from outside.
  void resume();
  bool is_over() const { return is_over_; }

 protected:
  virtual void body() = 0;
  // Back to who has called resume(). Called inside.
  void leave();

 private:
  static void enter(unsigned low, unsigned high);
  void run();

  Heap& heap_;
  size_t stack_bytes_;
  void* stack_;
  ucontext_t inside_{};
  ucontext_t outside_{};
  bool is_inside_ = false;
  bool is_over_ = false;
  // What a sanitizer has to be told of a change of stacks.
  void* shadow_inside_ = nullptr;
  const void* outer_stack_ = nullptr;
  size_t outer_bytes_ = 0;
};

}  // namespace ouro
