// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/uring_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "server/io/clock.h"

namespace ouro {
namespace {

constexpr size_t kArgumentBytes = 64_KiB;
// Of each kind of address, and what follows is aligned.
constexpr size_t kAddressBytes = sizeof(sockaddr_storage);
static_assert(kAddressBytes % alignof(msghdr) == 0);
constexpr unsigned long kTimerSlackNanos = 1000;
constexpr Micros kCancelAgain = 1000;

// From this size on a receive is a burst: see uring_loop.h. The most that one receive takes then,
// and how many shorter ones make a sender an ordinary one.
constexpr size_t kBurstBytes = 16_KiB;
constexpr size_t kReceiveBytesMax = 64_KiB;
// Of one operation: the ring's length has 32 bits. What is left follows in another.
constexpr size_t kOpBytesMax = 1_GiB;
constexpr uint8_t kShortReceives = 8;

// As many receives as find buffers in a turn. Thousands that wait for one would each cost an entry
// and a completion, turn after turn.
constexpr size_t kStarvedATurn = 64;

// A larger send may well find no room for all of it; then waiting for the rest in the kernel is
// cheaper.
constexpr size_t kQuietBytesMax = 16_KiB;

size_t bytes_of(std::span<const ByteView> views) {
  size_t bytes = 0;
  for (const ByteView view : views) bytes += view.size();
  return bytes;
}

uint64_t data_of(Op& op) { return reinterpret_cast<uint64_t>(&op); }

}  // namespace

std::unique_ptr<UringLoop> UringLoop::create(const UringOptions& options, std::string& why_not) {
  auto uring = Uring::create(options, why_not);
  if (uring == nullptr) return nullptr;
  return std::unique_ptr<UringLoop>(new UringLoop(std::move(uring)));
}

UringLoop::UringLoop(std::unique_ptr<Uring> uring)
    : uring_(std::move(uring)), arguments_(std::make_unique_for_overwrite<char[]>(kArgumentBytes)) {
  // Lingering ends when it says, not up to 50 us later.
  (void)::prctl(PR_SET_TIMERSLACK, kTimerSlackNanos);
}

UringLoop::~UringLoop() = default;

io_uring_sqe& UringLoop::start(Op& op, OpKind kind, int32_t descriptor) {
  begin(op, kind, descriptor);
  io_uring_sqe& sqe = uring_->next_sqe();
  sqe.user_data = data_of(op);
  return sqe;
}

// accept() and receive(), which go on.
void UringLoop::arm(Op& op) {
  io_uring_sqe& sqe = uring_->next_sqe();
  sqe.user_data = data_of(op);
  if (op.loop.kind == OpKind::kAccept) {
    io_uring_prep_multishot_accept(&sqe, op.loop.descriptor, nullptr, nullptr, SOCK_CLOEXEC);
    return;
  }
  if (op.loop.short_receives == kShortReceives) {
    io_uring_prep_recv_multishot(&sqe, op.loop.descriptor, nullptr, 0, 0);
  } else {
    io_uring_prep_recv(&sqe, op.loop.descriptor, nullptr, kReceiveBytesMax, 0);
  }
  sqe.flags |= IOSQE_BUFFER_SELECT;
  sqe.buf_group = Uring::kBufferGroup;
}

void UringLoop::accept(Op& op, ListenFd fd) {
  begin(op, OpKind::kAccept, fd.number);
  arm(op);
}

void UringLoop::receive(Op& op, SocketFd fd) {
  begin(op, OpKind::kReceive, fd.number);
  arm(op);
}

void UringLoop::receive_into(Op& op, SocketFd fd, std::span<char> room) {
  CHECK(!room.empty());
  io_uring_sqe& sqe = start(op, OpKind::kReceiveInto, fd.number);
  io_uring_prep_recv(&sqe, fd.number, room.data(), std::min(room.size(), kOpBytesMax), 0);
}

int32_t UringLoop::send(Op& op, SocketFd fd, std::span<const ByteView> views, SendEnd end) {
  CHECK(!views.empty() && views.size() <= kSendViewsMax);
  msghdr* const message = views.size() == 1 ? nullptr : message_of(views);
  if (message == nullptr) views = views.first(1);
  const size_t bytes = bytes_of(views);
  const bool quiet =
      end == SendEnd::kMayBeLate && bytes <= kQuietBytesMax && uring_->skips_successes();
  const int flags = MSG_NOSIGNAL | (quiet ? MSG_DONTWAIT | MSG_WAITALL : 0);
  io_uring_sqe& sqe = start(op, OpKind::kSend, fd.number);
  if (message == nullptr) {
    io_uring_prep_send(&sqe, fd.number, views[0].data(), std::min(bytes, kOpBytesMax), flags);
  } else {
    io_uring_prep_sendmsg(&sqe, fd.number, message, static_cast<unsigned>(flags));
  }
  if (quiet) {
    sqe.flags |= IOSQE_CQE_SKIP_SUCCESS;
    add_quiet(op, bytes);
  } else {
    ++sends_pending_;
  }
  return kInFlight;
}

// Room for what an entry points at, until the kernel has taken all entries that there are. Null: it
// has not taken those whose arguments fill the room.
void* UringLoop::take_arguments(size_t bytes) {
  if (arguments_used_ + bytes > kArgumentBytes) {
    uring_->submit_and_wait(0, 0);
    if (!uring_->has_submitted_all()) return nullptr;
    arguments_used_ = 0;
  }
  return arguments_.get() + std::exchange(arguments_used_, arguments_used_ + bytes);
}

msghdr* UringLoop::message_of(std::span<const ByteView> views) {
  void* const room = take_arguments(sizeof(msghdr) + views.size() * sizeof(iovec));
  if (room == nullptr) return nullptr;
  msghdr* const message = new (room) msghdr{};
  iovec* const parts = reinterpret_cast<iovec*>(message + 1);
  for (size_t i = 0; i < views.size(); ++i) {
    parts[i] = {const_cast<char*>(views[i].data()), views[i].size()};
  }
  message->msg_iov = parts;
  message->msg_iovlen = views.size();
  return message;
}

void UringLoop::add_quiet(Op& op, size_t bytes) {
  op.loop.quiet = true;
  op.loop.result = static_cast<int32_t>(bytes);
  op.loop.next = nullptr;
  (quiet_head_ == nullptr ? quiet_head_ : quiet_tail_->loop.next) = &op;
  quiet_tail_ = &op;
  ++quiet_started_;
}

// Takes the completions of quiet sends out of those before `tail`.
void UringLoop::note_left_over(unsigned tail) {
  uring_->pick_cqes(tail, [](const io_uring_cqe& cqe) {
    if (cqe.flags != 0 || cqe.user_data == 0) return false;  // a send's has no flags
    Op& op = *reinterpret_cast<Op*>(cqe.user_data);
    if (op.loop.kind != OpKind::kSend || !op.loop.quiet) return false;
    op.loop.result = cqe.res;
    return true;
  });
}

// Ends the quiet sends that were started before the count was `until`. A callback may start others,
// or run a nested turn that ends these.
void UringLoop::finish_quiet(uint64_t until) {
  while (quiet_finished_ < until) {
    Op& op = *quiet_head_;
    quiet_head_ = op.loop.next;
    ++quiet_finished_;
    op.loop.quiet = false;
    if (op.loop.result == -EAGAIN) {
      await_room(op);
    } else {
      finish(op, op.loop.result);
    }
  }
}

void UringLoop::await_room(Op& op) {
  if (op.loop.cancelled) return finish(op, -ECANCELED);
  op.loop.kind = OpKind::kSendWait;
  io_uring_sqe& sqe = uring_->next_sqe();
  io_uring_prep_poll_add(&sqe, op.loop.descriptor, POLLOUT);
  sqe.user_data = data_of(op);
}

void UringLoop::connect(Op& op, const Address& address, const Address& source) {
  begin(op, OpKind::kConnect, -1);
  const int fd = new_connector(address, source);
  if (fd < 0) return finish_later(op, fd);
  op.loop.descriptor = fd;
  // The address is only borrowed for this call.
  void* const copy = take_arguments(kAddressBytes);
  if (copy == nullptr) {
    ::close(fd);
    return finish_later(op, -EAGAIN);
  }
  std::memcpy(copy, address.raw(), address.size_bytes());
  io_uring_sqe& sqe = uring_->next_sqe();
  io_uring_prep_connect(&sqe, fd, static_cast<const sockaddr*>(copy), address.size_bytes());
  sqe.user_data = data_of(op);
}

void UringLoop::watch(Op& op, int descriptor) {
  io_uring_sqe& sqe = start(op, OpKind::kWatch, descriptor);
  io_uring_prep_poll_add(&sqe, descriptor, POLLIN);
}

void UringLoop::cancel(Op& op) {
  if (!op.busy() || op.loop.queued || op.loop.cancelled) return;
  op.loop.cancelled = true;
  if (op.loop.quiet) return;  // it ends by itself
  if (!op.loop.restarting) end_soon(op);
}

void UringLoop::end_soon(Op& op) {
  op.loop.cancel_index = static_cast<uint32_t>(cancelling_.size());
  cancelling_.push_back(&op);
  ask_to_cancel(op);
}

void UringLoop::ask_to_cancel(Op& op) {
  io_uring_sqe& sqe = uring_->next_sqe();
  io_uring_prep_cancel64(&sqe, data_of(op), 0);
  sqe.user_data = 0;  // nobody waits for its own completion
}

void UringLoop::note_ended(Op& op) {
  op.loop.restarting = false;
  const uint32_t index = std::exchange(op.loop.cancel_index, Op::kNotListed);
  if (index == Op::kNotListed) return;
  // The last one takes its place: thousands may end at once.
  Op* const last = cancelling_.back();
  cancelling_.pop_back();
  if (last == &op) return;
  last->loop.cancel_index = index;
  cancelling_[index] = last;
}

// The one end of operations of the ring.
void UringLoop::finish(Op& op, int32_t result) {
  note_ended(op);
  op.finish({.result = result, .more = false, .bytes = {}});
}

void UringLoop::open(Op& op, const char* path, OpenFor purpose) {
  io_uring_sqe& sqe = start(op, OpKind::kFile, -1);
  io_uring_prep_openat(&sqe, AT_FDCWD, path, open_flags(purpose), kFileMode);
}

void UringLoop::read_at(Op& op, FileFd fd, std::span<char> room, uint64_t offset_bytes) {
  io_uring_sqe& sqe = start(op, OpKind::kFile, fd.number);
  const unsigned bytes = static_cast<unsigned>(std::min<size_t>(room.size(), INT32_MAX));
  io_uring_prep_read(&sqe, fd.number, room.data(), bytes, offset_bytes);
}

int32_t UringLoop::write_at(Op& op, FileFd fd, ByteView bytes, uint64_t offset_bytes,
                            WriteEnd end) {
  if (end == WriteEnd::kPrompt) return SystemLoop::write_at(op, fd, bytes, offset_bytes, end);
  io_uring_sqe& sqe = start(op, OpKind::kFile, fd.number);
  const unsigned count = static_cast<unsigned>(std::min<size_t>(bytes.size(), INT32_MAX));
  io_uring_prep_write(&sqe, fd.number, bytes.data(), count, offset_bytes);
  return kInFlight;
}

void UringLoop::sync(Op& op, FileFd fd) {
  io_uring_sqe& sqe = start(op, OpKind::kFile, fd.number);
  io_uring_prep_fsync(&sqe, fd.number, IORING_FSYNC_DATASYNC);
}

void UringLoop::rename(Op& op, const char* from, const char* to) {
  io_uring_sqe& sqe = start(op, OpKind::kFile, -1);
  io_uring_prep_renameat(&sqe, AT_FDCWD, from, AT_FDCWD, to, 0);
}

void UringLoop::unlink(Op& op, const char* path) {
  io_uring_sqe& sqe = start(op, OpKind::kFile, -1);
  io_uring_prep_unlinkat(&sqe, AT_FDCWD, path, 0);
}

void UringLoop::make_dir(Op& op, const char* path) {
  io_uring_sqe& sqe = start(op, OpKind::kFile, -1);
  io_uring_prep_mkdirat(&sqe, AT_FDCWD, path, kDirMode);
}

void UringLoop::sync_dir(Op& op, const char* path) {
  const int32_t fd = open_dir(path);
  if (fd < 0) {
    begin(op, OpKind::kFile, -1);
    return finish_later(op, fd);
  }
  io_uring_sqe& sqe = start(op, OpKind::kSyncDir, fd);
  io_uring_prep_fsync(&sqe, fd, 0);
}

void UringLoop::close_descriptor(Op& op, int descriptor) {
  io_uring_sqe& sqe = start(op, OpKind::kFile, descriptor);
  io_uring_prep_close(&sqe, descriptor);
}

void UringLoop::rearm(Op& op) {
  note_ended(op);
  op.loop.cancelled ? finish_later(op, -ECANCELED) : arm(op);
}

void UringLoop::rearm_all() {
  for (size_t left = std::min(starved_.size(), kStarvedATurn); left > 0; --left) {
    rearm(*starved_.front());
    starved_.pop_front();
  }
  for (Op* op : std::exchange(ended_early_, {})) rearm(*op);
}

void UringLoop::turn(Millis wait_max, TurnKind turn_kind) {
  turn_kind == TurnKind::kOuter ? uring_->return_buffers() : uring_->return_nested_buffers();
  for (Op* op : cancelling_) ask_to_cancel(*op);
  rearm_all();
  submit_and_wait(wait_micros(wait_max));
  if (uring_->has_submitted_all()) arguments_used_ = 0;
  sends_pending_ = 0;
  read_clocks();
  linger_.begin_turn(now());
  const uint64_t quiet_submitted = uring_->is_settled() ? quiet_started_ : quiet_finished_;
  const unsigned tail = uring_->cq_tail();
  if (quiet_finished_ < quiet_started_) note_left_over(tail);
  finish_quiet(quiet_submitted);
  io_uring_cqe cqe{};
  while (uring_->take_cqe(tail, cqe)) {
    if (cqe.user_data != 0) on_completion(cqe);
  }
  run_finished_and_timers();
}

// Sends that are not quiet end while they are submitted: after them there is something to run, and
// nothing to wait for.
void UringLoop::submit_and_wait(Micros wait) {
  if (!cancelling_.empty()) wait = std::min(wait, kCancelAgain);
  if (wait == 0 || sends_pending_ != 0) return uring_->submit_and_wait(0, 0);
  if (const unsigned count = linger_.arrivals_to_await(); count > 1) {
    const Micros first = std::min(wait, Linger::kWindow);
    uring_->submit_and_wait(count, first);
    if (uring_->ready() != 0 || wait == first) return;
    wait -= first;
  }
  uring_->submit_and_wait(1, wait);
}

void UringLoop::on_completion(const io_uring_cqe& cqe) {
  Op& op = *reinterpret_cast<Op*>(cqe.user_data);
  switch (op.loop.kind) {
    case OpKind::kReceive:
      return on_received(op, cqe);
    case OpKind::kAccept:
      return on_accepted(op, cqe);
    case OpKind::kConnect: {
      const int fd = op.loop.descriptor;
      if (cqe.res < 0) ::close(fd);
      return finish(op, cqe.res < 0 ? cqe.res : fd);
    }
    case OpKind::kSendWait:
      return finish(op, std::min(cqe.res, 0));
    case OpKind::kReceiveInto:
      note_arrival(op);
      return finish(op, cqe.res);
    case OpKind::kSend:
      DCHECK(!op.loop.quiet);
      [[fallthrough]];
    case OpKind::kFile:
    case OpKind::kWatch:
      return finish(op, cqe.res);
    case OpKind::kSyncDir:
      ::close(op.loop.descriptor);
      return finish(op, cqe.res);
    case OpKind::kIdle:
      break;
  }
  OURO_UNREACHABLE();
}

void UringLoop::on_received(Op& op, const io_uring_cqe& cqe) {
  note_arrival(op);
  const ByteView bytes = uring_->take_received(cqe);
  const bool goes_on = (cqe.flags & IORING_CQE_F_MORE) != 0;
  const bool is_starved = cqe.res == -ENOBUFS;
  const bool restarts = cqe.res == -ECANCELED && !op.loop.cancelled;
  if (cqe.res <= 0 && !is_starved && !restarts) return finish(op, cqe.res);
  if (!goes_on) is_starved ? starved_.push_back(&op) : ended_early_.push_back(&op);
  if (cqe.res <= 0) return;
  note_size(op, bytes.size(), goes_on);
  op.report({.result = cqe.res, .more = true, .bytes = bytes});
}

void UringLoop::note_size(Op& op, size_t bytes, bool goes_on) {
  uint8_t& short_receives = op.loop.short_receives;
  if (bytes < kBurstBytes) {
    if (short_receives < kShortReceives) ++short_receives;
    return;
  }
  short_receives = 0;
  if (!goes_on || op.loop.cancelled || op.loop.restarting) return;
  op.loop.restarting = true;
  end_soon(op);
}

void UringLoop::on_accepted(Op& op, const io_uring_cqe& cqe) {
  note_arrival(op);
  // A peer that gave up while it waited in the queue is no failure of ours.
  const bool peer_gone = cqe.res == -ECONNABORTED;
  if (cqe.res < 0 && !peer_gone) {
    return finish(op, cqe.res);
  }
  if ((cqe.flags & IORING_CQE_F_MORE) == 0) ended_early_.push_back(&op);
  if (!peer_gone) op.report({.result = cqe.res, .more = true, .bytes = {}});
}

}  // namespace ouro
