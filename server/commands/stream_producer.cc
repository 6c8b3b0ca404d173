// SPDX-License-Identifier: BSD-3-Clause
// XCFGSET and XIDMPRECORD, and what XADD does for idempotent producers. What is left for the log of
// an entry names its id, so that nobody there asks a clock whether it is a duplicate; of a
// duplicate nothing is left.
#include "server/commands/stream_producer.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/hash.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

// The time by which records are overdue. An id may be ahead of the clock, which does not make the
// records before it older than they are.
UnixMs time_of(const Context& ctx, StreamId id) {
  const auto now = static_cast<uint64_t>(ctx.now);
  return static_cast<UnixMs>(is_from_log(ctx) ? std::min(id.ms, now) : now);
}

std::optional<StreamId> find_added(const Context& ctx, const Stream& stream,
                                   const ProducerName& producer) {
  if (stream.producers() == nullptr) return std::nullopt;
  // A log is not asked when it was: what is there was not overdue then.
  const UnixMs now = is_from_log(ctx) ? 0 : ctx.now;
  return stream.producers()->find(producer.producer(), producer.name(), now);
}

// ---- XCFGSET

struct IdmpSettings {
  std::optional<int64_t> duration_s;
  std::optional<int64_t> records_max;
};

struct IdmpSetting {
  const char* name;
  const char* unit;
  int64_t least;
  int64_t most;
};
constexpr IdmpSetting kDuration{"IDMP-DURATION", "seconds", kStreamIdmpDurationMin,
                                kStreamIdmpDurationMax};
constexpr IdmpSetting kRecordsMax{"IDMP-MAXSIZE", "entries", kStreamIdmpRecordsMin,
                                  kStreamIdmpRecordsMax};

Status parse_setting(Context& ctx, ArgParser& args, const IdmpSetting& setting,
                     std::optional<int64_t>& value) {
  if (value) return ctx.fail("ERR %s specified multiple times", setting.name);
  OURO_TRY(value, parse_integer(args.next()));
  if (*value >= setting.least && *value <= setting.most) return Status::ok();
  return ctx.fail("ERR %s must be between %lld and %lld %s", setting.name,
                  static_cast<long long>(setting.least), static_cast<long long>(setting.most),
                  setting.unit);
}

Result<IdmpSettings> parse_settings(Context& ctx) {
  IdmpSettings settings;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.left() > 1 && args.word(kDuration.name)) {
      OURO_TRY(parse_setting(ctx, args, kDuration, settings.duration_s));
    } else if (args.left() > 1 && args.word(kRecordsMax.name)) {
      OURO_TRY(parse_setting(ctx, args, kRecordsMax, settings.records_max));
    } else {
      return Err::kSyntax;
    }
  }
  if (!settings.duration_s && !settings.records_max)
    return ctx.fail("ERR At least one parameter must be specified");
  return settings;
}

Status cmd_xcfgset(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(key));
  if (stream == nullptr) return Err::kNoSuchKey;
  OURO_TRY(const IdmpSettings asked, parse_settings(ctx));
  const auto before = stream->producers() != nullptr ? stream->producers()->settings()
                                                     : StreamProducers::standard(ctx.limits());
  StreamProducers::Settings after = before;
  if (asked.duration_s) after.duration_s = static_cast<uint32_t>(*asked.duration_s);
  if (asked.records_max) after.records_max = static_cast<uint32_t>(*asked.records_max);
  ctx.reply.ok();
  // Producers that all say the same at their start forget nothing.
  if (after == before) return Status::ok();
  stream->make_producers(ctx.heap(), after).set(ctx.heap(), after);
  noted(ctx, key);
  ctx.only_ours();
  if (!ctx.effects.wanted()) return Status::ok();
  // Both, since the standard may be another where this is read.
  ctx.effects.replace({"XCFGSET", key.bytes, kDuration.name, std::to_string(after.duration_s),
                       kRecordsMax.name, std::to_string(after.records_max)});
  return Status::ok();
}

// ---- XIDMPRECORD

Status cmd_xidmprecord(Context& ctx) {
  OURO_TRY(const StreamId id, parse_strict_id(ctx, ctx.argv[4]));
  const ByteView producer = ctx.argv[2];
  const ByteView name = ctx.argv[3];
  if (producer.empty()) return ctx.fail("ERR producer ID must be non-empty");
  if (name.empty()) return ctx.fail("ERR idempotent ID must be non-empty");
  const Key key = ctx.key(1);
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(key));
  if (stream == nullptr) return Err::kNoSuchKey;
  if (!stream->contains(id)) return ctx.fail("ERR No such message in stream");
  StreamProducers& producers =
      stream->make_producers(ctx.heap(), StreamProducers::standard(ctx.limits()));
  const auto known = producers.find(producer, name, 0);
  if (known && *known != id)
    return ctx.fail("ERR IID already exists for this producer with a different stream ID");
  ctx.reply.ok();
  if (known) return Status::ok();
  producers.add(ctx.heap(), producer, name, id, 0);
  noted(ctx, key);
  ctx.only_ours();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "XCFGSET",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xcfgset,
     .doc = {.summary = "Sets what a stream remembers of its idempotent producers.",
             .complexity = "O(1); O(N) if it changes, N entries that are remembered",
             .since = "8.6.0",
             .group = "stream",
             .args = "key:key#0 [IDMP-DURATION=idmp-duration:integer] "
                     "[IDMP-MAXSIZE=idmp-maxsize:integer]"}},
    {.name = "XIDMPRECORD",
     .arity = exactly(5),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xidmprecord,
     .doc = {.summary = "Remembers an entry as added by an idempotent producer; for logs.",
             .complexity = "O(log(N)), N entries that are remembered",
             .since = "8.8.0",
             .group = "stream",
             .args = "key:key#0 pid:string iid:string stream-id:string"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

ProducerName::ProducerName(const StreamOptions& options, Argv pairs) : options_(options) {
  if (options.names_itself()) return;
  // A pair's hash is that of its value, seeded by its field's; sums do not know an order.
  uint64_t sums[2] = {};
  for (size_t i = 0; i < pairs.size(); i += 2) {
    const uint64_t field = hash_bytes(pairs[i], HashSeed{0});
    const XXH128_hash_t hash =
        XXH3_128bits_withSeed(pairs[i + 1].data(), pairs[i + 1].size(), field);
    sums[0] += hash.low64;
    sums[1] += hash.high64;
  }
  static_assert(sizeof(sums) == sizeof(content_));
  std::memcpy(content_.data(), sums, sizeof(sums));
}

bool reply_duplicate(Context& ctx, const Stream& stream, const ProducerName& producer,
                     const StreamOptions& options) {
  const std::optional<StreamId> id = find_added(ctx, stream, producer);
  if (!id || (options.id && options.id->id != *id)) return false;
  stream.producers()->count_duplicate();
  reply_id(ctx.reply, *id);
  return true;
}

void note_produced(Context& ctx, Stream& stream, const ProducerName& producer, StreamId id) {
  stream.make_producers(ctx.heap(), StreamProducers::standard(ctx.limits()))
      .add(ctx.heap(), producer.producer(), producer.name(), id, time_of(ctx, id));
  ctx.only_ours();
}

constinit const std::span<const CommandSpec> kStreamProducerCommands = kRows;

}  // namespace ouro
