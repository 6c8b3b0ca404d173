// SPDX-License-Identifier: BSD-3-Clause
// Listeners over every back end, with plain sockets as peers.
#include "server/net/listener.h"

#include <sys/stat.h>

#include <optional>
#include <string>

#include "net_fixture.h"

namespace ouro {
namespace {

class ListenerTest : public NetTest {};

TEST_P(ListenerTest, ListenersBindSeveralAddressesToOnePort) {
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
  const std::string taken = Address::from_ip("127.0.0.1", port)->text();
  EXPECT_EQ(log.lines, std::vector<std::string>{taken + " is taken, trying again for 100 ms"});
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
TEST_P(ListenerTest, ListenersChangeAsAWholeOrNotAtAll) {
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
  EXPECT_TRUE(log.lines.empty()) << "who serves already does not wait";
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
TEST_P(ListenerTest, ListenersChangeToAnAddressThatOverlaps) {
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
TEST_P(ListenerTest, ListenersComeBackToAPortThatIsStillBeingClosed) {
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

TEST_P(ListenerTest, AUnixSocketHasItsPermissionsAndIsRemoved) {
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

TEST_P(ListenerTest, AcceptingPausesWithoutDescriptorsAndGoesOn) {
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

INSTANTIATE_TEST_SUITE_P(Net, ListenerTest, all_backends(), backend_name);

}  // namespace
}  // namespace ouro
