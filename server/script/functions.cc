// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/functions.h"

#include <algorithm>

#include "datastructs/base/ascii.h"
#include "server/engine/arg_parser.h"
#include "server/script/redis_api.h"
#include "server/script/runner.h"

namespace ouro {

bool LibrarySet::AnyCase::operator()(ByteView a, ByteView b) const {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [](char x, char y) { return to_lower(x) < to_lower(y); });
}

const Function* LibrarySet::find_function(ByteView name) const {
  const auto found = functions_.find(name);
  return found == functions_.end() ? nullptr : found->second;
}

Library* LibrarySet::find_library(ByteView name) const {
  const auto found = libraries_.find(name);
  return found == libraries_.end() ? nullptr : found->second.get();
}

size_t LibrarySet::memory_bytes() const {
  size_t bytes = 0;
  for (const auto& [name, library] : libraries_) {
    bytes += sizeof(Library) + library->source.capacity() + 2 * name.capacity();
    for (const auto& function : library->functions)
      bytes += sizeof(Function) + function->name.capacity() + function->description.capacity();
  }
  return bytes;
}

const std::string* LibrarySet::find_collision(const Library& library,
                                              const Library* replaced) const {
  for (const auto& function : library.functions) {
    const Function* known = find_function(function->name);
    if (known != nullptr && known->library != replaced) return &function->name;
  }
  return nullptr;
}

void LibrarySet::add(std::unique_ptr<Library> library) {
  for (const auto& function : library->functions)
    functions_.emplace(function->name, function.get());
  std::string name = library->name;
  libraries_.emplace(std::move(name), std::move(library));
}

std::unique_ptr<Library> LibrarySet::take(ByteView name) {
  const auto found = libraries_.find(name);
  if (found == libraries_.end()) return nullptr;
  std::unique_ptr<Library> library = std::move(found->second);
  libraries_.erase(found);
  for (const auto& function : library->functions) functions_.erase(function->name);
  return library;
}

void drop_functions(LuaState& state, const Library& library) {
  for (const auto& function : library.functions) state.drop(function->function);
}

// ---- loading

std::unique_ptr<Library> FunctionLoad::load(LuaState& state, ByteView source, bool is_limited,
                                            std::string& error) {
  auto library = std::make_unique<Library>();
  ByteView body;
  if (!read_library_head(source, library->name, body, error)) return nullptr;
  library->source = source;
  FunctionLoad loading(*library);
  if (run(state, loading, body, is_limited, error)) {
    if (!library->functions.empty()) return library;
    error = "No functions registered";
  }
  drop_functions(state, *library);
  return nullptr;
}

bool FunctionLoad::run(LuaState& state, FunctionLoad& load, ByteView body, bool is_limited,
                       std::string& error) {
  const int chunk = state.compile(body, "@user_function", error);
  if (chunk == LUA_NOREF) {
    error.insert(0, "Error compiling function: ");
    return false;
  }
  lua_State* lua = state.lua();
  state.show_api(LuaState::Api::kLibrary);
  state.runner().begin_loading(load, is_limited);
  state.push_kept(chunk);
  state.begin_stack();
  const int outcome = lua_pcall(lua, 0, 0, 0);
  state.runner().end_loading();
  state.show_api(LuaState::Api::kScript);
  state.drop(chunk);
  state.set_watch(LuaState::Watch::kNowAndThen);
  if (outcome == 0) return true;

  const LuaState::Unlimited lifted(state);
  error = "Error registering functions: ";
  if (lua_istable(lua, -1)) {
    lua_pushliteral(lua, "err");
    lua_rawget(lua, -2);
  } else if (lua_isstring(lua, -1) != 0) {
    error += "ERR ";
  }
  error += lua_isstring(lua, -1) != 0 ? lua_bytes(lua, -1) : errors::kUnknownLuaError;
  lua_settop(lua, 0);
  if (outcome == LUA_ERRMEM) state.collect_all();
  return false;
}

bool FunctionLoad::has(ByteView name) const {
  return std::any_of(library_.functions.begin(), library_.functions.end(),
                     [&](const auto& known) { return equals_ignoring_case(known->name, name); });
}

void FunctionLoad::add(ByteView name, const ByteView* description, ScriptFlags flags,
                       int function) {
  auto one = std::make_unique<Function>();
  one->library = &library_;
  one->name = name;
  one->has_description = description != nullptr;
  if (description != nullptr) one->description = *description;
  one->flags = flags;
  one->flags.declared = true;
  one->function = function;
  library_.functions.push_back(std::move(one));
}

