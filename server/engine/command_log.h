// SPDX-License-Identifier: BSD-3-Clause
// CommandLog: the last commands that took long, came as large requests or were answered at length,
// each kind newest first (COMMANDLOG; SLOWLOG is its first kind). Arguments are cut as in Redis: at
// most 32 of at most 128 bytes each, the rest is told as "... (N more ...)".
#pragma once

#include <array>
#include <deque>
#include <string>

#include "datastructs/codec/owned_argv.h"
#include "server/engine/caller.h"

namespace ouro {

class Engine;

class CommandLog {
 public:
  enum class Kind : uint8_t { kSlow, kLargeRequest, kLargeReply };
  static constexpr size_t kKinds = 3;

  struct Line {
    uint64_t id;
    UnixMs at;
    int64_t value;  // what is logged: microseconds that it ran, or bytes
    Micros waited;  // behind others that came in the same turn
    size_t arguments;
    OwnedArgv argv;  // cut
    std::string address, client_name;
  };
  using Lines = std::deque<Line>;

  explicit CommandLog(Heap& heap) : heap_(heap) {}

  void add(Engine& engine, Kind kind, const Caller& caller, const CommandSpec& spec, Argv argv,
           int64_t value, Micros waited);
  const Lines& lines(Kind kind) const { return logs_[static_cast<size_t>(kind)].lines; }
  void reset(Kind kind) { logs_[static_cast<size_t>(kind)].lines.clear(); }

 private:
  struct Log {
    uint64_t next_id = 0;
    Lines lines;
  };

  Heap& heap_;
  std::array<Log, kKinds> logs_;
};

}  // namespace ouro
