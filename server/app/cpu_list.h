// SPDX-License-Identifier: BSD-3-Clause
// A list of CPUs as server_cpulist writes it: "0,2,4-7" or, with a step, "0-10:2".
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

// What the kernel's set of CPUs has room for.
inline constexpr uint32_t kCpusMax = 1024;

// In the order of the text; empty for an empty text, nothing if that is no list.
std::optional<std::vector<uint32_t>> parse_cpu_list(ByteView text);

}  // namespace ouro
