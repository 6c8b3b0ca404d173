// SPDX-License-Identifier: BSD-3-Clause
// How a module's type is named in RDB: nine characters of six bits each, and ten bits for the
// version of its layout, in one number.
#pragma once

#include <cstdint>

#include "datastructs/base/check.h"
#include "datastructs/base/units.h"

namespace ouro {

inline constexpr unsigned kModuleVersionBits = 10;

constexpr uint64_t module_id(ByteView name, uint64_t version) {
  constexpr ByteView kCharacters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  uint64_t id = 0;
  for (const char character : name) id = id << 6 | kCharacters.find(character);
  return id << kModuleVersionBits | version;
}

constexpr uint64_t module_version(uint64_t id) { return id & ((1U << kModuleVersionBits) - 1); }
constexpr uint64_t module_name(uint64_t id) { return id >> kModuleVersionBits; }

// Types of the module RedisBloom, each with the version that is written and read.
inline constexpr uint64_t kBloomModule = module_id("MBbloom--", 4);
inline constexpr uint64_t kCuckooModule = module_id("MBbloomCF", 4);
inline constexpr uint64_t kCountMinModule = module_id("CMSk-TYPE", 0);
inline constexpr uint64_t kTopKModule = module_id("TopK-TYPE", 0);
inline constexpr uint64_t kTDigestModule = module_id("TDIS-TYPE", 0);
// Our own.
inline constexpr uint64_t kOuroModule = module_id("ouro-data", 1);

}  // namespace ouro
