// SPDX-License-Identifier: BSD-3-Clause
// Connections over every back end, with plain sockets as peers.
#include "server/net/connection.h"

#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "net_fixture.h"

namespace ouro {
namespace {

class ConnectionTest : public NetTest {};

std::string pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 7 % 253 + i / 65536);
  return text;
}

TEST_P(ConnectionTest, EchoesBytesSplitAtEveryPosition) {
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

TEST_P(ConnectionTest, ManyRepliesToASlowReaderArriveWhole) {
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

TEST_P(ConnectionTest, AResetInMidReplyClosesOnce) {
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

TEST_P(ConnectionTest, CloseWithOperationsInFlight) {
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
TEST_P(ConnectionTest, TouchingAClosingConnectionDoesNothing) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.connection.close("killed");
  for (int i = 0; i < 100 && idle == 0; ++i) {
    peer.connection.touch();
    loop->run_once(1);
  }
  EXPECT_EQ(idle, 1U);
}

TEST_P(ConnectionTest, AHalfClosedPeerGetsItsReplies) {
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

TEST_P(ConnectionTest, FinishingSendsWhatIsThereThenCloses) {
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

TEST_P(ConnectionTest, DoomedClosesAtOnce) {
  std::optional<Peer> client;
  EchoPeer& peer = connect(client);
  peer.out().append("never sent");
  peer.now_state = EndpointState::kDoomed;
  peer.connection.touch();
  ASSERT_TRUE(turns_until([&] { return idle == 1; }));
  EXPECT_EQ(client->read(), "");
  EXPECT_TRUE(client->ended());
}

TEST_P(ConnectionTest, AnEndpointThatRefusesInputStopsThePeerAndGoesOnLater) {
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

TEST_P(ConnectionTest, OutputWaitsForItsRelease) {
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
TEST_P(ConnectionTest, ALargeBulkIsReceivedIntoItsPlace) {
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

TEST_P(ConnectionTest, ASmallRemainderOfABulkIsCopied) {
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

TEST_P(ConnectionTest, APeerThatVanishesInMidBulkClosesTheConnection) {
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

TEST_P(ConnectionTest, CloseInMidBulkKeepsTheMemoryUntilIdle) {
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

TEST_P(ConnectionTest, AThousandConnectionsEcho) {
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

TEST_P(ConnectionTest, RandomTrafficArrivesInOrder) {
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

INSTANTIATE_TEST_SUITE_P(Net, ConnectionTest, all_backends(), backend_name);

static_assert(sizeof(Connection) <= 320);

}  // namespace
}  // namespace ouro
