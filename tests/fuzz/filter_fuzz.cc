// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what BF.LOADCHUNK and CF.LOADCHUNK give to a filter: whatever the header and the pieces
// say, a filter made of them keeps its invariants and its memory, answers, and dumps what it holds.
// How it is run: fuzz_program.h.
//
//   input: header size u8 | header | steps: what u8, argument u8, and for a write its bytes
#include <algorithm>
#include <string>

#include "datastructs/bloom.h"
#include "datastructs/codec/little_endian.h"
#include "datastructs/cuckoo.h"
#include "fuzz_program.h"

namespace ouro {
namespace {

// So much a header may make a filter allocate before anything is written.
constexpr size_t kEmptyBytesMax = 2_MiB;

uint8_t take_byte(ByteView& input) {
  const auto byte = static_cast<uint8_t>(input.front());
  input.remove_prefix(1);
  return byte;
}

template <class Filter>
void check_dump(Heap& heap, const Filter& filter) {
  const Result<Filter> made = Filter::from_header(heap, filter.header());
  CHECK(made.is_ok());
  Filter other = *made;
  // As much as is at the front of the run: a foreign header may speak of gigabytes.
  for (uint64_t at = 0; at < 1_MiB;) {
    const std::string piece = filter.read(at, 64_KiB);
    if (piece.empty()) break;
    CHECK(other.write(heap, at, piece).is_ok());
    CHECK(other.read(at, piece.size()) == piece);
    at += piece.size();
  }
  other.destroy(heap);
}

template <class Filter>
void run_steps(Heap& heap, Filter& filter, ByteView input) {
  // Each write may make a chunk; so many are enough.
  for (int steps = 0; input.size() >= 2 && steps < 64; ++steps) {
    const uint8_t what = take_byte(input);
    const uint8_t argument = take_byte(input);
    const std::string item(1, static_cast<char>(argument));
    switch (what % 6) {
      case 0: {
        const ByteView bytes = input.substr(0, argument);
        input.remove_prefix(bytes.size());
        (void)filter.write(heap, uint64_t{what} << (what % 32), bytes);
        break;
      }
      case 1:
        (void)filter.add(heap, item);
        break;
      case 2:
        (void)filter.contains(item);
        break;
      case 3:
        (void)filter.read(uint64_t{argument} << (argument % 64), what);
        break;
      case 4: {
        auto copy = filter.copy(heap);
        copy.check_invariants();
        copy.destroy(heap);
        break;
      }
      default:
        filter.change_more(heap, item);
    }
    filter.check_invariants();
  }
}

// What only one of them can do.
struct FuzzedBloom : Bloom {
  void change_more(Heap&, ByteView) {}
};
struct FuzzedCuckoo : Cuckoo {
  void change_more(Heap& heap, ByteView item) {
    (void)count(item);
    if (!remove(heap, item)) compact(heap);
  }
};

template <class Filter, class Fuzzed>
void check_filter(ByteView header, ByteView steps) {
  Heap heap;
  const Result<Filter> made = Filter::from_header(heap, header);
  if (made.is_ok()) {
    Fuzzed filter{*made};
    CHECK(filter.memory_bytes() == heap.used_bytes());
    CHECK(heap.used_bytes() <= kEmptyBytesMax);
    CHECK(filter.header() == header || filter.header().size() == header.size());
    run_steps(heap, filter, steps);
    CHECK(filter.memory_bytes() == heap.used_bytes());
    check_dump<Filter>(heap, filter);
    filter.destroy(heap);
  }
  CHECK(heap.used_bytes() == 0);
}

void check_input(ByteView input) {
  if (input.empty()) return;
  const uint8_t header_bytes = take_byte(input);
  const ByteView header = input.substr(0, header_bytes);
  const ByteView steps = input.substr(header.size());
  // Their headers differ in size.
  check_filter<Bloom, FuzzedBloom>(header, steps);
  check_filter<Cuckoo, FuzzedCuckoo>(header, steps);
}

template <class Filter>
std::string take_header(Heap& heap, Filter filter, Prng& prng) {
  for (uint64_t i = prng.below(30); i > 0; --i) filter.add(heap, std::to_string(i));
  const std::string header = filter.header();
  filter.destroy(heap);
  return static_cast<char>(std::min<size_t>(header.size(), 255)) + header;
}

// A whole header, or a number that one could hold.
std::string fragment(Prng& prng) {
  Heap heap;
  switch (prng.below(6)) {
    case 0:
      return take_header(heap,
                         Bloom::create(heap, {.error_rate = prng.unit() * 0.9 + 0.01,
                                              .capacity = 1 + prng.below(1000),
                                              .expansion = static_cast<uint32_t>(1 + prng.below(3)),
                                              .scaling = prng.below(2) == 0}),
                         prng);
    case 1:
      return take_header(
          heap,
          Cuckoo::create(heap, {.capacity = 8 + prng.below(100),
                                .bucket_size = static_cast<uint16_t>(1 + prng.below(4)),
                                .max_iterations = static_cast<uint16_t>(1 + prng.below(30)),
                                .expansion = static_cast<uint16_t>(prng.below(4))}),
          prng);
    default: {
      std::string number;
      append_fixed(number, prng.below(2) == 0 ? prng.below(100) : uint64_t{1} << prng.below(64));
      return number;
    }
  }
}

}  // namespace

constinit const FuzzTarget kFuzzTarget = {
    .name = "filter_fuzz", .check = check_input, .fragment = fragment};

}  // namespace ouro
