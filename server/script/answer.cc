// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/answer.h"

#include <algorithm>
#include <array>
#include <string>

#include "server/engine/engine.h"
#include "server/script/lua_state.h"

namespace ouro {
namespace {

// Beyond this depth an error is the answer. Redis goes on up to the end of Lua's stack.
constexpr int kNestingMax = 1000;
// A table that holds another one many times, which does so too, has an answer without end. It may
// be as large as what the machine holds; to write an element of few bytes takes time as well, so
// each is reckoned like a small table.
constexpr size_t kBytesMax = kLuaBytesMax;
constexpr size_t kElementBytes = 128;
constexpr ByteView kTooLargeText = "ERR the answer of the script is too large";

enum class Name : uint8_t {
  kErr,
  kOk,
  kDouble,
  kBigNumber,
  kVerbatim,
  kFormat,
  kString,
  kMap,
  kSet,
  kCounted
};
constexpr std::array<const char*, 10> kNames = {
    "err",    "ok",     "double", "big_number", "verbatim_string",
    "format", "string", "map",    "set",        "ignore_error_stats_update"};

// One line of text for protocol types that are one.
std::string one_line(ByteView text) {
  std::string line(errors::shown(text));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  return line;
}

class Writer {
 public:
  Writer(Context& ctx, lua_State* lua, int names, bool resp3)
      : ctx_(ctx), lua_(lua), resp3_(resp3) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, names);
    names_ = lua_gettop(lua);
  }

  // True if the table at `at` is an error; its text is left where the executor looks.
  bool is_error(int at, bool& is_counted) {
    if (lua_type(lua_, at) != LUA_TTABLE || !push_named(at, Name::kErr, LUA_TSTRING)) return false;
    ByteView text = take(lua_objlen(lua_, -1)) ? errors::shown(lua_bytes(lua_, -1)) : kTooLargeText;
    while (text.ends_with('\r') || text.ends_with('\n')) text.remove_suffix(1);
    (void)ctx_.fail_text(text);
    const int top = lua_gettop(lua_) - 1;
    is_counted = push_named(at, Name::kCounted, LUA_TBOOLEAN) && lua_toboolean(lua_, -1) != 0;
    lua_settop(lua_, top);
    return true;
  }

  void write(int at, int depth) {
    if (depth > kNestingMax || lua_checkstack(lua_, 6) == 0)
      return write_error("ERR reached lua stack limit", /*is_counted=*/false);
    switch (lua_type(lua_, at)) {
      case LUA_TSTRING:
        return write_text(at, [&](ByteView bytes) { ctx_.reply.bulk(bytes); });
      case LUA_TNUMBER:
        return ctx_.reply.integer(integer_answer(lua_tonumber(lua_, at)));
      case LUA_TBOOLEAN:
        return write_boolean(lua_toboolean(lua_, at) != 0);
      case LUA_TTABLE: {
        const int top = lua_gettop(lua_);
        if (!write_named(at, depth)) write_array(at, depth);
        lua_settop(lua_, top);
        return;
      }
      default:
        return ctx_.reply.null();
    }
  }

 private:
  // Pushes the field of the table at `at` if it has this type.
  bool push_named(int at, Name name, int type) {
    lua_rawgeti(lua_, names_, static_cast<int>(name) + 1);
    lua_rawget(lua_, at);
    if (lua_type(lua_, -1) == type) return true;
    lua_pop(lua_, 1);
    return false;
  }

  // Of what is left for the answer; whoever announces elements takes them all before, so that none
  // is missing behind its header.
  bool take(size_t bytes) {
    if (bytes > bytes_left_) return false;
    bytes_left_ -= bytes;
    return true;
  }
  void refuse() { write_error(kTooLargeText, /*is_counted=*/false); }
  template <typename Write>
  void write_text(int at, Write write) {
    take(lua_objlen(lua_, at)) ? write(lua_bytes(lua_, at)) : refuse();
  }
  bool take_elements(size_t count) {
    if (take(count * kElementBytes)) return true;
    refuse();
    return false;
  }
  // Counting ends here, too: a table that is refused may be met many times.
  bool are_too_many(size_t count) const { return count * kElementBytes > bytes_left_; }

  void write_boolean(bool value) {
    if (resp3_) return ctx_.reply.boolean(value);
    value ? ctx_.reply.integer(1) : ctx_.reply.null();
  }

  // An error inside of another value is one that the command has answered, too.
  void write_error(ByteView text, bool is_counted) {
    if (!is_counted) {
      ctx_.engine.stats.count_error(text);
      ++ctx_.engine.registry.stats(ctx_.spec).failed;
    }
    ctx_.reply.error(text);
  }

