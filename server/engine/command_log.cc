// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/command_log.h"

#include <vector>

#include "server/engine/engine.h"
#include "server/engine/redacted.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

constexpr size_t kArgumentsMax = 32;
constexpr size_t kArgumentBytesMax = 128;

size_t lines_max(const EngineOptions& options, CommandLog::Kind kind) {
  switch (kind) {
    case CommandLog::Kind::kSlow:
      return options.slowlog_max_len;
    case CommandLog::Kind::kLargeRequest:
      return options.large_request_max_len;
    case CommandLog::Kind::kLargeReply:
      return options.large_reply_max_len;
  }
  OURO_UNREACHABLE();
}

}  // namespace

void CommandLog::add(Engine& engine, Kind kind, const Caller& caller, const CommandSpec& spec,
                     Argv argv, int64_t value, Micros waited) {
  // As in Redis, a limit that was lowered shows at the next line.
  const size_t most = lines_max(engine.options, kind);
  Log& log = logs_[static_cast<size_t>(kind)];
  if (most == 0) {
    log.lines.clear();
    return;
  }
  const Redacted redacted(engine, spec, argv);
  const size_t shown = argv.size() <= kArgumentsMax ? argv.size() : kArgumentsMax - 1;
  // The texts must not move: views point into them.
  std::vector<std::string> cut;
  cut.reserve(shown + 1);
  std::vector<ByteView> arguments;
  for (const ByteView argument : redacted.argv().first(shown)) {
    if (argument.size() <= kArgumentBytesMax) {
      arguments.push_back(argument);
      continue;
    }
    std::string& text = cut.emplace_back(argument.substr(0, kArgumentBytesMax));
    text += "... (" + std::to_string(argument.size() - kArgumentBytesMax) + " more bytes)";
    arguments.push_back(text);
  }
  if (shown < argv.size()) {
    cut.push_back("... (" + std::to_string(argv.size() - shown) + " more arguments)");
    arguments.push_back(cut.back());
  }
  Line line{.id = log.next_id++,
            .at = engine.now(),
            .value = value,
            .waited = waited,
            .arguments = argv.size(),
            .argv = OwnedArgv(heap_, arguments),
            .address = {},
            .client_name = {}};
  if (caller.session != nullptr) {
    line.address = caller.session->peer.address;
    line.client_name = caller.session->name;
  } else if (caller.origin == Origin::kScript) {
    line.address = "?:0";
  }
  log.lines.push_front(std::move(line));
  while (log.lines.size() > most) log.lines.pop_back();
}

}  // namespace ouro
