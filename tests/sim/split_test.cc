// SPDX-License-Identifier: BSD-3-Clause
// However a client's bytes are cut on their way, the same replies come, byte for byte. A session of
// all sorts of requests is run once as it was written, then cut in two at each position, byte by
// byte, and at random.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/seed.h"
#include "sim/sim_client.h"
#include "sim/sim_server.h"

namespace ouro {
namespace {

// What one of two clients sends when all is quiet.
struct Step {
  enum class Who { kFirst, kSecond } who;
  std::string bytes;
};
using Script = std::vector<Step>;

struct Replies {
  std::string first;
  std::string second;
  bool closed = false;
  uint64_t fills = 0;  // receives into a bulk's own memory
  bool operator==(const Replies& other) const {
    return first == other.first && second == other.second && closed == other.closed;
  }
};

std::string pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 997) % 26);
  // Now and then it looks like protocol.
  const ByteView looks = "\r\n*1\r\n$4\r\n";
  for (size_t at = 20'000; at + looks.size() < bytes; at += 100'000) {
    text.replace(at, looks.size(), looks);
  }
  return text;
}

// Each step is followed by so much quiet: longer than any delay, and than the session's one
// timeout.
constexpr Micros kQuiet = 60'000;

// The first client's stream is cut by `policy`.
Replies run(const Script& script, const StreamPolicy& policy, uint64_t seed) {
  SimWorld world(seed);
  SimServer server(world.add_machine());
  SimClient first(world);
  world.run_for(1000);
  SimClient second(world);
  world.run_for(1000);
  StreamPolicy policy_of_first = policy;
  policy_of_first.buffer_bytes = 4_MiB;
  first.socket().set_policy(policy_of_first);
  for (const Step& step : script) {
    (step.who == Step::Who::kFirst ? first : second).send(step.bytes);
    // A stream that comes byte by byte takes its time.
    world.run_until([&] { return first.unsent() == 0 && first.socket().room() >= 4_MiB; }, 60'000);
    world.run_for(kQuiet);
  }
  server.check_invariants();
  return {.first = first.received(),
          .second = second.received(),
          .closed = first.has_ended(),
          .fills = world.machine(0).loop().started(OpKind::kReceiveInto)};
}

std::string first_stream(const Script& script) {
  std::string stream;
  for (const Step& step : script) {
    if (step.who == Step::Who::kFirst) stream += step.bytes;
  }
  return stream;
}

Script small_script() {
  using enum Step::Who;
  const std::string talk =
      "PING\r\n"
      "  SET  inline \"a \\x41 b\"   \r\n"
      "GET inline\n"
      "\r\n" +
      resp_command({"HELLO", "3"}) + resp_command({"SET", "k", "v\r\nw"}) +
      resp_command({"GET", "k"}) + resp_command({"GET", ""}) + "*0\r\n" +
      resp_command({"nosuch", "command"}) + resp_command({"GET"}) +
      resp_command({"LPUSH", "k", "x"}) + resp_command({"RPUSH", "list", "1", "2", "3"}) +
      resp_command({"LRANGE", "list", "0", "-1"}) + resp_command({"HSET", "h", "f", "1"}) +
      resp_command({"HGETALL", "h"}) + resp_command({"ZADD", "z", "1.5", "m"}) +
      resp_command({"ZRANGE", "z", "0", "-1", "WITHSCORES"});
  const std::string transactions =
      resp_command({"MULTI"}) + resp_command({"INCR", "n"}) + resp_command({"LPUSH", "n", "x"}) +
      "INCR n\r\n" + resp_command({"EXEC"}) + resp_command({"MULTI"}) + resp_command({"GET"}) +
      resp_command({"EXEC"}) + resp_command({"MULTI"}) + resp_command({"INCR", "n"}) +
      resp_command({"DISCARD"}) + resp_command({"GET", "n"});
  return {
      {kFirst, talk},
      {kFirst, transactions},
      {kFirst, resp_command({"SUBSCRIBE", "news"}) + resp_command({"PING"})},
      {kSecond, resp_command({"PUBLISH", "news", "hello"})},
      {kFirst, resp_command({"UNSUBSCRIBE"}) + resp_command({"BLPOP", "queue", "0"}) +
                   resp_command({"INCR", "n"}) + "ECHO behind\r\n"},
      {kSecond, "INCR n\r\n" + resp_command({"LPUSH", "queue", "woken"})},
      {kFirst, resp_command({"BLPOP", "queue", "0.05"}) + resp_command({"GET", "n"})},
      {kFirst, resp_command({"ECHO", "last"}) + "*2\r\n$4\r\nECHO\r\n$x\r\n"},
      {kSecond, "GET k\r\n"},
  };
}

TEST(Split, EveryPositionGivesTheSameReplies) {
  const Script script = small_script();
  const Replies whole = run(script, {}, run_seed());
  // The session does what it says.
  EXPECT_NE(whole.first.find("$4\r\nv\r\nw\r\n"), std::string::npos);
  EXPECT_NE(whole.first.find(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n"),
            std::string::npos);
  EXPECT_NE(whole.first.find("$5\r\nwoken\r\n:4\r\n$6\r\nbehind\r\n"), std::string::npos);
  EXPECT_NE(whole.first.find("EXECABORT"), std::string::npos);
  EXPECT_TRUE(whole.first.ends_with("-ERR Protocol error: invalid bulk length\r\n"));
  EXPECT_TRUE(whole.closed);
  const size_t size = first_stream(script).size();
  for (uint64_t at = 1; at < size; ++at) {
    const Replies cut =
        run(script, {.cut = StreamPolicy::Cut::kAt, .at = at, .gap = 2000}, run_seed() + at);
    ASSERT_EQ(cut, whole) << "cut at " << at << " of " << size;
  }
}

TEST(Split, ByteByByteAndAtRandomGivesTheSameReplies) {
  const Script script = small_script();
  const Replies whole = run(script, {}, run_seed());
  EXPECT_EQ(run(script, {.cut = StreamPolicy::Cut::kOneByte}, run_seed()), whole);
  for (uint64_t i = 0; i < 200; ++i) {
    const StreamPolicy random{.cut = StreamPolicy::Cut::kRandom,
                              .run_max = size_t{1} << (i % 10),
                              .gap = static_cast<Micros>(1 + i % 40),
                              .delay_max = static_cast<Micros>(20 + i % 7 * 100)};
    ASSERT_EQ(run(script, random, run_seed() + i), whole) << i;
  }
}

// Bulks that get memory of their own, are received into it, and stand between small commands.
Script large_script() {
  using enum Step::Who;
  const std::string big = pattern(40'000);
  const std::string huge = pattern(1'200'000);
  return {
      {kFirst, resp_command({"SET", "big", big}) + resp_command({"STRLEN", "big"})},
      {kFirst, "PING\r\n" + resp_command({"SET", "huge", huge}) + "STRLEN huge\r\n" +
                   resp_command({"MSET", "a", big, "b", "small", "c", pattern(70'000)}) +
                   resp_command({"ECHO", big}) + resp_command({"GETRANGE", "huge", "-9", "-1"})},
      {kFirst, resp_command({"MULTI"}) + resp_command({"APPEND", "a", big}) +
                   resp_command({"GET", "huge"}) + resp_command({"EXEC"})},
      {kSecond, resp_command({"MGET", "a", "b", "c", "big"})},
      {kFirst, resp_command({"SET", "list of bulks", pattern(33'000), "NX", "GET"}) +
                   resp_command({"LPUSH", "l", big, big}) +
                   resp_command({"LRANGE", "l", "0", "0"})},
  };
}

// All positions near what is no payload, and some in between.
std::vector<uint64_t> positions_of(const std::string& stream) {
  constexpr size_t kNear = 8;
  constexpr size_t kSample = 50'021;
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  std::vector<uint64_t> positions;
  size_t letters = 0;  // in the window that ends at `end`
  for (size_t end = 0; end < stream.size(); ++end) {
    letters += is_letter(stream[end]) ? 1U : 0U;
    if (end < 2 * kNear) continue;
    letters -= is_letter(stream[end - 2 * kNear]) ? 1U : 0U;
    const size_t at = end - kNear;
    if (letters < 2 * kNear || at % kSample == 0) positions.push_back(at);
  }
  return positions;
}

TEST(Split, LargeBulksComeWholeWhereverTheyAreCut) {
  const Script script = large_script();
  const Replies whole = run(script, {}, run_seed());
  EXPECT_NE(whole.first.find("+OK\r\n:40000\r\n+PONG\r\n+OK\r\n:1200000\r\n"), std::string::npos);
  uint64_t fills = 0;
  const std::string stream = first_stream(script);
  const std::vector<uint64_t> positions = positions_of(stream);
  EXPECT_GT(positions.size(), 300U);
  for (const uint64_t at : positions) {
    const Replies cut =
        run(script, {.cut = StreamPolicy::Cut::kAt, .at = at, .gap = 2000}, run_seed() + at);
    ASSERT_TRUE(cut == whole) << "cut at " << at << " of " << stream.size();
    fills += cut.fills;
  }
  EXPECT_GT(fills, positions.size() / 2);
}

TEST(Split, LargeBulksInPiecesOfAllSizes) {
  const Script script = large_script();
  const Replies whole = run(script, {}, run_seed());
  for (uint64_t i = 0; i < 40; ++i) {
    const StreamPolicy random{.cut = StreamPolicy::Cut::kRandom,
                              .run_max = size_t{1} << (10 + i % 10),
                              .gap = static_cast<Micros>(1 + i % 40),
                              .delay_max = static_cast<Micros>(20 + i % 7 * 100)};
    ASSERT_TRUE(run(script, random, run_seed() + i) == whole) << i;
  }
  const Script one{{Step::Who::kFirst, resp_command({"SET", "k", pattern(34'000)}) + "GET k\r\n"}};
  EXPECT_TRUE(run(one, {.cut = StreamPolicy::Cut::kOneByte, .gap = 1}, run_seed()) ==
              run(one, {}, run_seed()));
}

}  // namespace
}  // namespace ouro
