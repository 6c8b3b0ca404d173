// SPDX-License-Identifier: BSD-3-Clause
// ACL: users and what each may do. The rules themselves: engine/acl_user.h.
#include "server/engine/acl.h"

#include "server/commands/help.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// ---- who there is

Status cmd_acl_whoami(Context& ctx) {
  ctx.caller.user == nullptr ? ctx.reply.null() : ctx.reply.bulk(ctx.caller.user->name());
  return Status::ok();
}

Status cmd_acl_users(Context& ctx) {
  const AccessControl::Users& users = ctx.engine.acl.users();
  ctx.reply.array(users.size());
  for (const auto& [name, user] : users) ctx.reply.bulk(name);
  return Status::ok();
}

Status cmd_acl_list(Context& ctx) {
  const std::vector<std::string> lines = ctx.engine.acl.lines();
  ctx.reply.array(lines.size());
  for (const std::string& line : lines) ctx.reply.bulk(line);
  return Status::ok();
}

void write_selector(Context& ctx, const AclSelector& selector) {
  ctx.reply.bulk("commands");
  ctx.reply.bulk(selector.commands_text());
  ctx.reply.bulk("keys");
  ctx.reply.bulk(selector.keys_text());
  ctx.reply.bulk("channels");
  ctx.reply.bulk(selector.channels_text());
  ctx.reply.bulk("databases");
  ctx.reply.bulk(selector.databases_text());
}

