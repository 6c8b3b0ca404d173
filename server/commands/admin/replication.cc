// SPDX-License-Identifier: BSD-3-Clause
// PSYNC, SYNC, REPLCONF, ROLE: what replicas say to their primary, and what clients ask about them.
// A snapshot for who needs one is made by the program around the engine (replica_sync.h), which
// finds who waits for it among Replication::replicas().
#include <algorithm>

#include "server/commands/tables.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

Feed& feed_of(Session& session) {
  if (session.feed == nullptr) session.feed = std::make_unique<Feed>();
  return *session.feed;
}

// ---- PSYNC, SYNC

Status check_may_sync(Context& ctx) {
  if (ctx.caller.session == nullptr) return ctx.fail("ERR A replica needs a connection");
  const Replication& replication = ctx.engine.replication;
  const Leadership& leadership = ctx.engine.leadership;
  const Feed& feed = feed_of(*ctx.caller.session);
  const bool has_lead = replication.leads() || replication.primary.is_up();
  if (!has_lead && leadership.is_candidate())
    return ctx.fail("TRYAGAIN This node is about to lead, or not");
  if (!has_lead && !leadership.may_fetch(feed.member))
    return ctx.fail("NOMASTERLINK Can't SYNC while not connected with my master");
  if (!ctx.engine.redis7.can_read() && !feed.takes_all())
    return ctx.fail(
        "ERR Redis 7.0 could not read what is here (INFO: redis7_readable), and this replica has "
        "not said REPLCONF capa ouro");
  const bool is_filtered = feed.wants_snapshot_alone || feed.wants_functions_alone;
  if (is_filtered && !feed.takes_eof)
    return ctx.fail("ERR Filtered replica should support EOF capability");
  return Status::ok();
}

void become_replica(Context& ctx) {
  // It may not ask for data: its output is the stream.
  ctx.caller.gates |= Gate::kMonitor;
}

Status wait_for_snapshot(Context& ctx) {
  ++ctx.engine.stats.syncs_full;
  become_replica(ctx);
  ctx.engine.replication.add_replica(*ctx.caller.session);
  return Status::ok();  // the answer comes with the snapshot
}

void log_refusal(Context& ctx, ByteView id, int64_t first_byte) {
  const Replication& replication = ctx.engine.replication;
  const History& history = replication.history();
  const ByteView second = history.second_id.empty() ? kNoReplicationId : history.second_id;
  if (id == "?") {
    ctx.engine.log.print(LogLevel::kNotice, "Full resync requested by replica %s",
                         ctx.caller.session->peer.address.c_str());
  } else if (id != history.id && id != second) {
    ctx.engine.log.print(LogLevel::kNotice,
                         "Partial resynchronization not accepted: Replication ID mismatch (Replica "
                         "asked for '%.*s', my replication IDs are '%s' and '%.*s')",
                         printed_size(id), id.data(), history.id.c_str(), printed_size(second),
                         second.data());
  } else if (id != history.id && first_byte > static_cast<int64_t>(history.second_end) + 1) {
    ctx.engine.log.print(LogLevel::kNotice,
                         "Partial resynchronization not accepted: Requested offset for second ID "
                         "was %lld, but I can reply up to %lld",
                         static_cast<long long>(first_byte),
                         static_cast<long long>(history.second_end) + 1);
  } else {
    ctx.engine.log.print(LogLevel::kNotice,
                         "Unable to partial resync with replica %s for lack of backlog (Replica "
                         "request was: %lld).",
                         ctx.caller.session->peer.address.c_str(),
                         static_cast<long long>(first_byte));
  }
}

// True if the replica goes on from where it is.
bool try_to_continue(Context& ctx, ByteView id, int64_t first_byte) {
  Session& session = *ctx.caller.session;
  Replication& replication = ctx.engine.replication;
  if (first_byte < 1 ||
      !replication.continue_feed(session, id, static_cast<uint64_t>(first_byte - 1))) {
    log_refusal(ctx, id, first_byte);
    return false;
  }
  become_replica(ctx);
  ++ctx.engine.stats.syncs_partial;
  ctx.reply.simple(session.feed->knows_psync2 ? "CONTINUE " + replication.history().id
                                              : std::string("CONTINUE"));
  ctx.engine.log.print(LogLevel::kNotice,
                       "Partial resynchronization request from %s accepted. Sending %llu bytes of "
                       "backlog starting from offset %lld.",
                       session.peer.address.c_str(),
                       static_cast<unsigned long long>(replication.behind(session)),
                       static_cast<long long>(first_byte));
  return true;
}

