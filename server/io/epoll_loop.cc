// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/epoll_loop.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "server/io/clock.h"

namespace ouro {
namespace {

constexpr size_t kArenaBytes = 1_MiB;
// The most that one receive takes. The rest of a fast sender's bytes comes in the next turn, after
// everyone else's.
constexpr size_t kReceiveBytesMax = 64_KiB;
constexpr size_t kArenaAlignment = 64;
constexpr int kEventsMax = 512;
// Sockets accepted in one turn at most, so that a flood of connections does not starve those that
// exist.
constexpr int kAcceptsMax = 256;

int32_t result_of(ssize_t returned) {
  return returned < 0 ? -errno : static_cast<int32_t>(returned);
}

uint64_t key_of(int descriptor, uint32_t generation) {
  return uint64_t{generation} << 32 | static_cast<uint32_t>(descriptor);
}

}  // namespace

std::unique_ptr<EpollLoop> EpollLoop::create(std::string& why_not) {
  const int fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) {
    why_not = std::string("epoll_create1: ") + strerrordesc_np(errno);
    return nullptr;
  }
  return std::unique_ptr<EpollLoop>(new EpollLoop(fd));
}

EpollLoop::EpollLoop(int epoll_fd)
    : epoll_fd_(epoll_fd), arena_(std::make_unique_for_overwrite<char[]>(kArenaBytes)) {}

EpollLoop::~EpollLoop() { ::close(epoll_fd_); }

EpollLoop::Cell& EpollLoop::cell_of(int descriptor) {
  const size_t index = static_cast<size_t>(descriptor);
  if (index >= cells_.size()) cells_.resize(std::max(index + 1, cells_.size() * 2));
  return cells_[index];
}

int EpollLoop::registered(int descriptor) {
  Cell& cell = cell_of(descriptor);
  if (cell.registered) return 0;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = key_of(descriptor, cell.generation);
  if (::epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, descriptor, &event) != 0) return -errno;
  cell.registered = true;
  return 0;
}

void EpollLoop::list_ready(int descriptor) {
  Cell& cell = cell_of(descriptor);
  if (cell.listed) return;
  cell.listed = true;
  ready_.push_back(descriptor);
}

void EpollLoop::start_reader(Op& op, OpKind kind, int descriptor) {
  begin(op, kind, descriptor);
  if (const int error = registered(descriptor); error != 0) return finish_later(op, error);
  Cell& cell = cell_of(descriptor);
  CHECK(cell.reader == nullptr);
  cell.reader = &op;
  if (cell.readable) list_ready(descriptor);
}

void EpollLoop::accept(Op& op, ListenFd fd) {
  // A connection may be gone between the event and the accept, which would then block.
  (void)::fcntl(fd.number, F_SETFL, O_NONBLOCK);
  start_reader(op, OpKind::kAccept, fd.number);
}

void EpollLoop::receive(Op& op, SocketFd fd) { start_reader(op, OpKind::kReceive, fd.number); }

void EpollLoop::receive_into(Op& op, SocketFd fd, std::span<char> room) {
  CHECK(!room.empty());
  op.loop.data = room.data();
  op.loop.size = room.size();
  start_reader(op, OpKind::kReceiveInto, fd.number);
}

void EpollLoop::watch(Op& op, int descriptor) {
  start_reader(op, OpKind::kWatch, descriptor);
  // Its owner reads it elsewhere, so what an old edge said is worth nothing: ask again.
  Cell& cell = cell_of(descriptor);
  if (!cell.registered) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.u64 = key_of(descriptor, cell.generation);
  cell.readable = false;
  (void)::epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, descriptor, &event);
}

