// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "datastructs/base/check.h"

namespace ouro::hll {
namespace {

static_assert(std::endian::native == std::endian::little, "hashes and registers are read by words");

constexpr unsigned kIndexBits = 14;
static_assert(uint32_t{1} << kIndexBits == kRegisters);
// The bits of a hash that do not choose the register; their run of zeros ends after these.
constexpr unsigned kRunBits = 64 - kIndexBits;

constexpr ByteView kMagic = "HYLL";
constexpr size_t kEncodingAt = 4;
constexpr size_t kCountAt = 8;
constexpr uint64_t kOutOfDate = uint64_t{1} << 63;

constexpr unsigned kRegisterBits = 6;
constexpr unsigned kRegisterMask = (1U << kRegisterBits) - 1;

constexpr uint8_t kRunValueMax = 32;
constexpr uint32_t kValueRunMax = 4;
constexpr uint32_t kShortRunMax = 64;

// MurmurHash64A (Austin Appleby, public domain). Which hash it is decides about the bytes, so it is
// Redis's, seed included.
uint64_t hash_of(ByteView element) noexcept {
  constexpr uint64_t kSeed = 0xadc83b19;
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995;
  constexpr unsigned kShift = 47;
  const auto mixed = [](uint64_t word) {
    word *= kFactor;
    return (word ^ word >> kShift) * kFactor;
  };
  uint64_t hash = kSeed ^ element.size() * kFactor;
  for (; element.size() >= sizeof(uint64_t); element.remove_prefix(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, element.data(), sizeof(word));
    hash = (hash ^ mixed(word)) * kFactor;
  }
  if (!element.empty()) {
    uint64_t rest = 0;
    std::memcpy(&rest, element.data(), element.size());
    hash = (hash ^ rest) * kFactor;
  }
  hash = (hash ^ hash >> kShift) * kFactor;
  return hash ^ hash >> kShift;
}

// ---- dense: registers of 6 bits, low bits first

constexpr unsigned kGroup = 8;  // registers in six bytes
constexpr size_t kGroupBytes = kGroup * kRegisterBits / 8;

// Eight registers, one in each byte of the word. Read as eight bytes: something stands before.
uint64_t unpack_group(const char* at) noexcept {
  uint64_t word;
  constexpr size_t kBefore = sizeof(word) - kGroupBytes;
  static_assert(kHeaderBytes >= kBefore);
  std::memcpy(&word, at - kBefore, sizeof(word));
  word >>= 8 * kBefore;
  // 48 bits into halves of 24, quarters of 12, eighths of 6.
  word = (word & 0x0000000000ffffff) | (word & 0x0000ffffff000000) << 8;
  word = (word & 0x00000fff00000fff) | (word & 0x00fff00000fff000) << 4;
  return (word & 0x003f003f003f003f) | (word & 0x0fc00fc00fc00fc0) << 2;
}

void pack_group(uint64_t word, char* at) noexcept {
  word = (word & 0x003f003f003f003f) | (word & 0x3f003f003f003f00) >> 2;
  word = (word & 0x00000fff00000fff) | (word & 0x0fff00000fff0000) >> 4;
  word = (word & 0x0000000000ffffff) | (word & 0x00ffffff00000000) >> 8;
  std::memcpy(at, &word, kGroupBytes);
}

void unpack(ByteView bytes, Registers& registers) noexcept {
  const char* at = bytes.data() + kHeaderBytes;
  for (uint32_t i = 0; i < kRegisters; i += kGroup, at += kGroupBytes) {
    const uint64_t group = unpack_group(at);
    std::memcpy(&registers[i], &group, sizeof(group));
  }
}

void raise_all(Registers& __restrict registers, const Registers& __restrict others) noexcept {
  for (uint32_t i = 0; i < kRegisters; ++i) registers[i] = std::max(registers[i], others[i]);
}

// ---- sparse: runs

// The run at `at`. False behind the last one, or if it is cut off.
bool read_run(ByteView bytes, size_t at, Run& run) noexcept {
  if (at >= bytes.size()) return false;
  const auto code = static_cast<unsigned char>(bytes[at]);
  if ((code & 0x80) != 0) {
    run = {.value = static_cast<uint8_t>((code >> 2 & 0x1f) + 1), .length = (code & 3U) + 1};
  } else if ((code & 0x40) == 0) {
    run = {.length = code + 1U};
  } else {
    if (at + 1 >= bytes.size()) return false;
    const auto low = static_cast<unsigned char>(bytes[at + 1]);
    run = {.is_long = true, .length = ((code & 0x3fU) << 8 | low) + 1};
  }
  return true;
}

char value_code(uint8_t value, uint32_t length) noexcept {
  return static_cast<char>(0x80U | (value - 1U) << 2 | (length - 1U));
}

// Up to three runs that take the place of one: at most five bytes.
struct RunBuffer {
  char bytes[5];
  size_t size = 0;

