// SPDX-License-Identifier: BSD-3-Clause
// TIME, LOLWUT, SHUTDOWN.
#include <algorithm>

#include "server/commands/tables.h"
#include "server/engine/engine.h"
#include "server/engine/version.h"

namespace ouro {
namespace {

Status cmd_time(Context& ctx) {
  // The clock stands still in a turn, but a script may wait for it.
  const bool is_script = ctx.caller.origin == Origin::kScript;
  const Micros wall = ctx.engine.wall_micros() + (is_script ? ctx.engine.micros_of_turn() : 0);
  ctx.reply.array(2);
  ctx.reply.bulk(std::to_string(wall / 1'000'000));
  ctx.reply.bulk(std::to_string(wall % 1'000'000));
  return Status::ok();
}

// The snake that eats its tail, with a different skin each time.
std::string draw_snake(Prng& prng) {
  constexpr ByteView kShape =
      "        .xxxxxxxx.\n"
      "     xxxx'      'xxxx\n"
      "   xxx'             'xx\n"
      "  xxx                 xx\n"
      "  xx                  xx\n"
      "  xxx     <@xxxx.    xxx\n"
      "   'xxx.      'xxxxxxx'\n"
      "      'xxxxxxx' 'xx'\n";
  constexpr ByteView kScales = "oO0*+~=";
  std::string text;
  for (const char c : kShape) text += c == 'x' ? kScales[prng.below(kScales.size())] : c;
  return text;
}

Status cmd_lolwut(Context& ctx) {
  if (ctx.argv.size() >= 3 && equals_ignoring_case(ctx.argv[1], "VERSION")) {
    OURO_TRY(const int64_t version, ctx.integer(2));
    // Redis's pictures of two versions are drawn by numbers; other words are not looked at.
    const size_t numbers = version == 5 ? 3 : version == 6 ? 2 : 0;
    for (size_t i = 3; i < std::min(ctx.argv.size(), 3 + numbers); ++i) {
      if (const Result<int64_t> number = ctx.integer(i); !number.is_ok()) return number.err();
    }
  }
  std::string text = draw_snake(ctx.prng());
  text.append("\nouro ")
      .append(kOuroVersion)
      .append(", as Redis ver. ")
      .append(kRedisVersion)
      .append("\n");
  ctx.reply.verbatim("txt", text);
  return Status::ok();
}

Status cmd_shutdown(Context& ctx) {
  if (ctx.engine.executor.is_last_run())
    return ctx.fail("ERR Errors trying to SHUTDOWN. Check logs.");
  Host::ShutdownRequest request{.spec = &ctx.spec};
  bool abort = false;
  ArgParser args(ctx.argv, 1);
  while (args.more()) {
    if (args.word("NOSAVE")) {
      request.no_save = true;
    } else if (args.word("SAVE")) {
      request.save = true;
    } else if (args.word("NOW")) {
      request.now = true;
    } else if (args.word("FORCE")) {
      request.force = true;
    } else if (args.word("ABORT")) {
      abort = true;
    } else {
      args.unexpected();
    }
  }
  if (abort && ctx.argv.size() > 2) args.unexpected();
  if (request.save && request.no_save) args.unexpected();
  OURO_TRY(args.finish());
  if (abort) {
    if (!ctx.engine.host.abort_shutdown().is_ok()) return ctx.fail("ERR No shutdown in progress.");
    ctx.reply.ok();
    return Status::ok();
  }
  // What a script has done so far is not to be saved: of one that is over its time, or that keeps
  // others off the data while it is debugged.
  const bool is_busy = (ctx.engine.executor.node_gates() & Gate::kBusy) != 0;
  if (is_busy && !request.no_save) return ctx.fail_text(ctx.engine.scripting->busy_error());
  std::string error;
  const Status status = ctx.engine.host.shutdown(request, error);
  if (status.err() == Err::kBlocked && ctx.may_block()) return ctx.block({}, 0);
  if (!status.is_ok() && status.err() != Err::kBlocked) {
    return ctx.fail_text(error.empty() ? "ERR Errors trying to SHUTDOWN. Check logs."
                                       : "ERR " + error);
  }
  // No answer: the end of the connection is one. Nobody's command runs any more.
  if (!ctx.may_wait_exclusively()) {
    ctx.reply.ok();
    return Status::ok();
  }
  ctx.engine.exclusive.begin(*ctx.caller.session, ctx.spec, ctx.argv, kNever);
  return Err::kExclusive;
}

constexpr CommandSpec kServerRows[] = {
    {.name = "LOLWUT",
     .arity = at_least(1),
     .flags = Flag::kReadonly | Flag::kFast,
     .handler = cmd_lolwut,
     .doc = {.summary = "Draws a piece of art and names the version.",
             .since = "5.0.0",
             .group = "server",
             .args = "[VERSION=version:integer]"}},
    {.name = "SHUTDOWN",
     .arity = at_least(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kNoMulti |
              Flag::kAllowBusy | Flag::kNeedsServer,
     .handler = cmd_shutdown,
     .doc = {.summary = "Stops the server, saving first if asked.",
             .complexity = "O(N) when saving N keys, else O(1)",
             .since = "1.0.0",
             .group = "server",
             .args = "[nosave_save:<nosave!NOSAVE | save!SAVE>] [now!NOW@7.0.0] "
                     "[force!FORCE@7.0.0] [abort!ABORT@7.0.0]"}},
    {.name = "TIME",
     .arity = exactly(1),
     .flags = Flag::kLoading | Flag::kStale | Flag::kFast,
     .handler = cmd_time,
     .doc = {.summary = "Returns the time of day in seconds and microseconds.",
             .complexity = "O(1)",
             .since = "2.6.0",
             .group = "server",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kServerRows));

}  // namespace

constinit const std::span<const CommandSpec> kServerCommands = kServerRows;

}  // namespace ouro
