// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/options.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

using E = EngineOptions;
using K = OptionKind;

constexpr int64_t kInt32Max = INT32_MAX;
constexpr const char* kWrongCount = "wrong number of arguments";

constexpr std::array<std::string_view, 12> kPolicyNames = {
    "volatile-ouro",   "volatile-lru", "volatile-lfu",   "volatile-lrm",
    "volatile-random", "volatile-ttl", "allkeys-ouro",   "allkeys-lru",
    "allkeys-lfu",     "allkeys-lrm",  "allkeys-random", "noeviction"};
static_assert(kPolicyNames.size() == static_cast<size_t>(EvictionPolicy::kNone) + 1);
constexpr std::array<std::string_view, 3> kAllowedNames = {"no", "yes", "local"};
constexpr std::array<std::string_view, 2> kNewChannelsNames = {"allchannels", "resetchannels"};

// ---- client-output-buffer-limit: class, hard bytes, soft bytes, soft seconds; any number of
// classes, the others stay.
OutputLimit* limit_of(EngineOptions& options, ByteView client_class) {
  const std::string name = to_lower(client_class);
  if (name == "normal") return &options.output_normal;
  if (name == "slave" || name == "replica") return &options.output_replica;
  if (name == "pubsub") return &options.output_pubsub;
  return nullptr;
}

// As strtoll reads it, but neither blanks nor what is below zero: no digits are 0.
std::optional<uint64_t> parse_seconds(ByteView text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto seconds = parse_digits(text);
  return seconds && *seconds <= uint64_t{kInt32Max} ? seconds : std::nullopt;
}

bool read_output_limits(EngineOptions& options, Words words, std::string& error) {
  if (words.size() % 4 != 0) {
    error = "Wrong number of arguments in buffer limit configuration.";
    return false;
  }
  for (size_t i = 0; i < words.size(); i += 4) {
    OutputLimit* limit = limit_of(options, words[i]);
    if (limit == nullptr) {
      error = "Invalid client class specified in buffer limit configuration.";
      return false;
    }
    OutputLimit read;
    const auto seconds = parse_seconds(words[i + 3]);
    if (!parse_bytes(words[i + 1], read.hard_bytes) ||
        !parse_bytes(words[i + 2], read.soft_bytes) || !seconds) {
      error = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
      return false;
    }
    read.soft_seconds = static_cast<int64_t>(*seconds);
    *limit = read;
  }
  return true;
}

std::string output_limits_text(const EngineOptions& options) {
  std::string text;
  const auto add = [&text](const char* name, const OutputLimit& limit) {
    text.append(text.empty() ? "" : " ").append(name);
    text.append(" ").append(std::to_string(limit.hard_bytes));
    text.append(" ").append(std::to_string(limit.soft_bytes));
    text.append(" ").append(std::to_string(limit.soft_seconds));
  };
  add("normal", options.output_normal);
  add("slave", options.output_replica);
  add("pubsub", options.output_pubsub);
  return text;
}

bool check_output_limits(Words words, OptionValue& value, std::string& error) {
  EngineOptions merged;
  return read_output_limits(merged, split_words(value.text), error) &&
         read_output_limits(merged, words, error) &&
         (value.text = output_limits_text(merged), true);
}

OptionValue load_output_limits(const void* options) {
  return {.text = output_limits_text(*static_cast<const EngineOptions*>(options))};
}

void store_output_limits(void* options, const OptionValue& value) {
  std::string error;
  CHECK(read_output_limits(*static_cast<EngineOptions*>(options), split_words(value.text), error));
}

// Redis has no bound but that of its numbers.
bool check_bulk_bytes(Words, OptionValue& value, std::string& error) {
  if (value.number <= int64_t{UINT32_MAX}) return true;
  error = "argument must be at most 4294967295: elements have lengths of 32 bits";
  return false;
}

// It is a line of INFO, and goes into each HELLO.
bool check_zone(Words, OptionValue& value, std::string& error) {
  constexpr size_t kBytesMax = 256;
  const auto is_plain = [](char c) { return c >= ' ' && c <= '~'; };
  if (value.text.size() <= kBytesMax && std::all_of(value.text.begin(), value.text.end(), is_plain))
    return true;
  error = "argument must be at most 256 printable characters";
  return false;
}

