// SPDX-License-Identifier: BSD-3-Clause
#include "sim/sim_net.h"

#include <algorithm>
#include <cerrno>

#include "datastructs/base/check.h"
#include "sim/world.h"

namespace ouro {
namespace {

enum Mark : uint8_t { kBytes, kFin, kReset };

struct Run {
  std::string bytes;
  Mark mark;
  Instant due;
};

struct Direction {
  StreamPolicy policy;
  std::deque<Run> under_way;
  size_t under_way_bytes = 0;
  Instant last_due = 0;
  uint64_t written = 0;  // position in the stream
  bool fin_sent = false;

  std::string arrived;  // from arrived_at on not read
  size_t arrived_at = 0;
  bool fin_arrived = false;

  size_t waiting() const { return arrived.size() - arrived_at; }
};

struct End {
  int host = SimNet::kOutside;
  Address address;
  std::function<void()> on_change;
  bool closed = false;
  int error = 0;
  bool error_told = false;
};

}  // namespace

struct SimStream : std::enable_shared_from_this<SimStream> {
  explicit SimStream(SimNet& net_in) : net(net_in) {}
  SimNet& net;
  Direction from[2];  // what this side writes
  End ends[2];
  bool local = false;  // on one host: a close is seen at once

  void notify(int side) {
    if (ends[side].on_change && !ends[side].closed) ends[side].on_change();
  }
};

// ---- SimSocket

void SimSocket::set_policy(const StreamPolicy& policy) { stream_->from[side_].policy = policy; }
const StreamPolicy& SimSocket::policy() const { return stream_->from[side_].policy; }

void SimSocket::set_on_change(std::function<void()> on_change) {
  stream_->ends[side_].on_change = std::move(on_change);
}

size_t SimSocket::room() const {
  const Direction& out = stream_->from[side_];
  const size_t used = out.under_way_bytes + out.waiting();
  return used < out.policy.buffer_bytes ? out.policy.buffer_bytes - used : 0;
}

int32_t SimSocket::send(ByteView bytes) {
  End& me = stream_->ends[side_];
  CHECK(!me.closed);
  if (me.error != 0 && !me.error_told) {
    me.error_told = true;
    return -me.error;
  }
  Direction& out = stream_->from[side_];
  if (has_failed()) return -EPIPE;
  bytes = bytes.substr(0, room());
  const int32_t taken = static_cast<int32_t>(bytes.size());
  SimNet& net = stream_->net;
  while (!bytes.empty()) {
    size_t run = bytes.size();
    bool apart = false;
    switch (out.policy.cut) {
      case StreamPolicy::Cut::kWhole:
        break;
      case StreamPolicy::Cut::kOneByte:
        run = 1;
        apart = true;
        break;
      case StreamPolicy::Cut::kAt:
        if (out.written < out.policy.at) run = std::min<size_t>(run, out.policy.at - out.written);
        apart = out.written == out.policy.at;
        break;
      case StreamPolicy::Cut::kRandom:
        run = std::min<size_t>(run, 1 + net.world().prng().below(out.policy.run_max));
        apart = net.world().prng().below(4) != 0;
        break;
    }
    net.enqueue(*stream_, side_, std::string(bytes.substr(0, run)), kBytes, apart);
    out.written += run;
    bytes.remove_prefix(run);
  }
  return taken;
}

bool SimSocket::has_failed() const {
  const bool seen_closed = stream_->local && stream_->ends[1 - side_].closed;
  return stream_->ends[side_].error != 0 || stream_->from[side_].fin_sent || seen_closed;
}

void SimSocket::shutdown_write() {
  Direction& out = stream_->from[side_];
  if (out.fin_sent || stream_->ends[side_].error != 0) return;
  out.fin_sent = true;
  stream_->net.enqueue(*stream_, side_, {}, kFin);
}

size_t SimSocket::readable() const { return stream_->from[1 - side_].waiting(); }

std::string SimSocket::read(size_t bytes_max) {
  Direction& in = stream_->from[1 - side_];
  const size_t count = std::min(bytes_max, in.waiting());
  if (count == 0) return {};
  std::string bytes = in.arrived.substr(in.arrived_at, count);
  in.arrived_at += count;
  // What was read is dropped in large steps, else a long queue would be moved for each byte.
  if (in.arrived_at == in.arrived.size()) {
    in.arrived.clear();
    in.arrived_at = 0;
  } else if (in.arrived_at >= 64_KiB) {
    in.arrived.erase(0, in.arrived_at);
    in.arrived_at = 0;
  }
  stream_->notify(1 - side_);
  return bytes;
}

bool SimSocket::at_end() const {
  const Direction& in = stream_->from[1 - side_];
  return in.waiting() == 0 && (in.fin_arrived || stream_->ends[side_].error_told);
}

int SimSocket::error() const {
  const End& me = stream_->ends[side_];
  return readable() == 0 && !me.error_told ? me.error : 0;
}

int SimSocket::take_error() {
  const int error_now = error();
  if (error_now != 0) stream_->ends[side_].error_told = true;
  return error_now;
}

void SimSocket::close() {
  End& me = stream_->ends[side_];
  if (me.closed) return;
  if (readable() > 0) return reset();
  shutdown_write();
  me.closed = true;
  me.on_change = nullptr;
  if (stream_->local) stream_->notify(1 - side_);
}

void SimSocket::reset() {
  End& me = stream_->ends[side_];
  if (me.closed) return;
  me.closed = true;
  me.on_change = nullptr;
  stream_->net.send_reset(*stream_, side_);
}

bool SimSocket::is_closed() const { return stream_->ends[side_].closed; }
const Address& SimSocket::address() const { return stream_->ends[side_].address; }

Address SimSocket::peer_address() const {
  if (stream_->ends[side_].error != 0) return {};
  return stream_->ends[1 - side_].address;
}

// ---- moving bytes

std::shared_ptr<SimStream> SimNet::make_stream() {
  auto stream = std::make_shared<SimStream>(*this);
  std::erase_if(streams_, [](const auto& each) { return each.expired(); });
  streams_.push_back(stream);
  return stream;
}

Micros SimNet::draw_delay(const StreamPolicy& policy) {
  const auto span = static_cast<uint64_t>(policy.delay_max - policy.delay_min);
  return policy.delay_min + (span == 0 ? 0 : static_cast<Micros>(world_.prng().below(span + 1)));
}

// A run that stands apart comes its gap behind the one before, whatever their delays.
void SimNet::enqueue(SimStream& stream, int side, std::string bytes, uint8_t mark, bool apart) {
  Direction& way = stream.from[side];
  const Instant due =
      std::max(way.last_due + (apart ? way.policy.gap : 0), world_.now() + draw_delay(way.policy));
  way.last_due = due;
  way.under_way_bytes += bytes.size();
  way.under_way.push_back({.bytes = std::move(bytes), .mark = Mark{mark}, .due = due});
  world_.at(due, [this, owner = stream.shared_from_this(), side] { deliver(*owner, side); });
}

// Everything of this side that is due arrives, unless the way is cut.
void SimNet::deliver(SimStream& stream, int side) {
  Direction& way = stream.from[side];
  if (is_cut(stream.ends[side].host, stream.ends[1 - side].host)) return;
  bool changed = false;
  while (!way.under_way.empty() && way.under_way.front().due <= world_.now()) {
    const Run run = std::move(way.under_way.front());
    way.under_way.pop_front();
    way.under_way_bytes -= run.bytes.size();
    changed = true;
    world_.trace("deliver", run.bytes.size(), run.mark);
    world_.trace_bytes(run.bytes);
    if (run.mark == kReset) {
      fail(stream, 1 - side, ECONNRESET);
    } else if (run.mark == kFin) {
      way.fin_arrived = true;
    } else if (stream.ends[1 - side].closed) {
      // Nobody is there to take it, and the writer is told.
      if (stream.ends[side].error == 0) send_reset(stream, 1 - side);
    } else {
      way.arrived += run.bytes;
    }
  }
  if (changed) stream.notify(1 - side);
}

// A reset has come to this side: nothing will be sent any more; what arrived may still be read.
void SimNet::fail(SimStream& stream, int side, int error) {
  if (stream.ends[side].error != 0) return;
  stream.ends[side].error = error;
  Direction& out = stream.from[side];
  out.under_way.clear();
  out.under_way_bytes = 0;
}

// This side knows the stream no more; what it has not read is lost.
void SimNet::send_reset(SimStream& stream, int side) {
  Direction& in = stream.from[1 - side];
  in.arrived.clear();
  in.arrived_at = 0;
  enqueue(stream, side, {}, kReset);
}

void SimNet::cut(int from, int to) { cuts_.insert({from, to}); }

void SimNet::heal(int from, int to) {
  cuts_.erase({from, to});
  for (const auto& weak : std::vector(streams_)) {
    const auto stream = weak.lock();
    if (stream == nullptr) continue;
    for (int side = 0; side < 2; ++side) deliver(*stream, side);
  }
}

// ---- listening and connecting

void SimNet::set_policies(const StreamPolicy& to_server, const StreamPolicy& to_client) {
  to_server_ = to_server;
  to_client_ = to_client;
}

Address SimNet::address_of(int host, uint16_t port) {
  if (host == kOutside) return *Address::from_ip("127.0.0.1", port);
  return *Address::from_ip("10.0.0." + std::to_string(host + 1), port);
}

int SimNet::host_of(int from, const Address& address) const {
  if (address.is_loopback() || address.is_unix()) return from;
  const std::string host = address.host();
  if (host == "0.0.0.0" || host == "::") return from;
  if (!host.starts_with("10.0.0.")) return kNobody;
  return std::stoi(host.substr(7)) - 1;
}

namespace {

bool is_any(const Address& address) {
  return !address.is_unix() && address.host() == (address.is_ip6() ? "::" : "0.0.0.0");
}

// Whether some connection could go to both.
bool overlap(const Address& a, const Address& b) {
  if (a == b) return true;
  if (a.is_unix() || b.is_unix() || a.is_ip6() != b.is_ip6()) return false;
  return a.port() == b.port() && (is_any(a) || is_any(b));
}

}  // namespace

// The one that names the address goes before one that takes any.
SimListener* SimNet::find_listener(int host, const Address& address) {
  SimListener* found = nullptr;
  for (const auto& listener : listeners_) {
    if (listener->host != host) continue;
    if (listener->address == address) return listener.get();
    if (is_any(listener->address) && overlap(listener->address, address)) found = listener.get();
  }
  return found;
}

bool SimNet::is_taken(int host, const Address& address, bool shares_port) const {
  return std::any_of(listeners_.begin(), listeners_.end(), [&](const auto& listener) {
    return listener->host == host && overlap(listener->address, address) &&
           !(shares_port && listener->shares_port);
  });
}

std::shared_ptr<SimListener> SimNet::listen(int host, const Address& wanted,
                                            const ListenOptions& options, int& error) {
  Address address = wanted;
  if (host_of(host, wanted) != host) {
    error = EADDRNOTAVAIL;
    return nullptr;
  }
  if (!wanted.is_unix() && wanted.port() == 0) {
    address = *Address::from_ip(wanted.host(), next_port_++);
  } else if (is_taken(host, wanted, options.shares_port)) {
    error = EADDRINUSE;
    return nullptr;
  }
  listeners_.push_back(
      std::make_shared<SimListener>(SimListener{.host = host,
                                                .address = address,
                                                .backlog = static_cast<size_t>(options.backlog),
                                                .shares_port = options.shares_port,
                                                .waiting = {},
                                                .on_change = {}}));
  error = 0;
  return listeners_.back();
}

void SimNet::stop_listening(SimListener& listener) {
  for (SimSocket& socket : listener.waiting) socket.reset();
  listener.waiting.clear();
  std::erase_if(listeners_, [&](const auto& each) { return each.get() == &listener; });
}

uint64_t SimNet::connect(int from, int to, const Address& address, Connected connected) {
  const uint64_t ticket = ++tickets_;
  attempts_[ticket] = {
      .from = from, .to = to, .address = address, .connected = std::move(connected)};
  world_.after(draw_delay(to_server_), [this, ticket] { knock(ticket); });
  return ticket;
}

// The attempt has reached the other host, or not: then it is made again later.
void SimNet::knock(uint64_t ticket) {
  const auto found = attempts_.find(ticket);
  if (found == attempts_.end()) return;
  const Attempt& attempt = found->second;
  const bool gets_through = !is_cut(attempt.from, attempt.to) && !is_cut(attempt.to, attempt.from);
  SimListener* const listener = find_listener(attempt.to, attempt.address);
  const bool is_full = listener != nullptr && listener->waiting.size() > listener->backlog;
  if (!gets_through || is_full) {
    world_.after(kKnockAgain, [this, ticket] { knock(ticket); });
    return;
  }
  const Attempt taken = attempt;
  attempts_.erase(found);
  world_.trace("connect", static_cast<uint64_t>(taken.to), taken.address.port());
  if (listener == nullptr) {
    taken.connected(taken.address.is_unix() ? ENOENT : ECONNREFUSED, {});
    return;
  }
  const auto stream = make_stream();
  stream->local = taken.address.is_unix();
  stream->from[0].policy = to_server_;
  stream->from[1].policy = to_client_;
  stream->ends[0].host = taken.from;
  stream->ends[1].host = taken.to;
  stream->ends[1].address = taken.address;
  if (!taken.address.is_unix()) {
    const bool own = taken.address.is_loopback();
    stream->ends[0].address = address_of(own ? kOutside : taken.from, next_port_++);
  }
  listener->waiting.push_back(SimSocket(stream, 1));
  if (listener->on_change) listener->on_change();
  taken.connected(0, SimSocket(stream, 0));
}

std::pair<SimSocket, SimSocket> SimNet::pair(int host) {
  const auto stream = make_stream();
  stream->local = true;
  stream->from[0].policy = to_server_;
  stream->from[1].policy = to_client_;
  stream->ends[0].host = host;
  return {SimSocket(stream, 0), SimSocket(stream, 1)};
}

}  // namespace ouro
