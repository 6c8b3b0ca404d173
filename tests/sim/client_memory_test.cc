// SPDX-License-Identifier: BSD-3-Clause
// What clients hold: CLIENT LIST says it, idle clients give it back.
#include <gtest/gtest.h>

#include <string>

#include "datastructs/codec/number_text.h"
#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

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
  SimServer server{world.add_machine()};
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

}  // namespace
}  // namespace ouro
