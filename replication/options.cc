// SPDX-License-Identifier: BSD-3-Clause
#include "replication/options.h"

#include <algorithm>
#include <array>

#include "datastructs/codec/number_text.h"
#include "replication/ballot.h"

namespace ouro {
namespace {

using K = OptionKind;
using R = ReplicationOptions;

constexpr std::array<std::string_view, 3> kDisklessLoadNames = {"disabled", "on-empty-db",
                                                                "swapdb"};
static_assert(static_cast<size_t>(DisklessLoad::kSwapDb) == 2);
constexpr std::array<std::string_view, 2> kPolicyNames = {"refuse", "degrade"};
constexpr std::array<std::string_view, 2> kVisibilityNames = {"lossless", "relaxed"};
constexpr std::array<std::string_view, 2> kDurabilityNames = {"memory", "disk"};

constexpr std::array<std::string_view, 3> kPropagationNames = {"ignore", "panic",
                                                               "panic-on-replicas"};

constexpr size_t kMembersMax = 64;

bool fail(std::string& error, ByteView text) {
  error.assign(text);
  return false;
}

bool check_backlog_size(Words, OptionValue& value, std::string&) {
  constexpr int64_t kLeast = 16_KiB;
  value.number = std::max(value.number, kLeast);
  return true;
}

// "host:port", each once.
bool check_members(Words words, OptionValue& value, std::string& error) {
  value.text.clear();
  if (words.size() == 1 && words[0].empty()) return true;
  if (words.size() > kMembersMax) return fail(error, "too many members");
  for (size_t i = 0; i < words.size(); ++i) {
    const size_t colon = words[i].rfind(':');
    const bool has_both =
        colon != ByteView::npos && colon > 0 && words[i].size() <= kMemberBytesMax;
    const auto port = has_both ? parse_int64(words[i].substr(colon + 1)) : std::nullopt;
    if (!port || *port < 1 || *port > 65535) return fail(error, "a member is 'host:port'");
    if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(i), words[i]) !=
        words.begin() + static_cast<std::ptrdiff_t>(i))
      return fail(error, "a member is named twice");
    value.text.append(value.text.empty() ? "" : " ").append(words[i]);
  }
  return true;
}

bool check_replicaof(Words words, OptionValue& value, std::string& error) {
  if (words.empty() || (words.size() == 1 && words[0].empty())) {
    value.text.clear();
    return true;
  }
  if (words.size() != 2) return fail(error, "wrong number of arguments");
  value.text.assign(words[0]).append(" ").append(words[1]);
  if (value.text == "no one") {
    value.text.clear();
    return true;
  }
  const auto port = parse_int64(words[1]);
  return (port && *port >= 0 && *port <= 65535) || fail(error, "Invalid master port");
}

