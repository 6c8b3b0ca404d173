// SPDX-License-Identifier: BSD-3-Clause
// HELP of the containers (CLIENT HELP, OBJECT HELP ...), made from their rows, and the error that
// points to it.
#pragma once

#include "server/engine/context.h"

namespace ouro {

// The handler of every HELP row: an array of simple strings.
Status reply_help(Context& ctx);

// For subcommands whose arity the row cannot say in full.
Status wrong_subcommand_arity(Context& ctx);

}  // namespace ouro
