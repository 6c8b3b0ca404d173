// SPDX-License-Identifier: BSD-3-Clause
// MIGRATE: keys go to another server. Here is what it asks for; what is said to the target is in
// engine/migration.h, and the connection is the program's (host.h).
#include <algorithm>
#include <memory>

#include "datastructs/base/ascii.h"
#include "persistence/value_codec.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"
#include "server/engine/migration.h"

namespace ouro {
namespace {

constexpr size_t kHost = 1, kPort = 2, kKey = 3, kTargetDb = 4, kTimeout = 5, kOptions = 6;
constexpr Millis kDefaultTimeoutMs = 1000;
// As good as for ever, and no clock overflows by it.
constexpr Millis kTimeoutMsMax = 365LL * 24 * 3600 * 1000;

struct Parsed {
  Migration::Request request;
  Argv keys;  // as they are named; some may not exist
};

Result<Parsed> parse_migrate(Context& ctx) {
  Parsed parsed{.request = {}, .keys = ctx.argv.subspan(kKey, 1)};
  Migration::Request& request = parsed.request;
  ArgParser args(ctx.argv, kOptions);
  while (args.more()) {
    if (args.word("COPY")) {
      request.copies = true;
    } else if (args.word("REPLACE")) {
      request.replaces = true;
    } else if (args.word("AUTH")) {
      request.logs_in = true;
      request.password = args.next();
    } else if (args.word("AUTH2")) {
      request.logs_in = true;
      request.user = args.next();
      request.password = args.next();
    } else if (args.word("KEYS")) {
      if (!ctx.argv[kKey].empty()) {
        return ctx.fail(
            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
      }
      parsed.keys = ctx.argv.subspan(args.position());
      args.skip(args.left());
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  OURO_TRY(request.timeout_ms, ctx.integer(kTimeout));
  OURO_TRY(request.target_db, ctx.integer(kTargetDb));
  if (request.timeout_ms <= 0) request.timeout_ms = kDefaultTimeoutMs;
  request.timeout_ms = std::min(request.timeout_ms, kTimeoutMsMax);
  request.host = ctx.argv[kHost];
  request.port = ctx.argv[kPort];
  request.db = ctx.caller.db;
  return parsed;
}

Result<std::vector<ByteView>> keys_that_exist(Context& ctx, Argv names) {
  std::vector<ByteView> keys;
  for (const ByteView name : names) {
    const Entry* const entry = ctx.find(ctx.db.key(name));
    if (entry == nullptr) continue;
    // As DUMP.
    if (written_array_bytes(*entry) > ctx.engine.options.proto_max_bulk_len) return Err::kTooBig;
    keys.push_back(name);
  }
  return keys;
}

Status cmd_migrate(Context& ctx) {
  OURO_TRY(Parsed parsed, parse_migrate(ctx));
  OURO_TRY(const std::vector<ByteView> keys, keys_that_exist(ctx, parsed.keys));
  if (keys.empty()) {
    ctx.reply.simple("NOKEY");
    return Status::ok();
  }
  Engine& engine = ctx.engine;
  auto migration = std::make_unique<Migration>(engine, std::move(parsed.request), keys);
  std::string error;
  if (!engine.host.migrate(*migration, error).is_ok()) return ctx.fail_text("ERR " + error);
  if (ctx.may_wait_exclusively()) {
    engine.exclusive.begin(*ctx.caller.session, ctx.spec, ctx.argv, kNever, std::move(migration));
    return Err::kExclusive;
  }
  // A script cannot be left and come back to.
  engine.exclusive.hold();
  engine.host.run_exclusive();
  error = migration->finish();
  if (!error.empty()) return ctx.fail_text(error);
  ctx.reply.ok();
  return Status::ok();
}

// ---- what others ask about the words

// Behind the option at `at`; the same place if there is none.
size_t behind_option(Argv argv, size_t at) {
  const auto is = [&](ByteView word) { return equals_ignoring_case(argv[at], word); };
  if (is("COPY") || is("REPLACE")) return at + 1;
  if (is("AUTH")) return at + 2;
  if (is("AUTH2")) return at + 3;
  return at;
}

// As in Redis, words that are no options are passed over, and KEYS is one where a key follows.
Status keys_of_migrate(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  constexpr KeyUse kUse = kReadWrite | kAccess | kDelete;
  for (size_t at = kOptions; at + 1 < argv.size();) {
    if (equals_ignoring_case(argv[at], "KEYS")) {
      if (!argv[kKey].empty()) return Err::kInvalid;
      for (size_t key = at + 1; key < argv.size(); ++key) fn(key, kUse);
      return Status::ok();
    }
    at = std::max(behind_option(argv, at), at + 1);
  }
  fn(kKey, kUse);
  return Status::ok();
}

void secrets_of_migrate(const Engine&, Argv argv, FunctionRef<void(size_t)> fn) {
  for (size_t at = kOptions; at < argv.size();) {
    const size_t next = behind_option(argv, at);
    if (next == at) return;
    for (size_t word = at + 1; word < std::min(next, argv.size()); ++word) fn(word);
    at = next;
  }
}

constexpr CommandSpec kRows[] = {
    {.name = "MIGRATE",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kMovableKeys | Flag::kReachesOut | Flag::kNeedsServer,
     .keys = {one_key(kKey, kReadWrite | kAccess | kDelete),
              {.begin = KeySpec::Begin::kKeyword,
               .use = kReadWrite | kAccess | kDelete | kIncomplete,
               .index = -2,
               .keyword = "KEYS",
               .last = -1}},
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_migrate,
     .movable_keys = keys_of_migrate,
     .secrets = secrets_of_migrate,
     .doc = {.summary = "Moves keys to another server, which takes them as RESTORE does.",
             .complexity = "O(N) for values of N bytes, as DUMP, DEL, and RESTORE there",
             .since = "2.6.0",
             .group = "generic",
             .args = "host:string port:integer key_or_empty_string:<key:key#0 | empty_string!\"\"> "
                     "destination-db:integer timeout:integer [copy!COPY@3.0.0] "
                     "[replace!REPLACE@3.0.0] [authentication:<[AUTH=password:string@4.0.7] | "
                     "[AUTH2=username_password:{username:string password:string}@6.0.0]>] "
                     "[KEYS=key:key#1@3.0.6...]",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kMigrateCommands = kRows;

}  // namespace ouro
