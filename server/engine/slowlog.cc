// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/slowlog.h"

#include <vector>

#include "server/engine/engine.h"
#include "server/engine/redacted.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

constexpr size_t kArgumentsMax = 32;
constexpr size_t kArgumentBytesMax = 128;

}  // namespace

void SlowLog::add(Engine& engine, const Caller& caller, const CommandSpec& spec, Argv argv,
                  Micros took) {
  // As in Redis, a limit that was lowered shows at the next slow command.
  const size_t lines_max = engine.options.slowlog_max_len;
  if (lines_max == 0) {
    lines_.clear();
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
  Line line{.id = next_id_++,
            .at = engine.now(),
            .took = took,
            .argv = OwnedArgv(heap_, arguments),
            .address = {},
            .client_name = {}};
  if (caller.session != nullptr) {
    line.address = caller.session->peer.address;
    line.client_name = caller.session->name;
  }
  lines_.push_front(std::move(line));
  while (lines_.size() > lines_max) lines_.pop_back();
}

}  // namespace ouro
