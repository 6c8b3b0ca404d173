// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/leadership.h"

#include <algorithm>
#include <utility>

#include "server/engine/arg_parser.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// In the working directory.
constexpr const char* kVotesFile = "semi-sync.votes";
// The way out, which costs no promise: one that has lost what it had is not whole.
constexpr const char* kRemoveVotes =
    "Remove it to have this node taken for a member that has lost its data: it promises nothing "
    "until it has followed who leads.";

struct Place {
  std::string host;
  uint16_t port = 0;
};
// Of a member's name, which options have checked.
Place place_of(ByteView member) {
  const size_t colon = member.rfind(':');
  const auto port = parse_integer(member.substr(colon + 1));
  return {std::string(member.substr(0, colon)), static_cast<uint16_t>(*port)};
}

// So many others can have acknowledged.
bool are_enough(const ReplicationOptions& options, std::string& error) {
  if (options.semi_sync_acks < options.semi_sync_members.size()) return true;
  error = "semi-sync-acks must be less than the number of semi-sync-members";
  return false;
}

}  // namespace

// ---- members

const std::vector<std::string>& Leadership::members() const {
  return engine_.options.replication.semi_sync_members;
}

bool Leadership::is_member(ByteView name) const {
  return std::find(members().begin(), members().end(), name) != members().end();
}

// By the port, and where several members have the same one by replica-announce-ip.
bool Leadership::find_self(std::string& self, std::string& error) const {
  const ReplicationOptions& options = engine_.options.replication;
  const int own_port = engine_.host.info().tcp_port;
  const int port = options.replica_announce_port != 0 ? options.replica_announce_port : own_port;
  size_t found = 0;
  for (const std::string& member : members()) {
    const Place place = place_of(member);
    if (place.port != port) continue;
    if (!options.replica_announce_ip.empty() && options.replica_announce_ip != place.host) continue;
    self = member;
    ++found;
  }
  if (found == 1) return true;
  error = found == 0 ? "semi-sync-members does not name this node"
                     : "several of semi-sync-members have this node's port: set "
                       "replica-announce-ip to the one that it is";
  return false;
}

bool Leadership::apply_members(std::string& error) {
  if (!has_begun_) return true;
  if (members().empty()) {
    self_.clear();
    candidacy_.reset();
    return true;
  }
  std::string self;
  if (!find_self(self, error) || !are_enough(engine_.options.replication, error)) return false;
  const bool was_on = is_on();
  const std::string before = std::exchange(self_, std::move(self));
  if (!read_votes(error) || (self_ != before && !store(error))) {
    self_ = before;
    return false;
  }
  if (was_on) return true;
  if (engine_.replication.leads()) {
    if (found(error)) return true;
    self_.clear();
    return false;
  }
  // The primary is to say by which ballot it leads.
  engine_.host.on_role_changed();
  return true;
}

bool Leadership::begin(std::string& error) {
  has_begun_ = true;
  if (members().empty()) return true;
  if (!find_self(self_, error) || !are_enough(engine_.options.replication, error)) return false;
  if (!read_votes(error)) return false;
  if (engine_.replication.leads()) engine_.replication.close();
  return true;
}

// The first leadership of all, or the first after all have lost what they had: by hand.
bool Leadership::found(std::string& error) {
  const Voter before = voter_;
  voter_.set_whole(true);
  voter_.on_log(voter_.next_of(self_));
  if (!store(error)) {
    voter_ = before;
    return false;
  }
  engine_.replication.begin_ballot(marker_of(voter_.last()));
  // They are to say which members they are.
  engine_.replication.close_replicas();
  is_confirmed_ = true;
  founded_at_ = engine_.replication.history().offset;
  engine_.log.print(LogLevel::kNotice, "Leads by ballot %s, founded by semi-sync-members",
                    marker_of(voter_.last()).c_str());
  return true;
}

