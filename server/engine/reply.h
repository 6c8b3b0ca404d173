// SPDX-License-Identifier: BSD-3-Clause
// Reply: where a handler writes its one answer. Elements are written in order; an aggregate's
// header comes first and says how many elements follow, or begin() and end_...() are used when the
// count is known only afterwards.
//
// Sinks: RespReply (a client's connection, RESP2 or RESP3), ValueReply (a value tree for the
// embedded API and scripts), NullReply (replay). Handlers write RESP3's types; RespReply turns them
// into what RESP2 has, as Redis does: a map becomes a flat array, a double a bulk string, a boolean
// 1 or 0, a set or push an array, a verbatim string a bulk.
#pragma once

#include <cstdint>

#include "datastructs/base/blob.h"
#include "datastructs/base/units.h"

namespace ouro {

class Reply {
 public:
  virtual ~Reply() = default;

  // True when the peer reads RESP3; few handlers need to know (where Redis's shapes differ beyond
  // the types).
  virtual bool is_resp3() const = 0;

  virtual void simple(ByteView text) = 0;  // +text
  virtual void error(ByteView text) = 0;   // -text; begins with its code: "ERR ..."
  virtual void integer(int64_t value) = 0;
  virtual void bulk(ByteView bytes) = 0;
  // A bulk whose bytes are (part of) a stored blob: sent from where they are.
  virtual void blob(Blob* blob, ByteView part) = 0;
  virtual void null() = 0;        // RESP2 $-1, RESP3 _
  virtual void null_array() = 0;  // RESP2 *-1, RESP3 _
  virtual void array(size_t count) = 0;
  virtual void map(size_t pairs) = 0;
  virtual void set(size_t count) = 0;
  virtual void push(size_t count) = 0;
  virtual void attribute(size_t pairs) = 0;
  virtual void real(double value) = 0;
  // A double without an exponent, as GEOPOS answers coordinates.
  virtual void decimal(double value) { real(value); }
  virtual void boolean(bool value) = 0;
  virtual void big_number(ByteView digits) = 0;
  virtual void verbatim(ByteView format, ByteView text) = 0;  // format is three letters: "txt"

  // A place to put an aggregate's header later; they nest.
  using Mark = uint64_t;
  virtual Mark begin() = 0;
  virtual void end_array(Mark mark, size_t count) = 0;
  virtual void end_map(Mark mark, size_t pairs) = 0;
  virtual void end_set(Mark mark, size_t count) = 0;

  void ok() { simple("OK"); }
};

// Swallows everything: replay, CLIENT REPLY OFF.
class NullReply : public Reply {
 public:
  bool is_resp3() const override { return false; }
  void simple(ByteView) override {}
  void error(ByteView) override {}
  void integer(int64_t) override {}
  void bulk(ByteView) override {}
  void blob(Blob*, ByteView) override {}
  void null() override {}
  void null_array() override {}
  void array(size_t) override {}
  void map(size_t) override {}
  void set(size_t) override {}
  void push(size_t) override {}
  void attribute(size_t) override {}
  void real(double) override {}
  void boolean(bool) override {}
  void big_number(ByteView) override {}
  void verbatim(ByteView, ByteView) override {}
  Mark begin() override { return 0; }
  void end_array(Mark, size_t) override {}
  void end_map(Mark, size_t) override {}
  void end_set(Mark, size_t) override {}
};

}  // namespace ouro
