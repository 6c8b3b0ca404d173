// SPDX-License-Identifier: BSD-3-Clause
// The contract of Loop, kept by every back end.
#include "server/io/loop.h"

#include <algorithm>
#include <csignal>
#include <optional>
#include <vector>

#include "backends.h"
#include "server/io/signals.h"

namespace ouro {
namespace {

// An operation that notes what it is told.
struct Noted {
  Op op{this, op_to<&Noted::on_outcome>()};
  std::vector<int32_t> results;
  std::string bytes;
  bool ended = false;

  void on_outcome(const Outcome& outcome) {
    results.push_back(outcome.result);
    bytes += outcome.bytes;
    ended = !outcome.more;
  }
  int32_t last() const { return results.empty() ? INT32_MIN : results.back(); }
};

class LoopContract : public LoopTest {
 protected:
  void SetUp() override {
    LoopTest::SetUp();
    if (IsSkipped()) return;
    auto [near, far] = make_pair();
    socket = near;
    peer.emplace(std::move(far));
  }
  void TearDown() override {
    if (IsSkipped()) return;
    if (socket.is_open()) close_now(socket.number);
    LoopTest::TearDown();
  }
  void finish(Noted& noted) {
    ASSERT_TRUE(run_until([&] { return !noted.op.busy(); }));
  }
  // The outcome of an operation that may end at once.
  int32_t settle(int32_t returned, Noted& noted) {
    if (returned != kInFlight) return returned;
    finish(noted);
    return noted.last();
  }
  std::string path(const char* name) { return directory() + "/" + name; }

