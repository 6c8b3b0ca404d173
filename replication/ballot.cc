// SPDX-License-Identifier: BSD-3-Clause
#include "replication/ballot.h"

#include <algorithm>
#include <utility>

#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

constexpr ByteView kMarkerHead = "ouro:";
constexpr ByteView kNoBallot = "-";

}  // namespace

std::string marker_of(const Ballot& ballot) {
  return std::string(kMarkerHead) + std::to_string(ballot.counter) + ':' + ballot.member;
}

std::optional<Ballot> parse_marker(ByteView word) {
  if (!word.starts_with(kMarkerHead)) return std::nullopt;
  word.remove_prefix(kMarkerHead.size());
  const size_t colon = word.find(':');
  if (colon == ByteView::npos) return std::nullopt;
  const auto counter = parse_uint64(word.substr(0, colon));
  const ByteView member = word.substr(colon + 1);
  if (!counter || *counter == 0 || *counter > Ballot::kCounterMax || member.empty() ||
      member.size() > kMemberBytesMax)
    return std::nullopt;
  return Ballot{.counter = *counter, .member = std::string(member)};
}

std::string text_of(const LogEnd& end) {
  return std::to_string(end.offset) + ' ' +
         (end.ballot.counter == 0 ? std::string(kNoBallot) : marker_of(end.ballot));
}

std::optional<LogEnd> parse_log_end(ByteView text) {
  const size_t blank = text.find(' ');
  if (blank == ByteView::npos) return std::nullopt;
  const auto offset = parse_uint64(text.substr(0, blank));
  const ByteView word = text.substr(blank + 1);
  const std::optional<Ballot> ballot = word == kNoBallot ? Ballot() : parse_marker(word);
  if (!offset || !ballot) return std::nullopt;
  return LogEnd{.ballot = *ballot, .offset = *offset};
}

Voter::Answer Voter::ask(const Ballot& ballot, Instant now) {
  if (!is_whole_) return Answer::kNotWhole;
  if (ballot == promised_) return Answer::kPromised;
  if (ballot < promised_) return Answer::kSeenHigher;
  if (now < leased_until_ && ballot.member != last_.member) return Answer::kLeased;
  promised_ = ballot;
  return Answer::kPromised;
}

void Voter::on_log(const Ballot& ballot) {
  last_ = ballot;
  promised_ = std::max(promised_, ballot);
}

void Voter::forget_log() {
  last_ = {};
  is_whole_ = false;
}

void Voter::grant(Instant until) { leased_until_ = std::max(leased_until_, until); }

Ballot Voter::next_of(std::string member) const {
  return {.counter = std::max(promised_, last_).counter + 1, .member = std::move(member)};
}

Election::Election(size_t members, size_t acks, Ballot ballot, std::string self,
                   const std::optional<LogEnd>& end)
    : needed_(members - acks), ballot_(std::move(ballot)), self_(std::move(self)) {
  CHECK(acks < members);
  if (end) on_promise(self_, *end);
}

void Election::on_promise(const std::string& member, const LogEnd& end) {
  // What comes late is of a member that would not have been needed.
  if (stage_ != Stage::kAsking) return;
  if (std::find(promised_.begin(), promised_.end(), member) != promised_.end()) return;
  promised_.push_back(member);
  if (furthest_.empty() || goal_ < end) {
    goal_ = end;
    furthest_ = member;
  }
  count();
}

void Election::count() {
  if (promised_.size() < needed_) return;
  stage_ = furthest_ == self_ ? Stage::kMarking : Stage::kFetching;
}

void Election::on_seen_higher(const Ballot& ballot) {
  seen_ = std::max(seen_, ballot);
  if (seen_ > ballot_ && stage_ != Stage::kLeads) stage_ = Stage::kLost;
}

void Election::on_fetched(const LogEnd& end) {
  if (stage_ == Stage::kFetching && end >= goal_) stage_ = Stage::kMarking;
}

}  // namespace ouro
