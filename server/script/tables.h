// SPDX-License-Identifier: BSD-3-Clause
// The tables of this folder, and all tables of a server: those of server/commands and these.
#pragma once

#include <span>

#include "server/engine/command.h"

namespace ouro {

extern const std::span<const CommandSpec> kEvalCommands;
extern const std::span<const CommandSpec> kFunctionCommands;
extern const std::span<const CommandSpec> kScriptCommands;

std::span<const std::span<const CommandSpec>> all_tables_with_scripts();

}  // namespace ouro
