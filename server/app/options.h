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
#include "server/engine/config.h"
#include "server/engine/options.h"
#include "server/io/probe.h"

namespace ouro {

struct AppOptions {
  int64_t port = 6379;         // 0: no TCP
  bool any_free_port = false;  // for tests: port 0 takes one that is free; no parameter
  std::vector<std::string> bind = {"*", "-::*"};  // a leading '-': may be missing
  std::string unixsocket;
  int64_t unixsocketperm = 0;  // 0: as the umask says
  int64_t tcp_backlog = 511;
  int64_t tcp_keepalive = 300;  // seconds, 0: off
  bool protected_mode = true;
  IoBackend io_backend = IoBackend::kAuto;
  bool daemonize = false;
  std::string pidfile;
  std::string logfile;  // empty: standard output
  LogLevel loglevel = LogLevel::kNotice;
  std::string dir = ".";
  std::string config_file;  // absolute path of the file that was read, or empty; no parameter
};

struct Options {
  EngineOptions engine;
  AppOptions app;
};

// The rows of AppOptions, and those of features to come, which have no field.
extern const std::span<const OptionRow> kAppOptions;
extern const std::span<const OptionRow> kLaterOptions;

// All rows over `options`, which outlives the result.
Config make_config(Options& options);

}  // namespace ouro
