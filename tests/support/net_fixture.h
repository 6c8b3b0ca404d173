// SPDX-License-Identifier: BSD-3-Clause
// What the tests of server/net share: an endpoint that echoes, and a listener with its connections
// over one loop.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends.h"
#include "server/net/connection.h"
#include "server/net/dialer.h"
#include "server/net/listener.h"

namespace ouro {

class MemoryLog final : public Logger {
 public:
  void write(LogLevel, ByteView line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

// Echoes, or does as a test says.
class EchoPeer final : public Endpoint {
 public:
  EchoPeer(Loop& loop, FlushList& list, Heap& heap, ConnectionOwner& owner, SocketFd fd)
      : out_(heap), connection(loop, list, fd, *this, owner) {}

  void on_bytes(ByteView bytes) override {
    EXPECT_TRUE(closed_why.empty());
    EXPECT_TRUE(missing == 0);
    got += bytes;
    if (echoes) out_.append(bytes);
  }
  std::span<char> want() override { return {bulk.data() + bulk.size() - missing, missing}; }
  void on_filled(size_t bytes) override {
    EXPECT_LE(bytes, missing);
    missing -= bytes;
    ++fills;
    filled_max = std::max(filled_max, bytes);
  }
  void on_closed(ByteView why) override {
    EXPECT_TRUE(closed_why.empty());
    closed_why = why;
  }
  EndpointState state() const override { return now_state; }
  OutBuffer& out() override { return out_; }
  uint64_t released() const override { return released_to; }

 private:
  OutBuffer out_;  // outlives the connection's use of it

 public:
  std::string got;
  bool echoes = true;
  EndpointState now_state = EndpointState::kOpen;
  uint64_t released_to = kReleaseAll;
  std::string closed_why;
  std::string bulk;
  size_t missing = 0;  // of bulk
  size_t fills = 0;
  size_t filled_max = 0;
  Connection connection;
};

class NetTest : public LoopTest, public AcceptSink, public ConnectionOwner, public DialSink {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    if (IsSkipped()) return;
    listener.emplace(*loop, log, *this);
    ASSERT_EQ(listener->open(*Address::from_ip("127.0.0.1", 0), {}), 0);
  }
  void TearDown() override {
    if (!listener) return;  // there is no such loop here
    for (auto& peer : peers) peer->connection.close("end of test");
    listener->close();
    EXPECT_TRUE(turns_until([&] { return idle == peers.size() && listener->is_idle(); }));
    peers.clear();
    listener.reset();
    EXPECT_EQ(heap.used_bytes(), 0U);
    LoopTest::TearDown();
  }
  void on_accepted(SocketFd fd, const Listener&) override {
    peers.push_back(std::make_unique<EchoPeer>(*loop, list, heap, *this, fd));
  }
  void on_idle(Connection& connection) override {
    EXPECT_EQ(connection.state(), Connection::State::kIdle);
    ++idle;
  }
  void on_dialed(SocketFd fd) override { dialed = fd; }
  void on_dial_failed(int error) override { dial_error = error; }

  void turn(Millis wait = 10) {
    loop->run_once(wait);
    list.flush_all();
  }
  template <class Done>
  bool turns_until(Done done, int turns_max = 20000) {
    for (int i = 0; i < turns_max && !done(); ++i) turn();
    return done();
  }
  // A connected pair: the peer's socket, and our endpoint.
  EchoPeer& connect(std::optional<Peer>& client) {
    client.emplace(connect_peer(listener->address()));
    const size_t before = peers.size();
    EXPECT_TRUE(turns_until([&] { return peers.size() == before + 1; }));
    return *peers.back();
  }
  std::string read_all(Peer& client, size_t bytes) {
    std::string got;
    EXPECT_TRUE(turns_until([&] {
      got += client.read();
      return got.size() >= bytes || client.ended();
    }));
    return got;
  }

  MemoryLog log;
  Heap heap;
  FlushList list;
  std::optional<Listener> listener;
  std::vector<std::unique_ptr<EchoPeer>> peers;
  size_t idle = 0;
  SocketFd dialed;
  int dial_error = 0;
};

}  // namespace ouro