  void put(uint8_t value, uint32_t length) noexcept {
    if (value > 0) {
      bytes[size++] = value_code(value, length);
      return;
    }
    const uint32_t code = length - 1;
    if (length > kShortRunMax) bytes[size++] = static_cast<char>(0x40U | code >> 8);
    bytes[size++] = static_cast<char>(code & 0xff);
  }
};

// Joins runs of one value that stand side by side. A change is near `at`: five runs are looked at,
// as many as Redis looks at.
void join_runs(std::string& bytes, size_t at) {
  Run run;
  Run next;
  for (int looks = 5; looks > 0 && read_run(bytes, at, run); --looks) {
    if (run.value > 0 && read_run(bytes, at + 1, next) && next.value == run.value &&
        run.length + next.length <= kValueRunMax) {
      bytes[at + 1] = value_code(run.value, run.length + next.length);
      bytes.erase(at, 1);
      continue;
    }
    at += run.bytes();
  }
}

// Nothing if the form cannot hold the value, or not in so many bytes.
std::optional<Raise> raise_sparse(std::string& bytes, Place place, size_t bytes_max) {
  if (place.value > kRunValueMax) return std::nullopt;
  size_t at = kHeaderBytes;
  size_t before = at;
  uint32_t first = 0;
  Run run;
  for (;;) {
    if (!read_run(bytes, at, run)) return Raise::kCorrupt;
    if (place.index - first < run.length) break;
    first += run.length;
    before = at;
    at += run.bytes();
  }
  if (run.value >= place.value) return Raise::kSame;
  RunBuffer split;
  const uint32_t ahead = place.index - first;
  const uint32_t behind = run.length - ahead - 1;
  if (ahead > 0) split.put(run.value, ahead);
  split.put(place.value, 1);
  if (behind > 0) split.put(run.value, behind);
  if (split.size > run.bytes() && bytes.size() + split.size - run.bytes() > bytes_max) {
    return std::nullopt;
  }
  bytes.replace(at, run.bytes(), split.bytes, split.size);
  join_runs(bytes, before);
  return Raise::kRaised;
}

// Calls fn(first register, run) for all runs, which must make up the registers exactly.
template <class Fn>
bool for_each_stretch(ByteView bytes, Fn fn) noexcept {
  uint32_t first = 0;
  size_t at = kHeaderBytes;
  for (Run run; at < bytes.size(); at += run.bytes(), first += run.length) {
    if (!read_run(bytes, at, run) || run.length > kRegisters - first) return false;
    fn(first, run);
  }
  return first == kRegisters;
}

// ---- counting

// How many registers hold each value.
class Histogram {
 public:
  void add(const Registers& registers) noexcept {
    // Four counters a value: equal neighbours would wait for one another.
    std::array<std::array<uint32_t, kValues>, 4> lanes{};
    for (uint32_t i = 0; i < kRegisters; i += kGroup) {
      // What was merged from sparse ones is zeros mostly.
      uint64_t group;
      std::memcpy(&group, &registers[i], sizeof(group));
      if (group == 0) {
        counts_[0] += kGroup;
        continue;
      }
#pragma GCC unroll 8
      for (uint32_t lane = 0; lane < kGroup; ++lane)
        ++lanes[lane % 4][group >> (8 * lane) & kRegisterMask];
    }
    for (size_t value = 0; value < kValues; ++value) {
      for (const auto& lane : lanes) counts_[value] += lane[value];
    }
  }
  void add(const Run& run) noexcept { counts_[run.value] += run.length; }

  // Ertl's estimator; values above kRunBits + 1 come from foreign bytes only.
  uint64_t estimate() const noexcept {
    constexpr double kAlpha = 0.721347520444481703680;  // 1 / (2 ln 2)
    constexpr double kCount = kRegisters;
    double sum = kCount * tau((kCount - counts_[kRunBits + 1]) / kCount);
    for (unsigned value = kRunBits; value >= 1; --value) {
      sum += counts_[value];
      sum *= 0.5;
    }
    sum += kCount * sigma(counts_[0] / kCount);
    return static_cast<uint64_t>(std::llroundl(kAlpha * kCount * kCount / sum));
  }

 private:
  static constexpr size_t kValues = 1U << kRegisterBits;

  // x + sum of 2^(k-1) x^(2^k), up to the precision of a double.
  static double sigma(double x) noexcept {
    if (x == 1) return std::numeric_limits<double>::infinity();
    double weight = 1;
    double sum = x;
    for (double before = -1; sum != before;) {
      x *= x;
      before = sum;
      sum += x * weight;
      weight += weight;
    }
    return sum;
  }
  // (1 - x - sum of 2^-k (1 - x^(2^-k))^2) / 3.
  static double tau(double x) noexcept {
    if (x == 0 || x == 1) return 0;
    double weight = 1;
    double sum = 1 - x;
    for (double before = -1; sum != before;) {
      x = std::sqrt(x);
      before = sum;
      weight *= 0.5;
      sum -= (1 - x) * (1 - x) * weight;
    }
    return sum / 3;
  }