int32_t EpollLoop::send(Op& op, SocketFd fd, std::span<const ByteView> views, SendEnd) {
  CHECK(!op.busy());
  CHECK(!views.empty() && views.size() <= kSendViewsMax);
  ssize_t sent = 0;
  if (views.size() == 1) {
    sent = ::send(fd.number, views[0].data(), views[0].size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } else {
    iovec parts[kSendViewsMax];
    for (size_t i = 0; i < views.size(); ++i) {
      parts[i] = {const_cast<char*>(views[i].data()), views[i].size()};
    }
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = views.size();
    sent = ::sendmsg(fd.number, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  if (sent >= 0 || (errno != EAGAIN && errno != EINTR)) return result_of(sent);
  if (const int error = registered(fd.number); error != 0) return error;
  begin(op, OpKind::kSend, fd.number);
  CHECK(cell_of(fd.number).writer == nullptr);
  cell_of(fd.number).writer = &op;
  return kInFlight;
}

void EpollLoop::connect(Op& op, const Address& address, const Address& source) {
  begin(op, OpKind::kConnect, -1);
  const int fd = new_connector(address, source);
  if (fd < 0) return finish_later(op, fd);
  (void)::fcntl(fd, F_SETFL, O_NONBLOCK);
  op.loop.descriptor = fd;
  const int returned =
      ::connect(fd, static_cast<const sockaddr*>(address.raw()), address.size_bytes());
  int32_t result = returned == 0 ? fd : -errno;
  if (result == -EINPROGRESS) {
    result = registered(fd);
    if (result == 0) {
      cell_of(fd).writer = &op;
      return;
    }
  }
  if (result < 0) ::close(fd);
  finish_later(op, result);
}

void EpollLoop::cancel(Op& op) {
  if (!op.busy() || op.loop.queued) return;
  Cell& cell = cell_of(op.loop.descriptor);
  if (cell.reader == &op) {
    cell.reader = nullptr;
  } else {
    CHECK(cell.writer == &op);
    cell.writer = nullptr;
    if (op.loop.kind == OpKind::kConnect) {
      const int fd = op.loop.descriptor;
      ::close(fd);
      cell = {.generation = cell.generation + 1, .listed = cell.listed};
    }
  }
  finish_later(op, -ECANCELED);
}

void EpollLoop::close_descriptor(Op& op, int descriptor) {
  begin(op, OpKind::kFile, descriptor);
  // Files are never registered and have no cell.
  if (static_cast<size_t>(descriptor) < cells_.size()) {
    Cell& cell = cell_of(descriptor);
    CHECK(cell.reader == nullptr);
    CHECK(cell.writer == nullptr);
    cell = {.generation = cell.generation + 1, .listed = cell.listed};
  }
  finish_later(op, result_of(::close(descriptor)));
}

void EpollLoop::turn(Millis wait_max, TurnKind turn_kind) {
  if (turn_kind == TurnKind::kOuter) {
    arena_used_ = arena_kept_ = 0;
    is_nested_ = false;
  } else {
    if (!is_nested_) arena_kept_ = arena_used_;
    is_nested_ = true;
    arena_used_ = arena_kept_;
  }
  const bool no_wait = !ready_.empty();
  const Micros wait = no_wait ? 0 : wait_micros(wait_max);
  epoll_event events[kEventsMax];
  const int count = wait_for(events, wait);
  read_clocks();
  for (int i = 0; i < count; ++i) on_event(events[i].data.u64, events[i].events);
  serve_ready();
  run_finished_and_timers();
}

int EpollLoop::wait_for(epoll_event* events, Micros wait) {
  // Rounded up: a wait that ends before its timer would be followed by another one.
  return ::epoll_wait(epoll_fd_, events, kEventsMax, static_cast<int>((wait + 999) / 1000));
}

void EpollLoop::on_event(uint64_t key, uint32_t events) {
  const int descriptor = static_cast<int>(key & 0xFFFF'FFFF);
  Cell& cell = cell_of(descriptor);
  if (cell.generation != key >> 32) return;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
    cell.readable = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) cell.ended = true;
    if (cell.reader != nullptr) list_ready(descriptor);
  }
  if (cell.writer != nullptr && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
    serve_writer(descriptor);
  }
}

void EpollLoop::serve_writer(int descriptor) {
  Op& op = *std::exchange(cell_of(descriptor).writer, nullptr);
  if (op.loop.kind == OpKind::kSend) {
    // An error shows at the next send.
    return op.finish({.result = 0, .more = false, .bytes = {}});
  }
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) {
    Cell& cell = cell_of(descriptor);
    cell = {.generation = cell.generation + 1, .listed = cell.listed};
    ::close(descriptor);
  }
  op.finish({.result = error != 0 ? -error : descriptor, .more = false, .bytes = {}});
}

// Callbacks may list more descriptors, and a nested turn may serve them: each is taken off before
// it is served.
void EpollLoop::serve_ready() {
  for (size_t count = ready_.size(); count > 0 && !ready_.empty(); --count) {
    if (kArenaBytes - arena_used_ < kReceiveBytesMax) return;
    const int descriptor = ready_.front();
    ready_.pop_front();
    Cell& cell = cell_of(descriptor);
    cell.listed = false;
    if (cell.reader == nullptr || !cell.readable) continue;
    serve_reader(descriptor);
    const Cell& after = cell_of(descriptor);
    if (after.readable && after.reader != nullptr) list_ready(descriptor);
  }
}

void EpollLoop::serve_reader(int descriptor) {
  switch (cell_of(descriptor).reader->loop.kind) {
    case OpKind::kAccept:
      return serve_accept(descriptor);
    case OpKind::kReceive:
      return serve_receive(descriptor);
    case OpKind::kReceiveInto:
      return serve_receive_into(descriptor);
    case OpKind::kWatch:
      cell_of(descriptor).readable = false;
      return finish_reader(descriptor, 0);
    case OpKind::kIdle:
    case OpKind::kSend:
    case OpKind::kSendWait:
    case OpKind::kConnect:
    case OpKind::kFile:
    case OpKind::kSyncDir:
      break;
  }
  OURO_UNREACHABLE();
}

void EpollLoop::finish_reader(int descriptor, int32_t result) {
  Op& op = *std::exchange(cell_of(descriptor).reader, nullptr);
  op.finish({.result = result, .more = false, .bytes = {}});
}

void EpollLoop::serve_accept(int descriptor) {
  // The callback may close the listener, so its cell is looked up anew each time.
  const uint32_t generation = cell_of(descriptor).generation;
  for (int i = 0; i < kAcceptsMax; ++i) {
    if (cell_of(descriptor).generation != generation || cell_of(descriptor).reader == nullptr)
      return;
    const int32_t result = result_of(::accept4(descriptor, nullptr, nullptr, SOCK_CLOEXEC));
    if (result == -EAGAIN) {
      cell_of(descriptor).readable = false;
      return;
    }
    if (result == -ECONNABORTED || result == -EINTR) continue;
    // The queue may hold more, so the descriptor stays readable for the next accept().
    if (result < 0) return finish_reader(descriptor, result);
    cell_of(descriptor).reader->report({.result = result, .more = true, .bytes = {}});
  }
}

// Nothing is there, or the call is to be made again.
bool EpollLoop::is_not_yet(int descriptor, int32_t count) {
  if (count != -EAGAIN && count != -EINTR) return false;
  cell_of(descriptor).readable = count == -EINTR;
  return true;
}

void EpollLoop::serve_receive(int descriptor) {
  char* const room = arena_.get() + arena_used_;
  const int32_t count = result_of(::recv(descriptor, room, kReceiveBytesMax, MSG_DONTWAIT));
  if (is_not_yet(descriptor, count)) return;
  if (count <= 0) return finish_reader(descriptor, count);
  Cell& cell = cell_of(descriptor);
  const size_t bytes = static_cast<size_t>(count);
  // A short read emptied the socket, and what comes later is a new edge. Not so at the end of the
  // stream: that edge has been seen and does not come again.
  if (bytes < kReceiveBytesMax && !cell.ended) cell.readable = false;
  arena_used_ += (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
  cell.reader->report({.result = count, .more = true, .bytes = {room, bytes}});
}

void EpollLoop::serve_receive_into(int descriptor) {
  const Op& op = *cell_of(descriptor).reader;
  const int32_t count = result_of(::recv(descriptor, op.loop.data, op.loop.size, MSG_DONTWAIT));
  if (is_not_yet(descriptor, count)) return;
  // A short read emptied the socket: see serve_receive().
  Cell& cell = cell_of(descriptor);
  if (count > 0 && static_cast<size_t>(count) < op.loop.size && !cell.ended) cell.readable = false;
  finish_reader(descriptor, count);
}

}  // namespace ouro
