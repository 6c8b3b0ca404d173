// SPDX-License-Identifier: BSD-3-Clause
// HELP of the containers (CLIENT HELP, OBJECT HELP ...), made from their rows, and the errors of
// commands whose arity the row cannot say in full.
#pragma once

#include "server/engine/context.h"

namespace ouro {

// The handler of every HELP row: an array of simple strings.
Status reply_help(Context& ctx);

// As the executor says it of an arity that the row does say.
Status wrong_arity(Context& ctx);
// Of a container's subcommand: points to its HELP.
Status wrong_subcommand_arity(Context& ctx);

}  // namespace ouro
