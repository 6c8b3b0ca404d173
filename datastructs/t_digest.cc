// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/t_digest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>

#include "datastructs/chunked_bytes.h"
#include "datastructs/codec/little_endian.h"

namespace ouro {
namespace {

using Centroid = TDigest::Centroid;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kDoubleMax = std::numeric_limits<double>::max();

// Room for merged centroids and as many samples as make ordering them worth while.
uint32_t capacity_for(int64_t compression) noexcept {
  return static_cast<uint32_t>(6 * compression + 10);
}

// Requires: the means are ordered, and stay so. (std::lerp keeps within its ends, and the distance
// of these may be more than a double holds.)
void join(Centroid& into, const Centroid& next) noexcept {
  into.weight += next.weight;
  into.mean = std::lerp(into.mean, next.mean, next.weight / into.weight);
}

// How far x is on its way from one end to the other.
double part_of_way(double from, double to, double x) noexcept {
  const double way = to - from;
  return std::isfinite(way) ? (x - from) / way : (x / 2 - from / 2) / (to / 2 - from / 2);
}

// Orders the centroids and joins neighbours while their weight stays within
// 2 pi n log(n) q (1 - q) / compression, at both of the quantiles q that the sum reaches over.
void order_and_join(std::vector<Centroid>& all, double total, int64_t compression) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Centroid& a, const Centroid& b) { return a.mean < b.mean; });
  if (total <= 1) return;
  const double share =
      static_cast<double>(compression) / (2 * std::numbers::pi * total * std::log(total));
  size_t last = 0;
  double weight_before = 0;
  for (size_t i = 1; i < all.size(); ++i) {
    const double weight = all[last].weight + all[i].weight;
    const double low = weight_before / total;
    const double high = (weight_before + weight) / total;
    if (weight * share <= std::min(low * (1 - low), high * (1 - high))) {
      join(all[last], all[i]);
    } else {
      weight_before += all[last].weight;
      all[++last] = all[i];
    }
  }
  all.resize(last + 1);
}

// Between two centroids, of which each has half of its samples on this side; all samples of a
// single one are at its mean.
double value_between(const Centroid& a, const Centroid& b, double from_a, double to_b) noexcept {
  if (a.weight == 1 && from_a < 0.5) return a.mean;
  if (b.weight == 1 && to_b <= 0.5) return b.mean;
  const double near_b = from_a - (a.weight == 1 ? 0.5 : 0);
  const double near_a = to_b - (b.weight == 1 ? 0.5 : 0);
  return std::lerp(a.mean, b.mean, near_b / (near_a + near_b));
}

}  // namespace

// ---- asking

double TDigest::View::value_at(double index) const noexcept {
  if (centroids_.empty()) return kNan;
  const Centroid& first = centroids_.front();
  const Centroid& last = centroids_.back();
  if (centroids_.size() == 1) return first.mean;
  // One sample is at each extreme.
  if (index < 1) return min_;
  if (index >= total_ - 1) return max_;
  if (index < first.weight / 2) {
    return std::lerp(min_, first.mean, (index - 1) / (first.weight / 2 - 1));
  }
  if (last.weight > 1 && total_ - index <= last.weight / 2) {
    return std::lerp(max_, last.mean, (total_ - index - 1) / (last.weight / 2 - 1));
  }
  double middle = first.weight / 2;  // samples below the middle of centroid i
  for (size_t i = 0; i + 1 < centroids_.size(); ++i) {
    const double step = (centroids_[i].weight + centroids_[i + 1].weight) / 2;
    if (middle + step > index) {
      return value_between(centroids_[i], centroids_[i + 1], index - middle, middle + step - index);
    }
    middle += step;
  }
  return last.mean;
}

double TDigest::View::below_first(double x) const noexcept {
  const Centroid& first = centroids_.front();
  if (x == min_) return 0.5 / total_;
  return (1 + part_of_way(min_, first.mean, x) * (first.weight / 2 - 1)) / total_;
}

double TDigest::View::above_last(double x) const noexcept {
  const Centroid& last = centroids_.back();
  if (x == max_) return 1 - 0.5 / total_;
  return 1 - (1 + part_of_way(max_, last.mean, x) * (last.weight / 2 - 1)) / total_;
}

