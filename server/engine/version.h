// SPDX-License-Identifier: BSD-3-Clause
// What this program calls itself, and the Redis whose behaviour it promises: clients check the
// latter.
#pragma once

#include "datastructs/base/units.h"

namespace ouro {

inline constexpr ByteView kOuroVersion = "0.1.0";
inline constexpr ByteView kRedisVersion = "7.0.15";
inline constexpr int kRedisVersionNumber = 0x07'00'0F;

}  // namespace ouro
