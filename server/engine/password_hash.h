// SPDX-License-Identifier: BSD-3-Clause
// PasswordHash: the SHA-256 of a password (FIPS 180-4), which is all that the server keeps of it.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

class PasswordHash {
 public:
  static PasswordHash of(ByteView password);
  // From 64 lower-case hex digits; nothing else is one.
  static std::optional<PasswordHash> from_hex(ByteView digits);

  std::string hex() const;
  // Takes the same time wherever the two differ.
  friend bool operator==(const PasswordHash& a, const PasswordHash& b);

 private:
  std::array<unsigned char, 32> bytes_;
};

}  // namespace ouro
