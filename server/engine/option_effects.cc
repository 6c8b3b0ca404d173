// SPDX-License-Identifier: BSD-3-Clause
// What follows from a change of an option, and from what was given at the start.
#include "server/engine/config.h"
#include "server/engine/engine.h"
#include "server/engine/options.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

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
