// SPDX-License-Identifier: BSD-3-Clause
// SHA-1 (FIPS 180-4), by which scripts are named. It names and does not protect: collisions can be
// made. Cost: about 5 cycles a byte.
#pragma once

#include <array>

#include "datastructs/base/units.h"

namespace ouro {

// 40 lower-case hexadecimal digits.
using Sha1Hex = std::array<char, 40>;

Sha1Hex sha1_hex(ByteView bytes) noexcept;

inline ByteView view_of(const Sha1Hex& hex) noexcept { return {hex.data(), hex.size()}; }

}  // namespace ouro
