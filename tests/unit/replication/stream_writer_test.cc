// SPDX-License-Identifier: BSD-3-Clause
#include "replication/stream_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ouro {
namespace {

class StreamWriterTest : public ::testing::Test {
 protected:
  Effect effect(DbIndex db, std::initializer_list<ByteView> argv,
                EffectReach reach = EffectReach::kEverybody) {
    return {db, OwnedArgv(heap, Argv(argv.begin(), argv.size())), reach};
  }
  // What was written since the call before.
  std::string written() {
    OutBuffer out(heap);
    read_to += backlog.send(read_to, ~size_t{0}, out);
    std::string bytes;
    while (!out.empty()) {
      ByteView view[1];
      (void)out.gather(kReleaseAll, view);
      bytes.append(view[0]);
      out.consume(view[0].size());
    }
    return bytes;
  }

  Heap heap;
  Backlog backlog{heap, 1_MiB};
  StreamWriter writer{backlog};
  uint64_t read_to = 0;
};

constexpr ByteView kSelect3 = "*2\r\n$6\r\nSELECT\r\n$1\r\n3\r\n";
constexpr ByteView kDel = "*2\r\n$3\r\nDEL\r\n$1\r\nk\r\n";

TEST_F(StreamWriterTest, SelectsTheDatabaseWhenItIsAnother) {
  const ByteView del[] = {"DEL", "k"};
  writer.append_one(3, del, {});
  EXPECT_EQ(written(), std::string(kSelect3).append(kDel));
  writer.append_one(3, del, {});
  EXPECT_EQ(written(), kDel);
  writer.forget_db();
  writer.append_one(3, del, kDel);
  EXPECT_EQ(written(), std::string(kSelect3).append(kDel));
  writer.set_db(0);
  writer.append_one(0, del, kDel);
  EXPECT_EQ(written(), kDel);
  EXPECT_EQ(writer.db(), 0U);
}

TEST_F(StreamWriterTest, AGroupStandsBetweenMultiAndExec) {
  std::vector<Effect> effects;
  effects.push_back(effect(3, {"DEL", "k"}));
  effects.push_back(effect(0, {"PUBLISH", "c", "m"}, EffectReach::kReplicas));
  writer.append(effects, GroupKind::kTransaction);
  EXPECT_EQ(written(),
            std::string(kSelect3)
                .append("*1\r\n$5\r\nMULTI\r\n")
                .append(kDel)
                .append("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\nm"
                        "\r\n*1\r\n$4\r\nEXEC\r\n"));
}

TEST_F(StreamWriterTest, ANoteConcernsNoDatabase) {
  const ByteView ping[] = {"PING"};
  writer.append_note(ping);
  EXPECT_EQ(written(), "*1\r\n$4\r\nPING\r\n");
}

TEST_F(StreamWriterTest, LongWordsAreWholeToo) {
  const std::string value(70'000, 'v');
  const ByteView set[] = {"SET", "k", value};
  writer.set_db(0);
  writer.append_one(0, set, {});
  EXPECT_EQ(written(), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$70000\r\n" + value + "\r\n");
}

}  // namespace
}  // namespace ouro
