// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/options.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ouro {
namespace {

struct Expected {
  ByteView name;
  ByteView value;
};
// What redis-server 7.0.15 without a configuration file answers to CONFIG GET *, less `dir`, which
// is where it was started.
constexpr Expected kRedisDefaults[] = {
    {"acl-pubsub-default", "resetchannels"},
    {"aclfile", ""},
    {"acllog-max-len", "128"},
    {"active-defrag-cycle-max", "25"},
    {"active-defrag-cycle-min", "1"},
    {"active-defrag-ignore-bytes", "104857600"},
    {"active-defrag-max-scan-fields", "1000"},
    {"active-defrag-threshold-lower", "10"},
    {"active-defrag-threshold-upper", "100"},
    {"active-expire-effort", "1"},
    {"activedefrag", "no"},
    {"activerehashing", "yes"},
    {"always-show-logo", "no"},
    {"aof-disable-auto-gc", "no"},
    {"aof-load-truncated", "yes"},
    {"aof-rewrite-incremental-fsync", "yes"},
    {"aof-timestamp-enabled", "no"},
    {"aof-use-rdb-preamble", "yes"},
    {"aof_rewrite_cpulist", ""},
    {"appenddirname", "appendonlydir"},
    {"appendfilename", "appendonly.aof"},
    {"appendfsync", "everysec"},
    {"appendonly", "no"},
    {"auto-aof-rewrite-min-size", "67108864"},
    {"auto-aof-rewrite-percentage", "100"},
    {"bgsave_cpulist", ""},
    {"bind-source-addr", ""},
    {"bind", "* -::*"},
    {"bio_cpulist", ""},
    {"busy-reply-threshold", "5000"},
    {"client-output-buffer-limit",
     "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"},
    {"client-query-buffer-limit", "1073741824"},
    {"cluster-allow-pubsubshard-when-down", "yes"},
    {"cluster-allow-reads-when-down", "no"},
    {"cluster-allow-replica-migration", "yes"},
    {"cluster-announce-bus-port", "0"},
    {"cluster-announce-hostname", ""},
    {"cluster-announce-ip", ""},
    {"cluster-announce-port", "0"},
    {"cluster-announce-tls-port", "0"},
    {"cluster-config-file", "nodes.conf"},
    {"cluster-enabled", "no"},
    {"cluster-link-sendbuf-limit", "0"},
    {"cluster-migration-barrier", "1"},
    {"cluster-node-timeout", "15000"},
    {"cluster-port", "0"},
    {"cluster-preferred-endpoint-type", "ip"},
    {"cluster-replica-no-failover", "no"},
    {"cluster-replica-validity-factor", "10"},
    {"cluster-require-full-coverage", "yes"},
    {"cluster-slave-no-failover", "no"},
    {"cluster-slave-validity-factor", "10"},
    {"crash-log-enabled", "yes"},
    {"crash-memcheck-enabled", "yes"},
    {"daemonize", "no"},
    {"databases", "16"},
    {"dbfilename", "dump.rdb"},
    {"disable-thp", "yes"},
    {"dynamic-hz", "yes"},
    {"enable-debug-command", "no"},
    {"enable-module-command", "no"},
    {"enable-protected-configs", "no"},
    {"hash-max-listpack-entries", "512"},
    {"hash-max-listpack-value", "64"},
    {"hash-max-ziplist-entries", "512"},
    {"hash-max-ziplist-value", "64"},
    {"hll-sparse-max-bytes", "3000"},
    {"hz", "10"},
    {"ignore-warnings", ""},
    {"io-threads-do-reads", "no"},
    {"io-threads", "1"},
    {"jemalloc-bg-thread", "yes"},
    {"latency-monitor-threshold", "0"},
    {"latency-tracking-info-percentiles", "50 99 99.9"},
    {"latency-tracking", "yes"},
    {"lazyfree-lazy-eviction", "no"},
    {"lazyfree-lazy-expire", "no"},
    {"lazyfree-lazy-server-del", "no"},
    {"lazyfree-lazy-user-del", "no"},
    {"lazyfree-lazy-user-flush", "no"},
    {"lfu-decay-time", "1"},
    {"lfu-log-factor", "10"},
    {"list-compress-depth", "0"},
    {"list-max-listpack-size", "-2"},
    {"list-max-ziplist-size", "-2"},
    {"logfile", ""},
    {"loglevel", "notice"},
    {"lua-time-limit", "5000"},
    {"masterauth", ""},
    {"masteruser", ""},
    {"maxclients", "10000"},
    {"maxmemory-clients", "0"},
    {"maxmemory-eviction-tenacity", "10"},
    {"maxmemory-policy", "noeviction"},
    {"maxmemory-samples", "5"},
    {"maxmemory", "0"},
    {"min-replicas-max-lag", "10"},
    {"min-replicas-to-write", "0"},
    {"min-slaves-max-lag", "10"},
    {"min-slaves-to-write", "0"},
    {"no-appendfsync-on-rewrite", "no"},
    {"notify-keyspace-events", ""},
    {"oom-score-adj-values", "0 200 800"},
    {"oom-score-adj", "no"},
    {"pidfile", ""},
    {"port", "6379"},
    {"proc-title-template", "{title} {listen-addr} {server-mode}"},
    {"propagation-error-behavior", "ignore"},
    {"protected-mode", "yes"},
    {"proto-max-bulk-len", "536870912"},
    {"rdb-del-sync-files", "no"},
    {"rdb-save-incremental-fsync", "yes"},
    {"rdbchecksum", "yes"},
    {"rdbcompression", "yes"},
    {"repl-backlog-size", "1048576"},
    {"repl-backlog-ttl", "3600"},
    {"repl-disable-tcp-nodelay", "no"},
    {"repl-diskless-load", "disabled"},
    {"repl-diskless-sync-delay", "5"},
    {"repl-diskless-sync-max-replicas", "0"},
    {"repl-diskless-sync", "yes"},
    {"repl-ping-replica-period", "10"},
    {"repl-ping-slave-period", "10"},
    {"repl-timeout", "60"},
    {"replica-announce-ip", ""},
    {"replica-announce-port", "0"},
    {"replica-announced", "yes"},
    {"replica-ignore-disk-write-errors", "no"},
    {"replica-ignore-maxmemory", "yes"},
    {"replica-lazy-flush", "no"},
    {"replica-priority", "100"},
    {"replica-read-only", "yes"},
    {"replica-serve-stale-data", "yes"},
    {"replicaof", ""},
    {"requirepass", ""},
    {"sanitize-dump-payload", "no"},
    {"save", "3600 1 300 100 60 10000"},
    {"server_cpulist", ""},
    {"set-max-intset-entries", "512"},
    {"set-proc-title", "yes"},
    {"shutdown-on-sigint", "default"},
    {"shutdown-on-sigterm", "default"},
    {"shutdown-timeout", "10"},
    {"slave-announce-ip", ""},
    {"slave-announce-port", "0"},
    {"slave-ignore-maxmemory", "yes"},
    {"slave-lazy-flush", "no"},
    {"slave-priority", "100"},
    {"slave-read-only", "yes"},
    {"slave-serve-stale-data", "yes"},
    {"slaveof", ""},
    {"slowlog-log-slower-than", "10000"},
    {"slowlog-max-len", "128"},
    {"socket-mark-id", "0"},
    {"stop-writes-on-bgsave-error", "yes"},
    {"stream-node-max-bytes", "4096"},
    {"stream-node-max-entries", "100"},
    {"supervised", "no"},
    {"syslog-enabled", "no"},
    {"syslog-facility", "local0"},
    {"syslog-ident", "redis"},
    {"tcp-backlog", "511"},
    {"tcp-keepalive", "300"},
    {"timeout", "0"},
    {"tls-auth-clients", "yes"},
    {"tls-ca-cert-dir", ""},
    {"tls-ca-cert-file", ""},
    {"tls-cert-file", ""},
    {"tls-ciphersuites", ""},
    {"tls-ciphers", ""},
    {"tls-client-cert-file", ""},
    {"tls-client-key-file-pass", ""},
    {"tls-client-key-file", ""},
    {"tls-cluster", "no"},
    {"tls-dh-params-file", ""},
    {"tls-key-file-pass", ""},
    {"tls-key-file", ""},
    {"tls-port", "0"},
    {"tls-prefer-server-ciphers", "no"},
    {"tls-protocols", ""},
    {"tls-replication", "no"},
    {"tls-session-cache-size", "20480"},
    {"tls-session-cache-timeout", "300"},
    {"tls-session-caching", "yes"},
    {"tracking-table-max-keys", "1000000"},
    {"unixsocketperm", "0"},
    {"unixsocket", ""},
    {"zset-max-listpack-entries", "128"},
    {"zset-max-listpack-value", "64"},
    {"zset-max-ziplist-entries", "128"},
    {"zset-max-ziplist-value", "64"},
};

TEST(Options, EveryParameterOfRedisHasItsStandardValue) {
  Options options;
  const Config config = make_config(options);
  for (const Expected& expected : kRedisDefaults) {
    ASSERT_NE(config.find(expected.name), nullptr) << expected.name;
    EXPECT_EQ(config.get(expected.name), expected.value) << expected.name;
  }
}

// Tools set all that they got from CONFIG GET *, less what they know to be immutable in Redis.
TEST(Options, WhatIsListedBeyondRedisCanBeSet) {
  Options options;
  const Config config = make_config(options);
  const ByteView all[] = {"*"};
  std::vector<std::string> ours;
  config.for_each_match(all, [&](ByteView name, ByteView) {
    for (const Expected& expected : kRedisDefaults) {
      if (expected.name == name) return;
    }
    EXPECT_FALSE(config.find(name)->has(OptionFlag::kImmutable)) << name;
    ours.emplace_back(name);
  });
  for (const ByteView name :
       {"commandlog-request-larger-than", "commandlog-execution-slower-than", "semi-sync-acks"})
    EXPECT_EQ(std::count(ours.begin(), ours.end(), name), 1) << name;
  EXPECT_EQ(std::count(ours.begin(), ours.end(), "io-backend"), 0);
}

TEST(Options, EveryParameterMayBeSetToItsOwnValue) {
  Options options;
  Config config = make_config(options);
  config.for_each_row([&](const OptionRow& row) {
    if (row.has(OptionFlag::kImmutable) || row.has(OptionFlag::kFileOnly)) return;
    const std::string value = config.get(row);
    const Config::Pair pair{row.name, value};
    std::string error;
    const auto apply = [](const OptionRow&, std::string&) { return true; };
    EXPECT_TRUE(config.set({&pair, 1}, {.allow_protected = true}, apply, error)) << error;
    EXPECT_EQ(config.get(row), value);
  });
}

TEST(Options, RulesOfParametersThatComeLater) {
  Options options;
  Config config = make_config(options);
  const auto set = [&](ByteView name, ByteView value) {
    const Config::Pair pair{name, value};
    std::string error;
    const auto apply = [](const OptionRow&, std::string&) { return true; };
    if (!config.set({&pair, 1}, {.allow_protected = true}, apply, error))
      return error.substr(error.find(" - ") + 3);
    return config.get(name);
  };
  EXPECT_EQ(set("save", "900 1 30 0"), "900 1 30 0");
  EXPECT_EQ(set("save", "a b"), "Invalid save parameters");
  EXPECT_EQ(set("save", "1"), "Invalid save parameters");
  EXPECT_EQ(set("save", ""), "");
  EXPECT_EQ(set("rdbcompression", "maybe"), "argument must be 'yes' or 'no'");
  EXPECT_EQ(set("rdbcompression", "NO"), "no");
  EXPECT_EQ(set("hz", "1000"), "500");
  EXPECT_EQ(set("hz", "0"), "1");
  EXPECT_EQ(set("oom-score-adj-values", "1 2"), "wrong number of arguments");
  EXPECT_EQ(set("oom-score-adj-values", "1 2 9999"),
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
  EXPECT_EQ(set("repl-backlog-size", "100"), "16384");
  EXPECT_EQ(set("repl-backlog-size", "17000"), "17000");
  EXPECT_EQ(set("shutdown-on-sigint", "nosave now"), "nosave now");
  EXPECT_EQ(set("shutdown-on-sigint", " "),
            "argument(s) must be one of the following: default, save, nosave, now, force");
  EXPECT_EQ(set("shutdown-on-sigint", "save nosave"),
            "shutdown options SAVE and NOSAVE can't be used simultaneously");
  EXPECT_EQ(set("proc-title-template", "{foo}"),
            "template format is invalid or contains unknown variables");
  EXPECT_EQ(set("cluster-announce-hostname", "a b"),
            "Hostnames may only contain alphanumeric characters, hyphens or dots");
  EXPECT_EQ(set("dbfilename", "a/b"), "dbfilename can't be a path, just a filename");
  EXPECT_EQ(set("appendonly", "yes"), "yes");
  EXPECT_EQ(set("appendfsync", "always"), "always");
  EXPECT_EQ(set("appendfsync", "often"),
            "argument(s) must be one of the following: everysec, always, no");
}

}  // namespace
}  // namespace ouro
