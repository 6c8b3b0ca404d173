// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/tables.h"

#include <array>

namespace ouro {

std::span<const std::span<const CommandSpec>> all_command_tables() {
  static const std::array tables = {
      kClientCommands,
      kCommandCommands,
      kConnectionCommands,
      kDatabaseCommands,
      kExpireCommands,
      kKeyCommands,
      kKeyScanCommands,
      kListBlockCommands,
      kListCommands,
      kListMoveCommands,
      kListSearchCommands,
      kObjectCommands,
      kPubsubCommands,
      kSetAlgebraCommands,
      kSetCommands,
      kSortCommands,
      kStringCommands,
      kStringLcsCommands,
      kStringSetCommands,
      kTransactionCommands,
      kZSetCommands,
      kZSetRangeCommands,
      kZSetStoreCommands,
  };
  return tables;
}

}  // namespace ouro
