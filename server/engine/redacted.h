// SPDX-License-Identifier: BSD-3-Clause
// Redacted: a command as MONITOR and SLOWLOG show it. The arguments that its row names as secrets
// (CommandSpec::secrets) stand there as "(redacted)".
#pragma once

#include <vector>

#include "server/engine/command.h"

namespace ouro {

class Redacted {
 public:
  Redacted(const Engine& engine, const CommandSpec& spec, Argv argv);
  Redacted(const Redacted&) = delete;
  Redacted& operator=(const Redacted&) = delete;

  // Views into the command's own arguments; they die with them and with this.
  Argv argv() const { return argv_; }

 private:
  std::vector<ByteView> copy_;  // empty if nothing is secret
  Argv argv_;
};

}  // namespace ouro
