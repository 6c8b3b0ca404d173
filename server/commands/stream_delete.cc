// SPDX-License-Identifier: BSD-3-Clause
// XDELEX and XACKDEL: entries are deleted with regard to what groups still know of them.
#include "server/commands/stream_refs.h"
#include "server/commands/tables.h"

namespace ouro {
namespace {

// What each id is answered with.
constexpr int64_t kNoSuchId = -1;
constexpr int64_t kDeleted = 1;
constexpr int64_t kStillReferenced = 2;

struct DeleteRequest {
  StreamRefs refs = StreamRefs::kKeep;
  std::vector<StreamId> ids;
};

// [KEEPREF | DELREF | ACKED] IDS numids id [id ...] in any order, from argument `at` on.
Result<DeleteRequest> parse_delete(Context& ctx, size_t at) {
  DeleteRequest request;
  std::optional<StreamRefs> refs;
  ArgParser args(ctx.argv, at);
  while (args.more()) {
    if (parse_stream_refs(args, refs)) continue;
    if (!request.ids.empty() || !args.word("IDS")) return Err::kSyntax;
    const auto count = parse_integer(args.next());
    if (!count.is_ok() || *count < 1) return ctx.fail("ERR Number of IDs must be greater than 0");
    if (static_cast<uint64_t>(*count) > args.left())
      return ctx.fail("ERR The `numids` parameter must match the number of arguments");
    const Argv words = ctx.argv.subspan(args.position(), static_cast<size_t>(*count));
    OURO_TRY(request.ids, parse_ids(ctx, words));
    args.skip(words.size());
  }
  OURO_TRY(args.finish());
  if (request.ids.empty()) return Err::kSyntax;
  request.refs = refs.value_or(StreamRefs::kKeep);
  return request;
}

void reply_no_such_ids(Reply& reply, size_t count) {
  reply.array(count);
  for (size_t i = 0; i < count; ++i) reply.integer(kNoSuchId);
}

// Decides on one entry, which is to be deleted if the answer is kDeleted.
int64_t ask_for(Context& ctx, const Key& key, const Stream& stream, StreamId id, StreamRefs refs) {
  if (refs == StreamRefs::kDrop)
    drop_references(ctx, key, stream, id, id.next().value_or(kStreamIdMax));
  if (!stream.contains(id)) return kNoSuchId;
  if (refs == StreamRefs::kAcked && is_referenced(stream, id)) return kStillReferenced;
  return kDeleted;
}

// Answers for each id, and deletes what the answer says.
void delete_each(Context& ctx, const Key& key, Stream& stream, const std::vector<StreamId>& ids,
                 FunctionRef<int64_t(StreamId)> answer_for) {
  ctx.effects.none();
  ctx.reply.array(ids.size());
  std::vector<StreamId> deleted;
  for (const StreamId id : ids) {
    const int64_t answer = answer_for(id);
    ctx.reply.integer(answer);
    if (answer != kDeleted) continue;
    CHECK(stream.erase(ctx.heap(), id));
    deleted.push_back(id);
  }
  told_of_deletion(ctx, key, deleted);
}

Status cmd_xdelex(Context& ctx) {
  OURO_TRY(const DeleteRequest request, parse_delete(ctx, 2));
  const Key key = ctx.key(1);
  OURO_TRY(Stream * stream, ctx.find_as_to_write<Stream>(key));
  if (stream == nullptr) {
    reply_no_such_ids(ctx.reply, request.ids.size());
    return Status::ok();
  }
  delete_each(ctx, key, *stream, request.ids,
              [&](StreamId id) { return ask_for(ctx, key, *stream, id, request.refs); });
  return Status::ok();
}

Status cmd_xackdel(Context& ctx) {
  OURO_TRY(const DeleteRequest request, parse_delete(ctx, 3));
  const Key key = ctx.key(1);
  OURO_TRY(const StreamAndGroup at, find_group(ctx, key, ctx.argv[2]));
  if (at.group == nullptr) {
    reply_no_such_ids(ctx.reply, request.ids.size());
    return Status::ok();
  }
  delete_each(ctx, key, *at.stream, request.ids, [&](StreamId id) {
    const bool acknowledged = at.group->erase_pending(ctx.heap(), id);
    if (acknowledged) {
      noted(ctx, key);
      leave_ack(ctx, key, *at.group, id);
    }
    // What was not pending is not deleted; of what has gone there may be references to drop.
    const bool asked =
        acknowledged || (request.refs == StreamRefs::kDrop && !at.stream->contains(id));
    return asked ? ask_for(ctx, key, *at.stream, id, request.refs) : kNoSuchId;
  });
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "XACKDEL",
     .arity = at_least(6),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kUpdate | kDelete)},
     .acl = Acl::kStream,
     .handler = cmd_xackdel,
     .doc = {.summary = "Acknowledges entries and deletes those that may go.",
             .complexity = "O(G*log(N)) an id, G groups, N pending entries",
             .since = "8.2.0",
             .group = "stream",
             .args = "key:key#0 group:string [condition:<keepref!KEEPREF | delref!DELREF | "
                     "acked!ACKED>] IDS=ids:{numids:integer id:string...}"}},
    {.name = "XDELEX",
     .arity = at_least(5),
     .flags = Flag::kWrite | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kDelete)},
     .acl = Acl::kStream,
     .handler = cmd_xdelex,
     .doc = {.summary = "Deletes entries with regard to what groups still know of them.",
             .complexity = "O(G*log(N)) an id, G groups, N pending entries",
             .since = "8.2.0",
             .group = "stream",
             .args = "key:key#0 [condition:<keepref!KEEPREF | delref!DELREF | acked!ACKED>] "
                     "IDS=ids:{numids:integer id:string...}"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kStreamDeleteCommands = kRows;

}  // namespace ouro
