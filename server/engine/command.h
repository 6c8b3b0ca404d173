// SPDX-License-Identifier: BSD-3-Clause
// CommandSpec: one command is one row. The row stands in the .cc of the command's family, right
// below its handler; COMMAND, COMMAND DOCS, GETKEYS, ACL categories, cluster routing, the arity
// error and the walk over all rows in the tests derive from it. What makes a command special is a
// flag here: no code elsewhere asks for a command by name.
//
//   constexpr CommandSpec kRows[] = {
//       {.name = "GETDEL", .arity = exactly(2), .flags = Flag::kWrite | Flag::kFast,
//        .keys = {one_key(1, kReadWrite | kAccess | kDelete)}, .acl = Acl::kString,
//        .handler = cmd_getdel,
//        .doc = {.summary = "Returns a string and removes its key.", .complexity = "O(1)",
//                .since = "6.2.0", .group = "string", .args = "key:key#0"}},
//   };
//   static_assert(table_is_valid(kRows));
//   constinit const std::span<const CommandSpec> kStringCommands = kRows;  // in tables.h
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/result.h"
#include "datastructs/base/units.h"

namespace ouro {

class Engine;
struct Context;
struct CommandSpec;

// ---- arity: Redis's number, counting the command's name; negative means "at least".
constexpr int exactly(int words) { return words; }
constexpr int at_least(int words) { return -words; }

// ---- flags, as COMMAND INFO names them (lower case, without the k).
struct Flags {
  uint64_t bits = 0;
  constexpr bool has(Flags other) const { return (bits & other.bits) != 0; }
  friend constexpr Flags operator|(Flags a, Flags b) { return {a.bits | b.bits}; }
  friend constexpr bool operator==(Flags, Flags) = default;
};
namespace Flag {
inline constexpr Flags kNone{0};
inline constexpr Flags kWrite{1U << 0};
inline constexpr Flags kReadonly{1U << 1};
inline constexpr Flags kDenyOom{1U << 2};
inline constexpr Flags kAdmin{1U << 3};
inline constexpr Flags kPubsub{1U << 4};
inline constexpr Flags kNoScript{1U << 5};
inline constexpr Flags kBlocking{1U << 6};
inline constexpr Flags kLoading{1U << 7};  // allowed while loading
inline constexpr Flags kStale{1U << 8};    // allowed on a stale replica
inline constexpr Flags kSkipMonitor{1U << 9};
inline constexpr Flags kSkipSlowlog{1U << 10};
inline constexpr Flags kAsking{1U << 11};
inline constexpr Flags kFast{1U << 12};
inline constexpr Flags kNoAuth{1U << 13};  // allowed before AUTH
inline constexpr Flags kMayReplicate{1U << 14};
inline constexpr Flags kNoMandatoryKeys{1U << 15};
inline constexpr Flags kProtected{1U << 16};  // needs enable-debug-command or a local peer
inline constexpr Flags kNoAsyncLoading{1U << 17};
inline constexpr Flags kNoMulti{1U << 18};    // refused inside MULTI
inline constexpr Flags kAllowBusy{1U << 19};  // runs while a script is over its time limit
inline constexpr Flags kMovableKeys{1U << 20};
// Ours, not shown by COMMAND: runs at once although MULTI is open (EXEC, DISCARD, MULTI, WATCH,
// QUIT, RESET).
inline constexpr Flags kInsideMulti{1U << 28};
// Ours, not shown by COMMAND: what the commands inside it leave is one group, applied whole (EVAL).
inline constexpr Flags kRunsScript{1U << 24};
// Ours, not shown by COMMAND: runs while all clients are paused (CLIENT UNPAUSE, CLIENT PAUSE; the
// loop's own use).
inline constexpr Flags kEndsPause{1U << 25};
// Ours, not shown by COMMAND: ends an open transaction (EXEC, DISCARD, QUIT, RESET), so it may run
// although memory is short.
inline constexpr Flags kEndsMulti{1U << 26};
// Ours, not shown by COMMAND: runs the commands of the open transaction (EXEC).
inline constexpr Flags kRunsQueue{1U << 27};
// Ours, not shown by COMMAND: allowed for a RESP2 client in subscribed mode.
inline constexpr Flags kInSubscribedMode{1U << 29};
// Ours, not shown by COMMAND: a wait for keys ends also when one of them goes (XREADGROUP).
inline constexpr Flags kToldOfRemoval{1U << 23};
// Ours, not shown by COMMAND: draws fields of a hash, so those that are due must not be there
// (HRANDFIELD).
inline constexpr Flags kDrawsFields{1U << 21};
// Ours, not shown by COMMAND: refused as a write is when the disk fails, so that who watches a node
// sees it (PING).
inline constexpr Flags kTellsOfDisk{1U << 22};
// Ours, not shown by COMMAND: when a wait for keys is over its command is run once more, to answer
// as if it could not wait (CACHE.GET).
inline constexpr Flags kAnswersLate{uint64_t{1} << 32};
// Ours, not shown by COMMAND: acts on a server around the cache, which a cache in process has not.
inline constexpr Flags kNeedsServer{uint64_t{1} << 33};
// Ours: for tools and tests only. COMMAND DOCS shows it among doc_flags, as "syscmd".
inline constexpr Flags kSystem{1U << 30};
// Ours, not shown by COMMAND: changes what is not this node's (MIGRATE).
inline constexpr Flags kReachesOut{1U << 31};
}  // namespace Flag

// ---- ACL categories, in Redis's order.
struct AclCategories {
  uint32_t bits = 0;
  friend constexpr AclCategories operator|(AclCategories a, AclCategories b) {
    return {a.bits | b.bits};
  }
};
namespace Acl {
inline constexpr AclCategories kNone{0};
inline constexpr AclCategories kKeyspace{1U << 0};
inline constexpr AclCategories kRead{1U << 1};
inline constexpr AclCategories kWrite{1U << 2};
inline constexpr AclCategories kSet{1U << 3};
inline constexpr AclCategories kSortedSet{1U << 4};
inline constexpr AclCategories kList{1U << 5};
inline constexpr AclCategories kHash{1U << 6};
inline constexpr AclCategories kString{1U << 7};
inline constexpr AclCategories kBitmap{1U << 8};
inline constexpr AclCategories kHyperLogLog{1U << 9};
inline constexpr AclCategories kGeo{1U << 10};
inline constexpr AclCategories kStream{1U << 11};
inline constexpr AclCategories kPubsub{1U << 12};
inline constexpr AclCategories kAdmin{1U << 13};
inline constexpr AclCategories kFast{1U << 14};
inline constexpr AclCategories kSlow{1U << 15};
inline constexpr AclCategories kBlocking{1U << 16};
inline constexpr AclCategories kDangerous{1U << 17};
inline constexpr AclCategories kConnection{1U << 18};
inline constexpr AclCategories kTransaction{1U << 19};
inline constexpr AclCategories kScripting{1U << 20};
}  // namespace Acl
// The names in bit order, without '@'.
inline constexpr std::array<std::string_view, 21> kAclCategoryNames = {
    "keyspace", "read",   "write",       "set",       "sortedset",  "list",        "hash",
    "string",   "bitmap", "hyperloglog", "geo",       "stream",     "pubsub",      "admin",
    "fast",     "slow",   "blocking",    "dangerous", "connection", "transaction", "scripting"};
// The row's categories with those that follow from flags (read, write, admin+dangerous, pubsub,
// fast or slow, blocking).
AclCategories acl_categories(const CommandSpec& spec);

// ---- keys
// How a key is used; COMMAND INFO's and GETKEYSANDFLAGS's words (RO RW OW RM access update insert
// delete ...).
using KeyUse = uint16_t;
inline constexpr KeyUse kReadOnly = 1U << 0;
inline constexpr KeyUse kReadWrite = 1U << 1;
inline constexpr KeyUse kOverwrite = 1U << 2;
inline constexpr KeyUse kRemove = 1U << 3;
inline constexpr KeyUse kAccess = 1U << 4;
inline constexpr KeyUse kUpdate = 1U << 5;
inline constexpr KeyUse kInsert = 1U << 6;
inline constexpr KeyUse kDelete = 1U << 7;
inline constexpr KeyUse kNotKey = 1U << 8;
inline constexpr KeyUse kIncomplete = 1U << 9;
inline constexpr KeyUse kVariableUse = 1U << 10;

// Where keys stand in an argv, as Redis's key specifications describe it.
struct KeySpec {
  enum class Begin : uint8_t { kNone, kUnknown, kIndex, kKeyword };
  enum class Find : uint8_t { kUnknown, kRange, kKeyNum };
  Begin begin = Begin::kNone;
  Find find = Find::kRange;
  KeyUse use = 0;
  int index = 0;  // kIndex: position; kKeyword: where the search starts (negative: from the end)
  std::string_view keyword = {};
  int last = 0, step = 1,
      limit = 0;  // kRange: last is relative to the first key, negative counts from the end
  int key_num = 0,
      first = 0;  // kKeyNum: where the count stands and where keys start, relative to begin
};
inline constexpr size_t kKeySpecsMax = 3;  // what the neediest command (SORT, GEORADIUS) has
constexpr KeySpec one_key(int at, KeyUse use) {
  return {.begin = KeySpec::Begin::kIndex, .use = use, .index = at};
}
constexpr KeySpec key_range(int at, int last, int step, KeyUse use) {
  return {.begin = KeySpec::Begin::kIndex, .use = use, .index = at, .last = last, .step = step};
}
// A count at `at`, then that many keys ("numkeys key ..."), each `step` words behind the one
// before.
constexpr KeySpec counted_keys(int at, KeyUse use, int step = 1) {
  return {.begin = KeySpec::Begin::kIndex,
          .find = KeySpec::Find::kKeyNum,
          .use = use,
          .index = at,
          .step = step,
          .key_num = 0,
          .first = 1};
}

// ---- channels: which arguments name some, for ACL.
enum class ChannelUse : uint8_t {
  kNone,
  kPublish,            // the first argument
  kSubscribe,          // all arguments
  kSubscribePatterns,  // all arguments, and they are patterns
};

// ---- databases: which arguments name some beside the selected one, for ACL.
enum class DbUse : uint8_t {
  kSelectedOnly,
  kFirst,   // the first argument is selected: what was before does not count
  kPair,    // the first two, and not the selected one
  kSecond,  // the second argument
  kOption,  // the one behind the word DB
  kEvery,   // all that there are
};

// ---- documentation
// `args` is a compact syntax from which COMMAND DOCS builds its tree of arguments; grammar in
// engine/docs.h.
struct Doc {
  std::string_view summary = {};
  std::string_view complexity = {};
  std::string_view since = {};
  std::string_view group = {};  // "string", "sorted-set", "generic", "connection", "server",
                                // "pubsub", "transactions", ...
  // What changed, but for arguments that tell it themselves: "2.4.0 Takes several. | 7.0.0 ..."
  std::string_view history = {};
  std::string_view args = {};
  std::string_view deprecated_since = {};
  std::string_view replaced_by = {};
  std::string_view tips = {};  // space-separated, as in COMMAND INFO: "nondeterministic_output
                               // request_policy:all_shards"
};

// A handler returns ok after writing exactly one reply, or an error (or a wait) after writing none.
using Handler = Status (*)(Context&);
// For commands whose keys no KeySpec can name (SORT's STORE): calls fn(argument index, use) for
// each key.
using MovableKeys = Status (*)(Argv argv, FunctionRef<void(size_t, KeyUse)> fn);
// For commands that carry passwords (AUTH): calls fn(argument index) for each argument that nobody
// else may see. The arguments need not be good ones: a refused command has its secrets too.
using Secrets = void (*)(const Engine& engine, Argv argv, FunctionRef<void(size_t)> fn);

// For commands that are what their arguments make them (EVAL of a script that says what it does):
// the flags of this call, by which the gates judge it.
using CallFlags = Flags (*)(Engine& engine, const CommandSpec& spec, Argv argv);

struct CommandSpec {
  std::string_view name;  // upper case; a subcommand's name is its own word ("SETNAME")
  int arity = 0;
  Flags flags = {};
  std::array<KeySpec, kKeySpecsMax> keys = {};
  ChannelUse channels = ChannelUse::kNone;
  DbUse databases = DbUse::kSelectedOnly;
  AclCategories acl = {};
  Handler handler = nullptr;
  std::span<const CommandSpec> subcommands = {};
  MovableKeys movable_keys = nullptr;
  Secrets secrets = nullptr;
  CallFlags call_flags = nullptr;
  Doc doc = {};

