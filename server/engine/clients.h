// SPDX-License-Identifier: BSD-3-Clause
// Clients: the sessions of this server by id, and what concerns them all: CLIENT PAUSE, limits,
// idle timeouts.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "server/engine/caller.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;

class Clients {
 public:
  explicit Clients(Engine& engine) : engine_(engine) {}

  uint64_t take_id() { return ++last_id_; }
  void add(Session& session);
  void remove(Session& session);
  Session* find(uint64_t id) const;
  size_t count() const { return by_id_.size(); }
  // What all clients hold alone, and all but replicas with what their output points at: that of a
  // replica is the stream (Replication::memory()).
  struct Memory {
    size_t held_bytes = 0;
    size_t claimed_bytes = 0;
  };
  Memory memory() const;
  // In the order of their ids.
  const std::map<uint64_t, Session*>& all() const { return by_id_; }

  // ---- pauses: CLIENT PAUSE, and those that the server itself needs. The strongest counts.
  enum class Pause : uint8_t { kNone, kWrite, kAll };
  enum class PausedBy : uint8_t { kCommand, kShutdown, kFailover };
  void pause(PausedBy who, Pause what, Instant until);
  void unpause(PausedBy who);
  Pause paused() const { return pause_; }
  bool is_paused_by(PausedBy who) const {
    return pauses_[static_cast<size_t>(who)].what != Pause::kNone;
  }
  bool must_wait(const Caller& caller, const CommandSpec& spec, Argv argv) const;
  // Its command waits for the end of a pause.
  void add_postponed(Session& session) { postponed_.push_back(&session); }
  // With those that wait for members that are due to go (due_members.h). INFO counts them among the
  // blocked clients, as Redis does.
  size_t postponed_count() const;

  // DEBUG REPLYBUFFER: whether clients give back what their output keeps unused, and for how long a
  // peak of it shows (rbp). every_second() looks. By default that is kOutputPeakLasts, and what is
  // unused goes sooner; a time that was set holds for both.
  static constexpr Micros kOutputPeakLasts = 5'000'000;
  bool shrinks_output = true;
  std::optional<Micros> output_peak_lasts;

  // Closes clients that are idle for too long or over a limit that may last only so long.
  void every_second();
  // Ends what the clock ends.
  void on_turn_end();
  Instant next_deadline() const;

 private:
  Engine& engine_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, Session*> by_id_;
  struct Paused {
    Pause what = Pause::kNone;
    Instant until = 0;
  };
  Pause strongest_pause(Instant now) const;
  void apply_pauses();

  std::array<Paused, 3> pauses_;  // by PausedBy
  Pause pause_ = Pause::kNone;    // of all of them
  std::vector<Session*> postponed_;
};

}  // namespace ouro
