// SPDX-License-Identifier: BSD-3-Clause
// Commands on the entries of one stream: added, counted, walked, deleted and trimmed. Reading on
// from an id: stream_read.cc; groups: stream_group.cc, stream_pending.cc.
#include "datastructs/stream.h"

#include "server/commands/help.h"
#include "server/commands/stream_parts.h"
#include "server/commands/stream_producer.h"
#include "server/commands/stream_refs.h"
#include "server/commands/stream_trim.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// ---- XADD

// The id of the entry to be added.
Result<StreamId> next_id(Context& ctx, const Stream& stream, const StreamOptions& options) {
  const StreamId last = stream.last_id();
  if (last == kStreamIdMax) {
    return ctx.fail("ERR The stream has exhausted the last possible ID, unable to add more items");
  }
  StreamId id;
  if (!options.id) {
    const StreamId now{static_cast<uint64_t>(ctx.now), 0};
    id = now.ms > last.ms ? now : *last.next();
  } else {
    id = options.id->id;
    if (options.id->any_seq && id.ms == last.ms && last.seq < UINT64_MAX) id.seq = last.seq + 1;
  }
  if (id <= last) {
    return ctx.fail(
        "ERR The ID specified in XADD is equal or smaller than the target stream top item");
  }
  return id;
}

size_t sum_of_bytes(Argv words) {
  size_t bytes = 0;
  for (const ByteView word : words) bytes += word.size();
  return bytes;
}

// The id that was given, and what was trimmed. Deletions of other kinds are left already.
void leave_add(Context& ctx, const Stream& stream, const StreamOptions& options, StreamId id) {
  const bool as_sent = options.id && !options.id->any_seq && !TrimFact::is_needed(options);
  if (!ctx.effects.wanted() || as_sent) return;
  const StreamIdText id_text(id);
  const Argv front = ctx.argv.first(options.id_at);
  std::vector<ByteView> argv(front.begin(), front.end());
  std::optional<TrimFact> fact;
  if (TrimFact::is_needed(options)) {
    fact.emplace(stream, options);
    argv.resize(2);
    fact->append_to(argv);
    argv.insert(argv.end(), options.idempotence.begin(), options.idempotence.end());
  }
  argv.push_back(id_text);
  const Argv pairs = ctx.argv.subspan(options.id_at + 1);
  argv.insert(argv.end(), pairs.begin(), pairs.end());
  ctx.effects.replace(Argv(argv));
}

// What can be said of the arguments behind the options.
Status check_pairs(Context& ctx, const StreamOptions& options) {
  if (options.id_at + 3 > ctx.argv.size()) return wrong_arity(ctx);
  const Argv pairs = ctx.argv.subspan(options.id_at + 1);
  if (pairs.size() % 2 != 0) return wrong_arity(ctx);
  if (options.id && !options.id->any_seq && options.id->id.is_zero())
    return ctx.fail("ERR The ID specified in XADD must be greater than 0-0");
  if (sum_of_bytes(pairs) > Stream::kBytesMax)
    return ctx.fail("ERR Elements are too large to be stored");
  return Status::ok();
}

Status cmd_xadd(Context& ctx) {
  OURO_TRY(const StreamOptions options, parse_stream_options(ctx, StreamForm::kAdd));
  OURO_TRY(check_pairs(ctx, options));
  const Argv pairs = ctx.argv.subspan(options.id_at + 1);
  const Key key = ctx.key(1);
  OURO_TRY(Stream * stream, options.only_existing ? ctx.find_as_to_write<Stream>(key)
                                                  : ctx.find_or_add<Stream>(key));
  if (stream == nullptr) {
    ctx.reply.null();
    return Status::ok();
  }
  std::optional<ProducerName> producer;
  if (!options.idempotence.empty()) producer.emplace(options, pairs);
  if (producer && reply_duplicate(ctx, *stream, *producer, options)) return Status::ok();
  OURO_TRY(const StreamId id, next_id(ctx, *stream, options));
  stream->append(ctx.heap(), ctx.limits(), id, pairs);
  if (producer) note_produced(ctx, *stream, *producer, id);
  reply_id(ctx.reply, id);
  ctx.changed(key, Event::kStream, "xadd");
  if (options.trim && trim_stream(ctx, key, *stream, options) > 0)
    ctx.engine.notify(ctx.caller.db, key.bytes, Event::kStream, "xtrim");
  leave_add(ctx, *stream, options, id);
  return Status::ok();
}

