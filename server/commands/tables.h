// SPDX-License-Identifier: BSD-3-Clause
// The command families' tables. A program joins those it wants and hands them to its Engine
// (Engine::Setup::tables).
#pragma once

#include <span>

#include "server/engine/command.h"

namespace ouro {

extern const std::span<const CommandSpec> kAclCommands;
extern const std::span<const CommandSpec> kBitCommands;
extern const std::span<const CommandSpec> kBloomCommands;
extern const std::span<const CommandSpec> kCacheGetCommands;
extern const std::span<const CommandSpec> kCacheLoadCommands;
extern const std::span<const CommandSpec> kCacheRuleCommands;
extern const std::span<const CommandSpec> kClientCommands;
extern const std::span<const CommandSpec> kClusterCommands;
extern const std::span<const CommandSpec> kCommandCommands;
extern const std::span<const CommandSpec> kCommandLogCommands;
extern const std::span<const CommandSpec> kConfigCommands;
extern const std::span<const CommandSpec> kConnectionCommands;
extern const std::span<const CommandSpec> kCountMinCommands;
extern const std::span<const CommandSpec> kCuckooCommands;
extern const std::span<const CommandSpec> kDatabaseCommands;
extern const std::span<const CommandSpec> kDebugCommands;
extern const std::span<const CommandSpec> kDumpCommands;
extern const std::span<const CommandSpec> kExpireCommands;
extern const std::span<const CommandSpec> kGeoCommands;
extern const std::span<const CommandSpec> kGeoSearchCommands;
extern const std::span<const CommandSpec> kHashCommands;
extern const std::span<const CommandSpec> kHashExCommands;
extern const std::span<const CommandSpec> kHashExpireCommands;
extern const std::span<const CommandSpec> kHashImportCommands;
extern const std::span<const CommandSpec> kHotKeysCommands;
extern const std::span<const CommandSpec> kHyperLogLogCommands;
extern const std::span<const CommandSpec> kInfoCommands;
extern const std::span<const CommandSpec> kKeyCommands;
extern const std::span<const CommandSpec> kKeyScanCommands;
extern const std::span<const CommandSpec> kLatencyCommands;
extern const std::span<const CommandSpec> kListBlockCommands;
extern const std::span<const CommandSpec> kListCommands;
extern const std::span<const CommandSpec> kListMoveCommands;
extern const std::span<const CommandSpec> kListSearchCommands;
extern const std::span<const CommandSpec> kMemberExpireCommands;
extern const std::span<const CommandSpec> kMemoryCommands;
extern const std::span<const CommandSpec> kMigrateCommands;
extern const std::span<const CommandSpec> kModuleCommands;
extern const std::span<const CommandSpec> kObjectCommands;
extern const std::span<const CommandSpec> kPersistenceCommands;
extern const std::span<const CommandSpec> kPubsubCommands;
extern const std::span<const CommandSpec> kReplicaOfCommands;
extern const std::span<const CommandSpec> kReplicationCommands;
extern const std::span<const CommandSpec> kServerCommands;
extern const std::span<const CommandSpec> kSetAlgebraCommands;
extern const std::span<const CommandSpec> kSetCommands;
extern const std::span<const CommandSpec> kSortCommands;
extern const std::span<const CommandSpec> kStreamCommands;
extern const std::span<const CommandSpec> kStreamDeleteCommands;
extern const std::span<const CommandSpec> kStreamGroupCommands;
extern const std::span<const CommandSpec> kStreamInfoCommands;
extern const std::span<const CommandSpec> kStreamPendingCommands;
extern const std::span<const CommandSpec> kStreamProducerCommands;
extern const std::span<const CommandSpec> kStreamReadCommands;
extern const std::span<const CommandSpec> kStringCommands;
extern const std::span<const CommandSpec> kStringConditionCommands;
extern const std::span<const CommandSpec> kStringIncrexCommands;
extern const std::span<const CommandSpec> kStringLcsCommands;
extern const std::span<const CommandSpec> kStringSetCommands;
extern const std::span<const CommandSpec> kTDigestCommands;
extern const std::span<const CommandSpec> kThrottleCommands;
extern const std::span<const CommandSpec> kTopKCommands;
extern const std::span<const CommandSpec> kTransactionCommands;
extern const std::span<const CommandSpec> kWaitCommands;
extern const std::span<const CommandSpec> kZSetCommands;
extern const std::span<const CommandSpec> kZSetPopCommands;
extern const std::span<const CommandSpec> kZSetRangeCommands;
extern const std::span<const CommandSpec> kZSetStoreCommands;

// All of them; a server adds those of scripts (server/script/tables.h).
std::span<const std::span<const CommandSpec>> all_command_tables();

}  // namespace ouro
