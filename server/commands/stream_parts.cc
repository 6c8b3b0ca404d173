// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/stream_parts.h"

#include <algorithm>

#include "datastructs/codec/number_text.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

bool is_sign(ByteView text, char sign) { return errors::shown(text) == ByteView(&sign, 1); }

// With the sequence that an id without one has.
Result<StreamId> parse_plain(Context& ctx, ByteView text, uint64_t missing_seq) {
  const auto parsed = parse_stream_id(text, missing_seq);
  if (!parsed || parsed->any_seq) return fail_invalid_id(ctx);
  return parsed->id;
}

Result<StreamId> parse_bound(Context& ctx, ByteView text, uint64_t missing_seq) {
  if (is_sign(text, '-')) return StreamId();
  if (is_sign(text, '+')) return kStreamIdMax;
  return parse_plain(ctx, text, missing_seq);
}

bool is_exclusive(ByteView text) { return text.size() > 1 && text.front() == '('; }

}  // namespace

Status fail_invalid_id(Context& ctx) {
  return ctx.fail("ERR Invalid stream ID specified as stream command argument");
}

Result<StreamId> parse_strict_id(Context& ctx, ByteView text) { return parse_plain(ctx, text, 0); }

Result<StreamId> parse_id(Context& ctx, ByteView text) { return parse_bound(ctx, text, 0); }

Result<std::vector<StreamId>> parse_ids(Context& ctx, Argv words) {
  std::vector<StreamId> ids;
  ids.reserve(words.size());
  for (const ByteView word : words) {
    OURO_TRY(const StreamId id, parse_strict_id(ctx, word));
    ids.push_back(id);
  }
  return ids;
}

Result<StreamId> parse_range_start(Context& ctx, ByteView text) {
  if (!is_exclusive(text)) return parse_bound(ctx, text, 0);
  OURO_TRY(const StreamId id, parse_plain(ctx, text.substr(1), 0));
  const auto next = id.next();
  if (!next) return ctx.fail("ERR invalid start ID for the interval");
  return *next;
}

Result<StreamId> parse_range_end(Context& ctx, ByteView text) {
  if (!is_exclusive(text)) return parse_bound(ctx, text, UINT64_MAX);
  OURO_TRY(const StreamId id, parse_plain(ctx, text.substr(1), UINT64_MAX));
  const auto prev = id.prev();
  if (!prev) return ctx.fail("ERR invalid end ID for the interval");
  return *prev;
}

void reply_entry_parts(Reply& reply, const StreamEntry& entry) {
  reply_id(reply, entry.id);
  reply.array(2 * entry.field_count());
  entry.for_each_field([&](ByteView field, ByteView value) {
    reply.bulk(field);
    reply.bulk(value);
  });
}

void reply_entry(Reply& reply, const StreamEntry& entry) {
  reply.array(2);
  reply_entry_parts(reply, entry);
}

bool visit_entry(const Stream& stream, StreamId id, FunctionRef<void(const StreamEntry&)> visit) {
  bool found = false;
  stream.for_each(id, id, Direction::kAscending, [&](const StreamEntry& entry) {
    visit(entry);
    found = true;
    return false;
  });
  return found;
}

bool reply_entry(Reply& reply, const Stream& stream, StreamId id) {
  return visit_entry(stream, id, [&](const StreamEntry& entry) { reply_entry(reply, entry); });
}

void reply_entries(Reply& reply, const Stream& stream, StreamId first, StreamId last,
                   Direction direction, uint64_t count) {
  const Reply::Mark mark = reply.begin();
  uint64_t replied = 0;
  stream.for_each(first, last, direction, [&](const StreamEntry& entry) {
    reply_entry(reply, entry);
    return ++replied != count;
  });
  reply.end_array(mark, replied);
}

Result<StreamAndGroup> find_group(Context& ctx, const Key& key, ByteView group) {
  return group_in(ctx, key, ctx.find(key), group);
}

Result<StreamAndGroup> group_in(Context& ctx, const Key& key, Entry* entry, ByteView group) {
  if (entry == nullptr) return StreamAndGroup{};
  if (entry->kind() != Kind::kStream) return Err::kWrongType;
  ctx.db.before_change(key);
  Stream& stream = entry->as<Stream>();
  return StreamAndGroup{&stream, stream.find_group(group)};
}

