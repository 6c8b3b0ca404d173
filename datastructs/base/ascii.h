// SPDX-License-Identifier: BSD-3-Clause
// Letters, digits and blanks of ASCII, whatever the locale: what commands, options and numbers are
// written with. Other bytes are none of these.
#pragma once

#include <algorithm>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
// As isspace() of the C locale: tab to carriage return, with vertical tab and form feed.
constexpr bool is_blank(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }

constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
inline std::string to_lower(ByteView text) {
  std::string lower(text);
  for (char& c : lower) c = to_lower(c);
  return lower;
}
constexpr bool equals_ignoring_case(ByteView a, ByteView b) noexcept {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return to_lower(x) == to_lower(y);
         });
}

// The value of a hexadecimal digit, -1 for any other byte.
constexpr int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char letter = to_lower(c);
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

}  // namespace ouro
