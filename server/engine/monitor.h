// SPDX-License-Identifier: BSD-3-Clause
// MONITOR: sessions that are shown every command as it begins.
#pragma once

#include <vector>

#include "server/engine/caller.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;

class Monitors {
 public:
  bool active() const { return !sessions_.empty(); }
  void add(Session& session) { sessions_.push_back(&session); }
  void remove(Session& session);
  size_t count() const { return sessions_.size(); }
  // One line: time, database, address, the quoted arguments without secrets (redacted.h). Rows
  // flagged kSkipMonitor or kAdmin are not shown.
  void feed(Engine& engine, const Caller& caller, const CommandSpec& spec, Argv argv);
  // The same whatever the row says, before the command has run: a script comes ahead of what it
  // calls.
  void show(Engine& engine, const Caller& caller, Argv argv);

 private:
  std::vector<Session*> sessions_;
};

}  // namespace ouro
