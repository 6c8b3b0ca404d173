// SPDX-License-Identifier: BSD-3-Clause
// DUMP and RESTORE: a value as bytes that another server can make the same value of.
#include <optional>

#include "persistence/dump_payload.h"
#include "persistence/value_codec.h"
#include "server/commands/expire_time.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status cmd_dump(Context& ctx) {
  const Entry* entry = ctx.find(ctx.key(1));
  if (entry == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  const EngineOptions& options = ctx.engine.options;
  // Zeros that a large filter has no memory for would have to be written.
  if (written_array_bytes(*entry) > options.proto_max_bulk_len) return Err::kTooBig;
  ctx.reply.bulk(dump_payload(
      *entry, options.rdbcompression ? RdbWriter::Packing::kLzf : RdbWriter::Packing::kNone));
  return Status::ok();
}

// ---- RESTORE

struct RestoreOptions {
  bool replace = false;
  bool is_absolute = false;
  std::optional<int64_t> idle_seconds;
  std::optional<int64_t> uses;
};

Result<RestoreOptions> parse_restore(Context& ctx) {
  RestoreOptions options;
  ArgParser args(ctx.argv, 4);
  while (args.more()) {
    if (args.word("REPLACE")) {
      options.replace = true;
    } else if (args.word("ABSTTL")) {
      options.is_absolute = true;
    } else if (args.left() > 1 && !options.uses && args.word("IDLETIME")) {
      options.idle_seconds = args.integer();
      OURO_TRY(args.status());
      if (*options.idle_seconds < 0) return ctx.fail("ERR Invalid IDLETIME value, must be >= 0");
    } else if (args.left() > 1 && !options.idle_seconds && args.word("FREQ")) {
      options.uses = args.integer();
      OURO_TRY(args.status());
      if (*options.uses < 0 || *options.uses > 255)
        return ctx.fail("ERR Invalid FREQ value, must be >= 0 and <= 255");
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  return options;
}

// When the key is to end, by the second argument; kNoExpiry if never.
Result<UnixMs> restored_deadline(Context& ctx, const RestoreOptions& options) {
  OURO_TRY(UnixMs when, ctx.integer(2));
  if (when < 0) return ctx.fail("ERR Invalid TTL value, must be >= 0");
  if (when == 0) return kNoExpiry;
  if (!options.is_absolute && __builtin_add_overflow(when, ctx.now, &when))
    return fail_expire_time(ctx);
  return when;
}

Result<Value> read_payload(Context& ctx, ByteView payload) {
  const auto body = open_payload(
      payload, ctx.engine.checks_payloads ? PayloadCheck::kWhole : PayloadCheck::kLengthOnly);
  if (!body) return ctx.fail("ERR DUMP payload version or checksum are wrong");
  RdbReader in(*body);
  const auto type = static_cast<RdbType>(in.byte());
  auto value = read_value(type, in, {ctx.heap(), ctx.limits(), ctx.db.seed()});
  if (value && in.left() == 0) {
    const bool is_string =
        value->kind == Kind::kInt || value->kind == Kind::kBlob || value->kind == Kind::kEmbedded;
    if (!is_string) ++ctx.engine.stats.payloads_checked;
    return *value;
  }
  if (value) {
    in.refuse("bytes are left over");
    size_t budget = SIZE_MAX;
    value->free_some(ctx.heap(), budget);
  }
  // The client is told no more than by Redis; here is what its operator will ask for.
  ctx.engine.log.print(LogLevel::kWarning, "RESTORE: %s, at byte %llu of the payload",
                       describe_refusal(type, in).c_str(),
                       static_cast<unsigned long long>(in.offset()));
  return ctx.fail("ERR Bad data format");
}

void set_access(Context& ctx, Entry& entry, const RestoreOptions& options) {
  if (options.uses)
    entry.set_uses(Eviction::uses_of_rough_count(static_cast<uint32_t>(*options.uses)));
  if (Eviction::counts_uses(ctx.engine.options.maxmemory_policy)) {
    if (options.uses) {
      const uint32_t minutes = Eviction::access_of_new(ctx.now) & ~uint32_t{0xFF};
      entry.set_access(minutes | static_cast<uint32_t>(*options.uses));
    }
  } else if (options.idle_seconds) {
    // The clock goes round: nothing is older than that.
    const int64_t idle = std::min<int64_t>(*options.idle_seconds, Entry::kAccessMask);
    entry.set_access(ctx.engine.access_clock() - static_cast<uint32_t>(idle));
  }
}

// The command as sent, but with the time when the key ends instead of how long it lives, and what a
// later Redis has dumped as 7.0 would have.
void leave_restored(Context& ctx, const Entry& entry, const RestoreOptions& options) {
  const ByteView payload = ctx.argv[3];
  const bool is_relative = entry.has_deadline() && !options.is_absolute;
  const bool is_later = !is_version_of_redis7(payload) ||
                        static_cast<RdbType>(static_cast<uint8_t>(payload[0])) > RdbType::kStream2;
  if (!ctx.effects.wanted() || (!is_relative && !is_later)) return;
  std::vector<ByteView> argv(ctx.argv.begin(), ctx.argv.end());
  char when[kInt64TextMax];
  if (is_relative) {
    argv[2] = {when, format_int64(entry.deadline(), when)};
    argv.push_back("ABSTTL");
  }
  std::string own;
  if (is_later) argv[3] = own = dump_payload(entry, RdbWriter::Packing::kLzf);
  ctx.effects.replace(argv);
}

// Nothing is made that has ended already; what was there is gone nevertheless.
Status restore_nothing(Context& ctx, const Key& key, bool was_there) {
  if (was_there) end_key(ctx, key);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_restore(Context& ctx) {
  OURO_TRY(const RestoreOptions options, parse_restore(ctx));
  const Key key = ctx.key(1);
  if (!options.replace && ctx.find_to_write(key) != nullptr)
    return ctx.fail("BUSYKEY Target key name already exists.");
  OURO_TRY(const UnixMs deadline, restored_deadline(ctx, options));
  OURO_TRY(Value value, read_payload(ctx, ctx.argv[3]));

  Entry* const old = ctx.find_to_write(key);
  if (deadline != kNoExpiry && deadline <= ctx.now && ctx.clock_decides()) {
    size_t budget = SIZE_MAX;
    value.free_some(ctx.heap(), budget);
    return restore_nothing(ctx, key, old != nullptr);
  }
  const std::optional<Type> replaced = old == nullptr ? std::nullopt : std::optional(old->type());
  if (replaced) {
    const bool lazy = ctx.engine.options.lazyfree_lazy_server_del;
    ctx.db.erase(key, lazy ? Freeing::kLazy : Freeing::kNow);
  }
  Entry& entry = *ctx.db.put_value(key, nullptr, value, deadline);
  set_access(ctx, entry, options);
  ctx.added(key);
  leave_restored(ctx, entry, options);
  if (!is_type_of_redis7(rdb_type_of(entry))) ctx.only_ours();
  ctx.changed(key, Event::kGeneric, "restore");
  if (replaced) ctx.overwritten(key, *replaced, entry.type());
  ctx.reply.ok();
  return Status::ok();
}

constexpr ByteView kRestoreArgs =
    "key:key#0 ttl:integer serialized-value:string [replace!REPLACE@3.0.0] [absttl!ABSTTL@5.0.0] "
    "[IDLETIME=seconds:integer@5.0.0] [FREQ=frequency:integer@5.0.0]";
constexpr ByteView kRestoreComplexity = "O(N) for a value of N bytes, O(N log N) for a sorted set";

constexpr CommandSpec kRows[] = {
    {.name = "DUMP",
     .arity = exactly(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kKeyspace,
     .handler = cmd_dump,
     .doc = {.summary = "Returns a value as bytes that RESTORE takes.",
             .complexity = "O(N) for a value of N bytes",
             .since = "2.6.0",
             .group = "generic",
             .args = "key:key#0",
             .tips = "nondeterministic_output"}},
    {.name = "RESTORE",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kOverwrite | kUpdate)},
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_restore,
     .doc = {.summary = "Makes a key of the bytes that DUMP gave.",
             .complexity = kRestoreComplexity,
             .since = "2.6.0",
             .group = "generic",
             .args = kRestoreArgs}},
    {.name = "RESTORE-ASKING",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kAsking | Flag::kSystem,
     .keys = {one_key(1, kOverwrite | kUpdate)},
     .acl = Acl::kKeyspace | Acl::kDangerous,
     .handler = cmd_restore,
     .doc = {.summary = "Moves a key to this node of a cluster.",
             .complexity = kRestoreComplexity,
             .since = "3.0.0",
             .group = "server",
             .history = "3.0.0 REPLACE.",
             .args = kRestoreArgs}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kDumpCommands = kRows;

}  // namespace ouro
