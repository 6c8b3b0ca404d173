// SPDX-License-Identifier: BSD-3-Clause
// Loop: THE SEAM between ouro and the machine. All sockets, files, clocks and timers of a running
// server are behind it, so a server runs unchanged over io_uring (UringLoop), epoll (EpollLoop) and
// a simulated world (tests/sim).
//
// It is completion-based: an operation is started with an Op and ends with a call of the Op's
// callback.
//
//      a turn:  run_once() { submit; wait; read clocks; completions; timers }  then the app's tick
//
// An Op is a member of its owner, so an operation never allocates, and what is in flight is bounded
// by what exists. From start to the last callback the loop owns the Op and the buffers: an owner
// may only be destroyed when its Ops are idle (CHECKed). cancel() is a request; the last callback
// still comes. Callbacks run one after the other from run_once, never from inside the call that
// starts an operation, and never nested.
//
// Outcomes are counts or descriptors, and -errno for failures; -ECANCELED after cancel().
// send() and write_at() may end at once: then they return the outcome, the Op is idle again, and no
// callback comes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datastructs/base/check.h"
#include "datastructs/base/units.h"
#include "server/io/address.h"
#include "server/io/timers.h"

namespace ouro {

// Descriptors by what may be done with them.
template <class Tag>
struct Descriptor {
  int number = -1;
  bool is_open() const noexcept { return number >= 0; }
};
using ListenFd = Descriptor<struct ListenTag>;
using SocketFd = Descriptor<struct SocketTag>;
using FileFd = Descriptor<struct FileTag>;

// What a callback is told.
struct Outcome {
  int32_t result = 0;  // a count, a descriptor, or -errno
  bool more = false;   // the operation goes on and will call again
  ByteView bytes;      // receive(): what came; valid until the next run_once
};

enum class OpKind : uint8_t {
  kIdle,
  kAccept,
  kReceive,
  kReceiveInto,
  kSend,
  kSendWait,  // a send for which the socket has no room yet
  kConnect,
  kFile,
  kSyncDir,  // its descriptor is the loop's own
  kWatch
};

class Op {
 public:
  using Callback = void (*)(void* owner, const Outcome& outcome);

  Op(void* owner, Callback callback) noexcept : owner_(owner), callback_(callback) {}
  ~Op() { CHECK(!busy()); }
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  bool busy() const noexcept { return loop.kind != OpKind::kIdle; }

  static constexpr uint32_t kNotListed = UINT32_MAX;
  // The loop's own notes; nobody else touches them.
  struct LoopPart {
    OpKind kind = OpKind::kIdle;
    bool cancelled = false;
    bool queued = false;                 // in the loop's list of finished operations
    int32_t descriptor = -1;             // what it works on
    int32_t result = 0;                  // while queued
    uint32_t epoch = 0;                  // when it was last seen active
    char* data = nullptr;                // receive_into: where to
    size_t size = 0;                     // receive_into: how much
    bool quiet = false;                  // a send whose success nobody reports: see UringLoop
    bool restarting = false;             // a receive that ends to be started again, see there
    uint8_t short_receives = 0;          // in a row, see there
    uint32_t cancel_index = kNotListed;  // among those that are asked to end, see there
    Op* next = nullptr;                  // in one of the loop's lists
  } loop;

  // Only for loops: the operation is over; the callback may destroy the owner.
  void finish(const Outcome& outcome) noexcept {
    loop.kind = OpKind::kIdle;
    loop.cancelled = false;
    callback_(owner_, outcome);
  }
  // Only for loops: one of several outcomes.
  void report(const Outcome& outcome) noexcept { callback_(owner_, outcome); }

 private:
  void* owner_;
  Callback callback_;
};

// Op(this, op_to<&Connection::on_received>())
template <auto Method>
Op::Callback op_to() noexcept {
  return []<class Owner>(void (Owner::*)(const Outcome&)) -> Op::Callback {
    return
        [](void* owner, const Outcome& outcome) { (static_cast<Owner*>(owner)->*Method)(outcome); };
  }(Method);
}

// What send() and write_at() return while the callback is still to come. No errno and no count has
// this value.
inline constexpr int32_t kInFlight = INT32_MIN;

// More views than this in one send are left for the next one.
inline constexpr size_t kSendViewsMax = 128;

// Whether the end of a send may be told as late as when the loop next wakes for something else:
// right for a reply that nobody waits for the end of. It lets a loop submit the send and sleep in
// one system call.
enum class SendEnd : uint8_t { kPrompt, kMayBeLate };

// Whether a write may end later than in the call. While a file is synced, writes to it, or to
// others beside it, were seen to take milliseconds: where nobody is waiting for the bytes to be
// written, the loop goes on meanwhile. Where somebody is, writing in the call is cheaper.
enum class WriteEnd : uint8_t { kPrompt, kMayBeLate };

struct SocketTuning {
  bool no_delay = true;
  int keep_alive_seconds = 0;  // 0: as it is, off in a new socket
};

// Of a listening socket: whether others may listen on an address that overlaps with its own.
enum class PortUse : uint8_t { kOwn, kShared };

struct ListenOptions {
  int backlog = 511;
  int unix_permissions = 0;  // 0: as the umask says
  bool only_ip6 = true;      // an IPv6 socket leaves IPv4 to its own socket
  bool shares_port = false;  // beside those sockets whose PortUse is kShared
  SocketTuning tuning = {};  // inherited by accepted sockets
};
struct ListenOutcome {
  ListenFd fd;
  int error = 0;  // errno
  Address bound;  // with the port that was chosen for port 0
};

enum class OpenFor : uint8_t {
  kRead,
  kChange,   // created if there is none; contents stay
  kReplace,  // created or emptied, then written
};

class Loop {
 public:
  virtual ~Loop() = default;
  // What INFO and the log call it: "io_uring", "epoll".
  virtual ByteView name() const = 0;

