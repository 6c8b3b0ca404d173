// SPDX-License-Identifier: BSD-3-Clause
// Dialers over every back end, with plain sockets as peers.
#include "server/net/dialer.h"

#include <vector>

#include "net_fixture.h"

namespace ouro {
namespace {

class DialerTest : public NetTest {};

TEST_P(DialerTest, DialerHandsOverASocketOrAnError) {
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
TEST_P(DialerTest, DialerGivesUpAfterItsTime) {
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

INSTANTIATE_TEST_SUITE_P(Net, DialerTest, all_backends(), backend_name);

}  // namespace
}  // namespace ouro
