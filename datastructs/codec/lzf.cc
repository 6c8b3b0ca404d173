// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/lzf.h"

#include <liblzf/lzf.h>

#include <cstdint>

#include "datastructs/base/check.h"

namespace ouro {

bool pack_lzf(ByteView text, size_t bytes_max, std::string& out) {
  CHECK(text.size() <= UINT32_MAX);
  CHECK(bytes_max <= UINT32_MAX);
  // The library reads the first two bytes before it looks how many there are.
  if (text.size() < 2) return false;
  const size_t before = out.size();
  out.resize(before + bytes_max);
  const unsigned packed = lzf_compress(text.data(), static_cast<unsigned>(text.size()),
                                       out.data() + before, static_cast<unsigned>(bytes_max));
  out.resize(before + packed);
  return packed != 0;
}

bool unpack_lzf(ByteView packed, size_t bytes, std::string& out) {
  if (packed.empty() || packed.size() > UINT32_MAX || bytes > UINT32_MAX) return false;
  // No memory is taken for a text that so few bytes cannot make. Zero is how the library says no.
  if (bytes / kLzfGrowthMax > packed.size() || bytes == 0) return false;
  out.resize(bytes);
  return lzf_decompress(packed.data(), static_cast<unsigned>(packed.size()), out.data(),
                        static_cast<unsigned>(bytes)) == bytes;
}

}  // namespace ouro
