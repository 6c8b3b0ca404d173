// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/bits.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "datastructs/base/check.h"

namespace ouro::bits {
namespace {

constexpr uint64_t kByteBits = 8;
constexpr uint64_t kWordBits = 64;

uint64_t load(const char* at) noexcept {
  uint64_t word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

uint64_t low_mask(unsigned width) noexcept {
  return width < kWordBits ? (uint64_t{1} << width) - 1 : ~uint64_t{0};
}

// ---- counting

// Four sums, so that no addition waits for the one before it.
[[gnu::always_inline]] inline uint64_t count_words(const char* bytes, size_t words) noexcept {
  uint64_t sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= words; i += 4) {
    for (size_t lane = 0; lane < 4; ++lane)
      sums[lane] +=
          static_cast<uint64_t>(std::popcount(load(bytes + (i + lane) * sizeof(uint64_t))));
  }
  for (; i < words; ++i)
    sums[0] += static_cast<uint64_t>(std::popcount(load(bytes + i * sizeof(uint64_t))));
  return sums[0] + sums[1] + sums[2] + sums[3];
}

#if defined(__x86_64__)
// The baseline of x86-64 has no instruction for it, all processors since 2008 do.
[[gnu::target("popcnt")]] uint64_t count_words_popcnt(const char* bytes, size_t words) noexcept {
  return count_words(bytes, words);
}
uint64_t count_whole_words(const char* bytes, size_t words) noexcept {
  return __builtin_cpu_supports("popcnt") ? count_words_popcnt(bytes, words)
                                          : count_words(bytes, words);
}
#else
uint64_t count_whole_words(const char* bytes, size_t words) noexcept {
  return count_words(bytes, words);
}
#endif

// A range as bits up to a byte's border, whole bytes, and bits behind them.
struct Parts {
  Range head;
  Range bytes;  // byte positions
  Range tail;
};

Parts parts_of(Range range) noexcept {
  const uint64_t first = std::min((range.begin + kByteBits - 1) / kByteBits * kByteBits, range.end);
  const uint64_t last = std::max(range.end / kByteBits * kByteBits, first);
  return {{range.begin, first}, {first / kByteBits, last / kByteBits}, {last, range.end}};
}

// ---- searching

// Of the `width` bits from `at` on, which is the first that is `bit`?
std::optional<uint64_t> find_in_word(ByteView bytes, bool bit, uint64_t at,
                                     unsigned width) noexcept {
  const uint64_t word = read(bytes, at, width);
  const uint64_t wanted = (bit ? word : ~word) & low_mask(width);
  if (wanted == 0) return std::nullopt;
  return at + static_cast<unsigned>(std::countl_zero(wanted)) - (kWordBits - width);
}

// ---- combining

constexpr size_t kBlockBytes = 4096;

// target = combined(target, source), by words and then by bytes.
template <class Combined>
void update(char* target, const char* source, size_t bytes, Combined combined) noexcept {
  // So bounded that the compiler knows how often it goes, and takes several words at once.
  const size_t in_words = bytes / sizeof(uint64_t) * sizeof(uint64_t);
  size_t i = 0;
  for (; i < in_words; i += sizeof(uint64_t)) {
    const uint64_t word = combined(load(target + i), load(source + i));
    std::memcpy(target + i, &word, sizeof(word));
  }
  for (; i < bytes; ++i) {
    const auto byte =
        combined(static_cast<unsigned char>(target[i]), static_cast<unsigned char>(source[i]));
    target[i] = static_cast<char>(byte);
  }
}

// One block of all sources: [at, at + size).
class BlockCombiner {
 public:
  BlockCombiner(std::span<const ByteView> sources, size_t at, std::span<char> out) noexcept
      : sources_(sources), at_(at), out_(out) {}

