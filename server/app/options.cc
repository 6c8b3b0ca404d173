// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/options.h"

#include <array>

#include "datastructs/codec/number_text.h"
#include "server/app/cpu_list.h"
#include "server/app/title_template.h"
#include "server/io/process.h"

namespace ouro {
namespace {

using A = AppOptions;
using K = OptionKind;

constexpr std::array<std::string_view, 4> kLogLevelNames = {"debug", "verbose", "notice",
                                                            "warning"};
static_assert(kLogLevelNames.size() == static_cast<size_t>(LogLevel::kWarning) + 1);
constexpr std::array<std::string_view, 4> kOomScoreNames = {"no", "yes", "relative", "absolute"};
// Redis's "upstart" is not among them: that has not been maintained for ten years.
constexpr std::array<std::string_view, 3> kSupervisedNames = {"systemd", "auto", "no"};
constexpr std::array<std::string_view, 3> kIoBackendNames = {"auto", "uring", "epoll"};

bool check_file_name(Words, OptionValue& value, std::string& error) {
  if (value.text.find('/') == std::string::npos) return true;
  error = "dbfilename can't be a path, just a filename";
  return false;
}

// Pairs of seconds and changes; one empty word is none.
bool check_save(Words words, OptionValue& value, std::string& error) {
  const bool is_empty = words.empty() || (words.size() == 1 && words[0].empty());
  bool is_good = is_empty || words.size() % 2 == 0;
  value.text.clear();
  for (size_t i = 0; i < words.size() && !is_empty; ++i) {
    const auto number = parse_int64(words[i]);
    is_good &= number && *number >= (i % 2 == 0 ? 1 : 0) && *number <= INT32_MAX;
    value.text.append(i == 0 ? "" : " ").append(words[i]);
  }
  if (!is_good) error = "Invalid save parameters";
  return is_good;
}

bool check_bind(Words words, OptionValue& value, std::string& error) {
  constexpr size_t kAddressesMax = 16;
  if (words.size() > kAddressesMax) {
    error = "Too many bind addresses specified.";
    return false;
  }
  value.text.clear();
  for (const ByteView word : words) {
    if (!word.empty()) value.text.append(value.text.empty() ? "" : " ").append(word);
  }
  return true;
}

bool check_source(Words, OptionValue& value, std::string& error) {
  if (value.text.empty() || Address::from_ip(value.text, 0)) return true;
  error = "bind-source-addr must be an IP address";
  return false;
}

bool check_cpus(Words, OptionValue& value, std::string& error) {
  if (parse_cpu_list(value.text)) return true;
  error = "a list of CPUs is written as 0,2,4-7 or 0-10:2";
  return false;
}

bool check_oom_scores(Words words, OptionValue& value, std::string& error) {
  error = "wrong number of arguments";
  if (words.size() != 3) return false;
  error = "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
  value.text.clear();
  for (const ByteView word : words) {
    const auto score = parse_int64(word);
    if (!score || *score < -2000 || *score > 2000) return false;
    value.text.append(value.text.empty() ? "" : " ").append(word);
  }
  return true;
}

// What may be empty when the server runs does not make a title.
bool check_title(Words, OptionValue& value, std::string& error) {
  const TitleFacts certain = {
      .listen_addr = "*:0", .port = "0", .tls_port = "0", .config_file = "-"};
  const auto title = expand_title(value.text, certain);
  if (title && !title->empty()) return true;
  error = "template format is invalid or contains unknown variables";
  return false;
}

constexpr OptionFlag kImmutable = OptionFlag::kImmutable;

constexpr OptionRow kRows[] = {
    {.name = "bind",
     .kind = K::kWords,
     .standard = "* -::*",
     .field = option_field<&A::bind>(),
     .check = check_bind,
     .doc = "Addresses to listen on; one with a '-' in front may be missing."},
    {.name = "bind-source-addr",
     .standard = "",
     .field = option_field<&A::bind_source_addr>(),
     .check = check_source,
     .doc = "The address that links to other servers come from, if it can be had."},
    {.name = "crash-log-enabled",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::crash_log_enabled>(),
     .doc = "Log where the program was when it crashes."},
    {.name = "daemonize",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "no",
     .field = option_field<&A::daemonize>(),
     .doc = "Go on in the background."},
    {.name = "dbfilename",
     .flags = OptionFlag::kProtected,
     .standard = "dump.rdb",
     .field = option_field<&A::dbfilename>(),
     .check = check_file_name,
     .doc = "The name of the snapshot."},
    {.name = "dir",
     .flags = OptionFlag::kProtected | OptionFlag::kNotLoading,
     .standard = ".",
     .field = option_field<&A::dir>(),
     .doc = "The directory to work in."},
    {.name = "disable-thp",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "yes",
     .field = option_field<&A::disable_thp>(),
     .doc = "Ask the kernel for small pages where it gives huge ones unasked."},
    {.name = "io-backend",
     .kind = K::kEnum,
     // Hidden: tools that set all they got from CONFIG GET * know Redis's immutable parameters
     // only.
     .flags = kImmutable | OptionFlag::kHidden,
     .standard = "auto",
     .names = kIoBackendNames,
     .field = option_field<&A::io_backend>(),
     .doc = "How to talk to the kernel; auto takes io_uring where it is allowed."},
    {.name = "io-threads",
     .kind = K::kInteger,
     .flags = kImmutable,
     .standard = "1",
     .least = 1,
     .most = 128,
     .field = option_field<&A::io_threads>(),
     .doc =
         "Read so that Redis's configurations are; one thread does all I/O, and the log says so."},
    {.name = "key-load-delay",
     .kind = K::kInteger,
     .flags = OptionFlag::kHidden,
     .standard = "0",
     .least = INT32_MIN,
     .most = INT32_MAX,
     .field = option_field<&A::key_load_delay>(),
     .doc = "Microseconds to wait for each key while loading, for tests."},
    {.name = "logfile",
     .flags = kImmutable,
     .standard = "",
     .field = option_field<&A::logfile>(),
     .doc = "Where the log goes; standard output if empty."},
    {.name = "loglevel",
     .kind = K::kEnum,
     .standard = "notice",
     .names = kLogLevelNames,
     .field = option_field<&A::loglevel>(),
     .doc = "The least important lines that are logged."},
    {.name = "oom-score-adj",
     .kind = K::kEnum,
     .standard = "no",
     .names = kOomScoreNames,
     .field = option_field<&A::oom_score_adj>(),
     .doc = "Move the score by which the kernel ends processes when memory is short."},
    {.name = "oom-score-adj-values",
     .kind = K::kWords,
     .standard = "0 200 800",
     .field = option_field<&A::oom_score_adj_values>(),
     .check = check_oom_scores,
     .doc = "That score of a primary, and of a replica; the third is Redis's child's."},
    {.name = "pidfile",
     .flags = kImmutable,
     .standard = "",
     .field = option_field<&A::pidfile>(),
     .doc = "A file that holds the process id while the server runs."},
    {.name = "port",
     .kind = K::kInteger,
     .standard = "6379",
     .most = 65535,
     .field = option_field<&A::port>(),
     .doc = "The TCP port; 0 is none."},
    {.name = "proc-title-template",
     .standard = "{title} {listen-addr} {server-mode}",
     .field = option_field<&A::proc_title_template>(),
     .check = check_title,
     .doc = "How ps shows the process."},
    {.name = "protected-mode",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::protected_mode>(),
     .doc = "Without a password, serve this machine only."},
    {.name = "rdb-key-save-delay",
     .kind = K::kInteger,
     .flags = OptionFlag::kHidden,
     .standard = "0",
     .least = INT32_MIN,
     .most = INT32_MAX,
     .field = option_field<&A::rdb_key_save_delay>(),
     .doc = "Microseconds to wait for each key while saving, for tests."},
    {.name = "rdb-save-incremental-fsync",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::rdb_save_incremental_fsync>(),
     .doc = "Sync a snapshot in parts."},
    {.name = "rdbchecksum",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "yes",
     .field = option_field<&A::rdbchecksum>(),
     .doc = "Snapshots end with a checksum."},
    {.name = "save",
     .kind = K::kWords,
     .flags = OptionFlag::kAccumulates,
     .standard = "3600 1 300 100 60 10000",
     .field = option_field<&A::save>(),
     .check = check_save,
     .doc = "Snapshot after so many seconds with so many changes."},
    {.name = "server_cpulist",
     .flags = kImmutable,
     .standard = "",
     .field = option_field<&A::server_cpulist>(),
     .check = check_cpus,
     .doc = "The CPUs to run on; any if empty."},
    {.name = "set-proc-title",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "yes",
     .field = option_field<&A::set_proc_title>(),
     .doc = "Show the title in ps in place of the command line."},
    {.name = "shutdown-timeout",
     .kind = K::kInteger,
     .standard = "10",
     .most = INT32_MAX,
     .field = option_field<&A::shutdown_timeout_seconds>(),
     .doc = "Seconds to wait for replicas at the end."},
    {.name = "stop-writes-on-bgsave-error",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&A::stop_writes_on_bgsave_error>(),
     .doc = "Refuse writes after a snapshot failed."},
    {.name = "supervised",
     .kind = K::kEnum,
     .flags = kImmutable,
     .standard = "no",
     .names = kSupervisedNames,
     .field = option_field<&A::supervised>(),
     .doc =
         "Tell systemd when the server is ready; auto does so when it is the one that started it."},
    {.name = "tcp-backlog",
     .kind = K::kInteger,
     .flags = kImmutable,
     .standard = "511",
     .most = INT32_MAX,
     .field = option_field<&A::tcp_backlog>(),
     .doc = "Connections that may wait to be accepted."},
    {.name = "tcp-keepalive",
     .kind = K::kInteger,
     .standard = "300",
     .most = INT32_MAX,
     .field = option_field<&A::tcp_keepalive>(),
     .doc = "Seconds of silence after which a peer is probed; 0 is never."},
    {.name = "unixsocket",
     .flags = kImmutable,
     .standard = "",
     .field = option_field<&A::unixsocket>(),
     .doc = "The path of a unix socket to listen on; none if empty."},
    {.name = "unixsocketperm",
     .kind = K::kOctal,
     .flags = kImmutable,
     .standard = "0",
     .most = 0777,
     .field = option_field<&A::unixsocketperm>(),
     .doc = "The permissions of the unix socket."},
};

}  // namespace

constinit const std::span<const OptionRow> kAppOptions = kRows;

Address source_address(const AppOptions& options) {
  return Address::from_ip(options.bind_source_addr, 0).value_or(Address());
}

bool is_told_when_ready(const AppOptions& options) {
  return options.supervised == Supervised::kSystemd ||
         (options.supervised == Supervised::kAuto && is_supervised());
}

Config make_config(Options& options) {
  return Config{Config::Part{kEngineOptions, &options.engine},
                Config::Part{kReplicationOptions, &options.engine.replication},
                Config::Part{kAppOptions, &options.app}, Config::Part{kAofOptions, &options.aof},
                Config::Part{kLaterOptions, nullptr}};
}

}  // namespace ouro