  // In Redis's order.
  bool write_named(int at, int depth) {
    bool is_counted = false;
    if (is_error(at, is_counted)) {
      write_error(ctx_.engine.executor.message(), is_counted);
    } else if (push_named(at, Name::kOk, LUA_TSTRING)) {
      write_text(-1, [&](ByteView text) { ctx_.reply.simple(one_line(text)); });
    } else if (push_named(at, Name::kDouble, LUA_TNUMBER)) {
      ctx_.reply.real(lua_tonumber(lua_, -1));
    } else if (push_named(at, Name::kBigNumber, LUA_TSTRING)) {
      write_text(-1, [&](ByteView digits) { ctx_.reply.big_number(one_line(digits)); });
    } else if (!write_verbatim(at)) {
      return write_map(at, depth) || write_set(at, depth);
    }
    return true;
  }

  bool write_verbatim(int at) {
    if (!push_named(at, Name::kVerbatim, LUA_TTABLE)) return false;
    const int table = lua_gettop(lua_);
    if (!push_named(table, Name::kFormat, LUA_TSTRING)) return false;
    std::string format(errors::shown(lua_bytes(lua_, -1).substr(0, 3)));
    format.resize(3, ' ');
    if (!push_named(table, Name::kString, LUA_TSTRING)) return false;
    write_text(-1, [&](ByteView text) { ctx_.reply.verbatim(format, text); });
    return true;
  }

  size_t count_pairs(int table) {
    size_t count = 0;
    lua_pushnil(lua_);
    for (; !are_too_many(count) && lua_next(lua_, table) != 0; ++count) lua_pop(lua_, 1);
    return count;
  }

  bool write_map(int at, int depth) {
    if (!push_named(at, Name::kMap, LUA_TTABLE)) return false;
    const int table = lua_gettop(lua_);
    const size_t pairs = count_pairs(table);
    if (!take_elements(2 * pairs)) return true;
    ctx_.reply.map(pairs);
    lua_pushnil(lua_);
    while (lua_next(lua_, table) != 0) {
      write(table + 1, depth + 1);
      write(table + 2, depth + 1);
      lua_pop(lua_, 1);
    }
    return true;
  }

  bool write_set(int at, int depth) {
    if (!push_named(at, Name::kSet, LUA_TTABLE)) return false;
    const int table = lua_gettop(lua_);
    const size_t count = count_pairs(table);
    if (!take_elements(count)) return true;
    ctx_.reply.set(count);
    lua_pushnil(lua_);
    while (lua_next(lua_, table) != 0) {
      lua_pop(lua_, 1);
      write(table + 1, depth + 1);
    }
    return true;
  }

  // Up to the first nil.
  void write_array(int at, int depth) {
    size_t count = 0;
    for (; !are_too_many(count); ++count) {
      lua_rawgeti(lua_, at, static_cast<int>(count + 1));
      const bool is_end = lua_isnil(lua_, -1);
      lua_pop(lua_, 1);
      if (is_end) break;
    }
    if (!take_elements(count)) return;
    ctx_.reply.array(count);
    for (size_t i = 1; i <= count; ++i) {
      lua_rawgeti(lua_, at, static_cast<int>(i));
      write(lua_gettop(lua_), depth + 1);
      lua_pop(lua_, 1);
    }
  }

  Context& ctx_;
  lua_State* lua_;
  bool resp3_;
  int names_ = 0;
  size_t bytes_left_ = kBytesMax;
};

}  // namespace

void push_answer_names(lua_State* lua) {
  lua_createtable(lua, static_cast<int>(kNames.size()), 0);
  for (size_t i = 0; i < kNames.size(); ++i) {
    lua_pushstring(lua, kNames[i]);
    lua_rawseti(lua, -2, static_cast<int>(i) + 1);
  }
}

Status write_answer(Context& ctx, lua_State* lua, int names, bool resp3) {
  const int at = lua_gettop(lua);
  Writer writer(ctx, lua, names, resp3);
  bool is_counted = false;
  if (writer.is_error(at, is_counted)) {
    lua_settop(lua, at);
    return is_counted ? Err::kCountedMessage : Err::kMessage;
  }
  writer.write(at, 0);
  lua_settop(lua, at);
  return Status::ok();
}

int64_t integer_answer(double value) {
  return value >= -0x1p63 && value < 0x1p63 ? static_cast<int64_t>(value) : INT64_MIN;
}

}  // namespace ouro
