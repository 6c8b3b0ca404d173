// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what takes foreign bytes for scripts: cjson, cmsgpack and struct, Lua's compiler behind
// our scanner, first lines, and the payload of FUNCTION RESTORE. Nothing crashes, what cmsgpack
// reads it writes and reads again alike, and no memory stays.
//
//   script_fuzz PATH...                            runs each file, and each file of a directory,
//   once script_fuzz [PATH...] --seconds N [--seed S]   then mutates them; a finding is left in
//                                                  script_fuzz.crash
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "datastructs/codec/checksum.h"
#include "script_engine.h"
#include "server/script/function_payload.h"

namespace {

using ouro::ByteView;
using ouro::Prng;

// Of a map with several names the order may be another one: sizes are compared.
constexpr const char* kMessagePack =
    "local ok, value = pcall(cmsgpack.unpack, ARGV[1]) if not ok then return 'broken' end "
    "local packed = cmsgpack.pack(value) "
    "return #cmsgpack.pack(cmsgpack.unpack(packed)) == #packed and 'same' or 'differs'";
constexpr const char* kJson = "return (pcall(cjson.decode, ARGV[1]))";
// The format ends at the first zero byte.
constexpr const char* kStruct =
    "local at = ARGV[1]:find('%z') or 0 "
    "pcall(struct.size, ARGV[1]:sub(1, at - 1)) pcall(struct.pack, ARGV[1]:sub(1, at - 1), 1, 2, "
    "3) "
    "return (pcall(struct.unpack, ARGV[1]:sub(1, at - 1), ARGV[1]:sub(at + 1)))";
constexpr const char* kCompile = "return loadstring(ARGV[1]) ~= nil";

void check_payload(ByteView bytes) {
  std::string payload(bytes);
  payload += std::string("\x0a\x00", 2);
  const uint64_t sum = ouro::crc64(0, payload);
  for (int i = 0; i < 8; ++i) payload += static_cast<char>(sum >> (8 * i) & 0xFF);
  std::vector<std::string> sources;
  std::string error;
  if (!ouro::read_function_payload(payload, sources, error)) return;
  std::vector<std::string> again;
  CHECK(ouro::read_function_payload(ouro::write_function_payload({sources.begin(), sources.end()}),
                                    again, error));
  CHECK(again == sources);
}

class Target {
 public:
  // The first byte says what the rest is for.
  void check(ByteView input) {
    if (input.empty()) return;
    const auto choice = static_cast<unsigned char>(input[0]) % 6;
    input.remove_prefix(1);
    if (choice == 5) return check_payload(input);
    if (choice == 4) {
      engine_.run({"EVAL", input, "0"});
      engine_.run("SCRIPT FLUSH");
      return;
    }
    constexpr const char* kScripts[] = {kJson, kMessagePack, kStruct, kCompile};
    const std::string answer = engine_.run({"EVAL", kScripts[choice], "0", input});
    CHECK(answer != "\"differs\"");
    if (++runs_ % 1000 != 0) return;
    engine_.run("SCRIPT FLUSH");
    CHECK(engine_.engine.script_facts().eval_machine_bytes == 0);
  }

 private:
  ouro::ScriptEngine engine_;
  uint64_t runs_ = 0;
};

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> read_corpus(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::string> corpus;
  for (const std::filesystem::path& path : paths) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path))
      if (entry.is_regular_file()) corpus.push_back(read_file(entry.path()));
  }
  return corpus;
}

std::string mutated(const std::vector<std::string>& corpus, Prng& prng) {
  static constexpr const char* kFragments[] = {"[",        "]",
                                               "{",        "}",
                                               ":",        ",",
                                               "\"",       "1e999",
                                               "\\u0",     "null",
                                               "return",   "end",
                                               "1LL",      "[[",
                                               "--[==[",   "\xDC",
                                               "\xDF",     "\xD9",
                                               "\xC1",     "\xF5",
                                               "\xC3\x10", "#!lua flags=",
                                               "i32",      "c0"};
  std::string input = corpus[prng.below(corpus.size())];
  for (uint64_t changes = 1 + prng.below(6); changes > 0; --changes) {
    const size_t at = prng.below(input.size() + 1);
    switch (prng.below(5)) {
      case 0:
        input.insert(at, kFragments[prng.below(std::size(kFragments))]);
        break;
      case 1:
        input.erase(at, 1 + prng.below(8));
        break;
      case 2:
        input.insert(at, 1, static_cast<char>(prng.next()));
        break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(prng.next());
        break;
      default:
        input += corpus[prng.below(corpus.size())];
    }
  }
  if (input.size() > 20000) input.resize(20000);
  return input;
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
  std::vector<std::string> corpus = read_corpus(paths);
  if (corpus.empty()) return 1;
  Target target;
  for (const std::string& input : corpus) target.check(input);
  std::printf("%zu inputs of the corpus, no finding\n", corpus.size());
  Prng prng(seed);
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(seconds);
  uint64_t runs = 0;
  for (; Clock::now() < end; ++runs) {
    const std::string input = mutated(corpus, prng);
    std::ofstream("script_fuzz.crash", std::ios::binary) << input;
    target.check(input);
    if (input.size() < 2000 && prng.below(8) == 0) corpus[prng.below(corpus.size())] = input;
  }
  std::filesystem::remove("script_fuzz.crash");
  std::printf("%llu mutated inputs, seed %llu, no finding\n", static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(seed));
  return 0;
}
