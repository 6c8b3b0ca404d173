// SPDX-License-Identifier: BSD-3-Clause
// Bytes that nobody can guess, from the kernel: for hash seeds, run ids and the seed of a node's
// Prng, from which all its other dice follow. Needs neither a Loop nor liburing: the in-process
// library uses it, too.
#pragma once

#include <cstddef>

namespace ouro {

// Fills [to, to + bytes). Waits only at the boot of a machine, until its kernel has gathered
// enough; a kernel that refuses is a CHECK. Cost: a system call for each 256 bytes.
void random_bytes(void* to, size_t bytes) noexcept;

}  // namespace ouro
