// SPDX-License-Identifier: BSD-3-Clause
#include "sim/sim_server.h"

#include <algorithm>

namespace ouro {
namespace {

// A turn waits no longer, if nothing happens; a server never needs more.
constexpr Millis kWaitMax = 100;

}  // namespace

bool SimLog::has(ByteView part) const {
  return std::any_of(lines.begin(), lines.end(), [part](const std::string& line) {
    return line.find(part) != std::string::npos;
  });
}

SimServer::SimServer(SimMachine& machine, const Change& change)
    : machine_(machine), config_(make_config(options_)) {
  options_.app.save.clear();
  if (change) change(options_);
  server_ = std::make_unique<Server>(Server::Setup{.loop = machine.loop(),
                                                   .stopwatch = stopwatch_,
                                                   .allocator = allocator_,
                                                   .log = log_,
                                                   .options = options_,
                                                   .config = config_,
                                                   .seed = machine.world().prng().next(),
                                                   .run_id = std::string(40, '0'),
                                                   .io_reason = "simulated",
                                                   .handle_signals = false});
  CHECK(server_->start());
  while (server_->is_loading() && !server_->is_stopping()) server_->turn(kWaitMax);
  machine.set_program([this] { server_->turn(kWaitMax); });
}

SimServer::~SimServer() {
  machine_.set_program({});
  server_.reset();
}

void SimServer::check_invariants() {
  Databases& dbs = engine().dbs;
  for (DbIndex db = 0; db < dbs.count(); ++db) dbs[db].check_invariants();
}

}  // namespace ouro