// ---- the others

Status cmd_xtrim(Context& ctx) {
  OURO_TRY(const StreamOptions options, parse_stream_options(ctx, StreamForm::kTrim));
  const Key key = ctx.key(1);
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(key));
  const uint64_t trimmed = stream == nullptr ? 0 : trim_stream(ctx, key, *stream, options);
  ctx.reply.integer(static_cast<int64_t>(trimmed));
  if (trimmed == 0) return Status::ok();
  ctx.shrunk(key, Event::kStream, "xtrim", trimmed);
  if (!TrimFact::is_needed(options) || !ctx.effects.wanted()) return Status::ok();
  const TrimFact fact(*stream, options);
  std::vector<ByteView> argv = {"XTRIM", key.bytes};
  fact.append_to(argv);
  // Without a threshold nothing is left to say.
  if (argv.size() > 2) ctx.effects.replace(Argv(argv));
  return Status::ok();
}

Status cmd_xdel(Context& ctx) {
  const Key key = ctx.key(1);
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(key));
  if (stream == nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  OURO_TRY(const std::vector<StreamId> ids, parse_ids(ctx, ctx.argv.subspan(2)));
  uint64_t deleted = 0;
  for (const StreamId id : ids) deleted += stream->erase(ctx.heap(), id);
  if (deleted > 0) ctx.shrunk(key, Event::kStream, "xdel", deleted);
  ctx.reply.integer(static_cast<int64_t>(deleted));
  return Status::ok();
}

Status cmd_xlen(Context& ctx) {
  OURO_TRY(const Stream* stream, ctx.find_as<Stream>(ctx.key(1)));
  ctx.reply.integer(stream == nullptr ? 0 : static_cast<int64_t>(stream->size()));
  return Status::ok();
}

struct RangeArgs {
  size_t first = 2;
  size_t last = 3;
  Direction direction = Direction::kAscending;
};

Status reply_range(Context& ctx, const RangeArgs& at) {
  OURO_TRY(const StreamId first, parse_range_start(ctx, ctx.argv[at.first]));
  OURO_TRY(const StreamId last, parse_range_end(ctx, ctx.argv[at.last]));
  std::optional<int64_t> count;
  ArgParser args(ctx.argv, 4);
  while (args.more()) {
    if (args.left() < 2 || !args.word("COUNT")) return Err::kSyntax;
    OURO_TRY(count, parse_integer(args.next()));
  }
  OURO_TRY(const Stream* stream, ctx.find_as<Stream>(ctx.key(1)));
  if (stream == nullptr) {
    ctx.reply.array(0);
  } else if (count && *count <= 0) {
    ctx.reply.null_array();
  } else {
    reply_entries(ctx.reply, *stream, first, last, at.direction,
                  static_cast<uint64_t>(count.value_or(0)));
  }
  return Status::ok();
}

Status cmd_xrange(Context& ctx) { return reply_range(ctx, {}); }

Status cmd_xrevrange(Context& ctx) {
  return reply_range(ctx, {.first = 3, .last = 2, .direction = Direction::kDescending});
}

