// SPDX-License-Identifier: BSD-3-Clause
// RespReply: a Reply as RESP2 or RESP3 bytes at the end of a client's output.
#pragma once

#include "datastructs/base/out_buffer.h"
#include "server/engine/reply.h"

namespace ouro {

class RespReply final : public Reply {
 public:
  RespReply(OutBuffer& out, bool resp3) : out_(out), resp3_(resp3) {}

  bool is_resp3() const override { return resp3_; }
  void simple(ByteView text) override;
  void error(ByteView text) override;
  void integer(int64_t value) override;
  void bulk(ByteView bytes) override;
  void blob(Blob* blob, ByteView part) override;
  void null() override;
  void null_array() override;
  void array(size_t count) override;
  void map(size_t pairs) override;
  void set(size_t count) override;
  void push(size_t count) override;
  void attribute(size_t pairs) override;
  void real(double value) override;
  void boolean(bool value) override;
  void big_number(ByteView digits) override;
  void verbatim(ByteView format, ByteView text) override;
  Mark begin() override;
  void end_array(Mark mark, size_t count) override;
  void end_map(Mark mark, size_t pairs) override;
  void end_set(Mark mark, size_t count) override;

 private:
  OutBuffer& out_;
  bool resp3_;
};

}  // namespace ouro
