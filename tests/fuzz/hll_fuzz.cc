// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what is done with a HyperLogLog that a client has made: whatever its bytes are, nothing
// outside of them is touched, and what decodes once decodes the same after every change.
#include <cstdint>
#include <string>

#include "datastructs/base/check.h"
#include "datastructs/base/hash.h"
#include "datastructs/hyperloglog.h"
#include "fuzz_program.h"

namespace {

using ouro::ByteView;
using ouro::Prng;
namespace hll = ouro::hll;

// The input is what follows the header of a sparse one, or of a dense one cut or filled to its
// size.
void check_sketch(ByteView input) {
  std::string sketch(hll::kEmpty.substr(0, hll::kHeaderBytes));
  sketch += input;
  if (!input.empty() && (input[0] & 1) != 0) {
    sketch[4] = static_cast<char>(hll::Encoding::kDense);
    sketch.resize(hll::kDenseBytes, 'x');
  }
  CHECK(hll::is_valid(sketch));
  hll::for_each_run(sketch, [](const hll::Run&) {});
  hll::Registers registers{};
  const bool decodes = hll::merge_into(registers, sketch);
  CHECK(hll::count(sketch).has_value() == decodes);
  if (decodes) CHECK(hll::count(sketch) == hll::count(registers));

  Prng prng(ouro::hash_bytes(input, {}));
  for (int i = 0; i < 40; ++i) {
    const hll::Place place{static_cast<uint32_t>(prng.below(hll::kRegisters)),
                           static_cast<uint8_t>(1 + prng.below(i % 8 == 7 ? 51 : 32))};
    const hll::Raise raised = hll::raise_register(sketch, place, input.size() + 60);
    if (!decodes) continue;
    CHECK((raised == hll::Raise::kRaised) == (registers[place.index] < place.value));
    if (raised == hll::Raise::kRaised) registers[place.index] = place.value;
  }
  hll::Registers after{};
  CHECK(hll::merge_into(after, sketch) == decodes || !decodes);
  if (decodes) CHECK(after == registers);
  CHECK(hll::make_dense(sketch) || !decodes);
}

// A run of registers: single ones, or as many as make up all of them.
std::string fragment(Prng& prng) {
  if (prng.below(8) != 0) return std::string(1, static_cast<char>(prng.next()));
  std::string sketch(hll::kEmpty);
  for (uint64_t i = prng.below(200); i > 0; --i) {
    hll::raise_register(sketch,
                        {static_cast<uint32_t>(prng.below(hll::kRegisters)),
                         static_cast<uint8_t>(1 + prng.below(4))},
                        100'000);
  }
  return sketch.substr(hll::kHeaderBytes);
}

}  // namespace

constinit const ouro::FuzzTarget ouro::kFuzzTarget = {
    .name = "hll_fuzz", .check = check_sketch, .fragment = fragment};
