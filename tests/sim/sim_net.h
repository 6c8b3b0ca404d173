// SPDX-License-Identifier: BSD-3-Clause
// SimNet: byte streams between the simulated machines, and to peers that a test moves by hand.
//
//      writer --cut into runs--> [run run run]  --each at its time--> [arrived bytes] --> reader
//                                  under way                            waiting
//                                \_____________ at most buffer_bytes _____________/
//
// What is under way and what waits share one bound, so a reader that does not read makes the
// writer's sends short, as two socket buffers do. Bytes arrive in order, or not at all: a reset and
// the orderly end travel in the same queue. How a stream is cut and delayed is its policy's choice.
//
// A way from one host to another can be cut: then nothing arrives until it is healed. Hosts are
// the machines by number, and kOutside for peers that a test holds. Not here: acknowledgements that
// get lost, packets, keep-alive.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/base/units.h"
#include "server/io/loop.h"

namespace ouro {

class SimNet;
class SimWorld;

struct StreamPolicy {
  enum class Cut : uint8_t {
    kWhole,    // as it was written
    kOneByte,  // each byte for itself
    kAt,       // once, before the byte at position `at` of the stream
    kRandom,   // runs of 1 to `run_max` bytes
  };
  Cut cut = Cut::kWhole;
  uint64_t at = 0;
  size_t run_max = 4096;
  // Between two runs that were cut apart, so that they come in different turns.
  Micros gap = 10;
  Micros delay_min = 20;
  Micros delay_max = 20;
  size_t buffer_bytes = 256_KiB;
};

// Two directions; each end is a SimSocket's.
struct SimStream;

// One end of a stream. Copies are the same end.
class SimSocket {
 public:
  SimSocket() = default;
  SimSocket(std::shared_ptr<SimStream> stream, int side)
      : stream_(std::move(stream)), side_(side) {}
  explicit operator bool() const { return stream_ != nullptr; }

  // What is written from now on is cut and delayed so.
  void set_policy(const StreamPolicy& policy);
  const StreamPolicy& policy() const;
  // Called when there is more to read or room to write, or the stream has failed. Not from inside
  // of a call of this end.
  void set_on_change(std::function<void()> on_change);

  // How many bytes send() would take.
  size_t room() const;
  // The count that was taken, 0 if there is no room, or -EPIPE or -ECONNRESET.
  int32_t send(ByteView bytes);
  // send() would tell an error.
  bool has_failed() const;
  // The orderly end of this direction: arrives behind what was sent.
  void shutdown_write();

  size_t readable() const;
  // At most `bytes_max` of what has arrived.
  std::string read(size_t bytes_max = SIZE_MAX);
  // The peer has ended its direction and everything was read.
  bool at_end() const;
  // The errno of a stream that failed, once everything was read; else 0.
  int error() const;
  // As error(), and it is told only once: then -EPIPE and the end of the stream are what remains.
  int take_error();

  // Orderly, or a reset if something was not read.
  void close();
  void reset();
  bool is_closed() const;

  const Address& address() const;
  // Not known once the stream has failed.
  Address peer_address() const;

 private:
  std::shared_ptr<SimStream> stream_;
  int side_ = 0;
};

// A listening socket: connections that nobody has accepted yet.
struct SimListener {
  int host;
  Address address;
  size_t backlog;
  bool shares_port;  // Loop::set_port_use
  std::deque<SimSocket> waiting;
  std::function<void()> on_change;
};

class SimNet {
 public:
  static constexpr int kOutside = -1;

  explicit SimNet(SimWorld& world) : world_(world) {}

  // The policy of streams to come. `to_server` is the direction from who connects.
  void set_policies(const StreamPolicy& to_server, const StreamPolicy& to_client);

  // ---- listening
  // Null and an errno if the address is taken or not this host's. Port 0 takes a free one.
  std::shared_ptr<SimListener> listen(int host, const Address& address,
                                      const ListenOptions& options, int& error);
  void stop_listening(SimListener& listener);

  // ---- connecting
  // A machine's address for others. Loopback and unix paths are the host's own.
  static Address address_of(int host, uint16_t port);
  // Ends with 0 and a socket, or an errno; as late as the way there and back takes, so not at all
  // while it is cut or the backlog is full.
  using Connected = std::function<void(int error, SimSocket socket)>;
  uint64_t connect(int from, int to, const Address& address, Connected connected);
  void cancel_connect(uint64_t ticket) { attempts_.erase(ticket); }
  // Which host has this address, from the sight of `from`; kNobody if none.
  static constexpr int kNobody = -2;
  int host_of(int from, const Address& address) const;
  // Two ends without a name, as socketpair() makes; the first on `host`.
  std::pair<SimSocket, SimSocket> pair(int host);

  // ---- partitions
  void cut(int from, int to);
  void heal(int from, int to);
  bool is_cut(int from, int to) const { return cuts_.contains({from, to}); }

  SimWorld& world() { return world_; }

 private:
  friend class SimSocket;
  struct Attempt {
    int from;
    int to;
    Address address;
    Connected connected;
  };

  void knock(uint64_t ticket);
  SimListener* find_listener(int host, const Address& address);
  bool is_taken(int host, const Address& address, bool shares_port) const;
  std::shared_ptr<SimStream> make_stream();
  Micros draw_delay(const StreamPolicy& policy);
  void enqueue(SimStream& stream, int side, std::string bytes, uint8_t mark, bool apart = false);
  void deliver(SimStream& stream, int side);
  void fail(SimStream& stream, int side, int error);
  void send_reset(SimStream& stream, int side);

  // An attempt that gets no answer is made again.
  static constexpr Micros kKnockAgain = 200'000;
  static constexpr uint16_t kFirstPort = 20'000;

  SimWorld& world_;
  StreamPolicy to_server_;
  StreamPolicy to_client_;
  std::vector<std::shared_ptr<SimListener>> listeners_;
  std::map<uint64_t, Attempt> attempts_;
  std::set<std::pair<int, int>> cuts_;
  std::vector<std::weak_ptr<SimStream>> streams_;
  uint64_t tickets_ = 0;
  uint16_t next_port_ = kFirstPort;
};

}  // namespace ouro
