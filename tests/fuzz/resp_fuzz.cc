// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes the RESP reader: wherever a stream is cut, the same commands and the same error come out,
// all memory is given back, and the sanitizers stay silent. A libFuzzer target (clang++
// -fsanitize=fuzzer, with OURO_LIBFUZZER defined), and, built as it is, a program of its own:
//
//   resp_fuzz PATH...                            runs each file, and each below a directory, once
//   resp_fuzz [PATH...] --seconds N [--seed S]   then mutates them for N seconds; a finding is left
//   in resp_fuzz.crash
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "datastructs/base/hash.h"
#include "resp_transcript.h"

namespace {

using ouro::ByteView;
using ouro::Prng;
using ouro::RespTranscript;

// The first byte chooses the limits, so that small inputs reach them; the rest is the stream.
void check_stream(ByteView input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  RespTranscript transcript(
      {.bulk_bytes_max = (choice & 2) != 0 ? size_t{100000} : size_t{512} << 20,
       .authenticated = (choice & 1) == 0});
  const std::string whole = transcript.whole(input);
  Prng prng(ouro::hash_bytes(input, {}));
  CHECK(transcript.in_steps(input, 1 + input.size() / 20000) == whole);
  for (int i = 0; i < 4; ++i)
    CHECK(transcript.cut_at(input, prng.below(input.size() + 1)) == whole);
  for (int i = 0; i < 8; ++i) CHECK(transcript.at_random(input, prng) == whole);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  check_stream({reinterpret_cast<const char*>(data), size});
  return 0;
}

#ifndef OURO_LIBFUZZER
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> read_corpus(const std::vector<std::filesystem::path>& paths) {
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

// Bytes that mean something to the reader, and lengths around its limits.
std::string fragment(Prng& prng) {
  static constexpr const char* kFragments[] = {"\r\n",
                                               "\r",
                                               "\n",
                                               "*",
                                               "$",
                                               "*1\r\n",
                                               "*2\r\n",
                                               "*3\r\n$3\r\nSET\r\n",
                                               "$0\r\n\r\n",
                                               "$4\r\nPING\r\n",
                                               "*0\r\n",
                                               "*-1\r\n",
                                               "$-1\r\n",
                                               "*10\r\n",
                                               "*11\r\n",
                                               "*1048576\r\n",
                                               "*1048577\r\n",
                                               "$16384\r\n",
                                               "$16385\r\n",
                                               "$99999\r\n",
                                               "$100001\r\n",
                                               "$536870912\r\n",
                                               "$01\r\n",
                                               "\"",
                                               "'",
                                               "\\x4",
                                               "\\",
                                               " ",
                                               "PING\r\n",
                                               "PING \"a b\" 'c'\r\n"};
  if (prng.below(12) == 0) {
    // A whole command with one argument around a size where the reader changes its ways.
    static constexpr size_t kSizes[] = {0,     9,     99,    240,   4096,  16383, 16385,
                                        32767, 32768, 40000, 65536, 99999, 300000};
    const size_t size = kSizes[prng.below(std::size(kSizes))];
    return "*1\r\n$" + std::to_string(size) + "\r\n" + std::string(size, 'x') + "\r\n";
  }
  if (prng.below(20) == 0)
    return std::string(65530 + prng.below(10), static_cast<char>('1' + prng.below(3)));
  return kFragments[prng.below(std::size(kFragments))];
}

std::string mutated(const std::vector<std::string>& corpus, Prng& prng) {
  std::string input = corpus[prng.below(corpus.size())];
  for (uint64_t changes = 1 + prng.below(6); changes > 0; --changes) {
    const size_t at = prng.below(input.size() + 1);
    switch (prng.below(7)) {
      case 0:
        input.insert(at, fragment(prng));
        break;
      case 1:
        input += fragment(prng);
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

int mutate(std::vector<std::string> corpus, int seconds, uint64_t seed) {
  using Clock = std::chrono::steady_clock;
  Prng prng(seed);
  if (corpus.empty()) corpus.push_back(std::string(1, '\0'));
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  uint64_t runs = 0;
  while (Clock::now() < end) {
    for (int i = 0; i < 20; ++i, ++runs) {
      const std::string input = mutated(corpus, prng);
      // Written before the run: a crash leaves it behind.
      std::ofstream("resp_fuzz.crash", std::ios::binary) << input;
      check_stream(input);
      if (input.size() < 2000 && prng.below(8) == 0) {
        if (corpus.size() < 2000) {
          corpus.push_back(input);
        } else {
          corpus[prng.below(corpus.size())] = input;
        }
      }
    }
  }
  std::filesystem::remove("resp_fuzz.crash");
  std::printf("%llu mutated inputs, seed %llu, no finding\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(seed));
  return 0;
}

}  // namespace

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
  const std::vector<std::string> corpus = read_corpus(paths);
  for (const std::string& input : corpus) check_stream(input);
  std::printf("%zu inputs of the corpus, no finding\n", corpus.size());
  if (corpus.empty() && !paths.empty()) return 1;
  return seconds > 0 ? mutate(corpus, seconds, seed) : 0;
}
#endif