// Once: what this node knows by itself is never less.
bool Leadership::read_votes(std::string& error) {
  if (votes_are_read_) return true;
  std::string bytes;
  std::string reason;
  const Status read = engine_.host.read_file(kVotesFile, bytes, reason);
  if (!read.is_ok() && read.err() != Err::kUnknown) {
    error = std::string("Cannot read ") + kVotesFile + ": " + reason;
    return false;
  }
  if (read.is_ok()) {
    std::optional<Votes> votes = parse_votes(bytes);
    if (!votes) {
      error = std::string(kVotesFile) + " is damaged: what this node has promised is not known. " +
              kRemoveVotes;
      return false;
    }
    if (!votes->member.empty() && votes->member != self_) {
      error = std::string(kVotesFile) + " tells what " + votes->member + " has promised, but " +
              "semi-sync-members calls this node " + self_ +
              ". Start it where its own files are. " + kRemoveVotes;
      return false;
    }
    voter_ = Voter(votes->promised);
    stored_ = std::move(votes);
  }
  votes_are_read_ = true;
  return true;
}

bool Leadership::store(std::string& error) {
  Votes votes{.member = self_, .promised = voter_.promised()};
  if (votes.promised.counter == 0 || votes == stored_) return true;
  std::string reason;
  if (!engine_.host.replace_file(kVotesFile, text_of(votes), reason).is_ok()) {
    error = std::string("Cannot write ") + kVotesFile + ": " + reason;
    if (!std::exchange(store_fails_, true)) {
      engine_.log.print(LogLevel::kWarning, "%s. Until it can, this node promises nothing",
                        error.c_str());
    }
    return false;
  }
  if (std::exchange(store_fails_, false))
    engine_.log.print(LogLevel::kNotice, "%s is written again", kVotesFile);
  stored_ = std::move(votes);
  return true;
}

bool Leadership::serves() const {
  if (!is_on()) return true;
  return engine_.replication.leads() ? is_confirmed_ : !engine_.replication.is_closed();
}

LogEnd Leadership::log_end() const {
  return {.ballot = voter_.last(), .offset = engine_.replication.history().offset};
}

// Its lease holds.
bool Leadership::leads_for_sure() const {
  return engine_.replication.leads() && is_confirmed_ &&
         engine_.replication.semi_sync().state() == SemiSync::State::kHeld;
}

void Leadership::note_whole() {
  if (!whole_from_ || engine_.replication.history().offset < *whole_from_) return;
  voter_.set_whole(true);
  whole_from_.reset();
}

// ---- others want to lead

bool Leadership::promise(const Ballot& ballot, Asks asks, Answer& answer, std::string& error) {
  engine_.replication.look_at_lease();
  note_whole();
  const Voter before = voter_;
  answer.voter = leads_for_sure() ? Voter::Answer::kLeased : voter_.ask(ballot, engine_.instant());
  if (answer.voter != Voter::Answer::kPromised) return true;
  if (!store(error)) {
    voter_ = before;
    return false;
  }
  engine_.log.print(LogLevel::kNotice, "Promised the lead to ballot %s", marker_of(ballot).c_str());
  answer.end = log_end();
  candidacy_.reset();
  // It has come already.
  if (ballot == voter_.last()) return true;
  if (asks == Asks::kToRenew && ballot.member == voter_.last().member) return true;
  if (engine_.replication.leads()) engine_.replication.close();
  suspended_until_ = engine_.instant() + kPatience;
  engine_.host.on_role_changed();
  return true;
}

bool Leadership::follow(const Ballot& ballot) {
  engine_.replication.look_at_lease();
  const bool is_anothers = is_member(ballot.member) && ballot.member != self_;
  if (!is_anothers || ballot < voter_.promised() || leads_for_sure()) return false;
  candidacy_.reset();
  suspended_until_ = 0;
  Place place = place_of(ballot.member);
  const PrimaryFacts& primary = engine_.replication.primary;
  if (primary.host == place.host && primary.port == place.port) {
    if (!primary.is_up()) engine_.host.on_role_changed();
    return true;
  }
  engine_.log.print(LogLevel::kNotice, "REPLICAOF %s:%d enabled (it leads by ballot %s)",
                    place.host.c_str(), place.port, marker_of(ballot).c_str());
  engine_.replication.follow(std::move(place.host), place.port);
  return true;
}