double TDigest::View::cdf(double x) const noexcept {
  if (centroids_.empty()) return kNan;
  if (x < min_) return 0;
  if (x > max_) return 1;
  if (centroids_.size() == 1) return 0.5;
  if (x < centroids_.front().mean) return below_first(x);
  if (x > centroids_.back().mean) return above_last(x);
  double below = 0;
  for (size_t i = 0; i < centroids_.size(); ++i) {
    const Centroid& here = centroids_[i];
    if (here.mean == x) {
      double equal = 0;
      for (size_t j = i; j < centroids_.size() && centroids_[j].mean == x; ++j) {
        equal += centroids_[j].weight;
      }
      return (below + equal / 2) / total_;
    }
    // The last centroid's mean is not below x.
    const Centroid& next = centroids_[i + 1];
    if (x < next.mean) {
      const double here_alone = here.weight == 1 ? 0.5 : 0;
      const double next_alone = next.weight == 1 ? 0.5 : 0;
      const double between = (here.weight + next.weight) / 2 - here_alone - next_alone;
      const double part = part_of_way(here.mean, next.mean, x);
      return (below + here.weight / 2 + here_alone + between * part) / total_;
    }
    below += here.weight;
  }
  return 1 - 0.5 / total_;
}

double TDigest::View::trimmed_mean(double low, double high) const noexcept {
  if (centroids_.empty()) return kNan;
  if (centroids_.size() == 1) return centroids_.front().mean;
  const double begin = std::floor(total_ * low);
  const double end = std::ceil(total_ * high);
  double before = 0;
  double sum = 0;
  double mean = 0;
  double count = 0;
  for (const Centroid& centroid : centroids_) {
    if (before >= end) break;
    const double after = before + centroid.weight;
    const double inside = std::min(after, end) - std::max(before, begin);
    if (inside > 0) {
      sum += centroid.mean * inside;
      count += inside;
      mean = std::lerp(mean, centroid.mean, inside / count);
    }
    before = after;
  }
  // Rounded as RedisBloom does it, where the sum is not more than a double holds.
  return std::isfinite(sum) ? sum / count : mean;
}

// ---- the digest

struct TDigest::Table {
  int64_t compression = 0;
  double min = kDoubleMax;
  double max = -kDoubleMax;
  double merged_weight = 0;
  double unmerged_weight = 0;
  uint32_t merged = 0;
  uint32_t unmerged = 0;
  uint64_t compressions = 0;
  ChunkedBytes nodes = {};

  uint32_t used() const noexcept { return merged + unmerged; }
  double total() const noexcept { return merged_weight + unmerged_weight; }
  std::vector<Centroid> all() const {
    std::vector<Centroid> centroids(used());
    nodes.read(0, used() * sizeof(Centroid), reinterpret_cast<char*>(centroids.data()));
    return centroids;
  }
};

TDigest TDigest::create(Heap& heap, int64_t compression) noexcept {
  CHECK(compression > 0);
  CHECK(compression <= kCompressionMax);
  TDigest made;
  made.table_ = heap.make<Table>(Table{.compression = compression});
  made.table_->nodes = ChunkedBytes::create(heap, capacity_for(compression) * sizeof(Centroid));
  return made;
}

void TDigest::destroy(Heap& heap) noexcept {
  if (table_ == nullptr) return;
  heap.give_up(memory_bytes(), [&] {
    size_t budget = SIZE_MAX;
    free_some(heap, budget);
  });
}

TDigest TDigest::copy(Heap& heap) const noexcept {
  TDigest made;
  made.table_ = heap.make<Table>(*table_);
  made.table_->nodes = table_->nodes.copy(heap);
  return made;
}

TDigest TDigest::share(Heap& heap) const noexcept {
  TDigest made;
  made.table_ = heap.make<Table>(*table_);
  made.table_->nodes = table_->nodes.share(heap);
  return made;
}

void TDigest::reset(Heap& heap) noexcept {
  const int64_t compression = table_->compression;
  destroy(heap);
  *this = create(heap, compression);
}

void TDigest::add(Heap& heap, double sample) { add(heap, Centroid{sample, 1}); }

void TDigest::add(Heap& heap, const Centroid& centroid) {
  DCHECK(std::isfinite(centroid.mean));
  if (table_->used() + 1 >= capacity()) compress(heap);
  CHECK(table_->used() < capacity());
  table_->min = std::min(table_->min, centroid.mean);
  table_->max = std::max(table_->max, centroid.mean);
  table_->nodes.set(heap, table_->used(), centroid);
  ++table_->unmerged;
  table_->unmerged_weight += centroid.weight;
}

void TDigest::compress(Heap& heap) {
  if (table_->unmerged == 0) return;
  std::vector<Centroid> all = table_->all();
  order_and_join(all, table_->total(), table_->compression);
  table_->nodes.write(heap, 0,
                      {reinterpret_cast<const char*>(all.data()), all.size() * sizeof(Centroid)});
  table_->merged = static_cast<uint32_t>(all.size());
  table_->merged_weight = table_->total();
  table_->unmerged = 0;
  table_->unmerged_weight = 0;
  ++table_->compressions;
}

