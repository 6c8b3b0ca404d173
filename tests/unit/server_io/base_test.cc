// SPDX-License-Identifier: BSD-3-Clause
// What needs no loop: addresses, clocks, timers, blocking files, and the probe's words.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "datastructs/base/prng.h"
#include "server/io/address.h"
#include "server/io/blocking_file.h"
#include "server/io/clock.h"
#include "server/io/probe.h"
#include "server/io/timers.h"

namespace ouro {
namespace {

TEST(Address, ParsesAndFormats) {
  for (const char* text : {"127.0.0.1:6379", "[::1]:6379", "0.0.0.0:0", "[2001:db8::5]:65535"}) {
    const auto address = Address::parse(text);
    ASSERT_TRUE(address.has_value()) << text;
    EXPECT_EQ(address->text(), text);
  }
  EXPECT_EQ(Address::parse("/run/ouro.sock")->text(), "/run/ouro.sock:0");
  EXPECT_EQ(Address::from_ip("*", 1)->text(), "0.0.0.0:1");
  EXPECT_EQ(Address::from_ip("::*", 1)->text(), "[::]:1");
  for (const char* text :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0:1", "a:1", "127.0.0.1:1x"}) {
    EXPECT_FALSE(Address::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Address::from_unix(std::string(108, 'p')).has_value());
  EXPECT_EQ(Address().text(), "?:0");
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(Address::parse("127.9.0.1:1")->is_loopback());
  EXPECT_TRUE(Address::parse("[::1]:1")->is_loopback());
  EXPECT_TRUE(Address::parse("[::ffff:127.0.0.1]:1")->is_loopback());
  EXPECT_TRUE(Address::parse("/x")->is_loopback());
  EXPECT_FALSE(Address::parse("10.0.0.1:1")->is_loopback());
  EXPECT_FALSE(Address::parse("[::2]:1")->is_loopback());
}

TEST(Clock, CycleClockAgreesWithTheMonotonicClock) {
  CycleClock clock;
  const uint64_t ticks = clock.ticks();
  const Instant start = monotonic_now();
  while (monotonic_now() - start < 5000) {
  }
  const Micros by_ticks = clock.micros(clock.ticks() - ticks);
  const Micros by_clock = monotonic_now() - start;
  EXPECT_GE(by_ticks, 4900);
  EXPECT_LE(by_ticks, by_clock + by_clock / 50 + 5);
}

TEST(Clock, ThreadCpuGrowsWithWork) {
  const Micros before = thread_cpu_now();
  while (thread_cpu_now() - before < 500) {
  }
  EXPECT_GE(thread_cpu_now() - before, 500);
  EXPECT_EQ(wall_clock_micros() / 1'000'000 / 60, wall_clock_now() / 1000 / 60);
}

struct Bell {
  Timers* timers = nullptr;
  std::vector<Instant>* rung = nullptr;
  Instant again_after = 0;
  Timer timer{this, timer_to<&Bell::ring>()};
  void ring() {
    rung->push_back(timer.due());
    if (again_after != 0) timers->set(timer, timer.due() + again_after);
  }
};

// Random sets, moves and cancels, against a plain list.
TEST(Timers, RunInOrderWhateverWasSetAndCancelled) {
  Prng prng(7);
  Timers timers;
  std::vector<Instant> rung;
  std::vector<Bell> bells(200);
  for (Bell& bell : bells) bell.rung = &rung;
  for (int i = 0; i < 5000; ++i) {
    Bell& bell = bells[prng.below(bells.size())];
    if (prng.below(3) == 0) {
      timers.cancel(bell.timer);
    } else {
      timers.set(bell.timer, static_cast<Instant>(prng.below(1000)));
    }
    timers.check_invariants();
  }
  std::vector<Instant> expected;
  for (const Bell& bell : bells) {
    if (bell.timer.is_set() && bell.timer.due() <= 500) expected.push_back(bell.timer.due());
  }
  std::sort(expected.begin(), expected.end());
  timers.run_due(500);
  EXPECT_EQ(rung, expected);
  EXPECT_GT(timers.next_due(), 500);
}

TEST(Timers, ATimerThatSetsItselfRunsOnceACall) {
  Timers timers;
  std::vector<Instant> rung;
  Bell bell;
  bell.timers = &timers;
  bell.rung = &rung;
  bell.again_after = 1;
  timers.set(bell.timer, 1);
  timers.run_due(100);
  EXPECT_EQ(rung.size(), 1U);
  timers.run_due(100);
  EXPECT_EQ(rung.size(), 2U);
}

TEST(Timers, ADestroyedTimerIsCancelled) {
  Timers timers;
  {
    Bell bell;
    timers.set(bell.timer, 1);
  }
  EXPECT_EQ(timers.next_due(), kNever);
}

TEST(BlockingFile, ReplacesReadsAppendsRemoves) {
  char name[] = "/tmp/ouro-file-XXXXXX";
  const std::string directory = ::mkdtemp(name);
  const std::string path = directory + "/f";
  std::string bytes = "old";
  EXPECT_EQ(read_whole_file(path, bytes), ENOENT);
  EXPECT_TRUE(bytes.empty());
  const std::string large(200'000, 'L');
  EXPECT_EQ(replace_file(path, large), 0);
  EXPECT_EQ(append_to_file(path, "tail"), 0);
  EXPECT_EQ(read_whole_file(path, bytes), 0);
  EXPECT_EQ(bytes, large + "tail");
  EXPECT_EQ(read_whole_file(path, bytes, 1000), EFBIG);
  EXPECT_EQ(replace_file(path, ""), 0);
  EXPECT_EQ(read_whole_file(path, bytes), 0);
  EXPECT_EQ(bytes, "");
  EXPECT_EQ(remove_file(path), 0);
  EXPECT_EQ(remove_file(path), 0);
  EXPECT_EQ(replace_file(directory + "/missing/f", "x"), ENOENT);
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  EXPECT_EQ(read_whole_file("/proc/self/status", bytes), 0);
  EXPECT_NE(bytes.find("Pid:"), std::string::npos);
  std::filesystem::remove_all(directory);
}

TEST(Probe, SaysWhichAndWhy) {
  EXPECT_EQ(io_backend_from("auto"), IoBackend::kAuto);
  EXPECT_EQ(io_backend_from("uring"), IoBackend::kUring);
  EXPECT_EQ(io_backend_from("epoll"), IoBackend::kEpoll);
  EXPECT_EQ(io_backend_from("kqueue"), std::nullopt);
  const ProbedLoop epoll = make_loop(IoBackend::kEpoll);
  ASSERT_NE(epoll.loop, nullptr);
  EXPECT_EQ(epoll.loop->name(), "epoll");
  EXPECT_EQ(epoll.words, "epoll, as configured");
  const ProbedLoop any = make_loop(IoBackend::kAuto);
  ASSERT_NE(any.loop, nullptr);
  EXPECT_EQ(any.words.compare(0, any.loop->name().size(), any.loop->name()), 0) << any.words;
  const ProbedLoop uring = make_loop(IoBackend::kUring);
  EXPECT_EQ(uring.loop != nullptr, any.loop->name() == "io_uring") << uring.words;
}

}  // namespace
}  // namespace ouro
