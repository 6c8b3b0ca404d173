// SPDX-License-Identifier: BSD-3-Clause
// The program sim_test: GoogleTest's main with a seed.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "sim/seed.h"

namespace ouro {
namespace {

// GoogleTest's cases are given nothing, so what main has read stands here.
// NOLINTBEGIN(cppcoreguidelines-avoid-non-const-global-variables)
uint64_t g_seed = 0;
uint64_t g_rounds = 1;
// NOLINTEND(cppcoreguidelines-avoid-non-const-global-variables)

class SeedPrinter final : public testing::EmptyTestEventListener {
  void OnTestPartResult(const testing::TestPartResult& result) override {
    if (result.failed()) print();
  }
  void OnTestProgramStart(const testing::UnitTest&) override { print(); }
  static void print() {
    std::printf("--seed=%llu\n", static_cast<unsigned long long>(g_seed));
    std::fflush(stdout);
  }
};

}  // namespace

uint64_t run_seed() { return g_seed; }
uint64_t run_rounds() { return g_rounds; }

}  // namespace ouro

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  ouro::g_seed = std::random_device()() % 1'000'000;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--seed=", 7) == 0) {
      ouro::g_seed = std::strtoull(argv[i] + 7, nullptr, 10);
    }
    if (std::strncmp(argv[i], "--rounds=", 9) == 0) {
      ouro::g_rounds = std::strtoull(argv[i] + 9, nullptr, 10);
    }
  }
  testing::UnitTest::GetInstance()->listeners().Append(new ouro::SeedPrinter());
  return RUN_ALL_TESTS();
}
