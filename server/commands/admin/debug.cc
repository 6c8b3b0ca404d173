// SPDX-License-Identifier: BSD-3-Clause
// DEBUG: for tests and for those who look for faults. One small function for each subcommand. Those
// that end the program are in debug_ends.cc, those that show how values are held in
// debug_shapes.cc.
#include "server/commands/admin/debug.h"

#include <cstdio>
#include <cstdlib>

#include "datastructs/glob.h"
#include "server/commands/admin/digest.h"
#include "server/commands/tables.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// As C's atoi: what is no number counts as 0.
int64_t lenient_integer(ByteView text) {
  return std::strtoll(std::string(text).c_str(), nullptr, 10);
}

Status reply_ok(Context& ctx) {
  ctx.reply.ok();
  return Status::ok();
}

Status debug_sleep(Context& ctx) {
  constexpr double kSecondsMax = 1e9;  // more overflows Redis's clock, and it does not sleep at all
  const double seconds = std::strtod(std::string(ctx.argv[2]).c_str(), nullptr);
  // Only a connection can be made to wait; for the embedding program there is nobody to hold up.
  const bool sleeps = seconds > 0 && seconds <= kSecondsMax;
  const auto micros = static_cast<int64_t>(sleeps ? seconds * 1e6 : 0);
  // A script cannot wait: everything stands still.
  if (ctx.caller.origin == Origin::kScript) ctx.engine.host.stand_still(micros);
  if (!ctx.may_wait_exclusively() || !sleeps) return reply_ok(ctx);
  ctx.engine.exclusive.begin(*ctx.caller.session, ctx.spec, ctx.argv,
                             ctx.engine.instant() + micros);
  return Err::kExclusive;
}

Status debug_set_active_expire(Context& ctx) {
  ctx.engine.active_expire = lenient_integer(ctx.argv[2]) != 0;
  return reply_ok(ctx);
}

Status debug_set_disable_deny_scripts(Context& ctx) {
  ctx.engine.scripts_run_all = lenient_integer(ctx.argv[2]) != 0;
  return reply_ok(ctx);
}

Status debug_set_skip_checksum_validation(Context& ctx) {
  ctx.engine.checks_payloads = lenient_integer(ctx.argv[2]) == 0;
  return reply_ok(ctx);
}

Status debug_pause_cron(Context& ctx) {
  ctx.engine.cron_paused = lenient_integer(ctx.argv[2]) != 0;
  return reply_ok(ctx);
}

Status debug_digest(Context& ctx) {
  Digest all;
  for (DbIndex db = 0; db < ctx.engine.dbs.count(); ++db) {
    if (ctx.engine.dbs[db].size() == 0) continue;
    Digest keys;
    ctx.engine.dbs[db].for_each([&](Entry& entry) {
      Digest one = digest_of(entry);
      one.add(entry.key());
      keys.mix(one);
    });
    keys.add(ByteView(std::to_string(db)));
    all.mix(keys);
  }
  ctx.reply.simple(all.text());
  return Status::ok();
}

Status debug_digest_value(Context& ctx) {
  ctx.reply.array(ctx.argv.size() - 2);
  for (size_t i = 2; i < ctx.argv.size(); ++i) {
    const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(i));
    ctx.reply.simple(entry == nullptr ? Digest().text() : digest_of(*entry).text());
  }
  return Status::ok();
}