// PSYNC ... FAILOVER: our primary has all its data here, and leaves the lead to us.
Status take_over(Context& ctx, ByteView id) {
  Replication& replication = ctx.engine.replication;
  const History& history = replication.history();
  if (replication.leads()) {
    // It asks again when it has not heard the answer.
    if (id == history.second_id) return Status::ok();
    return ctx.fail("ERR PSYNC FAILOVER can't be sent to a master.");
  }
  if (id != history.id) return ctx.fail("ERR PSYNC FAILOVER replid must match my replid.");
  if (ctx.engine.leadership.is_on()) {
    ctx.engine.leadership.stand_in_turn();
    return Status::ok();
  }
  ctx.engine.log.print(LogLevel::kNotice, "The primary of %.*s hands over: MASTER MODE enabled",
                       printed_size(id), id.data());
  replication.lead();
  return Status::ok();
}

Status cmd_psync(Context& ctx) {
  if (ctx.caller.session != nullptr && ctx.caller.session->is_replica()) return Status::ok();
  if (ctx.argv.size() > 3 && equals_ignoring_case(ctx.argv[3], "failover"))
    OURO_TRY(take_over(ctx, ctx.argv[1]));
  OURO_TRY(check_may_sync(ctx));
  const Result<int64_t> first_byte = ctx.integer(2);
  ctx.engine.log.print(LogLevel::kNotice, "Replica %s asks for synchronization%s",
                       ctx.caller.session->peer.address.c_str(),
                       first_byte.is_ok() ? "" : " but with a wrong offset");
  if (!first_byte.is_ok()) return first_byte.status();
  if (try_to_continue(ctx, ctx.argv[1], *first_byte)) return Status::ok();
  if (ctx.argv[1] != "?") ++ctx.engine.stats.syncs_partial_refused;
  return wait_for_snapshot(ctx);
}

Status cmd_sync(Context& ctx) {
  if (ctx.caller.session != nullptr && ctx.caller.session->is_replica()) return Status::ok();
  OURO_TRY(check_may_sync(ctx));
  ctx.engine.log.print(LogLevel::kNotice, "Replica %s asks for synchronization",
                       ctx.caller.session->peer.address.c_str());
  ctx.caller.session->feed->speaks_psync = false;
  return wait_for_snapshot(ctx);
}

// ---- REPLCONF

Status set_listening_port(Context& ctx, Feed& feed, size_t at) {
  OURO_TRY(const int64_t port, ctx.integer(at));
  if (port < 0 || port > 65535) return ctx.fail("ERR value is out of range");
  feed.listening_port = static_cast<uint16_t>(port);
  return Status::ok();
}

Status set_ip(Context& ctx, Feed& feed, size_t at) {
  constexpr size_t kAddressBytesMax = 255;
  if (ctx.argv[at].size() > kAddressBytesMax) {
    return ctx.fail("ERR REPLCONF ip-address provided by replica instance is too long: %zu bytes",
                    ctx.argv[at].size());
  }
  feed.announced_ip.assign(ctx.argv[at]);
  return Status::ok();
}

// What we do not know is passed over: it is another version's.
Status add_capability(Context& ctx, Feed& feed, size_t at) {
  feed.takes_eof |= equals_ignoring_case(ctx.argv[at], "eof");
  feed.knows_psync2 |= equals_ignoring_case(ctx.argv[at], "psync2");
  feed.is_ouro |= equals_ignoring_case(ctx.argv[at], "ouro");
  return Status::ok();
}

Status set_snapshot_alone(Context& ctx, Feed& feed, size_t at) {
  OURO_TRY(const int64_t value, ctx.integer(at));
  if (value != 0 && value != 1) return ctx.fail("ERR value is out of range");
  feed.wants_snapshot_alone = value == 1;
  return Status::ok();
}

Status set_filter(Context& ctx, Feed& feed, size_t at) {
  feed.wants_functions_alone = false;
  for (const ByteView word : split_words(ctx.argv[at])) {
    if (!equals_ignoring_case(word, "functions"))
      return ctx.fail("ERR Unsupported rdb-filter-only option: %.*s", printed_size(word),
                      word.data());
    feed.wants_functions_alone = true;
  }
  return Status::ok();
}

Status set_member(Context& ctx, Feed& feed, size_t at) {
  if (!ctx.engine.leadership.is_member(ctx.argv[at]))
    return ctx.fail("ERR semi-sync-members does not name this replica");
  ctx.engine.replication.close_replicas_of(ctx.argv[at]);
  feed.member.assign(ctx.argv[at]);
  return Status::ok();
}