  std::array<uint32_t, kValues> counts_{};
};

}  // namespace

bool is_valid(ByteView bytes) noexcept {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic)) return false;
  switch (bytes[kEncodingAt]) {
    case static_cast<char>(Encoding::kDense):
      return bytes.size() == kDenseBytes;
    case static_cast<char>(Encoding::kSparse):
      return true;
    default:
      return false;
  }
}

Encoding encoding(ByteView bytes) noexcept { return static_cast<Encoding>(bytes[kEncodingAt]); }

std::optional<uint64_t> cached_count(ByteView bytes) noexcept {
  uint64_t count;
  std::memcpy(&count, bytes.data() + kCountAt, sizeof(count));
  if ((count & kOutOfDate) != 0) return std::nullopt;
  return count;
}

void cache_count(std::span<char> bytes, uint64_t count) noexcept {
  std::memcpy(bytes.data() + kCountAt, &count, sizeof(count));
}

void forget_count(std::span<char> bytes) noexcept {
  char& top = bytes[kCountAt + 7];
  top = static_cast<char>(static_cast<unsigned char>(top) | 0x80U);
}

Place place_of(ByteView element) noexcept {
  const uint64_t hash = hash_of(element);
  const uint64_t run = hash >> kIndexBits | uint64_t{1} << kRunBits;
  return {static_cast<uint32_t>(hash & (kRegisters - 1)),
          static_cast<uint8_t>(std::countr_zero(run) + 1)};
}

Raise raise_dense(std::span<char> bytes, Place place) noexcept {
  const size_t bit = size_t{place.index} * kRegisterBits;
  char* at = bytes.data() + kHeaderBytes + bit / 8;
  const auto shift = static_cast<unsigned>(bit % 8);
  // The last register ends with the last byte: there is no second one to look at.
  const bool in_one = shift + kRegisterBits <= 8;
  unsigned word = static_cast<unsigned char>(at[0]);
  if (!in_one) word |= static_cast<unsigned>(static_cast<unsigned char>(at[1])) << 8;
  if ((word >> shift & kRegisterMask) >= place.value) return Raise::kSame;
  word = (word & ~(kRegisterMask << shift)) | static_cast<unsigned>(place.value) << shift;
  at[0] = static_cast<char>(word & 0xff);
  if (!in_one) at[1] = static_cast<char>(word >> 8);
  return Raise::kRaised;
}

Raise raise_register(std::string& bytes, Place place, size_t sparse_bytes_max) {
  if (encoding(bytes) == Encoding::kSparse) {
    if (const auto raised = raise_sparse(bytes, place, sparse_bytes_max)) return *raised;
    if (!make_dense(bytes)) return Raise::kCorrupt;
  }
  return raise_dense(bytes, place);
}

void store_dense(std::span<char> bytes, const Registers& registers) noexcept {
  char* at = bytes.data() + kHeaderBytes;
  for (uint32_t i = 0; i < kRegisters; i += kGroup, at += kGroupBytes) {
    uint64_t group;
    std::memcpy(&group, &registers[i], sizeof(group));
    pack_group(group, at);
  }
}

bool make_dense(std::string& bytes) {
  if (encoding(bytes) == Encoding::kDense) return true;
  std::string dense(kDenseBytes, '\0');
  std::memcpy(dense.data(), bytes.data(), kHeaderBytes);
  dense[kEncodingAt] = static_cast<char>(Encoding::kDense);
  const bool decoded = for_each_stretch(bytes, [&](uint32_t first, const Run& run) {
    if (run.value == 0) return;
    for (uint32_t i = 0; i < run.length; ++i) raise_dense(dense, {first + i, run.value});
  });
  if (decoded) bytes = std::move(dense);
  return decoded;
}

bool merge_into(Registers& registers, ByteView bytes) noexcept {
  if (encoding(bytes) == Encoding::kDense) {
    Registers others;
    unpack(bytes, others);
    raise_all(registers, others);
    return true;
  }
  return for_each_stretch(bytes, [&](uint32_t first, const Run& run) {
    if (run.value == 0) return;
    for (uint32_t i = first; i < first + run.length; ++i)
      registers[i] = std::max(registers[i], run.value);
  });
}

uint64_t count(const Registers& registers) noexcept {
  Histogram histogram;
  histogram.add(registers);
  return histogram.estimate();
}

std::optional<uint64_t> count(ByteView bytes) noexcept {
  Histogram histogram;
  if (encoding(bytes) == Encoding::kDense) {
    Registers registers;
    unpack(bytes, registers);
    histogram.add(registers);
  } else if (!for_each_stretch(bytes, [&](uint32_t, const Run& run) { histogram.add(run); })) {
    return std::nullopt;
  }
  return histogram.estimate();
}

bool for_each_run(ByteView bytes, FunctionRef<void(const Run&)> visit) noexcept {
  Run run;
  size_t at = kHeaderBytes;
  for (; read_run(bytes, at, run); at += run.bytes()) visit(run);
  return at == bytes.size();
}

}  // namespace ouro::hll