Status debug_quicklist_packed_threshold(Context& ctx) {
  constexpr uint64_t kBytesMax = 4_GiB - 1_MiB;
  uint64_t bytes = 0;
  if (!parse_bytes(ctx.argv[2], bytes) || bytes > kBytesMax) {
    return ctx.fail("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
  }
  ctx.engine.options.limits.list_plain_bytes = bytes == 0 ? Limits::kListPlainBytes : bytes;
  return reply_ok(ctx);
}

struct ProtocolType {
  ByteView name;
  void (*write)(Reply& reply);
};
constexpr ProtocolType kProtocolTypes[] = {
    {"string", [](Reply& reply) { reply.bulk("Hello World"); }},
    {"integer", [](Reply& reply) { reply.integer(12345); }},
    {"double", [](Reply& reply) { reply.real(3.141); }},
    {"bignum", [](Reply& reply) { reply.big_number("1234567999999999999999999999999999999"); }},
    {"null", [](Reply& reply) { reply.null(); }},
    {"array",
     [](Reply& reply) {
       reply.array(3);
       for (int i = 0; i < 3; ++i) reply.integer(i);
     }},
    {"set",
     [](Reply& reply) {
       reply.set(3);
       for (int i = 0; i < 3; ++i) reply.integer(i);
     }},
    {"map",
     [](Reply& reply) {
       reply.map(3);
       for (int i = 0; i < 3; ++i) {
         reply.integer(i);
         reply.boolean(i == 1);
       }
     }},
    {"attrib",
     [](Reply& reply) {
       if (reply.is_resp3()) {
         reply.attribute(1);
         reply.bulk("key-popularity");
         reply.array(2);
         reply.bulk("key:123");
         reply.integer(90);
       }
       reply.bulk("Some real reply following the attribute");
     }},
    {"push",
     [](Reply& reply) {
       // A push answers nothing: the reply proper comes after it.
       reply.push(2);
       reply.bulk("server-cpu-usage");
       reply.integer(42);
       reply.bulk("Some real reply following the push reply");
     }},
    {"verbatim", [](Reply& reply) { reply.verbatim("txt", "This is a verbatim\nstring"); }},
    {"true", [](Reply& reply) { reply.boolean(true); }},
    {"false", [](Reply& reply) { reply.boolean(false); }},
};

Status debug_protocol(Context& ctx) {
  for (const ProtocolType& type : kProtocolTypes) {
    if (!equals_ignoring_case(ctx.argv[2], type.name)) continue;
    if (type.name == "push" && !ctx.reply.is_resp3()) {
      return ctx.fail("ERR RESP2 is not supported by this command");
    }
    type.write(ctx.reply);
    return Status::ok();
  }
  return ctx.fail(
      "ERR Wrong protocol type name. Please use one of the following: "
      "string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false");
}

Status unknown(Context& ctx) {
  const ByteView name = ctx.argv[1].substr(0, 128);
  return ctx.fail("ERR unknown subcommand or wrong number of arguments for '%.*s'. Try DEBUG HELP.",
                  static_cast<int>(name.size()), name.data());
}

Status debug_replybuffer(Context& ctx) {
  Clients& clients = ctx.engine.clients;
  if (equals_ignoring_case(ctx.argv[2], "RESIZING")) {
    clients.shrinks_output = lenient_integer(ctx.argv[3]) != 0;
  } else if (!equals_ignoring_case(ctx.argv[2], "PEAK-RESET-TIME")) {
    return unknown(ctx);
  } else if (equals_ignoring_case(ctx.argv[3], "RESET")) {
    clients.output_peak_lasts.reset();
  } else if (equals_ignoring_case(ctx.argv[3], "NEVER")) {
    clients.output_peak_lasts = kNever;
  } else {
    OURO_TRY(const int64_t ms, ctx.integer(3));
    clients.output_peak_lasts = ms < 0 ? kNever : instant_after(0, ms);
  }
  return reply_ok(ctx);
}

Status debug_populate(Context& ctx) {
  constexpr int64_t kBytesMax = int64_t{512} * 1024 * 1024;
  const Result<int64_t> count = ctx.integer(2);
  if (!count.is_ok() || *count < 0) return ctx.fail_text(errors::kMustBePositive);
  int64_t bytes = 0;
  if (ctx.argv.size() == 5) {
    const Result<int64_t> wanted = ctx.integer(4);
    if (!wanted.is_ok() || *wanted < 0 || *wanted > kBytesMax)
      return ctx.fail_text(errors::kMustBePositive);
    bytes = *wanted;
  }
  const std::string prefix(ctx.argv.size() >= 4 ? ctx.argv[3] : "key");
  ctx.effects.none();
  for (int64_t i = 0; i < *count; ++i) {
    const std::string name = prefix + ":" + std::to_string(i);
    const Key key = ctx.db.key(name);
    if (ctx.db.find(key) != nullptr) continue;
    std::string value = "value:" + std::to_string(i);
    if (bytes > 0) value.resize(static_cast<size_t>(bytes), '\0');
    ctx.db.put_string(key, nullptr, value, kNoExpiry);
    ctx.engine.key_changed(ctx.caller.db, key, Event::kString, "set");
    ++ctx.changes;
  }
  return reply_ok(ctx);
}

Status debug_log(Context& ctx) {
  ctx.engine.log.print(LogLevel::kWarning, "DEBUG LOG: %.*s", printed_size(ctx.argv[2]),
                       ctx.argv[2].data());
  return reply_ok(ctx);
}

// A host has no files of ours.
bool is_in_process(const Context& ctx) { return ctx.caller.origin == Origin::kEmbedded; }

Status debug_config_rewrite_force_all(Context& ctx) {
  std::string error;
  if (!ctx.engine.host.rewrite_config(RewriteScope::kEverything, error).is_ok())
    return ctx.fail_text("ERR " + error);
  return reply_ok(ctx);
}

Status debug_reload(Context& ctx) {
  Host::ReloadRequest request;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.word("MERGE")) {
      request.merges = true;
    } else if (args.word("NOFLUSH")) {
      request.flushes = false;
    } else if (args.word("NOSAVE")) {
      request.saves = false;
    } else {
      return ctx.fail("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  if (is_in_process(ctx)) return ctx.fail_text(errors::kNeedsServer);
  if (!ctx.may_wait_exclusively()) return ctx.fail_text(errors::kNotFromScript);
  std::string error;
  if (!ctx.engine.host.reload(request, error).is_ok()) return ctx.fail_text("ERR " + error);
  ctx.engine.exclusive.begin(*ctx.caller.session, ctx.spec, ctx.argv, kNever);
  return Err::kExclusive;
}

Status debug_loadaof(Context& ctx) {
  if (is_in_process(ctx)) return ctx.fail_text(errors::kNeedsServer);
  if (!ctx.may_wait_exclusively()) return ctx.fail_text(errors::kNotFromScript);
  std::string error;
  if (!ctx.engine.host.load_log(error).is_ok()) return ctx.fail_text("ERR " + error);
  ctx.engine.exclusive.begin(*ctx.caller.session, ctx.spec, ctx.argv, kNever);
  return Err::kExclusive;
}

// Nobody but those whose replies wait for the log is held up by it.
Status debug_aof_flush_sleep(Context& ctx) {
  const Result<int64_t> micros = ctx.integer(2);
  ctx.engine.persistence.log_write_delay = micros.is_ok() ? std::max<int64_t>(*micros, 0) : 0;
  return reply_ok(ctx);
}

// Whatever it is: for tests of what replicas do with what they cannot apply.
Status debug_replicate(Context& ctx) {
  ctx.effects.tell_replicas(ctx.argv.subspan(2));
  return reply_ok(ctx);
}

Status debug_error(Context& ctx) { return ctx.fail_text(ctx.argv[2]); }

// Memory that counts as used, and that nobody will ever free.
Status debug_leak(Context& ctx) {
  const ByteView bytes = ctx.argv[2];
  auto* const lost = static_cast<char*>(ctx.engine.heap.allocate(bytes.size() + 1));
  std::copy(bytes.begin(), bytes.end(), lost);
  return reply_ok(ctx);
}

Status debug_change_repl_id(Context& ctx) {
  if (ctx.engine.leadership.is_on())
    return ctx.fail("ERR the id of the stream is what semi-sync-members agree on");
  ctx.engine.log.write(LogLevel::kWarning, "The id of the replication stream is changed by DEBUG");
  ctx.engine.replication.change_id();
  return reply_ok(ctx);
}

// Random patterns against random texts, and each text against itself as a pattern that means just
// that. Some 100 ms.
Status debug_stringmatch_test(Context& ctx) {
  constexpr int kRounds = 1'000'000;
  constexpr size_t kBytesEnd = 32;
  Prng& prng = ctx.engine.prng;
  const auto draw = [&](std::string& text) {
    text.resize(prng.below(kBytesEnd));
    for (char& byte : text) byte = static_cast<char>(prng.below(128));
  };
  std::string text;
  std::string pattern;
  std::string itself;
  for (int round = 0; round < kRounds; ++round) {
    draw(text);
    draw(pattern);
    (void)glob_matches(pattern, text);
    itself.clear();
    for (const char byte : text) itself.append(1, '\\').append(1, byte);
    if (!glob_matches(itself, text)) return ctx.fail("ERR a text does not match itself");
  }
  ctx.reply.simple("Apparently Redis did not crash: test passed");
  return Status::ok();
}

Status debug_help(Context& ctx);

constexpr DebugRow kDebugRows[] = {
    {"AOF-FLUSH-SLEEP", 3, 3, debug_aof_flush_sleep, "<microsec>",
     "Delays each write of the append-only log, for tests."},
    {"CHANGE-REPL-ID", 2, 2, debug_change_repl_id, "",
     "Gives the replication stream another id; replicas have to begin anew."},
    {"CONFIG-REWRITE-FORCE-ALL", 2, 2, debug_config_rewrite_force_all, "",
     "As CONFIG REWRITE, with every parameter."},
    {"DIGEST", 2, 2, debug_digest, "", "Returns a digest of all keys and values."},
    {"DIGEST-VALUE", 2, SIZE_MAX, debug_digest_value, "<key> [<key> ...]",
     "Returns a digest of each value."},
    {"ERROR", 3, 3, debug_error, "<string>", "Answers this error."},
    {"HELP", 2, 2, debug_help, "", "Prints this help."},
    {"LEAK", 3, 3, debug_leak, "<string>", "Takes memory for the string and forgets it."},
    {"LOADAOF", 2, 2, debug_loadaof, "", "Empties the databases and loads the append-only log."},
    {"LOG", 3, 3, debug_log, "<message>", "Writes a line to the log."},
    {"PAUSE-CRON", 3, 3, debug_pause_cron, "<0|1>", "Stops what happens by the clock."},
    {"POPULATE", 3, 5, debug_populate, "<count> [<prefix>] [<size>]",
     "Adds strings <prefix>:0, <prefix>:1 ..., unlogged."},
    {"PROTOCOL", 3, 3, debug_protocol, "<type>", "Answers a value of this type of the protocol."},
    {"QUICKLIST-PACKED-THRESHOLD", 3, 3, debug_quicklist_packed_threshold, "<size>",
     "From which size on an element is a node of its own in a list; 0: the default."},
    {"RELOAD", 2, SIZE_MAX, debug_reload, "[MERGE] [NOFLUSH] [NOSAVE]",
     "Saves, empties the databases and loads what was saved; or some of that."},
    {"REPLICATE", 3, SIZE_MAX, debug_replicate, "<command> [<argument> ...]",
     "Sends this to the replicas, unexecuted."},
    {"REPLYBUFFER", 4, 4, debug_replybuffer, "PEAK-RESET-TIME <NEVER|RESET|ms> | RESIZING <0|1>",
     "When clients give back what their output keeps unused, or whether."},
    {"SET-ACTIVE-EXPIRE", 3, 3, debug_set_active_expire, "<0|1>",
     "Whether keys expire without being looked at."},
    {"SET-DISABLE-DENY-SCRIPTS", 3, 3, debug_set_disable_deny_scripts, "<0|1>",
     "Whether scripts may call any command."},
    {"SET-SKIP-CHECKSUM-VALIDATION", 3, 3, debug_set_skip_checksum_validation, "<0|1>",
     "Whether RESTORE takes payloads with a wrong checksum."},
    {"SLEEP", 3, 3, debug_sleep, "<seconds>", "Answers nobody for so long. Decimals are allowed."},
    {"STRINGMATCH-TEST", 2, 2, debug_stringmatch_test, "",
     "Matches random texts with random patterns."},
};

constexpr ByteView kHelpTitle = "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:";

// `visit` says whether to go on; false if it did not.
bool visit_rows(FunctionRef<bool(const DebugRow&)> visit) {
  const std::span<const DebugRow> tables[] = {kDebugRows, kDebugShapes, kDebugEnds};
  for (const std::span<const DebugRow> table : tables) {
    for (const DebugRow& row : table) {
      if (!visit(row)) return false;
    }
  }
  return true;
}

Status debug_help(Context& ctx) {
  ctx.reply.array(1 + 2 * (std::size(kDebugRows) + kDebugShapes.size() + kDebugEnds.size()));
  ctx.reply.simple(kHelpTitle);
  visit_rows([&](const DebugRow& row) {
    std::string line(row.name);
    if (!row.arguments.empty()) line.append(" ").append(row.arguments);
    ctx.reply.simple(line);
    ctx.reply.simple("    " + std::string(row.help));
    return true;
  });
  return Status::ok();
}

Status cmd_debug(Context& ctx) {
  const size_t words = ctx.argv.size();
  const DebugRow* found = nullptr;
  visit_rows([&](const DebugRow& row) {
    if (equals_ignoring_case(ctx.argv[1], row.name) && words >= row.words_min &&
        words <= row.words_max)
      found = &row;
    return found == nullptr;
  });
  return found == nullptr ? unknown(ctx) : found->run(ctx);
}

constexpr CommandSpec kRows[] = {
    {.name = "DEBUG",
     .arity = at_least(2),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kProtected |
              Flag::kSystem,
     // Some use the selected one, others all.
     .databases = DbUse::kEvery,
     .handler = cmd_debug,
     .doc = {.summary = "Helps in tests and when looking for faults.",
             .complexity = "By subcommand",
             .since = "1.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kDebugCommands = kRows;

}  // namespace ouro
