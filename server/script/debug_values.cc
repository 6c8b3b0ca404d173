// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/debug_values.h"

#include <cstdio>
#include <map>

#include "datastructs/codec/number_text.h"
#include "datastructs/codec/quoted.h"
#include "server/script/lua_state.h"

namespace ouro {
namespace {

// Makes one text; what a table is made of stands on top of Lua's stack meanwhile.
class ValueText {
 public:
  ValueText(std::string& to, lua_State* lua, size_t bytes_max, FunctionRef<bool()> may_look)
      : to_(to), lua_(lua), bytes_max_(bytes_max), may_look_(may_look) {}

  // The value on top, which goes.
  void add_top(int depth) {
    add(depth);
    lua_pop(lua_, 1);
  }
  bool is_cut() const { return is_cut_; }

 private:
  void add(int depth);
  void add_table(int depth);
  void add_pointer();
  bool is_array();
  bool has_array_keys();
  // Whether the next place may be looked at.
  bool go_on() {
    is_cut_ = is_cut_ || !may_look_();
    return !is_cut_ && to_.size() <= bytes_max_;
  }

  std::string& to_;
  lua_State* lua_;
  size_t bytes_max_;
  FunctionRef<bool()> may_look_;
  bool is_cut_ = false;
  std::map<const void*, bool> arrays_;  // the tables whose shape is known
};

void ValueText::add(int depth) {
  if (depth == kShownDepthMax || lua_checkstack(lua_, LUA_MINSTACK) == 0) {
    to_.append("<max recursion level reached! Nested table?>");
    return;
  }
  switch (lua_type(lua_, -1)) {
    case LUA_TSTRING:
      return append_quoted(to_, lua_bytes(lua_, -1).substr(0, bytes_max_ + 1));
    case LUA_TBOOLEAN:
      to_.append(lua_toboolean(lua_, -1) != 0 ? "true" : "false");
      return;
    case LUA_TNUMBER: {
      char text[32];
      std::snprintf(text, sizeof(text), "%g", lua_tonumber(lua_, -1));
      to_.append(text);
      return;
    }
    case LUA_TNIL:
      to_.append("nil");
      return;
    case LUA_TTABLE:
      return add_table(depth);
    default:
      return add_pointer();
  }
}

bool ValueText::is_array() {
  const void* const table = lua_topointer(lua_, -1);
  const auto known = arrays_.find(table);
  if (known != arrays_.end()) return known->second;
  return arrays_[table] = has_array_keys();
}

// The keys are 1, 2, 3 ...
bool ValueText::has_array_keys() {
  const size_t size = lua_objlen(lua_, -1);
  size_t keys = 0;
  for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; lua_pop(lua_, 1)) {
    const double key = lua_type(lua_, -2) == LUA_TNUMBER ? lua_tonumber(lua_, -2) : 0;
    const auto index = static_cast<size_t>(key >= 1 ? key : 0);
    if (index < 1 || index > size || static_cast<double>(index) != key || !go_on()) {
      lua_pop(lua_, 2);
      return false;
    }
    ++keys;
  }
  return keys == size;
}

void ValueText::add_table(int depth) {
  const bool is_proxy = LuaState::of(lua_).push_behind_proxy(lua_, -1);
  to_.append("{");
  const char* gap = "";
  if (is_array()) {
    const auto size = static_cast<int>(lua_objlen(lua_, -1));
    for (int i = 1; i <= size && go_on(); ++i, gap = "; ") {
      to_.append(gap);
      lua_rawgeti(lua_, -1, i);
      add_top(depth + 1);
    }
  } else if (go_on()) {
    for (lua_pushnil(lua_); lua_next(lua_, -2) != 0; gap = "; ") {
      to_.append(gap).append("[");
      lua_pushvalue(lua_, -2);
      add_top(depth + 1);
      to_.append("]=");
      add_top(depth + 1);
      if (go_on()) continue;
      lua_pop(lua_, 1);
      break;
    }
  }
  to_.append("}");
  if (is_proxy) lua_pop(lua_, 1);
}

void ValueText::add_pointer() {
  const int type = lua_type(lua_, -1);
  char text[64];
  std::snprintf(text, sizeof(text), "\"%s@%p\"",
                type == LUA_TLIGHTUSERDATA ? "light-userdata" : lua_typename(lua_, type),
                lua_topointer(lua_, -1));
  to_.append(text);
}

void append_record(std::string& to, const ReplyTape& tape, size_t& at, size_t bytes_max);

void append_records(std::string& to, const ReplyTape& tape, uint64_t count, size_t& at,
                    size_t bytes_max) {
  for (uint64_t i = 0; i < count; ++i) {
    if (to.size() > bytes_max) return;
    if (i > 0) to.append(",");
    append_record(to, tape, at, bytes_max);
  }
}

void append_pairs(std::string& to, const ReplyTape& tape, uint64_t pairs, size_t& at,
                  size_t bytes_max) {
  for (uint64_t i = 0; i < pairs; ++i) {
    if (to.size() > bytes_max) return;
    if (i > 0) to.append(",");
    append_record(to, tape, at, bytes_max);
    to.append(" => ");
    append_record(to, tape, at, bytes_max);
  }
}

// With its sign, as it stands on the wire.
void append_line(std::string& to, char sign, ByteView text) {
  append_quoted(to, std::string(1, sign).append(text));
}

void append_double(std::string& to, double value) {
  char text[kDoubleTextMax];
  to.append("(double) ").append(text, format_double(value, text));
}

// When the text is long enough, the place on the tape does not matter any more.
void append_record(std::string& to, const ReplyTape& tape, size_t& at, size_t bytes_max) {
  using Kind = ReplyTape::Kind;
  if (to.size() > bytes_max) return;
  const ReplyTape::Record record = tape.take(at);
  switch (record.kind) {
    case Kind::kStatus:
      return append_line(to, '+', record.bytes);
    case Kind::kError:
      return append_line(to, '-', record.bytes);
    case Kind::kInteger:
      to.append(std::to_string(static_cast<int64_t>(record.number)));
      return;
    case Kind::kString:
      return append_quoted(to, record.bytes.substr(0, bytes_max + 1));
    case Kind::kNil:
      to.append("(null)");
      return;
    case Kind::kFalse:
      to.append(tape.is_resp3() ? "#false" : "NULL");
      return;
    case Kind::kTrue:
      to.append("#true");
      return;
    case Kind::kReal:
      return append_double(to, record.real());
    case Kind::kBigNumber:
      to.append(record.bytes);
      return;
    case Kind::kVerbatim:
      return append_quoted(to, record.bytes.substr(3));
    case Kind::kArray:
      to.append("[");
      append_records(to, tape, record.number, at, bytes_max);
      to.append("]");
      return;
    case Kind::kSet:
      to.append("~(");
      append_records(to, tape, record.number, at, bytes_max);
      to.append(")");
      return;
    case Kind::kMap:
      to.append("{");
      append_pairs(to, tape, record.number, at, bytes_max);
      to.append("}");
      return;
    case Kind::kAttribute: {
      std::string unseen;
      append_pairs(unseen, tape, record.number, at, ~size_t{0});
      return append_record(to, tape, at, bytes_max);
    }
  }
}

}  // namespace

void append_value(std::string& to, lua_State* lua, int at, size_t bytes_max,
                  FunctionRef<bool()> may_look) {
  lua_pushvalue(lua, at);
  ValueText text(to, lua, bytes_max, may_look);
  text.add_top(0);
  if (text.is_cut()) to.append(" ...");
}

void append_reply(std::string& to, const ReplyTape& tape, size_t bytes_max) {
  size_t at = 0;
  append_record(to, tape, at, bytes_max);
}

}  // namespace ouro
