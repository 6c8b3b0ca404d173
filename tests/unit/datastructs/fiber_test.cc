// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/base/fiber.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {
namespace {

// Leaves after each step, `depth` calls deep, with objects in all frames.
class Steps final : public Fiber {
 public:
  Steps(Heap& heap, std::string name, int steps, int depth, std::string& told)
      : Fiber(heap, 256_KiB), name_(std::move(name)), steps_(steps), depth_(depth), told_(told) {}

 private:
  void body() override {
    for (int i = 0; i < steps_; ++i) descend(depth_, name_ + std::to_string(i));
    told_ += name_ + "end ";
  }
  // NOLINTNEXTLINE(misc-no-recursion): that is what it is for
  void descend(int depth, const std::string& word) {
    const std::vector<std::string> kept(3, word);
    if (depth > 0) {
      descend(depth - 1, word);
    } else {
      leave();
      told_ += word + " ";
    }
    EXPECT_EQ(kept, std::vector<std::string>(3, word));
  }

  std::string name_;
  int steps_;
  int depth_;
  std::string& told_;
};

TEST(Fiber, GoesOnWhereItWasLeft) {
  Heap heap;
  std::string told;
  Steps fiber(heap, "a", 2, 0, told);
  EXPECT_EQ(told, "");
  fiber.resume();
  EXPECT_EQ(told, "");
  fiber.resume();
  EXPECT_EQ(told, "a0 ");
  EXPECT_FALSE(fiber.is_over());
  fiber.resume();
  EXPECT_EQ(told, "a0 a1 aend ");
  EXPECT_TRUE(fiber.is_over());
}

TEST(Fiber, SeveralTakeTurns) {
  Heap heap;
  std::string told;
  Steps a(heap, "a", 1, 100, told);
  Steps b(heap, "b", 2, 50, told);
  while (!a.is_over() || !b.is_over()) {
    if (!a.is_over()) a.resume();
    if (!b.is_over()) b.resume();
  }
  EXPECT_EQ(told, "a0 aend b0 b1 bend ");
}

// A fiber within a fiber: each comes back to who has resumed it.
TEST(Fiber, IsResumedFromAnother) {
  class Outer final : public Fiber {
   public:
    Outer(Heap& heap, std::string& told)
        : Fiber(heap, 256_KiB), inner_(heap, "i", 2, 5, told), told_(told) {}

   private:
    void body() override {
      while (!inner_.is_over()) {
        inner_.resume();
        told_ += "o ";
        leave();
      }
    }
    Steps inner_;
    std::string& told_;
  };
  Heap heap;
  std::string told;
  Outer outer(heap, told);
  while (!outer.is_over()) outer.resume();
  EXPECT_EQ(told, "o i0 o i1 iend o ");
}

TEST(Fiber, ItsStackIsCounted) {
  Heap heap;
  {
    std::string told;
    Steps fiber(heap, "a", 0, 0, told);
    EXPECT_GE(heap.used_bytes(), 256_KiB);
    fiber.resume();
  }
  EXPECT_EQ(heap.used_bytes(), 0U);
}

}  // namespace
}  // namespace ouro