  bool accepts(size_t words) const {
    return arity > 0 ? words == static_cast<size_t>(arity) : words >= static_cast<size_t>(-arity);
  }
};

inline Flags flags_of(Engine& engine, const CommandSpec& spec, Argv argv) {
  return spec.call_flags == nullptr ? spec.flags : spec.call_flags(engine, spec, argv);
}

// Calls fn(argument index, use) for each key of a command; the only reader of CommandSpec::keys. A
// row with movable_keys is asked through these alone. Shard channels come too, marked kNotKey:
// cluster routing wants them, others leave them out. A keyword that is absent (an optional STORE)
// names no key. A numkeys that its command refuses ("01") counts keys all the same, as in Redis,
// with nothing said of their use. Errors: Err::kInvalid when the arguments name no valid keys
// (wrong arity, a bad numkeys); fn was not called then.
Status for_each_key(const CommandSpec& spec, Argv argv, FunctionRef<void(size_t, KeyUse)> fn);

// Calls fn(argument index, database) for every database that the arguments name. What is no number
// is left out: that is the command's own error. Requires: spec.accepts(argv.size()).
void for_each_database(const CommandSpec& spec, Argv argv, FunctionRef<void(size_t, int64_t)> fn);

// The first key's argument index without calling back; 0 when the command has none. For
// prefetching.
inline size_t first_key_index(const CommandSpec& spec) {
  const KeySpec& key = spec.keys[0];
  return key.begin == KeySpec::Begin::kIndex && key.find == KeySpec::Find::kRange
             ? static_cast<size_t>(key.index)
             : 0;
}

// Rows are sorted by name, read xor write, have a handler or subcommands, keys within the arity,
// and a summary. Requires: the handlers stand in the table's own file; with the sanitizers g++
// takes the address of no other function for a constant.
consteval bool table_is_valid(std::span<const CommandSpec> rows) {
  for (size_t i = 0; i < rows.size(); ++i) {
    const CommandSpec& row = rows[i];
    if (i > 0 && !(rows[i - 1].name < row.name)) return false;
    if (row.flags.has(Flag::kWrite) && row.flags.has(Flag::kReadonly)) return false;
    if (row.handler == nullptr && row.subcommands.empty()) return false;
    if (row.arity == 0 || row.doc.summary.empty() || row.doc.since.empty() || row.doc.group.empty())
      return false;
    const int words_min = row.arity < 0 ? -row.arity : row.arity;
    for (const KeySpec& key : row.keys) {
      // A range up to the end may be empty: SUNSUBSCRIBE without channels.
      const int words =
          key.find == KeySpec::Find::kRange && key.last == -1 ? words_min + 1 : words_min;
      if (key.begin == KeySpec::Begin::kIndex && key.index >= words) return false;
    }
  }
  return true;
}

}  // namespace ouro
