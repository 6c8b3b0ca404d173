// SPDX-License-Identifier: BSD-3-Clause
// What the program was started to do, from its arguments and the files they name:
//
//   ouro-server [file] [--name value ...] [-]
//   ouro-server --check-rdb FILE
//
// "-" reads more lines from standard input. Lines come in the order file, standard input,
// arguments; a later one replaces an earlier one, or adds to it where the parameter accumulates
// (save). An `include` is read where it stands; its pattern may have wildcards and may match
// nothing. Pure: files come in through FileAccess.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "server/engine/config.h"

namespace ouro {

// How files are reached. A path is as it was written; "-" is standard input.
struct FileAccess {
  // The whole file; false leaves a reason in `text`.
  FunctionRef<bool(const std::string& path, std::string& text)> read;
  // The paths that match a pattern, sorted.
  FunctionRef<std::vector<std::string>(const std::string& pattern)> expand;
};

struct StartRequest {
  enum class Kind : uint8_t {
    kServe,
    kCheckRdb,  // the snapshot `file` is looked at
    kPrint,     // `text` to standard output, exit code 0
    kFail,      // `text` to standard error, exit code 1
  };
  Kind kind = Kind::kServe;
  std::string text;
  std::string config_file;  // as it was named; empty if none
  std::string file = {};    // to be looked at
};

// `arguments` without the program's own name. On kServe the options behind `config` are set.
StartRequest read_start_request(Config& config, std::span<const ByteView> arguments,
                                const FileAccess& files);

}  // namespace ouro
