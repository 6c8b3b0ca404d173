// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what takes foreign bytes for scripts: cjson, cmsgpack and struct, Lua's compiler behind
// our scanner, first lines, and the payload of FUNCTION RESTORE. Nothing crashes, what cmsgpack
// reads it writes and reads again alike, and no memory stays.
#include <iterator>
#include <string>
#include <vector>

#include "datastructs/codec/checksum.h"
#include "fuzz_program.h"
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

void check(ByteView input) {
  // One engine for all: what it keeps from one input to the next is fuzzed, too.
  static Target target;
  target.check(input);
}

std::string fragment(Prng& prng) {
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
  return kFragments[prng.below(std::size(kFragments))];
}

}  // namespace

constinit const ouro::FuzzTarget ouro::kFuzzTarget = {
    .name = "script_fuzz", .check = check, .fragment = fragment};
