// SPDX-License-Identifier: BSD-3-Clause
// The loops that the same tests run on, and what plays their peer: plain sockets for the loops over
// the system, ends of simulated streams for the simulated one.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "server/io/epoll_loop.h"
#include "server/io/probe.h"
#include "server/io/uring_loop.h"
#include "sim/sim_loop.h"
#include "sim/world.h"

namespace ouro {

enum class Backend { kUring, kUringWholeBuffers, kEpoll, kSim };

inline std::unique_ptr<Loop> loop_of(Backend backend, std::string& why_not) {
  UringOptions options;
  options.incremental = backend != Backend::kUringWholeBuffers;
  if (backend == Backend::kEpoll) return EpollLoop::create(why_not);
  return UringLoop::create(options, why_not);
}

inline std::string backend_name(const testing::TestParamInfo<Backend>& info) {
  constexpr const char* kNames[] = {"Uring", "UringWholeBuffers", "Epoll", "Sim"};
  return kNames[static_cast<int>(info.param)];
}

inline auto all_backends() {
  return testing::Values(Backend::kUring, Backend::kUringWholeBuffers, Backend::kEpoll,
                         Backend::kSim);
}

// A peer's socket as a test moves it; nothing here blocks.
class PeerSocket {
 public:
  virtual ~PeerSocket() = default;
  virtual size_t write(ByteView bytes) = 0;
  virtual std::string read(size_t bytes_max, bool& ended) = 0;
  virtual void reset() = 0;
  virtual void shutdown_write() = 0;
  virtual std::string local_text() const = 0;
};

// A socket of the system.
class SystemPeer final : public PeerSocket {
 public:
  explicit SystemPeer(int fd) : fd_(fd) { (void)::fcntl(fd_, F_SETFL, O_NONBLOCK); }
  explicit SystemPeer(const Address& address)
      : SystemPeer(::socket(family(address), SOCK_STREAM, 0)) {
    const int returned =
        ::connect(fd_, static_cast<const sockaddr*>(address.raw()), address.size_bytes());
    EXPECT_TRUE(returned == 0 || errno == EINPROGRESS) << errno;
  }
  ~SystemPeer() override { ::close(fd_); }
  SystemPeer(const SystemPeer&) = delete;
  SystemPeer& operator=(const SystemPeer&) = delete;

  size_t write(ByteView bytes) override {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return count > 0 ? static_cast<size_t>(count) : 0;
  }
  std::string read(size_t bytes_max, bool& ended) override {
    std::string bytes(bytes_max, '\0');
    const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN)) ended = true;
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return bytes;
  }
  void reset() override {
    const linger hard{1, 0};
    (void)::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  void shutdown_write() override { (void)::shutdown(fd_, SHUT_WR); }
  std::string local_text() const override {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    (void)::getsockname(fd_, reinterpret_cast<sockaddr*>(&storage), &size);
    return Address::from_raw(&storage, std::min<size_t>(size, 112)).text();
  }

 private:
  static int family(const Address& address) {
    return address.is_unix() ? AF_UNIX : address.is_ip6() ? AF_INET6 : AF_INET;
  }
  int fd_;
};

// An end of a simulated stream. Who asks it in vain lets a little time pass, as a system call
// would.
class SimPeer final : public PeerSocket {
 public:
  SimPeer(SimWorld& world, SimSocket socket) : world_(world), socket_(std::move(socket)) {}
  SimPeer(SimWorld& world, int host, const Address& address) : world_(world) {
    world.net().connect(SimNet::kOutside, host, address,
                        [this](int, SimSocket socket) { socket_ = std::move(socket); });
    pass_until([this] { return static_cast<bool>(socket_); });
  }
  ~SimPeer() override {
    if (socket_) socket_.close();
  }
  SimPeer(const SimPeer&) = delete;
  SimPeer& operator=(const SimPeer&) = delete;

  size_t write(ByteView bytes) override {
    return socket_ ? static_cast<size_t>(std::max(socket_.send(bytes), 0)) : 0;
  }
  std::string read(size_t bytes_max, bool& ended) override {
    if (!socket_) return {};
    pass_until(
        [this] { return socket_.readable() > 0 || socket_.at_end() || socket_.error() != 0; });
    ended |= socket_.at_end() || socket_.error() != 0;
    return socket_.read(bytes_max);
  }
  void reset() override { socket_.reset(); }
  void shutdown_write() override { socket_.shutdown_write(); }
  std::string local_text() const override { return socket_.address().text(); }

