// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/tables.h"

#include <vector>

#include "server/commands/tables.h"

namespace ouro {

std::span<const std::span<const CommandSpec>> all_tables_with_scripts() {
  static const std::vector<std::span<const CommandSpec>> tables = [] {
    const auto commands = all_command_tables();
    std::vector<std::span<const CommandSpec>> all(commands.begin(), commands.end());
    all.insert(all.end(), {kEvalCommands, kFunctionCommands, kScriptCommands});
    return all;
  }();
  return tables;
}

}  // namespace ouro
