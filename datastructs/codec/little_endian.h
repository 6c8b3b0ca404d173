// SPDX-License-Identifier: BSD-3-Clause
// Numbers of fixed size in the machine's order, which is little-endian: headers of dumps.
#pragma once

#include <bit>
#include <cstring>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

static_assert(std::endian::native == std::endian::little);

template <class T>
void append_fixed(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

// Takes the next number from the front. Requires: in.size() >= sizeof(T).
template <class T>
T take_fixed(ByteView& in) noexcept {
  T value;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return value;
}

}  // namespace ouro
