// SPDX-License-Identifier: BSD-3-Clause
// EpollLoop: readiness made to look like completion. For kernels and containers without io_uring.
//
// Each descriptor is registered once, edge-triggered for both directions, and keeps what the edges
// said in its cell: after that, no call of epoll_ctl. A receive reads into the turn's arena:
//
//      arena  [conn 7 | conn 3 | conn 12 | ........ free ........]    starts anew at each run_once
//
// Messages lie densely in memory that stays warm, whatever the number of connections. When the
// arena is full, the rest of the readable sockets wait for the next turn. send() tries at once; it
// is in flight only while the socket is full.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "server/io/system_loop.h"

struct epoll_event;

namespace ouro {

class EpollLoop final : public SystemLoop {
 public:
  // Null, and a reason, if the system refuses.
  static std::unique_ptr<EpollLoop> create(std::string& why_not);
  ~EpollLoop() override;

  ByteView name() const override { return "epoll"; }
  void accept(Op& op, ListenFd fd) override;
  void connect(Op& op, const Address& address, const Address& source) override;
  void receive(Op& op, SocketFd fd) override;
  void receive_into(Op& op, SocketFd fd, std::span<char> room) override;
  int32_t send(Op& op, SocketFd fd, std::span<const ByteView> views, SendEnd end) override;
  void watch(Op& op, int descriptor) override;
  void cancel(Op& op) override;

 private:
  // What is known of one descriptor. Cells are never removed, so their number is the highest
  // descriptor seen.
  struct Cell {
    Op* reader = nullptr;  // accept, receive, receive_into or watch
    Op* writer = nullptr;  // send or connect
    // Counts closes, so that an event of a closed descriptor is known as such.
    uint32_t generation = 0;
    bool registered = false;
    bool readable = false;  // since the last edge no read has said EAGAIN
    bool ended = false;     // the peer closed: a short read is not the last
    bool listed = false;    // in ready_
  };

  explicit EpollLoop(int epoll_fd);
  void turn(Millis wait_max, TurnKind turn_kind) override;
  void close_descriptor(Op& op, int descriptor) override;

  Cell& cell_of(int descriptor);
  void start_reader(Op& op, OpKind kind, int descriptor);
  // Registers the descriptor at its first use. 0 or -errno.
  int registered(int descriptor);
  void list_ready(int descriptor);
  int wait_for(epoll_event* events, Micros wait);
  void on_event(uint64_t key, uint32_t events);
  void serve_ready();
  void serve_reader(int descriptor);
  void serve_accept(int descriptor);
  void serve_receive(int descriptor);
  void serve_receive_into(int descriptor);
  bool is_not_yet(int descriptor, int32_t count);
  void serve_writer(int descriptor);
  void finish_reader(int descriptor, int32_t result);

  int epoll_fd_;
  std::vector<Cell> cells_;  // by descriptor
  std::deque<int> ready_;    // readable descriptors with a reader, to be served
  std::unique_ptr<char[]> arena_;
  size_t arena_used_ = 0;
  size_t arena_kept_ = 0;  // of it, by the outer turn
  bool is_nested_ = false;
};

}  // namespace ouro