 private:
  template <class Done>
  void pass_until(Done done) {
    for (int i = 0; i < 20 && !done(); ++i) world_.run_for(5);
  }
  SimWorld& world_;
  SimSocket socket_;
};

class Peer {
 public:
  Peer() = default;
  explicit Peer(std::unique_ptr<PeerSocket> socket) : socket_(std::move(socket)) {}
  void close() { socket_ = nullptr; }
  // Ends by a reset instead of an orderly end.
  void reset() {
    if (socket_ != nullptr) socket_->reset();
    close();
  }
  // The count, or 0 when the socket takes nothing now.
  size_t write(ByteView bytes) { return socket_->write(bytes); }
  // What is there now, at most `bytes_max`. Sets ended().
  std::string read(size_t bytes_max = 1 << 20) { return socket_->read(bytes_max, ended_); }
  void shutdown_write() { socket_->shutdown_write(); }
  bool ended() const { return ended_; }
  std::string local_text() const { return socket_->local_text(); }

 private:
  std::unique_ptr<PeerSocket> socket_;
  bool ended_ = false;
};

// A test over one loop; skipped where the machine has no io_uring.
class LoopTest : public testing::TestWithParam<Backend> {
 protected:
  void SetUp() override {
    if (is_simulated()) {
      world_ = std::make_unique<SimWorld>(11);
      loop = &world_->add_machine().loop();
      sim_loop().set_short_sends(false);
      return;
    }
    std::string why_not;
    system_loop_ = loop_of(GetParam(), why_not);
    loop = system_loop_.get();
    if (loop == nullptr) GTEST_SKIP() << why_not;
  }
  void TearDown() override {
    if (!directory_.empty() && !is_simulated()) std::filesystem::remove_all(directory_);
  }
  bool is_simulated() const { return GetParam() == Backend::kSim; }

  // Runs turns until `done` or, for a broken test, many turns.
  template <class Done>
  bool run_until(Done done, int turns_max = 20000) {
    for (int i = 0; i < turns_max && !done(); ++i) loop->run_once(10);
    return done();
  }
  // A connected pair: the loop's socket, and its peer.
  std::pair<SocketFd, Peer> make_pair() {
    if (is_simulated()) {
      auto [near, far] = world_->net().pair(0);
      return {sim_loop().adopt(near), Peer(std::make_unique<SimPeer>(*world_, far))};
    }
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    return {SocketFd{pair[0]}, Peer(std::make_unique<SystemPeer>(pair[1]))};
  }
  // A peer that connects to one of the loop's listeners.
  Peer connect_peer(const Address& address) {
    if (is_simulated()) return Peer(std::make_unique<SimPeer>(*world_, 0, address));
    return Peer(std::make_unique<SystemPeer>(address));
  }
  // A socket of the loop as a peer.
  Peer peer_of(SocketFd fd) {
    if (is_simulated()) return Peer(std::make_unique<SimPeer>(*world_, sim_loop().release(fd)));
    return Peer(std::make_unique<SystemPeer>(fd.number));
  }
  // Without: nothing can be opened or accepted.
  void allow_descriptors(bool allowed) {
    if (is_simulated()) return sim_loop().set_descriptors_max(allowed ? 1000 : 0);
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (!allowed) {
      const int lowest_free = ::dup(STDOUT_FILENO);
      ::close(lowest_free);
      descriptors_max_ = std::exchange(limit.rlim_cur, static_cast<rlim_t>(lowest_free));
    } else {
      limit.rlim_cur = descriptors_max_;
    }
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  // Closes a descriptor of the loop without an operation.
  void close_now(int descriptor) {
    if (is_simulated()) return sim_loop().close_now(descriptor);
    ::close(descriptor);
  }
  // An empty directory of this test.
  const std::string& directory() {
    if (directory_.empty() && is_simulated()) {
      directory_ = "/test";
      EXPECT_EQ(world_->machine(0).disk().make_dir(directory_), 0);
    } else if (directory_.empty()) {
      char name[] = "/tmp/ouro-io-XXXXXX";
      directory_ = ::mkdtemp(name);
    }
    return directory_;
  }

 private:
  SimLoop& sim_loop() { return world_->machine(0).loop(); }

  std::unique_ptr<SimWorld> world_;
  std::unique_ptr<Loop> system_loop_;
  std::string directory_;
  rlim_t descriptors_max_ = 0;

 protected:
  Loop* loop = nullptr;
};

}  // namespace ouro
