// SPDX-License-Identifier: BSD-3-Clause
// SimLoop: the Loop of a simulated machine. It keeps the contract of server/io/loop.h and uses the
// freedom that the contract leaves, by chance of the world's seed: a send ends at once or later,
// whole, short or with 0; a cancel takes its time, and bytes may still come meanwhile; file
// operations take different times.
//
// A mistake of a user shows: each span that receive() hands out is memory of its own, overwritten
// and freed at the next run_once, and the bytes of a send that is in flight are read when it ends.
//
// run_once does not wait when the world calls the machine's program: it finishes what is ready and
// says by wakes_at() when the next turn is due. A turn in which something happened, or before which
// the clock moved, is followed by another at once, so that the wait is computed from what it did.
// All other calls wait by letting the world go on (SimWorld::wait_for).
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "server/io/loop.h"
#include "sim/sim_disk.h"
#include "sim/sim_net.h"

namespace ouro {

class SimMachine;
class SimWorld;

class SimLoop final : public Loop {
 public:
  SimLoop(SimWorld& world, SimMachine& machine);
  ~SimLoop() override;

  ByteView name() const override { return "simulation"; }
  ListenOutcome listen(const Address& address, const ListenOptions& options) override;
  void set_port_use(ListenFd fd, PortUse use) override;
  void accept(Op& op, ListenFd fd) override;
  void connect(Op& op, const Address& address, const Address& source) override;
  void receive(Op& op, SocketFd fd) override;
  void receive_into(Op& op, SocketFd fd, std::span<char> room) override;
  int32_t send(Op& op, SocketFd fd, std::span<const ByteView> views, SendEnd end) override;
  void tune(SocketFd fd, const SocketTuning& tuning) override {
    cell_of(fd.number).tuning = tuning;
  }
  Address local_address(SocketFd fd) const override;
  Address peer_address(SocketFd fd) const override;
  void refuse(SocketFd fd, ByteView text) override;

  void open(Op& op, const char* path, OpenFor purpose) override;
  void read_at(Op& op, FileFd fd, std::span<char> room, uint64_t offset_bytes) override;
  int32_t write_at(Op& op, FileFd fd, ByteView bytes, uint64_t offset_bytes, WriteEnd end) override;
  void sync(Op& op, FileFd fd) override;
  int32_t sync_at_once(FileFd fd) override;
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
  // Nothing becomes readable by itself here: the operation ends by cancel().
  void watch(Op& op, int descriptor) override;
  void cancel(Op& op) override;

  Instant now() const override { return now_; }
  Micros wall_micros() const override { return wall_micros_; }
  Instant fresh_now() const override;
  void stand_still(Micros) override {}
  // A microsecond a turn.
  Micros thread_cpu() const override { return static_cast<Micros>(turns_); }
  void set_timer(Timer& timer, Instant due) override { timers_.set(timer, due); }
  void cancel_timer(Timer& timer) override { timers_.cancel(timer); }
  void run_once(Millis wait_max) override { turn(wait_max, false); }
  void pump(Millis wait_max) override { turn(wait_max, true); }

  // ---- for tests
  // Puts an end of a stream among the machine's descriptors.
  SocketFd adopt(SimSocket socket);
  // The other way; no operation on it may be in flight.
  SimSocket release(SocketFd fd);
  // Closes without an operation, as a plain system call would.
  void close_now(int descriptor);
  // Whether sends are short now and then although there is room.
  void set_short_sends(bool wanted) { short_sends_ = wanted; }
  // More descriptors than this are refused with EMFILE.
  void set_descriptors_max(size_t count) { descriptors_max_ = count; }
  size_t descriptors() const { return open_cells_; }
  // What tune() was told last of a socket.
  const SocketTuning& tuning_of(SocketFd fd) { return cell_of(fd.number).tuning; }
  // How many operations of a kind were started.
  uint64_t started(OpKind kind) const { return started_[static_cast<size_t>(kind)]; }

  // ---- for the world
  bool has_work() const;
  Instant next_timer() const { return timers_.next_due(); }
  Instant wakes_at() const;
  void begin_program_turn() { may_wait_ = false; }
  void lose_power();

 private:
  // A descriptor: closed, or one of the four.
  struct Cell {
    std::shared_ptr<SimListener> listener;
    SimSocket socket;
    SocketTuning tuning;
    SimFile file;
    std::string locked;  // a directory and a name
    bool read_only = false;
    Op* reader = nullptr;  // accept, receive or receive_into
    Op* writer = nullptr;  // send
    uint64_t reader_ticket = 0;
    uint64_t writer_ticket = 0;
    std::vector<ByteView> sending;  // of writer; empty: it only waits for room
    bool listed = false;            // in ready_
    bool is_open() const { return listener || socket || file || !locked.empty(); }
  };

  void turn(Millis wait_max, bool nested);
  void close_descriptor(Op& op, int descriptor) override;
  void begin(Op& op, OpKind kind, int32_t descriptor);
  void finish_later(Op& op, int32_t result);
  bool run_finished();

  Cell& cell_of(int descriptor);
  int new_descriptor();
  bool descriptors_full() const { return open_cells_ >= descriptors_max_; }
  void list_ready(int descriptor);
  void start_reader(Op& op, OpKind kind, int descriptor);
  bool serve_ready();
  void serve(int descriptor);
  void serve_accept(int descriptor);
  void serve_receive(int descriptor);
  void serve_receive_into(int descriptor);
  void serve_send(int descriptor);
  void finish_reader(int descriptor, int32_t result);
  void cancel_now(Op& op);
  uint64_t ticket_of(const Op& op);
  // An event of the world that is forgotten when this loop is no more.
  void later(Micros delay, std::function<void()> what);
  ByteView hand_out(std::string bytes);
  void free_handed_out();
  // A file operation whose work is done when its time has come.
  void start_file(Op& op, int descriptor, std::function<int32_t()> work);
  int32_t write_now(const Cell& cell, ByteView bytes, uint64_t offset_bytes);

  SimWorld& world_;
  SimMachine& machine_;
  Timers timers_;
  Instant now_;
  Micros wall_micros_;
  uint64_t turns_ = 0;
  std::array<uint64_t, 10> started_{};  // by OpKind
  std::deque<Cell> cells_;              // by descriptor; a deque, since callbacks may add one
  std::deque<int> ready_;
  Op* finished_head_ = nullptr;
  Op* finished_tail_ = nullptr;
  std::vector<Op*> late_;  // sends that are over and told after the next wait
  // Connects and file operations in flight, by ticket: an event that finds its ticket gone is late.
  std::map<uint64_t, Op*> under_way_;
  std::map<uint64_t, uint64_t> attempts_;  // a connect's ticket -> the network's
  uint64_t tickets_ = 0;
  size_t kept_ = 0;  // of handed_out_, those of the outer turn
  bool is_nested_ = false;
  std::vector<std::unique_ptr<std::string>> handed_out_;
  size_t open_cells_ = 0;
  size_t descriptors_max_ = 20'000;
  Instant wakes_at_ = 0;
  bool short_sends_ = true;
  bool may_wait_ = true;
  bool has_power_ = true;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ouro
