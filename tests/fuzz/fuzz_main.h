// SPDX-License-Identifier: BSD-3-Clause
// What makes a fuzz target a program of its own:
//
//   NAME PATH...                            runs each file, and each file of a directory, once
//   NAME [PATH...] --seconds N [--seed S]   then mutates them for N seconds; a finding is left in
//                                           NAME.crash
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

#include "datastructs/base/function_ref.h"
#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"

namespace ouro {

using FuzzCorpus = std::vector<std::string>;

struct FuzzTarget {
  const char* name;
  void (*check)(ByteView input);
  // Another input, made from one of the corpus, which is not empty.
  std::string (*mutated)(const FuzzCorpus& corpus, Prng& prng);
};

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline FuzzCorpus read_corpus(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::filesystem::path> files;
  for (const std::filesystem::path& path : paths) {
    if (std::filesystem::is_directory(path)) {
      for (const auto& entry : std::filesystem::directory_iterator(path))
        files.push_back(entry.path());
    } else {
      files.push_back(path);
    }
  }
  std::sort(files.begin(), files.end());
  FuzzCorpus corpus;
  for (const std::filesystem::path& file : files) corpus.push_back(read_file(file));
  return corpus;
}

inline int mutate(const FuzzTarget& target, FuzzCorpus corpus, int seconds, uint64_t seed) {
  const std::string crash = std::string(target.name) + ".crash";
  using Clock = std::chrono::steady_clock;
  Prng prng(seed);
  if (corpus.empty()) corpus.push_back(std::string(1, '\0'));
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  uint64_t runs = 0;
  while (Clock::now() < end) {
    for (int i = 0; i < 20; ++i, ++runs) {
      const std::string input = target.mutated(corpus, prng);
      // Written before the run: a crash leaves it behind.
      std::ofstream(crash, std::ios::binary) << input;
      target.check(input);
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

inline int fuzz_main(int argc, char** argv, const FuzzTarget& target) {
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
  const FuzzCorpus corpus = read_corpus(paths);
  for (const std::string& input : corpus) target.check(input);
  std::printf("%zu inputs of the corpus, no finding\n", corpus.size());
  if (corpus.empty() && !paths.empty()) return 1;
  return seconds > 0 ? mutate(target, corpus, seconds, seed) : 0;
}

}  // namespace ouro
