// SPDX-License-Identifier: BSD-3-Clause
// COMMAND and its subcommands: the rows of all commands, told to clients.
#include <vector>

#include "datastructs/glob.h"
#include "server/commands/admin/command_info.h"
#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/docs.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_command(Context& ctx) {
  const Registry& registry = ctx.engine.registry;
  ctx.reply.array(registry.count());
  for (const CommandSpec* row : registry.commands()) write_command_info(registry, *row, ctx.reply);
  return Status::ok();
}

Status cmd_command_count(Context& ctx) {
  ctx.reply.integer(static_cast<int64_t>(ctx.engine.registry.count()));
  return Status::ok();
}

Status cmd_command_info(Context& ctx) {
  if (ctx.argv.size() == 2) return cmd_command(ctx);
  const Registry& registry = ctx.engine.registry;
  ctx.reply.array(ctx.argv.size() - 2);
  for (const ByteView name : ctx.argv.subspan(2)) {
    const CommandSpec* row = registry.find_full(name);
    if (row == nullptr) {
      ctx.reply.null();
    } else {
      write_command_info(registry, *row, ctx.reply);
    }
  }
  return Status::ok();
}

Status cmd_command_docs(Context& ctx) {
  const Registry& registry = ctx.engine.registry;
  if (ctx.argv.size() == 2) {
    ctx.reply.map(registry.count());
    for (const CommandSpec* row : registry.commands())
      write_command_docs(registry, *row, ctx.reply);
    return Status::ok();
  }
  const Reply::Mark mark = ctx.reply.begin();
  size_t found = 0;
  for (const ByteView name : ctx.argv.subspan(2)) {
    const CommandSpec* row = registry.find_full(name);
    if (row == nullptr) continue;
    write_command_docs(registry, *row, ctx.reply);
    ++found;
  }
  ctx.reply.end_map(mark, found);
  return Status::ok();
}

// ---- LIST

struct ListFilter {
  enum class By : uint8_t { kNothing, kModule, kCategory, kPattern };
  By by = By::kNothing;
  ByteView value;
};

Result<ListFilter> parse_filter(Argv argv) {
  ListFilter filter;
  ArgParser args(argv, 2);
  if (args.more()) {
    if (!args.word("FILTERBY")) return Err::kSyntax;
    if (args.word("MODULE")) {
      filter.by = ListFilter::By::kModule;
    } else if (args.word("ACLCAT")) {
      filter.by = ListFilter::By::kCategory;
    } else if (args.word("PATTERN")) {
      filter.by = ListFilter::By::kPattern;
    } else {
      return Err::kSyntax;
    }
    filter.value = args.next();
  }
  OURO_TRY(args.finish());
  return filter;
}

// 0 when there is no such category.
uint32_t category_bit(ByteView name) {
  for (size_t bit = 0; bit < kAclCategoryNames.size(); ++bit) {
    if (equals_ignoring_case(kAclCategoryNames[bit], name)) return 1U << bit;
  }
  return 0;
}

Status cmd_command_list(Context& ctx) {
  OURO_TRY(const ListFilter filter, parse_filter(ctx.argv));
  const Registry& registry = ctx.engine.registry;
  const uint32_t category = filter.by == ListFilter::By::kCategory ? category_bit(filter.value) : 0;
  const auto is_listed = [&](const CommandSpec& row) {
    switch (filter.by) {
      case ListFilter::By::kNothing:
        return true;
      case ListFilter::By::kModule:
        return false;  // there are no modules
      case ListFilter::By::kCategory:
        return (acl_categories(row).bits & category) != 0;
      case ListFilter::By::kPattern:
        return glob_matches(filter.value, registry.full_name(row), {.ignore_case = true});
    }
    OURO_UNREACHABLE();
  };
  const Reply::Mark mark = ctx.reply.begin();
  size_t listed = 0;
  registry.for_each_row([&](const CommandSpec& row, const CommandStats&) {
    if (!is_listed(row)) return;
    ctx.reply.bulk(registry.full_name(row));
    ++listed;
  });
  ctx.reply.end_array(mark, listed);
  return Status::ok();
}

// ---- GETKEYS

struct FoundKey {
  size_t index;
  KeyUse use;
};

bool has_keys(const CommandSpec& row) {
  if (row.movable_keys != nullptr) return true;
  for (const KeySpec& key : row.keys) {
    if (key.begin != KeySpec::Begin::kNone && (key.use & kNotKey) == 0) return true;
  }
  return false;
}