  void run(Operation operation) noexcept {
    const auto both = [](auto a, auto b) { return a & b; };
    const auto any = [](auto a, auto b) { return a | b; };
    const auto one = [](auto a, auto b) { return a ^ b; };
    const auto first_only = [](auto a, auto b) { return a & ~b; };
    switch (operation) {
      case Operation::kAnd:
        return fold(0, both);
      case Operation::kOr:
        return fold(0, any);
      case Operation::kXor:
        return fold(0, one);
      case Operation::kNot:
        take(0);
        return update(out_.data(), out_.data(), out_.size(), [](auto a, auto) { return ~a; });
      case Operation::kOnlyFirst:
        return fold(0, first_only);
      case Operation::kNotFirst:
        fold(1, any);
        return join(0, first_only);
      case Operation::kFirstAndAny:
        fold(1, any);
        return join(0, both);
      case Operation::kExactlyOne:
        return fold_exactly_one();
    }
  }

 private:
  // What source `index` has in this block, without the zeros behind its end.
  ByteView part(size_t index) const noexcept {
    const ByteView source = sources_[index];
    return at_ < source.size() ? source.substr(at_, out_.size()) : ByteView();
  }

  void take(size_t index) noexcept {
    const ByteView source = part(index);
    if (!source.empty()) std::memcpy(out_.data(), source.data(), source.size());
    std::memset(out_.data() + source.size(), 0, out_.size() - source.size());
  }

  template <class Combined>
  void join(size_t index, Combined combined) noexcept {
    const ByteView source = part(index);
    update(out_.data(), source.data(), source.size(), combined);
    // The zeros behind the source's end: they leave a bit as it is, or clear it.
    if (combined(1U, 0U) == 0) {
      std::memset(out_.data() + source.size(), 0, out_.size() - source.size());
    }
  }

  template <class Combined>
  void fold(size_t first, Combined combined) noexcept {
    take(first);
    for (size_t i = first + 1; i < sources_.size(); ++i) join(i, combined);
  }

  void fold_exactly_one() noexcept {
    char more[kBlockBytes];
    std::memset(more, 0, out_.size());
    take(0);
    for (size_t i = 1; i < sources_.size(); ++i) {
      const ByteView source = part(i);
      char both[kBlockBytes];
      std::memcpy(both, out_.data(), source.size());
      update(both, source.data(), source.size(), [](auto a, auto b) { return a & b; });
      update(more, both, source.size(), [](auto a, auto b) { return a | b; });
      update(out_.data(), source.data(), source.size(), [](auto a, auto b) { return a | b; });
    }
    update(out_.data(), more, out_.size(), [](auto a, auto b) { return a & ~b; });
  }

