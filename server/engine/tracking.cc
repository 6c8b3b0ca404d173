// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/tracking.h"

#include <algorithm>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// What one turn may forget when the limit was lowered, and free of a table that is not needed.
constexpr size_t kForgottenMax = 1000;
constexpr size_t kFreeBudget = 2000;
constexpr ByteView kChannel = "__redis__:invalidate";

bool is_leaving(const Session& session) {
  const EndpointState state = session.state();
  return state == EndpointState::kDoomed || state == EndpointState::kFinishing;
}

size_t common_prefix(ByteView a, ByteView b) {
  const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<size_t>(differs.first - a.begin());
}

// Calls fn(node) for each prefix of `key` in an ordered map, the longest first. The greatest name
// that is not greater than what is left of the key is a prefix of it, or no prefix can be longer
// than what the two have in common.
template <class Map, class Fn>
void for_each_prefix_of(ByteView key, Map& map, Fn fn) {
  for (ByteView left = key;;) {
    auto found = map.upper_bound(left);
    if (found == map.begin()) return;
    --found;
    const ByteView name = found->first;
    const size_t common = common_prefix(name, left);
    if (common < name.size()) {
      left = left.substr(0, common);
      continue;
    }
    fn(found->second);
    if (common == 0) return;
    left = left.substr(0, common - 1);
  }
}

// What a prefix takes in its client's tree.
size_t bytes_of(const std::string& prefix) {
  constexpr size_t kLinksBytes = 4 * sizeof(void*);
  return kLinksBytes + sizeof(std::string) + prefix.capacity();
}

}  // namespace

size_t TrackingClient::memory_bytes() const {
  size_t bytes = sizeof(TrackingClient);
  for (const std::string& prefix : prefixes) bytes += bytes_of(prefix);
  return bytes;
}

Tracking::Tracking(Engine& engine) : engine_(engine), held_(engine.heap) {}

void Tracking::enable(Session& session, const TrackingClient::Mode& mode, Argv prefixes) {
  if (session.tracking == nullptr) {
    session.tracking = std::make_unique<TrackingClient>();
    held_.add(session.tracking->memory_bytes());
    ++client_count_;
  }
  if (keys_ == nullptr) keys_ = std::make_unique<Keys>(engine_.heap, HashSeed{engine_.prng.next()});
  session.tracking->mode = mode;
  session.tracking->redirect_broken = false;
  if (!mode.broadcasts) return;
  if (prefixes.empty()) add_prefix(session, {});
  for (const ByteView prefix : prefixes) add_prefix(session, prefix);
}

void Tracking::add_prefix(Session& session, ByteView prefix) {
  const auto [own, is_new] = session.tracking->prefixes.emplace(prefix);
  if (!is_new) return;
  held_.add(bytes_of(*own));
  prefixes_[*own].clients.push_back(&session);
}

void Tracking::disable(Session& session) {
  if (session.tracking == nullptr) return;
  for (const std::string& name : session.tracking->prefixes) {
    const auto found = prefixes_.find(name);
    std::erase(found->second.clients, &session);
    if (found->second.clients.empty()) prefixes_.erase(found);
  }
  held_.remove(session.tracking->memory_bytes());
  session.tracking = nullptr;
  if (--client_count_ > 0) return;
  drop_keys();
  pending_.clear();
}

// Nobody needs the table any more: it is freed in slices.
void Tracking::drop_keys() {
  item_count_ = 0;
  if (keys_ != nullptr && !keys_->empty()) dropped_.push_back(std::move(keys_));
  keys_ = nullptr;
}

bool Tracking::is_over_limit() const {
  const uint64_t keys_max = engine_.options.tracking_table_max_keys;
  return keys_max != 0 && keys_ != nullptr && keys_->size() > keys_max;
}

