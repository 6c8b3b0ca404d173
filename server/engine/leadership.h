// SPDX-License-Identifier: BSD-3-Clause
// Leadership: this node's part in who leads, where semi-sync-members names all that could
// (replication/ballot.h). Without members it is off, and Redis's rules hold: REPLICAOF NO ONE leads
// at once.
//
//      closed --REPLICAOF--> follows --+        serves() is false while closed, and while it
//        |                             |stand() leads and K others do not have its marker yet
//        +------------> candidate <----+
//             asking -> fetching -> marking -> leads --a promise--> closed --ouro-follow--> follows
//                 `-- lost: again with a higher ballot, until time is over: what it was before
//
// A member that has promised a ballot above that of who leads cannot follow it. Who leads hears of
// that when it comes, and renews: it takes a higher ballot while it goes on to lead by the old one.
//
// A lease is there so that who leads may do so without asking. One that hands over (FAILOVER) leads
// no more by the time it says so, and its leases, which others may have granted for a while yet,
// would only be waited for: who is to lead next tells each that it asks (ouro-over) that the
// leadership is over. It names the stream: each leadership begins one under a new replication id,
// and never leads it again, so the word stays true however late it comes. Who follows that stream
// by then has granted nothing to later ones; and what it granted to earlier ones is over as well,
// since this one was promised the lead by Q members: among them, of any K + 1 that let an earlier
// one lead (it and those whose leases it had), one that had seen its own lease end, or that one
// itself, which then led no more.
//
// A node starts closed, unless it is told whom to follow, and not whole (Voter). The first who
// leads is made by hand: semi-sync-members is set while a node leads. So is the next one when none
// is whole any more, after the power of all was lost.
// What is promised is on disk before it is told: a small file in the working directory
// (replication/votes.h). As long as it cannot be written, this node promises nothing new; one that
// cannot be read, or is another member's, is never taken for none.
// Not here: the talks with the others (server/app/candidate.h); who calls an election.
// Source: HIGH-AVAILABILITY.md, rules 1 to 7.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "replication/votes.h"

namespace ouro {

class Engine;

class Leadership {
 public:
  explicit Leadership(Engine& engine) : engine_(engine) {}

  bool is_on() const { return !self_.empty(); }
  // At the start, before anything is loaded: closed, unless it follows. False leaves a text.
  bool begin(std::string& error);
  // semi-sync-members or semi-sync-acks are others. False leaves a text, and nothing has changed.
  bool apply_members(std::string& error);

  const std::vector<std::string>& members() const;
  // As the members name this node; empty while off.
  const std::string& self() const { return self_; }
  bool is_member(ByteView name) const;
  // It may show data, and take some if it leads.
  bool serves() const;
  const Voter& voter() const { return voter_; }
  // Of this node's log.
  LogEnd log_end() const;

  // Who has lost even what it promised may follow: this node leads for sure, or was founded just
  // now.
  bool admits_fresh() const { return leads_for_sure() || founded_at_.has_value(); }

  // ---- others want to lead
  struct Answer {
    Voter::Answer voter;
    LogEnd end = {};
  };
  // Somebody asks for a promise. One that is given ends what this node follows or leads. False
  // leaves a text: it cannot be stored. Requires: is_member(ballot.member).
  enum class Asks : uint8_t {
    kToLead,
    kToRenew,  // it leads: the link to it stays
  };
  bool promise(const Ballot& ballot, Asks asks, Answer& answer, std::string& error);
  // Who leads by `ballot` is to be followed. False if a higher one is promised, or this node leads
  // for sure.
  bool follow(const Ballot& ballot);
  // It may fetch what is here: it was promised the lead.
  bool may_fetch(ByteView member) const;

  // ---- this node wants to lead
  void stand();
  // The primary hands over: its leases are at an end.
  void stand_in_turn();
  // Whose leadership of the stream `id` is over, says who is to lead next.
  void on_over(ByteView id);
  // The same for those that this node asks; empty: it stands by itself.
  std::string over() const { return candidacy_ ? candidacy_->over : std::string(); }
  // A member that wants to follow has promised `seen`.
  void on_seen_by_follower(const Ballot& seen);
  bool renews() const { return candidacy_ && candidacy_->renews; }
  bool is_candidate() const { return candidacy_.has_value() && !is_confirmed_; }
  // It is followed by hand, or leads by Redis's rules.
  void stop_standing() { candidacy_.reset(); }
  // Under way; null if there is none, and between two of them.
  Election* election();
  // Once a turn, behind Replication::push().
  void look();
  Instant next_deadline() const;

  // ---- the link to a primary
  // A promise was given, and who got it will say that it leads.
  bool may_dial() const;
  // What a primary has to have begun with: none for a source.
  Ballot least_ballot() const;
  bool is_fetching() const;
  // The stream of who leads goes on; its log ended at `end`.
  void on_continued(uint64_t end);
  // The data are those of a snapshot whose last ballot is `last`, of who leads or of a replica.
  void on_full_sync(const std::optional<Ballot>& last, bool of_leader);
  // At the start: the data are those of a file.
  void on_restored(const std::optional<Ballot>& last);
  void on_marker(const Ballot& ballot);
  // The data are of no log that is known.
  void forget_log();
  // An acknowledgement may leave; the lease that it grants is noted.
  bool may_acknowledge();
  // It leads or follows otherwise than before.
  void on_role_changed() {
    is_confirmed_ = false;
    founded_at_.reset();
  }
  // semi-sync-timeout is another: the primary is to hear of it.
  void on_timeout_changed();

 private:
  // So long an election is tried again.
  static constexpr Micros kCandidacyMax = 10'000'000;
  // One that was promised the lead is waited for so long.
  static constexpr Micros kPatience = 5'000'000;
  // One that has what is missing is tried for so long.
  static constexpr Micros kFetchPatience = 2'000'000;
  // Two who want to lead do not meet again and again.
  static constexpr Micros kPauseMax = 200'000;

  struct Candidacy {
    std::string host = {};  // whom it followed before; empty: nobody
    uint16_t port = 0;
    Instant deadline = 0;
    Instant again_at = 0;  // while there is no election
    std::optional<Election> election = {};
    Ballot seen = {};
    Instant fetches_since = 0;
    bool renews = false;  // it leads, and goes on
    std::string over = {};
  };

  bool find_self(std::string& self, std::string& error) const;
  bool found(std::string& error);
  bool read_votes(std::string& error);
  bool store(std::string& error);
  bool leads_for_sure() const;
  void note_whole();
  void step_back();
  void begin_election();
  void go_on();
  void fetch();
  void begin_ballot();
  void end_candidacy(const char* why);

  Engine& engine_;
  bool has_begun_ = false;
  std::string self_;
  Voter voter_;
  std::optional<Votes> stored_;  // as they stand in the file; none: there is none
  bool votes_are_read_ = false;
  bool store_fails_ = false;  // and the log has it
  bool is_confirmed_ = false;
  std::optional<uint64_t> founded_at_;  // by the stream, as long as too few others have come so far
  std::optional<Candidacy> candidacy_;
  Instant suspended_until_ = 0;
  std::optional<uint64_t> whole_from_;  // by the stream; none: unknown
};

}  // namespace ouro
