// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/resp_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

namespace ouro {
namespace {

using namespace std::string_literals;

class RespWriterTest : public ::testing::Test {
 protected:
  // What was written since the last call.
  std::string taken() {
    std::string all;
    std::array<ByteView, 64> views;
    const size_t count = out_.gather(kReleaseAll, views);
    for (size_t i = 0; i < count; ++i) all += views[i];
    out_.consume(all.size());
    EXPECT_TRUE(out_.empty());
    return all;
  }

  Heap heap_;
  OutBuffer out_{heap_};
  RespWriter writer_{out_};
};

TEST_F(RespWriterTest, WritesTheTypesThatBothVersionsShare) {
  for (const bool resp3 : {false, true}) {
    writer_.set_resp3(resp3);
    writer_.ok();
    writer_.simple("PONG");
    writer_.integer(0);
    writer_.integer(-12345);
    writer_.integer(INT64_MIN);
    writer_.bulk("");
    writer_.bulk(ByteView("a\r\n\0b", 5));
    writer_.array(0);
    writer_.array(1048576);
    EXPECT_EQ(taken(),
              "+OK\r\n+PONG\r\n:0\r\n:-12345\r\n:-9223372036854775808\r\n$0\r\n\r\n"
              "$5\r\na\r\n\0b\r\n*0\r\n*1048576\r\n"s);
  }
}

TEST_F(RespWriterTest, TurnsResp3TypesIntoWhatResp2Has) {
  const auto all = [&] {
    writer_.null();
    writer_.null_array();
    writer_.map(2);
    writer_.set(3);
    writer_.push(4);
    writer_.real(0.1);
    writer_.real(-HUGE_VAL);
    writer_.boolean(true);
    writer_.boolean(false);
    writer_.big_number("1234567999999999999999999999999999999");
    writer_.verbatim("txt", "This is a verbatim\nstring");
    return taken();
  };
  EXPECT_EQ(
      all(),
      "$-1\r\n*-1\r\n*4\r\n*3\r\n*4\r\n$19\r\n0.10000000000000001\r\n$4\r\n-inf\r\n:1\r\n:0\r\n"
      "$37\r\n1234567999999999999999999999999999999\r\n$25\r\nThis is a verbatim\nstring\r\n");
  writer_.set_resp3(true);
  EXPECT_EQ(all(),
            "_\r\n_\r\n%2\r\n~3\r\n>4\r\n,0.10000000000000001\r\n,-inf\r\n#t\r\n#f\r\n"
            "(1234567999999999999999999999999999999\r\n=29\r\ntxt:This is a verbatim\nstring\r\n");
  writer_.attribute(1);
  EXPECT_EQ(taken(), "|1\r\n");
}

TEST_F(RespWriterTest, ErrorsStayOnOneLine) {
  writer_.error("ERR unknown command 'a\r\nb'\r\n");
  EXPECT_EQ(taken(), "-ERR unknown command 'a  b'\r\n");
  writer_.error("ERR " + std::string(2000, 'x'));
  EXPECT_EQ(taken(), "-ERR " + std::string(2000, 'x') + "\r\n");
}

TEST_F(RespWriterTest, BulksOfEverySizeAreWhole) {
  for (size_t size = 0; size < 2000; ++size) {
    const std::string bytes(size, 'b');
    writer_.bulk(bytes);
    writer_.simple(bytes);
    ASSERT_EQ(taken(), "$" + std::to_string(size) + "\r\n" + bytes + "\r\n+" + bytes + "\r\n");
  }
  writer_.bulk(std::string(100000, 'b'));
  EXPECT_EQ(taken(), "$100000\r\n" + std::string(100000, 'b') + "\r\n");
}

TEST_F(RespWriterTest, BlobsAreSentFromWhereTheyAre) {
  Blob* blob = Blob::create_from(heap_, std::string(20000, 'b'));
  writer_.blob(blob, blob->view());
  EXPECT_TRUE(blob->is_shared());
  EXPECT_EQ(taken(), "$20000\r\n" + std::string(20000, 'b') + "\r\n");
  EXPECT_FALSE(blob->is_shared());
  Blob::unpin(heap_, blob);
}

TEST_F(RespWriterTest, LateHeadersNest) {
  const auto outer = writer_.begin();
  writer_.integer(1);
  const auto inner = writer_.begin();
  writer_.integer(2);
  writer_.integer(3);
  writer_.end_map(inner, 1);
  const auto empty = writer_.begin();
  writer_.end_set(empty, 0);
  writer_.end_array(outer, 3);
  EXPECT_EQ(taken(), "*3\r\n:1\r\n*2\r\n:2\r\n:3\r\n*0\r\n");
}

}  // namespace
}  // namespace ouro
