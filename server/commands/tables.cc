// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/tables.h"

#include <array>

namespace ouro {

std::span<const std::span<const CommandSpec>> all_command_tables() {
  static const std::array tables = {
      kClientCommands,      kCommandCommands,    kConfigCommands,    kConnectionCommands,
      kDatabaseCommands,    kDebugCommands,      kExpireCommands,    kHashCommands,
      kHashExpireCommands,  kInfoCommands,       kKeyCommands,       kKeyScanCommands,
      kLatencyCommands,     kListBlockCommands,  kListCommands,      kListMoveCommands,
      kListSearchCommands,  kMemoryCommands,     kObjectCommands,    kPubsubCommands,
      kServerCommands,      kSetAlgebraCommands, kSetCommands,       kSlowlogCommands,
      kSortCommands,        kStringCommands,     kStringLcsCommands, kStringSetCommands,
      kTransactionCommands, kZSetCommands,       kZSetPopCommands,   kZSetRangeCommands,
      kZSetStoreCommands,
  };
  return tables;
}

}  // namespace ouro
