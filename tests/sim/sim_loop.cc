// SPDX-License-Identifier: BSD-3-Clause
#include "sim/sim_loop.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sim/world.h"

namespace ouro {
namespace {

// As a process has its standard streams.
constexpr size_t kFirstDescriptor = 3;
constexpr size_t kReceiveBytesMax = 64_KiB;
constexpr int kAcceptsMax = 256;
// Spans of one socket in one turn.
constexpr uint64_t kSpansMax = 4;
constexpr Micros kFileMicrosMax = 200;
constexpr Micros kCancelMicrosMax = 20;

size_t size_of(std::span<const ByteView> views) {
  size_t bytes = 0;
  for (const ByteView view : views) bytes += view.size();
  return bytes;
}

}  // namespace

SimLoop::SimLoop(SimWorld& world, SimMachine& machine)
    : world_(world),
      machine_(machine),
      now_(world.now()),
      wall_micros_(machine.wall_micros()),
      cells_(kFirstDescriptor) {}

SimLoop::~SimLoop() {
  for (Cell& cell : cells_) {
    CHECK(cell.reader == nullptr);
    CHECK(cell.writer == nullptr);
    if (cell.listener) world_.net().stop_listening(*cell.listener);
    if (cell.socket) cell.socket.close();
  }
  CHECK(under_way_.empty());
  CHECK(finished_head_ == nullptr);
  free_handed_out();
}

Instant SimLoop::fresh_now() const { return world_.now(); }

// ---- operations in general

void SimLoop::begin(Op& op, OpKind kind, int32_t descriptor) {
  CHECK(!op.busy());
  op.loop.kind = kind;
  op.loop.descriptor = descriptor;
  ++started_[static_cast<size_t>(kind)];
}

void SimLoop::finish_later(Op& op, int32_t result) {
  CHECK(op.busy());
  CHECK(!op.loop.queued);
  op.loop.queued = true;
  op.loop.result = result;
  op.loop.next = nullptr;
  (finished_head_ == nullptr ? finished_head_ : finished_tail_->loop.next) = &op;
  finished_tail_ = &op;
}

// What was finished before this call.
bool SimLoop::run_finished() {
  Op* const last = finished_tail_;
  const bool any = finished_head_ != nullptr;
  while (finished_head_ != nullptr) {
    Op& op = *finished_head_;
    finished_head_ = op.loop.next;
    const bool was_last = &op == last;
    op.loop.queued = false;
    world_.trace("end", static_cast<uint64_t>(op.loop.kind), static_cast<uint32_t>(op.loop.result));
    op.finish({.result = op.loop.result, .more = false, .bytes = {}});
    if (was_last) break;
  }
  return any;
}

void SimLoop::cancel(Op& op) {
  if (!op.busy() || op.loop.queued || op.loop.cancelled) return;
  // Nothing takes a file operation back.
  if (op.loop.kind == OpKind::kFile) return;
  op.loop.cancelled = true;
  if (world_.prng().below(2) == 0) return cancel_now(op);
  const uint64_t ticket = ticket_of(op);
  const Micros delay = 1 + static_cast<Micros>(world_.prng().below(kCancelMicrosMax));
  Op* const cancelled = &op;
  const int descriptor = op.loop.descriptor;
  later(delay, [this, cancelled, ticket, descriptor] {
    // It may have ended meanwhile, and its memory may be gone.
    const bool lives = under_way_.contains(ticket) ||
                       (descriptor >= 0 && (cell_of(descriptor).reader_ticket == ticket ||
                                            cell_of(descriptor).writer_ticket == ticket));
    if (lives) cancel_now(*cancelled);
  });
}

void SimLoop::later(Micros delay, std::function<void()> what) {
  world_.after(delay, [what = std::move(what), alive = std::weak_ptr<bool>(alive_)] {
    if (!alive.expired()) what();
  });
}

uint64_t SimLoop::ticket_of(const Op& op) {
  for (const auto& [ticket, other] : under_way_) {
    if (other == &op) return ticket;
  }
  const Cell& cell = cell_of(op.loop.descriptor);
  return cell.reader == &op ? cell.reader_ticket : cell.writer_ticket;
}

void SimLoop::cancel_now(Op& op) {
  if (op.loop.kind == OpKind::kConnect || op.loop.kind == OpKind::kWatch) {
    const uint64_t ticket = ticket_of(op);
    under_way_.erase(ticket);
    if (const auto found = attempts_.find(ticket); found != attempts_.end()) {
      world_.net().cancel_connect(found->second);
      attempts_.erase(found);
    }
    return finish_later(op, -ECANCELED);
  }
  Cell& cell = cell_of(op.loop.descriptor);
  if (cell.reader == &op) {
    cell.reader = nullptr;
    cell.reader_ticket = 0;
  } else {
    CHECK(cell.writer == &op);
    cell.writer = nullptr;
    cell.writer_ticket = 0;
    cell.sending.clear();
  }
  finish_later(op, -ECANCELED);
}

// ---- descriptors

SimLoop::Cell& SimLoop::cell_of(int descriptor) {
  CHECK(descriptor >= 0);
  CHECK(static_cast<size_t>(descriptor) < cells_.size());
  return cells_[static_cast<size_t>(descriptor)];
}

// The lowest that is free, as POSIX has it: so a stale number soon means another file.
int SimLoop::new_descriptor() {
  size_t number = kFirstDescriptor;
  while (number < cells_.size() && cells_[number].is_open()) ++number;
  if (number == cells_.size()) cells_.emplace_back();
  ++open_cells_;
  return static_cast<int>(number);
}

SocketFd SimLoop::adopt(SimSocket socket) {
  const int descriptor = new_descriptor();
  socket.set_on_change([this, descriptor] { list_ready(descriptor); });
  cell_of(descriptor).socket = std::move(socket);
  return {descriptor};
}

SimSocket SimLoop::release(SocketFd fd) {
  SimSocket socket = std::exchange(cell_of(fd.number).socket, {});
  CHECK(socket);
  socket.set_on_change({});
  --open_cells_;
  return socket;
}

void SimLoop::close_now(int descriptor) {
  Cell& cell = cell_of(descriptor);
  CHECK(cell.is_open());
  CHECK(cell.reader == nullptr);
  CHECK(cell.writer == nullptr);
  if (cell.listener) world_.net().stop_listening(*cell.listener);
  if (cell.socket) cell.socket.close();
  const bool listed = cell.listed;
  cell = Cell();
  cell.listed = listed;
  --open_cells_;
}

void SimLoop::close_descriptor(Op& op, int descriptor) {
  begin(op, OpKind::kFile, descriptor);
  if (has_power_) close_now(descriptor);
  finish_later(op, 0);
}

void SimLoop::list_ready(int descriptor) {
  Cell& cell = cell_of(descriptor);
  if (cell.listed || (cell.reader == nullptr && cell.writer == nullptr)) return;
  cell.listed = true;
  ready_.push_back(descriptor);
}

// ---- sockets

ListenOutcome SimLoop::listen(const Address& address, const ListenOptions& options) {
  if (!has_power_) return {.fd = {}, .error = EIO, .bound = {}};
  if (descriptors_full()) return {.fd = {}, .error = EMFILE, .bound = {}};
  int error = 0;
  const auto listener = world_.net().listen(machine_.number(), address, options, error);
  if (listener == nullptr) return {.fd = {}, .error = error, .bound = {}};
  const int descriptor = new_descriptor();
  listener->on_change = [this, descriptor] { list_ready(descriptor); };
  cell_of(descriptor).listener = listener;
  return {.fd = {descriptor}, .error = 0, .bound = listener->address};
}

void SimLoop::set_port_use(ListenFd fd, PortUse use) {
  if (has_power_) cell_of(fd.number).listener->shares_port = use == PortUse::kShared;
}

void SimLoop::start_reader(Op& op, OpKind kind, int descriptor) {
  begin(op, kind, descriptor);
  if (!has_power_) return finish_later(op, -EIO);
  Cell& cell = cell_of(descriptor);
  CHECK(cell.is_open());
  CHECK(cell.reader == nullptr);
  cell.reader = &op;
  cell.reader_ticket = ++tickets_;
  list_ready(descriptor);
}

void SimLoop::accept(Op& op, ListenFd fd) { start_reader(op, OpKind::kAccept, fd.number); }
void SimLoop::receive(Op& op, SocketFd fd) { start_reader(op, OpKind::kReceive, fd.number); }

void SimLoop::receive_into(Op& op, SocketFd fd, std::span<char> room) {
  CHECK(!room.empty());
  op.loop.data = room.data();
  op.loop.size = room.size();
  start_reader(op, OpKind::kReceiveInto, fd.number);
}

// A simulated machine has one address, which all that leaves it comes from.
void SimLoop::connect(Op& op, const Address& address, const Address&) {
  begin(op, OpKind::kConnect, -1);
  const int to = world_.net().host_of(machine_.number(), address);
  if (!has_power_) return finish_later(op, -EIO);
  if (to == SimNet::kNobody) return finish_later(op, -ENETUNREACH);
  if (descriptors_full()) return finish_later(op, -EMFILE);
  const uint64_t ticket = ++tickets_;
  under_way_[ticket] = &op;
  attempts_[ticket] = world_.net().connect(
      machine_.number(), to, address, [this, ticket](int error, SimSocket socket) {
        Op& connecting = *under_way_.at(ticket);
        under_way_.erase(ticket);
        attempts_.erase(ticket);
        finish_later(connecting, error != 0 ? -error : adopt(std::move(socket)).number);
      });
}

void SimLoop::watch(Op& op, int) {
  begin(op, OpKind::kWatch, -1);
  under_way_[++tickets_] = &op;
}

int32_t SimLoop::send(Op& op, SocketFd fd, std::span<const ByteView> views, SendEnd end) {
  CHECK(!op.busy());
  CHECK(!views.empty() && views.size() <= kSendViewsMax);
  if (!has_power_) return -EIO;
  Cell& cell = cell_of(fd.number);
  CHECK(cell.writer == nullptr);
  Prng& prng = world_.prng();
  // Half of the sends try at once, as epoll does; if there is no room they wait for some.
  const bool at_once = prng.below(2) == 0;
  if (at_once && (cell.socket.room() > 0 || cell.socket.has_failed())) {
    size_t most = SIZE_MAX;
    if (short_sends_ && prng.below(8) == 0) most = prng.below(size_of(views) + 1);
    int32_t sent = 0;
    for (const ByteView view : views) {
      const ByteView part = view.substr(0, std::min(most, view.size()));
      const int32_t count = cell.socket.send(part);
      if (count < 0) return sent > 0 ? sent : count;
      sent += count;
      most -= part.size();
      if (static_cast<size_t>(count) < view.size()) break;
    }
    if (end == SendEnd::kPrompt || prng.below(2) == 0) return sent;
    begin(op, OpKind::kSend, fd.number);
    op.loop.queued = true;
    op.loop.result = sent;
    late_.push_back(&op);
    return kInFlight;
  }
  begin(op, OpKind::kSend, fd.number);
  cell.writer = &op;
  cell.writer_ticket = ++tickets_;
  cell.sending.clear();
  if (!at_once) cell.sending.assign(views.begin(), views.end());
  list_ready(fd.number);
  return kInFlight;
}

Address SimLoop::local_address(SocketFd fd) const {
  const Cell& cell = cells_[static_cast<size_t>(fd.number)];
  return cell.socket ? cell.socket.address() : Address();
}

Address SimLoop::peer_address(SocketFd fd) const {
  const Cell& cell = cells_[static_cast<size_t>(fd.number)];
  return cell.socket ? cell.socket.peer_address() : Address();
}

void SimLoop::refuse(SocketFd fd, ByteView text) {
  if (!has_power_) return;
  if (!text.empty()) (void)cell_of(fd.number).socket.send(text);
  close_now(fd.number);
}

// ---- a turn

bool SimLoop::has_work() const {
  return finished_head_ != nullptr || !ready_.empty() || timers_.next_due() <= world_.now();
}

Instant SimLoop::wakes_at() const {
  if (has_work()) return world_.now();
  return std::min(wakes_at_, timers_.next_due());
}

void SimLoop::turn(Millis wait_max, bool nested) {
  ++turns_;
  if (!nested) {
    kept_ = 0;
    is_nested_ = false;
  } else if (!is_nested_) {
    kept_ = handed_out_.size();
    is_nested_ = true;
  }
  free_handed_out();
  const Instant end = world_.now() + std::clamp<Millis>(wait_max, 0, INT32_MAX) * 1000;
  const bool waits = may_wait_ || nested;
  const std::vector<Op*> late = std::exchange(late_, {});
  if (waits) world_.wait_for(*this, end);
  for (Op* op : late) {
    op->loop.queued = false;
    finish_later(*op, op->loop.result);
  }
  may_wait_ = true;
  bool happened = std::exchange(now_, world_.now()) != world_.now();
  wall_micros_ = machine_.wall_micros();
  happened |= timers_.next_due() <= now_;
  happened |= serve_ready();
  happened |= run_finished();
  timers_.run_due(now_);
  wakes_at_ = happened ? now_ : end;
}

bool SimLoop::serve_ready() {
  // What callbacks and leftovers list meanwhile waits for the next turn.
  const bool any = !ready_.empty();
  for (size_t count = ready_.size(); count > 0 && !ready_.empty(); --count) {
    const int descriptor = ready_.front();
    ready_.pop_front();
    cell_of(descriptor).listed = false;
    serve(descriptor);
  }
  return any;
}

void SimLoop::serve(int descriptor) {
  if (cell_of(descriptor).writer != nullptr) serve_send(descriptor);
  const Op* const reader = cell_of(descriptor).reader;
  if (reader == nullptr) return;
  switch (reader->loop.kind) {
    case OpKind::kAccept:
      return serve_accept(descriptor);
    case OpKind::kReceive:
      return serve_receive(descriptor);
    case OpKind::kReceiveInto:
      return serve_receive_into(descriptor);
    case OpKind::kIdle:
    case OpKind::kSend:
    case OpKind::kSendWait:
    case OpKind::kConnect:
    case OpKind::kFile:
    case OpKind::kSyncDir:
    case OpKind::kWatch:
      break;
  }
  OURO_UNREACHABLE();
}

void SimLoop::finish_reader(int descriptor, int32_t result) {
  Cell& cell = cell_of(descriptor);
  Op& op = *std::exchange(cell.reader, nullptr);
  cell.reader_ticket = 0;
  world_.trace("read", static_cast<uint64_t>(descriptor), static_cast<uint32_t>(result));
  op.finish({.result = result, .more = false, .bytes = {}});
}

void SimLoop::serve_accept(int descriptor) {
  const uint64_t ticket = cell_of(descriptor).reader_ticket;
  for (int i = 0; i < kAcceptsMax; ++i) {
    Cell& cell = cell_of(descriptor);
    // A callback may have cancelled it, or closed the listener.
    if (cell.reader_ticket != ticket || cell.listener->waiting.empty()) return;
    if (descriptors_full()) return finish_reader(descriptor, -EMFILE);
    SimSocket socket = std::move(cell.listener->waiting.front());
    cell.listener->waiting.pop_front();
    const int accepted = adopt(std::move(socket)).number;
    world_.trace("accept", static_cast<uint64_t>(accepted));
    cell.reader->report({.result = accepted, .more = true, .bytes = {}});
  }
  list_ready(descriptor);
}

void SimLoop::serve_receive(int descriptor) {
  const uint64_t ticket = cell_of(descriptor).reader_ticket;
  for (uint64_t spans = 1 + world_.prng().below(kSpansMax); spans > 0; --spans) {
    Cell& cell = cell_of(descriptor);
    if (cell.reader_ticket != ticket) return;
    const ByteView bytes = hand_out(cell.socket.read(kReceiveBytesMax));
    if (bytes.empty()) {
      if (const int error = cell.socket.take_error(); error != 0) {
        return finish_reader(descriptor, -error);
      }
      if (cell.socket.at_end()) finish_reader(descriptor, 0);
      return;
    }
    const auto count = static_cast<int32_t>(bytes.size());
    world_.trace("receive", static_cast<uint64_t>(descriptor), bytes.size());
    cell.reader->report({.result = count, .more = true, .bytes = bytes});
  }
  if (cell_of(descriptor).reader_ticket == ticket) list_ready(descriptor);
}

void SimLoop::serve_receive_into(int descriptor) {
  Cell& cell = cell_of(descriptor);
  const Op& op = *cell.reader;
  const std::string bytes = cell.socket.read(op.loop.size);
  std::memcpy(op.loop.data, bytes.data(), bytes.size());
  if (!bytes.empty()) return finish_reader(descriptor, static_cast<int32_t>(bytes.size()));
  if (cell.socket.error() != 0) return finish_reader(descriptor, -cell.socket.take_error());
  if (cell.socket.at_end()) finish_reader(descriptor, 0);
}

void SimLoop::serve_send(int descriptor) {
  Cell& cell = cell_of(descriptor);
  if (cell.socket.room() == 0 && !cell.socket.has_failed()) return;
  int32_t sent = 0;
  for (const ByteView view : cell.sending) {
    const int32_t count = cell.socket.send(view);
    if (count < 0 && sent == 0) sent = count;
    if (count < 0) break;
    sent += count;
    if (static_cast<size_t>(count) < view.size()) break;
  }
  Op& op = *std::exchange(cell.writer, nullptr);
  cell.writer_ticket = 0;
  cell.sending.clear();
  world_.trace("send", static_cast<uint64_t>(descriptor), static_cast<uint32_t>(sent));
  op.finish({.result = sent, .more = false, .bytes = {}});
}

ByteView SimLoop::hand_out(std::string bytes) {
  if (bytes.empty()) return {};
  handed_out_.push_back(std::make_unique<std::string>(std::move(bytes)));
  return *handed_out_.back();
}

void SimLoop::free_handed_out() {
  for (size_t i = kept_; i < handed_out_.size(); ++i)
    std::fill(handed_out_[i]->begin(), handed_out_[i]->end(), '\xDD');
  handed_out_.resize(kept_);
}

// ---- files

void SimLoop::start_file(Op& op, int descriptor, std::function<int32_t()> work) {
  begin(op, OpKind::kFile, descriptor);
  if (!has_power_) return finish_later(op, -EIO);
  const uint64_t ticket = ++tickets_;
  under_way_[ticket] = &op;
  const Micros delay = 1 + static_cast<Micros>(world_.prng().below(kFileMicrosMax));
  later(delay, [this, ticket, work = std::move(work)] {
    const auto found = under_way_.find(ticket);
    if (found == under_way_.end()) return;
    Op& ended = *found->second;
    under_way_.erase(found);
    finish_later(ended, work());
  });
}

void SimLoop::open(Op& op, const char* path, OpenFor purpose) {
  start_file(op, -1, [this, path, purpose]() -> int32_t {
    if (descriptors_full()) return -EMFILE;
    SimFile file;
    if (const int32_t error = machine_.disk().open(path, purpose, file); error != 0) return error;
    const int descriptor = new_descriptor();
    cell_of(descriptor).file = file;
    cell_of(descriptor).read_only = purpose == OpenFor::kRead;
    return descriptor;
  });
}

void SimLoop::read_at(Op& op, FileFd fd, std::span<char> room, uint64_t offset_bytes) {
  start_file(op, fd.number, [this, file = cell_of(fd.number).file, room, offset_bytes] {
    return machine_.disk().read_at(file, room, offset_bytes);
  });
}

int32_t SimLoop::write_now(const Cell& cell, ByteView bytes, uint64_t offset_bytes) {
  if (cell.read_only) return -EBADF;
  world_.trace("write", offset_bytes, bytes.size());
  return machine_.disk().write_at(cell.file, bytes, offset_bytes);
}

int32_t SimLoop::write_at(Op& op, FileFd fd, ByteView bytes, uint64_t offset_bytes,
                          WriteEnd /*end*/) {
  CHECK(!op.busy());
  if (!has_power_) return -EIO;
  if (world_.prng().below(2) == 0) return write_now(cell_of(fd.number), bytes, offset_bytes);
  start_file(op, fd.number, [this, number = fd.number, bytes, offset_bytes] {
    return write_now(cell_of(number), bytes, offset_bytes);
  });
  return kInFlight;
}

void SimLoop::sync(Op& op, FileFd fd) {
  const SimFile file = cell_of(fd.number).file;
  // A file that went with the power has no mark, and no outcome but that.
  const uint64_t mark = has_power_ ? SimDisk::written_mark(file) : 0;
  start_file(op, fd.number, [this, file, mark] { return machine_.disk().sync(file, mark); });
}

int32_t SimLoop::sync_at_once(FileFd fd) {
  const SimFile& file = cell_of(fd.number).file;
  return has_power_ ? machine_.disk().sync(file, SimDisk::written_mark(file)) : -EIO;
}

void SimLoop::truncate(Op& op, FileFd fd, uint64_t size_bytes) {
  start_file(op, fd.number, [this, file = cell_of(fd.number).file, size_bytes] {
    return machine_.disk().truncate(file, size_bytes);
  });
}

void SimLoop::rename(Op& op, const char* from, const char* to) {
  start_file(op, -1, [this, from, to] { return machine_.disk().rename(from, to); });
}

void SimLoop::unlink(Op& op, const char* path) {
  start_file(op, -1, [this, path] { return machine_.disk().unlink(path); });
}

void SimLoop::make_dir(Op& op, const char* path) {
  start_file(op, -1, [this, path] { return machine_.disk().make_dir(path); });
}

void SimLoop::list_dir(Op& op, const char* path, std::vector<std::string>& names) {
  start_file(op, -1, [this, path, &names] { return machine_.disk().list_dir(path, names); });
}

void SimLoop::sync_dir(Op& op, const char* path) {
  start_file(op, -1, [this, path] { return machine_.disk().sync_dir(path); });
}

int64_t SimLoop::file_size(FileFd fd) const {
  return has_power_ ? SimDisk::size_of(cells_[static_cast<size_t>(fd.number)].file) : -EIO;
}

int32_t SimLoop::lock_name(const char* dir, ByteView name) {
  if (!has_power_) return -EIO;
  const std::string path = std::string(dir) + '/' + std::string(name);
  for (const Cell& cell : cells_) {
    if (cell.locked == path) return -EWOULDBLOCK;
  }
  const int descriptor = new_descriptor();
  cell_of(descriptor).locked = path;
  return descriptor;
}

void SimLoop::unlock_name(FileFd lock) {
  if (has_power_) close_now(lock.number);
}

int SimLoop::read_file(const std::string& path, std::string& bytes) {
  bytes.clear();
  if (!has_power_) return EIO;
  SimFile file;
  if (const int32_t error = machine_.disk().open(path, OpenFor::kRead, file); error < 0)
    return -error;
  bytes.resize(static_cast<size_t>(SimDisk::size_of(file)));
  const int32_t count = machine_.disk().read_at(file, bytes, 0);
  return count < 0 ? -count : 0;
}

int SimLoop::replace_file(const std::string& path, ByteView bytes) {
  if (!has_power_) return EIO;
  const std::string temporary = path + ".tmp";
  SimFile file;
  int32_t result = machine_.disk().open(temporary, OpenFor::kReplace, file);
  if (result >= 0) result = machine_.disk().write_at(file, bytes, 0);
  if (result >= 0) result = machine_.disk().sync(file, SimDisk::written_mark(file));
  if (result >= 0) result = machine_.disk().rename(temporary, path);
  if (result >= 0) result = machine_.disk().sync_dir(".");
  return result < 0 ? -result : 0;
}

// ---- the end of a machine

void SimLoop::lose_power() {
  has_power_ = false;
  for (size_t number = kFirstDescriptor; number < cells_.size(); ++number) {
    Cell& cell = cells_[number];
    for (Op* op : {cell.reader, cell.writer}) {
      if (op != nullptr) finish_later(*op, -ECANCELED);
    }
    if (cell.listener) world_.net().stop_listening(*cell.listener);
    if (cell.socket) cell.socket.reset();
    // The number stays known, since the program may still name it.
    cell = Cell();
  }
  open_cells_ = 0;
  ready_.clear();
  for (const auto& [ticket, op] : under_way_) {
    if (const auto found = attempts_.find(ticket); found != attempts_.end()) {
      world_.net().cancel_connect(found->second);
    }
    finish_later(*op, -ECANCELED);
  }
  under_way_.clear();
  attempts_.clear();
  for (Op* op : std::exchange(late_, {})) {
    op->loop.queued = false;
    finish_later(*op, op->loop.result);
  }
}

}  // namespace ouro
