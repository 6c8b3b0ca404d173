// SPDX-License-Identifier: BSD-3-Clause
// What clients hold: CLIENT LIST says it, idle clients give it back, and maxmemory-clients bounds
// it.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

// `words`, and behind them so many names that are long and no prefix of each other.
std::string with_names(std::vector<std::string> words, int count, ByteView ahead = {}) {
  for (int i = 0; i < count; ++i) {
    if (!ahead.empty()) words.emplace_back(ahead);
    words.push_back(std::to_string(10'000 + i) + std::string(500, 'x'));
  }
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (const std::string& word : words)
    bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  return bytes;
}

// What CLIENT LIST says of the client of that name; empty if there is none.
std::string line_of(SimClient& control, const std::string& name) {
  const std::string list = control.ask({"CLIENT", "LIST"});
  const size_t at = list.find("name=" + name + " ");
  if (at == std::string::npos) return {};
  const size_t start = list.rfind("id=", at);
  return list.substr(start, list.find('\n', at) - start);
}

std::string word_of(const std::string& line, const std::string& field) {
  const size_t at = line.find(" " + field + "=");
  if (at == std::string::npos) return "(none)";
  const size_t start = at + field.size() + 2;
  return line.substr(start, line.find(' ', start) - start);
}

size_t number_of(const std::string& line, const std::string& field) {
  const auto number = parse_int64(word_of(line, field));
  EXPECT_TRUE(number) << field << " in " << line;
  return static_cast<size_t>(number.value_or(0));
}

// Of all clients in an answer to CLIENT LIST.
size_t total_of(const std::string& list) {
  size_t total = 0;
  size_t at = 0;
  while ((at = list.find(" tot-mem=", at)) != std::string::npos) {
    total += number_of(list.substr(at++), "tot-mem");
  }
  return total;
}

class ClientMemory : public ::testing::Test {
 protected:
  // The client has been idle for long when a test begins.
  ClientMemory() {
    EXPECT_EQ(client.ask({"CLIENT", "SETNAME", "c"}), "+OK\r\n");
    pass(10'000'000);
  }

  std::string line() { return line_of(control, "c"); }
  size_t number(const std::string& field) { return number_of(line(), field); }
  void pass(Micros micros) { world.run_for(micros); }

  SimWorld world{run_seed()};
  SimServer server{world.add_machine(), [](Options& options) {
                     options.engine.enable_debug_command = Allowed::kEverybody;
                   }};
  SimClient control{world};
  SimClient client{world};
};

TEST_F(ClientMemory, OfATornCommandIsInQbufUntilAnArgumentIsWhole) {
  const size_t idle = number("tot-mem");
  EXPECT_EQ(number("qbuf"), 0U);
  EXPECT_EQ(number("argv-mem"), 0U);
  client.send("*3\r\n$3\r\nSET\r\n$100000\r\n" + std::string(60'000, 'x'));
  pass(1'000'000);
  EXPECT_EQ(number("qbuf"), 60'000U);
  EXPECT_EQ(number("argv-mem"), 3U);
  EXPECT_GT(number("tot-mem"), idle + 60'000);
  client.send(std::string(40'000, 'x') + "\r\n$4\r\nva");
  pass(1'000'000);
  EXPECT_EQ(number("qbuf"), 2U);
  EXPECT_EQ(number("argv-mem"), 100'003U);
  client.send("lu\r\n");
  pass(1'000'000);
  EXPECT_EQ(number("qbuf") + number("qbuf-free") + number("argv-mem"), 0U);
}

TEST_F(ClientMemory, OfAWaitingCommandIsItsArguments) {
  client.send(resp_command({"BLPOP", "list", "0"}));
  pass(100'000);
  EXPECT_EQ(number("argv-mem"), 10U);
  EXPECT_EQ(word_of(line(), "events"), "r");
  control.ask({"RPUSH", "list", "x"});
  pass(100'000);
  EXPECT_EQ(number("argv-mem"), 0U);
}

TEST_F(ClientMemory, OfATransactionIsItsQueue) {
  const size_t idle = number("tot-mem");
  client.ask({"WATCH", "key"});
  EXPECT_GT(number("tot-mem"), idle);
  client.ask({"MULTI"});
  client.ask({"SET", "key", std::string(50'000, 'x')});
  EXPECT_EQ(number("multi"), 1U);
  EXPECT_GT(number("multi-mem"), 50'000U);
  EXPECT_GT(number("tot-mem"), idle + 50'000);
  client.ask({"EXEC"});
  EXPECT_EQ(number("multi-mem"), 0U);
}

TEST_F(ClientMemory, OfSubscriptionsGoesWithThem) {
  const size_t idle = number("tot-mem");
  client.ask({"SUBSCRIBE", "channel"});
  client.ask({"PSUBSCRIBE", "pattern*"});
  EXPECT_GT(number("tot-mem"), idle + 100);
  client.send(resp_command({"UNSUBSCRIBE"}) + resp_command({"PUNSUBSCRIBE"}));
  pass(3'000'000);
  EXPECT_EQ(number("tot-mem"), idle);
}

// The reply buffer is the chunk that leaves next, the list what stands behind it. Stored values
// that a reply points at count, too.
TEST_F(ClientMemory, OfUnreadRepliesIsInOmem) {
  control.ask({"SET", "big", std::string(200'000, 'x')});
  const size_t idle = number("tot-mem");
  client.pause_reading();
  for (int i = 0; i < 50; ++i) client.send(resp_command({"GET", "big"}));
  pass(1'000'000);
  const std::string held = line();
  EXPECT_EQ(word_of(held, "events"), "rw");
  EXPECT_GT(number_of(held, "omem"), 5'000'000U);
  EXPECT_GT(number_of(held, "oll"), 20U);
  EXPECT_LE(number_of(held, "obl"), number_of(held, "rbs"));
  EXPECT_GE(number_of(held, "tot-mem"), idle + number_of(held, "omem") + number_of(held, "rbs"));
  EXPECT_GE(number_of(held, "rbp"), number_of(held, "omem"));
  // Pointed at is not held: the value is there once.
  EXPECT_LT(server.used_bytes(), 3'000'000U);
  client.resume_reading();
  pass(20'000'000);
  const std::string rest = line();
  for (const char* field : {"rbs", "rbp", "obl", "oll", "omem"}) {
    EXPECT_EQ(number_of(rest, field), 0U) << field;
  }
  EXPECT_EQ(word_of(rest, "events"), "r");
  EXPECT_EQ(number_of(rest, "tot-mem"), idle);
}

TEST_F(ClientMemory, OfRepliesShrinksWhenTheClientIsIdle) {
  client.send(resp_command({"PING"}));
  pass(1'000);
  EXPECT_GT(number("rbs"), 0U);
  pass(10'000'000);
  EXPECT_EQ(number("rbs"), 0U);
  EXPECT_EQ(number("rbp"), 0U);
}

TEST_F(ClientMemory, OfRepliesStaysAsLongAsDebugSays) {
  const auto debug = [&](ByteView what, ByteView value) {
    EXPECT_EQ(control.ask({"DEBUG", "REPLYBUFFER", what, value}), "+OK\r\n");
  };
  const auto expect_kept = [&](Micros idle) {
    client.send(resp_command({"PING"}));
    pass(idle);
    EXPECT_GT(number("rbs"), 0U);
    EXPECT_GT(number("rbp"), 0U);
  };
  const auto expect_gone = [&](Micros later) {
    pass(later);
    EXPECT_EQ(number("rbs"), 0U);
    EXPECT_EQ(number("rbp"), 0U);
  };
  debug("RESIZING", "0");
  expect_kept(60'000'000);
  debug("RESIZING", "1");
  expect_gone(10'000'000);
  debug("PEAK-RESET-TIME", "20000");
  expect_kept(15'000'000);
  expect_gone(30'000'000);
  for (const ByteView never : {"never", "-1", "9223372036854775807"}) {
    debug("PEAK-RESET-TIME", never);
    expect_kept(100'000'000);
  }
  debug("PEAK-RESET-TIME", "RESET");
  expect_gone(10'000'000);
  EXPECT_EQ(control.ask({"DEBUG", "REPLYBUFFER", "PEAK-RESET-TIME", "soon"}),
            "-ERR value is not an integer or out of range\r\n");
}

// Goal: what a client keeps is used memory while it does, so maxmemory bounds it. Method: each kind
// of it, taken and given back, and taken by one that leaves.
TEST_F(ClientMemory, WhatIsKeptForAClientIsUsedMemory) {
  constexpr int kNames = 1'000;
  constexpr size_t kBytes = kNames * 500;
  const auto used = [&] { return server.engine().heap.used_bytes(); };
  struct Kept {
    std::string take;
    std::string give_back;
  };
  const Kept all[] = {
      {with_names({"WATCH"}, kNames), "UNWATCH\r\n"},
      {with_names({"SUBSCRIBE"}, kNames), "UNSUBSCRIBE\r\n"},
      {with_names({"PSUBSCRIBE"}, kNames), "RESET\r\n"},
      {with_names({"CLIENT", "TRACKING", "ON", "BCAST", "NOLOOP"}, kNames, "PREFIX"),
       "CLIENT TRACKING OFF\r\n"},
      {with_names({"HIMPORT", "PREPARE", "set"}, kNames), "HIMPORT DISCARDALL\r\n"},
      {"HELLO 3\r\n" + with_names({"HIMPORT", "PREPARE", "set"}, kNames),
       "HIMPORT DISCARD set\r\n"},
      {resp_command({"CLIENT", "SETNAME", std::string(2 * kBytes, 'n')}), "CLIENT SETNAME c\r\n"},
  };
  for (const Kept& one : all) {
    const std::string what = one.take.substr(0, 40);
    const size_t before = used();
    const auto run = [&](SimClient& who, const std::string& bytes) {
      who.send(bytes);
      pass(10'000'000);
      who.take();
    };
    run(client, one.take);
    EXPECT_GT(used(), before + kBytes) << what;
    run(client, one.give_back);
    EXPECT_LT(used(), before + 50'000) << what;
    {
      SimClient other(world);
      run(other, one.take);
      EXPECT_GT(used(), before + kBytes) << what;
    }
    pass(10'000'000);
    EXPECT_LT(used(), before + 50'000) << what;
  }
}

TEST_F(ClientMemory, WhatIsKeptForAClientMeetsMaxmemory) {
  control.ask(
      {"CONFIG", "SET", "maxmemory", std::to_string(server.engine().heap.used_bytes() + 300'000)});
  EXPECT_EQ(control.ask({"SET", "k", "v"}), "+OK\r\n");
  client.send(with_names({"WATCH"}, 1'000));
  pass(10'000'000);
  EXPECT_EQ(client.take(), "+OK\r\n");
  EXPECT_EQ(control.ask({"SET", "k", "v"}),
            "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  client.ask({"UNWATCH"});
  pass(10'000'000);
  EXPECT_EQ(control.ask({"SET", "k", "v"}), "+OK\r\n");
}

class ClientLimit : public ::testing::Test {
 protected:
  ClientLimit() {
    set_limit("1000000");
    EXPECT_EQ(control.ask({"CLIENT", "NO-EVICT", "ON"}), "+OK\r\n");
  }
  ~ClientLimit() override { server.engine().client_memory.check_invariants(); }

  void set_limit(ByteView value) {
    EXPECT_EQ(control.ask({"CONFIG", "SET", "maxmemory-clients", value}), "+OK\r\n");
  }
  // A client that has sent an argument of that size, but not all of its command.
  std::unique_ptr<SimClient> client_with(size_t bytes) {
    auto client = std::make_unique<SimClient>(world);
    client->send("*2\r\n$" + std::to_string(bytes) + "\r\n" + std::string(bytes, 'x'));
    settle();
    return client;
  }
  void settle() {
    world.run_for(1'000'000);
    server.engine().client_memory.check_invariants();
  }
  uint64_t evicted() { return server.engine().stats.evicted_clients; }

  SimWorld world{run_seed()};
  SimServer server{world.add_machine()};
  SimClient control{world};
};

TEST_F(ClientLimit, TheLargestIsClosedAndTheOthersStay) {
  const auto small = client_with(100'000);
  const auto large = client_with(600'000);
  const auto middle = client_with(200'000);
  EXPECT_EQ(evicted(), 0U);
  const auto last = client_with(190'000);
  EXPECT_EQ(evicted(), 1U);
  EXPECT_TRUE(large->has_ended());
  EXPECT_FALSE(small->has_ended() || middle->has_ended() || last->has_ended());
  EXPECT_TRUE(server.log().has("maxmemory-clients"));
  const std::string info = control.ask({"INFO", "stats"});
  EXPECT_NE(info.find("\r\nevicted_clients:1\r\n"), std::string::npos) << info;
  // Lowered, it holds at the next look.
  set_limit("310000");
  settle();
  EXPECT_EQ(evicted(), 2U);
  EXPECT_FALSE(small->has_ended());
  EXPECT_LE(server.engine().client_memory.counted_bytes(), 310'000U);
}

TEST_F(ClientLimit, WithoutOneNothingIsCounted) {
  set_limit("0");
  const auto large = client_with(5'000'000);
  EXPECT_FALSE(large->has_ended());
  EXPECT_EQ(server.engine().client_memory.counted_bytes(), 0U);
  set_limit("1000000");
  settle();
  EXPECT_TRUE(large->has_ended());
}

TEST_F(ClientLimit, MayBeAShareOfMaxmemory) {
  set_limit("5%");
  const auto large = client_with(2'000'000);
  EXPECT_FALSE(large->has_ended());
  control.ask({"CONFIG", "SET", "maxmemory", "100mb"});
  settle();
  EXPECT_FALSE(large->has_ended());
  control.ask({"CONFIG", "SET", "maxmemory", "20mb"});
  settle();
  EXPECT_TRUE(large->has_ended());
}

// One too small would leave nobody to talk to.
TEST_F(ClientLimit, IsAtLeast128KiB) {
  set_limit("1");
  const auto one = client_with(30'000);
  const auto two = client_with(30'000);
  EXPECT_EQ(evicted(), 0U);
  const auto three = client_with(70'000);
  EXPECT_TRUE(three->has_ended());
  EXPECT_EQ(evicted(), 1U);
}

TEST_F(ClientLimit, NoEvictProtects) {
  SimClient large(world);
  large.ask({"CLIENT", "NO-EVICT", "ON"});
  const auto small = client_with(10'000);
  large.send("*2\r\n$9999999\r\n" + std::string(2'000'000, 'x'));
  settle();
  // It counts, but others go for it.
  EXPECT_FALSE(large.has_ended());
  EXPECT_TRUE(small->has_ended());
  EXPECT_GT(server.engine().client_memory.counted_bytes(), 2'000'000U);
  large.send(std::string(7'999'999, 'x') + "\r\n$0\r\n\r\n" +
             resp_command({"CLIENT", "NO-EVICT", "OFF"}) + "*2\r\n$9999999\r\n" +
             std::string(2'000'000, 'x'));
  settle();
  EXPECT_TRUE(large.has_ended());
}

TEST_F(ClientLimit, CountsWhatIsNotRead) {
  control.ask({"SET", "big", std::string(100'000, 'v')});
  SimClient slow(world);
  slow.pause_reading();
  SimClient quick(world);
  for (int i = 0; i < 100; ++i) {
    slow.send(resp_command({"GET", "big"}));
    EXPECT_EQ(quick.ask({"GET", "big"}).size(), 100'011U);
  }
  settle();
  EXPECT_EQ(evicted(), 1U);
  EXPECT_FALSE(quick.has_ended());
  EXPECT_EQ(server.clients(), 2U);
}

// Nobody is fed here, the messages come by themselves.
TEST_F(ClientLimit, CountsMessagesToSubscribers) {
  SimClient slow(world);
  slow.ask({"SUBSCRIBE", "c"});
  slow.pause_reading();
  const std::string message(50'000, 'm');
  for (int i = 0; i < 100 && evicted() == 0; ++i) control.ask({"PUBLISH", "c", message});
  EXPECT_EQ(evicted(), 1U);
  EXPECT_EQ(control.ask({"PUBLISH", "c", message}), ":0\r\n");
}

// What was counted while replies were on their way must close nobody later.
TEST_F(ClientLimit, ForgetsWhatHasBeenSent) {
  control.ask({"SET", "big", std::string(100'000, 'v')});
  std::vector<std::unique_ptr<SimClient>> readers(8);
  for (auto& reader : readers) reader = std::make_unique<SimClient>(world);
  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(readers[static_cast<size_t>(round) % 8]->ask({"GET", "big"}).size(), 100'011U);
  }
  settle();
  EXPECT_EQ(evicted(), 0U);
  const auto large = client_with(900'000);
  EXPECT_EQ(evicted(), 0U);
}

// As long as a limit on output closes a client first, nobody else has to go for it.
TEST_F(ClientLimit, ComesAfterTheLimitOfOutput) {
  control.ask({"CONFIG", "SET", "client-output-buffer-limit", "normal 300000 0 0"});
  control.ask({"SET", "big", std::string(400'000, 'v')});
  const auto middle = client_with(500'000);
  SimClient one(world);
  SimClient two(world);
  one.pause_reading();
  two.pause_reading();
  one.send(resp_command({"GET", "big"}));
  two.send(resp_command({"GET", "big"}));
  settle();
  EXPECT_EQ(server.engine().stats.client_output_limit_closed, 2U);
  EXPECT_EQ(evicted(), 0U);
  EXPECT_FALSE(middle->has_ended());
}

// The measure and the moment are one: neither the answer to CLIENT LIST nor the one to CONFIG SET,
// whose chunks come and go, makes a difference. The rest of an answer sent in part would.
TEST_F(ClientLimit, IsComparedWithWhatClientListTells) {
  world.machine(0).loop().set_short_sends(false);
  set_limit("0");
  std::vector<std::unique_ptr<SimClient>> clients(5);
  for (auto& client : clients) client = client_with(200'000);
  for (size_t left = clients.size(); left > 0; --left) {
    size_t total = 0;
    // The first of them after a pause allocates what the next ones use.
    for (int i = 0; i < 3; ++i) total = total_of(control.ask({"CLIENT", "LIST"}));
    set_limit(std::to_string(total));
    EXPECT_EQ(control.ask({"PING"}), "+PONG\r\n");
    EXPECT_EQ(evicted(), clients.size() - left);
    set_limit(std::to_string(total - 1));
    EXPECT_EQ(control.ask({"PING"}), "+PONG\r\n");
    EXPECT_EQ(evicted(), clients.size() - left + 1);
  }
}

// A limit that is lowered far closes many, some of them a turn.
TEST_F(ClientLimit, ClosesManyInSeveralTurns) {
  std::vector<std::unique_ptr<SimClient>> clients;
  for (int i = 0; i < 700; ++i) {
    clients.push_back(std::make_unique<SimClient>(world));
    clients.back()->send("*2\r\n$9999\r\n" + std::string(1'000, 'x'));
  }
  set_limit("10mb");
  settle();
  EXPECT_EQ(evicted(), 0U);
  set_limit("1");
  settle();
  EXPECT_GT(evicted(), 500U);
  EXPECT_LE(server.engine().client_memory.counted_bytes(), 128_KiB);
}

}  // namespace
}  // namespace ouro
