// SPDX-License-Identifier: BSD-3-Clause
// Whole files, read and written while the caller waits: for start-up, for configuration, and for
// the in-process library. A running server uses the Loop's file operations. Needs neither a Loop
// nor liburing. Each function returns 0 or an errno.
#pragma once

#include <string>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/units.h"

namespace ouro {

// Replaces `bytes` by the file's contents; left empty on error. EFBIG above `bytes_max`.
int read_whole_file(const std::string& path, std::string& bytes, size_t bytes_max = 1_GiB);

// Hands out the file's bytes from the front, until `take` wants no more.
int read_in_pieces(const std::string& path, FunctionRef<bool(ByteView)> take);

// Readers see the old contents or the new, never a part: writes a temporary file beside it, syncs
// it, renames it over `path`, and syncs the directory, so the new contents survive a crash once
// this returned 0.
int replace_file(const std::string& path, ByteView bytes);

// Creates the file if there is none. Not synced.
int append_to_file(const std::string& path, ByteView bytes);

// 0 if there was none.
int remove_file(const std::string& path);

}  // namespace ouro