// In milliseconds.
Status set_lease(Context& ctx, Feed& feed, size_t at) {
  OURO_TRY(const int64_t millis, ctx.integer(at));
  if (millis < 0 || millis > INT32_MAX) return ctx.fail("ERR value is out of range");
  feed.lease = millis * 1000;
  return Status::ok();
}

Status set_promised(Context& ctx, Feed&, size_t at) {
  const std::optional<Ballot> seen = parse_marker(ctx.argv[at]);
  if (!seen || !ctx.engine.leadership.is_member(seen->member))
    return ctx.fail("ERR what was promised is no ballot of a member");
  ctx.engine.leadership.on_seen_by_follower(*seen);
  return Status::ok();
}

struct Setting {
  ByteView name;
  Status (*set)(Context& ctx, Feed& feed, size_t at);
};
constexpr Setting kSettings[] = {
    {"listening-port", set_listening_port},
    {"ip-address", set_ip},
    {"capa", add_capability},
    {"rdb-only", set_snapshot_alone},
    {"rdb-filter-only", set_filter},
    {"ouro-member", set_member},
    {"ouro-lease", set_lease},
    {"ouro-promised", set_promised},
};

// ---- between semi-sync-members (replication/canvass.h)

// Where the log ends, and whether it is that of who leads.
Status tell_ballot(Context& ctx) {
  const std::string end = text_of(ctx.engine.leadership.log_end());
  const bool leads = ctx.engine.replication.leads();
  const bool admits = leads && ctx.engine.leadership.admits_fresh();
  ctx.reply.simple((admits ? "LEADS " : leads ? "LAPSED " : "FOLLOWS ") + end);
  return Status::ok();
}

// Of another member.
std::optional<Ballot> read_ballot(const Context& ctx) {
  std::optional<Ballot> ballot = parse_marker(ctx.argv[2]);
  if (ballot && !ctx.engine.leadership.is_member(ballot->member)) ballot.reset();
  return ballot;
}

Status answer_promise(Context& ctx, Leadership::Asks asks) {
  Leadership& leadership = ctx.engine.leadership;
  const std::optional<Ballot> ballot = read_ballot(ctx);
  if (!ballot) return ctx.fail("ERR semi-sync-members does not name who asks for a promise");
  Leadership::Answer answer{};
  if (std::string error; !leadership.promise(*ballot, asks, answer, error))
    return ctx.fail("ERR %s", error.c_str());
  switch (answer.voter) {
    case Voter::Answer::kPromised:
      ctx.reply.simple("PROMISED " + text_of(answer.end));
      return Status::ok();
    case Voter::Answer::kSeenHigher:
      return ctx.fail("SEENHIGHER %s", marker_of(leadership.voter().promised()).c_str());
    case Voter::Answer::kLeased:
      return ctx.fail("LEASED somebody leads for sure");
    case Voter::Answer::kNotWhole:
      break;
  }
  return ctx.fail("NOTWHOLE this node does not have all that it acknowledged");
}

Status hear_of_end(Context& ctx) {
  ctx.engine.leadership.on_over(ctx.argv[2]);
  ctx.reply.ok();
  return Status::ok();
}

Status promise_lead(Context& ctx) { return answer_promise(ctx, Leadership::Asks::kToLead); }
Status promise_renewal(Context& ctx) { return answer_promise(ctx, Leadership::Asks::kToRenew); }

Status follow_ballot(Context& ctx) {
  const std::optional<Ballot> ballot = read_ballot(ctx);
  if (!ballot || !ctx.engine.leadership.follow(*ballot))
    return ctx.fail("ERR this node does not follow that ballot");
  ctx.reply.ok();
  return Status::ok();
}

struct Question {
  ByteView name;
  Status (*answer)(Context& ctx);
};
constexpr Question kQuestions[] = {
    {"ouro-ballot", tell_ballot},    {"ouro-over", hear_of_end},     {"ouro-promise", promise_lead},
    {"ouro-renew", promise_renewal}, {"ouro-follow", follow_ballot},
};

// Never answered: it comes within the stream's own pace.
Status take_ack(Context& ctx) {
  Session* const session = ctx.caller.session;
  if (session == nullptr || !session->is_replica()) return Status::ok();
  OURO_TRY(const int64_t offset, ctx.integer(2));
  int64_t durable = 0;
  if (ctx.argv.size() >= 5 && equals_ignoring_case(ctx.argv[3], "fack")) {
    OURO_TRY(durable, ctx.integer(4));
  }
  if (offset < 0 || durable < 0) return Status::ok();
  ctx.engine.replication.on_ack(*session, static_cast<uint64_t>(offset),
                                static_cast<uint64_t>(durable));
  return Status::ok();
}

