// SPDX-License-Identifier: BSD-3-Clause
// A load generator for RESP and memcached's text protocol, over the project's own Loop.
//
//      ouro_load --port 6379 --protocol resp --operation get --count 1000000 --pipeline 16
//
// Closed loop (without --rate), as redis-benchmark: a connection sends --pipeline requests, waits
// for all replies, and sends the next ones. Open loop (--rate R): requests fall due at R a second
// with exponential gaps, as many independent users make them, whatever the server does; a reply's
// latency counts from the moment its request was due, not from when it could be sent, so a stall is
// seen by all requests that it held up. --pipeline then bounds what is in flight on a connection.
// Of ten requests of a `mixed` run --gets-of-ten are GETs (9 unless it is said), the others SETs.
//
// Every reply is compared with what it must be; `fill` stores all keys first, in order. One line of
// CSV: operation, connections, pipeline, operations a second, p50, p99, p99.9 and longest latency
// in microseconds, errors (wrong and missing replies). Exit code 1 if there were errors, 2 for bad
// arguments.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "load/messages.h"
#include "server/io/probe.h"
#include "server/io/process.h"
#include "server/net/connection.h"
#include "server/net/dialer.h"

namespace ouro {
namespace {

// Bounds of the arguments: what a machine with loopback alone can use, and what memory allows (a
// request in flight is noted in 24 bytes).
constexpr uint64_t kConnectionsMax = 20'000;
constexpr uint64_t kPipelineMax = 10'000;
constexpr uint64_t kCountMax = 1'000'000'000;
constexpr uint64_t kRateMax = 10'000'000;
constexpr uint64_t kValueBytesMax = 512_MiB;
constexpr Millis kDialMs = 5000;
constexpr Micros kSilenceUs = 30'000'000;  // without any reply for so long the run is given up

enum class Operation : uint8_t { kGet, kSet, kMixed, kFill };
constexpr const char* kOperationNames[] = {"get", "set", "mixed", "fill"};
constexpr const char* kProtocolNames[] = {"resp", "memcached"};

struct Arguments {
  uint64_t port = 0;
  Protocol protocol = Protocol::kResp;
  Operation operation = Operation::kGet;
  uint64_t connections = 50;
  uint64_t pipeline = 1;
  uint64_t keys = 100'000;
  uint64_t value_bytes = 64;
  uint64_t count = 100'000;
  uint64_t rate = 0;         // 0: closed loop
  uint64_t gets_of_ten = 9;  // mixed
  uint64_t seed = 1;
};

// Counts latencies by the microsecond; those of ten seconds and more are one. Pages of cells that
// nothing falls into are never touched.
class Latencies {
 public:
  void record(Micros latency) {
    ++cells_[static_cast<size_t>(std::min<Micros>(latency, kCells - 1))];
    longest_ = std::max(longest_, latency);
    ++count_;
  }
  // The least latency that so many percent of all do not exceed.
  Micros percentile(double percent) const {
    const double wanted = std::ceil(static_cast<double>(count_) * percent / 100);
    uint64_t seen = 0;
    for (size_t cell = 0; cell + 1 < kCells; ++cell) {
      seen += cells_[cell];
      if (static_cast<double>(seen) >= wanted) return static_cast<Micros>(cell);
    }
    return longest_;
  }
  Micros longest() const { return longest_; }

 private:
  static constexpr size_t kCells = 10'000'000;
  std::unique_ptr<uint32_t[]> cells_ = std::make_unique<uint32_t[]>(kCells);
  Micros longest_ = 0;
  uint64_t count_ = 0;
};

class LoadRun;

// One connection: its requests in flight, oldest first, and the check of their replies.
class Peer final : public Endpoint {
 public:
  Peer(LoadRun& run, SocketFd fd);
  // Requires has_room(). Latency counts from `since`.
  void request(bool is_get, uint64_t key, Instant since);
  bool has_room() const { return state_ == EndpointState::kOpen && count_ < flights_.size(); }
  void finish();  // closes when what was appended is sent
  void give_up();