// The keys of the full command that stands in argv from index 2 on.
Result<std::vector<FoundKey>> find_keys(Context& ctx) {
  const Argv full = ctx.argv.subspan(2);
  const CommandSpec* row = ctx.engine.registry.find(full[0]);
  if (row != nullptr && !row->subcommands.empty() && full.size() > 1) {
    row = Registry::find_subcommand(*row, full[1]);
  }
  if (row == nullptr) return ctx.fail("ERR Invalid command specified");
  if (!has_keys(*row)) return ctx.fail("ERR The command has no key arguments");
  if (!row->accepts(full.size()))
    return ctx.fail("ERR Invalid number of arguments specified for command");
  // Keys that the arity leaves out (PFMERGE's sources) are missing for Redis.
  for (const KeySpec& key : row->keys) {
    if (key.begin == KeySpec::Begin::kIndex && static_cast<size_t>(key.index) >= full.size())
      return ctx.fail_text(errors::kInvalidArguments);
  }
  std::vector<FoundKey> keys;
  (void)for_each_key(*row, full, [&](size_t index, KeyUse use) {
    if ((use & kNotKey) == 0) keys.push_back({.index = index + 2, .use = use});
  });
  if (keys.empty() && !row->flags.has(Flag::kNoMandatoryKeys)) {
    return ctx.fail_text(errors::kInvalidArguments);
  }
  return keys;
}

Status cmd_command_getkeys(Context& ctx) {
  OURO_TRY(const std::vector<FoundKey> keys, find_keys(ctx));
  ctx.reply.array(keys.size());
  for (const FoundKey& key : keys) ctx.reply.bulk(ctx.argv[key.index]);
  return Status::ok();
}

Status cmd_command_getkeysandflags(Context& ctx) {
  OURO_TRY(const std::vector<FoundKey> keys, find_keys(ctx));
  ctx.reply.array(keys.size());
  for (const FoundKey& key : keys) {
    ctx.reply.array(2);
    ctx.reply.bulk(ctx.argv[key.index]);
    write_key_use(key.use, ctx.reply);
  }
  return Status::ok();
}

// A function of this file: g++ with sanitizers does not take the address of another as a constant.
Status cmd_command_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kSubcommands[] = {
    {.name = "COUNT",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command_count,
     .doc = {.summary = "Counts the commands of this server.",
             .complexity = "O(1)",
             .since = "2.8.13",
             .group = "server"}},
    {.name = "DOCS",
     .arity = at_least(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command_docs,
     .doc = {.summary = "Returns the documentation of commands.",
             .complexity = "O(N), N commands asked for",
             .since = "7.0.0",
             .group = "server",
             .args = "[command-name:string...]",
             .tips = "nondeterministic_output_order"}},
    {.name = "GETKEYS",
     .arity = at_least(4),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command_getkeys,
     .doc = {.summary = "Returns the keys that a full command names.",
             .complexity = "O(N), N arguments",
             .since = "2.8.13",
             .group = "server"}},
    {.name = "GETKEYSANDFLAGS",
     .arity = at_least(4),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command_getkeysandflags,
     .doc = {.summary = "Returns the keys that a full command names and how it uses them.",
             .complexity = "O(N), N arguments",
             .since = "7.0.0",
             .group = "server"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command_help,
     .doc = {.summary = "Lists the subcommands of COMMAND.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "server"}},
    {.name = "INFO",
     .arity = at_least(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command_info,
     .doc = {.summary = "Describes the given commands, or all.",
             .complexity = "O(N), N commands asked for",
             .since = "2.8.13",
             .group = "server",
             .history = "7.0.0 Takes no name, for all commands.",
             .args = "[command-name:string...]",
             .tips = "nondeterministic_output_order"}},
    {.name = "LIST",
     .arity = at_least(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command_list,
     .doc = {.summary = "Lists the names of the commands.",
             .complexity = "O(N), N commands",
             .since = "7.0.0",
             .group = "server",
             .args = "[FILTERBY=filterby:<MODULE=module-name:string | ACLCAT=category:string | "
                     "PATTERN=pattern:pattern>]",
             .tips = "nondeterministic_output_order"}},
};
static_assert(table_is_valid(kSubcommands));

constexpr CommandSpec kRows[] = {
    {.name = "COMMAND",
     .arity = at_least(1),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kConnection,
     .handler = cmd_command,
     .subcommands = kSubcommands,
     .doc = {.summary = "Describes the commands of this server.",
             .complexity = "O(N), N commands",
             .since = "2.8.13",
             .group = "server",
             .tips = "nondeterministic_output_order"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kCommandCommands = kRows;

}  // namespace ouro
