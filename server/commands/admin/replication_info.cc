// SPDX-License-Identifier: BSD-3-Clause
// INFO replication: the same fields in the same order as Redis's, since failover tools read them.
#include "server/commands/admin/info_page.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

int64_t seconds_since(const Page& page, Instant then) {
  return (page.engine.instant() - then) / 1'000'000;
}

// While a snapshot comes.
void sync_fields(Page& page, const PrimaryFacts& primary) {
  const uint64_t total = primary.sync_bytes_total;
  const uint64_t read = primary.sync_bytes_read;
  page.value("master_sync_total_bytes", total);
  page.value("master_sync_read_bytes", read);
  page.line("master_sync_left_bytes:%lld",
            static_cast<long long>(total) - static_cast<long long>(read));
  page.line("master_sync_perc:%.2f",
            total == 0 ? 0.0 : static_cast<double>(read) / static_cast<double>(total) * 100);
  page.line("master_sync_last_io_seconds_ago:%lld",
            static_cast<long long>(seconds_since(page, primary.last_io)));
}

void follower_fields(Page& page) {
  const Replication& replication = page.engine.replication;
  const PrimaryFacts& primary = replication.primary;
  const ReplicationOptions& options = page.engine.options.replication;
  page.word("master_host", primary.host);
  page.value("master_port", primary.port);
  page.word("master_link_status", primary.is_up() ? "up" : "down");
  page.line("master_last_io_seconds_ago:%lld",
            primary.is_up() ? static_cast<long long>(seconds_since(page, primary.last_io)) : -1LL);
  page.value("master_sync_in_progress", primary.syncs ? 1 : 0);
  page.value("slave_read_repl_offset", replication.history().offset + primary.unapplied_bytes);
  page.value("slave_repl_offset", replication.history().offset);
  if (primary.syncs) sync_fields(page, primary);
  if (!primary.is_up()) {
    page.line("master_link_down_since_seconds:%lld",
              primary.down_since == 0
                  ? -1LL
                  : static_cast<long long>(seconds_since(page, primary.down_since)));
  }
  page.line("slave_priority:%lld", static_cast<long long>(options.replica_priority));
  page.value("slave_read_only", options.replica_read_only ? 1 : 0);
  page.value("replica_announced", options.replica_announced ? 1 : 0);
}

void replicas_fields(Page& page) {
  const Replication& replication = page.engine.replication;
  const ReplicationOptions& options = page.engine.options.replication;
  page.value("connected_slaves", replication.replicas().size());
  if (options.min_replicas_to_write > 0 && options.min_replicas_max_lag_seconds > 0)
    page.value("min_slaves_good_slaves", replication.count_good());
  size_t number = 0;
  for (const Session* session : replication.replicas()) {
    const Feed& feed = *session->feed;
    const ByteView state = Feed::name_of(feed.state);
    page.line("slave%zu:ip=%s,port=%u,state=%.*s,offset=%llu,lag=%lld", number++,
              replica_ip(*session).c_str(), static_cast<unsigned>(feed.listening_port),
              static_cast<int>(state.size()), state.data(), static_cast<Ull>(feed.acked),
              static_cast<long long>(feed.lag_seconds(page.engine.instant())));
  }
}

ByteView name_of(SemiSync::State state) {
  switch (state) {
    case SemiSync::State::kOff:
      return "off";
    case SemiSync::State::kHeld:
      return "on";
    case SemiSync::State::kLapsed:
      return "refusing";
    case SemiSync::State::kDegraded:
      return "degraded";
  }
  return {};
}

void semi_sync_fields(Page& page) {
  const SemiSync& semi_sync = page.engine.replication.semi_sync();
  page.word("semi_sync_state", name_of(semi_sync.state()));
  page.value("semi_sync_acks", semi_sync.options().acks);
  page.value("semi_sync_unacknowledged_turns", semi_sync.waiting());
  page.value("semi_sync_lapses", semi_sync.lapses());
  page.value("semi_sync_degradations", semi_sync.degradations());
  page.value("semi_sync_calls_waiting", page.engine.acked_calls.waiting());
  page.value("semi_sync_call_timeouts", page.engine.acked_calls.timeouts());
  const Leadership& leadership = page.engine.leadership;
  if (!leadership.is_on()) return;
  page.word("semi_sync_member", leadership.self());
  page.value("semi_sync_members", leadership.members().size());
  page.value("semi_sync_serves", leadership.serves() ? 1 : 0);
  page.value("semi_sync_is_candidate", leadership.is_candidate() ? 1 : 0);
  page.value("semi_sync_is_whole", leadership.voter().is_whole() ? 1 : 0);
  page.word("semi_sync_promised", marker_of(leadership.voter().promised()));
  page.word("semi_sync_last_ballot", marker_of(leadership.voter().last()));
}

}  // namespace

void replication_section(Page& page) {
  const Replication& replication = page.engine.replication;
  const History& history = replication.history();
  const bool is_primary = replication.leads() && page.engine.leadership.serves();
  page.word("role", is_primary ? "master" : "slave");
  if (!is_primary) follower_fields(page);
  replicas_fields(page);
  page.word("master_failover_state", Failover::name_of(page.engine.failover.state()));
  page.word("master_replid", history.id);
  const bool has_second = !history.second_id.empty();
  page.word("master_replid2", has_second ? ByteView(history.second_id) : kNoReplicationId);
  page.value("master_repl_offset", history.offset);
  page.line("second_repl_offset:%lld",
            has_second ? static_cast<long long>(history.second_end) + 1 : -1LL);
  const Backlog& backlog = replication.backlog();
  page.value("repl_backlog_active", replication.has_stream() ? 1 : 0);
  page.value("repl_backlog_size", page.engine.options.replication.repl_backlog_size);
  page.value("repl_backlog_first_byte_offset", replication.has_stream() ? backlog.begin() + 1 : 0);
  page.value("repl_backlog_histlen", replication.has_stream() ? backlog.size() : 0);
  semi_sync_fields(page);
}

}  // namespace ouro
