// SPDX-License-Identifier: BSD-3-Clause
// LZF, the compression of strings in Redis's formats: weak and fast. liblzf, the library that
// Redis's own comes from, with our types; equal texts are packed alike, and as Redis packs them.
// Unpacking trusts nothing: it reads and writes within the bounds given, whatever the bytes say
// (tests/fuzz/rdb_fuzz.cc). Cost: packing 2 to 4 ns a byte, 256 KiB of stack; unpacking 1.
#pragma once

#include <cstddef>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

// No text is longer than this many times its packed form: three bytes make at most 264.
inline constexpr size_t kLzfGrowthMax = 88;

// Appends the packed form of `text` if it takes at most `bytes_max` bytes, or a few less; else
// false, and `out` is as it was. Requires: text.size() < 2^32.
bool pack_lzf(ByteView text, size_t bytes_max, std::string& out);

// Makes `out` the text of a packed form, which has exactly `bytes` bytes; false if it has not.
[[nodiscard]] bool unpack_lzf(ByteView packed, size_t bytes, std::string& out);

}  // namespace ouro
