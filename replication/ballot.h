// SPDX-License-Identifier: BSD-3-Clause
// Ballots: who leads, when several could think so. Every leadership has its own ballot, and every
// byte of the log belongs to one. N members, of which K replicas must have a write before its
// client hears of it:
//
//      to lead     ask for promises of a new ballot, until Q = N - K members have given one, take
//                  what the furthest of them has, and begin the ballot with a marker in the log
//      to promise  store it, and acknowledge nothing of older ballots any more
//
// A write's holders (K + 1) and those who promise (N - K) are together more than N, so one of the
// latter has the write: it acknowledged before it promised. Hence the furthest by (last ballot,
// offset) has it, and so on from ballot to ballot.
// Source: rules 1 to 4 of HIGH-AVAILABILITY.md, which are those of Paxos (Lamport, "Paxos Made
// Simple", 2001) over a log that is compared by its end, as in Viewstamped Replication.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

// "host:port" of a member; more is no name of one.
inline constexpr size_t kMemberBytesMax = 300;

struct Ballot {
  // One above another has to be left: more is nobody's.
  static constexpr uint64_t kCounterMax = uint64_t{1} << 62;

  uint64_t counter = 0;  // 0: none, below all
  std::string member;    // who leads by it
  friend auto operator<=>(const Ballot&, const Ballot&) = default;
};

// The end of a member's log: how far it is compares like this.
struct LogEnd {
  Ballot ballot;  // the last one that has a byte in it
  uint64_t offset = 0;
  friend auto operator<=>(const LogEnd&, const LogEnd&) = default;
};

// The word that opens a ballot in the stream, as PING's argument: "ouro:<counter>:<member>".
std::string marker_of(const Ballot& ballot);
std::optional<Ballot> parse_marker(ByteView word);

// As members tell each other: "<offset> <marker of the ballot, or - for none>".
std::string text_of(const LogEnd& end);
std::optional<LogEnd> parse_log_end(ByteView text);

// A member's part in who may lead. What it has promised is to be on disk before it is told.
// One that has just started is not whole: of what it acknowledged something may be gone. It
// promises nothing until it has again what a leader has (readmission).
class Voter {
 public:
  enum class Answer : uint8_t {
    kPromised,
    kSeenHigher,  // promised() says which
    kLeased,      // somebody leads for sure until leased_until()
    kNotWhole,
  };

  Voter() = default;
  // As it was stored.
  explicit Voter(Ballot promised) : promised_(std::move(promised)) {}

  // Whether all that it ever acknowledged is in its log.
  bool is_whole() const { return is_whole_; }
  void set_whole(bool is_whole) { is_whole_ = is_whole; }
  const Ballot& promised() const { return promised_; }
  // The last ballot that has a byte in this member's log.
  const Ballot& last() const { return last_; }

  // Somebody asks for a promise. The same ballot again is promised again, and who leads is
  // promised a higher one.
  Answer ask(const Ballot& ballot, Instant now);
  // This member itself wants to lead by `ballot`, which is above all that it knows.
  void stand(const Ballot& ballot) { promised_ = ballot; }
  // What of `stream` has come may be acknowledged.
  bool may_acknowledge(const Ballot& stream) const { return stream >= promised_; }
  // A marker has come, or a snapshot whose last ballot this is.
  void on_log(const Ballot& ballot);
  // What is here is another log, whose last ballot is not known.
  void forget_log();
  // An acknowledgement that leaves now grants the leader so much time from when it was last heard:
  // until then nobody else is promised anything.
  void grant(Instant until);
  // The leader has given it back (a planned switch): it does not lead any more, and will not before
  // it has promises of a new ballot.
  void end_lease() { leased_until_ = 0; }
  Instant leased_until() const { return leased_until_; }
  // A ballot of `member` above all that this one knows.
  Ballot next_of(std::string member) const;

 private:
  bool is_whole_ = false;
  Ballot promised_;
  Ballot last_;
  Instant leased_until_ = 0;
};

// One member's attempt to lead. Its owner sends what is asked and does what is decided.
//
//      kAsking --Q promises--> kFetching --the log is as far as the furthest's--> kMarking
//          \ a higher ballot is known            (not if that is us)               | K have it
//           `--> kLost                                                             `--> kLeads
class Election {
 public:
  enum class Stage : uint8_t { kAsking, kFetching, kMarking, kLeads, kLost };

  // `acks`: K. `self` has promised `ballot` already, and its log ends at `end`; none if it is not
  // whole, and does not count. Requires: acks < members.
  Election(size_t members, size_t acks, Ballot ballot, std::string self,
           const std::optional<LogEnd>& end);

  // Every member at most once counts.
  void on_promise(const std::string& member, const LogEnd& end);
  void on_seen_higher(const Ballot& ballot);
  // The log has grown to `end`, from source().
  void on_fetched(const LogEnd& end);
  // K replicas have the marker.
  void on_marker_acked() {
    if (stage_ == Stage::kMarking) stage_ = Stage::kLeads;
  }
  // Given up: somebody it needs is gone, or the time is over.
  void give_up() { stage_ = Stage::kLost; }

  Stage stage() const { return stage_; }
  const Ballot& ballot() const { return ballot_; }
  size_t promises_needed() const { return needed_; }
  size_t promises() const { return promised_.size(); }
  // From whom what is missing is to be taken, and how far. While kFetching.
  const std::string& source() const { return furthest_; }
  const LogEnd& goal() const { return goal_; }
  // The highest ballot that a refusal told of.
  const Ballot& seen() const { return seen_; }

 private:
  void count();

  Stage stage_ = Stage::kAsking;
  size_t needed_;
  Ballot ballot_;
  std::string self_;
  std::vector<std::string> promised_;
  std::string furthest_;
  LogEnd goal_;
  Ballot seen_;
};

}  // namespace ouro
