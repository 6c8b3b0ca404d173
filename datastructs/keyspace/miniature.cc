// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/miniature.h"

#include <algorithm>
#include <string>

namespace ouro {
namespace {

// The miniature of the memory that there is holds so many keys at most, and all of them together
// take no more than this share of the memory, by what a sampled key takes in all of them.
constexpr double kKeysMax = 1024;
constexpr double kMemoryShareMax = 0.0025;
constexpr double kBytesASampledKey = 7.5 * 50;
// Reads of the sample after which those before count half.
constexpr double kReadsRemembered = 1 << 16;

ByteView name_of(const Hash64& hash) {
  return {reinterpret_cast<const char*>(&hash), sizeof(hash)};
}

}  // namespace

Miniatures::Miniatures(Heap& heap, uint64_t seed) {
  for (auto& small : all_) small = std::make_unique<Small>(heap, HashSeed{seed}, seed);
}

void Miniatures::fit(size_t keys, size_t bytes) {
  if (keys == 0) return;
  const double by_memory = kMemoryShareMax * static_cast<double>(bytes) / kBytesASampledKey;
  const double wanted = std::min(0.5, std::min(kKeysMax, by_memory) / static_cast<double>(keys));
  // Within a factor of two nothing changes: what was learned would not compare.
  if (wanted < rate() / 2 || wanted > rate() * 2) {
    const bool is_less = wanted < rate();
    threshold_ = static_cast<uint32_t>(wanted * 0x1p32);
    if (is_less) shrink_sample();
  }
  for (size_t i = 0; i < kScales.size(); ++i)
    all_[i]->bytes_max = static_cast<size_t>(static_cast<double>(bytes) * rate() * kScales[i]);
}

// Takes out what is in the sample no more.
void Miniatures::shrink_sample() {
  for (const auto& small : all_) {
    std::vector<Hash64> left_out;
    small->dbs[0].for_each([&](const Entry& entry) {
      Hash64 hash = 0;
      std::copy_n(entry.key().data(), sizeof(hash), reinterpret_cast<char*>(&hash));
      if (!samples(hash)) left_out.push_back(hash);
    });
    for (const Hash64& hash : left_out) {
      const Key key = small->dbs[0].key(name_of(hash));
      small->bytes -= static_cast<size_t>(small->dbs[0].find(key)->integer());
      small->dbs[0].erase(key, Freeing::kNow);
    }
  }
}

void Miniatures::on_read(Hash64 hash, size_t bytes, uint64_t reads) {
  expected_ += static_cast<double>(reads - reads_) * rate();
  reads_ = reads;
  ++sampled_;
  for (const auto& small : all_) {
    const Key key = small->dbs[0].key(name_of(hash));
    if (Entry* entry = small->dbs[0].find(key)) {
      ++small->hits;
      entry->note_use(~uint64_t{0});
    } else if (bytes != 0) {
      // Nobody will write it, since it is there: here that is done at once.
      put(*small, key.bytes, bytes);
    }
  }
  if (sampled_ < kReadsRemembered) return;
  sampled_ /= 2;
  expected_ /= 2;
  for (const auto& small : all_) small->hits /= 2;
}

void Miniatures::on_new(Hash64 hash, size_t bytes) {
  for (const auto& small : all_) put(*small, name_of(hash), bytes);
}

void Miniatures::put(Small& small, ByteView name, size_t bytes) {
  while (small.bytes > small.bytes_max && small.dbs[0].size() > 0) evict(small);
  const Key key = small.dbs[0].key(name);
  Entry* old = small.dbs[0].find(key);
  if (old != nullptr) small.bytes -= static_cast<size_t>(old->integer());
  small.dbs[0].put_integer(key, old, static_cast<int64_t>(bytes), kNoExpiry);
  small.bytes += bytes;
}

void Miniatures::evict(Small& small) {
  const auto victim = small.order.next(small.bytes);
  // Within its bounds an order may find nobody; any key will do then.
  Entry* entry = victim ? victim->entry : nullptr;
  if (entry == nullptr) {
    Prng dice(small.bytes);
    entry = small.dbs[0].random(dice);
  }
  small.bytes -= static_cast<size_t>(entry->integer());
  small.dbs[0].erase(small.dbs[0].key(entry->key()), Freeing::kNow);
}

double Miniatures::hit_ratio(size_t scale) const {
  if (expected_ < 1) return 0;
  const double hits = all_[scale]->hits + (expected_ - sampled_);
  return std::clamp(hits / expected_, 0.0, 1.0);
}

}  // namespace ouro
