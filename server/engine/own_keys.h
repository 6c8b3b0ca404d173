// SPDX-License-Identifier: BSD-3-Clause
// OwnKeys: keys with a deadline that clients of a writable replica have written. Its primary may
// not know them, so nobody else would tell when they end; all others end when the primary says so.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "server/engine/command.h"

namespace ouro {

class Engine;

class OwnKeys {
 public:
  explicit OwnKeys(Engine& engine) : engine_(engine) {}

  // A client's command has changed something.
  void note_write(DbIndex db, const CommandSpec& spec, Argv argv);
  // Ends what is due, of a few keys in turn.
  void run_slice();
  // The data are others, or this node leads.
  void clear() { keys_.clear(); }
  size_t size() const { return keys_.size(); }

 private:
  static constexpr int kLooks = 20;
  using Place = std::pair<DbIndex, std::string>;

  Engine& engine_;
  std::set<Place> keys_;
  Place next_;  // that, or the first behind it
};

}  // namespace ouro
