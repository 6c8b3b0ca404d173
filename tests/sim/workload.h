// SPDX-License-Identifier: BSD-3-Clause
// Commands at random, and what is known of their replies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"

namespace ouro {

// The reply to come: a text that is known, or any one.
struct AwaitedReply {
  std::string command;  // its first words, for whoever reads of a failure
  std::optional<std::string> text;
};

// Some commands that belong together, and their replies. Pushes may come in between.
struct WorkUnit {
  std::string bytes;
  std::vector<AwaitedReply> replies;
};

// Units for clients that speak RESP3. They change keys of databases 0 and 1 that all clients share;
// what a client keeps in database 2 is its own, so there the replies are known, unless the server
// evicts or refuses (`with_own` false leaves these out).
class Workload {
 public:
  Workload(Prng& prng, bool with_own) : prng_(prng), with_own_(with_own) {}

  WorkUnit draw(uint64_t client);

 private:
  using Words = std::vector<std::string>;

  void add(WorkUnit& unit, const Words& words, std::optional<std::string> reply = {});
  void add_own(WorkUnit& unit, uint64_t client);
  void add_transaction(WorkUnit& unit);
  Words draw_command();
  Words draw_blocking();
  std::string key(const char* kind);
  std::string value();
  std::string number(uint64_t bound) { return std::to_string(prng_.below(bound)); }

  Prng& prng_;
  bool with_own_;
  uint64_t sequence_ = 0;
};

}  // namespace ouro
