// SPDX-License-Identifier: BSD-3-Clause
// What the reader and the writer of streams share; stream_codec.h has the layout.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ouro::stream_code {

// Flags of an entry.
inline constexpr int64_t kGone = 1;
inline constexpr int64_t kSameFields = 2;
// Elements of an entry besides its fields and values: flags and the two parts of the id; and of one
// with own fields their count.
inline constexpr int64_t kElements = 3;
inline constexpr int64_t kElementsOwn = 4;
inline constexpr size_t kIdBytes = 16;

}  // namespace ouro::stream_code
