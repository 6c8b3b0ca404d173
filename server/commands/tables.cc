// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/tables.h"

#include <array>

namespace ouro {

std::span<const std::span<const CommandSpec>> all_command_tables() {
  static const std::array tables = {
      kAclCommands,          kBitCommands,           kBloomCommands,
      kClientCommands,       kCommandCommands,       kCommandLogCommands,
      kConfigCommands,       kConnectionCommands,    kCountMinCommands,
      kCuckooCommands,       kDatabaseCommands,      kDebugCommands,
      kDumpCommands,         kExpireCommands,        kGeoCommands,
      kGeoSearchCommands,    kHashCommands,          kHashExCommands,
      kHashExpireCommands,   kHashImportCommands,    kHotKeysCommands,
      kHyperLogLogCommands,  kInfoCommands,          kKeyCommands,
      kKeyScanCommands,      kLatencyCommands,       kListBlockCommands,
      kListCommands,         kListMoveCommands,      kListSearchCommands,
      kMemberExpireCommands, kMemoryCommands,        kMigrateCommands,
      kObjectCommands,       kPersistenceCommands,   kReplicaOfCommands,
      kPubsubCommands,       kReplicationCommands,   kServerCommands,
      kSetAlgebraCommands,   kSetCommands,           kSortCommands,
      kStreamCommands,       kStreamDeleteCommands,  kStreamGroupCommands,
      kStreamInfoCommands,   kStreamPendingCommands, kStreamProducerCommands,
      kStreamReadCommands,   kStringCommands,        kStringConditionCommands,
      kStringIncrexCommands, kStringLcsCommands,     kStringSetCommands,
      kTDigestCommands,      kThrottleCommands,      kTopKCommands,
      kTransactionCommands,  kWaitCommands,          kZSetCommands,
      kZSetPopCommands,      kZSetRangeCommands,     kZSetStoreCommands,
  };
  return tables;
}

}  // namespace ouro
