// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/help.h"

#include <string>
#include <vector>

#include "server/engine/docs.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

std::string usage_of(const DocArgument& argument);

// With `between` and no brackets around it.
std::string usage_of(const std::vector<DocArgument>& arguments, ByteView between) {
  std::string text;
  for (const DocArgument& argument : arguments)
    text.append(text.empty() ? ByteView() : between).append(usage_of(argument));
  return text;
}

// One value of the argument, without its token.
std::string value_of(const DocArgument& argument) {
  using Type = DocArgument::Type;
  if (argument.type == Type::kPureToken) return std::string(argument.token);
  if (argument.type == Type::kBlock) return usage_of(argument.arguments, " ");
  if (argument.type != Type::kOneOf) return "<" + std::string(argument.name) + ">";
  const std::string choice = usage_of(argument.arguments, "|");
  // Those of an argument that may be left out stand around the choice already.
  return argument.optional && !argument.has_token && !argument.multiple ? choice
                                                                        : "(" + choice + ")";
}

std::string usage_of(const DocArgument& argument) {
  std::string text = value_of(argument);
  const bool has_word = argument.has_token && argument.type != DocArgument::Type::kPureToken;
  const std::string word = has_word ? std::string(argument.token) + " " : std::string();
  // What is long stands once.
  const bool is_long = !argument.arguments.empty();
  if (argument.multiple)
    text += is_long ? " ..." : " [" + (argument.multiple_token ? word : "") + text + " ...]";
  text.insert(0, word);
  return argument.optional ? "[" + text + "]" : text;
}

// "DRYRUN <username> <command> [<arg> [<arg> ...]]"
std::string usage_of(const CommandSpec& row) {
  const auto arguments = parse_doc_arguments(row.doc.args);
  CHECK(arguments.is_ok());
  const std::string text = usage_of(*arguments, " ");
  return std::string(row.name) + (text.empty() ? "" : " ") + text;
}

}  // namespace

Status reply_help(Context& ctx) {
  const CommandSpec& container = *ctx.engine.registry.container(ctx.spec);
  ctx.reply.array(1 + 2 * container.subcommands.size());
  ctx.reply.simple(std::string(container.name) +
                   " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (const CommandSpec& row : container.subcommands) {
    ctx.reply.simple(usage_of(row));
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
