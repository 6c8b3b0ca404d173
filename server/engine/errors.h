// SPDX-License-Identifier: BSD-3-Clause
// Every error text that clients can see and that more than one place uses: clients match on them,
// so they are Redis's to the letter. Texts with an argument are built with Context::fail.
#pragma once

#include "datastructs/base/result.h"
#include "datastructs/base/units.h"

namespace ouro::errors {

inline constexpr ByteView kWrongType =
    "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr ByteView kNotAnInteger = "ERR value is not an integer or out of range";
inline constexpr ByteView kNotAFloat = "ERR value is not a valid float";
inline constexpr ByteView kOverflow = "ERR increment or decrement would overflow";
inline constexpr ByteView kNanOrInfinity = "ERR increment would produce NaN or Infinity";
inline constexpr ByteView kSyntax = "ERR syntax error";
inline constexpr ByteView kOutOfRange = "ERR index out of range";
inline constexpr ByteView kNoSuchKey = "ERR no such key";
inline constexpr ByteView kStringTooBig =
    "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr ByteView kMustBePositive = "ERR value is out of range, must be positive";
inline constexpr ByteView kNumkeys = "ERR numkeys should be greater than 0";
inline constexpr ByteView kTooManyKeys = "ERR Number of keys can't be greater than number of args";
inline constexpr ByteView kNegativeKeys = "ERR Number of keys can't be negative";
inline constexpr ByteView kNegativeLimit = "ERR LIMIT can't be negative";
inline constexpr ByteView kCountTooSmall = "ERR COUNT must be > 0";
inline constexpr ByteView kTimeoutNotAFloat = "ERR timeout is not a float or out of range";
inline constexpr ByteView kTimeoutNotAnInteger = "ERR timeout is not an integer or out of range";
inline constexpr ByteView kTimeoutNegative = "ERR timeout is negative";
inline constexpr ByteView kNoAuth = "NOAUTH Authentication required.";
inline constexpr ByteView kWrongPass =
    "WRONGPASS invalid username-password pair or user is disabled.";
inline constexpr ByteView kOutOfMemory = "OOM command not allowed when used memory > 'maxmemory'.";
inline constexpr ByteView kNotAcknowledged =
    "READONLY Too few replicas acknowledge what is written (semi-sync-acks).";
inline constexpr ByteView kHidden =
    "MASTERDOWN Too few replicas acknowledge what was written last, which must not be shown before "
    "(semi-sync-visibility).";
inline constexpr ByteView kNobodyLeads =
    "MASTERDOWN This node waits to lead, or to be told whom to follow (semi-sync-members).";
inline constexpr ByteView kNobodyLeadsWrites =
    "READONLY This node waits to lead, or to be told whom to follow (semi-sync-members).";
inline constexpr ByteView kNoReplicas = "NOREPLICAS Not enough good replicas to write.";
inline constexpr ByteView kReadOnlyReplica =
    "READONLY You can't write against a read only replica.";
inline constexpr ByteView kMasterDown =
    "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.";
inline constexpr ByteView kStaleInScript = "ERR Can not execute the command on a stale replica";
inline constexpr ByteView kExecAbort =
    "EXECABORT Transaction discarded because of previous errors.";
inline constexpr ByteView kLoading = "LOADING Redis is loading the dataset in memory";
inline constexpr ByteView kMonitorNeedsData = "ERR Replica can't interact with the keyspace";
inline constexpr ByteView kDbIndexOutOfRange = "ERR DB index is out of range";
inline constexpr ByteView kNotFromScript = "ERR This Redis command is not allowed from script";
// In process only.
inline constexpr ByteView kNeedsServer = "ERR this command needs a server";
inline constexpr ByteView kTooLong = "ERR an argument is longer than proto-max-bulk-len";
inline constexpr ByteView kReadOnlyScript =
    "ERR Write commands are not allowed from read-only scripts.";
inline constexpr ByteView kUnknownInScript = "ERR Unknown Redis command called from script";
inline constexpr ByteView kArityInScript =
    "ERR Wrong number of args calling Redis command from script";
inline constexpr ByteView kUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK";
inline constexpr ByteView kRoleChanged =
    "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)";
inline constexpr ByteView kNoKeyPermission =
    "NOPERM this user has no permissions to access one of the keys used as arguments";
inline constexpr ByteView kNoChannelPermission =
    "NOPERM this user has no permissions to access one of the channels used as arguments";
inline constexpr ByteView kNoDbPermission = "NOPERM No permissions to access database";
// What a script may not do for its user.
inline constexpr ByteView kNoCommandInScript =
    "ERR The user executing the script can't run this command or subcommand";
inline constexpr ByteView kNoKeyInScript =
    "ERR The user executing the script can't access at least one of the keys mentioned in the "
    "command arguments";
inline constexpr ByteView kNoChannelInScript =
    "ERR The user executing the script can't publish to the channel mentioned in the command";
inline constexpr ByteView kNoDbInScript =
    "ERR The user executing the script can't access the database that the command works on";
inline constexpr ByteView kCountNotPositive = "ERR count should be greater than 0";
inline constexpr ByteView kSameObjects = "ERR source and destination objects are the same";
inline constexpr ByteView kInvalidArguments = "ERR Invalid arguments specified for command";
inline constexpr ByteView kInvalidCursor = "ERR invalid cursor";
inline constexpr ByteView kBadClientName =
    "ERR Client names cannot contain spaces, newlines or special characters.";
// RedisBloom's.
inline constexpr ByteView kFilterNotFound = "ERR not found";
inline constexpr ByteView kBadCapacity = "Bad capacity";
inline constexpr ByteView kUnknownArgument = "Unknown argument received";
inline constexpr ByteView kInvalidPosition = "Invalid position";
inline constexpr ByteView kInvalidSketchShape = "CMS: invalid init arguments";
// What a Lua function says to arguments of another kind, and of an error without a text.
inline constexpr ByteView kWrongLuaArguments = "ERR wrong number or type of arguments";
inline constexpr ByteView kUnknownLuaError = "ERR unknown error";

// The text of a code; kMessage, kCountedMessage, kBlocked and kExclusive have none.
ByteView text_of(Err err);

// What an error text shows of a client's bytes: it ends at a zero byte.
inline ByteView shown(ByteView bytes, size_t bytes_max = ByteView::npos) {
  return bytes.substr(0, bytes_max).substr(0, bytes.find('\0'));
}

}  // namespace ouro::errors
