// SPDX-License-Identifier: BSD-3-Clause
// A fuzz target as a program. A libFuzzer target (clang++ -fsanitize=fuzzer, with OURO_LIBFUZZER
// defined), and, built as it is, a program of its own:
//
//   X_fuzz PATH...                            runs each file, and each file of a directory, once
//   X_fuzz [PATH...] --seconds N [--seed S]   then mutates them for N seconds; a finding is left in
//                                             X_fuzz.crash
//
// The one source that includes this defines kFuzzTarget.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"

namespace ouro {

struct FuzzTarget {
  const char* name;
  // Runs one input; CHECKs are the findings.
  void (*check)(ByteView input);
  // Bytes that mean something to what is fuzzed.
  std::string (*fragment)(Prng& prng);
};
extern const FuzzTarget kFuzzTarget;

}  // namespace ouro

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ouro::kFuzzTarget.check({reinterpret_cast<const char*>(data), size});
  return 0;
}

#ifndef OURO_LIBFUZZER
namespace ouro {
namespace fuzz_program {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::vector<std::string> read_corpus(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& path : paths) {
    if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const std::filesystem::path& file : files) corpus.push_back(read_file(file));
  return corpus;
}

inline std::string mutated(const std::vector<std::string>& corpus, Prng& prng) {
  std::string input = corpus[prng.below(corpus.size())];
  for (uint64_t changes = 1 + prng.below(6); changes > 0; --changes) {
    const size_t at = prng.below(input.size() + 1);
    switch (prng.below(7)) {
      case 0:
        input.insert(at, kFuzzTarget.fragment(prng));
        break;
      case 1:
        input += kFuzzTarget.fragment(prng);
        break;
      case 2:
        input.erase(at, prng.below(10));
        break;
      case 3:
        input.insert(at, 1, static_cast<char>(prng.next()));
        break;
      case 4:
        if (at < input.size()) input[at] = static_cast<char>(prng.next());
        break;
      case 5:
        if (at < input.size()) input[at] = static_cast<char>('0' + prng.below(10));
        break;
      default: {
        const std::string& other = corpus[prng.below(corpus.size())];
        if (!other.empty()) input.insert(at, other, 1, std::string::npos);
      }
    }
  }
  if (input.size() > 1000000) input.resize(1000000);
  return input;
}

inline int mutate(std::vector<std::string> corpus, int seconds, uint64_t seed) {
  using Clock = std::chrono::steady_clock;
  Prng prng(seed);
  const std::string crash = std::string(kFuzzTarget.name) + ".crash";
  if (corpus.empty()) corpus.push_back(std::string(1, '\0'));
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  uint64_t runs = 0;
  while (Clock::now() < end) {
    for (int i = 0; i < 20; ++i, ++runs) {
      const std::string input = mutated(corpus, prng);
      // Written before the run: a crash leaves it behind.
      std::ofstream(crash, std::ios::binary) << input;
      kFuzzTarget.check(input);
      if (input.size() < 2000 && prng.below(8) == 0) {
        if (corpus.size() < 2000) {
          corpus.push_back(input);
        } else {
          corpus[prng.below(corpus.size())] = input;
        }
      }
    }
  }
  std::filesystem::remove(crash);
  std::printf("%llu mutated inputs, seed %llu, no finding\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(seed));
  return 0;
}

}  // namespace fuzz_program
}  // namespace ouro

int main(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  int seconds = 0;
  uint64_t seed = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--seconds" && i + 1 < argc) {
      seconds = std::atoi(argv[++i]);
    } else if (word == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      paths.emplace_back(word);
    }
  }
  const std::vector<std::string> corpus = ouro::fuzz_program::read_corpus(paths);
  for (const std::string& input : corpus) ouro::kFuzzTarget.check(input);
  std::printf("%zu inputs of the corpus, no finding\n", corpus.size());
  if (corpus.empty() && !paths.empty()) return 1;
  return seconds > 0 ? ouro::fuzz_program::mutate(corpus, seconds, seed) : 0;
}
#endif
