// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/stream_code.h"
#include "persistence/stream_codec.h"
#include "persistence/write_budget.h"

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

void write_node(const StreamNode& node, ListpackWriter& scratch, RdbWriter& out) {
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

}  // namespace

bool RdbStreamWriter::next(size_t& budget, RdbWriter& out) {
  size_t bytes = 0;  // looked at
  switch (step_) {
    case Step::kBegin:
      out.length(stream_.node_count());
      step_ = Step::kNodes;
      break;
    case Step::kNodes:
      bytes = node(out);
      break;
    case Step::kGroup:
      group(out);
      break;
    case Step::kPending:
      bytes = pending(out);
      break;
    case Step::kConsumer:
      consumer(out);
      break;
    case Step::kConsumerPending:
      bytes = consumer_pending(out);
      break;
    case Step::kDone:
      break;
  }
  spend(budget, write_units(bytes));
  return step_ == Step::kDone;
}

// Each step returns how many bytes it looked at, if that may be many.
size_t RdbStreamWriter::node(RdbWriter& out) {
  const StreamNode* const node = nodes_.next();
  if (node == nullptr) {
    info(out);
    return 0;
  }
  write_node(*node, scratch_, out);
  return node->bytes();
}

void RdbStreamWriter::info(RdbWriter& out) {
  out.length(stream_.size());
  write_id(stream_.last_id(), out);
  write_id(stream_.first_id(), out);
  write_id(stream_.max_deleted_id(), out);
  out.length(stream_.entries_added());
  out.length(stream_.group_count());
  stream_.for_each_group([&](const StreamGroup& group) { groups_.push_back(&group); });
  step_ = groups_.empty() ? Step::kDone : Step::kGroup;
}

void RdbStreamWriter::group(RdbWriter& out) {
  const StreamGroup& group = *groups_[group_];
  out.string(group.name());
  write_id(group.last_id, out);
  out.length(static_cast<uint64_t>(group.entries_read));
  // Released ones have no consumer, which no Redis expects: timed_codec.h.
  out.length(group.pending_count() - group.released_count());
  pending_from_ = {};
  step_ = Step::kPending;
}

size_t RdbStreamWriter::pending(RdbWriter& out) {
  size_t left = kPendingAtOnce;
  std::optional<StreamId> from;
  groups_[group_]->for_each_pending(pending_from_, [&](const StreamPending& pending) {
    if (left == 0) {
      from = pending.id;
      return false;
    }
    --left;
    if (pending.is_released()) return true;
    out.raw(IdBytes(pending.id).view());
    out.fixed(pending.delivered_at);
    out.length(pending.deliveries);
    return true;
  });
  if (from) {
    pending_from_ = *from;
  } else {
    end_pending(out);
  }
  return (kPendingAtOnce - left) * sizeof(StreamPending);
}

void RdbStreamWriter::end_pending(RdbWriter& out) {
  const StreamGroup& group = *groups_[group_];
  out.length(group.consumer_count());
  consumers_.clear();
  group.for_each_consumer([&](const StreamConsumer& consumer) { consumers_.push_back(&consumer); });
  consumer_ = 0;
  step_ = Step::kConsumer;
  if (consumers_.empty()) next_group();
}

void RdbStreamWriter::next_group() {
  step_ = ++group_ == groups_.size() ? Step::kDone : Step::kGroup;
}

void RdbStreamWriter::consumer(RdbWriter& out) {
  const StreamConsumer& consumer = *consumers_[consumer_];
  out.string(consumer.name());
  out.fixed(consumer.seen_at);
  out.length(consumer.pending.size());
  place_ = consumer.pending.begin();
  step_ = Step::kConsumerPending;
}

size_t RdbStreamWriter::consumer_pending(RdbWriter& out) {
  const ConsumerPending& ids = consumers_[consumer_]->pending;
  size_t left = kPendingAtOnce;
  for (; left > 0 && place_ != ids.end(); --left, place_ = ids.after(place_)) {
    out.raw(IdBytes(ids.at(place_)).view());
  }
  if (place_ == ids.end()) {
    step_ = Step::kConsumer;
    if (++consumer_ == consumers_.size()) next_group();
  }
  return (kPendingAtOnce - left) * sizeof(StreamId);
}

void write_stream(const Stream& stream, RdbWriter& out) {
  RdbStreamWriter writer(stream);
  for (size_t budget = SIZE_MAX; !writer.next(budget, out);) {
  }
}

}  // namespace ouro
