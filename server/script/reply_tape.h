// SPDX-License-Identifier: BSD-3-Clause
// ReplyTape: the reply of a command that a script calls, kept until the command is over and then
// made into a value of Lua.
//
//      command  ->  [kind | number | bytes ...] [kind | number | ...] ...  ->  push_value()
//
// In between, since making a value of Lua may raise an error, which must not leap over the frames
// of the executor and of a handler. Shapes are those of Redis's scripts: with RESP2 an absent
// value is false, a map an array of keys and values, a double a string; with RESP3 (redis.setresp)
// absent is nil and the others are tables with one named field, {map = {...}}.
//
// Bounded by what the caller has left for the value. A reply that is larger turns into an error
// while it is being made, and what the command still answers is dropped.
#pragma once

#include <vector>

#include "datastructs/base/memory.h"
#include "server/engine/reply.h"
#include "server/script/lua.h"

namespace ouro {

class ReplyTape final : public Reply {
 public:
  explicit ReplyTape(Heap& heap) : bytes_(HeapAllocator<char>(heap)) {}

  // Forgets the reply before. While it grows, one of `bytes_max` takes up to as much again.
  void begin_reply(bool resp3, size_t bytes_max);
  // The reply is needed no more: what a large one took goes back.
  void release() {
    if (bytes_.capacity() > kKeptBytesMax) [[unlikely]]
      drop();
  }
  bool is_error() const { return kind_at(0) == Kind::kError; }
  // Pushes the whole reply. Raises when memory is short.
  void push_value(lua_State* lua) const;

  bool is_resp3() const override { return resp3_; }
  void simple(ByteView text) override { add(Kind::kStatus, text); }
  void error(ByteView text) override { add(Kind::kError, text); }
  void integer(int64_t value) override { add(Kind::kInteger, static_cast<uint64_t>(value)); }
  void bulk(ByteView bytes) override { add(Kind::kString, bytes); }
  void blob(Blob* blob, ByteView part) override;
  void null() override { add(resp3_ ? Kind::kNil : Kind::kFalse, uint64_t{0}); }
  void null_array() override { null(); }
  void array(size_t count) override { add(Kind::kArray, count); }
  void map(size_t pairs) override;
  void set(size_t count) override { add(resp3_ ? Kind::kSet : Kind::kArray, count); }
  void push(size_t count) override { array(count); }
  void attribute(size_t pairs) override { add(Kind::kAttribute, pairs); }
  void real(double value) override;
  void boolean(bool value) override;
  void big_number(ByteView digits) override;
  void verbatim(ByteView format, ByteView text) override;
  Mark begin() override;
  void end_array(Mark mark, size_t count) override { end(mark, Kind::kArray, count); }
  void end_map(Mark mark, size_t pairs) override;
  void end_set(Mark mark, size_t count) override;

  // ---- read record by record, by who wants no value of Lua (debug_values.h)
  enum class Kind : char {
    kStatus,
    kError,
    kInteger,
    kString,
    kNil,
    kFalse,
    kTrue,
    kReal,
    kBigNumber,
    kVerbatim,  // the bytes are the format's three letters and the text
    kArray,
    kMap,
    kSet,
    kAttribute,
  };
  // The number is a size of bytes that follow, a count, or the value.
  struct Record {
    Kind kind;
    uint64_t number;
    ByteView bytes;
    double real() const;  // of kReal
  };
  // The record at `at`, which moves behind it: for arrays and their like to the first element.
  Record take(size_t& at) const;

 private:
  static constexpr size_t kHeadBytes = 1 + sizeof(uint64_t);
  // Most replies are smaller: the next one finds its room.
  static constexpr size_t kKeptBytesMax = 64_KiB;

  bool has_room(size_t bytes) {
    const size_t wanted = bytes_.size() + bytes;
    return wanted <= bytes_.capacity() ? !is_cut_ : grow(wanted);
  }
  bool grow(size_t wanted);
  void cut();
  void drop();
  void add(Kind kind, uint64_t number);
  void add(Kind kind, ByteView bytes);
  void put_head(Kind kind, uint64_t number);
  void end(Mark mark, Kind kind, uint64_t number);
  Kind kind_at(size_t at) const { return static_cast<Kind>(bytes_[at]); }
  void push_at(lua_State* lua, size_t& at) const;
  void push_elements(lua_State* lua, uint64_t count, size_t& at) const;
  void push_pairs(lua_State* lua, uint64_t pairs, size_t& at) const;
  void push_members(lua_State* lua, uint64_t count, size_t& at) const;

  std::vector<char, HeapAllocator<char>> bytes_;
  size_t bytes_max_ = 0;
  bool resp3_ = false;
  bool is_cut_ = false;  // the reply was too large; there is an error in its place
};

// {err = text}: how scripts know an error. kYes: the statistics know it already.
enum class Counted : uint8_t { kNo, kYes };
void push_error(lua_State* lua, ByteView text, Counted counted);

}  // namespace ouro