Status cmd_xsetid(Context& ctx) {
  OURO_TRY(const StreamId id, parse_strict_id(ctx, ctx.argv[2]));
  std::optional<int64_t> entries_added;
  StreamId max_deleted;
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.left() < 2) return Err::kSyntax;
    if (args.word("ENTRIESADDED")) {
      OURO_TRY(entries_added, parse_integer(args.next()));
      if (*entries_added < 0) return ctx.fail("ERR entries_added must be positive");
    } else if (args.word("MAXDELETEDID")) {
      OURO_TRY(max_deleted, parse_strict_id(ctx, args.next()));
      if (id < max_deleted) {
        return ctx.fail(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else {
      return Err::kSyntax;
    }
  }
  const Key key = ctx.key(1);
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(key));
  if (stream == nullptr) return Err::kNoSuchKey;
  if (stream->size() > 0 && id < stream->top_id()) {
    return ctx.fail("ERR The ID specified in XSETID is smaller than the target stream top item");
  }
  if (entries_added && static_cast<uint64_t>(*entries_added) < stream->size()) {
    return ctx.fail(
        "ERR The entries_added specified in XSETID is smaller than the target stream length");
  }
  stream->set_last_id(ctx.heap(), id);
  if (entries_added) stream->set_entries_added(ctx.heap(), static_cast<uint64_t>(*entries_added));
  if (!max_deleted.is_zero()) stream->set_max_deleted_id(ctx.heap(), max_deleted);
  ctx.reply.ok();
  noted(ctx, key, "xsetid");
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "XADD",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xadd,
     .doc = {.summary = "Adds an entry to a stream, which is made if need be.",
             .complexity = "O(1); with trimming O(N), N entries trimmed",
             .since = "5.0.0",
             .group = "stream",
             .history = "7.0.0 Takes an id of which the time alone is given: `<ms>-*`.",
             .args = "key:key#0 [nomkstream!NOMKSTREAM@6.2.0] "
                     "[idmp:<IDMPAUTO=pid:string | IDMP=idmp:{pid:string iid:string}>@8.6.0] "
                     "[trim:{strategy:<maxlen!MAXLEN | minid!MINID@6.2.0> [operator:<equal!= | "
                     "approximately!~>] threshold:string [LIMIT=count:integer@6.2.0]}] "
                     "id_or_auto:<auto_id!* | id:string> field_value:{field:string "
                     "value:string}...",
             .tips = "nondeterministic_output"}},
    {.name = "XDEL",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kStream,
     .handler = cmd_xdel,
     .doc = {.summary = "Deletes entries by id and says how many there were.",
             .complexity = "O(log(N)) an id, N nodes of the stream",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 id:string..."}},
    {.name = "XLEN",
     .arity = exactly(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly)},
     .acl = Acl::kStream,
     .handler = cmd_xlen,
     .doc = {.summary = "Returns how many entries a stream has.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0"}},
    {.name = "XRANGE",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kStream,
     .handler = cmd_xrange,
     .doc = {.summary = "Returns the entries between two ids.",
             .complexity = "O(log(N)+M), N nodes of the stream, M entries returned",
             .since = "5.0.0",
             .group = "stream",
             .history = "6.2.0 The ends may be excluded.",
             .args = "key:key#0 start:string end:string [COUNT=count:integer]"}},
    {.name = "XREVRANGE",
     .arity = at_least(4),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kStream,
     .handler = cmd_xrevrange,
     .doc = {.summary = "Returns the entries between two ids, the highest first.",
             .complexity = "O(log(N)+M), N nodes of the stream, M entries returned",
             .since = "5.0.0",
             .group = "stream",
             .history = "6.2.0 The ends may be excluded.",
             .args = "key:key#0 end:string start:string [COUNT=count:integer]"}},
    {.name = "XSETID",
     .arity = at_least(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xsetid,
     .doc = {.summary = "Sets what a stream remembers as its last id.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 last-id:string [ENTRIESADDED=entries_added:integer@7.0.0] "
                     "[MAXDELETEDID=max_deleted_entry_id:string@7.0.0]"}},
    {.name = "XTRIM",
     .arity = at_least(4),
     .flags = Flag::kWrite,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kStream,
     .handler = cmd_xtrim,
     .doc = {.summary = "Removes the oldest entries of a stream.",
             .complexity = "O(N), N entries removed",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 trim:{strategy:<maxlen!MAXLEN | minid!MINID@6.2.0> "
                     "[operator:<equal!= | approximately!~>] threshold:string "
                     "[LIMIT=count:integer@6.2.0]}",
             .tips = "nondeterministic_output"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStreamCommands = kRows;

}  // namespace ouro
