// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/clock.h"

#include <ctime>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

namespace ouro {
namespace {

constexpr int64_t kCalibrationNanos = 200'000;

int64_t nanos_of(clockid_t clock) noexcept {
  timespec time{};
  clock_gettime(clock, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

#if defined(__x86_64__)
// Without the invariant flag the counter's rate follows the processor's frequency and says nothing
// about time.
bool counter_is_steady() noexcept {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & (1U << 8)) != 0;
}
const bool kSteady = counter_is_steady();
#endif

}  // namespace

Instant monotonic_now() noexcept { return nanos_of(CLOCK_MONOTONIC) / 1000; }
Instant monotonic_coarse_now() noexcept { return nanos_of(CLOCK_MONOTONIC_COARSE) / 1000; }
int64_t wall_clock_micros() noexcept { return nanos_of(CLOCK_REALTIME) / 1000; }
UnixMs wall_clock_now() noexcept { return nanos_of(CLOCK_REALTIME) / 1'000'000; }
Micros thread_cpu_now() noexcept { return nanos_of(CLOCK_THREAD_CPUTIME_ID) / 1000; }

CycleClock::CycleClock() noexcept : start_ticks_(ticks()), start_nanos_(nanos_of(CLOCK_MONOTONIC)) {
  while (nanos_of(CLOCK_MONOTONIC) - start_nanos_ < kCalibrationNanos) {
  }
  refine();
}

uint64_t CycleClock::ticks() const noexcept {
#if defined(__x86_64__)
  if (kSteady) return __rdtsc();
#elif defined(__aarch64__)
  uint64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#endif
  return static_cast<uint64_t>(nanos_of(CLOCK_MONOTONIC));
}

void CycleClock::refine() noexcept {
  const uint64_t passed_ticks = ticks() - start_ticks_;
  const int64_t passed_nanos = nanos_of(CLOCK_MONOTONIC) - start_nanos_;
  if (passed_ticks == 0) return;
  nanos_per_tick_ = static_cast<double>(passed_nanos) / static_cast<double>(passed_ticks);
}

}  // namespace ouro
