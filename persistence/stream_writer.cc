// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/stream_code.h"
#include "persistence/stream_codec.h"

namespace ouro {
namespace {

void write_id(StreamId id, RdbWriter& out) {
  out.length(id.ms);
  out.length(id.seq);
}

// High bytes first, so that the order of the bytes is that of the ids.
class IdBytes {
 public:
  explicit IdBytes(StreamId id) {
    for (size_t i = 0; i < 8; ++i) {
      bytes_[i] = static_cast<char>(id.ms >> (56 - 8 * i));
      bytes_[8 + i] = static_cast<char>(id.seq >> (56 - 8 * i));
    }
  }
  ByteView view() const { return {bytes_, sizeof bytes_}; }

 private:
  char bytes_[stream_code::kIdBytes];
};

void append_entry(const StreamEntry& entry, StreamId base, ListpackWriter& to) {
  const bool own = entry.has_own_fields();
  const auto fields = static_cast<int64_t>(entry.field_count());
  to.append(own ? 0 : stream_code::kSameFields);
  to.append(static_cast<int64_t>(entry.id.ms - base.ms));
  to.append(static_cast<int64_t>(entry.id.seq - base.seq));
  if (own) to.append(fields);
  entry.for_each_field([&](ByteView field, ByteView value) {
    if (own) to.append(field);
    to.append(value);
  });
  to.append(own ? stream_code::kElementsOwn + 2 * fields : stream_code::kElements + fields);
}

}  // namespace

void begin_stream(size_t nodes, RdbWriter& out) { out.length(nodes); }

void write_stream_node(const StreamNode& node, ListpackWriter& scratch, RdbWriter& out) {
  out.string(IdBytes(node.base()).view());
  scratch.clear();
  scratch.append(int64_t{node.live()});
  scratch.append(int64_t{0});
  scratch.append(static_cast<int64_t>(node.name_count()));
  node.for_each_name([&](ByteView name) { scratch.append(name); });
  scratch.append(int64_t{0});
  for (StreamNode::At at = node.begin(); at != node.end();) {
    append_entry(node.read(at), node.base(), scratch);
  }
  out.string(scratch.finish());
}

void write_stream_info(const Stream& stream, RdbWriter& out) {
  out.length(stream.size());
  write_id(stream.last_id(), out);
  write_id(stream.first_id(), out);
  write_id(stream.max_deleted_id(), out);
  out.length(stream.entries_added());
  out.length(stream.group_count());
}

void write_stream_group(const StreamGroup& group, RdbWriter& out) {
  out.string(group.name());
  write_id(group.last_id, out);
  out.length(static_cast<uint64_t>(group.entries_read));
  // Released ones have no consumer, which no Redis expects: timed_codec.h.
  out.length(group.pending_count() - group.released_count());
  group.for_each_pending({}, [&](const StreamPending& pending) {
    if (pending.is_released()) return true;
    out.raw(IdBytes(pending.id).view());
    out.fixed(pending.delivered_at);
    out.length(pending.deliveries);
    return true;
  });
  out.length(group.consumer_count());
  group.for_each_consumer([&](const StreamConsumer& consumer) {
    out.string(consumer.name());
    out.fixed(consumer.seen_at);
    out.length(consumer.pending.size());
    consumer.pending.for_each([&](StreamId id) { out.raw(IdBytes(id).view()); });
  });
}

void write_stream(const Stream& stream, RdbWriter& out) {
  begin_stream(stream.node_count(), out);
  ListpackWriter scratch;
  stream.for_each_node([&](const StreamNode& node) { write_stream_node(node, scratch, out); });
  write_stream_info(stream, out);
  stream.for_each_group([&](const StreamGroup& group) { write_stream_group(group, out); });
}

}  // namespace ouro