Status fail_no_group(Context& ctx, ByteView key, ByteView group) {
  return ctx.fail("NOGROUP No such key '%.*s' or consumer group '%.*s'", printed_size(key),
                  key.data(), printed_size(group), group.data());
}

Status fail_no_such_group(Context& ctx) {
  const ByteView key = ctx.argv[2];
  const ByteView group = ctx.argv[3];
  return ctx.fail("NOGROUP No such consumer group '%.*s' for key name '%.*s'", printed_size(group),
                  group.data(), printed_size(key), key.data());
}

StreamConsumer& visit_consumer(Context& ctx, const Key& key, StreamGroup& group, ByteView name,
                               MadeBy made_by) {
  StreamConsumer* consumer = group.find_consumer(name);
  if (consumer == nullptr) {
    consumer = &group.add_consumer(ctx.heap(), name, ctx.now);
    noted(ctx, key, "xgroup-createconsumer");
    if (made_by == MadeBy::kItself && ctx.effects.wanted())
      ctx.effects.replace({"XGROUP", "CREATECONSUMER", key.bytes, group.name(), name});
  }
  consumer->seen_at = ctx.now;
  return *consumer;
}

Millis idle_of(const Context& ctx, const StreamPending& pending) {
  return std::max<Millis>(ctx.now - std::max<UnixMs>(pending.delivered_at, 0), 0);
}

void noted(Context& ctx, const Key& key, ByteView event) {
  ++ctx.changes;
  if (!event.empty()) ctx.engine.notify(ctx.caller.db, key.bytes, Event::kStream, event);
}

// ---- effects

ClaimEffect::ClaimEffect(Context& ctx, const Key& key, const StreamGroup& group)
    : ctx_(ctx), key_(key.bytes), group_(group), wanted_(ctx.effects.wanted()) {}

void ClaimEffect::add(const StreamPending& pending) {
  if (!wanted_) return;
  const bool agrees = pending.owner == common_.owner && pending.deliveries == common_.deliveries &&
                      pending.delivered_at == common_.delivered_at;
  if (!agrees || ids_.size() == kEffectElementsMax) flush();
  common_ = pending;
  ids_.emplace_back(pending.id);
}

void ClaimEffect::flush() {
  if (ids_.empty()) return;
  char time[kInt64TextMax];
  char count[kInt64TextMax];
  const StreamIdText last_id(group_.last_id);
  std::vector<ByteView> argv = {"XCLAIM", key_, group_.name(), common_.owner->name(), "0"};
  argv.insert(argv.end(), ids_.begin(), ids_.end());
  argv.insert(argv.end(), {"TIME",
                           {time, format_int64(common_.delivered_at, time)},
                           "RETRYCOUNT",
                           {count, format_uint64(common_.deliveries, count)},
                           "FORCE",
                           "JUSTID",
                           "LASTID",
                           last_id.view()});
  ctx_.effects.replace(Argv(argv));
  ids_.clear();
}

void leave_ack(Context& ctx, const Key& key, const StreamGroup& group, StreamId id) {
  if (ctx.effects.wanted())
    ctx.effects.replace({"XACK", key.bytes, group.name(), StreamIdText(id)});
}

void leave_deletion(Context& ctx, const Key& key, const std::vector<StreamId>& ids) {
  if (!ctx.effects.wanted()) return;
  for (size_t at = 0; at < ids.size(); at += kEffectElementsMax) {
    const size_t end = std::min(at + kEffectElementsMax, ids.size());
    const std::vector<StreamIdText> texts(ids.begin() + static_cast<std::ptrdiff_t>(at),
                                          ids.begin() + static_cast<std::ptrdiff_t>(end));
    std::vector<ByteView> argv = {"XDEL", key.bytes};
    argv.insert(argv.end(), texts.begin(), texts.end());
    ctx.effects.replace(Argv(argv));
  }
}

void leave_group_position(Context& ctx, const Key& key, const StreamGroup& group) {
  if (!ctx.effects.wanted()) return;
  char read[kInt64TextMax];
  const StreamIdText id(group.last_id);
  ctx.effects.replace({"XGROUP",
                       "SETID",
                       key.bytes,
                       group.name(),
                       id,
                       "ENTRIESREAD",
                       {read, format_int64(group.entries_read, read)}});
}

}  // namespace ouro