constexpr OptionRow kRows[] = {
    {.name = "masterauth",
     .flags = OptionFlag::kSecret,
     .standard = "",
     .field = option_field<&R::masterauth>(),
     .doc = "The password of the primary."},
    {.name = "masteruser",
     .flags = OptionFlag::kSecret,
     .standard = "",
     .field = option_field<&R::masteruser>(),
     .doc = "The user name at the primary."},
    {.name = "min-replicas-max-lag",
     .alias = "min-slaves-max-lag",
     .kind = K::kInteger,
     .standard = "10",
     .most = INT32_MAX,
     .field = option_field<&R::min_replicas_max_lag_seconds>(),
     .doc = "Seconds a replica may be behind to count; 0 switches min-replicas-to-write off."},
    {.name = "min-replicas-to-write",
     .alias = "min-slaves-to-write",
     .kind = K::kInteger,
     .standard = "0",
     .most = INT32_MAX,
     .field = option_field<&R::min_replicas_to_write>(),
     .doc = "Replicas without which writes are refused."},
    {.name = "propagation-error-behavior",
     .kind = K::kEnum,
     .standard = "ignore",
     .names = kPropagationNames,
     .field = option_field<&R::propagation_error_behavior>(),
     .doc = "What to do when a replica cannot apply a command."},
    {.name = "rdb-del-sync-files",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&R::rdb_del_sync_files>(),
     .doc = "Remove files that served a sync."},
    {.name = "repl-backlog-size",
     .kind = K::kBytes,
     .standard = "1048576",
     .least = 1,
     .field = option_field<&R::repl_backlog_size>(),
     .check = check_backlog_size,
     .doc = "Bytes of the stream kept for replicas that come back."},
    {.name = "repl-backlog-ttl",
     .kind = K::kInteger,
     .standard = "3600",
     .field = option_field<&R::repl_backlog_ttl_seconds>(),
     .doc = "Seconds that the stream is kept without replicas."},
    {.name = "repl-disable-tcp-nodelay",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&R::repl_disable_tcp_nodelay>(),
     .doc = "Send to replicas in larger parts."},
    {.name = "repl-diskless-load",
     .kind = K::kEnum,
     .flags = OptionFlag::kNotLoading,
     .standard = "disabled",
     .names = kDisklessLoadNames,
     .field = option_field<&R::repl_diskless_load>(),
     .doc = "Load a snapshot straight from the primary."},
    {.name = "repl-diskless-sync",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&R::repl_diskless_sync>(),
     .doc = "Send a snapshot without a file."},
    {.name = "repl-diskless-sync-delay",
     .kind = K::kInteger,
     .standard = "5",
     .most = INT32_MAX,
     .field = option_field<&R::repl_diskless_sync_delay_seconds>(),
     .doc = "Seconds to wait for more replicas."},
    {.name = "repl-diskless-sync-max-replicas",
     .kind = K::kInteger,
     .standard = "0",
     .most = INT32_MAX,
     .field = option_field<&R::repl_diskless_sync_max_replicas>(),
     .doc = "Replicas not to wait for more than."},
    {.name = "repl-ping-replica-period",
     .alias = "repl-ping-slave-period",
     .kind = K::kInteger,
     .standard = "10",
     .least = 1,
     .most = INT32_MAX,
     .field = option_field<&R::repl_ping_replica_period_seconds>(),
     .doc = "Seconds between pings to replicas."},
    {.name = "repl-timeout",
     .kind = K::kInteger,
     .standard = "60",
     .least = 1,
     .most = INT32_MAX,
     .field = option_field<&R::repl_timeout_seconds>(),
     .doc = "Seconds of silence that end a link."},
    {.name = "replica-announce-ip",
     .alias = "slave-announce-ip",
     .standard = "",
     .field = option_field<&R::replica_announce_ip>(),
     .doc = "The address told to the primary."},
    {.name = "replica-announce-port",
     .alias = "slave-announce-port",
     .kind = K::kInteger,
     .standard = "0",
     .most = 65535,
     .field = option_field<&R::replica_announce_port>(),
     .doc = "The port told to the primary."},
    {.name = "replica-announced",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&R::replica_announced>(),
     .doc = "Sentinels may see this replica."},
    {.name = "replica-ignore-disk-write-errors",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&R::replica_ignore_disk_write_errors>(),
     .doc = "A replica goes on when it cannot write."},
    {.name = "replica-ignore-maxmemory",
     .alias = "slave-ignore-maxmemory",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&R::replica_ignore_maxmemory>(),
     .doc = "A replica does not evict."},
    {.name = "replica-lazy-flush",
     .alias = "slave-lazy-flush",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&R::replica_lazy_flush>(),
     .doc = "Free in slices what a full sync replaces."},
    {.name = "replica-priority",
     .alias = "slave-priority",
     .kind = K::kInteger,
     .standard = "100",
     .most = INT32_MAX,
     .field = option_field<&R::replica_priority>(),
     .doc = "Who becomes primary first; 0 is never."},
    {.name = "replica-read-only",
     .alias = "slave-read-only",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&R::replica_read_only>(),
     .doc = "A replica refuses writes."},
    {.name = "replica-serve-stale-data",
     .alias = "slave-serve-stale-data",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&R::replica_serve_stale_data>(),
     .doc = "A replica without a link answers."},
    {.name = "replicaof",
     .alias = "slaveof",
     .kind = K::kWords,
     .flags = OptionFlag::kImmutable,
     .standard = "",
     .field = option_field<&R::replicaof>(),
     .check = check_replicaof,
     .doc = "The primary: host and port."},
    {.name = "semi-sync-acks",
     .kind = K::kInteger,
     .standard = "0",
     .most = kSemiSyncAcksMax,
     .field = option_field<&R::semi_sync_acks>(),
     .doc = "Replicas that must have a write before its client is answered; 0 waits for none."},
    {.name = "semi-sync-durability",
     .kind = K::kEnum,
     .standard = "memory",
     .names = kDurabilityNames,
     .field = option_field<&R::semi_sync_durability>(),
     .doc = "A replica counts once it has a write in memory, or synced to its disk."},
    {.name = "semi-sync-members",
     .kind = K::kWords,
     .standard = "",
     .field = option_field<&R::semi_sync_members>(),
     .check = check_members,
     .doc = "All nodes that could lead, this one among them: who leads needs their promises."},
    {.name = "semi-sync-timeout",
     .kind = K::kInteger,
     .standard = "1000",
     .least = 10,
     .most = INT32_MAX,
     .field = option_field<&R::semi_sync_timeout>(),
     .doc = "Milliseconds without acknowledgements after which semi-sync-timeout-policy decides."},
    {.name = "semi-sync-timeout-policy",
     .kind = K::kEnum,
     .standard = "refuse",
     .names = kPolicyNames,
     .field = option_field<&R::semi_sync_timeout_policy>(),
     .doc = "Without enough replicas refuse writes, or go on without the promise."},
    {.name = "semi-sync-visibility",
     .kind = K::kEnum,
     .standard = "lossless",
     .names = kVisibilityNames,
     .field = option_field<&R::semi_sync_visibility>(),
     .doc = "Whether reads wait for the writes that they show, too."},
};

}  // namespace

constinit const std::span<const OptionRow> kReplicationOptions = kRows;

}  // namespace ouro
