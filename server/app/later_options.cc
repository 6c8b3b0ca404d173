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

constexpr std::array<Names, 3> kEndpointNames = {"ip", "hostname", "unknown-endpoint"};
constexpr std::array<Names, 9> kFacilityNames = {"user",   "local0", "local1", "local2", "local3",
                                                 "local4", "local5", "local6", "local7"};
constexpr std::array<Names, 3> kSanitizeNames = {"no", "yes", "clients"};
constexpr std::array<Names, 5> kShutdownNames = {"default", "save", "nosave", "now", "force"};
constexpr std::array<Names, 3> kTlsAuthNames = {"no", "yes", "optional"};

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

bool check_hz(Words, OptionValue& value, std::string&) {
  value.number = value.number < 1 ? 1 : value.number > 500 ? 500 : value.number;
  return true;
}

bool check_shutdown(Words, OptionValue& value, std::string& error) {
  constexpr int64_t kSaveAndNoSave = 3;
  return (value.number & kSaveAndNoSave) != kSaveAndNoSave ||
         fail(error, "shutdown options SAVE and NOSAVE can't be used simultaneously");
}

// The rows of which there is nothing else to say.
constexpr OptionRow yes_no(ByteView name, ByteView standard, ByteView doc,
                           OptionFlag flags = OptionFlag::kNone) {
  return {.name = name, .kind = K::kBool, .flags = flags, .standard = standard, .doc = doc};
}
constexpr OptionRow text(ByteView name, ByteView standard, ByteView doc,
                         OptionFlag flags = OptionFlag::kNone) {
  return {.name = name, .flags = flags, .standard = standard, .doc = doc};
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
    yes_no("activerehashing", "yes", "Kept for clients; tables never rehash as a whole."),
    yes_no("always-show-logo", "no", "Kept for clients.", kImmutable),
    {.name = "aof_rewrite_cpulist",
     .flags = kImmutable,
     .standard = "",
     .later = "a thread of its own for a rewrite",
     .doc = "CPUs of a rewrite."},
    {.name = "bgsave_cpulist",
     .flags = kImmutable,
     .standard = "",
     .later = "a thread of its own for a snapshot",
     .doc = "CPUs of a snapshot."},
    {.name = "bio_cpulist",
     .flags = kImmutable,
     .standard = "",
     .later = "a thread of its own for background work",
     .doc = "CPUs of background work."},
    yes_no("cluster-allow-pubsubshard-when-down", "yes",
           "Shard channels work while slots are missing."),
    yes_no("cluster-allow-reads-when-down", "no", "Read while slots are missing."),
    yes_no("cluster-allow-replica-migration", "yes", "Replicas may change their primary."),
    {.name = "cluster-announce-bus-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .doc = "The bus port told to others."},
    {.name = "cluster-announce-hostname",
     .standard = "",
     .check = check_hostname,
     .doc = "The name told to others."},
    text("cluster-announce-ip", "", "The address told to others."),
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
    text("cluster-config-file", "nodes.conf", "Where the cluster is remembered.", kImmutable),
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
    yes_no("cluster-require-full-coverage", "yes", "Serve only while all slots are served."),
    yes_no("crash-memcheck-enabled", "yes", "Kept for clients; a crash's report tests no memory."),
    yes_no("dynamic-hz", "yes", "Kept for clients; work is cut into turns."),
    {.name = "hz",
     .kind = K::kInteger,
     .standard = "10",
     .most = INT32_MAX,
     .check = check_hz,
     .doc = "Kept for clients; work is cut into turns."},
    text("ignore-warnings", "", "Kept for clients."),
    text("include", "", "Reads another file here.", OptionFlag::kFileOnly),
    yes_no("io-threads-do-reads", "no", "Kept for clients.", kImmutable),
    yes_no("jemalloc-bg-thread", "yes", "Kept for clients."),
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
     .later = "getfenv, setfenv and newproxy in scripts",
     .doc = "Scripts see names that are on their way out."},
    {.name = "sanitize-dump-payload",
     .kind = K::kEnum,
     .standard = "no",
     .names = kSanitizeNames,
     .doc = "Check what RESTORE is given; here it is always checked."},
    {.name = "sentinel",
     .kind = K::kWords,
     .flags = OptionFlag::kFileOnly,
     .standard = "",
     .later = "the sentinel",
     .doc = "A line of a sentinel."},
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
    {.name = "socket-mark-id",
     .kind = K::kInteger,
     .flags = kImmutable,
     .standard = "0",
     .most = UINT32_MAX,
     .later = "marking of sockets",
     .doc = "Mark of sockets for the firewall."},
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
    text("syslog-ident", "redis", "The name in the system log.", kImmutable),
    {.name = "tls-auth-clients",
     .kind = K::kEnum,
     .standard = "yes",
     .names = kTlsAuthNames,
     .doc = "Whether clients need a certificate."},
    text("tls-ca-cert-dir", "", "Of TLS."),
    text("tls-ca-cert-file", "", "Of TLS."),
    text("tls-cert-file", "", "Of TLS."),
    text("tls-ciphers", "", "Of TLS."),
    text("tls-ciphersuites", "", "Of TLS."),
    text("tls-client-cert-file", "", "Of TLS."),
    text("tls-client-key-file", "", "Of TLS."),
    text("tls-client-key-file-pass", "", "Of TLS.", OptionFlag::kSecret),
    {.name = "tls-cluster",
     .kind = K::kBool,
     .standard = "no",
     .later = "TLS",
     .doc = "TLS between nodes."},
    text("tls-dh-params-file", "", "Of TLS."),
    text("tls-key-file", "", "Of TLS."),
    text("tls-key-file-pass", "", "Of TLS.", OptionFlag::kSecret),
    {.name = "tls-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .later = "TLS",
     .doc = "The port that speaks TLS."},
    yes_no("tls-prefer-server-ciphers", "no", "Of TLS."),
    text("tls-protocols", "", "Of TLS."),
    {.name = "tls-replication",
     .kind = K::kBool,
     .standard = "no",
     .later = "TLS",
     .doc = "TLS to the primary."},
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
    yes_no("tls-session-caching", "yes", "Of TLS."),
    {.name = "use-exit-on-panic",
     .kind = K::kBool,
     .flags = OptionFlag::kHidden | kImmutable,
     .standard = "no",
     .later = "an end without a core file",
     .doc = "End without a core file."},
    {.name = "watchdog-period",
     .kind = K::kInteger,
     .flags = OptionFlag::kHidden,
     .standard = "0",
     .most = INT32_MAX,
     .later = "the watchdog",
     .doc = "Log where a turn is that takes longer."},
};

}  // namespace

constinit const std::span<const OptionRow> kLaterOptions = kRows;

}  // namespace ouro
