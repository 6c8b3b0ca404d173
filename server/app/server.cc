// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/app/title_template.h"
#include "server/engine/cache_rules.h"
#include "server/engine/version.h"
#include "server/io/crash_report.h"
#include "server/io/process.h"
#include "server/io/process_title.h"
#include "server/io/random_bytes.h"
#include "server/script/tables.h"

namespace ouro {
namespace {

// Buffers of a client above this are of pages of their own.
constexpr size_t kLargeClientBytes = 64_KiB;

bool is_aof_option(ByteView name) {
  return std::any_of(kAofOptions.begin(), kAofOptions.end(),
                     [name](const OptionRow& row) { return row.name == name; });
}

}  // namespace

// One connected client: what it says and how its bytes move. The two are destroyed together, when
// nothing is in flight.
struct Server::Client final : SessionOwner, ConnectionOwner {
  Client(Server& owner, SocketFd fd, Session::Peer peer)
      : server(owner),
        session(owner.engine_, std::move(peer), *this),
        connection(owner.loop_, owner.flush_list_, fd, session, *this) {}

  void on_session_active() override { connection.touch(); }
  void on_idle(Connection&) override {
    if (server.pumping_) {
      server.departed_.push_back(this);
    } else {
      server.erase(*this);
    }
  }

  Server& server;
  Session session;
  Connection connection;
  ClientList::iterator self;
};

Server::Server(const Setup& setup)
    : loop_(setup.loop),
      allocator_(setup.allocator),
      log_(setup.log),
      options_(setup.options),
      config_(setup.config),
      run_id_(setup.run_id),
      io_reason_(setup.io_reason),
      program_(setup.program),
      relaunch_(setup.relaunch),
      started_(setup.loop.wall_now()),
      engine_({.options = setup.options.engine,
               .tables = all_tables_with_scripts(),
               .seed = setup.seed,
               .stopwatch = setup.stopwatch,
               .log = setup.log,
               .host = *this,
               .config = setup.config}),
      listeners_(setup.loop, setup.log, *this),
      clients_(HeapAllocator<Client>(engine_.heap)),
      loader_(setup.loop, engine_),
      snapshots_(setup.loop, loader_, engine_, setup.options.app),
      aof_(setup.loop, loader_, engine_, setup.options),
      migrator_(setup.loop, flush_list_, engine_, setup.options.app),
      primary_link_(setup.loop, flush_list_, loader_, snapshots_, aof_, engine_, setup.options,
                    names_),
      replica_sync_(setup.loop, snapshots_, engine_, setup.options.app),
      candidate_(setup.loop, flush_list_, engine_, setup.options, names_) {
  begin_engine_turn();
  engine_.persistence.last_save = started_;
  if (setup.handle_signals) signals_ = std::make_unique<Signals>(loop_, *this);
  apply_crash_log();
}

Server::~Server() { stop(); }

uint64_t Server::clients_that_fit(uint64_t wanted) {
  const uint64_t descriptors = raise_descriptor_limit(wanted + kOwnDescriptors);
  return std::min(descriptors - std::min(descriptors, kOwnDescriptors), wanted);
}

bool Server::start() {
  if (std::string error; !rename_commands(engine_, error)) {
    log_.print(LogLevel::kWarning, "Cannot rename commands: %s", error.c_str());
    return false;
  }
  if (std::string error; !engine_.acl.load_at_start(error)) {
    log_.print(LogLevel::kWarning, "Cannot define the users: %s", error.c_str());
    return false;
  }
  if (std::string error; !load_cache_rules(engine_, error)) {
    log_.print(LogLevel::kWarning, "Cannot set the cache rules: %s", error.c_str());
    return false;
  }
  // The loop turns while the log is looked for: before anybody can connect, whose commands it would
  // hand out. What is wrong is told behind the lines that are expected of every start.
  std::string held_by;
  const bool is_held = hold_what_is_kept(held_by);
  const bool has_good_log = is_held && aof_.look();
  if (!open_tcp_listeners() || !open_unix_listener()) return false;
  // As in Redis not before the port is its own: who waits for its PID may then connect.
  log_.print(LogLevel::kNotice, "ouro %.*s starts, compatible with Redis %.*s; PID: %lld",
             static_cast<int>(kOuroVersion.size()), kOuroVersion.data(),
             static_cast<int>(kRedisVersion.size()), kRedisVersion.data(),
             static_cast<long long>(process_facts().id));
  for (const auto& listener : listeners_.all()) {
    log_.print(LogLevel::kNotice, "Listening on %s", listener->address().text().c_str());
  }
  log_.print(LogLevel::kNotice, "Network back end: %s", io_reason_.c_str());
  apply_title();
  if (!is_held) {
    log_.write(LogLevel::kWarning, held_by);
    return false;
  }
  if (!has_good_log && options_.aof.appendonly) {
    for (const std::string& line : aof_.problems_found()) log_.write(LogLevel::kWarning, line);
    return false;
  }
  follow_as_configured();
  if (std::string error; !engine_.leadership.begin(error)) {
    log_.write(LogLevel::kWarning, error);
    return false;
  }
  // As in Redis, the server goes on where it may not: the log says so.
  static_cast<void>(apply_oom_score());
  load();
  return !load_failed_;
}

void Server::on_role_changed() {
  primary_link_.on_role_changed();
  static_cast<void>(apply_oom_score());
}

// False when it cannot be, which the log tells.
bool Server::apply_oom_score() {
  const int error = oom_adjuster_.apply(options_.app, engine_.replication.follows());
  if (error != 0)
    log_.print(LogLevel::kWarning, "Cannot write oom_score_adj: %s", strerrordesc_np(error));
  return error == 0;
}

void Server::apply_title() {
  const AppOptions& app = options_.app;
  if (!app.set_proc_title || program_.empty()) return;
  const std::string port = std::to_string(app.port);
  const std::string first = app.bind.empty() ? "*" : app.bind.front();
  const auto title = expand_title(
      app.proc_title_template,
      {.title = program_,
       .listen_addr = app.port == 0 ? "unixsocket:" + app.unixsocket : first + ":" + port,
       .port = port,
       .tls_port = "0",
       .unixsocket = app.unixsocket,
       .config_file = app.config_file.empty() ? "-" : app.config_file});
  if (title) set_process_title(*title);
}

void Server::tell_ready() {
  if (!is_told_when_ready(options_.app)) return;
  const int error = tell_supervisor("READY=1\nSTATUS=Ready to accept connections\n");
  if (error != 0) log_.print(LogLevel::kWarning, "Cannot tell systemd: %s", strerrordesc_np(error));
}

// Before anything is loaded: what is due stays until the primary says that it ends.
void Server::follow_as_configured() {
  const std::vector<ByteView> words = split_words(options_.engine.replication.replicaof);
  if (words.size() != 2) return;
  const auto port = static_cast<uint16_t>(parse_int64(words[1]).value_or(0));
  engine_.replication.follow(std::string(words[0]), port);
}

ListenOptions Server::listen_options() const {
  return {.backlog = static_cast<int>(options_.app.tcp_backlog),
          .unix_permissions = static_cast<int>(options_.app.unixsocketperm),
          .tuning = {.keep_alive_seconds = static_cast<int>(options_.app.tcp_keepalive)}};
}

// Port 0 closes all.
bool Server::open_tcp_listeners() {
  std::vector<ByteView> binds;
  if (options_.app.port != 0 || options_.app.any_free_port)
    binds.assign(options_.app.bind.begin(), options_.app.bind.end());
  std::string failed;
  const int error = listeners_.open_tcp(
      {.port = static_cast<uint16_t>(options_.app.port), .binds = binds}, listen_options(), failed);
  if (error == 0) return true;
  log_.print(LogLevel::kWarning, "Failed listening on port %lld of %s: %s",
             static_cast<long long>(options_.app.port), failed.c_str(), strerrordesc_np(error));
  return false;
}

bool Server::open_unix_listener() {
  if (options_.app.unixsocket.empty()) return true;
  const int error = listeners_.open_unix(options_.app.unixsocket, listen_options());
  if (error == 0) return true;
  log_.print(LogLevel::kWarning, "Failed listening on %s: %s", options_.app.unixsocket.c_str(),
             strerrordesc_np(error));
  return false;
}

// Why this peer may not connect; empty if it may.
ByteView Server::refusal_of(const Address& peer) const {
  if (engine_.clients.count() >= engine_.options.maxclients)
    return "-ERR max number of clients reached\r\n";
  if (options_.app.protected_mode && engine_.acl.default_user().needs_no_password() &&
      !peer.is_loopback()) {
    return "-DENIED ouro runs in protected mode: no password is set and only clients of this "
           "machine are served. To serve "
           "others, set a password (requirepass), or turn protected-mode off if the network keeps "
           "strangers out.\r\n";
  }
  return {};
}

void Server::begin_engine_turn() {
  engine_.begin_turn(loop_.wall_now(), loop_.now(), loop_.wall_micros() % 1000);
}

void Server::on_accepted(SocketFd fd, const Listener& from) {
  if (is_looking_) return early_.push_back({fd, &from});
  // A script that is busy must not see the time move.
  if (!pumping_) begin_engine_turn();
  const Address peer = loop_.peer_address(fd);
  const ByteView refusal = refusal_of(peer);
  if (!refusal.empty()) {
    ++engine_.stats.connections_rejected;
    loop_.refuse(fd, refusal);
    return;
  }
  const bool is_unix = from.address().is_unix();
  const std::string local = is_unix ? from.address().text() : loop_.local_address(fd).text();
  clients_.emplace_back(*this, fd,
                        Session::Peer{.address = is_unix ? local : peer.text(),
                                      .local_address = local,
                                      .fd = fd.number,
                                      .is_unix = is_unix,
                                      .is_loopback = peer.is_loopback()});
  clients_.back().self = std::prev(clients_.end());
}

void Server::erase_departed() {
  for (Client* client : departed_) erase(*client);
  departed_.clear();
}

// What a client held of buffers goes back to the system: the allocator would keep it until it is
// used again, and that may be never.
void Server::erase(Client& client) {
  const size_t held = client.session.memory_bytes();
  const bool held_much = held > kLargeClientBytes;
  bytes_of_departed_ += held;
  if (held_much) allocator_.return_at_once(true);
  clients_.erase(client.self);
  if (held_much) allocator_.return_at_once(false);
}

void Server::on_signal(Signal signal) {
  if (signal == Signal::kHangUp) return;  // a terminal's end does not end a server
  const bool terminates = signal == Signal::kTerminate;
  if (!terminates && is_signalled_) return end_at_once();
  log_.print(LogLevel::kWarning, "Received %s scheduling shutdown...",
             terminates ? "SIGTERM" : "SIGINT");
  ShutdownRequest request;
  const std::string words = config_.get(terminates ? "shutdown-on-sigterm" : "shutdown-on-sigint");
  for (const ByteView word : split_words(words)) {
    request.save |= word == "save";
    request.no_save |= word == "nosave";
    request.force |= word == "force";
  }
  asked_to_stop_ = request;
  is_signalled_ = true;
  // A script that is over its time would be waited for, for nothing.
  stopping_ =
      !saves_at_end(request) && !engine_.cron_paused && engine_.replication.replicas().empty();
}

// Whoever interrupts a second time does not want to wait for a snapshot.
void Server::end_at_once() {
  log_.write(LogLevel::kWarning, "You insist... exiting now.");
  is_broken_off_ = stopping_ = true;
}

// Closes everything and lets the loop finish what is in flight.
void Server::stop() {
  listeners_.close_all();
  if (signals_ != nullptr) signals_->stop();
  aof_.flush();
  flush_list_.flush_all();
  for (auto it = clients_.begin(); it != clients_.end();) (it++)->connection.close("server stops");
  engine_.exclusive.break_off();
  migrator_.stop();
  primary_link_.stop();
  candidate_.stop();
  snapshots_.stop();
  replica_sync_.stop();
  loader_.give_up();
  const auto idle = [this] {
    return clients_.empty() && listeners_.is_idle() && snapshots_.is_idle() &&
           migrator_.is_idle() && primary_link_.is_idle() && candidate_.is_idle() &&
           replica_sync_.is_idle() && (signals_ == nullptr || signals_->is_idle());
  };
  while (!idle()) {
    loop_.run_once(10);
    (void)loader_.turn();
    (void)snapshots_.turn();
    (void)primary_link_.turn();
    candidate_.turn();
    (void)replica_sync_.turn();
  }
  aof_.finish();
  signals_.reset();
}

HostInfo Server::info() {
  const ProcessFacts facts = process_facts();
  HostInfo info;
  info.process_id = facts.id;
  info.executable = facts.executable;
  info.os = facts.system;
  info.resident_bytes = facts.resident_bytes;
  info.peak_resident_bytes = facts.peak_resident_bytes;
  info.cpu_system_s = facts.system_s;
  info.cpu_user_s = facts.user_s;
  info.cpu_system_main_s = facts.thread_system_s;
  info.cpu_user_main_s = facts.thread_user_s;
  info.total_system_memory = facts.machine_memory_bytes;
  info.run_id = run_id_;
  info.config_file = options_.app.config_file;
  info.allocator = std::string(allocator_.name());
  info.io_backend = std::string(loop_.name());
  info.io_reason = io_reason_;
  info.is_supervised = is_told_when_ready(options_.app);
  info.inputs = flush_list_.totals.inputs;
  info.outputs = flush_list_.totals.outputs;
  info.tcp_port = listeners_.port();
  info.started = started_;
  return info;
}

void Server::append_info(ByteView section, std::string& out) {
  const auto line = [&](const char* name, uint64_t value) {
    out.append(name).append(":").append(std::to_string(value)).append("\r\n");
  };
  if (section == "server" && waits_to_stop_ && stop_at_ != kNever) {
    line("shutdown_in_milliseconds",
         static_cast<uint64_t>(std::max<Micros>(stop_at_ - loop_.now(), 0) / 1000));
  }
  if (section == "stats") {
    const auto times = [&](const std::string& kind, const TurnTimes& turns) {
      line(("turn_" + kind + "_us_p50").c_str(), static_cast<uint64_t>(turns.quantile(0.5)));
      line(("turn_" + kind + "_us_p99").c_str(), static_cast<uint64_t>(turns.quantile(0.99)));
      line(("turn_" + kind + "_us_p99_99").c_str(), static_cast<uint64_t>(turns.quantile(0.9999)));
      line(("turn_" + kind + "_us_max").c_str(), static_cast<uint64_t>(turns.max()));
    };
    line("turns", turn_meter_.wall().count());
    times("cpu", turn_meter_.cpu());
    times("wall", turn_meter_.wall());
  }
}

Status Server::rewrite_config(RewriteScope scope, std::string& error) {
  if (options_.app.config_file.empty()) {
    error = "The server is running without a config file";
    return Err::kInvalid;
  }
  std::string before;
  if (const int code = loop_.read_file(options_.app.config_file, before);
      code != 0 && code != ENOENT) {
    error = std::string("Rewriting config file: ") + strerrordesc_np(code);
    return Err::kIo;
  }
  Config::Directive kept_elsewhere[] = {{.name = "user", .lines = {}},
                                        {.name = "cache-rule", .lines = cache_rule_lines(engine_)}};
  // With a file of their own the users leave the configuration.
  if (engine_.options.aclfile.empty()) {
    for (const std::string& line : engine_.acl.lines())
      kept_elsewhere[0].lines.push_back(quoted_line(line));
  }
  const std::string text = config_.rewrite(before, scope, kept_elsewhere);
  if (const int code = loop_.replace_file(options_.app.config_file, text); code != 0) {
    error = std::string("Rewriting config file: ") + strerrordesc_np(code);
    return Err::kIo;
  }
  return Status::ok();
}

Status Server::read_file(const std::string& path, std::string& bytes, std::string& error) {
  const int code = loop_.read_file(path, bytes);
  if (code == 0) return Status::ok();
  error = strerrordesc_np(code);
  return code == ENOENT ? Err::kUnknown : Err::kIo;
}

Status Server::replace_file(const std::string& path, ByteView bytes, std::string& error) {
  const int code = loop_.replace_file(path, bytes);
  if (code == 0) return Status::ok();
  error = strerrordesc_np(code);
  return Err::kIo;
}

Status Server::migrate(Migration& migration, std::string&) {
  migrator_.begin(migration);
  return Status::ok();
}

// What happens to the whole process is for the one server that it has.
void Server::apply_crash_log() {
  if (signals_ == nullptr) return;
  options_.app.crash_log_enabled ? report_crashes() : report_no_crashes();
}

void Server::fill_random(std::span<unsigned char> bytes) {
  random_bytes(bytes.data(), bytes.size());
}

// The program's own parameters; those that no listener or log depends on need nothing.
Status Server::apply_config(ByteView name, std::string& error) {
  if (name == "port" || name == "bind") {
    if (!open_tcp_listeners()) {
      error = name == "port" ? "Unable to listen on this port. Check server logs."
                             : "Failed to bind to specified addresses.";
      return Err::kIo;
    }
    apply_title();
  } else if (name == "proc-title-template") {
    apply_title();
  } else if (name == "maxclients") {
    const uint64_t fit = clients_that_fit(options_.engine.maxclients);
    if (fit < options_.engine.maxclients) {
      error =
          "The operating system is not able to handle the specified number of clients, try with " +
          std::to_string(fit);
      return Err::kIo;
    }
  } else if (name == "save" || name == "stop-writes-on-bgsave-error") {
    snapshots_.on_options_changed();
    return hold_what_is_kept(error) ? Status::ok() : Status(Err::kIo);
  } else if (is_aof_option(name)) {
    if (options_.aof.appendonly && !aof_.problems_found().empty()) {
      error = "Unable to turn on AOF. Check server logs.";
      return Err::kIo;
    }
    if (!hold_what_is_kept(error)) return Err::kIo;
    aof_.on_options_changed();
  } else if (name == "crash-log-enabled") {
    apply_crash_log();
  } else if (name == "loglevel") {
    log_.set_least(options_.app.loglevel);
  } else if (name == "tcp-keepalive") {
    listeners_.tune({.keep_alive_seconds = static_cast<int>(options_.app.tcp_keepalive)});
  } else if (name == "oom-score-adj" || name == "oom-score-adj-values") {
    error = "Failed to set current oom_score_adj. Check server logs.";
    return apply_oom_score() ? Status::ok() : Status(Err::kIo);
  } else if (name == "dir") {
    return change_folder(error);
  }
  return Status::ok();
}

}  // namespace ouro
