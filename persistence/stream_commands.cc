// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/stream_commands.h"

#include <optional>

#include "persistence/command_text.h"
#include "persistence/write_budget.h"

namespace ouro {

bool StreamCommands::next(size_t& budget, std::string& to) {
  const size_t before = to.size();
  switch (step_) {
    case Step::kNodes:
      node(to);
      break;
    case Step::kGroups:
      group(to);
      break;
    case Step::kConsumers:
      consumer(to);
      break;
    case Step::kDone:
      break;
  }
  spend(budget, write_units(to.size() - before));
  return step_ == Step::kDone;
}

void StreamCommands::node(std::string& to) {
  const StreamNode* const node = nodes_.next();
  if (node == nullptr) return whole(to);
  for (StreamNode::At at = node->begin(); at != node->end();) {
    const StreamEntry entry = node->read(at);
    append_count(to, 3 + 2 * entry.field_count());
    append_bulk(to, "XADD");
    append_bulk(to, key_);
    append_bulk(to, StreamIdText(entry.id));
    entry.for_each_field([&](ByteView field, ByteView value) {
      append_bulk(to, field);
      append_bulk(to, value);
    });
  }
}

void StreamCommands::whole(std::string& to) {
  const StreamIdText last(stream_.last_id());
  if (stream_.size() == 0)
    append_command(to, {"XADD", key_, "MAXLEN", "0", StreamIdText(StreamId{0, 1}), "x", "y"});
  append_command(to, {"XSETID", key_, last, "ENTRIESADDED", std::to_string(stream_.entries_added()),
                      "MAXDELETEDID", StreamIdText(stream_.max_deleted_id())});
  stream_.for_each_group([&](const StreamGroup& group) { groups_.push_back(&group); });
  step_ = groups_.empty() ? Step::kDone : Step::kGroups;
}

void StreamCommands::group(std::string& to) {
  const StreamGroup& group = *groups_[group_];
  append_command(to, {"XGROUP", "CREATE", key_, group.name(), StreamIdText(group.last_id),
                      "ENTRIESREAD", std::to_string(group.entries_read)});
  consumers_.clear();
  group.for_each_consumer([&](const StreamConsumer& consumer) {
    append_command(to, {"XGROUP", "CREATECONSUMER", key_, group.name(), consumer.name()});
    consumers_.push_back(&consumer);
  });
  consumer_ = 0;
  pending_from_ = {};
  step_ = Step::kConsumers;
}

void StreamCommands::consumer(std::string& to) {
  const StreamGroup& group = *groups_[group_];
  size_t left = consumer_ == consumers_.size() ? 0 : kPendingAtOnce;
  std::optional<StreamId> from;
  const auto claim = [&](const StreamPending& pending) {
    if (left == 0) {
      from = pending.id;
      return false;
    }
    --left;
    append_command(to, {"XCLAIM", key_, group.name(), pending.owner_name(), "0",
                        StreamIdText(pending.id), "TIME", std::to_string(pending.delivered_at),
                        "RETRYCOUNT", std::to_string(pending.deliveries), "JUSTID", "FORCE"});
    return true;
  };
  if (consumer_ < consumers_.size())
    group.for_each_pending(*consumers_[consumer_], pending_from_, claim);
  pending_from_ = from.value_or(StreamId{});
  if (from || ++consumer_ < consumers_.size()) return;
  step_ = ++group_ == groups_.size() ? Step::kDone : Step::kGroups;
}

}  // namespace ouro
