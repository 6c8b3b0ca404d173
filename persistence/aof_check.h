// SPDX-License-Identifier: BSD-3-Clause
// Checking an append-only log without loading it (--check-aof DIR [--fix]): what redis-check-aof
// does, with the checksums of ouro's files, and what --fix may cut off.
//
//      recover_aof() -> loads;  for each: AofReader with apply_nothing -> check_file()
//
// Only the last file may be cut, at ok_up_to(): whatever stands behind is lost, good as it may be.
// A damaged snapshot cannot be mended by cutting. Cost: as reading the log; nothing is executed, so
// names of commands are not looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/units.h"
#include "persistence/aof_reader.h"
#include "persistence/recovery.h"

namespace ouro {

struct AofFileReport {
  bool is_valid = true;
  std::optional<uint64_t> fix_to = {};  // the size to cut it to, if cutting mends it
  std::vector<std::string> lines = {};  // for whoever asked
};

// What is found, and what --fix would do; `reader` has read the file to its end or as far as it
// could.
AofFileReport check_file(const AofLoad& load, const AofReader& reader);

// An ApplyFn that takes anything.
inline Status apply_nothing(DbIndex, Argv) { return Status::ok(); }

}  // namespace ouro
