// SPDX-License-Identifier: BSD-3-Clause
// Random fields of a hash (HRANDFIELD).
#include <algorithm>
#include <bit>

#include "datastructs/base/check.h"
#include "datastructs/hash.h"

namespace ouro {

namespace {

// How often a draw from a table may hit a due field before all fields are walked instead: few are
// left that are not due then.
constexpr int kDrawsMax = 64;

// From this share of the fields on, one walk over all of them costs less than drawing without
// repetition.
constexpr size_t kWalkShare = 4;

bool is_due(UnixMs deadline, UnixMs now) noexcept {
  return deadline != kNoExpiry && deadline <= now;
}

}  // namespace

std::optional<Hash::Item> Hash::random(Prng& prng, UnixMs now) const {
  if (empty()) return std::nullopt;
  if (is_table()) {
    const std::optional<Item> item = draw_from_table(prng, now);
    return item ? item : random_of_all(prng, now);
  }
  if (is_timed()) return random_of_all(prng, now);
  const Packed packed = run();
  At at = packed.at_index(prng.below(size()) * stride());
  return read_item(packed, at);
}

// Nothing when that takes too many draws.
std::optional<Hash::Item> Hash::draw_from_table(Prng& prng, UnixMs now) const {
  for (int i = 0; i < kDrawsMax; ++i) {
    const Item item = table().dict.random(prng)->content();
    if (!is_due(item.deadline, now)) return item;
  }
  return std::nullopt;
}

// One walk that keeps the k-th field that is not due with probability 1/k.
std::optional<Hash::Item> Hash::random_of_all(Prng& prng, UnixMs now) const {
  std::optional<Item> kept;
  uint64_t seen = 0;
  for_each(
      [&](const Item& item) {
        if (prng.below(++seen) == 0) kept = item;
      },
      now);
  return kept;
}

void Hash::random_each(Heap& heap, Prng& prng, size_t count, FunctionRef<void(const Item&)> fn,
                       UnixMs now) const {
  if (empty()) return;
  if (is_table()) {
    for (; count > 0; --count) {
      const std::optional<Item> item = draw_from_table(prng, now);
      if (!item) return random_each_of_few(heap, prng, count, fn, now);
      fn(*item);
    }
    return;
  }
  // Positions once, so that a draw is not a walk.
  const Packed packed = run();
  auto* positions = static_cast<At*>(heap.allocate(size() * sizeof(At)));
  size_t found = 0;
  for (At at = packed.begin(); at != packed.end();) {
    const At here = at;
    if (!is_due(read_item(packed, at).deadline, now)) positions[found++] = here;
  }
  for (; count > 0 && found > 0; --count) {
    At at = positions[prng.below(found)];
    fn(read_item(packed, at));
  }
  heap.release(positions);
}

// From a table most of whose fields are due: the others are listed once, so that a draw is not a
// walk.
void Hash::random_each_of_few(Heap& heap, Prng& prng, size_t count,
                              FunctionRef<void(const Item&)> fn, UnixMs now) const {
  auto** living = static_cast<const HashField**>(heap.allocate(size() * sizeof(void*)));
  size_t found = 0;
  table().dict.for_each([&](HashField& entry) {
    if (!is_due(entry.content().deadline, now)) living[found++] = &entry;
  });
  for (; count > 0 && found > 0; --count) fn(living[prng.below(found)]->content());
  heap.release(living);
}

void Hash::random_distinct(Heap& heap, Prng& prng, size_t count, FunctionRef<void(const Item&)> fn,
                           UnixMs now) const {
  size_t left = size();
  const bool has_due = next_deadline() <= now;
  if (is_table() && !has_due && count < left / kWalkShare)
    return random_by_rejection(heap, prng, count, fn);
  if (has_due) {
    left = 0;
    for_each([&](const Item&) { ++left; }, now);
  }
  // Of the `left` fields still to come `count` are wanted: the next is taken with probability count
  // / left.
  for_each(
      [&](const Item& item) {
        if (prng.below(left--) >= count) return;
        --count;
        fn(item);
      },
      now);
}

// Draws until `count` different fields of the table were found; they are at most a quarter of all.
void Hash::random_by_rejection(Heap& heap, Prng& prng, size_t count,
                               FunctionRef<void(const Item&)> fn) const {
  const size_t cells = std::bit_ceil(count * 2 + 1);
  auto** seen = static_cast<const HashField**>(heap.allocate(cells * sizeof(void*)));
  std::fill_n(seen, cells, nullptr);
  while (count > 0) {
    const HashField* entry = table().dict.random(prng);
    // Addresses are multiples of 16: multiply, so that all bits take part.
    const uint64_t mixed = reinterpret_cast<uintptr_t>(entry) * 0x9E3779B97F4A7C15ULL;
    size_t cell = (mixed >> 32) & (cells - 1);
    while (seen[cell] != nullptr && seen[cell] != entry) cell = (cell + 1) & (cells - 1);
    if (seen[cell] == entry) continue;
    seen[cell] = entry;
    --count;
    fn(entry->content());
  }
  heap.release(seen);
}

}  // namespace ouro
