// SPDX-License-Identifier: BSD-3-Clause
// What a node does with the append-only log that it finds at its start: given what lies in the
// folder, the files to load, in order, and what is to be done before and after; or why it must not
// start.
//
//      facts --recover_aof()--> before, loads, after
//                                 each load --> AofReader --judge_load()--> go on, cut, or refuse
//
// As in Redis 7.0: no folder or no manifest means no log; a file that the manifest names must be
// there; a single file of an older Redis beside the folder becomes the base, also when that was
// interrupted; only the last file may be torn, and is cut where it is when aof-load-truncated says
// so. Unlike there, a log whose manifest is missing is not taken for none, which would write over
// it; and increments that no manifest names are not written over.
// The texts are Redis's, since tools look for them; an error is the last line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/units.h"
#include "persistence/aof_plan.h"
#include "persistence/aof_reader.h"

namespace ouro {

struct AofFacts {
  struct File {
    std::string name;
    uint64_t bytes = 0;
  };
  bool has_old_file = false;  // named like the stem, in the server's folder
  uint64_t old_file_bytes = 0;
  bool has_folder = false;
  std::optional<std::string> manifest = {};  // its text, if there is one
  std::vector<File> files = {};              // in the folder
};

struct AofLoad {
  std::string name = {};
  uint64_t bytes = 0;
  bool is_base = false;
  bool is_last = false;
  bool is_old_style = false;  // named like the stem: an older Redis's
};

struct AofRecovery {
  AofManifest manifest;  // as it is after `before`
  FileSteps before;      // loading
  std::vector<AofLoad> loads;
  uint64_t bytes = 0;  // of all loads
  FileSteps after;     // loading has succeeded: what is left over goes
  std::vector<std::string> notices;
  std::vector<std::string> errors;  // not empty: the node must not start
};

AofRecovery recover_aof(const AofPaths& paths, const AofFacts& facts);

// What to do after a file has been read to its end, or as far as it could be.
struct AofVerdict {
  enum class Action : uint8_t {
    kGoOn,
    kCut,     // the file is cut to cut_to, then it is good
    kRefuse,  // the node must not start
  };
  Action action = Action::kGoOn;
  uint64_t cut_to = 0;
  std::vector<std::string> log = {};
};

// load_truncated: aof-load-truncated.
AofVerdict judge_load(const AofLoad& load, const AofReader& reader, bool load_truncated);

// What is wrong with a file, where, and why, in one line; empty for a good one.
std::string describe_problem(ByteView file, const AofReader& reader);

}  // namespace ouro
