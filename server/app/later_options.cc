// SPDX-License-Identifier: BSD-3-Clause
// The parameters of features that come later: Redis's names, defaults and bounds, so that its
// configuration files are read and clients find what they ask for. They have no field, Config keeps
// their values. A value that would switch a feature on is refused (`later`). A row moves to the
// folder of its feature when that comes.
#include <algorithm>
#include <array>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"
#include "server/app/options.h"

namespace ouro {
namespace {

using K = OptionKind;
using Names = std::string_view;

constexpr OptionFlag kImmutable = OptionFlag::kImmutable;

constexpr std::array<Names, 3> kAllowedNames = {"no", "yes", "local"};
constexpr std::array<Names, 3> kAppendFsyncNames = {"everysec", "always", "no"};
constexpr std::array<Names, 3> kDisklessLoadNames = {"disabled", "on-empty-db", "swapdb"};
constexpr std::array<Names, 3> kEndpointNames = {"ip", "hostname", "unknown-endpoint"};
constexpr std::array<Names, 9> kFacilityNames = {"user",   "local0", "local1", "local2", "local3",
                                                 "local4", "local5", "local6", "local7"};
constexpr std::array<Names, 4> kOomScoreNames = {"no", "yes", "relative", "absolute"};
constexpr std::array<Names, 3> kPropagationNames = {"ignore", "panic", "panic-on-replicas"};
constexpr std::array<Names, 3> kSanitizeNames = {"no", "yes", "clients"};
constexpr std::array<Names, 5> kShutdownNames = {"default", "save", "nosave", "now", "force"};
constexpr std::array<Names, 4> kSupervisedNames = {"upstart", "systemd", "auto", "no"};
constexpr std::array<Names, 3> kTlsAuthNames = {"no", "yes", "optional"};

std::string joined(Words words) {
  std::string text;
  for (const ByteView word : words) {
    if (!word.empty()) text.append(text.empty() ? "" : " ").append(word);
  }
  return text;
}

bool fail(std::string& error, ByteView text) {
  error.assign(text);
  return false;
}

bool check_hostname(Words, OptionValue& value, std::string& error) {
  if (value.text.size() > 255) return fail(error, "Hostnames must be less than 256 characters");
  for (const char c : value.text) {
    if (is_letter(c) || is_digit(c) || c == '-' || c == '.') continue;
    return fail(error, "Hostnames may only contain alphanumeric characters, hyphens or dots");
  }
  return true;
}

bool check_file_name(Words, OptionValue& value, std::string& error) {
  return value.text.find('/') == std::string::npos ||
         fail(error, "dbfilename can't be a path, just a filename");
}

bool check_backlog_size(Words, OptionValue& value, std::string&) {
  constexpr int64_t kLeast = 16_KiB;
  value.number = std::max(value.number, kLeast);
  return true;
}

bool check_hz(Words, OptionValue& value, std::string&) {
  value.number = value.number < 1 ? 1 : value.number > 500 ? 500 : value.number;
  return true;
}

bool check_oom_scores(Words words, OptionValue& value, std::string& error) {
  if (words.size() != 3) return fail(error, "wrong number of arguments");
  for (const ByteView word : words) {
    const auto score = parse_int64(word);
    if (!score || *score < -2000 || *score > 2000) {
      return fail(error, "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    }
  }
  value.text = joined(words);
  return true;
}

// Braces name what is known.
bool check_title(Words, OptionValue& value, std::string& error) {
  constexpr ByteView kKnown[] = {"title",    "listen-addr", "server-mode", "port",
                                 "tls-port", "unixsocket",  "config-file"};
  ByteView rest = value.text;
  while (true) {
    const size_t open = rest.find('{');
    if (open == ByteView::npos) return true;
    const size_t close = rest.find('}', open);
    bool known = false;
    for (const ByteView name : kKnown)
      known |= close != ByteView::npos && rest.substr(open + 1, close - open - 1) == name;
    if (!known) return fail(error, "template format is invalid or contains unknown variables");
    rest.remove_prefix(close + 1);
  }
}

bool check_replicaof(Words words, OptionValue& value, std::string& error) {
  if (words.empty() || (words.size() == 1 && words[0].empty())) {
    value.text.clear();
    return true;
  }
  if (words.size() != 2) return fail(error, "wrong number of arguments");
  value.text = joined(words);
  if (value.text == "no one") {
    value.text.clear();
    return true;
  }
  const auto port = parse_int64(words[1]);
  return (port && *port >= 0 && *port <= 65535) || fail(error, "Invalid master port");
}

// Pairs of seconds and changes.
bool check_save(Words words, OptionValue& value, std::string& error) {
  const std::string text = joined(words);
  if (!text.empty() && words.size() % 2 != 0) return fail(error, "Invalid save parameters");
  for (size_t i = 0; i < words.size() && !text.empty(); ++i) {
    const auto number = parse_int64(words[i]);
    if (!number || *number < (i % 2 == 0 ? 1 : 0) || *number > INT32_MAX)
      return fail(error, "Invalid save parameters");
  }
  value.text = text;
  return true;
}

bool check_shutdown(Words, OptionValue& value, std::string& error) {
  constexpr int64_t kSaveAndNoSave = 3;
  return (value.number & kSaveAndNoSave) != kSaveAndNoSave ||
         fail(error, "shutdown options SAVE and NOSAVE can't be used simultaneously");
}

constexpr OptionRow kRows[] = {
    {.name = "active-defrag-cycle-max",
     .kind = K::kInteger,
     .standard = "25",
     .least = 1,
     .most = 99,
     .doc = "CPU percent that defragmentation may use."},
    {.name = "active-defrag-cycle-min",
     .kind = K::kInteger,
     .standard = "1",
     .least = 1,
     .most = 99,
     .doc = "CPU percent that defragmentation uses at least."},
    {.name = "active-defrag-ignore-bytes",
     .kind = K::kBytes,
     .standard = "104857600",
     .least = 1,
     .doc = "Waste below which nothing is defragmented."},
    {.name = "active-defrag-max-scan-fields",
     .kind = K::kInteger,
     .standard = "1000",
     .least = 1,
     .doc = "Elements of a value moved at once."},
    {.name = "active-defrag-threshold-lower",
     .kind = K::kInteger,
     .standard = "10",
     .most = 1000,
     .doc = "Percent of waste at which defragmentation begins."},
    {.name = "active-defrag-threshold-upper",
     .kind = K::kInteger,
     .standard = "100",
     .most = 1000,
     .doc = "Percent of waste at which it uses most CPU."},
    {.name = "activedefrag",
     .kind = K::kBool,
     .standard = "no",
     .later = "active defragmentation",
     .doc = "Defragment memory while running."},
    {.name = "activerehashing",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Kept for clients; tables never rehash as a whole."},
    {.name = "always-show-logo",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "no",
     .doc = "Kept for clients."},
    {.name = "aof-disable-auto-gc",
     .kind = K::kBool,
     .standard = "no",
     .doc = "Keep old append-only files."},
    {.name = "aof-load-truncated",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Start although the append-only file ends in mid-command."},
    {.name = "aof-rewrite-incremental-fsync",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Sync a rewrite in parts."},
    {.name = "aof-timestamp-enabled",
     .kind = K::kBool,
     .standard = "no",
     .doc = "Write times into the append-only file."},
    {.name = "aof-use-rdb-preamble",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Rewrite the append-only file as a snapshot."},
    {.name = "aof_rewrite_cpulist",
     .flags = kImmutable,
     .standard = "",
     .doc = "CPUs of a rewrite."},
    {.name = "appenddirname",
     .flags = kImmutable,
     .standard = "appendonlydir",
     .doc = "The directory of append-only files."},
    {.name = "appendfilename",
     .flags = kImmutable,
     .standard = "appendonly.aof",
     .doc = "The base name of append-only files."},
    {.name = "appendfsync",
     .kind = K::kEnum,
     .standard = "everysec",
     .names = kAppendFsyncNames,
     .doc = "When the append-only file is synced."},
    {.name = "appendonly",
     .kind = K::kBool,
     .standard = "no",
     .later = "the append-only file",
     .doc = "Log each change."},
    {.name = "auto-aof-rewrite-min-size",
     .kind = K::kBytes,
     .standard = "67108864",
     .doc = "Size from which the append-only file is rewritten."},
    {.name = "auto-aof-rewrite-percentage",
     .kind = K::kInteger,
     .standard = "100",
     .most = INT32_MAX,
     .doc = "Growth at which the append-only file is rewritten."},
    {.name = "bgsave_cpulist", .flags = kImmutable, .standard = "", .doc = "CPUs of a snapshot."},
    {.name = "bind-source-addr", .standard = "", .doc = "The address to connect from."},
    {.name = "bio_cpulist", .flags = kImmutable, .standard = "", .doc = "CPUs of background work."},
    {.name = "cluster-allow-pubsubshard-when-down",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Shard channels work while slots are missing."},
    {.name = "cluster-allow-reads-when-down",
     .kind = K::kBool,
     .standard = "no",
     .doc = "Read while slots are missing."},
    {.name = "cluster-allow-replica-migration",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Replicas may change their primary."},
    {.name = "cluster-announce-bus-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .doc = "The bus port told to others."},
    {.name = "cluster-announce-hostname",
     .standard = "",
     .check = check_hostname,
     .doc = "The name told to others."},
    {.name = "cluster-announce-ip", .standard = "", .doc = "The address told to others."},
    {.name = "cluster-announce-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .doc = "The port told to others."},
    {.name = "cluster-announce-tls-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .doc = "The TLS port told to others."},
    {.name = "cluster-config-file",
     .flags = kImmutable,
     .standard = "nodes.conf",
     .doc = "Where the cluster is remembered."},
    {.name = "cluster-enabled",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "no",
     .later = "cluster mode",
     .doc = "Be a node of a cluster."},
    {.name = "cluster-link-sendbuf-limit",
     .kind = K::kBytes,
     .standard = "0",
     .doc = "Output kept for a peer of the cluster."},
    {.name = "cluster-migration-barrier",
     .kind = K::kInteger,
     .standard = "1",
     .most = INT32_MAX,
     .doc = "Replicas that a primary keeps."},
    {.name = "cluster-node-timeout",
     .kind = K::kInteger,
     .standard = "15000",
     .doc = "Milliseconds of silence after which a node counts as down."},
    {.name = "cluster-port",
     .kind = K::kInteger,
     .flags = kImmutable,
     .standard = "0",
     .most = 65535,
     .doc = "The bus port."},
    {.name = "cluster-preferred-endpoint-type",
     .kind = K::kEnum,
     .standard = "ip",
     .names = kEndpointNames,
     .doc = "What clients are sent to."},
    {.name = "cluster-replica-no-failover",
     .alias = "cluster-slave-no-failover",
     .kind = K::kBool,
     .standard = "no",
     .doc = "Never become primary."},
    {.name = "cluster-replica-validity-factor",
     .alias = "cluster-slave-validity-factor",
     .kind = K::kInteger,
     .standard = "10",
     .most = INT32_MAX,
     .doc = "How old data of a new primary may be."},
    {.name = "cluster-require-full-coverage",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Serve only while all slots are served."},
    {.name = "crash-log-enabled",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Log the state at a crash."},
    {.name = "crash-memcheck-enabled",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Test memory at a crash."},
    {.name = "dbfilename",
     .flags = OptionFlag::kProtected,
     .standard = "dump.rdb",
     .check = check_file_name,
     .doc = "The name of the snapshot."},
    {.name = "disable-thp",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "yes",
     .doc = "Ask the kernel for small pages."},
    {.name = "dynamic-hz",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Kept for clients; work is cut into turns."},
    {.name = "enable-module-command",
     .kind = K::kEnum,
     .flags = kImmutable,
     .standard = "no",
     .names = kAllowedNames,
     .doc = "Who may load modules."},
    {.name = "hz",
     .kind = K::kInteger,
     .standard = "10",
     .most = INT32_MAX,
     .check = check_hz,
     .doc = "Kept for clients; work is cut into turns."},
    {.name = "ignore-warnings", .standard = "", .doc = "Kept for clients."},
    {.name = "include",
     .flags = OptionFlag::kFileOnly,
     .standard = "",
     .doc = "Reads another file here."},
    {.name = "io-threads",
     .kind = K::kInteger,
     .flags = kImmutable,
     .standard = "1",
     .least = 1,
     .most = 128,
     .doc = "Kept for clients; one thread does all I/O."},
    {.name = "io-threads-do-reads",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "no",
     .doc = "Kept for clients."},
    {.name = "jemalloc-bg-thread", .kind = K::kBool, .standard = "yes", .doc = "Kept for clients."},
    {.name = "key-load-delay",
     .kind = K::kInteger,
     .flags = OptionFlag::kHidden,
     .standard = "0",
     .least = INT32_MIN,
     .most = INT32_MAX,
     .doc = "Microseconds to wait for each key while loading, for tests."},
    {.name = "loading-process-events-interval-bytes",
     .kind = K::kBytes,
     .flags = OptionFlag::kHidden,
     .standard = "2097152",
     .least = 1024,
     .most = INT32_MAX,
     .doc = "Bytes loaded between two looks at clients."},
    {.name = "loadmodule",
     .kind = K::kWords,
     .flags = OptionFlag::kFileOnly,
     .standard = "",
     .later = "loading of modules",
     .doc = "Loads a module."},
    {.name = "lua-enable-deprecated-api",
     .kind = K::kBool,
     .flags = OptionFlag::kHidden | kImmutable,
     .standard = "no",
     .doc = "Scripts see names that are on their way out."},
    {.name = "masterauth",
     .flags = OptionFlag::kSecret,
     .standard = "",
     .doc = "The password of the primary."},
    {.name = "masteruser",
     .flags = OptionFlag::kSecret,
     .standard = "",
     .doc = "The user name at the primary."},
    {.name = "no-appendfsync-on-rewrite",
     .kind = K::kBool,
     .standard = "no",
     .doc = "No sync of the append-only file during a rewrite."},
    {.name = "oom-score-adj",
     .kind = K::kEnum,
     .standard = "no",
     .names = kOomScoreNames,
     .doc = "Kept for clients."},
    {.name = "oom-score-adj-values",
     .kind = K::kWords,
     .standard = "0 200 800",
     .check = check_oom_scores,
     .doc = "Kept for clients."},
    {.name = "proc-title-template",
     .standard = "{title} {listen-addr} {server-mode}",
     .check = check_title,
     .doc = "How ps shows the process."},
    {.name = "propagation-error-behavior",
     .kind = K::kEnum,
     .standard = "ignore",
     .names = kPropagationNames,
     .doc = "What to do when a replica cannot apply a command."},
    {.name = "rdb-del-sync-files",
     .kind = K::kBool,
     .standard = "no",
     .doc = "Remove files that served a sync."},
    {.name = "rdb-key-save-delay",
     .kind = K::kInteger,
     .flags = OptionFlag::kHidden,
     .standard = "0",
     .least = INT32_MIN,
     .most = INT32_MAX,
     .doc = "Microseconds to wait for each key while saving, for tests."},
    {.name = "rdb-save-incremental-fsync",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Sync a snapshot in parts."},
    {.name = "rdbchecksum",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "yes",
     .doc = "Snapshots end with a checksum."},
    {.name = "rdbcompression",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Compress strings in snapshots."},
    {.name = "repl-backlog-size",
     .kind = K::kBytes,
     .standard = "1048576",
     .least = 1,
     .check = check_backlog_size,
     .doc = "Bytes of the stream kept for replicas that come back."},
    {.name = "repl-backlog-ttl",
     .kind = K::kInteger,
     .standard = "3600",
     .doc = "Seconds that the stream is kept without replicas."},
    {.name = "repl-disable-tcp-nodelay",
     .kind = K::kBool,
     .standard = "no",
     .doc = "Send to replicas in larger parts."},
    {.name = "repl-diskless-load",
     .kind = K::kEnum,
     .standard = "disabled",
     .names = kDisklessLoadNames,
     .doc = "Load a snapshot straight from the primary."},
    {.name = "repl-diskless-sync",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Send a snapshot without a file."},
    {.name = "repl-diskless-sync-delay",
     .kind = K::kInteger,
     .standard = "5",
     .most = INT32_MAX,
     .doc = "Seconds to wait for more replicas."},
    {.name = "repl-diskless-sync-max-replicas",
     .kind = K::kInteger,
     .standard = "0",
     .most = INT32_MAX,
     .doc = "Replicas not to wait for more than."},
    {.name = "repl-ping-replica-period",
     .alias = "repl-ping-slave-period",
     .kind = K::kInteger,
     .standard = "10",
     .least = 1,
     .most = INT32_MAX,
     .doc = "Seconds between pings to replicas."},
    {.name = "repl-timeout",
     .kind = K::kInteger,
     .standard = "60",
     .least = 1,
     .most = INT32_MAX,
     .doc = "Seconds of silence that end a link."},
    {.name = "replica-announce-ip",
     .alias = "slave-announce-ip",
     .standard = "",
     .doc = "The address told to the primary."},
    {.name = "replica-announce-port",
     .alias = "slave-announce-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .doc = "The port told to the primary."},
    {.name = "replica-announced",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Sentinels may see this replica."},
    {.name = "replica-ignore-disk-write-errors",
     .kind = K::kBool,
     .standard = "no",
     .doc = "A replica goes on when it cannot write."},
    {.name = "replica-ignore-maxmemory",
     .alias = "slave-ignore-maxmemory",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "A replica does not evict."},
    {.name = "replica-lazy-flush",
     .alias = "slave-lazy-flush",
     .kind = K::kBool,
     .standard = "no",
     .doc = "Free in slices what a full sync replaces."},
    {.name = "replica-priority",
     .alias = "slave-priority",
     .kind = K::kInteger,
     .standard = "100",
     .most = INT32_MAX,
     .doc = "Who becomes primary first; 0 is never."},
    {.name = "replica-read-only",
     .alias = "slave-read-only",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "A replica refuses writes."},
    {.name = "replica-serve-stale-data",
     .alias = "slave-serve-stale-data",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "A replica without a link answers."},
    {.name = "replicaof",
     .alias = "slaveof",
     .kind = K::kWords,
     .flags = kImmutable,
     .standard = "",
     .check = check_replicaof,
     .later = "replication",
     .doc = "The primary: host and port."},
    {.name = "sanitize-dump-payload",
     .kind = K::kEnum,
     .standard = "no",
     .names = kSanitizeNames,
     .doc = "Check what RESTORE is given."},
    {.name = "save",
     .kind = K::kWords,
     .flags = OptionFlag::kAccumulates,
     .standard = "3600 1 300 100 60 10000",
     .check = check_save,
     .doc = "Snapshot after so many seconds with so many changes."},
    {.name = "sentinel",
     .kind = K::kWords,
     .flags = OptionFlag::kFileOnly,
     .standard = "",
     .later = "the sentinel",
     .doc = "A line of a sentinel."},
    {.name = "server_cpulist", .flags = kImmutable, .standard = "", .doc = "CPUs of the server."},
    {.name = "set-proc-title",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "yes",
     .doc = "Show the title in ps."},
    {.name = "shutdown-on-sigint",
     .kind = K::kFlags,
     .standard = "default",
     .names = kShutdownNames,
     .check = check_shutdown,
     .doc = "What SIGINT does."},
    {.name = "shutdown-on-sigterm",
     .kind = K::kFlags,
     .standard = "default",
     .names = kShutdownNames,
     .check = check_shutdown,
     .doc = "What SIGTERM does."},
    {.name = "shutdown-timeout",
     .kind = K::kInteger,
     .standard = "10",
     .most = INT32_MAX,
     .doc = "Seconds to wait for replicas at the end."},
    {.name = "socket-mark-id",
     .kind = K::kInteger,
     .flags = kImmutable,
     .standard = "0",
     .most = UINT32_MAX,
     .doc = "Mark of sockets for the firewall."},
    {.name = "stop-writes-on-bgsave-error",
     .kind = K::kBool,
     .standard = "yes",
     .doc = "Refuse writes after a snapshot failed."},
    {.name = "supervised",
     .kind = K::kEnum,
     .flags = kImmutable,
     .standard = "no",
     .names = kSupervisedNames,
     .doc = "Tell a supervisor when ready."},
    {.name = "syslog-enabled",
     .kind = K::kBool,
     .flags = kImmutable,
     .standard = "no",
     .later = "the system log",
     .doc = "Log to the system log."},
    {.name = "syslog-facility",
     .kind = K::kEnum,
     .flags = kImmutable,
     .standard = "local0",
     .names = kFacilityNames,
     .doc = "Where in the system log."},
    {.name = "syslog-ident",
     .flags = kImmutable,
     .standard = "redis",
     .doc = "The name in the system log."},
    {.name = "tls-auth-clients",
     .kind = K::kEnum,
     .standard = "yes",
     .names = kTlsAuthNames,
     .doc = "Whether clients need a certificate."},
    {.name = "tls-ca-cert-dir", .standard = "", .doc = "Of TLS."},
    {.name = "tls-ca-cert-file", .standard = "", .doc = "Of TLS."},
    {.name = "tls-cert-file", .standard = "", .doc = "Of TLS."},
    {.name = "tls-ciphers", .standard = "", .doc = "Of TLS."},
    {.name = "tls-ciphersuites", .standard = "", .doc = "Of TLS."},
    {.name = "tls-client-cert-file", .standard = "", .doc = "Of TLS."},
    {.name = "tls-client-key-file", .standard = "", .doc = "Of TLS."},
    {.name = "tls-client-key-file-pass",
     .flags = OptionFlag::kSecret,
     .standard = "",
     .doc = "Of TLS."},
    {.name = "tls-cluster", .kind = K::kBool, .standard = "no", .doc = "TLS between nodes."},
    {.name = "tls-dh-params-file", .standard = "", .doc = "Of TLS."},
    {.name = "tls-key-file", .standard = "", .doc = "Of TLS."},
    {.name = "tls-key-file-pass", .flags = OptionFlag::kSecret, .standard = "", .doc = "Of TLS."},
    {.name = "tls-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .later = "TLS",
     .doc = "The port that speaks TLS."},
    {.name = "tls-prefer-server-ciphers", .kind = K::kBool, .standard = "no", .doc = "Of TLS."},
    {.name = "tls-protocols", .standard = "", .doc = "Of TLS."},
    {.name = "tls-replication", .kind = K::kBool, .standard = "no", .doc = "TLS to the primary."},
    {.name = "tls-session-cache-size",
     .kind = K::kInteger,
     .standard = "20480",
     .most = INT32_MAX,
     .doc = "Of TLS."},
    {.name = "tls-session-cache-timeout",
     .kind = K::kInteger,
     .standard = "300",
     .most = INT32_MAX,
     .doc = "Of TLS."},
    {.name = "tls-session-caching", .kind = K::kBool, .standard = "yes", .doc = "Of TLS."},
    {.name = "use-exit-on-panic",
     .kind = K::kBool,
     .flags = OptionFlag::kHidden | kImmutable,
     .standard = "no",
     .doc = "End without a core file."},
    {.name = "watchdog-period",
     .kind = K::kInteger,
     .flags = OptionFlag::kHidden,
     .standard = "0",
     .most = INT32_MAX,
     .doc = "Kept for clients."},
};

}  // namespace

constinit const std::span<const OptionRow> kLaterOptions = kRows;

}  // namespace ouro
