// SPDX-License-Identifier: BSD-3-Clause
// Scripts: all that one cache has of scripts, made by the first command that needs it. Two
// machines, each made at its first use: a cache that runs no script pays nothing.
#pragma once

#include <memory>
#include <optional>

#include "server/engine/engine.h"
#include "server/script/debug_session.h"
#include "server/script/functions.h"
#include "server/script/runner.h"
#include "server/script/script_cache.h"

namespace ouro {

class Scripts final : public Scripting {
 public:
  // The engine's; made if it has none.
  static Scripts& of(Engine& engine);
  // Null if it has none.
  static Scripts* find(const Engine& engine) {
    return static_cast<Scripts*>(engine.scripting.get());
  }

  Runner& runner() { return runner_; }
  const Runner& runner() const { return runner_; }
  // What SCRIPT KILL is about: the script that keeps others off the data, if one does.
  Runner& busy_runner() {
    DebugSession* const sync = debugging_.sync_session();
    return sync == nullptr ? runner_ : sync->runner();
  }
  DebugSessions& debugging() { return debugging_; }

  // ---- scripts: the machine of EVAL with what is compiled in it
  struct Eval {
    explicit Eval(Scripts& scripts);
    LuaState state;
    ScriptCache cache;
  };
  Eval& eval();
  // Null if nobody has brought a script yet.
  const ScriptCache* cache() const { return eval_ ? &eval_->cache : nullptr; }
  void flush_scripts() { eval_.reset(); }

  // ---- functions
  LibrarySet& libraries() { return libraries_; }
  const LibrarySet& libraries() const { return libraries_; }
  LuaState& function_state();
  struct Load {
    bool replaces = false;    // the library of its name; else there must be none
    bool is_limited = false;  // in the time that it takes
  };
  // False leaves a text without code; then nothing has changed.
  bool load_library(ByteView source, const Load& how, std::string& error);
  enum class Restore : uint8_t { kFlush, kAppend, kReplace };
  // All libraries of a dump, or none: instead of those that are here, beside them, or beside those
  // that have other names.
  bool restore_libraries(const std::vector<std::string>& sources, Restore how, bool is_limited,
                         std::string& error);
  void flush_libraries();

  // ---- Scripting
  Facts facts() const override;
  ByteView busy_error() const override { return runner_.busy_error(); }
  void run_turn() override { debugging_.run_turn(); }
  bool has_more() const override { return debugging_.has_more(); }

 private:
  explicit Scripts(Engine& engine)
      : engine_(engine), runner_(engine), debugging_(engine, lua_heap_) {}
  bool load_into(LibrarySet& set, ByteView source, const Load& how, std::string& error);
  std::string conflict_with(const LibrarySet& from, Restore how) const;
  void drop_all(LibrarySet& set);
  uint32_t draw_seed() { return static_cast<uint32_t>(engine_.prng.next()); }

  Engine& engine_;
  // Of the machines alone: as in Redis their garbage is no part of used_memory, so that it evicts
  // nothing and refuses no write.
  Heap lua_heap_;
  Runner runner_;
  std::optional<Eval> eval_;
  std::optional<LuaState> functions_;
  LibrarySet libraries_;
  DebugSessions debugging_;
};

}  // namespace ouro