void Tracking::on_command(const Caller& caller, const CommandSpec& spec, Argv argv) {
  if (!spec.flags.has(Flag::kReadonly) || spec.flags.has(Flag::kRunsScript)) return;
  const ScriptLimits* const script = caller.script;
  const Session* const session = script != nullptr ? script->caller->session : caller.session;
  if (session == nullptr) return;
  script != nullptr ? remember(*session, *script->spec, script->argv)
                    : remember(*session, spec, argv);
}

void Tracking::remember(const Session& session, const CommandSpec& spec, Argv argv) {
  const TrackingClient* client = session.tracking.get();
  if (client == nullptr || client->mode.broadcasts) return;
  if (client->mode.opts_in && client->caching_said_by == nullptr) return;
  if (client->mode.opts_out && client->caching_said_by != nullptr) return;
  size_t added = 0;
  const Status named = for_each_key(spec, argv, [&](size_t at, KeyUse use) {
    if ((use & kNotKey) != 0) return;
    Readers& readers = keys_->find_or_add(argv[at]);
    if (readers.heap == nullptr) {
      readers.heap = &engine_.heap;
      ++added;
    }
    if (readers.ids.add(engine_.heap, static_cast<int64_t>(session.id))) ++item_count_;
  });
  // One that named no valid keys was answered with an error, and has read nothing.
  if (!named.is_ok()) return;
  for (; added > 0 && is_over_limit(); --added) forget(keys_->random_key(engine_.prng));
}

void Tracking::on_changed(ByteView key, bool by_nobody) {
  const Session* const running = engine_.executor.running();
  if (!prefixes_.empty()) note_change(key, by_nobody || running == nullptr ? 0 : running->id);
  forget(key);
}

void Tracking::note_change(ByteView key, uint64_t changer) {
  for_each_prefix_of(key, prefixes_, [&](Prefix& prefix) {
    prefix.changes.insert_or_assign(std::string(key), changer);
    has_changes_ = true;
  });
}

// Tells the readers of a key, which may lie in its entry.
void Tracking::forget(ByteView key) {
  Readers* const found = keys_->find(key);
  if (found == nullptr) return;
  // Gone from the table first: whom we tell may be over its output limit, and leave.
  const Readers readers = std::move(*found);
  const std::string name(key);
  keys_->erase(name);
  item_count_ -= readers.ids.size();
  for (size_t i = 0; i < readers.ids.size(); ++i) {
    Session* const session = engine_.clients.find(static_cast<uint64_t>(readers.ids.at(i)));
    if (session == nullptr || session->tracking == nullptr) continue;
    // It may have read by another mode, or before it turned tracking off and on.
    if (session->tracking->mode.broadcasts) continue;
    if (session->tracking->mode.no_loop && session == engine_.executor.running()) continue;
    tell(*session, ByteView(name));
  }
}

void Tracking::on_flushed() {
  for (const auto& [id, session] : engine_.clients.all()) {
    if (session->tracking != nullptr) tell(*session, std::nullopt);
  }
  if (!active()) return;
  drop_keys();
  keys_ = std::make_unique<Keys>(engine_.heap, HashSeed{engine_.prng.next()});
}

// At once, or behind the answer if the client whose command runs is the one to tell.
void Tracking::tell(Session& session, std::optional<ByteView> key) {
  const Session* const running = engine_.executor.running();
  if (running != nullptr &&
      (running == &session || running->id == session.tracking->mode.redirect)) {
    pending_.push_back({session.id, key ? std::optional<std::string>(*key) : std::nullopt});
    return;
  }
  tell_now(session, [&](Reply& reply) {
    if (!key) return reply.null();
    reply.array(1);
    reply.bulk(*key);
  });
}

void Tracking::tell_pending() {
  for (const Pending& pending : std::exchange(pending_, {})) {
    Session* const session = engine_.clients.find(pending.client);
    if (session != nullptr && session->tracking != nullptr) tell(*session, pending.key);
  }
}

