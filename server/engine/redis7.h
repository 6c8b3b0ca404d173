// SPDX-License-Identifier: BSD-3-Clause
// Redis7: whether Redis 7.0 could go on from here: load the log and the data, follow the stream.
//
//      yes --note()--> no --a rewrite of the log has met only what 7.0 knows--> yes
//
// note() is said of each change that it has no words for (a filter, a field or member with a
// deadline), whether somebody keeps it or not, and of each such value that is loaded. All other
// changes are left in its words (effect.h); so what is here from before a change was noted is in
// its words, too. Whoever follows and has not said that it is an ouro is closed meanwhile
// (Replication::push), and may not begin (PSYNC).
#pragma once

#include <cstdint>

#include "datastructs/base/log.h"

namespace ouro {

class Redis7 {
 public:
  explicit Redis7(Logger& log) : log_(log) {}

  bool can_read() const { return can_read_; }
  // `what`: a command, or another word for what it does not know.
  void note(ByteView what);
  // How often that was said; a rewrite asks at its moment.
  uint64_t noted() const { return noted_; }
  // A rewrite is in its place, in whose base 7.0 knows everything.
  void on_rewritten(uint64_t noted_at_moment);

 private:
  Logger& log_;
  bool can_read_ = true;
  uint64_t noted_ = 0;
};

}  // namespace ouro