  // Sockets
  virtual ListenOutcome listen(const Address& address, const ListenOptions& options) = 0;
  // While kShared, sockets with ListenOptions::shares_port may listen on addresses that overlap
  // with this one: "127.0.0.1" beside "*". For a hand-over from one to the other.
  virtual void set_port_use(ListenFd fd, PortUse use) = 0;
  // Keeps firing with a SocketFd's number until cancelled or failed (EMFILE: start it again later).
  virtual void accept(Op& op, ListenFd fd) = 0;
  // Ends with the number of a connected SocketFd. Comes from `source` if that is known and this
  // machine's, else from where the system says. Addresses are read during the call only.
  virtual void connect(Op& op, const Address& address, const Address& source) = 0;
  // Keeps handing spans until end of stream (result 0), failure or cancel. What arrived before a
  // cancel is still handed out. From a sender of much, little a turn: not more than 64 KiB, once it
  // is known.
  virtual void receive(Op& op, SocketFd fd) = 0;
  // Ends with the count received, as soon as anything has come, or 0 at the end of the stream. A
  // count above 0 may come after a cancel. Not while receive() is in flight.
  virtual void receive_into(Op& op, SocketFd fd, std::span<char> room) = 0;
  // Ends with a count that may be short, even 0: then the rest may be sent. The array of views is
  // read during the call only, their bytes stay put until the end. At most kSendViewsMax.
  [[nodiscard]] virtual int32_t send(Op& op, SocketFd fd, std::span<const ByteView> views,
                                     SendEnd end) = 0;
  virtual void tune(SocketFd fd, const SocketTuning& tuning) = 0;
  virtual Address local_address(SocketFd fd) const = 0;
  virtual Address peer_address(SocketFd fd) const = 0;  // not known once the peer is gone
  // Sends `text` as far as the socket takes it, then closes. For sockets without ops.
  virtual void refuse(SocketFd fd, ByteView text) = 0;

  // Files. Paths and buffers stay put until the end.
  virtual void open(Op& op, const char* path,
                    OpenFor purpose) = 0;  // ends with the number of a FileFd
  virtual void read_at(Op& op, FileFd fd, std::span<char> room, uint64_t offset_bytes) = 0;
  // Ends with a count that may be short.
  [[nodiscard]] virtual int32_t write_at(Op& op, FileFd fd, ByteView bytes, uint64_t offset_bytes,
                                         WriteEnd end) = 0;
  virtual void sync(Op& op, FileFd fd) = 0;  // fdatasync
  // The same while everything waits: 0 or -errno.
  [[nodiscard]] virtual int32_t sync_at_once(FileFd fd) = 0;
  virtual void truncate(Op& op, FileFd fd, uint64_t size_bytes) = 0;
  virtual void rename(Op& op, const char* from, const char* to) = 0;
  virtual void unlink(Op& op, const char* path) = 0;
  virtual void make_dir(Op& op, const char* path) = 0;
  // Names in the directory, without "." and "..", in no order. `names` lives until the end.
  virtual void list_dir(Op& op, const char* path, std::vector<std::string>& names) = 0;
  // A directory's entries become durable: after create, rename and unlink.
  virtual void sync_dir(Op& op, const char* path) = 0;
  // At once: how large a file is, or -errno.
  virtual int64_t file_size(FileFd fd) const = 0;
  // At once: the name in the directory is held by this descriptor until unlock_name(), or the
  // process ends; -EWOULDBLOCK if it is held already, whoever does. Nobody is kept from anything
  // but that, and there need be no file of that name.
  virtual int32_t lock_name(const char* dir, ByteView name) = 0;
  virtual void unlock_name(FileFd lock) = 0;
  // At once, while everything waits: a small file of administration, whole. 0 or an errno.
  // Replacing leaves the old contents or the new, and these are on disk when it returns.
  virtual int read_file(const std::string& path, std::string& bytes) = 0;
  virtual int replace_file(const std::string& path, ByteView bytes) = 0;

  // No operation on the descriptor may be in flight.
  template <class Tag>
  void close(Op& op, Descriptor<Tag> fd) {
    close_descriptor(op, fd.number);
  }
  // Ends once when the descriptor is readable. For signals.h.
  virtual void watch(Op& op, int descriptor) = 0;
  // Asks an operation to end soon. Nothing happens if it is idle or its end is already on the way.
  virtual void cancel(Op& op) = 0;

  // Time, read once a turn
  virtual Instant now() const = 0;
  virtual Micros wall_micros() const = 0;
  UnixMs wall_now() const { return wall_micros() / 1000; }
  // Read at the call: now() as it is by now, and the CPU time that this thread has used. For
  // measuring.
  virtual Instant fresh_now() const = 0;
  // Nothing happens for so long: for tests that want a slow node.
  virtual void stand_still(Micros micros) = 0;
  virtual Micros thread_cpu() const = 0;
  virtual void set_timer(Timer& timer, Instant due) = 0;
  virtual void cancel_timer(Timer& timer) = 0;

  // One turn: submits everything, waits at most `wait_max` (less if a timer is due) unless
  // something is finished already, and runs callbacks. Bytes handed out by receive() in the turn
  // before die here.
  virtual void run_once(Millis wait_max) = 0;
  // A turn inside a turn, for a script over its time limit: as run_once, but the bytes that
  // run_once handed out stay valid; those of the pump before die.
  virtual void pump(Millis wait_max) = 0;

 private:
  virtual void close_descriptor(Op& op, int descriptor) = 0;
};

}  // namespace ouro
