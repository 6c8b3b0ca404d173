// SPDX-License-Identifier: BSD-3-Clause
// SystemLoop: what the loops over the real system share: clocks, timers, the list of finished
// operations, socket set-up, and file operations that are carried out at once and reported as
// completions.
#pragma once

#include "server/io/loop.h"

namespace ouro {

class SystemLoop : public Loop {
 public:
  ListenOutcome listen(const Address& address, const ListenOptions& options) override;
  void set_port_use(ListenFd fd, PortUse use) override;
  void tune(SocketFd fd, const SocketTuning& tuning) override;
  Address local_address(SocketFd fd) const override;
  Address peer_address(SocketFd fd) const override;
  void refuse(SocketFd fd, ByteView text) override;

  void open(Op& op, const char* path, OpenFor purpose) override;
  void read_at(Op& op, FileFd fd, std::span<char> room, uint64_t offset_bytes) override;
  int32_t write_at(Op& op, FileFd fd, ByteView bytes, uint64_t offset_bytes, WriteEnd end) override;
  void sync(Op& op, FileFd fd) override;
  int32_t sync_at_once(FileFd fd) final;
  void truncate(Op& op, FileFd fd, uint64_t size_bytes) override;
  void rename(Op& op, const char* from, const char* to) override;
  void unlink(Op& op, const char* path) override;
  void make_dir(Op& op, const char* path) override;
  void list_dir(Op& op, const char* path, std::vector<std::string>& names) override;
  void sync_dir(Op& op, const char* path) override;
  int64_t file_size(FileFd fd) const override;
  int32_t lock_name(const char* dir, ByteView name) override;
  void unlock_name(FileFd lock) override;
  int read_file(const std::string& path, std::string& bytes) override;
  int replace_file(const std::string& path, ByteView bytes) override;

  Instant now() const final { return now_; }
  Micros wall_micros() const final { return now_ + wall_offset_; }
  Instant fresh_now() const final;
  void stand_still(Micros micros) final;
  Micros thread_cpu() const final;
  void set_timer(Timer& timer, Instant due) final { timers_.set(timer, due); }
  void cancel_timer(Timer& timer) final { timers_.cancel(timer); }
  void run_once(Millis wait_max) final { turn(wait_max, TurnKind::kOuter); }
  void pump(Millis wait_max) final { turn(wait_max, TurnKind::kNested); }

 protected:
  enum class TurnKind : uint8_t { kOuter, kNested };

  SystemLoop();
  virtual void turn(Millis wait_max, TurnKind turn_kind) = 0;

  // The one beginning of every operation.
  static void begin(Op& op, OpKind kind, int32_t descriptor) noexcept;
  // The operation's callback runs in this or the next turn.
  void finish_later(Op& op, int32_t result) noexcept;
  bool has_finished() const noexcept { return finished_head_ != nullptr; }
  // How long a turn may wait: until the next timer, and not at all when something is finished.
  Micros wait_micros(Millis wait_max) const noexcept;
  void read_clocks() noexcept;
  // The callbacks of what was finished before this call, then the timers that are due.
  void run_finished_and_timers();

  // A new socket for this address, or -errno.
  static int new_socket(const Address& address);
  // One that will connect to this address, from `source` if that can be.
  static int new_connector(const Address& address, const Address& source);
  static int open_flags(OpenFor purpose) noexcept;
  // A descriptor, or -errno.
  static int32_t open_dir(const char* path) noexcept;
  static constexpr int kFileMode = 0644;
  static constexpr int kDirMode = 0755;

 private:
  Timers timers_;
  Instant now_ = 0;
  Micros wall_offset_ = 0;  // from the monotonic to the wall clock
  Op* finished_head_ = nullptr;
  Op* finished_tail_ = nullptr;
  Instant wall_read_at_ = -kWallReadEvery;
  static constexpr Micros kWallReadEvery = 1000;
};

}  // namespace ouro
