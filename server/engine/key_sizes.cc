// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/key_sizes.h"

#include <algorithm>
#include <bit>

#include "server/engine/engine.h"

namespace ouro {
namespace {

// Up to so many keys are walked at once; about a millisecond.
constexpr size_t kAtOnceMax = 10'000;
// About a quarter of that in a turn.
constexpr size_t kSliceKeys = 2'000;

size_t size_of(const Entry& entry) {
  switch (entry.type()) {
    case Type::kString:
      return entry.text_size();
    case Type::kList:
      return entry.as<List>().size();
    case Type::kSet:
      return entry.as<Set>().size();
    case Type::kZSet:
      return entry.as<ZSet>().size();
    case Type::kHash:
      return entry.as<Hash>().size();
    default:
      return 0;  // not of kReported
  }
}

}  // namespace

const KeySizes::Report* KeySizes::ask() {
  if (!walks_) {
    walks_ = true;
    counted_.assign(engine_.dbs.count(), {});
    db_ = 0;
    cursor_ = 0;
    size_t keys = 0;
    for (DbIndex db = 0; db < engine_.dbs.count(); ++db) keys += engine_.dbs[db].size();
    if (keys <= kAtOnceMax) walk(SIZE_MAX);
  }
  return ended_ == 0 ? nullptr : &report_;
}

bool KeySizes::run_slice() {
  if (walks_) walk(kSliceKeys);
  return walks_;
}

void KeySizes::walk(size_t keys_max) {
  size_t seen = 0;
  while (db_ < engine_.dbs.count()) {
    if (seen >= keys_max) return;
    ++seen;  // an empty bucket costs, too
    cursor_ = engine_.dbs[db_].scan(cursor_, [&](const Entry& entry) {
      ++seen;
      count(entry);
    });
    if (cursor_ == 0) ++db_;
  }
  report_ = std::exchange(counted_, {});
  ended_ = engine_.now();
  walks_ = false;
}

void KeySizes::count(const Entry& entry) {
  const auto* const type = std::find(kReported.begin(), kReported.end(), entry.type());
  if (type == kReported.end()) return;
  const auto index = static_cast<size_t>(type - kReported.begin());
  ++counted_[db_][index][static_cast<size_t>(std::bit_width(size_of(entry)))];
}

}  // namespace ouro
