// SPDX-License-Identifier: BSD-3-Clause
// Server: builds the parts of a running node and wires them. Nothing below can name it; there are
// no globals, so several servers live in one process (the simulation does that). Every clock comes
// from the loop, and the stopwatch from whoever builds the server.
//
//   Loop --accept--> Client{Session, Connection}    all sessions' batch runs once a turn: tick.cc
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/app/allocator.h"
#include "server/app/aof_driver.h"
#include "server/app/candidate.h"
#include "server/app/loader.h"
#include "server/app/migrator.h"
#include "server/app/oom_score.h"
#include "server/app/options.h"
#include "server/app/primary_link.h"
#include "server/app/replica_sync.h"
#include "server/app/snapshot_driver.h"
#include "server/app/turn_times.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"
#include "server/io/loop.h"
#include "server/io/relaunch.h"
#include "server/io/signals.h"
#include "server/net/connection.h"
#include "server/net/flush.h"
#include "server/net/listener.h"

namespace ouro {

class Server final : public Host, public AcceptSink, public SignalSink {
 public:
  struct Setup {
    Loop& loop;
    Stopwatch& stopwatch;  // outlives the server; refined once a second
    Allocator& allocator;  // outlives the server
    Logger& log;
    Options& options;
    Config& config;
    uint64_t seed;
    std::string run_id;
    std::string io_reason;
    std::string program = {};            // as it was called: the title's first word
    const Relaunch* relaunch = nullptr;  // how it is started anew; outlives the server. None: never
    bool handle_signals = true;
  };
  explicit Server(const Setup& setup);
  ~Server() override;

  // Defines the users, opens the sockets, takes the names of its files and begins to load what was
  // kept; false when that cannot be, with the reason in the log.
  bool start();
  // Turns until the end; false if that is no orderly one: loading has failed, or what was to be
  // saved is not.
  bool run();
  // One turn; waits at most wait_max for something to happen.
  void turn(Millis wait_max);
  bool is_stopping() const { return stopping_; }
  // What is to follow an orderly end is another beginning, so many milliseconds later.
  std::optional<Millis> restarts_after() const { return restarts_after_; }
  bool is_loading() const { return !is_loaded_; }
  // Open files that are not clients: log, files, the ring, listeners.
  static constexpr uint64_t kOwnDescriptors = 32;
  // Of `wanted` clients, so many as the limit on open files allows, which is raised as far as the
  // system lets it.
  static uint64_t clients_that_fit(uint64_t wanted);

  Engine& engine() { return engine_; }
  uint16_t port() const { return listeners_.port(); }

  // ---- Host
  HostInfo info() override;
  void append_info(ByteView section, std::string& out) override;
  void reset_stats() override {
    turn_meter_.reset();
    flush_list_.totals = {};
  }
  Status shutdown(ShutdownRequest request, std::string& error) override;
  Status abort_shutdown() override;
  Status restart(RestartRequest request, std::string& error) override;
  void end_in_failure(const std::string& why) override;
  Status save(SaveRequest request, bool& scheduled, std::string& error) override;
  CancelledSave cancel_save() override { return snapshots_.cancel(); }
  Status reload(ReloadRequest request, std::string& error) override;
  void on_all_flushed() override { snapshots_.on_all_flushed(); }
  Status rewrite_log(RewriteRequest request, bool& scheduled, std::string& error) override;
  Status load_log(std::string& error) override;
  Status migrate(Migration& migration, std::string& error) override;
  void break_off_migration() override { migrator_.break_off(); }
  size_t migration_connections() const override { return migrator_.kept(); }
  void run_exclusive() override;
  bool pump() override;
  void on_role_changed() override;
  void purge_memory() override { allocator_.purge(); }
  void return_memory_at_once(bool wanted) override { allocator_.return_at_once(wanted); }
  void stand_still(Micros micros) override { loop_.stand_still(micros); }
  Status rewrite_config(RewriteScope scope, std::string& error) override;
  Status read_file(const std::string& path, std::string& bytes, std::string& error) override;
  Status replace_file(const std::string& path, ByteView bytes, std::string& error) override;
  void fill_random(std::span<unsigned char> bytes) override;
  Status apply_config(ByteView name, std::string& error) override;

 private:
  struct Client;
  using ClientList = std::list<Client, HeapAllocator<Client>>;

  void begin_engine_turn();
  void on_accepted(SocketFd fd, const Listener& from) override;
  void on_signal(Signal signal) override;
  void end_at_once();
  ListenOptions listen_options() const;
  bool open_tcp_listeners();
  bool open_unix_listener();
  ByteView refusal_of(const Address& peer) const;
  void every_second();
  void purge_when_idle();
  Millis wait_for(Millis wait_max) const;
  Millis wait_until(Instant due, Millis wait_max) const;
  bool hold_what_is_kept(std::string& error);
  bool waits_for_replicas(const ShutdownRequest& request) const;
  Status begin_shutdown(const ShutdownRequest& request, std::string& error);
  void shutdown_if_waited();
  void wait_no_more();
  Status change_folder(std::string& error);
  void apply_crash_log();
  bool apply_oom_score();
  void apply_title();
  void tell_ready();
  void follow_as_configured();
  void load();
  void on_loaded(const std::string& problem);
  bool saves_at_end(const ShutdownRequest& request) const;
  void shutdown_if_asked();
  void end_after_save(bool is_forced, const std::string& problem);
  void stop();
  void erase_departed();
  void erase(Client& client);

  Loop& loop_;
  Allocator& allocator_;
  Logger& log_;
  Options& options_;
  Config& config_;
  std::string run_id_;
  std::string io_reason_;
  std::string program_;
  const Relaunch* relaunch_;
  UnixMs started_;
  Engine engine_;
  FlushList flush_list_;
  Listeners listeners_;
  std::unique_ptr<Signals> signals_;
  ClientList clients_;
  Loader loader_;
  SnapshotDriver snapshots_;
  AofDriver aof_;
  Migrator migrator_;
  Names names_;
  PrimaryLink primary_link_;
  ReplicaSync replica_sync_;
  Candidate candidate_;
  // While load() turns the loop nobody's commands are run, so nobody is heard: who connects then
  // becomes a client after it.
  struct Early {
    SocketFd fd;
    const Listener* from;
  };
  bool is_looking_ = false;
  std::vector<Early> early_;
  bool is_loaded_ = false;
  bool load_failed_ = false;
  // By a signal, at a moment when a snapshot could not be made.
  std::optional<ShutdownRequest> asked_to_stop_;
  std::optional<ShutdownRequest> waits_to_stop_;  // for replicas, until stop_at_
  Instant stop_at_ = kNever;
  std::optional<Millis> restarts_after_;
  bool is_signalled_ = false;   // what was asked for so is still to come, or under way
  bool is_broken_off_ = false;  // it was not waited for, or something has failed
  OomAdjuster oom_adjuster_;
  TurnMeter turn_meter_;
  Instant next_second_ = 0;
  // See purge_when_idle().
  uint64_t commands_seen_ = 0;
  bool was_idle_ = false;
  size_t purged_to_bytes_ = 0;
  size_t bytes_of_departed_ = 0;  // clients, since memory was last looked at for them
  bool stopping_ = false;
  bool busy_ = false;  // slices have more to do
  bool pumping_ = false;
  // Gone while a script was busy, which may be one of theirs.
  std::vector<Client*> departed_;
};

}  // namespace ouro
