// SPDX-License-Identifier: BSD-3-Clause
// SLOWLOG: the last commands that took longer than slowlog-log-slower-than, newest first. Secrets
// are left out (redacted.h), and arguments are cut as in Redis: at most 32 of at most 128 bytes
// each, the rest is told as "... (N more ...)".
#pragma once

#include <deque>
#include <string>

#include "server/engine/caller.h"
#include "server/engine/command.h"
#include "server/engine/owned_argv.h"

namespace ouro {

class Engine;

class SlowLog {
 public:
  struct Line {
    uint64_t id;
    UnixMs at;
    Micros took;
    OwnedArgv argv;
    std::string address, client_name;
  };

  explicit SlowLog(Heap& heap) : heap_(heap) {}

  void add(Engine& engine, const Caller& caller, const CommandSpec& spec, Argv argv, Micros took);
  const std::deque<Line>& lines() const { return lines_; }
  void reset() { lines_.clear(); }

 private:
  Heap& heap_;
  uint64_t next_id_ = 0;
  std::deque<Line> lines_;
};

}  // namespace ouro
