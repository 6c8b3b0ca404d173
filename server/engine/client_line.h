// SPDX-License-Identifier: BSD-3-Clause
// A client in one line, without the line's end, as CLIENT LIST and ACL LOG show it.
#pragma once

#include <string>

#include "datastructs/base/units.h"

namespace ouro {

class Engine;
class Session;

std::string client_line(const Engine& engine, const Session& session);
// Its "flags" there: letters, "N" for none.
std::string client_flags(const Session& session);
bool is_client_flag(char letter);
// Whether a word that a client says of itself leaves the line whole.
bool is_client_word(ByteView word);

}  // namespace ouro