void TDigest::merge(Heap& heap, const TDigest& other) {
  DCHECK(other.table_ != table_);
  const View view = other.view();
  compress(heap);
  for (const Centroid& centroid : view.centroids_) add(heap, centroid);
  table_->min = std::min(table_->min, other.table_->min);
  table_->max = std::max(table_->max, other.table_->max);
}

TDigest::View TDigest::view() const {
  View view;
  view.centroids_ = table_->all();
  if (table_->unmerged > 0) order_and_join(view.centroids_, table_->total(), table_->compression);
  view.total_ = table_->total();
  view.min_ = min();
  view.max_ = max();
  return view;
}

double TDigest::min() const noexcept { return table_->used() == 0 ? kNan : table_->min; }
double TDigest::max() const noexcept { return table_->used() == 0 ? kNan : table_->max; }
int64_t TDigest::compression() const noexcept { return table_->compression; }
uint32_t TDigest::capacity() const noexcept { return capacity_for(table_->compression); }
uint32_t TDigest::merged_nodes() const noexcept { return table_->merged; }
uint32_t TDigest::unmerged_nodes() const noexcept { return table_->unmerged; }
double TDigest::merged_weight() const noexcept { return table_->merged_weight; }
double TDigest::unmerged_weight() const noexcept { return table_->unmerged_weight; }
uint64_t TDigest::compressions() const noexcept { return table_->compressions; }

uint64_t TDigest::reported_bytes() const noexcept {
  return sizeof(void*) + capacity() * sizeof(Centroid);
}

Result<TDigest> TDigest::from_saved(Heap& heap, const Saved& saved) {
  if (saved.compression <= 0 || saved.compression > kCompressionMax) return Err::kCorrupt;
  if (saved.centroids.size() > capacity_for(saved.compression)) return Err::kCorrupt;
  double weight = 0;
  double before = saved.min;
  for (const Centroid& centroid : saved.centroids) {
    const bool good = std::isfinite(centroid.mean) && centroid.mean >= before &&
                      centroid.mean <= saved.max && centroid.weight >= 1 &&
                      centroid.weight == std::trunc(centroid.weight);
    if (!good) return Err::kCorrupt;
    before = centroid.mean;
    weight += centroid.weight;
  }
  if (!saved.centroids.empty() &&
      !(std::isfinite(saved.min) && std::isfinite(saved.max) && std::isfinite(weight)))
    return Err::kCorrupt;
  TDigest made = create(heap, saved.compression);
  made.table_->compressions = saved.compressions;
  if (saved.centroids.empty()) return made;
  made.table_->min = saved.min;
  made.table_->max = saved.max;
  made.table_->merged = static_cast<uint32_t>(saved.centroids.size());
  made.table_->merged_weight = weight;
  made.table_->nodes.write(
      heap, 0,
      {reinterpret_cast<const char*>(saved.centroids.data()), saved.centroids.size_bytes()});
  return made;
}

void TDigest::for_each_part(FunctionRef<void(ByteView)> visit) const {
  std::string head;
  append_fixed(head, table_->compression);
  append_fixed(head, table_->min);
  append_fixed(head, table_->max);
  append_fixed(head, table_->merged);
  append_fixed(head, table_->unmerged);
  append_fixed(head, table_->compressions);
  visit(head);
  // What is left behind the nodes in use is no content.
  const std::vector<Centroid> all = table_->all();
  visit({reinterpret_cast<const char*>(all.data()), all.size() * sizeof(Centroid)});
}

size_t TDigest::memory_bytes() const noexcept {
  return Heap::usable_bytes(table_) + table_->nodes.memory_bytes();
}

size_t TDigest::free_effort() const noexcept { return 1 + table_->nodes.free_effort(); }

bool TDigest::free_some(Heap& heap, size_t& budget) noexcept {
  if (table_ == nullptr) return true;
  if (!table_->nodes.free_some(heap, budget)) return false;
  heap.release(table_);
  table_ = nullptr;
  return true;
}

void TDigest::check_invariants() const {
  table_->nodes.check_invariants();
  CHECK(table_->used() <= capacity());
  const std::vector<Centroid> all = table_->all();
  double merged_weight = 0;
  double unmerged_weight = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    (i < table_->merged ? merged_weight : unmerged_weight) += all[i].weight;
    CHECK(all[i].weight >= 1);
    CHECK(all[i].mean >= table_->min);
    CHECK(all[i].mean <= table_->max);
    if (i > 0 && i < table_->merged) CHECK(all[i - 1].mean <= all[i].mean);
  }
  CHECK(merged_weight == table_->merged_weight);
  CHECK(unmerged_weight == table_->unmerged_weight);
}

}  // namespace ouro
