// SPDX-License-Identifier: BSD-3-Clause
// XGROUP: consumer groups and their consumers, made, moved and removed.
#include "server/commands/help.h"
#include "server/commands/stream_parts.h"
#include "server/commands/tables.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

struct GroupOptions {
  bool make_stream = false;  // MKSTREAM
  int64_t entries_read = StreamGroup::kUnknown;
};

enum class GroupForm : uint8_t { kCreate, kSetId };

Result<GroupOptions> parse_group_options(Context& ctx, GroupForm form) {
  GroupOptions options;
  ArgParser args(ctx.argv, 5);
  while (args.more()) {
    if (form == GroupForm::kCreate && args.word("MKSTREAM")) {
      options.make_stream = true;
    } else if (args.left() > 1 && args.word("ENTRIESREAD")) {
      OURO_TRY(options.entries_read, parse_integer(args.next()));
      if (options.entries_read < 0 && options.entries_read != StreamGroup::kUnknown)
        return ctx.fail("ERR value for ENTRIESREAD must be positive or -1");
    } else {
      return wrong_subcommand_arity(ctx);
    }
  }
  return options;
}

Status fail_no_key(Context& ctx) {
  return ctx.fail(
      "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to "
      "use the MKSTREAM option to create an empty stream automatically.");
}

// The stream of a subcommand that needs one.
Result<Stream*> find_stream(Context& ctx) {
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(ctx.key(2)));
  if (stream == nullptr) return fail_no_key(ctx);
  return stream;
}

// The same with a group.
Result<StreamAndGroup> find_stream_and_group(Context& ctx) {
  OURO_TRY(Stream * stream, find_stream(ctx));
  StreamGroup* const group = stream->find_group(ctx.argv[3]);
  if (group == nullptr) return fail_no_such_group(ctx);
  return StreamAndGroup{stream, group};
}

// "$" is where the stream ends now.
Result<StreamId> parse_position(Context& ctx, GroupForm form, const Stream* stream) {
  if (ctx.argv[4] == "$") return stream == nullptr ? StreamId() : stream->last_id();
  return form == GroupForm::kCreate ? parse_strict_id(ctx, ctx.argv[4])
                                    : parse_id(ctx, ctx.argv[4]);
}

// More words than the options have, so that one of these was said twice.
bool has_too_many_words(const Context& ctx, GroupForm form) {
  return form == GroupForm::kCreate ? ctx.argv.size() > 8
                                    : ctx.argv.size() != 5 && ctx.argv.size() != 7;
}

Status cmd_xgroup_create(Context& ctx) {
  OURO_TRY(const GroupOptions options, parse_group_options(ctx, GroupForm::kCreate));
  const Key key = ctx.key(2);
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(key));
  if (stream == nullptr && !options.make_stream) return fail_no_key(ctx);
  if (has_too_many_words(ctx, GroupForm::kCreate)) return wrong_subcommand_arity(ctx);
  OURO_TRY(const StreamId id, parse_position(ctx, GroupForm::kCreate, stream));
  if (stream != nullptr && stream->find_group(ctx.argv[3]) != nullptr)
    return ctx.fail("BUSYGROUP Consumer Group name already exists");
  const bool made = stream == nullptr;
  if (made) {
    stream = &ctx.db.add<Stream>(key);
    ctx.added(key);
  }
  StreamGroup& group = stream->add_group(ctx.heap(), ctx.argv[3]);
  group.last_id = id;
  group.entries_read = options.entries_read;
  ctx.reply.ok();
  made ? ctx.changed(key, Event::kStream, "xgroup-create") : noted(ctx, key, "xgroup-create");
  return Status::ok();
}

Status cmd_xgroup_setid(Context& ctx) {
  OURO_TRY(const GroupOptions options, parse_group_options(ctx, GroupForm::kSetId));
  OURO_TRY(const StreamAndGroup at, find_stream_and_group(ctx));
  if (has_too_many_words(ctx, GroupForm::kSetId)) return wrong_subcommand_arity(ctx);
  OURO_TRY(at.group->last_id, parse_position(ctx, GroupForm::kSetId, at.stream));
  at.group->entries_read = options.entries_read;
  ctx.reply.ok();
  noted(ctx, ctx.key(2), "xgroup-setid");
  return Status::ok();
}

