// SPDX-License-Identifier: BSD-3-Clause
// SimWorld: simulated machines, the network between them, and the one clock that they share.
//
//      events   [ (due, order) -> what ]        what the world does: bytes arrive, disks finish
//      machines [ loop, disk, wall clock ]      what programs do: turns
//
//      step():  a machine has work?  -> one turn of each that has
//               else                 -> the clock jumps to the next event or awakening
//
// Nothing waits for real, and all chance comes from one seed: the same seed gives the same run,
// byte for byte, and trace_hash() tells whether two runs were the same. A turn takes no virtual
// time. Not for two threads.
//
// A program is a function that runs one turn (SimMachine::set_program) and is called whenever its
// loop has work. A test may also call a loop itself, from outside of all turns: then run_once waits
// by letting the world go on, which takes at least a microsecond.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"
#include "sim/sim_disk.h"
#include "sim/sim_net.h"

namespace ouro {

class SimLoop;
class SimWorld;

class SimMachine {
 public:
  SimMachine(SimWorld& world, int number);
  ~SimMachine();

  int number() const { return number_; }
  SimWorld& world() { return world_; }
  SimLoop& loop() { return *loop_; }
  SimDisk& disk() { return disk_; }

  // What runs a turn; empty: nothing runs here.
  void set_program(std::function<void()> turn) { turn_ = std::move(turn); }

  Micros wall_micros() const;
  // The wall clock is set forward, or backward if `by` is negative. Timers do not care.
  void step_wall_clock(Millis by) { wall_offset_ += by; }

  // Its program does nothing for so long (SIGSTOP), while the clock and the network go on.
  void stand_still(Micros span);

  // The power fails: sockets vanish, operations in flight end with -ECANCELED and without effect,
  // later ones with -EIO. What of the disk stays is up to `kept`. The program is still to be
  // destroyed by its owner; then restart().
  void crash(CrashKeeps kept);
  // A new loop over the same disk.
  void restart();

 private:
  friend class SimWorld;

  SimWorld& world_;
  int number_;
  Millis wall_offset_ = 0;
  Instant stands_until_ = 0;
  SimDisk disk_;
  std::unique_ptr<SimLoop> loop_;
  std::function<void()> turn_;
};

class SimWorld {
 public:
  explicit SimWorld(uint64_t seed);
  ~SimWorld();
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  SimMachine& add_machine();
  SimMachine& machine(size_t number) { return *machines_[number]; }
  SimNet& net() { return net_; }
  Prng& prng() { return prng_; }
  Instant now() const { return now_; }

  // Runs `what` when the clock says `due`; equal ones in the order of these calls.
  void at(Instant due, std::function<void()> what);
  void after(Micros delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  // Until `done`, which is asked after each step; false if that takes longer than `limit`.
  template <class Done>
  bool run_until(Done done, Millis limit) {
    const Instant end = now_ + limit * 1000;
    while (!done()) {
      if (!step(end)) return done();
    }
    return true;
  }
  void run_for(Micros span);

  // For loops: waits until the loop has work, at most until `end`. From inside of a turn only the
  // world goes on, all programs stand still.
  void wait_for(const SimLoop& loop, Instant end);
  bool in_turn() const { return in_turn_; }

  // Everything that happens is mixed in here.
  void trace(ByteView what, uint64_t a, uint64_t b = 0);
  void trace_bytes(ByteView bytes);
  uint64_t trace_hash() const { return trace_hash_; }

 private:
  struct Event {
    Instant due;
    uint64_t order;
    std::function<void()> what;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.due != b.due ? a.due > b.due : a.order > b.order;
    }
  };

  bool step(Instant end);
  bool run_turns();
  void run_due_events();

  // Turns without a step of the clock: more means that a program never comes to rest.
  static constexpr uint64_t kTurnsAtOnceMax = 1'000'000;

  Instant now_ = 1'000'000'000;  // a machine has been up for a while
  Prng prng_;
  std::vector<Event> events_;  // a heap
  uint64_t orders_ = 0;
  uint64_t trace_hash_ = 0;
  uint64_t turns_at_once_ = 0;
  bool in_turn_ = false;
  SimNet net_;
  std::vector<std::unique_ptr<SimMachine>> machines_;
};

}  // namespace ouro
