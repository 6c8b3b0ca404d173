// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/debug_session.h"

#include <algorithm>

#include "server/engine/engine.h"

namespace ouro {
namespace {

constexpr const char* kGoneText = "ERR the debugging session has ended";

}  // namespace

DebugSession::DebugSession(Context& ctx, Heap& lua_heap)
    : Fiber(lua_heap, kStackBytes),
      engine_(ctx.engine),
      client_(ctx.caller.session),
      argv_(ctx.engine.heap, ctx.argv),
      runner_(ctx.engine),
      state_(lua_heap, LuaState::Kind::kEval, runner_,
             static_cast<uint32_t>(ctx.engine.prng.next())),
      cache_(ctx.engine.heap, HashSeed{ctx.engine.prng.next()}, state_,
             ctx.engine.stats.evicted_scripts),
      debugger_(*this, ctx.engine.stopwatch, argv_.argv()[1]) {
  if (client_->script_debug == Session::ScriptDebug::kYes) overlay_.emplace(engine_);
  runner_.attach(debugger_, overlay_ ? &*overlay_ : nullptr);
  state_.watch_lines();
  client_->dialog = this;
  if (is_sync()) engine_.executor.close_gate(Gate::kBusy);
  Context own = ctx;
  own.argv = argv_.argv();
  const Status status = begin(own);
  has_begun_ = status.is_ok();
  if (has_begun_) return;
  refusal_ = status.err() == Err::kMessage ? engine_.executor.message()
                                           : std::string(errors::text_of(status.err()));
}

DebugSession::~DebugSession() {
  end();
  if (client_ != nullptr) client_->dialog = nullptr;
  if (is_sync()) engine_.executor.open_gate(Gate::kBusy);
}

Status DebugSession::begin(Context& ctx) {
  OURO_TRY(const ScriptWords words, split_words(ctx));
  std::string error;
  const Script* script = cache_.use_text(ctx.argv[1], error);
  if (script == nullptr) return ctx.fail("ERR %s", error.c_str());
  name_ = script->sha1;
  flags_ = script->flags;
  return runner_.begin(ctx, {.state = state_,
                             .function = script->function,
                             .name = view_of(name_),
                             .flags = flags_,
                             .is_eval = true,
                             .read_only = ctx.spec.flags.has(Flag::kReadonly),
                             .keys = words.keys,
                             .arguments = words.arguments});
}

// ---- outside

void DebugSession::on_bytes(ByteView bytes) {
  debugger_.input().feed(bytes);
  has_input_ = true;
}

bool DebugSession::wants_turn() const {
  return client_ == nullptr || !client_->is_blocked() || !is_waiting_ || has_input_ ||
         runner_.is_killed();
}

bool DebugSession::run_turn() {
  // Who has unblocked it has answered it.
  if (client_ != nullptr && client_->is_blocked()) {
    if (has_begun_ && !is_over()) run_slice();
    if (has_begun_ && !is_over() && client_ != nullptr) return true;
    debugger_.say_end();
    if (client_ != nullptr) engine_.executor.time_out(*client_);
  }
  if (client_ != nullptr) client_->close_after_reply();
  return false;
}

void DebugSession::run_slice() {
  has_input_ = false;
  runner_.refresh_access();
  const uint64_t ticks = engine_.stopwatch.ticks();
  if (overlay_) overlay_->enter();
  slice_began_ = engine_.stopwatch.ticks();
  enter_ticks_ = slice_began_ - ticks;
  engine_.executor.run_together([this] { resume(); });
  if (overlay_) overlay_->leave();
}

// Unwinds the script's stack.
void DebugSession::end() {
  if (!has_begun_ || is_over()) return;
  debugger_.end_script(kGoneText);
  while (!is_over()) resume();
}

Status DebugSession::answer(Context& ctx) {
  ctx.effects.none();
  if (!has_begun_) return ctx.fail_text(refusal_);
  end();
  return runner_.finish(ctx, outcome_);
}

// ---- inside

void DebugSession::body() { outcome_ = runner_.execute(); }

void DebugSession::tell(std::span<const std::string> lines) {
  if (client_ == nullptr) return;
  (void)client_->with_dialog_reply([&](Reply& reply) {
    reply.array(lines.size());
    for (const std::string& line : lines) reply.simple(line);
    return Status::ok();
  });
  // In this turn it may have sent nothing.
  if (client_ != nullptr) client_->flush_soon();
}

void DebugSession::wait() {
  is_waiting_ = true;
  leave();
  is_waiting_ = false;
  if (runner_.is_killed()) debugger_.end_script(Runner::kKilledText);
}

void DebugSession::pace() {
  const uint64_t ticks = engine_.stopwatch.ticks() - slice_began_;
  const bool is_long =
      static_cast<double>(ticks) >= kSliceMicros * engine_.stopwatch.ticks_per_us();
  if (is_long && ticks >= enter_ticks_) leave();
}

Millis DebugSession::time_limit_ms() const { return engine_.options.busy_reply_threshold_ms; }

// ---- all of them

Status DebugSessions::open(Context& ctx) {
  if (!ctx.may_block()) return ctx.fail("ERR a script cannot be debugged inside a transaction");
  if (sessions_.size() >= kSessionsMax) return ctx.fail("ERR too many scripts are being debugged");
  sessions_.push_back(std::make_unique<DebugSession>(ctx, lua_heap_));
  engine_.log.print(LogLevel::kNotice, "a script is being debugged: id=%llu addr=%s, %s",
                    static_cast<unsigned long long>(ctx.caller.session->id),
                    ctx.caller.session->peer.address.c_str(),
                    sessions_.back()->is_sync() ? "others are told BUSY meanwhile"
                                                : "its changes will be taken back");
  return ctx.block({}, 0);
}

DebugSession* DebugSessions::find(const Session& session) const {
  for (const auto& one : sessions_) {
    if (one->is_of(session)) return one.get();
  }
  return nullptr;
}

DebugSession* DebugSessions::sync_session() const {
  for (const auto& one : sessions_) {
    if (one->is_sync()) return one.get();
  }
  return nullptr;
}

// Who debugs with SYNC is alone with the data, unless nobody may change them.
bool DebugSessions::may_run(const DebugSession& session) const {
  const DebugSession* const sync = sync_session();
  if (sync == nullptr) return session.wants_turn();
  return sync == &session && session.wants_turn() &&
         engine_.clients.paused() == Clients::Pause::kNone;
}

// One runs at a time: it may take what the others have left.
bool DebugSessions::run_turn(DebugSession& session) {
  const size_t others = memory_bytes() - session.memory_bytes();
  session.set_bytes_max(kSessionsLuaBytesMax - std::min(others, kSessionsLuaBytesMax));
  return session.run_turn();
}

void DebugSessions::run_turn() {
  for (size_t i = 0; i < sessions_.size();) {
    if (!may_run(*sessions_[i]) || run_turn(*sessions_[i])) {
      ++i;
    } else {
      sessions_.erase(sessions_.begin() + static_cast<ptrdiff_t>(i));
    }
  }
}

bool DebugSessions::has_more() const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [this](const auto& session) { return may_run(*session); });
}

size_t DebugSessions::memory_bytes() const {
  size_t bytes = 0;
  for (const auto& session : sessions_) bytes += session->memory_bytes();
  return bytes;
}

}  // namespace ouro