Status cmd_xgroup_destroy(Context& ctx) {
  OURO_TRY(Stream * stream, find_stream(ctx));
  StreamGroup* const group = stream->find_group(ctx.argv[3]);
  ctx.reply.integer(group == nullptr ? 0 : 1);
  if (group == nullptr) return Status::ok();
  stream->erase_group(ctx.heap(), *group);
  noted(ctx, ctx.key(2), "xgroup-destroy");
  // Who waits as its consumer learns that it is gone.
  ctx.engine.blocking.on_changed(ctx.caller.db, ctx.argv[2]);
  return Status::ok();
}

Status cmd_xgroup_createconsumer(Context& ctx) {
  OURO_TRY(const StreamAndGroup at, find_stream_and_group(ctx));
  const bool is_new = at.group->find_consumer(ctx.argv[4]) == nullptr;
  if (is_new) {
    at.group->add_consumer(ctx.heap(), ctx.argv[4], ctx.now);
    noted(ctx, ctx.key(2), "xgroup-createconsumer");
  }
  ctx.reply.integer(is_new ? 1 : 0);
  return Status::ok();
}

Status cmd_xgroup_delconsumer(Context& ctx) {
  OURO_TRY(const StreamAndGroup at, find_stream_and_group(ctx));
  StreamConsumer* const consumer = at.group->find_consumer(ctx.argv[4]);
  ctx.reply.integer(consumer == nullptr ? 0 : static_cast<int64_t>(consumer->pending.size()));
  if (consumer == nullptr) return Status::ok();
  at.group->erase_consumer(ctx.heap(), *consumer);
  noted(ctx, ctx.key(2), "xgroup-delconsumer");
  return Status::ok();
}

Status cmd_xgroup_help(Context& ctx) { return reply_help(ctx); }

constexpr CommandSpec kGroupRows[] = {
    {.name = "CREATE",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kStream,
     .handler = cmd_xgroup_create,
     .doc = {.summary = "Makes a consumer group that begins behind an id.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "stream",
             .history = "7.0.0 Takes how many entries were read.",
             .args = "key:key#0 groupname:string id:<id:string | new_id!$> [mkstream!MKSTREAM] "
                     "[ENTRIESREAD=entries_read:integer]"}},
    {.name = "CREATECONSUMER",
     .arity = exactly(5),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(2, kReadWrite | kInsert)},
     .acl = Acl::kStream,
     .handler = cmd_xgroup_createconsumer,
     .doc = {.summary = "Makes a consumer of a group.",
             .complexity = "O(1)",
             .since = "6.2.0",
             .group = "stream",
             .args = "key:key#0 groupname:string consumername:string"}},
    {.name = "DELCONSUMER",
     .arity = exactly(5),
     .flags = Flag::kWrite,
     .keys = {one_key(2, kReadWrite | kDelete)},
     .acl = Acl::kStream,
     .handler = cmd_xgroup_delconsumer,
     .doc = {.summary = "Removes a consumer with all that is pending of it.",
             .complexity = "O(N*log(M)), N pending of it, M of the group",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 groupname:string consumername:string"}},
    {.name = "DESTROY",
     .arity = exactly(4),
     .flags = Flag::kWrite,
     .keys = {one_key(2, kReadWrite | kDelete)},
     .acl = Acl::kStream,
     .handler = cmd_xgroup_destroy,
     .doc = {.summary = "Removes a consumer group.",
             .complexity = "O(N), N pending entries of the group",
             .since = "5.0.0",
             .group = "stream",
             .args = "key:key#0 groupname:string"}},
    {.name = "HELP",
     .arity = exactly(2),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kStream,
     .handler = cmd_xgroup_help,
     .doc = {.summary = "Lists the subcommands of XGROUP.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "stream"}},
    {.name = "SETID",
     .arity = at_least(5),
     .flags = Flag::kWrite,
     .keys = {one_key(2, kReadWrite | kUpdate)},
     .acl = Acl::kStream,
     .handler = cmd_xgroup_setid,
     .doc = {.summary = "Moves a consumer group to an id.",
             .complexity = "O(1)",
             .since = "5.0.0",
             .group = "stream",
             .history = "7.0.0 Takes how many entries were read.",
             .args = "key:key#0 groupname:string id:<id:string | new_id!$> "
                     "[ENTRIESREAD=entries_read:integer]"}},
};
static_assert(table_is_valid(kGroupRows));

constexpr CommandSpec kRows[] = {
    {.name = "XGROUP",
     .arity = at_least(2),
     .subcommands = kGroupRows,
     .doc = {.summary = "Manages consumer groups of a stream.",
             .complexity = "By subcommand",
             .since = "5.0.0",
             .group = "stream"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStreamGroupCommands = kRows;

}  // namespace ouro
