// SPDX-License-Identifier: BSD-3-Clause
// The one visible order of a turn.
#include <algorithm>
#include <utility>

#include "server/app/server.h"
#include "server/io/process.h"

namespace ouro {
namespace {

// The loop wakes at least so often, for what is counted by the second.
constexpr Millis kWaitMax = 100;

// Less than this is not worth a purge of all memory.
constexpr size_t kPurgeBytesMin = 16_MiB;

}  // namespace

void Server::turn(Millis wait_max) {
  loop_.run_once(busy_ ? 0 : wait_for(wait_max));
  // Nobody is to see a part of what was to be loaded.
  if (load_failed_) return;

  begin_engine_turn();
  // 1. What all sessions sent, and whom it woke.
  migrator_.turn();
  candidate_.turn();
  busy_ = primary_link_.turn();
  engine_.run_batch();
  erase_departed();
  // 2. What they changed goes to the log, and the replies that may leave do, before anything that
  // can wait.
  aof_.write();
  engine_.failover.look();
  engine_.replication.push();
  engine_.leadership.look();
  engine_.acked_calls.look();
  flush_list_.flush_all();
  // 3. Bounded slices of expiry and freeing. What they free goes back to the system in pieces of
  // their size: kept for later, all pages of a table that expires would go in one turn.
  allocator_.return_at_once(true);
  busy_ |= engine_.run_slices();
  allocator_.return_at_once(false);
  // 4. What is loaded or saved comes a slice further.
  busy_ |= loader_.turn();
  busy_ |= snapshots_.turn();
  busy_ |= replica_sync_.turn();
  busy_ |= aof_.turn();
  shutdown_if_asked();
  if (loop_.now() >= next_second_) every_second();
  // 5. What the slices made for others (notifications) leaves too.
  flush_list_.flush_all();
  engine_.stats.net_output_bytes += std::exchange(flush_list_.totals.output_bytes, 0);
  turn_meter_.on_turn_end(loop_.now(), loop_.fresh_now(), [this] { return loop_.thread_cpu(); });
}

// Inside of step 1, while a script is over its time: commands that may run then, and their replies.
bool Server::pump() {
  pumping_ = true;
  engine_.batch.begin_nested();
  loop_.pump(0);
  engine_.executor.start_timing();  // the time before is the script's
  engine_.batch.run_nested();
  aof_.turn_beside_script();
  flush_list_.flush_all();
  pumping_ = false;
  return !stopping_;
}

// Inside of step 1, while a script waits for other than its own commands.
void Server::run_exclusive() {
  pumping_ = true;
  while (engine_.exclusive.active()) {
    engine_.batch.begin_nested();
    migrator_.turn();
    flush_list_.flush_all();
    loop_.pump(wait_until(migrator_.due(), kWaitMax));
    engine_.batch.run_nested();  // what came is kept
    if (stopping_) engine_.exclusive.end({});
  }
  pumping_ = false;
}

// How long the loop may sleep: until something is due.
Millis Server::wait_for(Millis wait_max) const {
  const Instant due = std::min({engine_.next_deadline(), next_second_, loader_.due(),
                                snapshots_.due(), aof_.due(), migrator_.due(), primary_link_.due(),
                                replica_sync_.due(), candidate_.due(), stop_at_});
  return wait_until(due, std::min(wait_max, kWaitMax));
}

Millis Server::wait_until(Instant due, Millis wait_max) const {
  const Millis left = (due - loop_.now() + 999) / 1000;
  return std::clamp<Millis>(left, 0, wait_max);
}

void Server::every_second() {
  next_second_ = loop_.now() + 1'000'000;
  engine_.stopwatch.refine();
  engine_.every_second();
  aof_.every_second();
  migrator_.every_second();
  primary_link_.every_second();
  purge_when_idle();
}

// The allocator gives memory back only while it is used: what a burst or a flush leaves would stay
// as long as nobody comes. Looked at once in each idle time, and not again for what stayed.
void Server::purge_when_idle() {
  const bool is_idle = std::exchange(commands_seen_, engine_.stats.commands_processed) ==
                           engine_.stats.commands_processed &&
                       !busy_;
  if (bytes_of_departed_ >= kPurgeBytesMin) {
    // What stayed the last time may be free now, although nobody has asked anything since.
    was_idle_ = false;
    purged_to_bytes_ = 0;
    bytes_of_departed_ = 0;
  }
  if (std::exchange(was_idle_, is_idle) || !is_idle) return;
  const size_t resident = process_facts().resident_bytes;
  const size_t used = engine_.heap.used_bytes();
  purged_to_bytes_ = std::min(purged_to_bytes_, resident);
  if (resident < std::max(used + used / 4, purged_to_bytes_) + kPurgeBytesMin) return;
  allocator_.purge();
  purged_to_bytes_ = process_facts().resident_bytes;
}

bool Server::run() {
  while (!stopping_) turn(kWaitMax);
  // First of all: whoever sees its connection end finds nobody listening any more.
  listeners_.close_all();
  while (!listeners_.is_idle()) turn(kWaitMax);
  // What is given up now has not failed.
  const bool is_orderly = !load_failed_ && !is_broken_off_;
  stop();
  return is_orderly;
}

}  // namespace ouro
