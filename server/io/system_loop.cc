// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/system_loop.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "datastructs/base/hash.h"
#include "server/io/blocking_file.h"
#include "server/io/clock.h"

namespace ouro {
namespace {

const sockaddr* raw(const Address& address) { return static_cast<const sockaddr*>(address.raw()); }

template <class Ask>
Address ask_address(Ask ask, int fd) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (ask(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
  return Address::from_raw(&storage, std::min<size_t>(size, 112));
}

void set_option(int fd, int level, int name, int value) {
  // These tune; a socket that does not know one (a unix socket, TCP_NODELAY) works without it.
  (void)::setsockopt(fd, level, name, &value, sizeof value);
}

int32_t result_of(ssize_t returned) {
  return returned < 0 ? -errno : static_cast<int32_t>(returned);
}

}  // namespace

SystemLoop::SystemLoop() { read_clocks(); }

void SystemLoop::begin(Op& op, OpKind kind, int32_t descriptor) noexcept {
  CHECK(!op.busy());
  op.loop.kind = kind;
  op.loop.descriptor = descriptor;
}

void SystemLoop::finish_later(Op& op, int32_t result) noexcept {
  DCHECK(op.busy());
  DCHECK(!op.loop.queued);
  op.loop.queued = true;
  op.loop.result = result;
  op.loop.next = nullptr;
  (finished_head_ == nullptr ? finished_head_ : finished_tail_->loop.next) = &op;
  finished_tail_ = &op;
}

Micros SystemLoop::wait_micros(Millis wait_max) const noexcept {
  if (has_finished() || wait_max <= 0) return 0;
  const Micros until_timer =
      timers_.next_due() == kNever ? INT64_MAX : timers_.next_due() - monotonic_now();
  return std::clamp<Micros>(until_timer, 0, std::min<Millis>(wait_max, INT32_MAX) * 1000);
}

void SystemLoop::read_clocks() noexcept {
  now_ = monotonic_now();
  // The wall clock may be stepped, which is noticed that much later.
  if (now_ - wall_read_at_ >= kWallReadEvery) {
    wall_offset_ = wall_clock_micros() - now_;
    wall_read_at_ = now_;
  }
}

void SystemLoop::stand_still(Micros micros) {
  const timespec time{.tv_sec = micros / 1'000'000, .tv_nsec = micros % 1'000'000 * 1000};
  // A signal ends it early, which is as well.
  (void)::ppoll(nullptr, 0, &time, nullptr);
}
Instant SystemLoop::fresh_now() const { return monotonic_now(); }
Micros SystemLoop::thread_cpu() const { return thread_cpu_now(); }

void SystemLoop::run_finished_and_timers() {
  Op* const last = finished_tail_;
  while (finished_head_ != nullptr) {
    Op& op = *finished_head_;
    finished_head_ = op.loop.next;
    const bool was_last = &op == last;
    op.loop.queued = false;
    op.finish({.result = op.loop.result, .more = false, .bytes = {}});
    if (was_last) break;
  }
  timers_.run_due(now_);
}

int SystemLoop::new_socket(const Address& address) {
  const int family = address.is_unix() ? AF_UNIX : address.is_ip6() ? AF_INET6 : AF_INET;
  return result_of(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

int SystemLoop::new_connector(const Address& address, const Address& source) {
  const int fd = new_socket(address);
  if (fd < 0 || !source.is_known() || address.is_unix()) return fd;
  // The port is chosen when it connects: it need be free for this peer only.
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  // As in Redis, an address that cannot be had does not keep anybody from connecting.
  (void)::bind(fd, raw(source), source.size_bytes());
  return fd;
}

ListenOutcome SystemLoop::listen(const Address& address, const ListenOptions& options) {
  const int fd = new_socket(address);
  if (fd < 0) return {.fd = {}, .error = -fd, .bound = {}};
  const std::string path = address.is_unix() ? address.host() : std::string();
  if (address.is_unix()) {
    // What a killed server left behind would keep us from binding.
    (void)::unlink(path.c_str());
  } else {
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (options.shares_port) set_port_use({fd}, PortUse::kShared);
    if (address.is_ip6()) set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.only_ip6 ? 1 : 0);
    // Linux hands these down to accepted sockets, which saves some system calls each.
    tune({fd}, options.tuning);
  }
  const mode_t mode = static_cast<mode_t>(options.unix_permissions);
  if (::bind(fd, raw(address), address.size_bytes()) != 0 ||
      (mode != 0 && address.is_unix() && ::chmod(path.c_str(), mode) != 0) ||
      ::listen(fd, options.backlog) != 0) {
    const int error = errno;
    ::close(fd);
    return {.fd = {}, .error = error, .bound = {}};
  }
  return {.fd = {fd}, .error = 0, .bound = ask_address(::getsockname, fd)};
}

void SystemLoop::set_port_use(ListenFd fd, PortUse use) {
  set_option(fd.number, SOL_SOCKET, SO_REUSEPORT, use == PortUse::kShared ? 1 : 0);
}

void SystemLoop::tune(SocketFd fd, const SocketTuning& tuning) {
  set_option(fd.number, IPPROTO_TCP, TCP_NODELAY, tuning.no_delay ? 1 : 0);
  if (tuning.keep_alive_seconds <= 0) return;
  // The first probe after the given silence, then three more in as many thirds of it: a dead peer
  // is noticed after about twice the time.
  set_option(fd.number, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd.number, IPPROTO_TCP, TCP_KEEPIDLE, tuning.keep_alive_seconds);
  set_option(fd.number, IPPROTO_TCP, TCP_KEEPINTVL, std::max(1, tuning.keep_alive_seconds / 3));
  set_option(fd.number, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

Address SystemLoop::local_address(SocketFd fd) const {
  return ask_address(::getsockname, fd.number);
}
Address SystemLoop::peer_address(SocketFd fd) const {
  return ask_address(::getpeername, fd.number);
}

void SystemLoop::refuse(SocketFd fd, ByteView text) {
  if (!text.empty()) (void)::send(fd.number, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  ::close(fd.number);
}

int SystemLoop::open_flags(OpenFor purpose) noexcept {
  switch (purpose) {
    case OpenFor::kRead:
      return O_RDONLY | O_CLOEXEC;
    case OpenFor::kChange:
      return O_RDWR | O_CREAT | O_CLOEXEC;
    case OpenFor::kReplace:
      return O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
  }
  OURO_UNREACHABLE();
}

void SystemLoop::open(Op& op, const char* path, OpenFor purpose) {
  begin(op, OpKind::kFile, -1);
  finish_later(op, result_of(::open(path, open_flags(purpose), kFileMode)));
}

void SystemLoop::read_at(Op& op, FileFd fd, std::span<char> room, uint64_t offset_bytes) {
  begin(op, OpKind::kFile, fd.number);
  finish_later(op, result_of(::pread(fd.number, room.data(), room.size(),
                                     static_cast<off_t>(offset_bytes))));
}

int32_t SystemLoop::write_at(Op& op, FileFd fd, ByteView bytes, uint64_t offset_bytes,
                             WriteEnd /*end*/) {
  CHECK(!op.busy());
  return result_of(
      ::pwrite(fd.number, bytes.data(), bytes.size(), static_cast<off_t>(offset_bytes)));
}

void SystemLoop::sync(Op& op, FileFd fd) {
  begin(op, OpKind::kFile, fd.number);
  finish_later(op, sync_at_once(fd));
}

int32_t SystemLoop::sync_at_once(FileFd fd) { return result_of(::fdatasync(fd.number)); }

void SystemLoop::truncate(Op& op, FileFd fd, uint64_t size_bytes) {
  begin(op, OpKind::kFile, fd.number);
  finish_later(op, result_of(::ftruncate(fd.number, static_cast<off_t>(size_bytes))));
}

void SystemLoop::rename(Op& op, const char* from, const char* to) {
  begin(op, OpKind::kFile, -1);
  finish_later(op, result_of(::rename(from, to)));
}

void SystemLoop::unlink(Op& op, const char* path) {
  begin(op, OpKind::kFile, -1);
  finish_later(op, result_of(::unlink(path)));
}

void SystemLoop::make_dir(Op& op, const char* path) {
  begin(op, OpKind::kFile, -1);
  finish_later(op, result_of(::mkdir(path, kDirMode)));
}

void SystemLoop::list_dir(Op& op, const char* path, std::vector<std::string>& names) {
  begin(op, OpKind::kFile, -1);
  names.clear();
  DIR* const dir = ::opendir(path);
  if (dir == nullptr) return finish_later(op, -errno);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads this stream
  while (const dirent* entry = ::readdir(dir)) {
    const ByteView name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(dir);
  finish_later(op, 0);
}

int32_t SystemLoop::open_dir(const char* path) noexcept {
  return result_of(::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

void SystemLoop::sync_dir(Op& op, const char* path) {
  begin(op, OpKind::kFile, -1);
  const int32_t fd = open_dir(path);
  if (fd < 0) return finish_later(op, fd);
  const int32_t result = result_of(::fsync(fd));
  ::close(fd);
  finish_later(op, result);
}

int64_t SystemLoop::file_size(FileFd fd) const {
  struct stat facts {};
  return ::fstat(fd.number, &facts) == 0 ? facts.st_size : -errno;
}

// What is named comes and goes by rename, and a lock would go with it: so each name of a directory
// is a byte of a file that stays.
int32_t SystemLoop::lock_name(const char* dir, ByteView name) {
  const std::string path = std::string(dir) + "/.ouro.lock";
  const int32_t fd = result_of(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (fd < 0) return fd;
  struct flock byte {};
  byte.l_type = F_WRLCK;
  byte.l_whence = SEEK_SET;
  byte.l_start = static_cast<off_t>(hash_bytes(name, HashSeed{0}) >> 2);
  byte.l_len = 1;
  if (::fcntl(fd, F_OFD_SETLK, &byte) == 0) return fd;
  const int error = errno;
  ::close(fd);
  return error == EACCES ? -EWOULDBLOCK : -error;
}

void SystemLoop::unlock_name(FileFd lock) { ::close(lock.number); }

int SystemLoop::read_file(const std::string& path, std::string& bytes) {
  return read_whole_file(path, bytes);
}

int SystemLoop::replace_file(const std::string& path, ByteView bytes) {
  return ouro::replace_file(path, bytes);
}

}  // namespace ouro
