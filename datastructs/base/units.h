// SPDX-License-Identifier: BSD-3-Clause
// The units that cross interfaces. Time comes in as an argument: nothing below server/io reads a
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ouro {

// Borrowed bytes. Text and binary alike: a key may hold any byte.
using ByteView = std::string_view;
// A command: its name and its arguments.
using Argv = std::span<const ByteView>;

using Millis = int64_t;    // a span of time, ms
using Micros = int64_t;    // a span of time, us
using UnixMs = int64_t;    // wall clock, ms since 1970; what expiry is written in
using Instant = int64_t;   // monotonic clock, us since some start; what timeouts are measured with
using DbIndex = uint32_t;  // which logical database

inline constexpr UnixMs kNoExpiry = -1;
// Later than any UnixMs or Instant.
inline constexpr int64_t kNever = INT64_MAX;

// `wait` after `start`; kNever if the clock cannot count that far. Requires start >= 0.
constexpr Instant instant_after(Instant start, Millis wait) {
  return wait < (kNever - start) / 1000 ? start + wait * 1000 : kNever;
}

constexpr size_t operator""_KiB(unsigned long long n) { return static_cast<size_t>(n) << 10; }
constexpr size_t operator""_MiB(unsigned long long n) { return static_cast<size_t>(n) << 20; }
constexpr size_t operator""_GiB(unsigned long long n) { return static_cast<size_t>(n) << 30; }

}  // namespace ouro
