// SPDX-License-Identifier: BSD-3-Clause
// RespReply: a Reply as RESP2 or RESP3 bytes at the end of a client's output.
#pragma once

#include <array>

#include "datastructs/base/check.h"
#include "datastructs/codec/resp_writer.h"
#include "server/engine/reply.h"

namespace ouro {

class RespReply final : public Reply {
 public:
  RespReply(OutBuffer& out, bool resp3) : writer_(out) { writer_.set_resp3(resp3); }

  bool is_resp3() const override { return writer_.is_resp3(); }
  void simple(ByteView text) override { writer_.simple(text); }
  void error(ByteView text) override { writer_.error(text); }
  void integer(int64_t value) override { writer_.integer(value); }
  void bulk(ByteView bytes) override { writer_.bulk(bytes); }
  void blob(Blob* blob, ByteView part) override { writer_.blob(blob, part); }
  void null() override { writer_.null(); }
  void null_array() override { writer_.null_array(); }
  void array(size_t count) override { writer_.array(count); }
  void map(size_t pairs) override { writer_.map(pairs); }
  void set(size_t count) override { writer_.set(count); }
  void push(size_t count) override { writer_.push(count); }
  void attribute(size_t pairs) override { writer_.attribute(pairs); }
  void real(double value) override { writer_.real(value); }
  void decimal(double value) override { writer_.decimal(value); }
  void boolean(bool value) override { writer_.boolean(value); }
  void big_number(ByteView digits) override { writer_.big_number(digits); }
  void verbatim(ByteView format, ByteView text) override { writer_.verbatim(format, text); }

  Mark begin() override {
    CHECK(depth_ < kDepthMax);
    open_[depth_] = writer_.begin();
    return depth_++;
  }
  void end_array(Mark mark, size_t count) override { writer_.end_array(close(mark), count); }
  void end_map(Mark mark, size_t pairs) override { writer_.end_map(close(mark), pairs); }
  void end_set(Mark mark, size_t count) override { writer_.end_set(close(mark), count); }

 private:
  // No reply of any command nests deeper.
  static constexpr size_t kDepthMax = 8;

  // Inner aggregates are ended first.
  OutBuffer::Position close(Mark mark) {
    CHECK(mark + 1 == depth_);
    return open_[--depth_];
  }

  RespWriter writer_;
  std::array<OutBuffer::Position, kDepthMax> open_;
  size_t depth_ = 0;
};

}  // namespace ouro
