// SPDX-License-Identifier: BSD-3-Clause
// Asks for the cache line at an address, which need not be valid. Use this in place of
// __builtin_prefetch: g++ takes a function that does nothing but prefetch for one without effects,
// and drops the calls to it.
#pragma once

namespace ouro {

inline void prefetch(const void* address) noexcept {
  __builtin_prefetch(address);
  asm volatile("" : : "r"(address));  // an effect that costs no instruction
}

}  // namespace ouro
