// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/redis7.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

class LastLine final : public Logger {
 public:
  void write(LogLevel, ByteView line) override { lines.append(line).append("\n"); }
  std::string lines;
};

TEST(Redis7, TheFirstReasonIsTold) {
  LastLine log;
  Redis7 redis7(log);
  EXPECT_TRUE(redis7.can_read());
  redis7.note("BF.ADD");
  const std::string told = log.lines;
  EXPECT_NE(told.find("because of BF.ADD: INFO says redis7_readable:no"), std::string::npos);
  EXPECT_FALSE(redis7.can_read());
  redis7.note("XNACK");
  EXPECT_EQ(log.lines, told);
}

TEST(Redis7, ARewriteHelpsUnlessMoreHasComeSinceItsMoment) {
  LastLine log;
  Redis7 redis7(log);
  redis7.note("BF.ADD");
  const uint64_t moment = redis7.noted();
  redis7.note("BF.ADD");
  redis7.on_rewritten(moment);
  EXPECT_FALSE(redis7.can_read()) << "the new increment has it";
  redis7.on_rewritten(redis7.noted());
  EXPECT_TRUE(redis7.can_read());
  redis7.note("BF.ADD");
  EXPECT_FALSE(redis7.can_read());
}

}  // namespace
}  // namespace ouro
