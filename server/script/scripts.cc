// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/scripts.h"

namespace ouro {

Scripts& Scripts::of(Engine& engine) {
  if (engine.scripting == nullptr) engine.scripting.reset(new Scripts(engine));
  return static_cast<Scripts&>(*engine.scripting);
}

Scripts::Eval::Eval(Scripts& scripts)
    : state(scripts.lua_heap_, LuaState::Kind::kEval, scripts.runner_, scripts.draw_seed()),
      cache(scripts.engine_.heap, HashSeed{scripts.engine_.prng.next()}, state,
            scripts.engine_.stats.evicted_scripts) {}

Scripts::Eval& Scripts::eval() {
  if (!eval_) eval_.emplace(*this);
  return *eval_;
}

LuaState& Scripts::function_state() {
  if (!functions_) functions_.emplace(lua_heap_, LuaState::Kind::kFunctions, runner_, draw_seed());
  return *functions_;
}

bool Scripts::load_library(ByteView source, const Load& how, std::string& error) {
  return load_into(libraries_, source, how, error);
}

bool Scripts::load_into(LibrarySet& set, ByteView source, const Load& how, std::string& error) {
  std::string name;
  ByteView body;
  if (!read_library_head(source, name, body, error)) return false;
  const Library* old = set.find_library(name);
  if (old != nullptr && !how.replaces) {
    error = "Library '" + name + "' already exists";
    return false;
  }
  std::unique_ptr<Library> library =
      FunctionLoad::load(function_state(), source, how.is_limited, error);
  if (library == nullptr) return false;
  if (const std::string* taken = set.find_collision(*library, old)) {
    error = "Function " + *taken + " already exists";
    drop_functions(function_state(), *library);
    return false;
  }
  if (old != nullptr) drop_functions(function_state(), *set.take(name));
  set.add(std::move(library));
  return true;
}

// What keeps a set from being taken over, or nothing.
std::string Scripts::conflict_with(const LibrarySet& from, Restore how) const {
  if (how == Restore::kFlush) return {};
  for (const auto& [name, library] : from.libraries()) {
    if (how == Restore::kAppend && libraries_.find_library(name) != nullptr)
      return "Library " + name + " already exists";
  }
  for (const auto& [name, library] : from.libraries()) {
    for (const auto& function : library->functions) {
      const Function* known = libraries_.find_function(function->name);
      // What is replaced is in nobody's way.
      if (known != nullptr && from.find_library(known->library->name) == nullptr)
        return "Function " + function->name + " already exists";
    }
  }
  return {};
}

void Scripts::drop_all(LibrarySet& set) {
  for (const auto& [name, library] : set.libraries()) drop_functions(function_state(), *library);
  set = LibrarySet();
}

bool Scripts::restore_libraries(const std::vector<std::string>& sources, Restore how,
                                bool is_limited, std::string& error) {
  LibrarySet set;
  for (const std::string& source : sources) {
    if (load_into(set, source, {.is_limited = is_limited}, error)) continue;
    drop_all(set);
    return false;
  }
  error = conflict_with(set, how);
  if (!error.empty()) {
    drop_all(set);
    return false;
  }
  if (how == Restore::kFlush) drop_all(libraries_);
  while (!set.libraries().empty()) {
    std::unique_ptr<Library> library = set.take(set.libraries().begin()->first);
    const std::unique_ptr<Library> old = libraries_.take(library->name);
    if (old != nullptr) drop_functions(function_state(), *old);
    libraries_.add(std::move(library));
  }
  return true;
}

void Scripts::flush_libraries() {
  libraries_ = LibrarySet();
  functions_.reset();
}

Scripting::Facts Scripts::facts() const {
  Facts facts;
  if (eval_) {
    facts.eval_machine_bytes = eval_->state.memory_bytes();
    facts.scripts = eval_->cache.size();
    facts.script_bytes = eval_->cache.memory_bytes();
  }
  facts.eval_machine_bytes += debugging_.memory_bytes();
  if (functions_) facts.function_machine_bytes = functions_->memory_bytes();
  facts.libraries = libraries_.libraries().size();
  facts.functions = libraries_.function_count();
  facts.library_bytes = libraries_.memory_bytes();
  return facts;
}

}  // namespace ouro
