// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/key_walk.h"

#include "server/engine/engine.h"

namespace ouro {
namespace {

// Up to so many keys are walked at once: one to a few milliseconds, by what is done for each.
constexpr size_t kAtOnceMax = 10'000;
constexpr size_t kSliceKeys = 2'000;

}  // namespace

void KeyWalk::begin() {
  if (goes_on_) return;
  goes_on_ = true;
  db_ = 0;
  cursor_ = 0;
  on_begin(engine_.dbs.count());
  if (engine_.dbs.size() <= kAtOnceMax) walk(SIZE_MAX);
}

bool KeyWalk::run_slice() {
  if (goes_on_) walk(kSliceKeys);
  return goes_on_;
}

void KeyWalk::walk(size_t keys_max) {
  size_t seen = 0;
  while (db_ < engine_.dbs.count()) {
    if (seen >= keys_max) return;
    ++seen;  // an empty bucket costs, too
    cursor_ = engine_.dbs[db_].scan(cursor_, [&](const Entry& entry) {
      ++seen;
      on_key(db_, entry);
    });
    if (cursor_ == 0) ++db_;
  }
  goes_on_ = false;
  on_end(engine_.now());
}

size_t KeyWalk::element_count(const Entry& entry) {
  switch (entry.type()) {
    case Type::kList:
      return entry.as<List>().size();
    case Type::kSet:
      return entry.as<Set>().size();
    case Type::kZSet:
      return entry.as<ZSet>().size();
    case Type::kHash:
      return entry.as<Hash>().size();
    case Type::kStream:
      return entry.as<Stream>().size();
    default:
      return 0;
  }
}

}  // namespace ouro
