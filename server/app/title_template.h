// SPDX-License-Identifier: BSD-3-Clause
// proc-title-template: a text in which {name} stands for a fact of the server and {{ for a brace.
#pragma once

#include <optional>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

struct TitleFacts {
  ByteView title = {};  // the program, as it was called
  ByteView listen_addr = {};
  ByteView server_mode = {};
  ByteView port = {};
  ByteView tls_port = {};
  ByteView unixsocket = {};
  ByteView config_file = {};
};

// Without blanks at either end; nothing when a name is unknown or a brace is not closed.
std::optional<std::string> expand_title(ByteView text, const TitleFacts& facts);

}  // namespace ouro