bool check_event_letters(Words, OptionValue& value, std::string& error) {
  const std::optional<std::string> ordered = PubSub::ordered_event_letters(value.text);
  if (ordered) {
    value.text = *ordered;
  } else {
    error = "Invalid event class character. Use 'Ag$lshzxeKEtmdnocSTIVL'.";
  }
  return ordered.has_value();
}

// Six decimals, less the zeros at the end.
std::string percent_text(double percent) {
  char text[32];
  std::string digits(text, static_cast<size_t>(std::snprintf(text, sizeof(text), "%f", percent)));
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

bool check_percentiles(Words words, OptionValue& value, std::string& error) {
  value.text.clear();
  for (const ByteView word : words) {
    const auto percent = parse_double(word);
    if (!percent) {
      error = "Invalid latency-tracking-info-percentiles parameters";
      return false;
    }
    if (!(*percent >= 0 && *percent <= 100)) {
      error = "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
      return false;
    }
    value.text.append(value.text.empty() ? "" : " ").append(percent_text(*percent));
  }
  return true;
}

// ---- user: each line of a file defines one; what the rules mean is seen when commands are known.
bool check_user(Words words, OptionValue& value, std::string& error) {
  if (words.empty()) {
    error = kWrongCount;
    return false;
  }
  std::string line = quoted_word(words[0]);
  ByteView known = value.text;
  while (!known.empty()) {
    const size_t end = known.find('\n') + 1;
    const ByteView name = known.substr(0, known.find_first_of(" \n"));
    if (name == line) {
      error = "Error in user declaration '" + std::string(words[0]) +
              "': Duplicate user found. A user can only be defined once in config files";
      return false;
    }
    known.remove_prefix(end);
  }
  for (const ByteView word : words.subspan(1)) line.append(" ").append(quoted_word(word));
  value.text.append(line).append("\n");
  return true;
}

bool check_cache_rule(Words words, OptionValue& value, std::string& error) {
  if (words.empty()) {
    error = kWrongCount;
    return false;
  }
  if (!parse_rule_change(words.subspan(1), error)) return false;
  std::string line;
  for (const ByteView word : words) line.append(line.empty() ? "" : " ").append(quoted_word(word));
  value.text.append(line).append("\n");
  return true;
}

bool check_rename(Words words, OptionValue& value, std::string& error) {
  if (words.size() != 2) {
    error = kWrongCount;
    return false;
  }
  value.text.append(quoted_word(words[0])).append(" ").append(quoted_word(words[1])).append("\n");
  return true;
}

constexpr OptionRow kRows[] = {
    {.name = "acl-pubsub-default",
     .kind = K::kEnum,
     .standard = "resetchannels",
     .names = kNewChannelsNames,
     .field = option_field<&E::acl_pubsub_default>(),
     .doc = "Channels that a new user may use."},
    {.name = "aclfile",
     .flags = OptionFlag::kImmutable,
     .standard = "",
     .field = option_field<&E::aclfile>(),
     .doc = "The file of users, for ACL LOAD and SAVE; none if empty."},
    {.name = "acllog-max-len",
     .kind = K::kInteger,
     .standard = "128",
     .field = option_field<&E::acllog_max_len>(),
     .doc = "Entries that ACL LOG keeps."},
    {.name = "active-expire-effort",
     .kind = K::kInteger,
     .standard = "1",
     .least = 1,
     .most = 10,
     .field = option_field<&E::active_expire_effort>(),
     .doc = "How much of a turn may go into looking for expired keys."},
    {.name = "availability-zone",
     .standard = "",
     .field = option_field<&E::availability_zone>(),
     .check = check_zone,
     .doc = "Where the server stands: HELLO and INFO tell clients so."},
    {.name = "busy-reply-threshold",
     .alias = "lua-time-limit",
     .kind = K::kInteger,
     .standard = "5000",
     .field = option_field<&E::busy_reply_threshold_ms>(),
     .doc = "Milliseconds a script may run before others hear of it; 0 is for ever."},
    {.name = "cache-rule",
     .kind = K::kWords,
     .flags = OptionFlag::kFileOnly,
     .standard = "",
     .field = option_field<&E::cache_rules>(),
     .check = check_cache_rule,
     .doc = "Sets a rule: its prefix and what holds, as CACHE.RULE SET takes them."},
    {.name = "client-output-buffer-limit",
     .kind = K::kWords,
     .standard = "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60",
     .field = {load_output_limits, store_output_limits},
     .check = check_output_limits,
     .doc = "Output kept for a client, by class: closed at the hard limit, or over the soft one "
            "for so many seconds."},
    {.name = "client-query-buffer-limit",
     .kind = K::kBytes,
     .standard = "1073741824",
     .least = 1_MiB,
     .field = option_field<&E::client_query_buffer_limit>(),
     .doc = "Unfinished input kept for one client."},
    {.name = "commandlog-large-reply-max-len",
     .kind = K::kInteger,
     .standard = "128",
     .field = option_field<&E::large_reply_max_len>(),
     .doc = "Lines that COMMANDLOG keeps of large replies."},
    {.name = "commandlog-large-request-max-len",
     .kind = K::kInteger,
     .standard = "128",
     .field = option_field<&E::large_request_max_len>(),
     .doc = "Lines that COMMANDLOG keeps of large requests."},
    {.name = "commandlog-reply-larger-than",
     .kind = K::kInteger,
     .standard = "1048576",
     .least = -1,
     .field = option_field<&E::log_reply_larger_than>(),
     .doc = "COMMANDLOG keeps commands that are answered with as many bytes; -1 keeps none."},
    {.name = "cache-max-leases",
     .kind = K::kInteger,
     .standard = "100000",
     .least = 1,
     .field = option_field<&E::cache_max_leases>(),
     .doc = "So many keys may be loaded at a time; who asks for more is told to wait."},
    {.name = "cache-negative-max-percent",
     .kind = K::kInteger,
     .standard = "5",
     .most = 100,
     .field = option_field<&E::cache_negative_max_percent>(),
     .doc = "What is known of absent keys takes so many percent of maxmemory at most."},
    {.name = "cache-version-window",
     .kind = K::kInteger,
     .standard = "60000",
     .least = 1,
     .most = 3'600'000,
     .field = option_field<&E::cache_version_window_ms>(),
     .doc = "For so many ms after a removal no older VERSION is stored."},
    {.name = "commandlog-request-larger-than",
     .kind = K::kInteger,
     .standard = "1048576",
     .least = -1,
     .field = option_field<&E::log_request_larger_than>(),
     .doc = "COMMANDLOG keeps commands that come in as many bytes; -1 keeps none."},
    {.name = "databases",
     .kind = K::kInteger,
     .flags = OptionFlag::kImmutable,
     .standard = "16",
     .least = 1,
     .most = kInt32Max,
     .field = option_field<&E::databases>(),
     .doc = "How many databases there are."},
    {.name = "enable-debug-command",
     .kind = K::kEnum,
     .flags = OptionFlag::kImmutable,
     .standard = "no",
     .names = kAllowedNames,
     .field = option_field<&E::enable_debug_command>(),
     .doc = "Who may use DEBUG: nobody, everybody, or peers on this machine."},
    {.name = "enable-module-command",
     .kind = K::kEnum,
     .flags = OptionFlag::kImmutable,
     .standard = "no",
     .names = kAllowedNames,
     .field = option_field<&E::enable_module_command>(),
     .doc = "Who may ask for modules: nobody, everybody, or peers on this machine."},
    {.name = "enable-protected-configs",
     .kind = K::kEnum,
     .flags = OptionFlag::kImmutable,
     .standard = "no",
     .names = kAllowedNames,
     .field = option_field<&E::enable_protected_configs>(),
     .doc = "Who may change parameters that name files."},
    {.name = "hash-max-listpack-entries",
     .alias = "hash-max-ziplist-entries",
     .kind = K::kInteger,
     .standard = "512",
     .field = option_field<&E::limits, &Limits::hash_packed_entries>(),
     .doc = "Up to so many fields a hash is packed."},
    {.name = "hash-max-listpack-value",
     .alias = "hash-max-ziplist-value",
     .kind = K::kBytes,
     .standard = "64",
     .field = option_field<&E::limits, &Limits::hash_packed_value_bytes>(),
     .doc = "A hash with a longer field or value is not packed."},
    {.name = "hll-sparse-max-bytes",
     .kind = K::kBytes,
     .standard = "3000",
     .field = option_field<&E::hll_sparse_max_bytes>(),
     .doc = "A HyperLogLog that would need more bytes is not sparse."},
    {.name = "latency-monitor-threshold",
     .kind = K::kInteger,
     .standard = "0",
     .field = option_field<&E::latency_monitor_threshold_ms>(),
     .doc = "LATENCY keeps events of so many milliseconds; 0 keeps none."},
    {.name = "latency-tracking",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&E::latency_tracking>(),
     .doc = "Keep a histogram of each command's times."},
    {.name = "latency-tracking-info-percentiles",
     .kind = K::kWords,
     .standard = "50 99 99.9",
     .field = option_field<&E::latency_tracking_info_percentiles>(),
     .check = check_percentiles,
     .doc = "The percentiles that INFO latencystats shows."},
    {.name = "lazyfree-lazy-eviction",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&E::lazyfree_lazy_eviction>(),
     .doc = "Free evicted values in slices."},
    {.name = "import-mode",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&E::import_mode>(),
     .doc = "Neither expire nor evict while another server's keys come in."},
    {.name = "lazyfree-lazy-expire",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&E::lazyfree_lazy_expire>(),
     .doc = "Free expired values in slices."},
    {.name = "lazyfree-lazy-server-del",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&E::lazyfree_lazy_server_del>(),
     .doc = "Free overwritten values in slices."},
    {.name = "lazyfree-lazy-user-del",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&E::lazyfree_lazy_user_del>(),
     .doc = "DEL frees as UNLINK does."},
    {.name = "lazyfree-lazy-user-flush",
     .kind = K::kBool,
     .standard = "no",
     .field = option_field<&E::lazyfree_lazy_user_flush>(),
     .doc = "FLUSHALL and FLUSHDB are ASYNC unless they say SYNC."},
    {.name = "lfu-decay-time",
     .kind = K::kInteger,
     .standard = "1",
     .most = kInt32Max,
     .field = option_field<&E::lfu_decay_time>(),
     .doc = "Minutes after which a use counter loses one."},
    {.name = "lfu-log-factor",
     .kind = K::kInteger,
     .standard = "10",
     .most = kInt32Max,
     .field = option_field<&E::lfu_log_factor>(),
     .doc = "How slowly use counters grow."},
    {.name = "list-compress-depth",
     .kind = K::kInteger,
     .standard = "0",
     .most = kInt32Max,
     .field = option_field<&E::limits, &Limits::list_compress_depth>(),
     .doc = "Kept for clients; lists are not compressed."},
    {.name = "list-max-listpack-size",
     .alias = "list-max-ziplist-size",
     .kind = K::kInteger,
     .standard = "-2",
     .least = INT32_MIN,
     .most = kInt32Max,
     .field = option_field<&E::limits, &Limits::list_node_limit>(),
     .doc = "Entries of a list's node, or -1 to -5: 4 to 64 KiB."},
    {.name = "maxclients",
     .kind = K::kInteger,
     .standard = "10000",
     .least = 1,
     .most = UINT32_MAX,
     .field = option_field<&E::maxclients>(),
     .doc = "Connections beyond so many are refused."},
    {.name = "maxmemory",
     .kind = K::kBytes,
     .standard = "0",
     .field = option_field<&E::maxmemory>(),
     .doc = "Above so many bytes keys are evicted or writes refused; 0 is no limit."},
    {.name = "maxmemory-clients",
     .kind = K::kPercentOrBytes,
     .standard = "0",
     .field = option_field<&E::maxmemory_clients>(),
     .doc = "Memory that all clients may hold together, in bytes or percent of maxmemory; 0 is no "
            "limit."},
    {.name = "maxmemory-eviction-tenacity",
     .kind = K::kInteger,
     .standard = "10",
     .most = 100,
     .field = option_field<&E::maxmemory_eviction_tenacity>(),
     .doc =
         "How many keys one command evicts at most: 16 at 0, 4096 at 10, then 15 % more with each "
         "step; 100 is no bound."},
    {.name = "maxmemory-policy",
     .kind = K::kEnum,
     .standard = "noeviction",
     .names = kPolicyNames,
     .field = option_field<&E::maxmemory_policy>(),
     .doc = "Which keys go first when memory is short."},
    {.name = "maxmemory-samples",
     .kind = K::kInteger,
     .standard = "5",
     .least = 1,
     .most = kInt32Max,
     .field = option_field<&E::maxmemory_samples>(),
     .doc = "Keys looked at for each eviction."},
    {.name = "notify-keyspace-events",
     .standard = "",
     .field = option_field<&E::notify_keyspace_events>(),
     .check = check_event_letters,
     .doc = "Classes of events that are published, as letters; none by default."},
    {.name = "proto-max-bulk-len",
     .kind = K::kBytes,
     .standard = "536870912",
     .least = 1_MiB,
     .field = option_field<&E::proto_max_bulk_len>(),
     .check = check_bulk_bytes,
     .doc = "The largest argument a client may send; collections keep no longer elements."},
    {.name = "rdbcompression",
     .kind = K::kBool,
     .standard = "yes",
     .field = option_field<&E::rdbcompression>(),
     .doc = "Compress strings in snapshots and in what DUMP gives."},
    {.name = "rename-command",
     .kind = K::kWords,
     .flags = OptionFlag::kFileOnly,
     .standard = "",
     .field = option_field<&E::renamed_commands>(),
     .check = check_rename,
     .doc = "Gives a command another name, or none if that is empty."},
    {.name = "requirepass",
     .flags = OptionFlag::kSecret,
     .standard = "",
     .field = option_field<&E::requirepass>(),
     .doc = "The password that clients must give; none by default."},
    {.name = "set-max-intset-entries",
     .kind = K::kInteger,
     .standard = "512",
     .field = option_field<&E::limits, &Limits::set_ints_entries>(),
     .doc = "Up to so many integers a set is an array of them."},
    {.name = "slowlog-log-slower-than",
     .alias = "commandlog-execution-slower-than",
     .kind = K::kInteger,
     .standard = "10000",
     .least = -1,
     .field = option_field<&E::slowlog_log_slower_than_us>(),
     .doc = "SLOWLOG keeps commands that take more microseconds; -1 keeps none."},
    {.name = "slowlog-max-len",
     .alias = "commandlog-slow-execution-max-len",
     .kind = K::kInteger,
     .standard = "128",
     .field = option_field<&E::slowlog_max_len>(),
     .doc = "Lines that SLOWLOG keeps."},
    {.name = "stream-idmp-duration",
     .kind = K::kInteger,
     .standard = "100",
     .least = kStreamIdmpDurationMin,
     .most = kStreamIdmpDurationMax,
     .field = option_field<&E::limits, &Limits::stream_idmp_duration_s>(),
     .doc = "Seconds for which a stream knows what an idempotent producer has added."},
    {.name = "stream-idmp-maxsize",
     .kind = K::kInteger,
     .standard = "100",
     .least = kStreamIdmpRecordsMin,
     .most = kStreamIdmpRecordsMax,
     .field = option_field<&E::limits, &Limits::stream_idmp_records>(),
     .doc = "Entries that a stream knows of each idempotent producer."},
    {.name = "stream-node-max-bytes",
     .kind = K::kBytes,
     .standard = "4096",
     .field = option_field<&E::limits, &Limits::stream_node_bytes>(),
     .doc = "A node of a stream takes no more entries at so many bytes; 0 is no limit."},
    {.name = "stream-node-max-entries",
     .kind = K::kInteger,
     .standard = "100",
     .field = option_field<&E::limits, &Limits::stream_node_entries>(),
     .doc = "A node of a stream takes no more entries than these; 0 is no limit."},
    {.name = "timeout",
     .kind = K::kInteger,
     .standard = "0",
     .most = kInt32Max,
     .field = option_field<&E::timeout_seconds>(),
     .doc = "Seconds after which an idle client is closed; 0 is never."},
    {.name = "tracking-table-max-keys",
     .kind = K::kInteger,
     .standard = "1000000",
     .field = option_field<&E::tracking_table_max_keys>(),
     .doc = "Keys remembered for client-side caches; 0 is no limit."},
    {.name = "user",
     .kind = K::kWords,
     .flags = OptionFlag::kFileOnly,
     .standard = "",
     .field = option_field<&E::users>(),
     .check = check_user,
     .doc = "Defines a user: its name and rules, as ACL SETUSER takes them."},
    {.name = "zset-max-listpack-entries",
     .alias = "zset-max-ziplist-entries",
     .kind = K::kInteger,
     .standard = "128",
     .field = option_field<&E::limits, &Limits::zset_packed_entries>(),
     .doc = "Up to so many members a sorted set is packed."},
    {.name = "zset-max-listpack-value",
     .alias = "zset-max-ziplist-value",
     .kind = K::kBytes,
     .standard = "64",
     .field = option_field<&E::limits, &Limits::zset_packed_value_bytes>(),
     .doc = "A sorted set with a longer member is not packed."},
};

// ---- what follows from a change
bool apply_client_memory(Engine& engine, std::string&) {
  engine.client_memory.apply_limit();
  return true;
}

bool apply_memory(Engine& engine, std::string& error) {
  engine.executor.set_gate(Gate::kMemory, engine.options.maxmemory > 0);
  engine.eviction.apply_policy(engine);
  // The commands behind it in a transaction are to find what those ahead of it left. Whether room
  // could be made shows at the next command that needs some.
  const Session* const running = engine.executor.running();
  if (running != nullptr && running->caller().txn.executing) {
    engine.eviction.want_room();
  } else {
    static_cast<void>(engine.eviction.make_room(engine));
  }
  // It may be a share of maxmemory.
  return apply_client_memory(engine, error);
}

bool apply_events(Engine& engine, std::string&) {
  return engine.pubsub.set_event_classes(engine.options.notify_keyspace_events);
}

bool apply_replicas(Engine& engine, std::string&) {
  engine.replication.apply_gate();
  return true;
}

bool apply_backlog(Engine& engine, std::string&) {
  engine.replication.apply_backlog_size();
  return true;
}

bool apply_semi_sync(Engine& engine, std::string& error) {
  engine.close_group(GroupKind::kTransaction);
  if (!engine.leadership.apply_members(error)) return false;
  engine.replication.apply_semi_sync();
  return true;
}

bool apply_semi_sync_timeout(Engine& engine, std::string& error) {
  engine.leadership.on_timeout_changed();
  return apply_semi_sync(engine, error);
}

bool apply_password(Engine& engine, std::string&) {
  engine.acl.set_default_password(engine.options.requirepass);
  return true;
}

struct Follow {
  ByteView name;
  bool (*apply)(Engine&, std::string&);
};
constexpr Follow kFollows[] = {
    {"maxmemory", apply_memory},
    {"maxmemory-clients", apply_client_memory},
    {"maxmemory-policy", apply_memory},
    {"min-replicas-max-lag", apply_replicas},
    {"min-replicas-to-write", apply_replicas},
    {"notify-keyspace-events", apply_events},
    {"repl-backlog-size", apply_backlog},
    {"replica-serve-stale-data", apply_replicas},
    {"requirepass", apply_password},
    {"semi-sync-acks", apply_semi_sync},
    {"semi-sync-members", apply_semi_sync},
    {"semi-sync-timeout", apply_semi_sync_timeout},
    {"semi-sync-timeout-policy", apply_semi_sync},
};

}  // namespace

constinit const std::span<const OptionRow> kEngineOptions = kRows;

bool apply_engine_option(Engine& engine, ByteView name, std::string& error) {
  for (const Follow& follow : kFollows) {
    if (follow.name == name) return follow.apply(engine, error);
  }
  return true;
}

void apply_all_engine_options(Engine& engine) {
  std::string error;
  for (const Follow& follow : kFollows) CHECK(follow.apply(engine, error));
}

bool rename_commands(Engine& engine, std::string& error) {
  ByteView lines = engine.options.renamed_commands;
  std::string buffer;
  std::vector<ByteView> words;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    CHECK(split_config_line(lines.substr(0, end), buffer, words));
    lines.remove_prefix(end + 1);
    switch (engine.registry.rename(words[0], words[1])) {
      case Registry::Renaming::kDone:
        continue;
      case Registry::Renaming::kNoSuchCommand:
        error = "No such command in rename-command: " + std::string(words[0]);
        return false;
      case Registry::Renaming::kNameTaken:
        error = "Target command name already exists: " + std::string(words[1]);
        return false;
    }
  }
  return true;
}

}  // namespace ouro
