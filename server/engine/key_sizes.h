// SPDX-License-Identifier: BSD-3-Clause
// KeySizes: how many keys of each type have how many bytes or elements, and how many take how much
// memory, by powers of two (INFO keysizes, as of Redis 8.0 and 8.6).
//
// Found by a walk over all keys (key_walk.h), not kept: a count that follows every change would
// need the size before and after each write, which only SET has at hand; every HSET and ZADD would
// look its key up twice more. The report names the end of its walk.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "server/engine/key_walk.h"

namespace ouro {

class KeySizes final : public KeyWalk {
 public:
  // Redis tells of these, in this order.
  static constexpr size_t kTypes = 5;
  static constexpr std::array<Type, kTypes> kReported = {Type::kString, Type::kList, Type::kSet,
                                                         Type::kZSet, Type::kHash};
  // Bin 0 has the empty ones, bin b those of 2^(b-1) up to below 2^b.
  static constexpr size_t kBins = 65;
  using Histogram = std::array<uint64_t, kBins>;
  struct OfType {
    Histogram sizes = {};   // bytes of strings, elements of others
    Histogram memory = {};  // bytes, with the key
  };
  using Report = std::vector<std::array<OfType, kTypes>>;  // by database

  explicit KeySizes(Engine& engine) : KeyWalk(engine) {}

  // What is known, fresh if the keyspace is small; begins a walk. Null while the first one lasts.
  const Report* ask();
  UnixMs ended() const { return ended_; }

 private:
  void on_begin(uint32_t db_count) override;
  void on_key(DbIndex db, const Entry& entry) override;
  void on_end(UnixMs now) override;

  Report report_;
  UnixMs ended_ = 0;  // of the walk that made report_; 0 is none yet
  Report counted_;    // of the walk that goes on
};

}  // namespace ouro
