// SPDX-License-Identifier: BSD-3-Clause
// Overlay: what a script has changed that is to leave no trace (SCRIPT DEBUG YES), kept beside the
// databases while others use them.
//
//      databases       key: theirs     enter()      key: the script's      leave()     key: theirs
//      this            key: the        ------->     key: theirs            ------>     key: the
//                           script's                                                       script's
//
// Before a command writes to a key for the first time, the value is copied, as COPY does it. While
// the script is in, nobody hears of what it does: no effect is logged, no event is sent.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/engine/engine.h"

namespace ouro {

class Overlay {
 public:
  // Keys: all are moved at each end of each slice of the script's, half a microsecond each, while
  // nobody else is served.
  static constexpr size_t kKeysMax = 2000;
  // What all values of the script and all names take, with the room that they grew by. They are
  // copied in one go, at about a gigabyte a second.
  static constexpr size_t kBytesMax = 64_MiB;

  explicit Overlay(Engine& engine) : engine_(engine) {}
  ~Overlay();
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  void enter();
  void leave();
  // Before a command runs for the caller's database `db`. Returns why it may not, or null.
  // Requires: the script is in.
  const char* admit(const CommandSpec& spec, Argv argv, DbIndex db);
  // Behind each command that was admitted: its values have another weight now. Returns why the
  // script may not go on, or null: before it runs nobody knows what a command takes.
  const char* weigh(const CommandSpec& spec, Argv argv, DbIndex db);

 private:
  // What is not in the database at this moment: the script's, or, while the script is in, theirs.
  struct Held {
    DbIndex db;
    std::string name;
    std::optional<Value> value = {};
    UnixMs deadline = 0;
    uint32_t access = 0;
    size_t bytes = 0;  // that the script's value takes
  };
  using Place = std::pair<DbIndex, ByteView>;

  void exchange();
  void exchange(Held& held);
  static bool is_before(const Held& held, const Place& place) {
    return Place(held.db, held.name) < place;
  }
  Held* find(const Place& place);
  bool add(DbIndex db, ByteView name);
  void end_what_is_due(DbIndex db, const Key& key);
  void weigh(Held& held);
  void for_each_place(const CommandSpec& spec, Argv argv, DbIndex db,
                      FunctionRef<void(const Place&)> visit) const;
  size_t bytes() const { return value_bytes_ + name_bytes_; }

  Engine& engine_;
  std::vector<Held> held_;  // sorted by database and name
  size_t value_bytes_ = 0;  // of the script's
  size_t name_bytes_ = 0;
  uint64_t changes_before_ = 0;
};

}  // namespace ouro
