// SPDX-License-Identifier: BSD-3-Clause
// What lies in the folder of an append-only log, before anything is done with it. For the start and
// for tools: these calls turn the loop themselves until they are done, so not from within a turn.
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "persistence/recovery.h"
#include "server/io/loop.h"

namespace ouro {

struct AofFolder {
  AofFacts facts;
  std::string problem;  // it could not be looked at, and why; empty if it could
};
AofFolder look_at_aof_folder(Loop& loop, const AofPaths& paths);

// Nothing if there is no such folder.
std::vector<std::string> names_in(Loop& loop, const std::string& folder);

// The whole file, in chunks; `take` may end the reading with false. Returns 0, or the errno.
int read_file_through(Loop& loop, const std::string& path, FunctionRef<bool(ByteView)> take);

}  // namespace ouro
