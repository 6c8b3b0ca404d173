// SPDX-License-Identifier: BSD-3-Clause
// INFO: what the engine counts and the host knows, under Redis's names and in its order. Sections
// are rows: a name, whether plain INFO shows it, and the function that writes it. What there is not
// (a cluster, modules, defragmentation, threads of I/O) is 0 for ever.
#include <array>

#include "server/commands/admin/info_page.h"
#include "server/commands/tables.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"
#include "server/engine/version.h"

namespace ouro {
namespace {

double ratio(size_t a, size_t b) {
  return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
}

void server_section(Page& page) {
  const HostInfo host = page.engine.host.info();
  const UnixMs up = host.started == 0 ? 0 : (page.now - host.started) / 1000;
  page.word("redis_version", kRedisVersion);
  page.word("server_name", "ouro");
  page.word("ouro_version", kOuroVersion);
  page.word("redis_git_sha1", "00000000");
  page.word("redis_git_dirty", "0");
  page.word("redis_build_id", "0");
  page.word("redis_mode", "standalone");
  page.word("os", host.os);
  page.value("arch_bits", sizeof(void*) * 8);
  page.word("monotonic_clock", "POSIX clock_gettime");
  page.word("multiplexing_api", host.io_backend);
  page.word("atomicvar_api", "c11-builtin");
  page.line("gcc_version:%d.%d.%d", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
  page.line("process_id:%lld", static_cast<long long>(host.process_id));
  page.word("process_supervised", host.is_supervised ? "systemd" : "no");
  page.word("run_id", host.run_id);
  page.line("tcp_port:%d", host.tcp_port);
  page.line("server_time_usec:%lld", static_cast<long long>(page.now) * 1000);
  page.line("uptime_in_seconds:%lld", static_cast<long long>(up));
  page.line("uptime_in_days:%lld", static_cast<long long>(up / 86400));
  const std::string hz = page.engine.config.get("hz");
  page.word("hz", hz.empty() ? ByteView("10") : ByteView(hz));
  page.word("configured_hz", hz.empty() ? ByteView("10") : ByteView(hz));
  page.value("lru_clock", page.engine.access_clock());
  page.word("executable", host.executable);
  page.word("config_file", host.config_file);
  page.word("io_threads_active", "0");
  page.word("availability_zone", page.engine.options.availability_zone);
  page.word("io_backend_reason", host.io_reason);
}

void clients_section(Page& page) {
  size_t input = 0;
  size_t output = 0;
  size_t timed = 0;
  for (const auto& [id, session] : page.engine.clients.all()) {
    input = std::max(input, session->query_bytes());
    output = std::max(output, session->output_bytes());
    timed += session->wait().active && session->wait().until != Wait::kForever;
  }
  page.value("connected_clients",
             page.engine.clients.count() - page.engine.replication.replicas().size());
  page.value("cluster_connections", 0);
  page.value("maxclients", page.engine.options.maxclients);
  page.value("client_recent_max_input_buffer", input);
  page.value("client_recent_max_output_buffer", output);
  page.value("blocked_clients", page.engine.blocking.session_count() +
                                    page.engine.clients.postponed_count() +
                                    page.engine.acked_calls.waiting());
  page.value("tracking_clients", page.engine.tracking.client_count());
  page.value("clients_in_timeout_table", timed);
}

struct MemoryFacts {
  size_t used, peak, startup, overhead, resident;
  Clients::Memory clients;
  HostInfo host;
};

MemoryFacts memory_facts(Engine& engine) {
  MemoryFacts facts{};
  facts.host = engine.host.info();
  facts.used = engine.heap.used_bytes();
  facts.peak = engine.heap.peak_bytes();
  facts.startup = engine.startup_bytes;
  facts.resident = facts.host.resident_bytes;
  facts.clients = engine.clients.memory();
  // What a client's output points at is data.
  facts.overhead = facts.startup + facts.clients.held_bytes;
  for (DbIndex db = 0; db < engine.dbs.count(); ++db)
    facts.overhead += engine.dbs[db].overhead_bytes();
  facts.overhead = std::min(facts.overhead, facts.used);
  return facts;
}

void memory_section(Page& page) {
  Engine& engine = page.engine;
  const MemoryFacts facts = memory_facts(engine);
  const size_t dataset = facts.used - facts.overhead;
  page.bytes("used_memory", facts.used);
  page.bytes("used_memory_rss", facts.resident);
  page.bytes("used_memory_peak", facts.peak);
  page.line("used_memory_peak_perc:%.2f%%", ratio(facts.used, facts.peak) * 100);
  page.value("used_memory_overhead", facts.overhead);
  page.value("used_memory_startup", facts.startup);
  page.value("used_memory_dataset", dataset);
  page.line("used_memory_dataset_perc:%.2f%%",
            ratio(dataset, facts.used - std::min(facts.startup, facts.used)) * 100);
  page.value("allocator_allocated", facts.used);
  page.value("allocator_active", facts.resident);
  page.value("allocator_resident", facts.resident);
  page.bytes("total_system_memory", facts.host.total_system_memory);
  const Scripting::Facts scripts = engine.script_facts();
  const size_t machines = scripts.eval_machine_bytes + scripts.function_machine_bytes;
  const size_t texts = scripts.script_bytes + scripts.library_bytes;
  page.value("used_memory_lua", scripts.eval_machine_bytes);
  page.value("used_memory_vm_eval", scripts.eval_machine_bytes);
  page.human("used_memory_lua", scripts.eval_machine_bytes);
  page.value("used_memory_scripts_eval", scripts.script_bytes);
  page.value("number_of_cached_scripts", scripts.scripts);
  page.value("number_of_functions", scripts.functions);
  page.value("number_of_libraries", scripts.libraries);
  page.value("used_memory_vm_functions", scripts.function_machine_bytes);
  page.bytes("used_memory_vm_total", machines);
  page.value("used_memory_functions", scripts.library_bytes);
  page.bytes("used_memory_scripts", texts);
  page.bytes("maxmemory", engine.options.maxmemory);
  page.word("maxmemory_policy", engine.config.get("maxmemory-policy"));
  const size_t lost = facts.resident > facts.used ? facts.resident - facts.used : 0;
  page.line("allocator_frag_ratio:%.2f", ratio(facts.resident, facts.used));
  page.value("allocator_frag_bytes", lost);
  page.line("allocator_rss_ratio:%.2f", 1.0);
  page.value("allocator_rss_bytes", 0);
  page.line("rss_overhead_ratio:%.2f", 1.0);
  page.value("rss_overhead_bytes", 0);
  page.line("mem_fragmentation_ratio:%.2f", ratio(facts.resident, facts.used));
  page.line("mem_fragmentation_bytes:%lld",
            static_cast<long long>(facts.resident) - static_cast<long long>(facts.used));
  const Replication::Memory stream = engine.replication.memory();
  page.value("mem_not_counted_for_evict", Eviction::uncounted_bytes(engine));
  page.value("mem_replication_backlog", stream.backlog_bytes);
  page.value("mem_total_replication_buffers", stream.backlog_bytes + stream.replicas_bytes);
  page.value("mem_clients_slaves", stream.replicas_bytes);
  page.value("mem_clients_normal", facts.clients.claimed_bytes);
  page.value("mem_cluster_links", 0);
  page.value("mem_aof_buffer", engine.persistence.log_buffer_memory());
  page.word("mem_allocator",
            facts.host.allocator.empty() ? ByteView("libc") : ByteView(facts.host.allocator));
  page.value("active_defrag_running", 0);
  page.value("lazyfree_pending_objects", engine.dbs.lazy_free().pending_objects());
  page.value("lazyfreed_objects", engine.dbs.lazy_free().freed_objects());
}

// While it lasts.
void loading_fields(Page& page, const LoadingFacts& facts) {
  const UnixMs elapsed = (page.now - facts.began) / 1000;
  const uint64_t left = facts.total_bytes - std::min(facts.loaded_bytes, facts.total_bytes);
  // As Redis guesses.
  const uint64_t eta = elapsed == 0 || facts.loaded_bytes == 0
                           ? 1
                           : static_cast<uint64_t>(elapsed) * left / facts.loaded_bytes;
  page.line("loading_start_time:%lld", static_cast<long long>(facts.began / 1000));
  page.value("loading_total_bytes", facts.total_bytes);
  page.value("loading_rdb_used_mem", facts.saved_used_memory);
  page.value("loading_loaded_bytes", facts.loaded_bytes);
  page.line("loading_loaded_perc:%.2f", ratio(facts.loaded_bytes, facts.total_bytes) * 100);
  page.value("loading_eta_seconds", eta);
}

// -1: there is none.
void seconds_field(Page& page, const char* name, Micros micros) {
  page.line("%s:%lld", name, static_cast<long long>(micros < 0 ? -1 : micros / 1'000'000));
}

// While it is on.
void log_fields(Page& page, const Persistence& facts) {
  page.value("aof_current_size", facts.log_bytes);
  page.value("aof_base_size", facts.log_base_bytes);
  page.value("aof_pending_rewrite", facts.rewrite.scheduled ? 1 : 0);
  page.value("aof_buffer_length", facts.log_buffered_bytes());
  page.value("aof_pending_bio_fsync", facts.log_pending_syncs);
  page.value("aof_delayed_fsync", facts.log_delayed_syncs);
}

void persistence_section(Page& page) {
  const Persistence& facts = page.engine.persistence;
  const SavingFacts& snapshot = facts.snapshot;
  const SavingFacts& current = snapshot.active ? snapshot : facts.rewrite;
  const Instant now = page.engine.instant();
  page.value("loading", facts.loading.active ? 1 : 0);
  page.value("async_loading", facts.loading.is_async ? 1 : 0);
  page.value("current_cow_peak", current.active ? current.last_copied_bytes : 0);
  page.value("current_cow_size", current.active ? current.copied_bytes : 0);
  page.value("current_cow_size_age", 0);
  page.line("current_fork_perc:%.2f",
            current.active ? ratio(current.keys_saved, current.keys_total) * 100 : 0.0);
  page.value("current_save_keys_processed", current.active ? current.keys_saved : 0);
  page.value("current_save_keys_total", current.active ? current.keys_total : 0);
  page.value("rdb_changes_since_last_save", page.engine.changes);
  page.value("rdb_bgsave_in_progress", snapshot.active || facts.syncs_replicas ? 1 : 0);
  page.line("rdb_last_save_time:%lld", static_cast<long long>(facts.last_save / 1000));
  page.word("rdb_last_bgsave_status", snapshot.last_is_ok ? "ok" : "err");
  seconds_field(page, "rdb_last_bgsave_time_sec", snapshot.last_micros);
  seconds_field(page, "rdb_current_bgsave_time_sec", snapshot.active ? now - snapshot.began : -1);
  page.value("rdb_saves", snapshot.done);
  page.value("rdb_last_cow_size", snapshot.last_copied_bytes);
  page.value("rdb_last_load_keys_expired", facts.loading.keys_expired);
  page.value("rdb_last_load_keys_loaded", facts.loading.keys_loaded);
  const SavingFacts& rewrite = facts.rewrite;
  // A log that is to begin does so with a rewrite, whose end is waited for by these.
  const bool is_to_begin = facts.log_is_wanted() && !facts.log_is_on;
  page.value("aof_enabled", facts.log_is_wanted() ? 1 : 0);
  page.value("aof_rewrite_in_progress", rewrite.active || is_to_begin ? 1 : 0);
  page.value("aof_rewrite_scheduled", rewrite.scheduled ? 1 : 0);
  seconds_field(page, "aof_last_rewrite_time_sec", rewrite.last_micros);
  seconds_field(page, "aof_current_rewrite_time_sec", rewrite.active ? now - rewrite.began : -1);
  page.word("aof_last_bgrewrite_status", rewrite.last_is_ok ? "ok" : "err");
  page.value("aof_rewrites", rewrite.done);
  page.value("aof_rewrites_consecutive_failures", facts.rewrite_failures);
  page.word("aof_last_write_status", facts.log_problem.empty() ? "ok" : "err");
  page.value("aof_last_cow_size", rewrite.last_copied_bytes);
  page.zeros({"module_fork_in_progress", "module_fork_last_cow_size"});
  page.word("redis7_readable", page.engine.redis7.can_read() ? "yes" : "no");
  if (facts.log_is_on) log_fields(page, facts);
  if (facts.loading.active) loading_fields(page, facts.loading);
}

void stats_section(Page& page) {
  Engine& engine = page.engine;
  const Stats& stats = engine.stats;
  page.value("total_connections_received", stats.connections_received);
  page.value("total_commands_processed", stats.commands_processed);
  page.value("instantaneous_ops_per_sec", stats.commands_rate.per_second);
  page.value("total_net_input_bytes", stats.net_input_bytes);
  page.value("total_net_output_bytes", stats.net_output_bytes);
  page.value("total_net_repl_input_bytes", stats.net_replication_input_bytes);
  page.value("total_net_repl_output_bytes", stats.net_replication_output_bytes);
  page.line("instantaneous_input_kbps:%.2f",
            static_cast<double>(stats.input_rate.per_second) / 1024);
  page.line("instantaneous_output_kbps:%.2f",
            static_cast<double>(stats.output_rate.per_second) / 1024);
  page.line("instantaneous_input_repl_kbps:%.2f",
            static_cast<double>(stats.replication_input_rate.per_second) / 1024);
  page.line("instantaneous_output_repl_kbps:%.2f",
            static_cast<double>(stats.replication_output_rate.per_second) / 1024);
  page.value("rejected_connections", stats.connections_rejected);
  page.value("sync_full", stats.syncs_full);
  page.value("sync_partial_ok", stats.syncs_partial);
  page.value("sync_partial_err", stats.syncs_partial_refused);
  page.value("expired_keys", stats.expired_keys);
  page.value("expired_subkeys", stats.expired_elements);
  page.line("expired_stale_perc:%.2f", 0.0);
  page.value("expired_time_cap_reached_count", stats.expire_cycles_cut);
  page.value("expire_cycle_cpu_milliseconds",
             static_cast<uint64_t>(static_cast<double>(stats.expire_ticks) /
                                   engine.stopwatch.ticks_per_us() / 1000));
  page.value("rm_deleted_keys", stats.keys_removed_by_pattern);
  page.value("evicted_keys", stats.evicted_keys);
  page.value("evicted_clients", stats.evicted_clients);
  page.value("evicted_scripts", stats.evicted_scripts);
  page.value("total_eviction_exceeded_time",
             static_cast<uint64_t>(engine.eviction.exceeded_in_all(engine.instant()) / 1000));
  page.value("current_eviction_exceeded_time",
             static_cast<uint64_t>(engine.eviction.exceeded_now(engine.instant()) / 1000));
  page.value("keyspace_hits", stats.keyspace_hits);
  page.value("keyspace_misses", stats.keyspace_misses);
  page.value("pubsub_channels", engine.pubsub.name_count(PubSub::Kind::kChannel));
  page.value("pubsub_patterns", engine.pubsub.name_count(PubSub::Kind::kPattern));
  page.value("pubsubshard_channels", engine.pubsub.name_count(PubSub::Kind::kShard));
  page.value("latest_fork_usec", 0);
  page.value("total_forks", engine.persistence.views_begun);
  page.value("migrate_cached_sockets", engine.host.migration_connections());
  page.value("slave_expires_tracked_keys", page.engine.own_keys.size());
  page.zeros({"active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits",
              "active_defrag_key_misses", "total_active_defrag_time",
              "current_active_defrag_time"});
  page.value("tracking_total_keys", engine.tracking.key_count());
  page.value("tracking_total_items", engine.tracking.item_count());
  page.value("tracking_total_prefixes", engine.tracking.prefix_count());
  page.value("unexpected_error_replies", stats.unexpected_errors);
  page.value("total_error_replies", stats.error_replies);
  page.value("dump_payload_sanitizations", stats.payloads_checked);
  const HostInfo host = engine.host.info();
  page.value("total_reads_processed", host.inputs);
  page.value("total_writes_processed", host.outputs);
  page.zeros({"io_threaded_reads_processed", "io_threaded_writes_processed", "reply_buffer_shrinks",
              "reply_buffer_expands"});
  page.value("acl_access_denied_auth", stats.acl_denials[0]);
  page.value("acl_access_denied_cmd", stats.acl_denials[1]);
  page.value("acl_access_denied_key", stats.acl_denials[2]);
  page.value("acl_access_denied_channel", stats.acl_denials[3]);
  page.value("acl_access_denied_db", stats.acl_denials[4]);
  page.value("client_query_buffer_limit_disconnections", stats.client_query_limit_closed);
  page.value("client_output_buffer_limit_disconnections", stats.client_output_limit_closed);
}

void cpu_section(Page& page) {
  const HostInfo host = page.engine.host.info();
  page.line("used_cpu_sys:%.6f", host.cpu_system_s);
  page.line("used_cpu_user:%.6f", host.cpu_user_s);
  page.line("used_cpu_sys_children:%.6f", 0.0);
  page.line("used_cpu_user_children:%.6f", 0.0);
  page.line("used_cpu_sys_main_thread:%.6f", host.cpu_system_main_s);
  page.line("used_cpu_user_main_thread:%.6f", host.cpu_user_main_s);
}

void modules_section(Page&) {}

void commandstats_section(Page& page) {
  page.engine.registry.for_each_row([&](const CommandSpec& row, const CommandStats& stats) {
    if (stats.calls == 0 && stats.failed == 0 && stats.rejected == 0) return;
    const ByteView name = page.engine.registry.full_name(row);
    page.line(
        "cmdstat_%.*s:calls=%llu,usec=%llu,usec_per_call=%.2f,rejected_calls=%llu,failed_calls=%"
        "llu",
        static_cast<int>(name.size()), name.data(), static_cast<Ull>(stats.calls),
        static_cast<Ull>(stats.nanos / 1000), ratio(stats.nanos, stats.calls * 1000),
        static_cast<Ull>(stats.rejected), static_cast<Ull>(stats.failed));
  });
}

void errorstats_section(Page& page) {
  for (const auto& [code, count] : page.engine.stats.errors) {
    page.line("errorstat_%s:count=%llu", code.c_str(), static_cast<Ull>(count));
  }
}

void latencystats_section(Page& page) {
  if (!page.engine.options.latency_tracking) return;
  const std::vector<ByteView> percentiles =
      split_words(page.engine.options.latency_tracking_info_percentiles);
  page.engine.registry.for_each_row([&](const CommandSpec& row, const CommandStats& stats) {
    if (stats.latency == nullptr || stats.latency->count() == 0) return;
    page.text.append("latency_percentiles_usec_")
        .append(page.engine.registry.full_name(row))
        .append(":");
    for (size_t i = 0; i < percentiles.size(); ++i) {
      const Result<double> percent = parse_real(percentiles[i]);
      const uint64_t nanos = percent.is_ok() ? stats.latency->percentile_nanos(*percent) : 0;
      char text[64];
      std::snprintf(text, sizeof(text), "=%.3f", static_cast<double>(nanos) / 1000);
      page.text.append(i == 0 ? "p" : ",p").append(percentiles[i]).append(text);
    }
    page.text.append("\r\n");
  });
}

void cluster_section(Page& page) { page.value("cluster_enabled", 0); }

// The mean time to live of some random keys with an expiry.
Millis mean_ttl(Engine& engine, DbIndex db, UnixMs now) {
  constexpr int kSamples = 32;
  if (engine.dbs[db].expires_count() == 0) return 0;
  double sum = 0;  // of times that may be as long as time itself
  int count = 0;
  for (int i = 0; i < kSamples; ++i) {
    const Entry* entry = engine.dbs[db].random(engine.prng);
    if (entry == nullptr || !entry->has_deadline() || entry->is_due(now)) continue;
    sum += static_cast<double>(entry->deadline() - now);
    ++count;
  }
  return count == 0 ? 0 : static_cast<Millis>(sum / count);
}

void keyspace_section(Page& page) {
  for (DbIndex db = 0; db < page.engine.dbs.count(); ++db) {
    const Keyspace& keys = page.engine.dbs[db];
    if (keys.size() == 0) continue;
    // Redis 7.4 adds the hashes with deadlines, here all such collections; without any the line is
    // 7.0's.
    const size_t timed = keys.timed_count();
    const std::string more = timed == 0 ? "" : ",subexpiry=" + std::to_string(timed);
    page.line("db%u:keys=%llu,expires=%llu,avg_ttl=%lld%s", db, static_cast<Ull>(keys.size()),
              static_cast<Ull>(keys.expires_count()),
              static_cast<long long>(mean_ttl(page.engine, db, page.now)), more.c_str());
  }
}

// "1024" as "1K".
std::string short_number(uint64_t power_of_two) {
  constexpr std::array kUnits = {"", "K", "M", "G", "T", "P", "E"};
  size_t unit = 0;
  for (; power_of_two >= 1024; power_of_two /= 1024) ++unit;
  return std::to_string(power_of_two) + kUnits[unit];
}

std::string bins_text(const KeySizes::Histogram& histogram) {
  std::string bins;
  for (size_t bin = 0; bin < KeySizes::kBins; ++bin) {
    if (histogram[bin] == 0) continue;
    bins += bins.empty() ? "" : ",";
    bins += bin == 0 ? "0" : short_number(uint64_t{1} << (bin - 1));
    bins += "=" + std::to_string(histogram[bin]);
  }
  return bins;
}

void keysizes_section(Page& page) {
  // As Redis has it, memory is not told of strings, whose name is taken.
  struct Names {
    const char* sizes;
    const char* memory;
  };
  constexpr std::array<Names, KeySizes::kTypes> kNames = {{{"strings_sizes", nullptr},
                                                           {"lists_items", "lists_sizes"},
                                                           {"sets_items", "sets_sizes"},
                                                           {"zsets_items", "zsets_sizes"},
                                                           {"hashes_items", "hashes_sizes"}}};
  const KeySizes::Report* report = page.engine.key_sizes.ask();
  page.line("keysizes_walk_ended:%lld",
            static_cast<long long>(page.engine.key_sizes.ended() / 1000));
  if (report == nullptr) return;
  for (size_t db = 0; db < report->size(); ++db) {
    const auto tell = [&](const char* name, const KeySizes::Histogram& histogram) {
      const std::string bins = bins_text(histogram);
      if (name != nullptr && !bins.empty())
        page.word(("db" + std::to_string(db) + "_distrib_" + name).c_str(), bins);
    };
    for (size_t type = 0; type < kNames.size(); ++type) {
      tell(kNames[type].sizes, (*report)[db][type].sizes);
      tell(kNames[type].memory, (*report)[db][type].memory);
    }
  }
}

struct Section {
  ByteView name;  // lower case
  ByteView title;
  void (*write)(Page&);
  bool by_default = true;
  bool in_all = true;
  bool in_everything = true;
};
constexpr Section kSections[] = {
    {.name = "server", .title = "Server", .write = server_section},
    {.name = "clients", .title = "Clients", .write = clients_section},
    {.name = "memory", .title = "Memory", .write = memory_section},
    {.name = "persistence", .title = "Persistence", .write = persistence_section},
    {.name = "stats", .title = "Stats", .write = stats_section},
    {.name = "replication", .title = "Replication", .write = replication_section},
    {.name = "cpu", .title = "CPU", .write = cpu_section},
    {.name = "modules", .title = "Modules", .write = modules_section},
    {.name = "commandstats",
     .title = "Commandstats",
     .write = commandstats_section,
     .by_default = false},
    {.name = "errorstats", .title = "Errorstats", .write = errorstats_section},
    {.name = "latencystats",
     .title = "Latencystats",
     .write = latencystats_section,
     .by_default = false},
    {.name = "cluster", .title = "Cluster", .write = cluster_section},
    {.name = "keyspace", .title = "Keyspace", .write = keyspace_section},
    {.name = "cache", .title = "Cache", .write = cache_section, .by_default = false},
    // Walks all keys: only for those who name it.
    {.name = "keysizes",
     .title = "Keysizes",
     .write = keysizes_section,
     .by_default = false,
     .in_all = false,
     .in_everything = false},
};

bool is_wanted(const Section& section, Argv wanted) {
  if (wanted.empty()) return section.by_default;
  for (const ByteView word : wanted) {
    if (equals_ignoring_case(word, section.name)) return true;
    if (equals_ignoring_case(word, "everything") && section.in_everything) return true;
    if (equals_ignoring_case(word, "all") && section.in_all) return true;
    if (equals_ignoring_case(word, "default") && section.by_default) return true;
  }
  return false;
}

Status cmd_info(Context& ctx) {
  Page page(ctx);
  for (const Section& section : kSections) {
    if (!is_wanted(section, ctx.argv.subspan(1))) continue;
    if (!page.text.empty()) page.text.append("\r\n");
    page.text.append("# ").append(section.title).append("\r\n");
    section.write(page);
    ctx.engine.host.append_info(section.name, page.text);
  }
  ctx.reply.verbatim("txt", page.text);
  return Status::ok();
}

constexpr CommandSpec kInfoRows[] = {
    {.name = "INFO",
     .arity = at_least(1),
     .flags = Flag::kLoading | Flag::kStale,
     .acl = Acl::kDangerous,
     .handler = cmd_info,
     .doc = {.summary = "Returns facts and counters about the server.",
             .complexity = "O(1)",
             .since = "1.0.0",
             .group = "server",
             .history = "7.0.0 Takes several sections.",
             .args = "[section:string...]",
             .tips = "nondeterministic_output request_policy:all_shards response_policy:special"}},
};
static_assert(table_is_valid(kInfoRows));

}  // namespace

constinit const std::span<const CommandSpec> kInfoCommands = kInfoRows;

}  // namespace ouro
