// SPDX-License-Identifier: BSD-3-Clause
// Server: its part in keeping the data. Whose folder it is, what is loaded before clients are
// served, what is saved before the end.
#include <cerrno>
#include <cinttypes>
#include <cstring>
#include <utility>

#include "server/app/server.h"
#include "server/engine/cache_rules.h"
#include "server/io/process.h"

namespace ouro {
namespace {

constexpr const char* kCannotRestart = "ERR failed to restart the server. Check server logs.";

}  // namespace

// A snapshot beside a log is held when it is written, since the log has the data.
bool Server::hold_what_is_kept(std::string& error) {
  if (options_.aof.appendonly) return aof_.hold(error);
  return !snapshots_.has_save_points() || snapshots_.hold(error);
}

// `dir` has changed.
Status Server::change_folder(std::string& error) {
  if (engine_.leadership.is_on()) {
    error = "what semi-sync-members have promised stays in the folder where it is";
    return Err::kInvalid;
  }
  if (const int code = change_directory(options_.app.dir); code != 0) {
    error = strerrordesc_np(code);
    return Err::kIo;
  }
  options_.app.dir = current_directory();
  return hold_what_is_kept(error) ? Status::ok() : Status(Err::kIo);
}

// Waits for as long as it takes to see that there is nothing to load, so that a server without data
// tells no client of loading.
void Server::load() {
  if (options_.aof.appendonly) {
    aof_.load([this](const std::string& problem) { on_loaded(problem); });
  } else {
    snapshots_.load([this](const std::string& problem) { on_loaded(problem); });
  }
  is_looking_ = true;
  while (!is_loaded_ && !load_failed_ && (!loader_.busy() || loader_.is_opening_first())) {
    loop_.run_once(10);
    (void)aof_.turn();
  }
  is_looking_ = false;
  for (const Early& early : std::exchange(early_, {})) on_accepted(early.fd, *early.from);
}

// What could not be loaded is the log's last line, as in Redis: tools look for it there.
void Server::on_loaded(const std::string& problem) {
  load_failed_ = !problem.empty();
  if (load_failed_) {
    if (!stopping_) log_.write(LogLevel::kWarning, problem);
    stopping_ = true;
    return;
  }
  is_loaded_ = true;
  end_loading_of_cache_rules(engine_);
  log_.write(LogLevel::kNotice, "Ready to accept connections");
  tell_ready();
  turn_meter_.begin(loop_.thread_cpu());
}

Status Server::save(SaveRequest request, bool& scheduled, std::string& error) {
  return snapshots_.save(request, scheduled, error);
}

Status Server::reload(ReloadRequest request, std::string& error) {
  return snapshots_.reload(request, error);
}

Status Server::rewrite_log(RewriteRequest request, bool& scheduled, std::string& error) {
  return aof_.rewrite(request, scheduled, error);
}

Status Server::load_log(std::string& error) { return aof_.reload(error); }

bool Server::saves_at_end(const ShutdownRequest& request) const {
  // What is half loaded must not take the place of what is whole.
  return is_loaded_ && !request.no_save && (request.save || snapshots_.has_save_points());
}

Status Server::shutdown(ShutdownRequest request, std::string& error) {
  if (waits_to_stop_) return Err::kBlocked;
  log_.write(LogLevel::kWarning, "User requested shutdown...");
  if (!waits_for_replicas(request)) return begin_shutdown(request, error);
  log_.write(LogLevel::kNotice, "Waiting for replicas before shutting down.");
  waits_to_stop_ = request;
  stop_at_ = loop_.now() + options_.app.shutdown_timeout_seconds * 1'000'000;
  // What is written from now on would be what they miss.
  engine_.clients.pause(Clients::PausedBy::kShutdown, Clients::Pause::kWrite, kNever);
  return Err::kBlocked;
}

bool Server::waits_for_replicas(const ShutdownRequest& request) const {
  return !request.now && options_.app.shutdown_timeout_seconds > 0 && engine_.replication.leads() &&
         engine_.replication.count_behind() > 0;
}

Status Server::begin_shutdown(const ShutdownRequest& request, std::string& error) {
  engine_.replication.log_lag();
  if (!aof_.may_stop(request.force)) return Err::kIo;
  if (!saves_at_end(request)) {
    stopping_ = true;
    return Status::ok();
  }
  if (!snapshots_.hold(error) && !request.force) return Err::kIo;
  log_.write(LogLevel::kNotice, "Saving the final RDB snapshot before exiting.");
  // What is acknowledged from now on would not be in it.
  engine_.exclusive.hold();
  snapshots_.save_at_end([this, is_forced = request.force](const std::string& problem) {
    end_after_save(is_forced, problem);
  });
  return Status::ok();
}

// Replicas are not waited for, as in Redis: the server is back soon.
Status Server::restart(RestartRequest request, std::string& error) {
  error = kCannotRestart;
  const int code = relaunch_ == nullptr ? ENOTSUP : relaunch_->check();
  if (code != 0) {
    log_.print(LogLevel::kWarning, "Can't restart: the program cannot be run: %s",
               strerrordesc_np(code));
    return Err::kIo;
  }
  log_.print(LogLevel::kWarning, "Restart by a client %s, after %" PRId64 " ms",
             request.in_order ? "in order" : "as after a crash", request.delay);
  if (!request.in_order) relaunch_->run(request.delay);
  std::string why;
  const bool is_written =
      options_.app.config_file.empty() || rewrite_config(RewriteScope::kWhatDiffers, why).is_ok();
  if (is_written && !waits_to_stop_ && begin_shutdown({.now = true}, why).is_ok()) {
    restarts_after_ = request.delay;
    return Status::ok();
  }
  log_.print(LogLevel::kWarning, "Can't restart: %s",
             why.empty() ? "errors trying to shut down the server" : why.c_str());
  return Err::kIo;
}

// Replicas have it all, or their time is over.
void Server::shutdown_if_waited() {
  if (!waits_to_stop_ || engine_.exclusive.active()) return;
  if (loop_.now() < stop_at_ && engine_.replication.count_behind() > 0) return;
  std::string error;
  if (begin_shutdown(*waits_to_stop_, error).is_ok()) {
    stop_at_ = kNever;
    return;
  }
  log_.write(LogLevel::kWarning, error.empty() ? "Errors trying to shut down the server." : error);
  wait_no_more();
}

// Whoever asked for the end is told that it does not come.
void Server::wait_no_more() {
  if (!waits_to_stop_) return;
  const CommandSpec* const spec = std::exchange(waits_to_stop_, std::nullopt)->spec;
  stop_at_ = kNever;
  is_signalled_ = false;
  engine_.clients.unpause(Clients::PausedBy::kShutdown);
  for (const auto& [id, session] : engine_.clients.all()) {
    if (session->wait().active && session->wait().spec == spec) engine_.executor.time_out(*session);
  }
}

// Nothing is saved: what could not be kept is the reason.
void Server::end_in_failure(const std::string& why) {
  log_.write(LogLevel::kWarning, why);
  is_broken_off_ = stopping_ = true;
}

void Server::shutdown_if_asked() {
  shutdown_if_waited();
  if (!asked_to_stop_ || engine_.exclusive.active() || engine_.cron_paused) return;
  const ShutdownRequest request = *std::exchange(asked_to_stop_, std::nullopt);
  std::string error;
  if (const Status status = shutdown(request, error);
      status.is_ok() || status.err() == Err::kBlocked)
    return;
  is_signalled_ = false;
  log_.write(LogLevel::kWarning, error.empty() ? "Errors trying to shut down the server." : error);
}

void Server::end_after_save(bool is_forced, const std::string& problem) {
  stopping_ = problem.empty() || is_forced;
  if (problem.empty()) return;
  log_.write(LogLevel::kWarning, stopping_ ? "Error trying to save the DB. Exit anyway."
                                           : "Error trying to save the DB, can't exit.");
  if (stopping_) return;
  is_signalled_ = false;
  wait_no_more();
  const bool was_restart = std::exchange(restarts_after_, std::nullopt).has_value();
  engine_.exclusive.end(was_restart ? kCannotRestart
                                    : "ERR Errors trying to SHUTDOWN. Check logs.");
}

// One that waits: for replicas, for a script that is over its time, or for DEBUG PAUSE-CRON. While
// the snapshot before the end is written nobody's command runs.
Status Server::abort_shutdown() {
  const bool waits = waits_to_stop_ && !engine_.exclusive.active();
  if (!asked_to_stop_ && !waits) return Err::kInvalid;
  asked_to_stop_.reset();
  is_signalled_ = false;
  wait_no_more();
  log_.write(LogLevel::kNotice, "Shutdown manually aborted.");
  return Status::ok();
}

}  // namespace ouro
