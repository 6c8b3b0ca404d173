// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/reply_tape.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

constexpr ByteView kTooLarge = "ERR The reply is larger than the memory that the script has left";

}  // namespace

void ReplyTape::begin_reply(bool resp3, size_t bytes_max) {
  bytes_.clear();
  bytes_max_ = bytes_max;
  resp3_ = resp3;
  is_cut_ = false;
}

void ReplyTape::drop() { bytes_ = std::vector<char, HeapAllocator<char>>(bytes_.get_allocator()); }

// False when what comes is to be dropped.
bool ReplyTape::grow(size_t wanted) {
  if (is_cut_) return false;
  if (wanted > bytes_max_) {
    cut();
    return false;
  }
  bytes_.reserve(std::min(std::max(wanted, 2 * bytes_.capacity()), bytes_max_));
  return true;
}

void ReplyTape::cut() {
  drop();
  bytes_max_ = kHeadBytes + kTooLarge.size();
  error(kTooLarge);
  is_cut_ = true;
}

void ReplyTape::add(Kind kind, uint64_t number) {
  if (!has_room(kHeadBytes)) return;
  put_head(kind, number);
}

void ReplyTape::add(Kind kind, ByteView bytes) {
  if (!has_room(kHeadBytes + bytes.size())) return;
  put_head(kind, bytes.size());
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void ReplyTape::put_head(Kind kind, uint64_t number) {
  const size_t at = bytes_.size();
  bytes_.resize(at + kHeadBytes);
  bytes_[at] = static_cast<char>(kind);
  std::memcpy(&bytes_[at + 1], &number, sizeof(number));
}

void ReplyTape::blob(Blob*, ByteView part) { bulk(part); }

void ReplyTape::map(size_t pairs) {
  resp3_ ? add(Kind::kMap, uint64_t{pairs}) : add(Kind::kArray, uint64_t{pairs} * 2);
}

void ReplyTape::real(double value) {
  if (resp3_) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(bits));
    return add(Kind::kReal, bits);
  }
  char text[kDoubleTextMax];
  bulk({text, format_double(value, text)});
}

void ReplyTape::boolean(bool value) {
  if (!resp3_) return integer(value ? 1 : 0);
  add(value ? Kind::kTrue : Kind::kFalse, uint64_t{0});
}

void ReplyTape::big_number(ByteView digits) {
  resp3_ ? add(Kind::kBigNumber, digits) : bulk(digits);
}

void ReplyTape::verbatim(ByteView format, ByteView text) {
  if (!resp3_) return bulk(text);
  const size_t bytes = format.size() + text.size();
  if (!has_room(kHeadBytes + bytes)) return;
  put_head(Kind::kVerbatim, bytes);
  bytes_.insert(bytes_.end(), format.begin(), format.end());
  bytes_.insert(bytes_.end(), text.begin(), text.end());
}

Reply::Mark ReplyTape::begin() {
  const Mark mark = bytes_.size();
  add(Kind::kArray, uint64_t{0});
  return mark;
}

void ReplyTape::end(Mark mark, Kind kind, uint64_t number) {
  if (is_cut_) return;
  bytes_[mark] = static_cast<char>(kind);
  std::memcpy(&bytes_[mark + 1], &number, sizeof(number));
}

void ReplyTape::end_map(Mark mark, size_t pairs) {
  resp3_ ? end(mark, Kind::kMap, pairs) : end(mark, Kind::kArray, uint64_t{pairs} * 2);
}

void ReplyTape::end_set(Mark mark, size_t count) {
  end(mark, resp3_ ? Kind::kSet : Kind::kArray, count);
}

ReplyTape::Record ReplyTape::take(size_t& at) const {
  CHECK(bytes_.size() - at >= kHeadBytes);
  Record record{.kind = kind_at(at), .number = 0, .bytes = {}};
  std::memcpy(&record.number, &bytes_[at + 1], sizeof(record.number));
  at += kHeadBytes;
  switch (record.kind) {
    case Kind::kStatus:
    case Kind::kError:
    case Kind::kString:
    case Kind::kBigNumber:
    case Kind::kVerbatim:
      record.bytes = ByteView(bytes_.data(), bytes_.size()).substr(at, record.number);
      at += record.number;
      break;
    default:
      break;
  }
  return record;
}