bool Leadership::may_fetch(ByteView member) const {
  return is_on() && voter_.is_whole() && !member.empty() && voter_.promised().member == member;
}

// ---- this node wants to lead

void Leadership::stand_in_turn() {
  if (is_candidate()) return;
  const std::string over = engine_.replication.history().id;
  on_over(over);
  stand();
  if (candidacy_) candidacy_->over = over;
}

void Leadership::on_over(ByteView id) {
  if (id == engine_.replication.history().id) voter_.end_lease();
}

void Leadership::on_seen_by_follower(const Ballot& seen) {
  if (!is_confirmed_ || seen <= voter_.promised()) return;
  // Without its lease somebody else may have led meanwhile: then it begins from the beginning.
  if (!leads_for_sure()) return stand();
  candidacy_.emplace(Candidacy{.deadline = engine_.instant() + kCandidacyMax,
                               .again_at = engine_.instant(),
                               .seen = seen,
                               .renews = true});
}

void Leadership::stand() {
  engine_.replication.look_at_lease();
  if (is_candidate() || leads_for_sure()) return;
  const PrimaryFacts& primary = engine_.replication.primary;
  candidacy_.emplace(Candidacy{.host = primary.host,
                               .port = primary.port,
                               .deadline = engine_.instant() + kCandidacyMax,
                               .again_at = std::max(engine_.instant(), voter_.leased_until())});
  note_whole();
  engine_.log.write(LogLevel::kNotice, "Asks semi-sync-members for the lead");
  step_back();
}

// Follows nobody, so that nothing is acknowledged meanwhile.
void Leadership::step_back() {
  if (!engine_.replication.is_closed()) engine_.replication.close();
}

Election* Leadership::election() {
  return candidacy_ && candidacy_->election ? &*candidacy_->election : nullptr;
}

void Leadership::look() {
  if (founded_at_ && engine_.replication.acked_by_enough() >= *founded_at_) founded_at_.reset();
  if (!candidacy_) return;
  if (Election* const attempt = election(); attempt != nullptr) {
    if (attempt->stage() == Election::Stage::kLost) {
      candidacy_->seen = std::max(candidacy_->seen, attempt->seen());
      candidacy_->election.reset();
      candidacy_->again_at = engine_.instant() + static_cast<Micros>(engine_.prng.below(kPauseMax));
      if (!candidacy_->renews) step_back();
    } else {
      go_on();
    }
  } else if (engine_.instant() >= candidacy_->again_at) {
    begin_election();
  }
  if (candidacy_ && engine_.instant() >= candidacy_->deadline) {
    const bool leads = is_confirmed_ && engine_.replication.leads();
    end_candidacy(leads || candidacy_->renews ? nullptr
                                              : "too few of semi-sync-members agree in time");
  }
}

Instant Leadership::next_deadline() const {
  if (!candidacy_) return kNever;
  return candidacy_->election ? candidacy_->deadline
                              : std::min(candidacy_->deadline, candidacy_->again_at);
}

void Leadership::begin_election() {
  Ballot ballot = voter_.next_of(self_);
  ballot.counter = std::max(ballot.counter, candidacy_->seen.counter + 1);
  std::optional<LogEnd> end;
  if (voter_.is_whole()) end = log_end();
  const Voter before = voter_;
  voter_.stand(ballot);
  if (std::string error; !store(error)) {
    voter_ = before;
    // Who leads goes on by the ballot that it has.
    return end_candidacy(candidacy_->renews ? nullptr : error.c_str());
  }
  candidacy_->election.emplace(members().size(), engine_.options.replication.semi_sync_acks, ballot,
                               self_, end);
  engine_.log.print(LogLevel::kNotice, "Asks for promises of ballot %s", marker_of(ballot).c_str());
}

