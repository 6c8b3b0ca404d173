// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/commit.h"

#include <gtest/gtest.h>

#include <string>

namespace ouro {
namespace {

// A group as one line: brackets around what must be applied whole.
class Lines final : public EffectSink {
 public:
  void on_group(std::span<const Effect> effects, GroupKind kind) override {
    std::string line = kind == GroupKind::kTransaction ? "[" : "";
    for (const Effect& effect : effects) {
      line.append(line.empty() || line == "[" ? "" : " ").append(effect.argv.argv()[0]);
    }
    text += line + (kind == GroupKind::kTransaction ? "]" : "") + ";";
  }
  void on_command(DbIndex /*db*/, Argv argv, ByteView /*raw*/) override {
    text.append(argv[0]).append("!;");
  }
  std::string text;
};

class CommitTest : public testing::Test {
 protected:
  void add(ByteView word) { commit.add(0, Argv(&word, 1)); }

  Heap heap;
  Lines lines;
  EffectSink* const sinks[1] = {&lines};
  Commit commit{heap, sinks};
};

TEST_F(CommitTest, OnlyWhatConsistsOfSeveralIsATransaction) {
  commit.close_group(GroupKind::kTransaction);
  add("a");
  commit.close_group(GroupKind::kTransaction);
  add("b");
  add("c");
  commit.close_group(GroupKind::kTransaction);
  add("d");
  add("e");
  commit.close_group(GroupKind::kCommand);
  EXPECT_EQ(lines.text, "a;[b c];d e;");
  EXPECT_EQ(commit.log_end(), 3U);
}

TEST_F(CommitTest, ACommandAloneIsAGroup) {
  const ByteView word = "a";
  commit.add_alone(0, Argv(&word, 1), {});
  commit.close_group(GroupKind::kCommand);
  EXPECT_EQ(lines.text, "a!;");
  EXPECT_EQ(commit.log_end(), 1U);
  EXPECT_EQ(commit.open_end(), 1U);
}

TEST_F(CommitTest, WhatACommandNoticedStandsAheadOfItsOwn) {
  commit.begin_group();
  add("before");
  commit.begin_command();
  add("own");
  const ByteView first = "first";
  const ByteView second = "second";
  commit.add_first(0, Argv(&first, 1));
  commit.add_first(0, Argv(&second, 1));
  commit.close_group(GroupKind::kTransaction);
  EXPECT_EQ(lines.text, "[before first second own];");
}

}  // namespace
}  // namespace ouro