// Views of strings that stand on the stack.
struct FunctionLoad::Arguments {
  ByteView name;
  ByteView description;
  bool has_name = false;
  bool has_description = false;
  int callback = 0;  // its place on the stack
  ScriptFlags flags;
};

int FunctionLoad::register_function(lua_State* lua) {
  LuaState& state = LuaState::of(lua);
  FunctionLoad* load = state.runner().loading();
  if (load == nullptr)
    return raise_error(lua,
                       "ERR redis.register_function can only be called on FUNCTION LOAD command");
  Arguments arguments;
  switch (lua_gettop(lua)) {
    case 1:
      read_names(lua, arguments);
      break;
    case 2:
      read_positions(lua, arguments);
      break;
    default:
      return raise_error(lua, "ERR wrong number of arguments to redis.register_function");
  }
  if (!is_function_name(arguments.name)) {
    lua_pushfstring(lua, "ERR %s", kFunctionNameText);
    return raise_error(lua, lua_tostring(lua, -1));
  }
  if (load->has(arguments.name))
    return raise_error(lua, "ERR Function already exists in the library");
  lua_pushvalue(lua, arguments.callback);
  const int function = luaL_ref(lua, LUA_REGISTRYINDEX);
  load->add(arguments.name, arguments.has_description ? &arguments.description : nullptr,
            arguments.flags, function);
  return 0;
}

void FunctionLoad::read_positions(lua_State* lua, Arguments& arguments) {
  if (lua_isstring(lua, 1) == 0)
    raise_error(lua, "ERR first argument to redis.register_function must be a string");
  if (!lua_isfunction(lua, 2))
    raise_error(lua, "ERR second argument to redis.register_function must be a function");
  arguments.name = lua_bytes(lua, 1);
  arguments.callback = 2;
}

void FunctionLoad::read_names(lua_State* lua, Arguments& arguments) {
  if (!lua_istable(lua, 1))
    raise_error(lua,
                "ERR calling redis.register_function with a single argument is only applicable to "
                "Lua table (representing named arguments).");
  // Values stay on the stack below the walk's key.
  lua_pushnil(lua);
  while (lua_next(lua, 1) != 0) {
    luaL_checkstack(lua, 4, "in redis.register_function");
    const ByteView key = lua_type(lua, -2) == LUA_TSTRING ? lua_bytes(lua, -2) : ByteView();
    const auto check = [&](bool fits, const char* text) {
      if (!fits) raise_error(lua, text);
    };
    if (equals_ignoring_case(key, "function_name")) {
      check(lua_isstring(lua, -1) != 0,
            "ERR function_name argument given to redis.register_function must be a string");
      arguments.name = lua_bytes(lua, -1);
      arguments.has_name = true;
    } else if (equals_ignoring_case(key, "description")) {
      check(lua_isstring(lua, -1) != 0,
            "ERR description argument given to redis.register_function must be a string");
      arguments.description = lua_bytes(lua, -1);
      arguments.has_description = true;
    } else if (equals_ignoring_case(key, "callback")) {
      check(lua_isfunction(lua, -1),
            "ERR callback argument given to redis.register_function must be a function");
      arguments.callback = lua_gettop(lua) - 1;
    } else if (equals_ignoring_case(key, "flags")) {
      check(lua_istable(lua, -1),
            "ERR flags argument to redis.register_function must be a table representing function "
            "flags");
      read_flags(lua, lua_gettop(lua), arguments.flags);
    } else {
      raise_error(lua, "ERR unknown argument given to redis.register_function");
    }
    lua_insert(lua, -2);
  }
  if (!arguments.has_name)
    raise_error(lua, "ERR redis.register_function must get a function name argument");
  if (arguments.callback == 0)
    raise_error(lua, "ERR redis.register_function must get a callback argument");
}

// The elements of a list, up to the first nil.
void FunctionLoad::read_flags(lua_State* lua, int at, ScriptFlags& flags) {
  for (int i = 1;; ++i) {
    lua_rawgeti(lua, at, i);
    if (lua_isnil(lua, -1)) break;
    if (lua_isstring(lua, -1) == 0 || !flags.set(lua_bytes(lua, -1)))
      raise_error(lua, "ERR unknown flag given");
    lua_pop(lua, 1);
  }
  lua_pop(lua, 1);
}

}  // namespace ouro
