// SPDX-License-Identifier: BSD-3-Clause
// DEBUG: ways for the program to end, for tests of what is there afterwards. The log says by which
// before it comes. A host program is not ended.
#include <algorithm>
#include <cinttypes>

#include "server/commands/admin/debug.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// A warning in the log; an error for one that is not ours to end.
Status begin_end(Context& ctx, const char* how) {
  if (ctx.caller.origin == Origin::kEmbedded) return ctx.fail_text(errors::kNeedsServer);
  ctx.engine.log.print(LogLevel::kWarning, "DEBUG %s: the server crashes by a client's wish", how);
  return Status::ok();
}

Status debug_assert(Context& ctx) {
  OURO_TRY(begin_end(ctx, "ASSERT"));
  const bool holds = ctx.argv.empty();
  CHECK(holds);
  return Status::ok();
}

// More than any machine has, by the way of all memory.
Status debug_oom(Context& ctx) {
  OURO_TRY(begin_end(ctx, "OOM"));
  const volatile size_t bytes = SIZE_MAX / 2;
  ctx.engine.log.print(LogLevel::kWarning, "Out of memory: %zu bytes are asked for", bytes);
  ctx.engine.heap.release(ctx.engine.heap.allocate(bytes));
  ctx.reply.ok();
  return Status::ok();
}

Status debug_panic(Context& ctx) {
  OURO_TRY(begin_end(ctx, "PANIC"));
  ctx.engine.log.print(LogLevel::kWarning, "DEBUG PANIC called at Unix time %" PRId64,
                       ctx.now / 1000);
  check_failed(__FILE__, __LINE__, "DEBUG PANIC");
}

Status debug_segfault(Context& ctx) {
  OURO_TRY(begin_end(ctx, "SEGFAULT"));
  char* volatile nowhere = nullptr;
  *static_cast<volatile char*>(nowhere) = 'x';
  return Status::ok();
}

Status restart(Context& ctx, Host::RestartRequest request) {
  if (ctx.argv.size() > 2) {
    OURO_TRY(const int64_t delay, ctx.integer(2));
    request.delay = std::max<Millis>(delay, 0);
  }
  if (ctx.caller.origin == Origin::kEmbedded) return ctx.fail_text(errors::kNeedsServer);
  std::string error;
  if (!ctx.engine.host.restart(request, error).is_ok()) return ctx.fail_text(error);
  // No answer, as to SHUTDOWN: nobody's command runs any more.
  if (!ctx.may_wait_exclusively()) {
    ctx.reply.ok();
    return Status::ok();
  }
  ctx.engine.exclusive.begin(*ctx.caller.session, ctx.spec, ctx.argv, kNever);
  return Err::kExclusive;
}

Status debug_restart(Context& ctx) { return restart(ctx, {.in_order = true}); }
Status debug_crash_and_recover(Context& ctx) { return restart(ctx, {.in_order = false}); }

// As in Redis further words do not matter.
constexpr DebugRow kRows[] = {
    {"ASSERT", 2, SIZE_MAX, debug_assert, "", "Crashes by an assertion that does not hold."},
    {"CRASH-AND-RECOVER", 2, SIZE_MAX, debug_crash_and_recover, "[<milliseconds>]",
     "Ends at once, saving nothing, and starts anew after so long."},
    {"OOM", 2, SIZE_MAX, debug_oom, "", "Crashes as when there is no memory left."},
    {"PANIC", 2, SIZE_MAX, debug_panic, "", "Crashes as by a state that cannot be."},
    {"RESTART", 2, SIZE_MAX, debug_restart, "[<milliseconds>]",
     "Saves configuration and data, ends, and starts anew after so long."},
    {"SEGFAULT", 2, SIZE_MAX, debug_segfault, "", "Crashes by a wrong address."},
};

}  // namespace

constinit const std::span<const DebugRow> kDebugEnds = kRows;

}  // namespace ouro
