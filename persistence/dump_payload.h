// SPDX-License-Identifier: BSD-3-Clause
// What DUMP gives and RESTORE takes: a value in RDB's form with its type before and its version and
// checksum behind (rdb.h draws it). The same end closes what FUNCTION DUMP gives.
#pragma once

#include <optional>
#include <string>

#include "datastructs/keyspace/entry.h"
#include "persistence/rdb_reader.h"
#include "persistence/rdb_writer.h"

namespace ouro {

std::string dump_payload(const Entry& entry, RdbWriter::Packing packing);

// Appends version and checksum to what stands in `out`.
void seal_payload(unsigned version, std::string& out);
enum class PayloadCheck : uint8_t { kWhole, kLengthOnly };
// What stands before version and checksum; nothing if these are wrong, or the version is one that
// is not read here. kLengthOnly, for tests of what reads the rest: whatever they are.
std::optional<ByteView> open_payload(ByteView payload, PayloadCheck check = PayloadCheck::kWhole);
// Of one that was opened: whether Redis 7.0 would take its version.
bool is_version_of_redis7(ByteView payload);

}  // namespace ouro
