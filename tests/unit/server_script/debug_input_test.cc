// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/debug_input.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

// All commands that can be read now, "word word|word", and what ends them.
std::string read_all(DebugInput& input) {
  std::string text;
  std::vector<std::string> words;
  for (;;) {
    switch (input.next(words)) {
      case DebugInput::Read::kMore:
        return text;
      case DebugInput::Read::kBroken:
        return text + "broken";
      case DebugInput::Read::kTooLong:
        return text + "too long";
      case DebugInput::Read::kCommand:
        break;
    }
    for (const std::string& word : words) text += word + " ";
    text.back() = '|';
  }
}

std::string read(ByteView bytes) {
  DebugInput input;
  input.feed(bytes);
  return read_all(input);
}

TEST(DebugInput, ReadsCommands) {
  EXPECT_EQ(read("*1\r\n$4\r\nstep\r\n"), "step|");
  EXPECT_EQ(read("*2\r\n$1\r\nb\r\n$2\r\n12\r\n*1\r\n$1\r\nc\r\n"), "b 12|c|");
  EXPECT_EQ(read("anything*1x\r\n$1x\r\nc\r\n"), "c|");
  EXPECT_EQ(read(""), "");
}

TEST(DebugInput, RefusesWhatIsNoCommand) {
  for (const char* bytes : {"c\r\n", "*0\r\n", "*-1\r\n", "*x\r\n", "*1025\r\n", "*1\r\n:1\r\n",
                            "*1\r\n$0\r\n\r\n", "*1\r\n$1025\r\n", "*1\r\n$1\r\nab\r\n"})
    EXPECT_EQ(read(bytes), "broken") << bytes;
}

TEST(DebugInput, TakesBytesInAnyPieces) {
  const std::string bytes = "*3\r\n$1\r\nr\r\n$3\r\nset\r\n$2\r\n\r\n\r\n*1\r\n$1\r\nc\r\n";
  for (size_t at = 0; at <= bytes.size(); ++at) {
    DebugInput input;
    input.feed(ByteView(bytes).substr(0, at));
    std::string text = read_all(input);
    input.feed(ByteView(bytes).substr(at));
    text += read_all(input);
    EXPECT_EQ(text, "r set \r\n|c|") << at;
    EXPECT_TRUE(input.empty());
  }
}

TEST(DebugInput, HoldsSoMuchAtMost) {
  DebugInput input;
  input.feed("*1\r\n$");
  for (size_t i = 0; i < DebugInput::kBytesMax / 1024; ++i) {
    EXPECT_EQ(read_all(input), "");
    input.feed(std::string(1024, '1'));
  }
  EXPECT_EQ(read_all(input), "too long");
  input.feed("\r\n");
  EXPECT_EQ(read_all(input), "too long");
}

}  // namespace
}  // namespace ouro
