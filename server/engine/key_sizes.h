// SPDX-License-Identifier: BSD-3-Clause
// KeySizes: how many keys of each type have how many bytes or elements, by powers of two (INFO
// keysizes, as of Redis 8.0).
//
// Computed when it is asked for, not kept: a count that follows every change would need the size
// before and after each write, which only SET has at hand; every HSET and ZADD would look its key
// up twice more. A small keyspace is walked at once. A large one is walked in slices between turns,
// and who asks is told of the last walk that has ended, whose end the report names. Nothing is paid
// when nobody asks.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "datastructs/keyspace/databases.h"

namespace ouro {

class Engine;

class KeySizes {
 public:
  // Redis tells of these, in this order.
  static constexpr size_t kTypes = 5;
  static constexpr std::array<Type, kTypes> kReported = {Type::kString, Type::kList, Type::kSet,
                                                         Type::kZSet, Type::kHash};
  // Bin 0 has the empty ones, bin b those of 2^(b-1) up to below 2^b.
  static constexpr size_t kBins = 65;
  using Histogram = std::array<uint64_t, kBins>;
  using Report = std::vector<std::array<Histogram, kTypes>>;  // by database

  explicit KeySizes(Engine& engine) : engine_(engine) {}

  // What is known, fresh if the keyspace is small; begins a walk. Null while the first one lasts.
  const Report* ask();
  UnixMs ended() const { return ended_; }

  // True when more is left to be walked.
  bool run_slice();

 private:
  void walk(size_t keys_max);
  void count(const Entry& entry);

  Engine& engine_;
  Report report_;
  UnixMs ended_ = 0;  // of the walk that made report_; 0 is none yet
  // The walk that goes on.
  bool walks_ = false;
  Report counted_;
  DbIndex db_ = 0;
  uint64_t cursor_ = 0;
};

}  // namespace ouro
