// SPDX-License-Identifier: BSD-3-Clause
// Names of 16 bytes, what most keys and members are about as long as.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace ouro {

inline std::vector<std::string> member_names(size_t count) {
  std::vector<std::string> all;
  all.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "member:%09zu", i);
    all.emplace_back(name);
  }
  return all;
}

}  // namespace ouro
