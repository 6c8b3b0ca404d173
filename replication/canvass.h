// SPDX-License-Identifier: BSD-3-Clause
// Canvass: what one who wants to lead says to another of semi-sync-members. An Endpoint, so that
// tests cut the bytes at every place.
//
//      AUTH ...                              if there is a password
//      REPLCONF ouro-over <replication id>   if who led that stream has handed over: its lease ends
//      REPLCONF ouro-promise <marker>        (ouro-renew: by who leads already)
//                                            +PROMISED <offset> <marker of its last ballot, or ->
//                                            -SEENHIGHER <marker>, -LEASED, -NOTWHOLE: not now
//      REPLCONF ouro-follow <marker>         once the ballot has begun: follow me
//
// What it is told it says to nobody by itself: its owner looks at answer(), and asks again.
#pragma once

#include <string>

#include "datastructs/base/endpoint.h"
#include "replication/ballot.h"

namespace ouro {

class Canvass final : public Endpoint {
 public:
  enum class Answer : uint8_t { kNone, kPromised, kSeenHigher, kNotNow };

  struct Login {
    ByteView user = {}, password = {};  // empty if none are needed
  };
  // Asks at once. renews: who asks leads already. over: whose leadership is over, by its own will;
  // empty: nobody's that is known.
  Canvass(Heap& heap, const Ballot& ballot, bool renews, std::string over, const Login& login);

  // Requires: the last question is answered.
  void ask();
  void tell_to_follow();
  // To the last question.
  Answer answer() const { return answer_; }
  // Where the log of who promised ends.
  const LogEnd& end() const { return end_; }
  // What it promised to somebody else.
  const Ballot& seen() const { return seen_; }
  bool is_closed() const { return is_closed_; }

  // ---- Endpoint
  void on_bytes(ByteView bytes) override;
  void on_closed(ByteView why) override;
  EndpointState state() const override {
    return is_closed_ ? EndpointState::kDoomed : EndpointState::kOpen;
  }
  OutBuffer& out() override { return out_; }

 private:
  void say(std::initializer_list<ByteView> words);
  void on_line(ByteView line);

  OutBuffer out_;
  std::string marker_;
  bool renews_;
  std::string over_;
  std::string line_;        // as far as it has come
  size_t passed_over_ = 0;  // answers ahead of that to the question
  Answer answer_ = Answer::kNone;
  LogEnd end_;
  Ballot seen_;
  bool is_closed_ = false;
};

}  // namespace ouro
