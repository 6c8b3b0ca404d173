// SPDX-License-Identifier: BSD-3-Clause
// What the files of the stream commands share: ids as arguments, entries as replies, groups and
// consumers of a key.
//
// Redis tells changes of a group neither to WATCH nor to clients that wait: such a change is
// noted(), not Context::changed().
#pragma once

#include <vector>

#include "datastructs/stream.h"
#include "server/engine/context.h"

namespace ouro {

// ---- ids. A text that is none leaves its error.
// An id that names an entry: "-" and "+" do not.
Result<StreamId> parse_strict_id(Context& ctx, ByteView text);
// "-" and "+" too.
Result<StreamId> parse_id(Context& ctx, ByteView text);
// Those of argv from `first` on.
Result<std::vector<StreamId>> parse_ids(Context& ctx, Argv words);
// The bounds of a range: "(id" leaves the id itself out.
Result<StreamId> parse_range_start(Context& ctx, ByteView text);
Result<StreamId> parse_range_end(Context& ctx, ByteView text);
Status fail_invalid_id(Context& ctx);

// ---- replies
inline void reply_id(Reply& reply, StreamId id) { reply.bulk(StreamIdText(id)); }
// [id, [field, value, ...]]
void reply_entry(Reply& reply, const StreamEntry& entry);
// The same without the header of the array.
void reply_entry_parts(Reply& reply, const StreamEntry& entry);
// The entry with this id, if it is there.
bool visit_entry(const Stream& stream, StreamId id, FunctionRef<void(const StreamEntry&)> visit);
// reply_entry() of the entry with this id; false, and nothing written, if it is not there.
bool reply_entry(Reply& reply, const Stream& stream, StreamId id);
// Entries with first <= id <= last, at most `count` (0: all), as an array.
void reply_entries(Reply& reply, const Stream& stream, StreamId first, StreamId last,
                   Direction direction, uint64_t count);

// ---- groups
struct StreamAndGroup {
  Stream* stream = nullptr;
  StreamGroup* group = nullptr;  // null: no such key, or no such group
};
// Counts as a use of the key, as Redis's commands on groups do; they may change it all the same.
Result<StreamAndGroup> find_group(Context& ctx, const Key& key, ByteView group);
// The same of what Context::find() gave.
Result<StreamAndGroup> group_in(Context& ctx, const Key& key, Entry* entry, ByteView group);
// "NOGROUP No such key ... or consumer group ..."
Status fail_no_group(Context& ctx, ByteView key, ByteView group);
// The same of "SUBCOMMAND key group", whose key is there.
Status fail_no_such_group(Context& ctx);
// What makes a new consumer where the effects are replayed: the claim of an entry, which follows
// for certain, or an effect of its own.
enum class MadeBy : uint8_t { kItsClaim, kItself };
// The consumer of a command that has come to the group; made if it is new. That it got something is
// for the caller to note (StreamConsumer::active_at).
StreamConsumer& visit_consumer(Context& ctx, const Key& key, StreamGroup& group, ByteView name,
                               MadeBy made_by);

// For how long nobody asked for the entry; for all time if it was released.
Millis idle_of(const Context& ctx, const StreamPending& pending);

// Whether this is told again as it was: by our own log, or by a primary.
inline bool is_from_log(const Context& ctx) { return ctx.caller.obeys(); }

// A change and its event, if there is one.
void noted(Context& ctx, const Key& key, ByteView event = {});

// ---- effects
// Leaves the state of pending entries as XCLAIM: neighbours that agree in all but their id are one.
class ClaimEffect {
 public:
  ClaimEffect(Context& ctx, const Key& key, const StreamGroup& group);
  ~ClaimEffect() { flush(); }
  ClaimEffect(const ClaimEffect&) = delete;
  ClaimEffect& operator=(const ClaimEffect&) = delete;

  void add(const StreamPending& pending);

 private:
  void flush();

  Context& ctx_;
  ByteView key_;
  const StreamGroup& group_;
  bool wanted_;
  StreamPending common_;
  std::vector<StreamIdText> ids_;
};
// Leaves that an entry is pending no more, and that entries were deleted.
void leave_ack(Context& ctx, const Key& key, const StreamGroup& group, StreamId id);
void leave_deletion(Context& ctx, const Key& key, const std::vector<StreamId>& ids);
// Leaves how far the group has come.
void leave_group_position(Context& ctx, const Key& key, const StreamGroup& group);

}  // namespace ouro
