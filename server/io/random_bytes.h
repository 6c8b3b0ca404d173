// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace ouro {

// Bytes that nobody can guess, for hash seeds and run ids.
void random_bytes(void* to, size_t bytes) noexcept;

}  // namespace ouro
