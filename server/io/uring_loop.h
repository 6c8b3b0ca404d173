// SPDX-License-Identifier: BSD-3-Clause
// UringLoop: a Loop over one io_uring. Single issuer with deferred task work, multishot accept and
// receive with provided buffers, one system call a turn that submits, runs the kernel's side and
// waits.
//
// A multishot operation that ended by itself (no buffer left, no room for completions) is started
// again at the beginning of the next turn; its owner does not notice. What found no buffer comes
// first.
//
// Bursts. A multishot receive empties the socket, so one fast sender would take all buffers of a
// turn and leave its owner with a megabyte to keep. Who sends much at once is therefore received
// from once a turn; who sends little, with one multishot receive.
//
// Quiet sends. A send makes a completion at once, so a turn that submitted one would not sleep but
// come back for it, and serve nothing: two turns a request. A small send that may end late is
// therefore made without waiting for room (MSG_DONTWAIT) and completes only if something was left
// over (IOSQE_CQE_SKIP_SUCCESS, Linux 5.17). When the kernel has taken all entries, each quiet send
// without a completion has sent everything: its end is told ahead of that turn's completions, so
// that what it held is given back before anything new is read.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "server/io/linger.h"
#include "server/io/system_loop.h"
#include "server/io/uring.h"

namespace ouro {

class UringLoop final : public SystemLoop {
 public:
  // Null, and a reason, if the system refuses.
  static std::unique_ptr<UringLoop> create(const UringOptions& options, std::string& why_not);
  ~UringLoop() override;

  ByteView name() const override { return "io_uring"; }
  void accept(Op& op, ListenFd fd) override;
  void connect(Op& op, const Address& address, const Address& source) override;
  void receive(Op& op, SocketFd fd) override;
  void receive_into(Op& op, SocketFd fd, std::span<char> room) override;
  int32_t send(Op& op, SocketFd fd, std::span<const ByteView> views, SendEnd end) override;
  void watch(Op& op, int descriptor) override;
  void cancel(Op& op) override;

  // Everything that may block goes to the ring, but for writes that are to end promptly.
  void open(Op& op, const char* path, OpenFor purpose) override;
  void read_at(Op& op, FileFd fd, std::span<char> room, uint64_t offset_bytes) override;
  int32_t write_at(Op& op, FileFd fd, ByteView bytes, uint64_t offset_bytes, WriteEnd end) override;
  void sync(Op& op, FileFd fd) override;
  void rename(Op& op, const char* from, const char* to) override;
  void unlink(Op& op, const char* path) override;
  void make_dir(Op& op, const char* path) override;
  void sync_dir(Op& op, const char* path) override;

  const Uring& uring() const noexcept { return *uring_; }

 private:
  explicit UringLoop(std::unique_ptr<Uring> uring);
  void turn(Millis wait_max, TurnKind turn_kind) override;
  void close_descriptor(Op& op, int descriptor) override;

  io_uring_sqe& start(Op& op, OpKind kind, int32_t descriptor);
  void* take_arguments(size_t bytes);
  msghdr* message_of(std::span<const ByteView> views);
  void arm(Op& op);
  void rearm(Op& op);
  void rearm_all();
  void on_completion(const io_uring_cqe& cqe);
  void on_received(Op& op, const io_uring_cqe& cqe);
  void on_accepted(Op& op, const io_uring_cqe& cqe);
  void add_quiet(Op& op, size_t bytes);
  void note_left_over(unsigned tail);
  void finish_quiet(uint64_t until);
  void await_room(Op& op);
  void end_soon(Op& op);
  void ask_to_cancel(Op& op);
  void note_ended(Op& op);
  void note_size(Op& op, size_t bytes, bool goes_on);
  void finish(Op& op, int32_t result);
  void submit_and_wait(Micros wait);
  // The operation brought something from outside.
  void note_arrival(Op& op) noexcept { linger_.note_arrival(op.loop.epoch); }

  std::unique_ptr<Uring> uring_;
  std::vector<Op*> ended_early_;  // accepts and receives to start again
  std::deque<Op*> starved_;       // the same, ahead of them: these found no buffer
  // sendmsg's arguments, read by the kernel when it takes the entry.
  std::unique_ptr<char[]> arguments_;
  size_t arguments_used_ = 0;

  // Asked to end and not over yet. A request that is just being issued is not found by a cancel, so
  // these are asked again every turn.
  std::vector<Op*> cancelling_;
  Linger linger_;
  unsigned sends_pending_ = 0;  // started since the last turn; almost all end when submitted
  Op* quiet_head_ = nullptr;    // quiet sends in the order in which they were started
  Op* quiet_tail_ = nullptr;
  uint64_t quiet_started_ = 0;  // how many, ever
  uint64_t quiet_finished_ = 0;
};

}  // namespace ouro