  void on_bytes(ByteView bytes) override;
  void on_closed(ByteView why) override;
  EndpointState state() const override { return state_; }
  OutBuffer& out() override { return out_; }

 private:
  struct Flight {
    uint64_t key;
    Instant since;
    bool is_get;
  };

  LoadRun& run_;
  std::vector<Flight> flights_;  // a ring
  size_t first_ = 0, count_ = 0;
  ReplyChecker checker_;  // of the first flight, once a byte of its reply came
  EndpointState state_ = EndpointState::kOpen;
  OutBuffer out_;
  Connection connection_;
};

class LoadRun final : public DialSink, public ConnectionOwner {
 public:
  LoadRun(Loop& loop_in, const Arguments& arguments_in)
      : loop(loop_in),
        arguments(arguments_in),
        language(language_of(arguments_in.protocol, arguments_in.value_bytes)),
        values(heap, arguments_in.value_bytes),
        dialer_(loop_in, *this),
        prng_(arguments_in.seed) {}

  // The exit code.
  int run() {
    if (!connect_all()) return 1;
    started_ = last_reply_ = loop.fresh_now();
    next_due_ = static_cast<double>(started_);
    if (arguments.rate == 0) {
      for (const auto& peer : peers_) on_drained(*peer);
    }
    while (idle_ < peers_.size()) {
      if (arguments.rate != 0) request_what_is_due();
      flush_list.flush_all();
      // An open loop does not sleep: the timer would wake it tens of microseconds late, and those
      // would be counted as the server's.
      loop.run_once(arguments.rate != 0 ? 0 : 100);
      if (replies_ == arguments.count) end_all(&Peer::finish);
      if (loop.now() - last_reply_ > kSilenceUs) end_all(&Peer::give_up);
    }
    return print_result();
  }

  void on_reply(Instant since, Instant now, bool is_wrong, ByteView near) {
    latencies_.record(std::max<Micros>(0, now - since));
    last_reply_ = now;
    ++replies_;
    if (!is_wrong) return;
    if (wrong_++ == 0) complain("wrong reply: ", near);
  }
  // A closed loop's connection has all replies.
  void on_drained(Peer& peer) {
    if (arguments.rate != 0) return;
    if (requests_ == arguments.count) return peer.finish();
    const Instant now = loop.fresh_now();
    while (peer.has_room() && requests_ < arguments.count) request(peer, now);
  }
  void complain(const char* what, ByteView text) {
    constexpr size_t kShownBytesMax = 100;
    std::fprintf(stderr, "ouro_load: %s", what);
    for (const char byte : text.substr(0, kShownBytesMax)) {
      std::fputc(byte >= ' ' && byte <= '~' ? byte : '.', stderr);
    }
    std::fputc('\n', stderr);
  }

  void on_dialed(SocketFd fd) override { peers_.push_back(std::make_unique<Peer>(*this, fd)); }
  void on_dial_failed(int error) override {
    complain("cannot connect: ", std::strerror(error));
    dial_failed_ = true;
  }
  void on_idle(Connection&) override { ++idle_; }

  Loop& loop;
  const Arguments& arguments;
  Heap heap;
  FlushList flush_list;
  Language language;
  Values values;

 private:
  // One after the other: a burst of thousands would overflow the server's backlog.
  bool connect_all() {
    const Address address = *Address::from_ip("127.0.0.1", static_cast<uint16_t>(arguments.port));
    while (peers_.size() < arguments.connections && !dial_failed_) {
      if (dialer_.is_idle()) dialer_.dial(address, kDialMs, {});
      loop.run_once(100);
    }
    if (!dial_failed_) return true;
    end_all(&Peer::give_up);
    while (idle_ < peers_.size()) {
      flush_list.flush_all();
      loop.run_once(100);
    }
    return false;
  }