  std::span<const ByteView> sources_;
  size_t at_;
  std::span<char> out_;
};

}  // namespace

uint64_t count(ByteView bytes) noexcept {
  const size_t words = bytes.size() / sizeof(uint64_t);
  const size_t rest = bytes.size() % sizeof(uint64_t);
  const uint64_t tail =
      read(bytes, (bytes.size() - rest) * kByteBits, static_cast<unsigned>(rest * kByteBits));
  return count_whole_words(bytes.data(), words) + static_cast<uint64_t>(std::popcount(tail));
}

uint64_t count(ByteView bytes, Range range) noexcept {
  const auto count_few = [bytes](Range few) {
    return static_cast<uint64_t>(
        std::popcount(read(bytes, few.begin, static_cast<unsigned>(few.end - few.begin))));
  };
  const Parts parts = parts_of(range);
  return count_few(parts.head) + count_few(parts.tail) +
         count(bytes.substr(parts.bytes.begin, parts.bytes.end - parts.bytes.begin));
}

std::optional<uint64_t> find(ByteView bytes, bool bit, Range range) noexcept {
  const Parts parts = parts_of(range);
  const auto find_few = [bytes, bit](Range few) {
    return find_in_word(bytes, bit, few.begin, static_cast<unsigned>(few.end - few.begin));
  };
  if (const auto found = find_few(parts.head)) return found;
  // Words that have no such bit are skipped.
  const uint64_t without = bit ? 0 : ~uint64_t{0};
  uint64_t at = parts.bytes.begin;
  const auto skip_while_without = [&](auto... words) {
    constexpr size_t kBytes = sizeof...(words) * sizeof(uint64_t);
    const auto differs = [&](size_t word) {
      return load(bytes.data() + at + word * sizeof(uint64_t)) ^ without;
    };
    while (at + kBytes <= parts.bytes.end && (differs(words) | ...) == 0) at += kBytes;
  };
  skip_while_without(0U, 1U, 2U, 3U);
  skip_while_without(0U);
  for (; at < parts.bytes.end; ++at) {
    if (const auto found = find_in_word(bytes, bit, at * kByteBits, kByteBits)) return found;
  }
  return find_few(parts.tail);
}

uint64_t read(ByteView bytes, uint64_t at, unsigned width) noexcept {
  uint64_t value = 0;
  while (width > 0) {
    const auto offset = static_cast<unsigned>(at % kByteBits);
    const unsigned taken = std::min(static_cast<unsigned>(kByteBits) - offset, width);
    const uint64_t index = at / kByteBits;
    const unsigned byte = index < bytes.size() ? static_cast<unsigned char>(bytes[index]) : 0;
    value = value << taken | (byte >> (kByteBits - offset - taken) & low_mask(taken));
    at += taken;
    width -= taken;
  }
  return value;
}

void write(std::span<char> bytes, uint64_t at, unsigned width, uint64_t value) noexcept {
  while (width > 0) {
    const auto offset = static_cast<unsigned>(at % kByteBits);
    const unsigned taken = std::min(static_cast<unsigned>(kByteBits) - offset, width);
    const auto shift = static_cast<unsigned>(kByteBits) - offset - taken;
    char& byte = bytes[at / kByteBits];
    const uint64_t kept = static_cast<unsigned char>(byte) & ~(low_mask(taken) << shift);
    at += taken;
    width -= taken;
    byte = static_cast<char>(kept | (value >> width & low_mask(taken)) << shift);
  }
}

void combine(Operation operation, std::span<const ByteView> sources, std::span<char> out) noexcept {
  CHECK(!sources.empty());
  if (operation == Operation::kNotFirst || operation == Operation::kFirstAndAny) {
    CHECK(sources.size() > 1);
  }
  for (size_t at = 0; at < out.size(); at += kBlockBytes) {
    const size_t size = std::min(kBlockBytes, out.size() - at);
    BlockCombiner(sources, at, out.subspan(at, size)).run(operation);
  }
}

int64_t FieldType::read_from(ByteView bytes, uint64_t at) const noexcept {
  const uint64_t value = read(bytes, at, width);
  if (!is_signed) return static_cast<int64_t>(value);
  const auto unused = static_cast<unsigned>(kWordBits) - width;
  return static_cast<int64_t>(value << unused) >> unused;
}

std::optional<int64_t> FieldType::fit(int64_t value, int64_t increment,
                                      Overflow rule) const noexcept {
  const uint64_t mask = low_mask(width);
  const auto max = static_cast<int64_t>(is_signed ? mask >> 1 : mask);
  const int64_t min = is_signed ? -max - 1 : 0;
  const uint64_t sum = static_cast<uint64_t>(value) + static_cast<uint64_t>(increment);
  bool above = false;
  bool below = false;
  if (is_signed) {
    int64_t exact = 0;
    const bool wraps = __builtin_add_overflow(value, increment, &exact);
    above = wraps ? increment > 0 : exact > max;
    below = wraps ? increment < 0 : exact < min;
    // Redis takes a number for one above the field if it is so low that its distance to the
    // field's maximum wraps.
    if (width < kWordBits && value < max - INT64_MAX) above = true;
  } else {
    // A negative value to be stored is a large one.
    const auto before = static_cast<uint64_t>(value);
    above = before > mask || (increment > 0 && static_cast<uint64_t>(increment) > mask - before);
    below = increment < 0 && uint64_t{0} - static_cast<uint64_t>(increment) > before;
  }
  if (!above && !below) return static_cast<int64_t>(sum);
  switch (rule) {
    case Overflow::kFail:
      return std::nullopt;
    case Overflow::kSaturate:
      return above ? max : min;
    case Overflow::kWrap: {
      const auto unused = static_cast<unsigned>(kWordBits) - width;
      const uint64_t high = sum << unused;
      return is_signed ? static_cast<int64_t>(high) >> unused
                       : static_cast<int64_t>(high >> unused);
    }
  }
  OURO_UNREACHABLE();
}

}  // namespace ouro::bits