  SocketFd socket;
  std::optional<Peer> peer;
};

TEST_P(LoopContract, ReceiveHandsOutEverythingInOrder) {
  Noted receive;
  loop->receive(receive.op, socket);
  std::string sent;
  for (int i = 0; i < 2000; ++i) {
    const std::string message(static_cast<size_t>(1 + i % 700), static_cast<char>('a' + i % 26));
    while (peer->write(message) == 0) loop->run_once(10);
    sent += message;
    if (i % 7 == 0) loop->run_once(0);
  }
  ASSERT_TRUE(run_until([&] { return receive.bytes.size() == sent.size(); }));
  EXPECT_EQ(receive.bytes, sent);
  peer->close();
  finish(receive);
  EXPECT_EQ(receive.last(), 0);
}

// More at once than all buffers together: the operation has to start itself again.
TEST_P(LoopContract, ReceiveSurvivesRunningOutOfBuffers) {
  const int count = 200;
  std::vector<std::unique_ptr<Noted>> receives;
  std::vector<SocketFd> sockets;
  std::vector<Peer> peers;
  const std::string message(50'000, 'm');
  for (int i = 0; i < count; ++i) {
    auto [near, far] = make_pair();
    sockets.push_back(near);
    peers.push_back(std::move(far));
    receives.push_back(std::make_unique<Noted>());
    loop->receive(receives.back()->op, sockets.back());
    ASSERT_EQ(peers.back().write(message), message.size());
  }
  for (int i = 0; i < count; ++i) {
    Noted& receive = *receives[static_cast<size_t>(i)];
    ASSERT_TRUE(run_until([&] { return receive.bytes.size() == message.size(); }));
    EXPECT_EQ(receive.bytes, message);
    loop->cancel(receive.op);
    finish(receive);
    close_now(sockets[static_cast<size_t>(i)].number);
  }
}

// A peer that always has more to send: all that it may leave to be kept in one turn is one piece,
// whether it always sent so or little at a time before.
TEST_P(LoopContract, AFastSenderIsReceivedFromLittleByLittle) {
  // The simulated one is harsher than any system.
  const size_t most_allowed = is_simulated() ? 256_KiB : 64_KiB;
  const std::string flood(100'000, 'f');
  Noted receive;
  loop->receive(receive.op, socket);
  for (const int small_ones : {0, 20}) {
    for (int i = 0; i < small_ones; ++i) {
      const size_t before = receive.bytes.size();
      ASSERT_EQ(peer->write("small"), 5U);
      ASSERT_TRUE(run_until([&] { return receive.bytes.size() == before + 5; }));
    }
    size_t most = 0;
    for (int turn = 0; turn < 50; ++turn) {
      while (peer->write(flood) > 0) {
      }
      const size_t before = receive.bytes.size();
      loop->run_once(10);
      // The first ones may find it taken for a sender of little.
      if (turn >= 3) most = std::max(most, receive.bytes.size() - before);
    }
    EXPECT_GT(most, 0U);
    EXPECT_LE(most, most_allowed);
    ASSERT_TRUE(run_until([&] {
      const size_t before = receive.bytes.size();
      loop->run_once(0);
      return receive.bytes.size() == before;
    }));
  }
  loop->cancel(receive.op);
  finish(receive);
}

// However much comes in nested turns, it goes on: their bytes do not pile up.
TEST_P(LoopContract, ReceivedBytesLiveUntilTheNextTurnAndThroughPump) {
  struct Keeper {
    Op op{this, op_to<&Keeper::on_outcome>()};
    std::vector<ByteView> views;
    size_t bytes = 0;
    void on_outcome(const Outcome& outcome) {
      if (!outcome.bytes.empty()) views.push_back(outcome.bytes);
      bytes += outcome.bytes.size();
    }
  } keeper;
  loop->receive(keeper.op, socket);
  ASSERT_EQ(peer->write("first"), 5U);
  ASSERT_TRUE(run_until([&] { return keeper.views.size() == 1; }));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(peer->write("other"), 5U);
    const size_t before = keeper.views.size();
    for (int turn = 0; turn < 1000 && keeper.views.size() == before; ++turn) loop->pump(10);
  }
  EXPECT_EQ(keeper.views.front(), "first");
  EXPECT_EQ(keeper.views.back(), "other");
  const std::string large(16'000, 'x');
  size_t sent = keeper.bytes;
  for (int i = 0; i < 2'000; ++i) {
    ASSERT_EQ(peer->write(large), large.size());
    sent += large.size();
    for (int turn = 0; turn < 1000 && keeper.bytes < sent; ++turn) loop->pump(10);
    ASSERT_EQ(keeper.bytes, sent);
  }
  EXPECT_EQ(keeper.views.front(), "first");
  loop->cancel(keeper.op);
  ASSERT_TRUE(run_until([&] { return !keeper.op.busy(); }));
}

TEST_P(LoopContract, CancelEndsAReceiveThatWaits) {
  Noted receive;
  loop->receive(receive.op, socket);
  loop->run_once(0);
  loop->cancel(receive.op);
  loop->cancel(receive.op);  // twice is once
  finish(receive);
  EXPECT_EQ(receive.last(), -ECANCELED);
  // The same operation works again, and nothing of the cancel is left.
  loop->receive(receive.op, socket);
  ASSERT_EQ(peer->write("x"), 1U);
  ASSERT_TRUE(run_until([&] { return receive.bytes == "x"; }));
  loop->cancel(receive.op);
  finish(receive);
}

TEST_P(LoopContract, CancelOfAnEndedOperationDoesNothing) {
  Noted receive;
  loop->receive(receive.op, socket);
  peer->close();
  finish(receive);
  loop->cancel(receive.op);
  loop->run_once(0);
  EXPECT_EQ(receive.results.size(), 1U);
}

TEST_P(LoopContract, ReceiveIntoTellsOfEachPiece) {
  std::string room(300'000, '?');
  std::string sent(room.size(), '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>('a' + i % 23);
  size_t at = 0;
  for (size_t come = 0; come < room.size();) {
    Noted receive;
    loop->receive_into(receive.op, socket, std::span(room).subspan(come));
    if (at == come) at += peer->write(ByteView(sent).substr(at, 7001));
    finish(receive);
    ASSERT_GT(receive.last(), 0);
    come += static_cast<size_t>(receive.last());
    ASSERT_LE(come, at);
  }
  EXPECT_EQ(room, sent);
}

TEST_P(LoopContract, ReceiveIntoTakesNoMoreThanItsRoom) {
  std::string room(1000, '?');
  Noted receive;
  ASSERT_EQ(peer->write(std::string(900, 'x') + std::string(200, 'y')), 1100U);
  for (size_t come = 0; come < room.size(); come += static_cast<size_t>(receive.last())) {
    loop->receive_into(receive.op, socket, std::span(room).subspan(come));
    finish(receive);
    ASSERT_GT(receive.last(), 0);
  }
  EXPECT_EQ(room, std::string(900, 'x') + std::string(100, 'y'));
  receive.bytes.clear();
  loop->receive(receive.op, socket);
  ASSERT_TRUE(run_until([&] { return receive.bytes.size() == 100; }));
  loop->cancel(receive.op);
  finish(receive);
}

TEST_P(LoopContract, ReceiveIntoTellsTheEnd) {
  std::string room(1000, '?');
  Noted receive;
  ASSERT_EQ(peer->write("abc"), 3U);
  peer->close();
  loop->receive_into(receive.op, socket, room);
  finish(receive);
  EXPECT_EQ(receive.last(), 3);
  EXPECT_EQ(room.substr(0, 3), "abc");
  loop->receive_into(receive.op, socket, room);
  finish(receive);
  EXPECT_EQ(receive.last(), 0);
}

TEST_P(LoopContract, CancelEndsAReceiveIntoThatWaits) {
  std::string room(1000, '?');
  Noted receive;
  loop->receive_into(receive.op, socket, room);
  for (int i = 0; i < 3; ++i) loop->run_once(1);
  loop->cancel(receive.op);
  finish(receive);
  EXPECT_EQ(receive.last(), -ECANCELED);
}

// Some have ended by themselves before they are asked to, in an order of their own.
TEST_P(LoopContract, ManyEndAtOnce) {
  struct Half {
    SocketFd fd;
    Peer peer;
    Noted receive;
  };
  std::vector<std::unique_ptr<Half>> halves;
  for (int i = 0; i < 400; ++i) {
    auto [near, far] = make_pair();
    halves.push_back(std::unique_ptr<Half>(new Half{near, std::move(far), {}}));
    loop->receive(halves.back()->receive.op, near);
  }
  loop->run_once(0);
  for (size_t i = 0; i < halves.size(); i += 3) halves[i]->peer.close();
  for (size_t i = 0; i < halves.size(); ++i)
    loop->cancel(halves[i * 7 % halves.size()]->receive.op);
  ASSERT_TRUE(run_until([&] {
    return std::all_of(halves.begin(), halves.end(),
                       [](const auto& half) { return !half->receive.op.busy(); });
  }));
  for (size_t i = 0; i < halves.size(); ++i) {
    ASSERT_EQ(halves[i]->receive.results.size(), 1U);
    const bool has_peer = i % 3 != 0;
    EXPECT_TRUE(halves[i]->receive.last() == -ECANCELED || !has_peer);
    close_now(halves[i]->fd.number);
  }
}

// However far the operation has come when it is cancelled: between two pieces, say.
TEST_P(LoopContract, CancelEndsAReceiveIntoWhileBytesArrive) {
  std::string room(8'000'000, '?');
  const std::string piece(60'000, 'p');
  for (int i = 0; i < 100; ++i) {
    Noted receive;
    loop->receive_into(receive.op, socket, room);
    (void)peer->write(piece);
    if (i % 2 == 0) loop->run_once(0);
    (void)peer->write(piece);
    loop->cancel(receive.op);
    ASSERT_TRUE(run_until([&] { return !receive.op.busy(); }, 100)) << i;
  }
}

TEST_P(LoopContract, SendGathersViews) {
  Noted send;
  const ByteView views[] = {"one ", "two ", "three"};
  EXPECT_EQ(settle(loop->send(send.op, socket, views, SendEnd::kPrompt), send), 13);
  EXPECT_EQ(peer->read(), "one two three");
  EXPECT_EQ(settle(loop->send(send.op, socket, views, SendEnd::kMayBeLate), send), 13);
  EXPECT_EQ(peer->read(), "one two three");
}

// What may be told late is sent at once all the same: the peer has it before the turn ends.
TEST_P(LoopContract, SendThatMayEndLateIsSentInTheNextTurn) {
  Noted send;
  const ByteView view = "soon";
  const int32_t count = loop->send(send.op, socket, {&view, 1}, SendEnd::kMayBeLate);
  loop->run_once(1);
  EXPECT_EQ(peer->read(), "soon");
  EXPECT_FALSE(send.op.busy());
  EXPECT_EQ(count == kInFlight ? send.last() : count, 4);
}

// Small sends that may end late, until the peer's socket is full and beyond.
TEST_P(LoopContract, SmallSendsToASlowReaderLoseNothing) {
  std::string sent(2'000'000, '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 % 251);
  Noted send;
  std::string got;
  size_t at = 0;
  bool waited = false;
  while (at < sent.size()) {
    const ByteView views[] = {ByteView(sent).substr(at, 3000),
                              ByteView(sent).substr(std::min(at + 3000, sent.size()), 6000)};
    const bool two = !views[1].empty();
    int32_t count = loop->send(send.op, socket, {views, two ? 2U : 1U}, SendEnd::kMayBeLate);
    if (count == kInFlight) {
      for (int turn = 0; send.op.busy(); ++turn) {
        loop->run_once(1);
        if (turn < 3) continue;
        waited = true;
        got += peer->read(30'000);
      }
      count = send.last();
    }
    ASSERT_GE(count, 0);
    at += static_cast<size_t>(count);
  }
  while (got.size() < sent.size()) got += peer->read();
  EXPECT_EQ(got, sent);
  EXPECT_TRUE(waited);
}

// A reader that is slower than the sender: counts may be short, and in the end everything is there.
TEST_P(LoopContract, SendToASlowReaderEndsInPieces) {
  std::string sent(3'000'000, '\0');
  for (size_t i = 0; i < sent.size(); ++i) sent[i] = static_cast<char>(i * 31 % 251);
  Noted send;
  std::string got;
  size_t at = 0;
  while (at < sent.size()) {
    const ByteView rest = ByteView(sent).substr(at);
    const ByteView views[] = {rest.substr(0, rest.size() / 2), rest.substr(rest.size() / 2)};
    int32_t count = loop->send(send.op, socket, views, SendEnd::kPrompt);
    if (count == kInFlight) {
      while (send.op.busy()) {
        got += peer->read(10'000);
        loop->run_once(1);
      }
      count = send.last();
    }
    ASSERT_GE(count, 0);
    at += static_cast<size_t>(count);
  }
  while (got.size() < sent.size()) got += peer->read();
  EXPECT_EQ(got, sent);
}

TEST_P(LoopContract, SendToAGonePeerFails) {
  peer->close();
  Noted send;
  const ByteView view = "x";
  EXPECT_EQ(settle(loop->send(send.op, socket, {&view, 1}, SendEnd::kPrompt), send), -EPIPE);
  EXPECT_EQ(settle(loop->send(send.op, socket, {&view, 1}, SendEnd::kMayBeLate), send), -EPIPE);
}

// The peer never reads, so one of the sends gets stuck. Large and small ones may wait in different
// ways.
TEST_P(LoopContract, CancelEndsASendThatWaits) {
  const std::string bytes(1 << 20, 's');
  Noted send;
  for (const size_t size : {bytes.size(), size_t{8000}}) {
    const ByteView view = ByteView(bytes).substr(0, size);
    for (int i = 0; i < 1000; ++i) {
      if (loop->send(send.op, socket, {&view, 1}, SendEnd::kMayBeLate) != kInFlight) continue;
      for (int turn = 0; turn < 5 && send.op.busy(); ++turn) loop->run_once(1);
      if (send.op.busy()) break;
    }
    ASSERT_TRUE(send.op.busy());
    loop->cancel(send.op);
    finish(send);
    EXPECT_EQ(send.last(), -ECANCELED);
  }
}

TEST_P(LoopContract, AcceptAndConnectMeet) {
  const ListenOutcome listening = loop->listen(*Address::from_ip("127.0.0.1", 0), {});
  ASSERT_EQ(listening.error, 0);
  ASSERT_NE(listening.bound.port(), 0);
  Noted accept;
  Noted connect;
  loop->accept(accept.op, listening.fd);
  loop->connect(connect.op, listening.bound, {});
  ASSERT_TRUE(run_until([&] { return !connect.op.busy() && accept.results.size() == 1; }));
  ASSERT_GE(connect.last(), 0);
  ASSERT_GE(accept.last(), 0);
  const SocketFd near{connect.last()};
  const SocketFd far{accept.last()};
  EXPECT_EQ(loop->peer_address(near).text(), listening.bound.text());
  EXPECT_EQ(loop->peer_address(far).text(), loop->local_address(near).text());
  EXPECT_TRUE(loop->peer_address(far).is_loopback());
  // Refusing tells the reason and closes.
  loop->refuse(far, "-ERR no\r\n");
  Noted receive;
  loop->receive(receive.op, near);
  finish(receive);
  EXPECT_EQ(receive.bytes, "-ERR no\r\n");
  loop->cancel(accept.op);
  finish(accept);
  EXPECT_EQ(accept.last(), -ECANCELED);
  Noted close;
  loop->close(close.op, near);
  finish(close);
  EXPECT_EQ(close.last(), 0);
  close_now(listening.fd.number);
}

TEST_P(LoopContract, ConnectToNobodyFails) {
  const ListenOutcome listening = loop->listen(*Address::from_ip("127.0.0.1", 0), {});
  ASSERT_EQ(listening.error, 0);
  close_now(listening.fd.number);
  Noted connect;
  loop->connect(connect.op, listening.bound, {});
  finish(connect);
  EXPECT_EQ(connect.last(), -ECONNREFUSED);
}

TEST_P(LoopContract, AcceptsAFlood) {
  const ListenOutcome listening = loop->listen(*Address::from_ip("127.0.0.1", 0), {.backlog = 600});
  ASSERT_EQ(listening.error, 0);
  Noted accept;
  loop->accept(accept.op, listening.fd);
  std::vector<Peer> peers;
  for (int i = 0; i < 400; ++i) peers.push_back(connect_peer(listening.bound));
  ASSERT_TRUE(run_until([&] { return accept.results.size() == peers.size(); }));
  for (const int32_t fd : accept.results) {
    ASSERT_GE(fd, 0);
    close_now(fd);
  }
  loop->cancel(accept.op);
  finish(accept);
  close_now(listening.fd.number);
}

TEST_P(LoopContract, AcceptedSocketsInheritTuning) {
  if (is_simulated()) GTEST_SKIP() << "simulated sockets have nothing to tune";
  const ListenOutcome listening = loop->listen(
      *Address::from_ip("127.0.0.1", 0), {.tuning = {.no_delay = true, .keep_alive_seconds = 77}});
  ASSERT_EQ(listening.error, 0);
  Noted accept;
  loop->accept(accept.op, listening.fd);
  const Peer client = connect_peer(listening.bound);
  ASSERT_TRUE(run_until([&] { return accept.results.size() == 1; }));
  int no_delay = 0;
  int keep_alive = 0;
  socklen_t size = sizeof(int);
  ASSERT_EQ(::getsockopt(accept.last(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &no_delay, &size), 0);
  ASSERT_EQ(::getsockopt(accept.last(), IPPROTO_TCP, 4 /* TCP_KEEPIDLE */, &keep_alive, &size), 0);
  EXPECT_NE(no_delay, 0);
  EXPECT_EQ(keep_alive, 77);
  loop->tune({accept.last()}, {.no_delay = false});
  ASSERT_EQ(::getsockopt(accept.last(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &no_delay, &size), 0);
  ASSERT_EQ(::getsockopt(accept.last(), IPPROTO_TCP, 4 /* TCP_KEEPIDLE */, &keep_alive, &size), 0);
  EXPECT_EQ(no_delay, 0);
  EXPECT_EQ(keep_alive, 77);
  close_now(accept.last());
  loop->cancel(accept.op);
  finish(accept);
  close_now(listening.fd.number);
}

TEST_P(LoopContract, FilesAreWrittenSyncedAndRead) {
  Noted file;
  const std::string name = path("data");
  loop->open(file.op, name.c_str(), OpenFor::kReplace);
  finish(file);
  ASSERT_GE(file.last(), 0);
  const FileFd fd{file.last()};
  EXPECT_EQ(settle(loop->write_at(file.op, fd, "hello world", 0, WriteEnd::kMayBeLate), file), 11);
  EXPECT_EQ(settle(loop->write_at(file.op, fd, "HELLO", 0, WriteEnd::kPrompt), file), 5);
  loop->sync(file.op, fd);
  finish(file);
  EXPECT_EQ(file.last(), 0);
  char room[64];
  loop->read_at(file.op, fd, room, 3);
  finish(file);
  EXPECT_EQ(ByteView(room, static_cast<size_t>(file.last())), "LO world");
  EXPECT_EQ(loop->file_size(fd), 11);
  loop->truncate(file.op, fd, 4);
  finish(file);
  EXPECT_EQ(loop->file_size(fd), 4);
  loop->read_at(file.op, fd, room, 0);
  finish(file);
  EXPECT_EQ(file.last(), 4);
  loop->close(file.op, fd);
  finish(file);
  EXPECT_EQ(file.last(), 0);
}

TEST_P(LoopContract, DirectoriesAreChangedAndListed) {
  Noted file;
  const std::string sub = path("sub");
  loop->make_dir(file.op, sub.c_str());
  finish(file);
  EXPECT_EQ(file.last(), 0);
  loop->make_dir(file.op, sub.c_str());
  finish(file);
  EXPECT_EQ(file.last(), -EEXIST);
  const std::string a = sub + "/a";
  const std::string b = sub + "/b";
  loop->open(file.op, a.c_str(), OpenFor::kChange);
  finish(file);
  close_now(file.last());
  loop->rename(file.op, a.c_str(), b.c_str());
  finish(file);
  EXPECT_EQ(file.last(), 0);
  loop->sync_dir(file.op, sub.c_str());
  finish(file);
  EXPECT_EQ(file.last(), 0);
  const std::string missing = path("missing");
  loop->sync_dir(file.op, missing.c_str());
  finish(file);
  EXPECT_EQ(file.last(), -ENOENT);
  std::vector<std::string> names;
  loop->list_dir(file.op, sub.c_str(), names);
  finish(file);
  EXPECT_EQ(names, std::vector<std::string>{"b"});
  loop->unlink(file.op, b.c_str());
  finish(file);
  EXPECT_EQ(file.last(), 0);
  loop->open(file.op, b.c_str(), OpenFor::kRead);
  finish(file);
  EXPECT_EQ(file.last(), -ENOENT);
}

TEST_P(LoopContract, ANameInADirectoryIsHeldByOne) {
  Noted file;
  const std::string sub = path("sub");
  loop->make_dir(file.op, sub.c_str());
  finish(file);
  const int32_t lock = loop->lock_name(sub.c_str(), "a");
  ASSERT_GE(lock, 0);
  EXPECT_EQ(loop->lock_name(sub.c_str(), "a"), -EWOULDBLOCK);
  const int32_t other = loop->lock_name(sub.c_str(), "b");
  ASSERT_GE(other, 0);
  loop->unlock_name({lock});
  const int32_t again = loop->lock_name(sub.c_str(), "a");
  ASSERT_GE(again, 0);
  EXPECT_EQ(loop->lock_name(sub.c_str(), "b"), -EWOULDBLOCK);
  loop->unlock_name({again});
  loop->unlock_name({other});
}

TEST_P(LoopContract, TimersRunInOrderAndWakeTheLoop) {
  struct Ring {
    std::vector<int>* order;
    int number;
    Timer timer{this, timer_to<&Ring::ring>()};
    Ring(std::vector<int>* order_in, int number_in) : order(order_in), number(number_in) {}
    void ring() { order->push_back(number); }
  };
  std::vector<int> order;
  Ring first(&order, 1);
  Ring second(&order, 2);
  Ring third(&order, 3);
  Ring never(&order, 4);
  loop->set_timer(third.timer, loop->now() + 6000);
  loop->set_timer(first.timer, loop->now() + 2000);
  loop->set_timer(second.timer, loop->now() + 4000);
  loop->set_timer(never.timer, loop->now() + 3000);
  loop->cancel_timer(never.timer);
  const Instant start = loop->now();
  // An hour would fail by the test's time limit if a timer did not shorten it.
  for (int i = 0; i < 100 && order.size() < 3; ++i) loop->run_once(3'600'000);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
  EXPECT_GE(loop->now() - start, 4000);
}

TEST_P(LoopContract, CallbacksAreNotNestedInTheCallThatStartsThem) {
  struct Chain {
    Loop& loop;
    int depth = 0;
    int links = 0;
    Op op{this, op_to<&Chain::on_outcome>()};
    explicit Chain(Loop& loop_in) : loop(loop_in) {}
    void on_outcome(const Outcome&) {
      ++depth;
      EXPECT_EQ(depth, 1);
      if (++links < 50) loop.open(op, "/nonexistent/ouro", OpenFor::kRead);
      --depth;
    }
  } chain(*loop);
  loop->open(chain.op, "/nonexistent/ouro", OpenFor::kRead);
  EXPECT_EQ(chain.links, 0);
  ASSERT_TRUE(run_until([&] { return chain.links == 50; }));
}

TEST_P(LoopContract, SignalsArriveThroughTheLoop) {
  if (is_simulated()) GTEST_SKIP() << "signals are the system's";
  struct Sink final : SignalSink {
    std::vector<Signal> got;
    void on_signal(Signal signal) override { got.push_back(signal); }
  } sink;
  {
    Signals signals(*loop, sink);
    loop->run_once(0);
    ASSERT_EQ(::raise(SIGHUP), 0);
    ASSERT_TRUE(run_until([&] { return sink.got.size() == 1; }));
    ASSERT_EQ(::raise(SIGTERM), 0);
    ASSERT_TRUE(run_until([&] { return sink.got.size() == 2; }));
    signals.stop();
    ASSERT_TRUE(run_until([&] { return signals.is_idle(); }));
  }
  EXPECT_EQ(sink.got, (std::vector<Signal>{Signal::kHangUp, Signal::kTerminate}));
}

INSTANTIATE_TEST_SUITE_P(Io, LoopContract, all_backends(), backend_name);

}  // namespace
}  // namespace ouro
