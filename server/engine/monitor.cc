// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/monitor.h"

#include <cstdio>

#include "datastructs/codec/quoted.h"
#include "server/engine/engine.h"
#include "server/engine/redacted.h"
#include "server/engine/session.h"

namespace ouro {

void Monitors::remove(Session& session) { std::erase(sessions_, &session); }

void Monitors::feed(Engine& engine, const Caller& caller, const CommandSpec& spec, Argv argv) {
  if (spec.flags.has(Flag::kSkipMonitor) || spec.flags.has(Flag::kAdmin)) return;
  const Redacted shown(engine, spec, argv);
  show(engine, caller, shown.argv());
}

void Monitors::show(Engine& engine, const Caller& caller, Argv argv) {
  char head[64];
  const int head_bytes =
      std::snprintf(head, sizeof(head), "%lld.%06lld [%u ",
                    static_cast<long long>(engine.wall_micros() / 1'000'000),
                    static_cast<long long>(engine.wall_micros() % 1'000'000), caller.db);
  std::string line(head, static_cast<size_t>(head_bytes));
  line += caller.origin == Origin::kScript ? "lua"
          : caller.session != nullptr      ? caller.session->peer.address
                                           : "internal";
  line += "]";
  for (const ByteView argument : argv) {
    line += " ";
    append_quoted(line, argument);
  }
  const std::vector<Session*> sessions = sessions_;
  for (Session* session : sessions) {
    session->send_out_of_band([&](Reply& reply) { reply.simple(line); });
  }
}

}  // namespace ouro
