// SPDX-License-Identifier: BSD-3-Clause
// Candidate: the connections of an election. It dials the other semi-sync-members, asks each for a
// promise (replication/canvass.h), tells what they say to the Election, and once the ballot has
// begun tells them to follow.
//
// Whoever cannot be reached, or promises nothing now, is asked again as long as it would count.
// What is said is for one ballot: for another the connections are made anew.
#pragma once

#include <list>

#include "replication/canvass.h"
#include "server/app/options.h"
#include "server/engine/engine.h"
#include "server/io/names.h"
#include "server/net/connection.h"
#include "server/net/dialer.h"
#include "server/net/flush.h"

namespace ouro {

class Candidate final {
 public:
  Candidate(Loop& loop, FlushList& flush_list, Engine& engine, const Options& options,
            Names& names);
  ~Candidate();  // requires is_idle()

  // Once a turn, ahead of the clients' commands.
  void turn();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  // Closes everything; the loop has let go when is_idle().
  void stop();
  bool is_idle() const { return others_.empty(); }

 private:
  class Member;
  static constexpr Micros kAgainAfter = 50'000;
  // Where it is, is being looked up.
  static constexpr Micros kAgainSoonAfter = 5'000;

  Canvass::Login login() const;
  void begin(const Ballot& ballot);
  void end();

  Loop& loop_;
  FlushList& flush_list_;
  Engine& engine_;
  const Options& options_;
  Names& names_;
  Ballot ballot_;             // none: nobody is asked
  std::list<Member> others_;  // those that are closing, too
  bool is_stopped_ = false;
};

}  // namespace ouro
