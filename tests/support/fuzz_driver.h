// SPDX-License-Identifier: BSD-3-Clause
// What every fuzz target needs to be a program of its own:
//
//   NAME_fuzz PATH...                            runs each file, and each file of a directory, once
//   NAME_fuzz [PATH...] --seconds N [--seed S]   then mutates them for N seconds; a finding is left
//   in NAME_fuzz.crash
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
  void (*check)(ByteView input);        // aborts on a finding
  std::string (*fragment)(Prng& prng);  // bytes that mean something to what is tested
  size_t input_bytes_max;
};

class FuzzDriver {
 public:
  FuzzDriver(const FuzzTarget& target, int argc, char** argv) : target_(target) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (word == "--seconds" && i + 1 < argc) {
        seconds_ = std::atoi(argv[++i]);
      } else if (word == "--seed" && i + 1 < argc) {
        seed_ = std::strtoull(argv[++i], nullptr, 10);
      } else {
        add_path(word);
      }
    }
    std::sort(files_.begin(), files_.end());
  }

  int run() {
    for (const std::filesystem::path& file : files_) {
      std::ifstream in(file, std::ios::binary);
      corpus_.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    for (const std::string& input : corpus_) target_.check(input);
    std::printf("%zu inputs of the corpus, no finding\n", corpus_.size());
    if (corpus_.empty() && has_paths_) return 1;
    return seconds_ > 0 ? mutate() : 0;
  }

 private:
  void add_path(const std::filesystem::path& path) {
    has_paths_ = true;
    if (!std::filesystem::is_directory(path)) {
      files_.push_back(path);
      return;
    }
    for (const auto& entry : std::filesystem::directory_iterator(path))
      files_.push_back(entry.path());
  }

  std::string mutated(Prng& prng) const {
    std::string input = corpus_[prng.below(corpus_.size())];
    for (uint64_t changes = 1 + prng.below(6); changes > 0; --changes) {
      const size_t at = prng.below(input.size() + 1);
      switch (prng.below(7)) {
        case 0:
          input.insert(at, target_.fragment(prng));
          break;
        case 1:
          input += target_.fragment(prng);
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
          const std::string& other = corpus_[prng.below(corpus_.size())];
          if (!other.empty()) input.insert(at, other, 1, std::string::npos);
        }
      }
    }
    if (input.size() > target_.input_bytes_max) input.resize(target_.input_bytes_max);
    return input;
  }

  int mutate() {
    using Clock = std::chrono::steady_clock;
    constexpr size_t kKeptMax = 2000;
    Prng prng(seed_);
    if (corpus_.empty()) corpus_.emplace_back(1, '\0');
    const std::string crash = std::string(target_.name) + ".crash";
    const auto end = Clock::now() + std::chrono::seconds(seconds_);
    uint64_t runs = 0;
    while (Clock::now() < end) {
      for (int i = 0; i < 20; ++i, ++runs) {
        const std::string input = mutated(prng);
        // Written before the run: a crash leaves it behind.
        std::ofstream(crash, std::ios::binary) << input;
        target_.check(input);
        if (input.size() >= kKeptMax || prng.below(8) != 0) continue;
        if (corpus_.size() < kKeptMax) {
          corpus_.push_back(input);
        } else {
          corpus_[prng.below(corpus_.size())] = input;
        }
      }
    }
    std::filesystem::remove(crash);
    std::printf("%llu mutated inputs, seed %llu, no finding\n",
                static_cast<unsigned long long>(runs), static_cast<unsigned long long>(seed_));
    return 0;
  }

  const FuzzTarget& target_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::string> corpus_;
  bool has_paths_ = false;
  int seconds_ = 0;
  uint64_t seed_ = 1;
};

}  // namespace ouro
