// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/packed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ouro {
namespace {

class PackedTest : public testing::Test {
 protected:
  ~PackedTest() override {
    run_.destroy(heap_);
    EXPECT_EQ(heap_.used_bytes(), 0u);
  }
  std::vector<std::string> all() const {
    run_.check_invariants();
    std::vector<std::string> entries;
    for (auto at = run_.begin(); at != run_.end();) entries.emplace_back(run_.read(at));
    EXPECT_EQ(entries.size(), run_.count());
    return entries;
  }

  Heap heap_;
  Packed run_;
};

using Strings = std::vector<std::string>;

TEST_F(PackedTest, HoldsNoMemoryWhileEmpty) {
  EXPECT_TRUE(run_.empty());
  EXPECT_EQ(run_.count(), 0u);
  EXPECT_EQ(run_.begin(), run_.end());
  EXPECT_EQ(run_.find("x", 1), run_.end());
  run_.append(heap_, {"x"});
  run_.erase(heap_, run_.begin(), 1);
  EXPECT_EQ(run_.block(), nullptr);
  EXPECT_EQ(heap_.used_bytes(), 0u);
}

TEST_F(PackedTest, KeepsEmptyAndBinaryEntriesApart) {
  const std::string binary("\0\xff\r\n\0", 5);
  run_.append(heap_, {"", binary, "", "a"});
  EXPECT_EQ(all(), (Strings{"", binary, "", "a"}));
  EXPECT_EQ(run_.find(binary, 1), run_.at_index(1));
  EXPECT_EQ(run_.find("", 1), run_.begin());
}

TEST_F(PackedTest, InsertsErasesAndReplacesInTheMiddle) {
  run_.append(heap_, {"a", "b", "c"});
  const auto after = run_.insert(heap_, run_.at_index(1), {"x", "yy"});
  EXPECT_EQ(run_.get(after), "b");
  EXPECT_EQ(all(), (Strings{"a", "x", "yy", "b", "c"}));
  run_.replace(heap_, run_.at_index(2), std::string(300, 'r'));
  EXPECT_EQ(all(), (Strings{"a", "x", std::string(300, 'r'), "b", "c"}));
  run_.replace(heap_, run_.at_index(2), "");
  EXPECT_EQ(all(), (Strings{"a", "x", "", "b", "c"}));
  EXPECT_EQ(run_.get(run_.erase(heap_, run_.at_index(1), 3)), "c");
  EXPECT_EQ(all(), (Strings{"a", "c"}));
}

TEST_F(PackedTest, FindLooksOnlyAtEveryStrideThEntry) {
  run_.append(heap_, {"b", "a", "a", "b"});
  EXPECT_EQ(run_.find("a", 2), run_.at_index(2));
  EXPECT_EQ(run_.find("a", 1), run_.at_index(1));
  EXPECT_EQ(run_.find("b", 4), run_.begin());
  EXPECT_EQ(run_.find("a", 4), run_.end());
}

// Goal: each border between the forms of a length.
TEST_F(PackedTest, StoresEveryLengthAtTheBordersOfItsCode) {
  for (const size_t length : {0u, 1u, 127u, 128u, 129u, 255u, 256u, 8191u, 8192u, 65535u, 65536u}) {
    const std::string bytes(length, static_cast<char>('a' + length % 26));
    run_.append(heap_, {bytes, "end"});
    EXPECT_EQ(run_.bytes(), PackedBlock::kHeadBytes + Packed::entry_bytes(length) + 4);
    EXPECT_EQ(all(), (Strings{bytes, "end"}));
    run_.erase(heap_, run_.begin(), 2);
  }
}

TEST_F(PackedTest, TenFieldsOfSevenAndSixteenBytesFitA256ByteBlock) {
  for (int i = 0; i < 10; ++i)
    run_.append(heap_, {"field:" + std::to_string(i), "0123456789abcdef"});
  EXPECT_EQ(run_.bytes(), 255u);
}

TEST_F(PackedTest, GivesMemoryBackWhenLessThanHalfIsUsed) {
  for (int i = 0; i < 100; ++i) run_.append(heap_, {std::string(30, 'x')});
  const size_t full = heap_.used_bytes();
  run_.erase(heap_, run_.begin(), 80);
  EXPECT_LT(heap_.used_bytes(), full / 2);
  EXPECT_EQ(all(), Strings(20, std::string(30, 'x')));
}

TEST_F(PackedTest, CopyIsIndependent) {
  run_.append(heap_, {"a", "b"});
  Packed other = run_.copy(heap_);
  other.replace(heap_, other.begin(), "changed");
  EXPECT_EQ(all(), (Strings{"a", "b"}));
  EXPECT_EQ(other.get(other.begin()), "changed");
  other.destroy(heap_);
  Packed none = Packed().copy(heap_);
  EXPECT_TRUE(none.empty());
}

TEST(LengthCode, MirroredCodesReadFromTheirEnd) {
  for (const size_t length : {0u, 127u, 128u, 200u, 8191u, 8192u, 70000u, 0xFFFFFFFFu}) {
    char code[8];
    const char* end = length_code::write_mirrored(code, length);
    size_t read;
    EXPECT_EQ(length_code::read_mirrored(end, read), code);
    EXPECT_EQ(read, length);
    EXPECT_EQ(static_cast<size_t>(end - code), length_code::bytes_for(length));
  }
}

}  // namespace
}  // namespace ouro
