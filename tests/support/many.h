// SPDX-License-Identifier: BSD-3-Clause
// A command as often as wanted, as a client that does not wait for answers sends it.
#pragma once

#include <string>

namespace ouro {

inline std::string many(size_t count, const std::string& command) {
  std::string all;
  for (size_t i = 0; i < count; ++i) all += command;
  return all;
}

}  // namespace ouro
