// SPDX-License-Identifier: BSD-3-Clause
// A packed run kept small: its LZF form in a Blob, for a node of a large list that is read rarely
// (list_press.h says which).
//
//      | Blob's head | size of the run (4) | LZF form of the run, its head included ... |
//
// Made and opened, never changed. Cost: for a node of 8 KiB 4 us to press and as many to open if it
// becomes a quarter of it, 11 us each if it hardly shrinks.
#pragma once

#include <cstddef>
#include <string>

#include "datastructs/base/blob.h"
#include "datastructs/base/memory.h"
#include "datastructs/packed_list.h"

namespace ouro {

// Where a pressed run is opened to be read: the run lives until the next use.
using OpenedRun = std::string;

// Null if it would gain less than 8 bytes, as in Redis; here what the Blob adds counts, too. The
// run stays as it is.
Blob* press_run(Heap& heap, PackedList run) noexcept;
// bytes() of the run.
size_t pressed_run_bytes(const Blob& pressed) noexcept;
// The run, to be read or copied.
PackedList open_run(const Blob& pressed, OpenedRun& into) noexcept;

}  // namespace ouro