  void request(Peer& peer, Instant since) {
    const uint64_t number = requests_++;
    const Operation operation = arguments.operation;
    const bool is_get = operation == Operation::kGet ||
                        (operation == Operation::kMixed && prng_.below(10) < arguments.gets_of_ten);
    const bool in_order = operation == Operation::kFill;
    peer.request(is_get, in_order ? number % arguments.keys : prng_.below(arguments.keys), since);
  }

  void request_what_is_due() {
    const double now = static_cast<double>(loop.fresh_now());
    const double gap_us = 1e6 / static_cast<double>(arguments.rate);
    while (next_due_ <= now && requests_ < arguments.count) {
      Peer* const peer = find_room();
      if (peer == nullptr) return;
      request(*peer, static_cast<Instant>(next_due_));
      next_due_ -= std::log(1.0 - prng_.unit()) * gap_us;
    }
  }

  // In turn, passing over those that have no room.
  Peer* find_room() {
    for (size_t tried = 0; tried < peers_.size(); ++tried) {
      Peer& peer = *peers_[next_peer_];
      next_peer_ = next_peer_ + 1 == peers_.size() ? 0 : next_peer_ + 1;
      if (peer.has_room()) return &peer;
    }
    return nullptr;
  }

  void end_all(void (Peer::*end)()) {
    for (const auto& peer : peers_) (*peer.*end)();
  }

  int print_result() {
    const uint64_t missing = arguments.count - replies_;
    if (missing != 0) complain("missing replies: ", std::to_string(missing));
    const uint64_t errors = wrong_ + missing;
    const double seconds = static_cast<double>(std::max<Micros>(1, last_reply_ - started_)) / 1e6;
    std::printf(
        "%s,%llu,%llu,%.0f,%lld,%lld,%lld,%lld,%llu\n",
        kOperationNames[static_cast<size_t>(arguments.operation)],
        static_cast<unsigned long long>(arguments.connections),
        static_cast<unsigned long long>(arguments.pipeline),
        static_cast<double>(replies_) / seconds, static_cast<long long>(latencies_.percentile(50)),
        static_cast<long long>(latencies_.percentile(99)),
        static_cast<long long>(latencies_.percentile(99.9)),
        static_cast<long long>(latencies_.longest()), static_cast<unsigned long long>(errors));
    return errors == 0 ? 0 : 1;
  }

