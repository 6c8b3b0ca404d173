// SPDX-License-Identifier: BSD-3-Clause
// What the program ouro-server can be told: the options of its engine, its own, and the parameters
// of features that come later. options.cc and later_options.cc have the rows, start_request.h reads
// files and arguments.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "datastructs/base/log.h"
#include "datastructs/base/option.h"
#include "server/app/aof_options.h"
#include "server/engine/config.h"
#include "server/engine/options.h"
#include "server/io/address.h"
#include "server/io/probe.h"

namespace ouro {

// How the kernel's choice of whom to end when memory is short is moved; in the order of the names.
enum class OomScore : uint8_t { kNo, kYes, kRelative, kAbsolute };
// Who is told that the server is ready.
enum class Supervised : uint8_t { kSystemd, kAuto, kNo };

struct AppOptions {
  int64_t port = 6379;         // 0: no TCP
  bool any_free_port = false;  // for tests: port 0 takes one that is free; no parameter
  std::vector<std::string> bind = {"*", "-::*"};  // a leading '-': may be missing
  std::string unixsocket;
  int64_t unixsocketperm = 0;  // 0: as the umask says
  int64_t tcp_backlog = 511;
  int64_t tcp_keepalive = 300;  // seconds, 0: off
  bool protected_mode = true;
  std::string bind_source_addr;  // an IP address that links to other servers come from
  int64_t io_threads = 1;        // read and not used: one thread does all
  IoBackend io_backend = IoBackend::kAuto;
  bool daemonize = false;
  std::string pidfile;
  Supervised supervised = Supervised::kNo;
  std::string server_cpulist;  // empty: any
  OomScore oom_score_adj = OomScore::kNo;
  std::string oom_score_adj_values = "0 200 800";  // as a primary, as a replica, of a child
  bool disable_thp = true;
  std::string logfile;  // empty: standard output
  bool crash_log_enabled = true;
  LogLevel loglevel = LogLevel::kNotice;
  bool set_proc_title = true;
  std::string proc_title_template = "{title} {listen-addr} {server-mode}";
  std::string dir = ".";
  int64_t shutdown_timeout_seconds = 10;  // for replicas; 0: not waited for

  // ---- the snapshot
  std::string dbfilename = "dump.rdb";
  std::string save = "3600 1 300 100 60 10000";  // pairs of seconds and changes
  bool stop_writes_on_bgsave_error = true;
  bool rdbchecksum = true;
  bool rdb_save_incremental_fsync = true;
  int64_t rdb_key_save_delay = 0;  // microseconds a key; below zero: one for so many keys
  int64_t key_load_delay = 0;      // the same

  std::string config_file;  // absolute path of the file that was read, or empty; no parameter
};

struct Options {
  EngineOptions engine;
  AppOptions app;
  AofOptions aof;
};

// The rows of AppOptions, and those of features to come, which have no field.
extern const std::span<const OptionRow> kAppOptions;
extern const std::span<const OptionRow> kLaterOptions;

// bind-source-addr; unknown if there is none.
Address source_address(const AppOptions& options);

// Whether systemd waits to hear that the server is ready.
bool is_told_when_ready(const AppOptions& options);

// All rows over `options`, which outlives the result.
Config make_config(Options& options);

}  // namespace ouro
