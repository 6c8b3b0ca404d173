// SPDX-License-Identifier: BSD-3-Clause
// The loops that the same tests run on, and plain sockets to play the peer.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "server/io/epoll_loop.h"
#include "server/io/probe.h"
#include "server/io/uring_loop.h"

namespace ouro {

enum class Backend { kUring, kUringWholeBuffers, kEpoll };

inline std::unique_ptr<Loop> loop_of(Backend backend, std::string& why_not) {
  UringOptions options;
  options.incremental = backend != Backend::kUringWholeBuffers;
  if (backend == Backend::kEpoll) return EpollLoop::create(why_not);
  return UringLoop::create(options, why_not);
}

inline std::string backend_name(const testing::TestParamInfo<Backend>& info) {
  constexpr const char* kNames[] = {"Uring", "UringWholeBuffers", "Epoll"};
  return kNames[static_cast<int>(info.param)];
}

inline auto all_backends() {
  return testing::Values(Backend::kUring, Backend::kUringWholeBuffers, Backend::kEpoll);
}

// A test over one loop; skipped where the machine has no io_uring.
class LoopTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    std::string why_not;
    loop = loop_of(GetParam(), why_not);
    if (loop == nullptr) GTEST_SKIP() << why_not;
  }
  // Runs turns until `done` or, for a broken test, many turns.
  template <class Done>
  bool run_until(Done done, int turns_max = 20000) {
    for (int i = 0; i < turns_max && !done(); ++i) loop->run_once(10);
    return done();
  }
  std::unique_ptr<Loop> loop;
};

// A peer's socket, used by plain calls that never block.
class Peer {
 public:
  Peer() = default;
  explicit Peer(int fd) : fd_(fd) { (void)::fcntl(fd_, F_SETFL, O_NONBLOCK); }
  explicit Peer(const Address& address) : Peer(::socket(family(address), SOCK_STREAM, 0)) {
    const int returned =
        ::connect(fd_, static_cast<const sockaddr*>(address.raw()), address.size_bytes());
    EXPECT_TRUE(returned == 0 || errno == EINPROGRESS) << errno;
  }
  Peer(Peer&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  ~Peer() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // Ends by a reset instead of an orderly end.
  void reset() {
    const linger hard{1, 0};
    (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close();
  }
  // The count, or 0 when the socket takes nothing now.
  size_t write(ByteView bytes) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count > 0 ? static_cast<size_t>(count) : 0;
  }
  // What is there now, at most `bytes_max`. Sets ended().
  std::string read(size_t bytes_max = 1 << 20) {
    std::string bytes(bytes_max, '\0');
    const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN)) ended_ = true;
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return bytes;
  }
  void shutdown_write() { (void)::shutdown(fd_, SHUT_WR); }
  bool ended() const { return ended_; }
  int fd() const { return fd_; }

 private:
  static int family(const Address& address) {
    return address.is_unix() ? AF_UNIX : address.is_ip6() ? AF_INET6 : AF_INET;
  }
  int fd_ = -1;
  bool ended_ = false;
};

}  // namespace ouro
