// SPDX-License-Identifier: BSD-3-Clause
// Names: where hosts are that are called by name. A name server may be silent for many seconds, so
// the C library's own threads ask it (getaddrinfo_a), and who wants to know comes again. What was
// found once counts until somebody has reason to doubt it, and then until the new answer is there.
// A numeric address needs none of that. Not for two threads.
#pragma once

#include <list>
#include <optional>
#include <string>

#include "server/io/address.h"

namespace ouro {

class Names {
 public:
  Names();
  // Questions that are not answered yet are left to the C library.
  ~Names();
  Names(const Names&) = delete;
  Names& operator=(const Names&) = delete;

  struct Answer {
    std::optional<Address> address = {};
    bool is_asked = false;  // no address yet: ask again soon. Else nobody knows one.
  };
  Answer find(const std::string& host, uint16_t port);
  // Nobody answered there, or not as wanted.
  void doubt(const std::string& host);

 private:
  struct Question;
  struct Known;
  // A node talks to its primary, the one before, and members that elect (64); beyond that the
  // oldest one goes.
  static constexpr size_t kNamesMax = 100;

  using Iterator = std::list<Known>::iterator;
  Iterator look(const std::string& host);
  Iterator add(const std::string& host);
  static void settle(Known& known);

  std::list<Known> names_;  // the newest in front
};

}  // namespace ouro
