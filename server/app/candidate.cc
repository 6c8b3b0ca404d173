// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/candidate.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "server/engine/arg_parser.h"

namespace ouro {

// Another member, for one ballot.
class Candidate::Member final : private DialSink, private ConnectionOwner {
 public:
  Member(Candidate& owner, std::string name)
      : owner_(owner), name_(std::move(name)), dialer_(owner.loop_, *this) {}

  void turn(Election& election) {
    if (talk_ && talk_->canvass.is_closed()) hang_up();
    if (talk_) return hear(election);
    if (is_free() && !is_told_ && owner_.loop_.now() >= again_at_) dial();
  }
  Instant due() const { return is_waiting() && !is_let_go_ ? again_at_ : kNever; }
  void let_go() {
    is_let_go_ = true;
    if (!dialer_.is_idle()) dialer_.cancel();
    if (talk_) hang_up();
  }
  bool is_over() const { return is_let_go_ && is_free(); }

 private:
  struct Talk {
    Talk(Member& member, SocketFd fd)
        : canvass(member.owner_.engine_.heap, member.owner_.ballot_,
                  member.owner_.engine_.leadership.renews(),
                  member.owner_.engine_.leadership.over(), member.owner_.login()),
          connection(member.owner_.loop_, member.owner_.flush_list_, fd, canvass, member) {}
    Canvass canvass;
    Connection connection;
    bool is_idle = false;
    bool asks_again = false;
  };

  std::string host() const { return name_.substr(0, name_.rfind(':')); }
  bool is_free() const { return dialer_.is_idle() && !talk_; }
  bool is_waiting() const { return (is_free() && !is_told_) || (talk_ && talk_->asks_again); }

  void dial() {
    const size_t colon = name_.rfind(':');
    const auto port = static_cast<uint16_t>(*parse_integer(ByteView(name_).substr(colon + 1)));
    const Names::Answer where = owner_.names_.find(host(), port);
    again_at_ = owner_.loop_.now() + (where.is_asked ? kAgainSoonAfter : kAgainAfter);
    if (!where.address) return;
    const Micros timeout = owner_.options_.engine.replication.semi_sync_timeout;
    dialer_.dial(*where.address, timeout, {}, source_address(owner_.options_.app));
  }

  void hear(Election& election) {
    Canvass& canvass = talk_->canvass;
    const bool counts = election.stage() == Election::Stage::kAsking;
    switch (canvass.answer()) {
      case Canvass::Answer::kNone:
        break;
      case Canvass::Answer::kPromised:
        election.on_promise(name_, canvass.end());
        break;
      case Canvass::Answer::kSeenHigher:
        election.on_seen_higher(canvass.seen());
        if (election.stage() == Election::Stage::kLeads)
          return owner_.engine_.leadership.on_seen_by_follower(canvass.seen());
        break;
      case Canvass::Answer::kNotNow:
        counts ? ask_again() : stop_asking();
    }
    const bool has_begun = election.stage() == Election::Stage::kMarking ||
                           election.stage() == Election::Stage::kLeads;
    if (!has_begun || canvass.answer() == Canvass::Answer::kNone) return;
    if (std::exchange(is_told_, true)) return;
    canvass.tell_to_follow();
    talk_->connection.touch();
  }

  void ask_again() {
    if (!std::exchange(talk_->asks_again, true)) again_at_ = owner_.loop_.now() + kAgainAfter;
    if (owner_.loop_.now() < again_at_) return;
    talk_->asks_again = false;
    talk_->canvass.ask();
    talk_->connection.touch();
  }

  void stop_asking() { talk_->asks_again = false; }

  void hang_up() {
    if (talk_->is_idle) return talk_.reset();
    talk_->connection.close("the ballot is another");
  }

  // ---- DialSink
  void on_dialed(SocketFd fd) override {
    talk_.emplace(*this, fd);
    talk_->connection.touch();
  }
  void on_dial_failed(int) override { owner_.names_.doubt(host()); }
  // ---- ConnectionOwner: not to be destroyed from inside of its call
  void on_idle(Connection&) override { talk_->is_idle = true; }

  Candidate& owner_;
  std::string name_;
  Dialer dialer_;
  std::optional<Talk> talk_;
  Instant again_at_ = 0;
  bool is_told_ = false;  // to follow: nothing more is to be said
  bool is_let_go_ = false;

  friend class Candidate;
};

Candidate::Candidate(Loop& loop, FlushList& flush_list, Engine& engine, const Options& options,
                     Names& names)
    : loop_(loop), flush_list_(flush_list), engine_(engine), options_(options), names_(names) {}

Candidate::~Candidate() { CHECK(is_idle()); }

void Candidate::turn() {
  Election* election = is_stopped_ ? nullptr : engine_.leadership.election();
  const bool goes_on = election != nullptr && election->ballot() == ballot_;
  if (!goes_on) end();
  std::erase_if(others_, [](Member& member) {
    if (member.talk_ && member.talk_->is_idle) member.talk_.reset();
    return member.is_over();
  });
  if (election == nullptr) return;
  if (!goes_on) begin(election->ballot());
  for (Member& member : others_) {
    // What one says may have ended it.
    election = engine_.leadership.election();
    if (election == nullptr || election->ballot() != ballot_) return;
    if (!member.is_let_go_) member.turn(*election);
  }
}

Instant Candidate::due() const {
  Instant due = kNever;
  for (const Member& member : others_) due = std::min(due, member.due());
  return due;
}

Canvass::Login Candidate::login() const {
  const ReplicationOptions& options = options_.engine.replication;
  return {.user = options.masteruser, .password = options.masterauth};
}

void Candidate::begin(const Ballot& ballot) {
  ballot_ = ballot;
  for (const std::string& member : engine_.leadership.members()) {
    if (member != engine_.leadership.self()) others_.emplace_back(*this, member);
  }
}

void Candidate::end() {
  ballot_ = {};
  for (Member& member : others_) member.let_go();
}

void Candidate::stop() {
  is_stopped_ = true;
  turn();
}

}  // namespace ouro
