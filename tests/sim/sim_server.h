// SPDX-License-Identifier: BSD-3-Clause
// SimServer: a real app::Server as the program of a simulated machine.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/app/server.h"
#include "sim/sim_loop.h"
#include "sim/world.h"

namespace ouro {

// Each reading is a virtual microsecond after the one before: commands take time, but the clock
// that they are told stands still in a turn.
class SimStopwatch final : public Stopwatch {
 public:
  uint64_t ticks() override { return ++ticks_; }
  double ticks_per_us() const override { return 1; }

 private:
  uint64_t ticks_ = 0;
};

// Keeps what a server logs.
class SimLog final : public Logger {
 public:
  void write(LogLevel, ByteView line) override { lines.emplace_back(line); }
  bool has(ByteView part) const;

  std::vector<std::string> lines;
};

class SimServer {
 public:
  using Change = std::function<void(Options&)>;

  // Starts with the defaults, as `change` leaves them: port 6379 of all the machine's addresses.
  explicit SimServer(SimMachine& machine, const Change& change = {});
  // An orderly end, from outside of all turns.
  ~SimServer();
  SimServer(const SimServer&) = delete;
  SimServer& operator=(const SimServer&) = delete;

  Server& server() { return *server_; }
  Engine& engine() { return server_->engine(); }
  size_t clients() { return engine().clients.count(); }
  size_t used_bytes() { return engine().heap.used_bytes(); }
  const SimLog& log() const { return log_; }
  // Of all databases.
  void check_invariants();

 private:
  SimMachine& machine_;
  SimLog log_;
  SimStopwatch stopwatch_;
  Allocator allocator_;
  Options options_;
  Config config_;
  std::unique_ptr<Server> server_;
};

}  // namespace ouro
