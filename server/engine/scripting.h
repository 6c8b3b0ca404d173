// SPDX-License-Identifier: BSD-3-Clause
// Scripting: what the engine and INFO ask of scripts, whose own layer (server/script) is above.
#pragma once

#include <cstddef>

#include "datastructs/base/units.h"

namespace ouro {

class Scripting {
 public:
  virtual ~Scripting() = default;

  struct Facts {
    size_t eval_machine_bytes = 0;  // of the state that runs EVAL's scripts
    size_t function_machine_bytes = 0;
    size_t scripts = 0;  // cached
    size_t script_bytes = 0;
    size_t libraries = 0;
    size_t functions = 0;
    size_t library_bytes = 0;
  };
  virtual Facts facts() const = 0;

  // What others are told while a script is over its time.
  virtual ByteView busy_error() const = 0;

  // A turn of the scripts that are being debugged, and whether they want another one at once.
  virtual void run_turn() = 0;
  virtual bool has_more() const = 0;
};

}  // namespace ouro
