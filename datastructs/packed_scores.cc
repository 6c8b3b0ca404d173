// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/packed_scores.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

static_assert(std::endian::native == std::endian::little,
              "scores are stored as the machine holds them");

// The bytes of a score in a run.
class ScoreCode {
 public:
  explicit ScoreCode(double score) noexcept {
    const bool is_integer = std::abs(score) <= 0x7FFFFFFF && std::trunc(score) == score &&
                            !(score == 0 && std::signbit(score));
    if (!is_integer) {
      store(score);
      return;
    }
    const auto number = static_cast<int32_t>(score);
    if (number == 0) return;
    if (number == static_cast<int8_t>(number)) {
      store(static_cast<int8_t>(number));
    } else if (number == static_cast<int16_t>(number)) {
      store(static_cast<int16_t>(number));
    } else {
      store(number);
    }
  }
  ByteView bytes() const noexcept { return {bytes_, size_}; }

  static double decode(ByteView code) noexcept {
    switch (code.size()) {
      case 0:
        return 0;
      case sizeof(int8_t):
        return load<int8_t>(code);
      case sizeof(int16_t):
        return load<int16_t>(code);
      case sizeof(int32_t):
        return load<int32_t>(code);
      default:
        DCHECK(code.size() == sizeof(double));
        return load<double>(code);
    }
  }

 private:
  template <class T>
  void store(T value) noexcept {
    std::memcpy(bytes_, &value, sizeof value);
    size_ = sizeof value;
  }
  template <class T>
  static T load(ByteView code) noexcept {
    T value;
    std::memcpy(&value, code.data(), sizeof value);
    return value;
  }

  char bytes_[sizeof(double)];
  size_t size_ = 0;
};

// The run is read from its front only, so a walk towards it notes the places of this many records
// at a time.
constexpr size_t kStepsBack = 128;

}  // namespace

ScoredView PackedScores::read(At& at) const noexcept {
  const ByteView member = run_.read(at);
  return {member, ScoreCode::decode(run_.read(at))};
}

// The place of the first record that is not `before`, and its rank.
template <class Before>
PackedScores::At PackedScores::skip_while(Before before, size_t& rank) const noexcept {
  rank = 0;
  At at = run_.begin();
  while (at != run_.end()) {
    At next = at;
    if (!before(read(next))) break;
    at = next;
    ++rank;
  }
  return at;
}

std::optional<size_t> PackedScores::rank_of(ByteView member) const noexcept {
  size_t rank;
  const At at = skip_while([&](const ScoredView& record) { return record.member != member; }, rank);
  if (at == run_.end()) return std::nullopt;
  return rank;
}

void PackedScores::insert(Heap& heap, ByteView member, double score) noexcept {
  size_t rank;
  const At at = skip_while(
      [&](const ScoredView& record) {
        return record.score < score || (record.score == score && record.member < member);
      },
      rank);
  run_.insert(heap, at, {member, ScoreCode(score).bytes()});
}

void PackedScores::drop_zero_signs(Heap& heap) noexcept {
  At at = run_.begin();
  while (at != run_.end()) {
    const At code = run_.next(at);
    at = run_.next(code);
    const double score = ScoreCode::decode(run_.get(code));
    if (score > 0) return;
    if (score < 0 || !std::signbit(score)) continue;
    run_.replace(heap, code, ScoreCode(0).bytes());
    at = run_.next(code);
  }
}

size_t PackedScores::count_less(double score) const noexcept {
  size_t rank;
  skip_while([&](const ScoredView& record) { return record.score < score; }, rank);
  return rank;
}

size_t PackedScores::count_less_equal(double score) const noexcept {
  size_t rank;
  skip_while([&](const ScoredView& record) { return record.score <= score; }, rank);
  return rank;
}

size_t PackedScores::count_less(ByteView member) const noexcept {
  size_t rank;
  skip_while([&](const ScoredView& record) { return record.member < member; }, rank);
  return rank;
}

size_t PackedScores::count_less_equal(ByteView member) const noexcept {
  size_t rank;
  skip_while([&](const ScoredView& record) { return record.member <= member; }, rank);
  return rank;
}

void PackedScores::for_each(RankRange range, Direction direction,
                            FunctionRef<void(ByteView, double)> visit) const {
  if (direction == Direction::kAscending) {
    if (range.empty()) return;
    At at = at_rank(range.begin);
    for (size_t rank = range.begin; rank < range.end; ++rank) {
      const ScoredView record = read(at);
      visit(record.member, record.score);
    }
    return;
  }
  At places[kStepsBack];
  while (!range.empty()) {
    const size_t count = std::min(range.size(), kStepsBack);
    range.end -= count;
    At at = at_rank(range.end);
    for (size_t i = 0; i < count; ++i) {
      places[i] = at;
      at = run_.skip(at, 2);
    }
    for (size_t i = count; i-- > 0;) {
      const ScoredView record = read(places[i]);
      visit(record.member, record.score);
    }
  }
}

void PackedScores::check_invariants() const {
  run_.check_invariants();
  CHECK(run_.count() % 2 == 0);
  if (size() == 0) return;
  At at = run_.begin();
  ScoredView last = read(at);
  while (at != run_.end()) {
    const ScoredView record = read(at);
    CHECK(last.score <= record.score);
    if (last.score == record.score) CHECK(last.member < record.member);
    last = record;
  }
}

}  // namespace ouro