Status cmd_acl_getuser(Context& ctx) {
  const AclUser* user = ctx.engine.acl.find(ctx.argv[2]);
  if (user == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  ctx.reply.map(7);
  ctx.reply.bulk("flags");
  const std::vector<ByteView> flags = user->flags();
  ctx.reply.set(flags.size());
  for (const ByteView flag : flags) ctx.reply.bulk(flag);
  ctx.reply.bulk("passwords");
  ctx.reply.array(user->passwords().size());
  for (const PasswordHash& hash : user->passwords()) ctx.reply.bulk(hash.hex());
  const auto selectors = std::span(user->selectors());
  write_selector(ctx, selectors.front());
  ctx.reply.bulk("selectors");
  ctx.reply.array(selectors.size() - 1);
  for (const AclSelector& selector : selectors.subspan(1)) {
    ctx.reply.map(4);
    write_selector(ctx, selector);
  }
  return Status::ok();
}

// ---- changes

Status cmd_acl_setuser(Context& ctx) {
  std::string error;
  if (!ctx.engine.acl.set_user(ctx.argv[2], ctx.argv.subspan(3), ctx.caller.session, error))
    return ctx.fail_text("ERR " + error);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_acl_deluser(Context& ctx) {
  const Argv names = ctx.argv.subspan(2);
  for (const ByteView name : names) {
    if (name == ctx.engine.acl.default_user().name())
      return ctx.fail("ERR The 'default' user cannot be removed");
  }
  int64_t removed = 0;
  for (const ByteView name : names)
    removed += ctx.engine.acl.remove_user(name, ctx.caller.session) ? 1 : 0;
  ctx.reply.integer(removed);
  return Status::ok();
}

Status cmd_acl_load(Context& ctx) {
  std::string error;
  if (!ctx.engine.acl.load_file(ctx.caller.session, error)) return ctx.fail_text("ERR " + error);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_acl_save(Context& ctx) {
  std::string error;
  if (!ctx.engine.acl.save_file(error)) return ctx.fail_text("ERR " + error);
  ctx.reply.ok();
  return Status::ok();
}

// ---- what rules are made of

Status list_members(Context& ctx, uint32_t category) {
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  ctx.engine.registry.for_each_row([&](const CommandSpec& row, const CommandStats&) {
    if ((acl_categories(row).bits & category) == 0) return;
    ctx.reply.bulk(ctx.engine.registry.full_name(row));
    ++count;
  });
  ctx.reply.end_array(mark, count);
  return Status::ok();
}

Status cmd_acl_cat(Context& ctx) {
  if (ctx.argv.size() > 3) return wrong_subcommand_arity(ctx);
  if (ctx.argv.size() == 2) {
    ctx.reply.array(kAclCategoryNames.size());
    for (const ByteView name : kAclCategoryNames) ctx.reply.bulk(name);
    return Status::ok();
  }
  for (size_t i = 0; i < kAclCategoryNames.size(); ++i) {
    if (equals_ignoring_case(ctx.argv[2], kAclCategoryNames[i])) return list_members(ctx, 1U << i);
  }
  return ctx.fail("ERR Unknown category '%.*s'", printed_size(ctx.argv[2]), ctx.argv[2].data());
}

Status cmd_acl_genpass(Context& ctx) {
  constexpr int64_t kBitsMax = 4096;
  int64_t bits = 256;
  if (ctx.argv.size() > 3) return wrong_subcommand_arity(ctx);
  if (ctx.argv.size() == 3) {
    OURO_TRY(bits, ctx.integer(2));
    if (bits <= 0 || bits > kBitsMax) {
      return ctx.fail(
          "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
          "number up to %lld",
          static_cast<long long>(kBitsMax));
    }
  }
  std::vector<unsigned char> bytes(static_cast<size_t>(bits + 3) / 4);
  ctx.engine.host.fill_random(bytes);
  std::string digits;
  for (const unsigned char byte : bytes) digits += "0123456789abcdef"[byte & 15];
  ctx.reply.bulk(digits);
  return Status::ok();
}

Status cmd_acl_dryrun(Context& ctx) {
  const AccessControl& acl = ctx.engine.acl;
  const AclUser* user = acl.find(ctx.argv[2]);
  if (user == nullptr) {
    return ctx.fail("ERR User '%.*s' not found", printed_size(ctx.argv[2]), ctx.argv[2].data());
  }
  const Argv command = ctx.argv.subspan(3);
  const CommandSpec* spec = ctx.engine.executor.resolve(command);
  if (spec == nullptr)
    return ctx.fail("ERR Command '%.*s' not found", printed_size(command[0]), command[0].data());
  const std::string name(ctx.engine.registry.full_name(*spec));
  if (!spec->accepts(command.size()))
    return ctx.fail("ERR wrong number of arguments for '%s' command", name.c_str());
  const AclDenial denial = acl.check(user, *spec, command, ctx.caller.db);
  switch (denial.reason) {
    case AclDenial::Reason::kNone:
      ctx.reply.ok();
      break;
    case AclDenial::Reason::kCommand:
      ctx.reply.bulk("This user has no permissions to run the '" + name + "' command");
      break;
    case AclDenial::Reason::kDatabase:
      ctx.reply.bulk("This user has no permissions to access database " +
                     std::string(command[denial.at]));
      break;
    case AclDenial::Reason::kKey:
    case AclDenial::Reason::kChannel:
      std::string text = "This user has no permissions to access the '";
      text.append(command[denial.at])
          .append(denial.reason == AclDenial::Reason::kKey ? "' key" : "' channel");
      ctx.reply.bulk(text);
      break;
  }
  return Status::ok();
}

// ---- the log

Status cmd_acl_log(Context& ctx) {
  constexpr int64_t kEntriesByDefault = 10;
  AclLog& log = ctx.engine.acl.log;
  int64_t wanted = kEntriesByDefault;
  if (ctx.argv.size() > 3) return wrong_subcommand_arity(ctx);
  if (ctx.argv.size() == 3) {
    if (equals_ignoring_case(ctx.argv[2], "RESET")) {
      log.reset();
      ctx.reply.ok();
      return Status::ok();
    }
    OURO_TRY(wanted, ctx.integer(2));
  }
  const size_t count = wanted < 0 ? 0 : std::min(log.entries().size(), static_cast<size_t>(wanted));
  ctx.reply.array(count);
  for (size_t i = 0; i < count; ++i) {
    const AclLog::Entry& entry = log.entries()[i];
    ctx.reply.map(10);
    ctx.reply.bulk("count");
    ctx.reply.integer(static_cast<int64_t>(entry.count));
    ctx.reply.bulk("reason");
    ctx.reply.bulk(name_of(entry.reason));
    ctx.reply.bulk("context");
    ctx.reply.bulk(name_of(entry.context));
    ctx.reply.bulk("object");
    ctx.reply.bulk(entry.object);
    ctx.reply.bulk("username");
    ctx.reply.bulk(entry.user);
    ctx.reply.bulk("age-seconds");
    ctx.reply.real(static_cast<double>(ctx.now - entry.at) / 1000);
    ctx.reply.bulk("client-info");
    ctx.reply.bulk(entry.client);
    ctx.reply.bulk("entry-id");
    ctx.reply.integer(static_cast<int64_t>(entry.id));
    ctx.reply.bulk("timestamp-created");
    ctx.reply.integer(entry.created);
    ctx.reply.bulk("timestamp-last-updated");
    ctx.reply.integer(entry.at);
  }
  return Status::ok();
}

Status cmd_acl_help(Context& ctx) { return reply_help(ctx); }

// Whose rules they are is as secret as the rules.
void user_secrets(const Engine&, Argv argv, FunctionRef<void(size_t)> fn) {
  for (size_t i = 2; i < argv.size(); ++i) fn(i);
}

constexpr Flags kForAll = Flag::kNoScript | Flag::kLoading | Flag::kStale;
constexpr Flags kForAdmins = kForAll | Flag::kAdmin;

constexpr CommandSpec kSubcommands[] = {
    {.name = "CAT",
     .arity = at_least(2),
     .flags = kForAll,
     .handler = cmd_acl_cat,
     .doc = {.summary = "Lists the categories, or the commands of one.",
             .complexity = "O(N), N commands",
             .since = "6.0.0",
             .group = "server",
             .args = "[categoryname:string]"}},
    {.name = "DELUSER",
     .arity = at_least(3),
     .flags = kForAdmins,
     .handler = cmd_acl_deluser,
     .secrets = user_secrets,
     .doc = {.summary = "Removes users and closes their connections.",
             .complexity = "O(N), N connections, for each user",
             .since = "6.0.0",
             .group = "server",
             .args = "username:string..."}},
    {.name = "DRYRUN",
     .arity = at_least(4),
     .flags = kForAdmins,
     .handler = cmd_acl_dryrun,
     .doc = {.summary = "Tells whether a user may run a command, without running it.",
             .complexity = "O(N), N rules of the user",
             .since = "7.0.0",
             .group = "server",
             .args = "username:string command:string [arg:string...]"}},
    {.name = "GENPASS",
     .arity = at_least(2),
     .flags = kForAll,
     .handler = cmd_acl_genpass,
     .doc = {.summary = "Makes a password that nobody can guess.",
             .complexity = "O(1)",
             .since = "6.0.0",
             .group = "server",
             .args = "[bits:integer]"}},
    {.name = "GETUSER",
     .arity = exactly(3),
     .flags = kForAdmins,
     .handler = cmd_acl_getuser,
     .secrets = user_secrets,
     .doc = {.summary = "Returns the rules of a user.",
             .complexity = "O(N), N rules of the user",
             .since = "6.0.0",
             .group = "server",
             .history =
                 "6.2.0 Channels. | 7.0.0 Selectors; keys and channels in the form of rules.",
             .args = "username:string"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .handler = cmd_acl_help,
     .doc = {.summary = "Lists the subcommands of ACL.",
             .complexity = "O(1)",
             .since = "6.0.0",
             .group = "server"}},
    {.name = "LIST",
     .arity = exactly(2),
     .flags = kForAdmins,
     .handler = cmd_acl_list,
     .doc = {.summary = "Returns each user with its rules as a line of the ACL file.",
             .complexity = "O(N), N users",
             .since = "6.0.0",
             .group = "server"}},
    {.name = "LOAD",
     .arity = exactly(2),
     .flags = kForAdmins,
     .handler = cmd_acl_load,
     .doc = {.summary = "Reads the users from the ACL file.",
             .complexity = "O(N), N users",
             .since = "6.0.0",
             .group = "server"}},
    {.name = "LOG",
     .arity = at_least(2),
     .flags = kForAdmins,
     .handler = cmd_acl_log,
     .doc = {.summary = "Returns or clears what was denied lately.",
             .complexity = "O(N), N entries returned",
             .since = "6.0.0",
             .group = "server",
             .history = "7.2.0 Tells entry ids and times.",
             .args = "[operation:<count:integer | reset!RESET>]"}},
    {.name = "SAVE",
     .arity = exactly(2),
     .flags = kForAdmins,
     .handler = cmd_acl_save,
     .doc = {.summary = "Writes the users to the ACL file.",
             .complexity = "O(N), N users",
             .since = "6.0.0",
             .group = "server"}},
    {.name = "SETUSER",
     .arity = at_least(3),
     .flags = kForAdmins,
     .handler = cmd_acl_setuser,
     .secrets = user_secrets,
     .doc = {.summary = "Makes a user or changes its rules.",
             .complexity = "O(N), N rules given",
             .since = "6.0.0",
             .group = "server",
             .history = "6.2.0 Channels. | 7.0.0 Selectors, and keys for reading or writing alone.",
             .args = "username:string [rule:string...]"}},
    {.name = "USERS",
     .arity = exactly(2),
     .flags = kForAdmins,
     .handler = cmd_acl_users,
     .doc = {.summary = "Returns the names of all users.",
             .complexity = "O(N), N users",
             .since = "6.0.0",
             .group = "server"}},
    {.name = "WHOAMI",
     .arity = exactly(2),
     .flags = kForAll,
     .handler = cmd_acl_whoami,
     .doc = {.summary = "Returns the user that this connection is logged in as.",
             .complexity = "O(1)",
             .since = "6.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kSubcommands));

constexpr CommandSpec kRows[] = {
    {.name = "ACL",
     .arity = at_least(2),
     .subcommands = kSubcommands,
     .doc = {.summary = "Users and their permissions.",
             .complexity = "By subcommand",
             .since = "6.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kAclCommands = kRows;

}  // namespace ouro
