// SPDX-License-Identifier: BSD-3-Clause
// Functions: libraries of them, as FUNCTION LOAD brings them and FCALL calls them.
//
//      libraries   name -> Library {source, functions}        a name is found as it is written
//      functions   name -> Function of one of the libraries    in any case
//
// A library is loaded by running its text once, which calls redis.register_function for each of its
// functions; if anything fails nothing of it stays. FUNCTION RESTORE builds a set of its own and
// takes it over whole.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/script/lua_state.h"

namespace ouro {

struct Library;

struct Function {
  const Library* library = nullptr;
  std::string name;
  std::string description;
  bool has_description = false;
  ScriptFlags flags;
  int function = LUA_NOREF;  // in the machine
};

struct Library {
  std::string name;
  std::string source;
  std::vector<std::unique_ptr<Function>> functions;
};

class LibrarySet {
 public:
  const Function* find_function(ByteView name) const;
  Library* find_library(ByteView name) const;
  // In the order of their names.
  const std::map<std::string, std::unique_ptr<Library>, std::less<>>& libraries() const {
    return libraries_;
  }
  size_t function_count() const { return functions_.size(); }
  size_t memory_bytes() const;

  // The name of a function of `library` that another library has, but for `replaced`; null if none.
  const std::string* find_collision(const Library& library, const Library* replaced) const;
  // Requires: no library of this name and no collision.
  void add(std::unique_ptr<Library> library);
  // Null if there is none.
  std::unique_ptr<Library> take(ByteView name);

 private:
  struct AnyCase {
    using is_transparent = void;
    bool operator()(ByteView a, ByteView b) const;
  };
  std::map<std::string, std::unique_ptr<Library>, std::less<>> libraries_;
  std::map<std::string, Function*, AnyCase> functions_;
};

// One library while its text runs: what redis.register_function adds to.
class FunctionLoad {
 public:
  // Null leaves a text without code in `error`, and nothing in the machine.
  static std::unique_ptr<Library> load(LuaState& state, ByteView source, bool is_limited,
                                       std::string& error);
  // redis.register_function(name, callback) or with a table of named arguments.
  static int register_function(lua_State* lua);

 private:
  explicit FunctionLoad(Library& library) : library_(library) {}
  // `description` may be null.
  void add(ByteView name, const ByteView* description, ScriptFlags flags, int function);
  bool has(ByteView name) const;

  struct Arguments;
  static void read_positions(lua_State* lua, Arguments& arguments);
  static void read_names(lua_State* lua, Arguments& arguments);
  static void read_flags(lua_State* lua, int at, ScriptFlags& flags);
  static bool run(LuaState& state, FunctionLoad& load, ByteView body, bool is_limited,
                  std::string& error);

  Library& library_;
};

// Forgets the functions of a library that is no longer in any set.
void drop_functions(LuaState& state, const Library& library);

}  // namespace ouro
