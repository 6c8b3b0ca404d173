// SPDX-License-Identifier: BSD-3-Clause
// The argument notation of Doc::args, and COMMAND DOCS made from it. One line of text says what
// Redis keeps as a tree:
//
//   key:key#0 value:string [condition:<nx!NX | xx!XX>@2.6.12] [get!GET@6.2.0] [EX=seconds:integer]
//
//   arguments := argument (" " argument)*
//   argument  := "[" plain "]" | plain              in brackets: optional
//   plain     := what ["#" digits] ["@" version] ["~" version] ["&"] ["..."]
//   what      := name "!" TOKEN                     a word that stands for itself ("pure-token")
//              | [TOKEN "="] name ":" type          string integer double key pattern unix-time
//              | [TOKEN "="] name ":<" argument (" | " argument)* ">"   one of them
//              | [TOKEN "="] name ":{" arguments "}"                    a block: all, in order
//
//   #1      the key specification (index into CommandSpec::keys) that the argument belongs to
//   @7.0.0  since that version; ~7.0.0 deprecated since
//   ...     may be repeated; &... repeated together with its token
//   !""     the empty word is the token (MIGRATE)
//
// An argument that came later than its command is part of the command's history, too.
//
// A name may hold ':' ("ip:port:string"): the last one counts. Names, tokens and versions hold no
// blank and none of []<>{}|#@~& - except that "~" alone may be a token.
#pragma once

#include <vector>

#include "server/engine/command.h"

namespace ouro {

class Registry;
class Reply;

struct DocArgument {
  enum class Type : uint8_t {
    kString,
    kInteger,
    kDouble,
    kKey,
    kPattern,
    kUnixTime,
    kPureToken,
    kOneOf,
    kBlock
  };
  ByteView name;
  Type type = Type::kString;
  ByteView token;  // may be empty although has_token
  ByteView since;  // empty: as the command
  ByteView deprecated_since;
  int key_spec_index = -1;  // -1: names no key
  bool has_token = false;
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;
  std::vector<DocArgument> arguments;  // of kOneOf and kBlock
};

// Redis's word for the type ("pure-token").
ByteView doc_type_name(DocArgument::Type type);

// Parses the notation above; views point into `text`.
// Errors: Err::kSyntax - the text does not follow the grammar (tests walk all rows, so a server
// never meets it).
Result<std::vector<DocArgument>> parse_doc_arguments(ByteView text);

// Writes COMMAND DOCS's entry of one row: its full name and the map that documents it, subcommands
// included. Requires: the reply expects two elements here.
void write_command_docs(const Registry& registry, const CommandSpec& row, Reply& reply);

}  // namespace ouro
