// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/help.h"

#include <string>

#include "server/engine/engine.h"

namespace ouro {

Status reply_help(Context& ctx) {
  const CommandSpec& container = *ctx.engine.registry.container(ctx.spec);
  ctx.reply.array(1 + 2 * container.subcommands.size());
  ctx.reply.simple(std::string(container.name) +
                   " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const CommandSpec& row : container.subcommands) {
    ctx.reply.simple(row.name);
    ctx.reply.simple("    " + std::string(row.doc.summary));
  }
  return Status::ok();
}

Status wrong_arity(Context& ctx) {
  const ByteView name = ctx.engine.registry.full_name(ctx.spec);
  return ctx.fail("ERR wrong number of arguments for '%.*s' command", static_cast<int>(name.size()),
                  name.data());
}

Status wrong_subcommand_arity(Context& ctx) {
  const CommandSpec& container = *ctx.engine.registry.container(ctx.spec);
  return ctx.fail("ERR unknown subcommand or wrong number of arguments for '%.*s'. Try %.*s HELP.",
                  static_cast<int>(std::min<size_t>(ctx.argv[1].size(), 128)), ctx.argv[1].data(),
                  static_cast<int>(container.name.size()), container.name.data());
}

}  // namespace ouro
