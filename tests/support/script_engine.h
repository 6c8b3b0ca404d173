// SPDX-License-Identifier: BSD-3-Clause
// An EngineFixture that runs scripts.
#pragma once

#include "engine_fixture.h"
#include "server/script/scripts.h"
#include "server/script/tables.h"

namespace ouro {

struct ScriptEngine : EngineFixture {
  ScriptEngine() : EngineFixture(tables()) {}
  static std::initializer_list<Registry::Table> tables() {
    static const std::initializer_list<Registry::Table> all = {
        kEvalCommands,      kScriptCommands,     kFunctionCommands, kStringCommands,
        kStringSetCommands, kListCommands,       kHashCommands,     kKeyCommands,
        kSetCommands,       kListBlockCommands,  kExpireCommands,   kTransactionCommands,
        kDatabaseCommands,  kConnectionCommands, kDebugCommands,    kClientCommands,
        kAclCommands,       kHashImportCommands, kConfigCommands,   kStreamReadCommands,
        kServerCommands};
    return all;
  }
  std::string eval(ByteView script) { return run({"EVAL", script, "0"}); }
  // The answer of an error without what says where it was raised.
  std::string error_of(ByteView script) {
    std::string text = eval(script);
    const size_t where = text.find(" script: ");
    if (where != std::string::npos) text.resize(where);
    return text;
  }
  // Runs `script` many times; the answer is the growth of the engine's memory after some warming
  // up.
  int64_t growth(ByteView script, int times) {
    for (int i = 0; i < 200; ++i) eval(script);
    Scripts::of(engine).eval().state.collect_all();
    const auto before = static_cast<int64_t>(engine.heap.used_bytes());
    for (int i = 0; i < times; ++i) eval(script);
    Scripts::of(engine).eval().state.collect_all();
    return static_cast<int64_t>(engine.heap.used_bytes()) - before;
  }
};

}  // namespace ouro
