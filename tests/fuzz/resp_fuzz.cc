// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes the RESP reader: wherever a stream is cut, the same commands and the same error come out,
// all memory is given back, and the sanitizers stay silent. How it is run: fuzz_program.h.
#include <cstdint>
#include <iterator>
#include <string>

#include "datastructs/base/hash.h"
#include "fuzz_program.h"
#include "resp_transcript.h"

namespace ouro {
namespace {

// The first byte chooses the limits, so that small inputs reach them; the rest is the stream.
void check_stream(ByteView input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input[0]);
  input.remove_prefix(1);
  RespTranscript transcript(
      {.bulk_bytes_max = (choice & 2) != 0 ? size_t{100000} : size_t{512} << 20,
       .authenticated = (choice & 1) == 0});
  const std::string whole = transcript.whole(input);
  Prng prng(hash_bytes(input, {}));
  CHECK(transcript.in_steps(input, 1 + input.size() / 20000) == whole);
  for (int i = 0; i < 4; ++i)
    CHECK(transcript.cut_at(input, prng.below(input.size() + 1)) == whole);
  for (int i = 0; i < 8; ++i) CHECK(transcript.at_random(input, prng) == whole);
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

}  // namespace

constinit const FuzzTarget kFuzzTarget = {
    .name = "resp_fuzz", .check = check_stream, .fragment = fragment};

}  // namespace ouro
