// SPDX-License-Identifier: BSD-3-Clause
// ClientMemory: keeps what all clients claim together (CLIENT LIST's tot-mem) below
// maxmemory-clients, by closing the largest. Clients that said NO-EVICT count, as in Redis, but
// stay.
//
// A session is looked at when something has happened to it: it says so by note(), and as the next
// turn begins keep_limit() counts those anew. That is as in Redis before the next command, and
// after the answers of those before have left: an answer that its client takes closes nobody, and
// what CLIENT LIST tells is what was compared. Output that is still there shrinks unseen: such
// sessions are counted again before anybody is closed for them.
//
// Sessions stand in classes by powers of two of what they claim, and one of the highest class goes
// first: which of them does not matter, and nothing has to be sorted.
//
// Cost: nothing without a limit; else some 30 ns for each session that was fed in a turn.
#pragma once

#include <cstdint>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/units.h"

namespace ouro {

class Engine;
class Session;

class ClientMemory {
 public:
  // A session's part in this, kept inside it.
  struct Share {
    size_t bytes = 0;  // as counted last
    uint32_t place = 0;
    uint8_t size_class = kNoClass;
    bool noted = false;
    bool sending = false;
  };

  explicit ClientMemory(Engine& engine) : engine_(engine) {}

  // maxmemory-clients or maxmemory has changed.
  void apply_limit();
  bool is_limited() const { return limit_bytes_ != kNoLimit; }

  // What this session claims may have changed.
  void note(Session& session) {
    if (is_limited()) [[unlikely]]
      add_noted(session);
  }
  // A session goes, or is about to.
  void forget(Session& session);
  // Counts what was noted and closes clients while the limit does not hold, so many a turn.
  void keep_limit();
  // It does not hold, and there is somebody to close.
  bool has_more() const;

  size_t counted_bytes() const { return counted_bytes_; }
  // Of each class, the lowest first: whom it has, by what they claim.
  struct ClassFacts {
    size_t begin, end;  // end: SIZE_MAX for the last
    size_t clients, bytes;
  };
  void for_each_class(FunctionRef<void(const ClassFacts&)> visit) const;
  void check_invariants() const;

 private:
  static constexpr size_t kNoLimit = ~size_t{0};
  // As in Redis: below, the server could not be talked to any more.
  static constexpr size_t kLimitLeast = 128_KiB;
  // Closing one takes about a microsecond.
  static constexpr size_t kClosedMax = 256;
  static constexpr uint8_t kClasses = 20;  // below 32 KiB, 64 KiB, ... from 8 GiB on
  static constexpr uint8_t kNoClass = kClasses;

  void add_noted(Session& session);
  void count(Session& session);
  void count_sending();
  void set_class(Session& session, uint8_t size_class);
  Session* find_largest() const;
  void close(Session& session);

  Engine& engine_;
  size_t limit_bytes_ = kNoLimit;
  size_t counted_bytes_ = 0;
  std::vector<Session*> noted_;
  std::vector<Session*> sending_;  // may claim less than was counted
  std::vector<Session*> classes_[kClasses];
};

}  // namespace ouro
