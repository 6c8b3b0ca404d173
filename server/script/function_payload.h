// SPDX-License-Identifier: BSD-3-Clause
// What FUNCTION DUMP gives and FUNCTION RESTORE takes: the libraries' texts as an RDB file has them
// (persistence/rdb.h), each a record kFunction, with version and checksum behind as DUMP has.
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
