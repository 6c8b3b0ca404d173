// SPDX-License-Identifier: BSD-3-Clause
// AclLog: what was denied lately, newest first (ACL LOG). What is denied again and again by one
// reason within a minute is one entry with a count.
#pragma once

#include <deque>
#include <string>

#include "datastructs/base/units.h"

namespace ouro {

class AclLog {
 public:
  // In the order of kReasonNames and kContextNames.
  enum class Reason : uint8_t { kAuth, kCommand, kKey, kChannel, kDatabase };
  static constexpr size_t kReasons = 5;
  enum class Context : uint8_t { kTopLevel, kMulti, kScript };

  struct Entry {
    uint64_t count = 1;
    Reason reason;
    Context context;
    std::string object;  // the command, key or channel
    std::string user;
    UnixMs at;           // of the last time
    std::string client;  // its line of CLIENT LIST
    // Given by add(): which it is since the server began, and when it happened first.
    uint64_t id = 0;
    UnixMs created = 0;
  };

  void add(Entry entry, size_t entries_max);
  const std::deque<Entry>& entries() const { return entries_; }
  void reset() { entries_.clear(); }

 private:
  // So many of the newest are looked at for one to count up.
  static constexpr size_t kComparedMax = 10;
  static constexpr Millis kSameWithin = 60'000;

  std::deque<Entry> entries_;
  uint64_t next_id_ = 0;
};

ByteView name_of(AclLog::Reason reason);
ByteView name_of(AclLog::Context context);

}  // namespace ouro
