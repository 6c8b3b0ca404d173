// SPDX-License-Identifier: BSD-3-Clause
// Endpoint: a protocol without its socket. It is fed bytes and asked for bytes; server/net's
// Connection moves them. Client sessions, replication feeds and followers, cluster and sentinel
// peers are all Endpoints, so each of them runs unchanged over io_uring, epoll, the simulated
// world, or a test that calls it by hand.
//
// Contract with Connection:
//   on_bytes    as bytes arrive. The view stays valid until the end of the turn, so commands may
//               point into it; what is needed longer is copied by the endpoint. All bytes are
//               taken; state() says whether more may come.
//   want        non-empty while the rest of a large bulk should be received straight into its
//               place; on_filled(n) tells that n bytes were written at its front. While it is
//               non-empty no on_bytes comes.
//   out         bytes for the peer. Connection flushes it once a turn.
//   state       asked after each call and each flush.
//   on_closed   exactly once, whoever closed. The endpoint's memory, that of out() and want() too,
//               stays until its owner is told that the connection is idle: the kernel may still
//               be reading or writing there.
// Nothing here is called from inside another call of the same endpoint.
#pragma once

#include <cstdint>
#include <span>

#include "datastructs/base/out_buffer.h"
#include "datastructs/base/units.h"

namespace ouro {

enum class EndpointState : uint8_t {
  kOpen,        // receive and send
  kNotReading,  // send only: blocked, paused, or its output is over the limit
  kFinishing,   // send what is in out(), then close
  kDoomed,      // close at once, out() is dropped
};

class Endpoint {
 public:
  virtual ~Endpoint() = default;

  virtual void on_bytes(ByteView bytes) = 0;
  virtual std::span<char> want() { return {}; }
  virtual void on_filled(size_t bytes) { (void)bytes; }
  // The peer or the network is gone; `why` is for the log. The endpoint is not called again.
  virtual void on_closed(ByteView why) = 0;

  virtual EndpointState state() const = 0;
  // Input was taken that is still to be acted on. A peer that sends no more is not closed before.
  virtual bool has_work() const { return false; }
  virtual OutBuffer& out() = 0;
  // More is to be said as soon as out() has left, so the end of a send must be told at once.
  virtual bool has_more() const { return false; }
  // Bytes of out() marked with a higher offset stay back.
  virtual uint64_t released() const { return kReleaseAll; }
};

}  // namespace ouro