double ReplyTape::Record::real() const {
  double value = 0;
  std::memcpy(&value, &number, sizeof(value));
  return value;
}

void ReplyTape::push_value(lua_State* lua) const {
  size_t at = 0;
  push_at(lua, at);
  CHECK(at == bytes_.size());
}

void ReplyTape::push_at(lua_State* lua, size_t& at) const {
  luaL_checkstack(lua, 5, "in a reply");
  const Record record = take(at);
  const auto push_named = [&](ByteView name) {
    lua_createtable(lua, 0, 1);
    lua_insert(lua, -2);
    set_field(lua, -2, name);
  };
  switch (record.kind) {
    case Kind::kStatus:
      push_bytes(lua, record.bytes);
      return push_named("ok");
    case Kind::kError:
      return push_error(lua, record.bytes, is_cut_ ? Counted::kNo : Counted::kYes);
    case Kind::kInteger:
      return lua_pushnumber(lua, static_cast<double>(static_cast<int64_t>(record.number)));
    case Kind::kString:
      return push_bytes(lua, record.bytes);
    case Kind::kNil:
      return lua_pushnil(lua);
    case Kind::kFalse:
    case Kind::kTrue:
      return lua_pushboolean(lua, record.kind == Kind::kTrue ? 1 : 0);
    case Kind::kReal:
      lua_pushnumber(lua, record.real());
      return push_named("double");
    case Kind::kBigNumber:
      push_bytes(lua, record.bytes);
      return push_named("big_number");
    case Kind::kVerbatim:
      lua_createtable(lua, 0, 2);
      push_bytes(lua, record.bytes.substr(3));
      set_field(lua, -2, "string");
      push_bytes(lua, record.bytes.substr(0, 3));
      set_field(lua, -2, "format");
      return push_named("verbatim_string");
    case Kind::kArray:
      return push_elements(lua, record.number, at);
    case Kind::kMap:
      push_pairs(lua, record.number, at);
      return push_named("map");
    case Kind::kSet:
      push_members(lua, record.number, at);
      return push_named("set");
    case Kind::kAttribute:
      // Says something about the value behind it, which scripts do not see.
      push_pairs(lua, record.number, at);
      lua_pop(lua, 1);
      return push_at(lua, at);
  }
  OURO_UNREACHABLE();
}

void ReplyTape::push_elements(lua_State* lua, uint64_t count, size_t& at) const {
  lua_createtable(lua, static_cast<int>(count), 0);
  for (uint64_t i = 1; i <= count; ++i) {
    push_at(lua, at);
    lua_rawseti(lua, -2, static_cast<int>(i));
  }
}

void ReplyTape::push_pairs(lua_State* lua, uint64_t pairs, size_t& at) const {
  lua_createtable(lua, 0, static_cast<int>(pairs));
  for (uint64_t i = 0; i < pairs; ++i) {
    push_at(lua, at);
    push_at(lua, at);
    lua_rawset(lua, -3);
  }
}

void ReplyTape::push_members(lua_State* lua, uint64_t count, size_t& at) const {
  lua_createtable(lua, 0, static_cast<int>(count));
  for (uint64_t i = 0; i < count; ++i) {
    push_at(lua, at);
    lua_pushboolean(lua, 1);
    lua_rawset(lua, -3);
  }
}

void push_error(lua_State* lua, ByteView text, Counted counted) {
  lua_createtable(lua, 0, counted == Counted::kYes ? 2 : 1);
  push_bytes(lua, text);
  set_field(lua, -2, "err");
  if (counted == Counted::kNo) return;
  lua_pushboolean(lua, 1);
  set_field(lua, -2, "ignore_error_stats_update");
}

}  // namespace ouro
