// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/stream_refs.h"

#include <algorithm>

namespace ouro {
namespace {

// What trimming may delete: the oldest entries that nobody wants.
std::vector<StreamId> acknowledged(const Stream& stream, const StreamTrim& trim) {
  std::vector<StreamId> ids;
  const bool by_length = trim.by == StreamTrim::By::kLength;
  const uint64_t too_many = stream.size() - std::min(stream.size(), by_length ? trim.length : 0);
  uint64_t looks = trim.count_max == 0 ? UINT64_MAX : trim.count_max;
  stream.for_each([&](const StreamEntry& entry) {
    if (ids.size() == too_many || looks-- == 0) return false;
    if (!by_length && entry.id >= trim.first_id) return false;
    if (!is_referenced(stream, entry.id)) ids.push_back(entry.id);
    return true;
  });
  return ids;
}

}  // namespace

bool parse_stream_refs(ArgParser& args, std::optional<StreamRefs>& refs) {
  StreamRefs word;
  if (args.word("KEEPREF")) {
    word = StreamRefs::kKeep;
  } else if (args.word("DELREF")) {
    word = StreamRefs::kDrop;
  } else if (args.word("ACKED")) {
    word = StreamRefs::kAcked;
  } else {
    return false;
  }
  if (refs) args.unexpected();
  refs = word;
  return true;
}

bool is_referenced(const Stream& stream, StreamId id) {
  bool found = false;
  stream.for_each_group([&](const StreamGroup& group) {
    found = found || group.last_id < id || group.find_pending(id) != nullptr;
  });
  return found;
}

void drop_references(Context& ctx, const Key& key, const Stream& stream, StreamId first,
                     StreamId end) {
  stream.for_each_group([&](StreamGroup& group) {
    for (;;) {
      const StreamPending* pending = group.pending_from(first);
      if (pending == nullptr || !(pending->id < end)) return;
      const StreamId id = pending->id;
      group.erase_pending(ctx.heap(), id);
      noted(ctx, key);
      leave_ack(ctx, key, group, id);
    }
  });
}

void told_of_deletion(Context& ctx, const Key& key, const std::vector<StreamId>& ids) {
  if (ids.empty()) return;
  ctx.shrunk(key, Event::kStream, "xdel", ids.size());
  leave_deletion(ctx, key, ids);
}

uint64_t trim_stream(Context& ctx, const Key& key, Stream& stream, const StreamOptions& options) {
  const StreamTrim& trim = *options.trim;
  if (options.refs == StreamRefs::kAcked && stream.group_count() > 0) {
    const std::vector<StreamId> ids = acknowledged(stream, trim);
    for (const StreamId id : ids) CHECK(stream.erase(ctx.heap(), id));
    leave_deletion(ctx, key, ids);
    return ids.size();
  }
  const StreamId first = stream.first_id();
  const uint64_t trimmed = stream.trim(ctx.heap(), trim);
  if (options.refs == StreamRefs::kDrop && trimmed > 0) {
    const StreamId end =
        stream.size() > 0 ? stream.first_id() : stream.last_id().next().value_or(kStreamIdMax);
    drop_references(ctx, key, stream, first, end);
  }
  return trimmed;
}

}  // namespace ouro
