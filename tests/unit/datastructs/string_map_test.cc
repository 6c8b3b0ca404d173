// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/string_map.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace ouro {
namespace {

TEST(StringMap, AgreesWithAMap) {
  Heap heap;
  std::map<std::string, std::vector<int>> model;
  {
    StringMap<std::vector<int>> map(heap, HashSeed{3});
    Prng prng(8);
    for (int i = 0; i < 20000; ++i) {
      const std::string key(prng.below(3), static_cast<char>(prng.below(256)));
      const std::string name = key + std::to_string(prng.below(300));
      if (prng.below(3) == 0) {
        ASSERT_EQ(map.erase(name), model.erase(name) == 1);
      } else {
        map.find_or_add(name).push_back(i);
        model[name].push_back(i);
      }
      ASSERT_EQ(map.size(), model.size());
    }
    map.check_invariants();
    size_t met = 0;
    map.for_each([&](ByteView key, const std::vector<int>& value) {
      ++met;
      EXPECT_EQ(model.at(std::string(key)), value);
    });
    EXPECT_EQ(met, model.size());
    for (const auto& [name, value] : model) ASSERT_NE(map.find(name), nullptr);
    EXPECT_EQ(map.find("absent"), nullptr);
    map.find_or_add("") = {1, 2};
    EXPECT_EQ(map.find("")->size(), 2u);
  }
  EXPECT_EQ(heap.used_bytes(), 0u);
}

TEST(StringMap, ClearFreesAllAndTheMapIsUsableAgain) {
  Heap heap;
  StringMap<int> map(heap, HashSeed{3});
  for (int i = 0; i < 1000; ++i) map.find_or_add(std::to_string(i)) = i;
  map.clear();
  EXPECT_TRUE(map.empty());
  EXPECT_EQ(heap.used_bytes(), 0u);
  map.find_or_add("a") = 1;
  EXPECT_EQ(*map.find("a"), 1);
  EXPECT_TRUE(map.erase("a"));
  EXPECT_EQ(heap.used_bytes(), 0u);
}

}  // namespace
}  // namespace ouro