void Tracking::tell_now(Session& session, WriteKeys write_keys) {
  TrackingClient& client = *session.tracking;
  Session* receiver = &session;
  if (client.mode.redirect != 0) {
    receiver = engine_.clients.find(client.mode.redirect);
    if (receiver == nullptr || is_leaving(*receiver)) {
      client.redirect_broken = true;
      if (session.resp_version() < 3) return;
      session.send_out_of_band([&](Reply& reply) {
        reply.push(2);
        reply.bulk("tracking-redir-broken");
        reply.integer(static_cast<int64_t>(client.mode.redirect));
      });
      return;
    }
  }
  const bool pushes = receiver->resp_version() == 3;
  // RESP2 knows messages only, and only for one that subscribed to something.
  if (!pushes && (client.mode.redirect == 0 || receiver->subscription_count() == 0)) return;
  receiver->send_out_of_band([&](Reply& reply) {
    reply.push(pushes ? 2 : 3);
    reply.bulk(pushes ? "invalidate" : "message");
    if (!pushes) reply.bulk(kChannel);
    write_keys(reply);
  });
}

void Tracking::on_command_end(Session& session, const CommandSpec* spec) {
  TrackingClient* const client = session.tracking.get();
  if (client == nullptr || client->caching_said_by == nullptr || session.caller().txn.open) return;
  if (spec == nullptr || engine_.registry.container(*spec) != client->caching_said_by)
    client->caching_said_by = nullptr;
}

void Tracking::broadcast() {
  if (!has_changes_) return;
  has_changes_ = false;
  struct News {
    Changes changes;
    std::vector<uint64_t> clients;
  };
  // Taken out first: whom we tell may be over its output limit, and leave.
  std::vector<News> all;
  for (auto& [name, prefix] : prefixes_) {
    if (prefix.changes.empty()) continue;
    News& news =
        all.emplace_back(News{.changes = std::exchange(prefix.changes, {}), .clients = {}});
    for (const Session* session : prefix.clients) news.clients.push_back(session->id);
  }
  for (const News& news : all) {
    for (const uint64_t id : news.clients) {
      Session* const session = engine_.clients.find(id);
      if (session == nullptr || session->tracking == nullptr) continue;
      const bool no_loop = session->tracking->mode.no_loop;
      const auto own = static_cast<size_t>(
          std::count_if(news.changes.begin(), news.changes.end(),
                        [&](const auto& change) { return no_loop && change.second == id; }));
      if (own == news.changes.size()) continue;
      tell_now(*session, [&](Reply& reply) {
        reply.array(news.changes.size() - own);
        for (const auto& [key, changer] : news.changes) {
          if (!no_loop || changer != id) reply.bulk(key);
        }
      });
    }
  }
  // The commands that made the changes have closed their groups.
  engine_.close_group(GroupKind::kCommand);
}

bool Tracking::run_slice() {
  size_t budget = kFreeBudget;
  while (!dropped_.empty() && dropped_.back()->free_some(budget)) dropped_.pop_back();
  for (size_t forgotten = 0; forgotten < kForgottenMax && is_over_limit(); ++forgotten)
    forget(keys_->random_key(engine_.prng));
  return !dropped_.empty() || is_over_limit();
}

void Tracking::check_invariants() const {
  size_t clients = 0;
  for (const auto& [id, session] : engine_.clients.all()) {
    if (session->tracking == nullptr) continue;
    ++clients;
    CHECK(session->tracking->mode.broadcasts || session->tracking->prefixes.empty());
    for (const std::string& name : session->tracking->prefixes) {
      const std::vector<Session*>& subscribed = prefixes_.at(name).clients;
      CHECK(std::count(subscribed.begin(), subscribed.end(), session) == 1);
    }
  }
  CHECK(clients == client_count_);
  CHECK((keys_ != nullptr) == active());
  size_t items = 0;
  if (keys_ != nullptr) {
    keys_->check_invariants();
    keys_->for_each([&](ByteView, const Readers& readers) { items += readers.ids.size(); });
  }
  CHECK(items == item_count_);
}

}  // namespace ouro
