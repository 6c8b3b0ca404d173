// SPDX-License-Identifier: BSD-3-Clause
// Connection: moves the bytes of one Endpoint over one socket of a Loop. Knows no command.
//
//      kOpen ----> kDraining ----> kClosing ----> kShutting ----> kIdle
//        |  finishing, or the         ^   operations are    the descriptor      may be destroyed
//        |  peer sends no more:       |   cancelled         is being closed
//        |  only output is left       |
//        +----------------------------+   doomed, error, close()
//
// Receiving: one multishot receive feeds on_bytes during the turn. When the endpoint wants the rest
// of a large bulk (and enough of it is missing), the multishot receive is cancelled, what still
// arrives is copied to its place, and receive_into fills the rest. While the endpoint refuses input
// nothing is received; but a receive that is in flight is cancelled only when it brings more bytes
// meanwhile, since most clients that block send nothing until they are answered.
// Sending: at most one send is in flight; what is appended meanwhile leaves with the next one.
//
// The endpoint lives at least until ConnectionOwner::on_idle, and so does the memory of its out()
// and want(): the kernel may still read and write there after on_closed, which comes exactly once,
// whoever closed and why.
//
// Cost: about 300 bytes while idle, no buffer.
#pragma once

#include <string>

#include "datastructs/base/endpoint.h"
#include "server/io/loop.h"
#include "server/net/flush.h"

namespace ouro {

class Connection;

class ConnectionOwner {
 public:
  virtual ~ConnectionOwner() = default;
  // The socket is closed and nothing is in flight: the connection, and then its endpoint, may be
  // destroyed, even here.
  virtual void on_idle(Connection& connection) = 0;
};

// From this many missing bytes of a bulk on, switching to receive_into is worth its two extra
// operations.
inline constexpr size_t kFillBytesMin = 32_KiB;

class Connection final : private FlushLinks {
 public:
  enum class State : uint8_t { kOpen, kDraining, kClosing, kShutting, kIdle };

  // Takes the socket and begins to receive. The others outlive the connection.
  Connection(Loop& loop, FlushList& flush_list, SocketFd fd, Endpoint& endpoint,
             ConnectionOwner& owner);
  ~Connection();  // requires kIdle
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Something changed: output was appended, or the endpoint's state is another. Looked at by the
  // next flush_all(). Nothing once the connection is closing: whoever acts on the endpoint (another
  // client that kills it, say) need not know that it is.
  void touch() noexcept {
    if (state_ == State::kOpen || state_ == State::kDraining) flush_list_.touch(*this);
  }
  // Closes at once; out() is dropped. Not from inside a call of the endpoint (that returns kDoomed
  // instead).
  void close(ByteView why);

  State state() const noexcept { return state_; }
  SocketFd fd() const noexcept { return fd_; }
  Endpoint& endpoint() noexcept { return endpoint_; }
  const Endpoint& endpoint() const noexcept { return endpoint_; }
  // As CLIENT LIST shows them. A system call each; "?:0" once the peer is gone.
  std::string peer_text() const { return loop_.peer_address(fd_).text(); }
  std::string local_text() const;

 private:
  friend class FlushList;

  void flush();
  void on_received(const Outcome& outcome);
  void on_sent(const Outcome& outcome);
  void feed(ByteView bytes);
  void after_input();
  void receive_more();
  void send_more();
  SendEnd end_of(std::span<const ByteView> views) const;
  void note_sent(int32_t result);
  void close_when_unused();

  Loop& loop_;
  FlushList& flush_list_;
  Endpoint& endpoint_;
  ConnectionOwner& owner_;
  Op receiving_;
  Op sending_;  // the close, too
  SocketFd fd_;
  State state_ = State::kOpen;
  bool filling_ = false;  // receiving_ is a receive_into
};

}  // namespace ouro
