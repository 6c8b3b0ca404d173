// SPDX-License-Identifier: BSD-3-Clause
// How much of a value is encoded in one go: the unit in which writers that stop and go on count.
#pragma once

#include <algorithm>

#include "datastructs/base/units.h"

namespace ouro {

// One unit is a bucket or an element that is looked at, or so many bytes that are encoded: some 100
// to 200 ns, packed by LZF.
inline constexpr size_t kWriteUnitBytes = 64;
// What a large array or string is written in.
inline constexpr size_t kWritePieceBytes = 64_KiB;

constexpr size_t write_units(size_t bytes) { return 1 + bytes / kWriteUnitBytes; }
constexpr void spend(size_t& budget, size_t units) { budget -= std::min(budget, units); }

}  // namespace ouro
