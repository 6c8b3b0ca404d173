// SPDX-License-Identifier: BSD-3-Clause
// Connections, listeners and dialers over every back end, with plain sockets as peers.
#include "server/net/connection.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "backends.h"
#include "datastructs/base/prng.h"
#include "server/net/dialer.h"
#include "server/net/listener.h"

namespace ouro {
namespace {

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

std::string pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 7 % 253 + i / 65536);
  return text;
}

TEST_P(NetTest, EchoesBytesSplitAtEveryPosition) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  const std::string message = "*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n";
  for (size_t at = 0; at <= message.size(); ++at) {
    EXPECT_TRUE(at == 0 || client->write(message.substr(0, at)) == at);
    turn(0);
    const std::string rest = message.substr(at);
    EXPECT_TRUE(rest.empty() || client->write(rest) == rest.size());
    EXPECT_EQ(read_all(*client, message.size()), message);
  }
  EXPECT_EQ(peer.connection.local_text(), listener->address().text());
  EXPECT_EQ(peer.connection.peer_text(), client->local_text());
}

TEST_P(NetTest, ManyRepliesToASlowReaderArriveWhole) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  const std::string reply = pattern(12'000'000);
  // Small appends and large pinned values, mixed.
  for (size_t at = 0; at < reply.size(); at += 1'000'000) {
    peer.out().append(ByteView(reply).substr(at, 300'000));
    Blob* const blob = Blob::create_from(heap, ByteView(reply).substr(at + 300'000, 700'000));
    peer.out().append_blob(blob, blob->view());
    Blob::unpin(heap, blob);
  }
  peer.connection.touch();
  std::string got;
  Prng prng(3);
  for (int i = 0; i < 20'000 && got.size() < reply.size(); ++i) {
    turn(1);
    if (prng.below(3) == 0) got += client->read(100'000);
  }
  EXPECT_TRUE(got == reply);
  EXPECT_TRUE(turns_until([&] { return peer.out().empty(); }));
  EXPECT_EQ(list.totals.output_bytes, reply.size());
}

TEST_P(NetTest, AResetInMidReplyClosesOnce) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.out().append(pattern(8'000'000));
  peer.connection.touch();
  for (int i = 0; i < 5; ++i) turn(1);
  EXPECT_FALSE(peer.out().empty());
  (void)client->read(1000);
  client->reset();
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
  EXPECT_FALSE(peer.closed_why.empty());
  EXPECT_TRUE(list.totals.output_bytes < 8'000'000);
}

TEST_P(NetTest, CloseWithOperationsInFlight) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.out().append(pattern(8'000'000));
  peer.connection.touch();
  for (int i = 0; i < 5; ++i) turn(1);  // a send waits for the reader now, and a receive for bytes
  peer.connection.close("killed");
  peer.connection.close("killed again");
  EXPECT_EQ(peer.closed_why, "killed");
  EXPECT_NE(peer.connection.state(), Connection::State::kIdle);
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
}

// The endpoint of a closing connection may still be acted on, and its owner touches it then.
TEST_P(NetTest, TouchingAClosingConnectionDoesNothing) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.connection.close("killed");
  for (int i = 0; i < 100 && idle == 0; ++i) {
    peer.connection.touch();
    loop->run_once(1);
  }
  EXPECT_EQ(idle, 1U);
}

TEST_P(NetTest, AHalfClosedPeerGetsItsReplies) {
  std::optional<Peer> client;
  connect(client);
  const std::string message = pattern(200'000);
  for (size_t at = 0; at < message.size();) {
    at += client->write(ByteView(message).substr(at));
    turn(0);
  }
  client->shutdown_write();
  EXPECT_TRUE(read_all(*client, message.size()) == message);
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
  EXPECT_EQ(client->read(), "");
  EXPECT_TRUE(client->ended());
}

TEST_P(NetTest, FinishingSendsWhatIsThereThenCloses) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.out().append(pattern(3'000'000));
  peer.out().append("-ERR bye\r\n");
  peer.now_state = EndpointState::kFinishing;
  peer.connection.touch();
  const std::string got = read_all(*client, 3'000'010);
  EXPECT_EQ(got.size(), 3'000'010U);
  EXPECT_EQ(got.substr(3'000'000), "-ERR bye\r\n");
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
}

