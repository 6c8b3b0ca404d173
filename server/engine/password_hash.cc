// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/password_hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

constexpr ByteView kDigits = "0123456789abcdef";

}  // namespace

PasswordHash PasswordHash::of(ByteView password) {
  PasswordHash hash;
  unsigned size = 0;
  CHECK(EVP_Digest(password.data(), password.size(), hash.bytes_.data(), &size, EVP_sha256(),
                   nullptr) == 1);
  CHECK(size == hash.bytes_.size());
  return hash;
}

std::optional<PasswordHash> PasswordHash::from_hex(ByteView digits) {
  PasswordHash hash;
  if (digits.size() != 2 * hash.bytes_.size()) return std::nullopt;
  for (size_t i = 0; i < hash.bytes_.size(); ++i) {
    const size_t high = kDigits.find(digits[2 * i]);
    const size_t low = kDigits.find(digits[2 * i + 1]);
    if (high == ByteView::npos || low == ByteView::npos) return std::nullopt;
    hash.bytes_[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return hash;
}

std::string PasswordHash::hex() const {
  std::string digits;
  for (const unsigned char byte : bytes_) {
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  return digits;
}

bool operator==(const PasswordHash& a, const PasswordHash& b) {
  return CRYPTO_memcmp(a.bytes_.data(), b.bytes_.data(), a.bytes_.size()) == 0;
}

}  // namespace ouro
