// SPDX-License-Identifier: BSD-3-Clause
// What MONITOR and SLOWLOG show of commands that carry a password.
#include <gtest/gtest.h>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

class SecretsTest : public testing::Test {
 protected:
  // The words of MONITOR's lines, one line each.
  std::string shown() {
    std::string lines;
    world.run_for(10'000);
    for (std::string line = monitor.take_reply(); !line.empty(); line = monitor.take_reply()) {
      const size_t words = line.find("] ");
      lines += words == std::string::npos ? line : line.substr(words + 2);
    }
    return lines;
  }

  SimWorld world{run_seed()};
  SimMachine& machine = world.add_machine();
  SimServer server{machine};
  SimClient client{world};
  SimClient monitor{world};
};

TEST_F(SecretsTest, MonitorShowsNoPassword) {
  EXPECT_EQ(monitor.ask({"MONITOR"}), "+OK\r\n");
  client.ask({"auth", "secret"});
  client.ask({"AUTH", "user", "secret"});
  client.ask({"HELLO", "2", "SETNAME", "me", "AUTH", "user", "secret"});
  // Refused, yet somebody has meant it.
  client.ask({"AUTH", "user", "secret", "more"});
  client.ask({"HELLO", "AUTH", "secret"});
  client.ask({"ECHO", "AUTH"});
  EXPECT_EQ(shown(),
            "\"auth\" \"(redacted)\"\r\n"
            "\"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"
            "\"HELLO\" \"2\" \"SETNAME\" \"me\" \"AUTH\" \"(redacted)\" \"(redacted)\"\r\n"
            "\"AUTH\" \"(redacted)\" \"(redacted)\" \"(redacted)\"\r\n"
            "\"HELLO\" \"AUTH\" \"(redacted)\"\r\n"
            "\"ECHO\" \"AUTH\"\r\n");
}

TEST_F(SecretsTest, SlowlogShowsNoPassword) {
  client.ask({"CONFIG", "SET", "slowlog-log-slower-than", "0"});
  client.ask({"SLOWLOG", "RESET"});
  client.ask({"CONFIG", "SET", "maxmemory", "0", "MasterAuth", "secret", "requirepass", "secret",
              "tls-key-file-pass", "", "masteruser", "secret", "tls-client-key-file-pass", ""});
  client.ask({"CONFIG", "SET", "requirepass", "secret", "odd"});
  client.ask({"AUTH", "secret"});
  const std::string log = client.ask({"SLOWLOG", "GET", "-1"});
  EXPECT_EQ(log.find("secret"), std::string::npos) << log;
  EXPECT_NE(log.find("$9\r\nmaxmemory\r\n$1\r\n0\r\n$10\r\nMasterAuth\r\n$10\r\n(redacted)\r\n"),
            std::string::npos)
      << log;
}

}  // namespace
}  // namespace ouro