  Dialer dialer_;
  Prng prng_;
  Latencies latencies_;
  std::vector<std::unique_ptr<Peer>> peers_;
  size_t idle_ = 0;       // peers whose connection is over
  size_t next_peer_ = 0;  // open loop: whose turn it is
  bool dial_failed_ = false;
  uint64_t requests_ = 0, replies_ = 0, wrong_ = 0;
  double next_due_ = 0;  // open loop: when the next request is due; an Instant with its fraction
  Instant started_ = 0, last_reply_ = 0;
};

Peer::Peer(LoadRun& run, SocketFd fd)
    : run_(run),
      flights_(run.arguments.pipeline),
      out_(run.heap),
      connection_(run.loop, run.flush_list, fd, *this, run) {}

void Peer::request(bool is_get, uint64_t key, Instant since) {
  flights_[(first_ + count_++) % flights_.size()] = {key, since, is_get};
  append_request(out_, is_get ? run_.language.get : run_.language.set, key, run_.values);
  connection_.touch();
}

void Peer::finish() {
  if (state_ != EndpointState::kOpen) return;
  state_ = EndpointState::kFinishing;
  connection_.touch();
}

void Peer::give_up() {
  if (state_ == EndpointState::kDoomed) return;
  state_ = EndpointState::kDoomed;
  connection_.touch();
}

void Peer::on_bytes(ByteView bytes) {
  const Instant now = run_.loop.fresh_now();
  while (!bytes.empty()) {
    if (count_ == 0) {
      run_.complain("bytes that nobody asked for: ", bytes);
      return give_up();
    }
    const Flight& flight = flights_[first_];
    Language& language = run_.language;
    if (checker_.is_complete()) {
      Message& expected = flight.is_get ? language.get_reply : language.set_reply;
      checker_.expect(expected, flight.key, run_.values);
    }
    const ByteView near = bytes;
    bytes.remove_prefix(checker_.feed(bytes));
    if (!checker_.is_complete()) return;
    run_.on_reply(flight.since, now, checker_.is_wrong(), near);
    first_ = first_ + 1 == flights_.size() ? 0 : first_ + 1;
    --count_;
  }
  if (count_ == 0) run_.on_drained(*this);
}

void Peer::on_closed(ByteView why) {
  if (state_ == EndpointState::kOpen) run_.complain("lost a connection: ", why);
  state_ = EndpointState::kDoomed;
}

// The index of a name, or the count of names.
template <size_t kCount>
size_t index_of(const char* const (&names)[kCount], ByteView name) {
  size_t index = 0;
  while (index < kCount && name != names[index]) ++index;
  return index;
}

int complain_of(ByteView name, const std::string& what) {
  std::fprintf(stderr, "ouro_load: %.*s %s\n", static_cast<int>(name.size()), name.data(),
               what.c_str());
  return 2;
}

// 0 or the exit code.
int parse(int argc, char** argv, Arguments& arguments) {
  struct Number {
    ByteView name;
    uint64_t& value;
    uint64_t min, max;
  };
  const Number numbers[] = {{"--port", arguments.port, 1, 65535},
                            {"--connections", arguments.connections, 1, kConnectionsMax},
                            {"--pipeline", arguments.pipeline, 1, kPipelineMax},
                            {"--keys", arguments.keys, 1, kKeysMax},
                            {"--value-bytes", arguments.value_bytes, 1, kValueBytesMax},
                            {"--count", arguments.count, 1, kCountMax},
                            {"--rate", arguments.rate, 1, kRateMax},
                            {"--gets-of-ten", arguments.gets_of_ten, 0, 10},
                            {"--seed", arguments.seed, 0, UINT64_MAX}};
  for (int at = 1; at < argc; at += 2) {
    const ByteView name = argv[at];
    if (at + 1 == argc) return complain_of(name, "needs a value");
    const ByteView text = argv[at + 1];
    if (name == "--protocol") {
      const size_t index = index_of(kProtocolNames, text);
      if (index == std::size(kProtocolNames)) return complain_of(name, "is resp or memcached");
      arguments.protocol = static_cast<Protocol>(index);
      continue;
    }
    if (name == "--operation") {
      const size_t index = index_of(kOperationNames, text);
      if (index == std::size(kOperationNames)) {
        return complain_of(name, "is get, set, mixed or fill");
      }
      arguments.operation = static_cast<Operation>(index);
      continue;
    }
    const Number* number = std::begin(numbers);
    while (number != std::end(numbers) && number->name != name) ++number;
    if (number == std::end(numbers)) return complain_of(name, "is not an option");
    const auto [end, error] = std::from_chars(text.begin(), text.end(), number->value);
    if (error != std::errc{} || end != text.end() || number->value < number->min ||
        number->value > number->max) {
      return complain_of(name, "is a number from " + std::to_string(number->min) + " to " +
                                   std::to_string(number->max));
    }
  }
  return arguments.port == 0 ? complain_of("--port", "is missing") : 0;
}

int load(int argc, char** argv) {
  Arguments arguments;
  if (const int code = parse(argc, argv, arguments); code != 0) return code;
  constexpr uint64_t kOwnDescriptors = 32;
  raise_descriptor_limit(arguments.connections + kOwnDescriptors);
  // The io_uring loop may linger for more arrivals (server/io/linger.h), which would be measured as
  // the server's latency; and for a client this one costs less (0.47 against 0.57 us a request at
  // pipeline 16).
  const ProbedLoop probed = make_loop(IoBackend::kEpoll);
  if (probed.loop == nullptr) return complain_of("loop:", probed.words);
  return std::make_unique<LoadRun>(*probed.loop, arguments)->run();
}

}  // namespace
}  // namespace ouro

int main(int argc, char** argv) { return ouro::load(argc, argv); }