TEST_P(NetTest, DoomedClosesAtOnce) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.out().append("never sent");
  peer.now_state = EndpointState::kDoomed;
  peer.connection.touch();
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
  EXPECT_EQ(client->read(), "");
  EXPECT_TRUE(client->ended());
}

TEST_P(NetTest, AnEndpointThatRefusesInputStopsThePeerAndGoesOnLater) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.echoes = false;
  peer.now_state = EndpointState::kNotReading;
  size_t sent = 0;
  const std::string chunk(65536, 'c');
  size_t stuck = 0;
  // Until the socket's buffers are full: what came in is a few receives at most.
  while (stuck < 20) {
    const size_t count = client->write(chunk);
    sent += count;
    stuck = count == 0 ? stuck + 1 : 0;
    turn(1);
  }
  EXPECT_LT(peer.got.size(), sent);
  EXPECT_LE(peer.got.size(), 4_MiB);
  peer.now_state = EndpointState::kOpen;
  peer.connection.touch();
  EXPECT_TRUE(turns_until([&] { return peer.got.size() == sent; }));
  // Refusing while nothing comes costs nothing, and the next bytes are taken as usual.
  peer.now_state = EndpointState::kNotReading;
  peer.connection.touch();
  turn(0);
  peer.now_state = EndpointState::kOpen;
  peer.connection.touch();
  ASSERT_EQ(client->write("tail"), 4U);
  EXPECT_TRUE(turns_until([&] { return peer.got.size() == sent + 4; }));
}

TEST_P(NetTest, OutputWaitsForItsRelease) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.released_to = 5;
  peer.out().release_at(5);
  peer.out().append("early ");
  peer.out().release_at(6);
  peer.out().append("late");
  peer.connection.touch();
  EXPECT_EQ(read_all(*client, 6), "early ");
  for (int i = 0; i < 20; ++i) turn(0);
  EXPECT_EQ(client->read(), "");
  peer.released_to = 6;  // nobody touches the connection
  EXPECT_EQ(read_all(*client, 4), "late");
}

// A bulk of 10 MB goes to its own memory; what stands before and behind it goes to on_bytes.
TEST_P(NetTest, ALargeBulkIsReceivedIntoItsPlace) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.echoes = false;
  const std::string bulk = pattern(10'000'000);
  ASSERT_EQ(client->write("head"), 4U);
  ASSERT_TRUE(turns_until([&] { return peer.got == "head"; }));
  for (int round = 0; round < 3; ++round) {
    peer.got.clear();
    peer.fills = 0;
    peer.filled_max = 0;
    peer.bulk.assign(bulk.size(), '\0');
    peer.missing = bulk.size();
    const std::string sent = bulk + "tail";
    for (size_t at = 0; at < sent.size();) {
      at += client->write(ByteView(sent).substr(at, 500'000));
      turn(0);
    }
    ASSERT_TRUE(turns_until([&] { return peer.got == "tail"; }));
    EXPECT_EQ(peer.missing, 0U);
    EXPECT_TRUE(peer.bulk == bulk);
    // At least one of the parts came by receive_into: nothing that is handed out is that large.
    EXPECT_GT(peer.filled_max, 64_KiB);
  }
}

TEST_P(NetTest, ASmallRemainderOfABulkIsCopied) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.echoes = false;
  peer.bulk.assign(1000, '\0');
  peer.missing = 1000;
  const std::string sent = pattern(1000) + "tail";
  for (const char byte : sent) {
    ASSERT_EQ(client->write({&byte, 1}), 1U);
    turn(0);
  }
  ASSERT_TRUE(turns_until([&] { return peer.got == "tail"; }));
  EXPECT_EQ(peer.bulk, pattern(1000));
}

