// SPDX-License-Identifier: BSD-3-Clause
#include "sim/world.h"

#include <algorithm>

#include "datastructs/base/check.h"
#include "datastructs/base/hash.h"
#include "sim/sim_loop.h"

namespace ouro {
namespace {

// Some day in November 2023, so that a wall clock looks like one.
constexpr UnixMs kWallStart = 1'700'000'000'000;

}  // namespace

SimMachine::SimMachine(SimWorld& world, int number)
    : world_(world),
      number_(number),
      disk_(world.prng()),
      loop_(std::make_unique<SimLoop>(world, *this)) {}

SimMachine::~SimMachine() = default;

Micros SimMachine::wall_micros() const { return (kWallStart + wall_offset_) * 1000 + world_.now(); }

void SimMachine::stand_still(Micros span) { stands_until_ = world_.now() + span; }

void SimMachine::crash(CrashKeeps kept) {
  world_.trace("crash", static_cast<uint64_t>(number_));
  loop_->lose_power();
  disk_.crash(kept);
  turn_ = nullptr;
}

void SimMachine::restart() {
  CHECK(turn_ == nullptr);
  loop_ = std::make_unique<SimLoop>(world_, *this);
}

SimWorld::SimWorld(uint64_t seed) : prng_(seed), net_(*this) {}

SimWorld::~SimWorld() = default;

SimMachine& SimWorld::add_machine() {
  return *machines_.emplace_back(
      std::make_unique<SimMachine>(*this, static_cast<int>(machines_.size())));
}

void SimWorld::at(Instant due, std::function<void()> what) {
  events_.push_back({.due = std::max(due, now_), .order = ++orders_, .what = std::move(what)});
  std::push_heap(events_.begin(), events_.end(), Later());
}

void SimWorld::run_for(Micros span) {
  const Instant end = now_ + span;
  while (step(end)) {
  }
}

// False when nothing is left to be done until `end`; then the clock stands there.
bool SimWorld::step(Instant end) {
  CHECK(!in_turn_);
  if (run_turns()) return true;
  Instant next = events_.empty() ? kNever : events_.front().due;
  for (const auto& machine : machines_) {
    if (machine->turn_)
      next = std::min(next, std::max(machine->loop_->wakes_at(), machine->stands_until_));
  }
  if (next > end) {
    now_ = std::max(now_, end);
    return false;
  }
  if (next > now_) {
    now_ = next;
    turns_at_once_ = 0;
  }
  run_due_events();
  return true;
}

bool SimWorld::run_turns() {
  bool ran = false;
  const size_t count = machines_.size();
  const size_t first = count > 1 ? prng_.below(count) : 0;
  for (size_t i = 0; i < count; ++i) {
    SimMachine& machine = *machines_[(first + i) % count];
    if (!machine.turn_ || std::max(machine.loop_->wakes_at(), machine.stands_until_) > now_)
      continue;
    CHECK(++turns_at_once_ < kTurnsAtOnceMax);
    in_turn_ = true;
    machine.loop_->begin_program_turn();
    machine.turn_();
    in_turn_ = false;
    ran = true;
  }
  return ran;
}

void SimWorld::run_due_events() {
  while (!events_.empty() && events_.front().due <= now_) {
    std::pop_heap(events_.begin(), events_.end(), Later());
    const Event event = std::move(events_.back());
    events_.pop_back();
    event.what();
  }
}

void SimWorld::wait_for(const SimLoop& loop, Instant end) {
  if (!in_turn_) {
    // A turn from outside takes time, so that who only polls comes to an end as well.
    run_for(1);
    while (!loop.has_work() && now_ < end) step(std::min(end, loop.next_timer()));
    return;
  }
  while (!loop.has_work() && now_ < end) {
    const Instant next = events_.empty() ? kNever : events_.front().due;
    now_ = std::max(now_, std::min({end, next, loop.next_timer()}));
    run_due_events();
  }
}

void SimWorld::trace(ByteView what, uint64_t a, uint64_t b) {
  const uint64_t facts[] = {static_cast<uint64_t>(now_), a, b, trace_hash_};
  const ByteView bytes(reinterpret_cast<const char*>(facts), sizeof facts);
  trace_hash_ = hash_bytes(bytes, HashSeed{hash_bytes(what, HashSeed{0})});
}

void SimWorld::trace_bytes(ByteView bytes) {
  trace_hash_ = hash_bytes(bytes, HashSeed{trace_hash_});
}

}  // namespace ouro
