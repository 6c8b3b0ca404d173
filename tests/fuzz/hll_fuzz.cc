// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what is done with a HyperLogLog that a client has made: whatever its bytes are, nothing
// outside of them is touched, and what decodes once decodes the same after every change. A
// libFuzzer target, and a program of its own (fuzz_main.h).
#include <cstdint>
#include <string>

#include "datastructs/base/check.h"
#include "datastructs/base/hash.h"
#include "datastructs/hyperloglog.h"
#include "fuzz_main.h"

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check_sketch({reinterpret_cast<const char*>(data), size});
  return 0;
}

#ifndef OURO_LIBFUZZER
namespace {

// Runs of all kinds; now and then as many as make up all registers.
std::string mutated(const ouro::FuzzCorpus& corpus, Prng& prng) {
  std::string input = corpus[prng.below(corpus.size())];
  for (uint64_t changes = 1 + prng.below(4); changes > 0; --changes) {
    const size_t at = prng.below(input.size() + 1);
    switch (prng.below(4)) {
      case 0:
        input.insert(at, 1, static_cast<char>(prng.next()));
        break;
      case 1:
        input.erase(at, 1 + prng.below(3));
        break;
      case 2:
        if (at < input.size()) input[at] = static_cast<char>(prng.next());
        break;
      default: {
        std::string sketch(hll::kEmpty);
        for (uint64_t i = prng.below(200); i > 0; --i) {
          hll::raise_register(sketch,
                              {static_cast<uint32_t>(prng.below(hll::kRegisters)),
                               static_cast<uint8_t>(1 + prng.below(4))},
                              100'000);
        }
        input = sketch.substr(hll::kHeaderBytes);
      }
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  return ouro::fuzz_main(argc, argv, {"hll_fuzz", check_sketch, mutated});
}
#endif
