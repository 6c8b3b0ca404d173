// SPDX-License-Identifier: BSD-3-Clause
// Bytes as a quoted word that next_quoted_word() reads back: what MONITOR, CONFIG REWRITE and
// CLIENT LIST print.
#pragma once

#include <string>

#include "datastructs/base/units.h"

namespace ouro {

void append_quoted(std::string& to, ByteView bytes);

}  // namespace ouro
