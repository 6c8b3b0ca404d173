// SPDX-License-Identifier: BSD-3-Clause
// What FUNCTION DUMP gives and FUNCTION RESTORE takes: the libraries' texts as an RDB file has
// them.
//
//      for each library:  245 | length | the text           a length as RDB writes it, below
//      the end:           RDB version, 2 bytes LE (10) | CRC-64 of all before it, 8 bytes LE
//
//      length  00xxxxxx | 01xxxxxx x.. (14 bits, big-endian) | 0x80 + 4 bytes | 0x81 + 8 bytes, BE
//      text    may come compressed from Redis: 0xC3 | packed length | length | LZF
//
// Redis compresses texts of more than 20 bytes; here they are written as they are, which it reads.
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

std::string write_function_payload(const std::vector<ByteView>& sources);

// False leaves Redis's text without code in `error`.
bool read_function_payload(ByteView payload, std::vector<std::string>& sources, std::string& error);

}  // namespace ouro
