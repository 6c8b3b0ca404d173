// SPDX-License-Identifier: BSD-3-Clause
// DebugSession: one script that its client debugs, from EVAL to the end of the connection.
// DebugSessions: all of a cache.
//
//      SCRIPT DEBUG YES, EVAL --> open(): the client waits as for BLPOP; what it sends comes here
//          each turn with input:  run_turn() --> the script's stack --> a stop, or a slice's end
//          the script is over:    "<endsession>", EVAL is run for the last time: answer(); closed
//
// The script has a machine, a runner and a stack (a Fiber) of its own, so that it can stop anywhere
// while the server goes on, other scripts too. After YES its changes are its own (overlay.h). After
// SYNC they are everybody's: what it does up to a stop is one group of effects, and others are told
// BUSY until the end, those that wait for keys are not woken. A client that goes takes its script
// with it.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "datastructs/base/fiber.h"
#include "server/engine/session.h"
#include "server/script/debugger.h"
#include "server/script/overlay.h"
#include "server/script/runner.h"
#include "server/script/script_cache.h"

namespace ouro {

class DebugSession final : public Dialog, private Debugger::Peer, private Fiber {
 public:
  // The context of EVAL, whose session will wait.
  DebugSession(Context& ctx, Heap& lua_heap);
  ~DebugSession() override;

  bool is_sync() const { return !overlay_; }
  bool is_of(const Session& session) const { return client_ == &session; }
  Runner& runner() { return runner_; }
  size_t memory_bytes() const { return state_.memory_bytes(); }
  // So much its machine may take.
  void set_bytes_max(size_t bytes) { state_.set_bytes_max(bytes); }

  bool wants_turn() const;
  // False: it is over, and wants to be destroyed.
  bool run_turn();
  // EVAL's last run.
  Status answer(Context& ctx);

  // ---- Dialog
  void on_bytes(ByteView bytes) override;
  bool has_input() const override { return has_input_; }
  void on_left() override { client_ = nullptr; }

 private:
  // What was touched of it is all that it takes. Commands come on top of what Lua may nest.
  static constexpr size_t kStackBytes = 4_MiB;
  // A script that does not stop lets others go on so often, but it has as much time as it takes to
  // bring its changes in.
  static constexpr Micros kSliceMicros = 250;

  Status begin(Context& ctx);
  void run_slice();
  void end();

  // ---- Debugger::Peer, inside
  void tell(std::span<const std::string> lines) override;
  void wait() override;
  void pace() override;
  Millis time_limit_ms() const override;
  void body() override;

  Engine& engine_;
  Session* client_;  // null: it has gone
  OwnedArgv argv_;
  Runner runner_;
  LuaState state_;
  ScriptCache cache_;
  Debugger debugger_;
  std::optional<Overlay> overlay_;  // none: SYNC
  Sha1Hex name_{};
  ScriptFlags flags_;
  std::string refusal_;  // the script did not begin
  bool has_begun_ = false;
  bool has_input_ = false;
  bool is_waiting_ = false;  // for input; else it wants to go on
  int outcome_ = 0;
  uint64_t slice_began_ = 0;
  uint64_t enter_ticks_ = 0;  // what that took
};

class DebugSessions {
 public:
  // Each takes a machine and what it has changed (Overlay::kBytesMax).
  static constexpr size_t kSessionsMax = 16;
  // What the machines of all of them may take, half of what that of EVAL may: as that, it is no
  // part of what maxmemory bounds.
  static constexpr size_t kSessionsLuaBytesMax = kLuaBytesMax / 2;

  DebugSessions(Engine& engine, Heap& lua_heap) : engine_(engine), lua_heap_(lua_heap) {}

  // Instead of running EVAL: Err::kBlocked.
  Status open(Context& ctx);
  // The one whose client this is, or null.
  DebugSession* find(const Session& session) const;
  // The one that keeps everybody else off the data, or null.
  DebugSession* sync_session() const;
  void run_turn();
  bool has_more() const;
  size_t memory_bytes() const;

 private:
  bool may_run(const DebugSession& session) const;
  bool run_turn(DebugSession& session);

  Engine& engine_;
  Heap& lua_heap_;
  std::vector<std::unique_ptr<DebugSession>> sessions_;
};

}  // namespace ouro
