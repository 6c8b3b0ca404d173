// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/quoted.h"

namespace ouro {

void append_quoted(std::string& to, ByteView bytes) {
  constexpr char kHex[] = "0123456789abcdef";
  to += '"';
  for (const char c : bytes) {
    switch (c) {
      case '\\':
      case '"':
        to += '\\';
        to += c;
        break;
      case '\n':
        to += "\\n";
        break;
      case '\r':
        to += "\\r";
        break;
      case '\t':
        to += "\\t";
        break;
      case '\a':
        to += "\\a";
        break;
      case '\b':
        to += "\\b";
        break;
      default:
        if (c >= ' ' && c <= '~') {
          to += c;
        } else {
          const auto byte = static_cast<unsigned char>(c);
          to += "\\x";
          to += kHex[byte >> 4];
          to += kHex[byte & 15];
        }
    }
  }
  to += '"';
}

}  // namespace ouro