void Leadership::go_on() {
  Election& attempt = *candidacy_->election;
  if (attempt.stage() == Election::Stage::kFetching) fetch();
  if (attempt.stage() == Election::Stage::kMarking && voter_.last() != attempt.ballot())
    begin_ballot();
  if (attempt.stage() != Election::Stage::kMarking) return;
  const SemiSync& semi_sync = engine_.replication.semi_sync();
  if (semi_sync.state() == SemiSync::State::kLapsed) return;
  attempt.on_marker_acked();
  is_confirmed_ = true;
  engine_.replication.apply_gate();
  engine_.log.print(LogLevel::kNotice, "MASTER MODE enabled: leads by ballot %s",
                    marker_of(attempt.ballot()).c_str());
}

// From whom promised that is furthest; followed until we are as far.
void Leadership::fetch() {
  Election& attempt = *candidacy_->election;
  // Who leads has all that counts; what another has beyond is of no ballot that was finished.
  if (candidacy_->renews) return attempt.give_up();
  if (engine_.replication.is_closed()) {
    Place place = place_of(attempt.source());
    engine_.log.print(LogLevel::kNotice, "Fetches from %s what is missing",
                      attempt.source().c_str());
    candidacy_->fetches_since = engine_.instant();
    engine_.replication.follow(std::move(place.host), place.port);
  }
  const PrimaryFacts& source = engine_.replication.primary;
  if (source.is_up()) attempt.on_fetched(log_end());
  const bool goes_on = source.is_up() || source.syncs;
  if (!goes_on && engine_.instant() >= candidacy_->fetches_since + kFetchPatience)
    attempt.give_up();
}

void Leadership::begin_ballot() {
  const Ballot& ballot = candidacy_->election->ballot();
  voter_.set_whole(true);
  voter_.on_log(ballot);
  engine_.replication.lead();
  engine_.replication.begin_ballot(marker_of(ballot));
}

// Back to what it was before, if `why` it does not lead.
void Leadership::end_candidacy(const char* why) {
  Candidacy was = *std::exchange(candidacy_, std::nullopt);
  if (why == nullptr) return;
  engine_.log.print(LogLevel::kWarning, "Does not lead: %s", why);
  step_back();
  if (!was.host.empty()) engine_.replication.follow(std::move(was.host), was.port);
}

// ---- the link to a primary

void Leadership::on_timeout_changed() {
  if (is_on() && engine_.replication.follows()) engine_.host.on_role_changed();
}

bool Leadership::may_dial() const { return !is_on() || engine_.instant() >= suspended_until_; }

bool Leadership::is_fetching() const {
  return candidacy_ && candidacy_->election &&
         candidacy_->election->stage() == Election::Stage::kFetching;
}

Ballot Leadership::least_ballot() const { return is_fetching() ? Ballot() : voter_.promised(); }

void Leadership::on_continued(uint64_t end) {
  if (is_on()) whole_from_ = end;
}

void Leadership::on_full_sync(const std::optional<Ballot>& last, bool of_leader) {
  if (!is_on()) return;
  if (last) on_marker(*last);
  // What is fetched is what nobody can have acknowledged more than.
  const bool is_fetched = is_fetching() && log_end() >= candidacy_->election->goal();
  if (of_leader || is_fetched) voter_.set_whole(true);
}

void Leadership::on_restored(const std::optional<Ballot>& last) {
  if (is_on() && last) on_marker(*last);
}

void Leadership::on_marker(const Ballot& ballot) {
  if (is_on()) voter_.on_log(ballot);
}

void Leadership::forget_log() {
  voter_.forget_log();
  whole_from_.reset();
}

bool Leadership::may_acknowledge() {
  if (!is_on()) return true;
  note_whole();
  std::string told;
  if (!voter_.may_acknowledge(voter_.last()) || !store(told)) return false;
  // The leader counts from when it sent what is acknowledged, which was before that came.
  const Instant heard_at = engine_.replication.primary.last_io;
  voter_.grant(heard_at + engine_.options.replication.semi_sync_timeout * 1000);
  return true;
}

}  // namespace ouro
