// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/fiber.h"

#include <cstdint>

#include "datastructs/base/check.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace ouro {
namespace {

#ifdef __SANITIZE_ADDRESS__
// `kept` is where the stack that is left keeps what belongs to it; null: it is left for good.
void begin_switch(void** kept, const void* to, size_t bytes) {
  __sanitizer_start_switch_fiber(kept, to, bytes);
}
void end_switch(void* kept, const void** from, size_t* bytes) {
  __sanitizer_finish_switch_fiber(kept, from, bytes);
}
#else
void begin_switch(void**, const void*, size_t) {}
void end_switch(void*, const void**, size_t*) {}
#endif

}  // namespace

Fiber::Fiber(Heap& heap, size_t stack_bytes)
    : heap_(heap), stack_bytes_(stack_bytes), stack_(heap.allocate(stack_bytes)) {
  CHECK(getcontext(&inside_) == 0);
  inside_.uc_stack.ss_sp = stack_;
  inside_.uc_stack.ss_size = stack_bytes_;
  inside_.uc_link = nullptr;
  // A new context is given ints alone.
  const auto self = reinterpret_cast<uint64_t>(this);
  makecontext(&inside_, reinterpret_cast<void (*)()>(&Fiber::enter), 2, static_cast<unsigned>(self),
              static_cast<unsigned>(self >> 32));
}

Fiber::~Fiber() {
  CHECK(!is_inside_);
  heap_.release(stack_);
}

void Fiber::enter(unsigned low, unsigned high) {
  reinterpret_cast<Fiber*>(uint64_t{high} << 32 | low)->run();
}

void Fiber::run() {
  end_switch(nullptr, &outer_stack_, &outer_bytes_);
  body();
  is_over_ = true;
  begin_switch(nullptr, outer_stack_, outer_bytes_);
  setcontext(&outside_);
}

void Fiber::resume() {
  CHECK(!is_over_);
  CHECK(!is_inside_);
  is_inside_ = true;
  void* kept = nullptr;
  begin_switch(&kept, stack_, stack_bytes_);
  CHECK(swapcontext(&outside_, &inside_) == 0);
  end_switch(kept, nullptr, nullptr);
  is_inside_ = false;
}

void Fiber::leave() {
  CHECK(is_inside_);
  begin_switch(&shadow_inside_, outer_stack_, outer_bytes_);
  CHECK(swapcontext(&inside_, &outside_) == 0);
  end_switch(shadow_inside_, &outer_stack_, &outer_bytes_);
}

}  // namespace ouro