Status cmd_replconf(Context& ctx) {
  if (ctx.argv.size() % 2 == 0) return Err::kSyntax;
  if (ctx.caller.session == nullptr) return ctx.fail("ERR A replica needs a connection");
  for (const Question& question : kQuestions) {
    if (ctx.argv.size() == 3 && equals_ignoring_case(ctx.argv[1], question.name))
      return question.answer(ctx);
  }
  for (size_t i = 1; i < ctx.argv.size(); i += 2) {
    if (equals_ignoring_case(ctx.argv[i], "ack")) return take_ack(ctx);
    // A primary's to us, and then it came by the link.
    if (equals_ignoring_case(ctx.argv[i], "getack")) return Status::ok();
    const auto* setting = std::find_if(
        std::begin(kSettings), std::end(kSettings),
        [&](const Setting& row) { return equals_ignoring_case(ctx.argv[i], row.name); });
    if (setting == std::end(kSettings)) {
      return ctx.fail("ERR Unrecognized REPLCONF option: %.*s", printed_size(ctx.argv[i]),
                      ctx.argv[i].data());
    }
    OURO_TRY(setting->set(ctx, feed_of(*ctx.caller.session), i + 1));
  }
  ctx.reply.ok();
  return Status::ok();
}

// ---- ROLE

// As ROLE names it.
ByteView name_of(LinkState state) {
  switch (state) {
    case LinkState::kNone:
      return "none";
    case LinkState::kConnect:
      return "connect";
    case LinkState::kConnecting:
      return "connecting";
    case LinkState::kHandshake:
      return "handshake";
    case LinkState::kSync:
      return "sync";
    case LinkState::kConnected:
      break;
  }
  return "connected";
}

void reply_follower(Context& ctx) {
  const Replication& replication = ctx.engine.replication;
  const PrimaryFacts& primary = replication.primary;
  ctx.reply.array(5);
  ctx.reply.bulk("slave");
  ctx.reply.bulk(primary.host);
  ctx.reply.integer(primary.port);
  ctx.reply.bulk(name_of(primary.link));
  ctx.reply.integer(primary.is_up() ? static_cast<int64_t>(replication.history().offset) : -1);
}

Status cmd_role(Context& ctx) {
  const Replication& replication = ctx.engine.replication;
  if (replication.follows() || !ctx.engine.leadership.serves()) {
    reply_follower(ctx);
    return Status::ok();
  }
  ctx.reply.array(3);
  ctx.reply.bulk("master");
  ctx.reply.integer(static_cast<int64_t>(replication.history().offset));
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  for (const Session* session : replication.replicas()) {
    const Feed& feed = *session->feed;
    if (!feed.is_online()) continue;
    ctx.reply.array(3);
    ctx.reply.bulk(replica_ip(*session));
    ctx.reply.bulk(std::to_string(feed.listening_port));
    ctx.reply.bulk(std::to_string(feed.acked));
    ++count;
  }
  ctx.reply.end_array(mark, count);
  return Status::ok();
}

constexpr CommandSpec kReplicationRows[] = {
    {.name = "PSYNC",
     .arity = at_least(3),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading | Flag::kNoMulti |
              Flag::kNeedsServer,
     .handler = cmd_psync,
     .doc = {.summary = "Begins to send the stream to a replica, from where it is if that is kept.",
             .since = "2.8.0",
             .group = "server",
             .args = "replicationid:string offset:integer"}},
    {.name = "REPLCONF",
     .arity = at_least(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kAllowBusy |
              Flag::kSystem,
     .handler = cmd_replconf,
     .doc = {.summary = "What a replica tells its primary of itself.",
             .complexity = "O(1)",
             .since = "3.0.0",
             .group = "server"}},
    {.name = "ROLE",
     .arity = exactly(1),
     .flags = Flag::kNoScript | Flag::kLoading | Flag::kStale | Flag::kFast,
     .acl = Acl::kAdmin | Acl::kDangerous,
     .handler = cmd_role,
     .doc = {.summary = "Returns whether the node leads or follows, and whom.",
             .complexity = "O(1)",
             .since = "2.8.12",
             .group = "server"}},
    {.name = "SYNC",
     .arity = exactly(1),
     .flags = Flag::kAdmin | Flag::kNoScript | Flag::kNoAsyncLoading | Flag::kNoMulti |
              Flag::kNeedsServer,
     .handler = cmd_sync,
     .doc = {.summary = "Begins to send a snapshot and then the stream, as old replicas ask.",
             .since = "1.0.0",
             .group = "server"}},
};
static_assert(table_is_valid(kReplicationRows));

}  // namespace

constinit const std::span<const CommandSpec> kReplicationCommands = kReplicationRows;

}  // namespace ouro