TEST_P(NetTest, APeerThatVanishesInMidBulkClosesTheConnection) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.bulk.assign(5'000'000, '\0');
  peer.missing = peer.bulk.size();
  for (size_t at = 0; at < 2'000'000;) {
    at += client->write(pattern(100'000));
    turn(0);
  }
  client->close();
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
  EXPECT_GE(peer.bulk.size() - peer.missing, 2'000'000U);
  EXPECT_FALSE(peer.closed_why.empty());
}

TEST_P(NetTest, CloseInMidBulkKeepsTheMemoryUntilIdle) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.bulk.assign(5'000'000, '\0');
  peer.missing = peer.bulk.size();
  ASSERT_GT(client->write(pattern(100'000)), 0U);
  for (int i = 0; i < 10; ++i) turn(1);
  ASSERT_TRUE(peer.missing > 0);
  peer.connection.close("killed");
  while (client->write(pattern(100'000)) > 0) turn(0);
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
}

TEST_P(NetTest, AThousandConnectionsEcho) {
  const size_t count = 1000;
  std::vector<Peer> clients;
  for (size_t i = 0; i < count; ++i) {
    clients.push_back(connect_peer(listener->address()));
    if (i % 100 == 99) {
      ASSERT_TRUE(turns_until([&] { return peers.size() == i + 1; }));
    }
  }
  EXPECT_EQ(heap.used_bytes(), 0U);  // an idle connection holds no buffer
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> got(count);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_GT(clients[i].write("message " + std::to_string(i)), 0U);
    }
    size_t whole = 0;
    ASSERT_TRUE(turns_until([&] {
      whole = 0;
      for (size_t i = 0; i < count; ++i) {
        got[i] += clients[i].read(100);
        whole += got[i] == "message " + std::to_string(i) ? 1U : 0U;
      }
      return whole == count;
    }));
  }
  for (size_t i = 0; i < count; ++i) {
    if (i % 2 == 0) clients[i].close();
    if (i % 3 == 0) clients[i].reset();
  }
  EXPECT_TRUE(turns_until([&] { return idle >= count / 2; }));
}

TEST_P(NetTest, RandomTrafficArrivesInOrder) {
  Prng prng(11);
  struct Stream {
    std::optional<Peer> client;
    EchoPeer* peer = nullptr;
    size_t sent = 0;
    size_t received = 0;
  };
  const std::string text = pattern(1'000'000);
  std::vector<Stream> streams(20);
  for (Stream& stream : streams) stream.peer = &connect(stream.client);
  for (int step = 0; step < 20'000; ++step) {
    Stream& stream = streams[prng.below(streams.size())];
    if (prng.below(2) == 0 && stream.sent < text.size()) {
      const size_t size = 1 + (prng.below(10) == 0 ? prng.below(60'000) : prng.below(200));
      stream.sent += stream.client->write(ByteView(text).substr(stream.sent, size));
    } else {
      const std::string bytes = stream.client->read(1 + prng.below(20'000));
      ASSERT_TRUE(text.compare(stream.received, bytes.size(), bytes) == 0) << step;
      stream.received += bytes.size();
    }
    if (prng.below(4) == 0) turn(0);
  }
  for (Stream& stream : streams) {
    const std::string rest = read_all(*stream.client, stream.sent - stream.received);
    EXPECT_TRUE(text.compare(stream.received, rest.size(), rest) == 0);
    EXPECT_EQ(stream.received + rest.size(), stream.sent);
    EXPECT_EQ(stream.peer->got.size(), stream.sent);
  }
}

TEST_P(NetTest, ListenersBindSeveralAddressesToOnePort) {
  Listeners listeners(*loop, log, *this);
  const ByteView binds[] = {"127.0.0.1", "-::1", "-203.0.113.77", "127.0.0.2"};
  std::string failed;
  ASSERT_EQ(listeners.open_tcp({.port = 0, .binds = binds}, {}, failed), 0) << failed;
  const uint16_t port = listeners.port();
  ASSERT_NE(port, 0);
  for (const auto& each : listeners.all()) EXPECT_EQ(each->address().port(), port);
  const Peer client = connect_peer(*Address::from_ip("127.0.0.2", port));
  EXPECT_TRUE(turns_until([&] { return peers.size() == 1; }));

  Listeners second(*loop, log, *this);
  EXPECT_EQ(second.open_tcp({.port = port, .binds = {binds, 1}}, {}, failed), EADDRINUSE);
  EXPECT_EQ(failed, "127.0.0.1");
  const ByteView nowhere[] = {"203.0.113.77"};
  EXPECT_EQ(second.open_tcp({.port = 0, .binds = nowhere}, {}, failed), EADDRNOTAVAIL);
  listeners.close_all();
  EXPECT_TRUE(turns_until([&] { return listeners.is_idle() && second.is_idle(); }));
  // Closed is closed: the port is free again.
  EXPECT_EQ(second.open_tcp({.port = port, .binds = {binds, 1}}, {}, failed), 0);
  second.close_all();
  EXPECT_TRUE(turns_until([&] { return second.is_idle(); }));
}

// CONFIG SET port and bind: a change that fails leaves all as it was.
TEST_P(NetTest, ListenersChangeAsAWholeOrNotAtAll) {
  Listeners listeners(*loop, log, *this);
  Listeners other(*loop, log, *this);
  const ByteView binds[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
  std::string failed;
  ASSERT_EQ(listeners.open_tcp({.port = 0, .binds = {binds, 2}}, {}, failed), 0) << failed;
  const uint16_t port = listeners.port();
  ASSERT_EQ(other.open_tcp({.port = port, .binds = {binds + 2, 1}}, {}, failed), 0) << failed;
  const Listener* const first = listeners.all()[0].get();

  EXPECT_EQ(listeners.open_tcp({.port = port, .binds = binds}, {}, failed), EADDRINUSE);
  EXPECT_EQ(failed, "127.0.0.3");
  EXPECT_EQ(listeners.all().size(), 2U);
  Peer client = connect_peer(*Address::from_ip("127.0.0.2", port));
  EXPECT_TRUE(turns_until([&] { return peers.size() == 1; }));

  other.close_all();
  EXPECT_TRUE(turns_until([&] { return other.is_idle(); }));
  const ByteView changed[] = {"127.0.0.3", "127.0.0.1"};
  EXPECT_EQ(listeners.open_tcp({.port = port, .binds = changed}, {}, failed), 0);
  EXPECT_EQ(listeners.all().size(), 2U);
  EXPECT_EQ(listeners.all()[1].get(), first);
  EXPECT_EQ(listeners.open_tcp({.port = 0, .binds = {}}, {}, failed), 0);
  EXPECT_TRUE(turns_until([&] { return listeners.is_idle(); }));
}

// From all addresses to one of them on the same port and back, each time through overlap; nobody
// else may share the port, then or later.
TEST_P(NetTest, ListenersChangeToAnAddressThatOverlaps) {
  Listeners listeners(*loop, log, *this);
  Listeners other(*loop, log, *this);
  const ByteView all[] = {"*"};
  const ByteView one[] = {"127.0.0.1"};
  std::string failed;
  ASSERT_EQ(listeners.open_tcp({.port = 0, .binds = all}, {}, failed), 0) << failed;
  const uint16_t port = listeners.port();
  for (const auto& binds : {one, all, one}) {
    EXPECT_EQ(listeners.open_tcp({.port = port, .binds = {binds, 1}}, {}, failed), 0) << failed;
    EXPECT_EQ(listeners.all().size(), 1U);
    EXPECT_EQ(other.open_tcp({.port = port, .binds = one}, {}, failed), EADDRINUSE);
    EXPECT_EQ(other.open_tcp({.port = port, .binds = all}, {}, failed), EADDRINUSE);
    for (int i = 0; i < 5; ++i) turn(0);
    const size_t before = peers.size();
    Peer client = connect_peer(*Address::from_ip("127.0.0.1", port));
    EXPECT_TRUE(turns_until([&] { return peers.size() == before + 1; }));
  }
  listeners.close_all();
  EXPECT_TRUE(turns_until([&] { return listeners.is_idle(); }));
}

// From one port to another and back before the loop has closed anything.
TEST_P(NetTest, ListenersComeBackToAPortThatIsStillBeingClosed) {
  Listeners listeners(*loop, log, *this);
  Listeners other(*loop, log, *this);
  const ByteView one[] = {"127.0.0.1"};
  std::string failed;
  ASSERT_EQ(other.open_tcp({.port = 0, .binds = one}, {}, failed), 0) << failed;
  const uint16_t elsewhere = other.port();
  other.close_all();
  EXPECT_TRUE(turns_until([&] { return other.is_idle(); }));
  ASSERT_EQ(listeners.open_tcp({.port = 0, .binds = one}, {}, failed), 0) << failed;
  const uint16_t port = listeners.port();
  for (const uint16_t next : {elsewhere, port, elsewhere, port}) {
    EXPECT_EQ(listeners.open_tcp({.port = next, .binds = one}, {}, failed), 0) << failed;
    EXPECT_EQ(listeners.port(), next);
  }
  EXPECT_TRUE(turns_until(
      [&] { return other.open_tcp({.port = elsewhere, .binds = one}, {}, failed) == 0; }));
  EXPECT_EQ(other.open_tcp({.port = port, .binds = one}, {}, failed), EADDRINUSE);
  const Peer client = connect_peer(*Address::from_ip("127.0.0.1", port));
  EXPECT_TRUE(turns_until([&] { return peers.size() == 1; }));
  listeners.close_all();
  other.close_all();
  EXPECT_TRUE(turns_until([&] { return listeners.is_idle() && other.is_idle(); }));
}

TEST_P(NetTest, AUnixSocketHasItsPermissionsAndIsRemoved) {
  const std::string path = "/tmp/ouro-net-" + std::to_string(::getpid()) + ".sock";
  Listeners listeners(*loop, log, *this);
  ASSERT_EQ(listeners.open_unix(path, {.unix_permissions = 0700}), 0);
  EXPECT_EQ(listeners.port(), 0);
  std::optional<Peer> client(connect_peer(*Address::from_unix(path)));
  ASSERT_TRUE(turns_until([&] { return peers.size() == 1; }));
  ASSERT_EQ(client->write("over unix"), 9U);
  EXPECT_EQ(read_all(*client, 9), "over unix");
  EXPECT_EQ(peers[0]->connection.local_text(), path + ":0");
  struct stat facts {};
  if (!is_simulated()) {
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0700U);
  }
  listeners.close_all();
  EXPECT_TRUE(turns_until([&] { return listeners.is_idle(); }));
  EXPECT_NE(::stat(path.c_str(), &facts), 0);
}

TEST_P(NetTest, AcceptingPausesWithoutDescriptorsAndGoesOn) {
#ifdef __SANITIZE_ADDRESS__
  if (!is_simulated()) GTEST_SKIP() << "the check of virtual calls needs descriptors itself";
#endif
  const Peer client = connect_peer(listener->address());
  allow_descriptors(false);
  EXPECT_TRUE(turns_until([&] { return !log.lines.empty(); }));
  for (int i = 0; i < 5; ++i) turn(1);
  allow_descriptors(true);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_NE(log.lines[0].find("Too many open files"), std::string::npos) << log.lines[0];
  EXPECT_TRUE(turns_until([&] { return peers.size() == 1; }));
}

TEST_P(NetTest, DialerHandsOverASocketOrAnError) {
  Dialer dialer(*loop, *this);
  dialer.dial(listener->address(), 5000, {.no_delay = true, .keep_alive_seconds = 60});
  EXPECT_TRUE(turns_until([&] { return dialed.is_open() && peers.size() == 1; }));
  Peer near = peer_of(dialed);
  ASSERT_EQ(near.write("dialed"), 6U);
  EXPECT_EQ(read_all(near, 6), "dialed");

  const ListenOutcome closed = loop->listen(*Address::from_ip("127.0.0.1", 0), {});
  close_now(closed.fd.number);
  dialer.dial(closed.bound, 5000, {});
  EXPECT_TRUE(turns_until([&] { return dial_error != 0; }));
  EXPECT_EQ(dial_error, ECONNREFUSED);
}

// A listening socket whose queue is full lets a connection wait without an answer.
TEST_P(NetTest, DialerGivesUpAfterItsTime) {
  const ListenOutcome silent = loop->listen(*Address::from_ip("127.0.0.1", 0), {.backlog = 1});
  ASSERT_EQ(silent.error, 0);
  std::vector<Peer> fillers;
  for (int i = 0; i < 4; ++i) fillers.push_back(connect_peer(silent.bound));
  Dialer dialer(*loop, *this);
  dialer.dial(silent.bound, 30, {});
  EXPECT_TRUE(turns_until([&] { return dial_error != 0; }));
  EXPECT_EQ(dial_error, ETIMEDOUT);
  EXPECT_TRUE(dialer.is_idle());
  dial_error = 0;
  dialer.dial(silent.bound, 60'000, {});
  turn(0);
  dialer.cancel();
  EXPECT_TRUE(turns_until([&] { return dialer.is_idle(); }));
  EXPECT_EQ(dial_error, 0);
  close_now(silent.fd.number);
}

INSTANTIATE_TEST_SUITE_P(Net, NetTest, all_backends(), backend_name);

static_assert(sizeof(Connection) <= 320);

}  // namespace
}  // namespace ouro
