// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/acl.h"

#include <algorithm>

#include "server/engine/client_line.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

constexpr ByteView kDefaultName = "default";

AclLog::Reason logged_reason(AclDenial::Reason reason) {
  switch (reason) {
    case AclDenial::Reason::kKey:
      return AclLog::Reason::kKey;
    case AclDenial::Reason::kChannel:
      return AclLog::Reason::kChannel;
    case AclDenial::Reason::kDatabase:
      return AclLog::Reason::kDatabase;
    case AclDenial::Reason::kCommand:
    case AclDenial::Reason::kNone:
      break;
  }
  return AclLog::Reason::kCommand;
}

AclLog::Context context_of(const Caller& caller) {
  if (caller.origin == Origin::kScript) return AclLog::Context::kScript;
  return caller.txn.open || caller.txn.executing ? AclLog::Context::kMulti
                                                 : AclLog::Context::kTopLevel;
}

std::vector<std::string> channels_of(const AclUser& user) {
  std::vector<std::string> channels;
  for (const AclSelector& selector : user.selectors())
    channels.insert(channels.end(), selector.channels().begin(), selector.channels().end());
  return channels;
}

bool has_all_channels(const AclUser& user) {
  return std::any_of(user.selectors().begin(), user.selectors().end(),
                     [](const AclSelector& selector) { return selector.has_all_channels(); });
}

void end_session(Session& session, const Session* running) {
  &session == running ? session.close_after_reply() : session.doom();
}

}  // namespace

AccessControl::AccessControl(Engine& engine)
    : engine_(engine),
      commands_(engine.registry),
      default_(users_.emplace(kDefaultName, AclUser(std::string(kDefaultName), ground()))
                   .first->second) {
  open_default();
}

// As in a server whose users nobody has changed.
void AccessControl::open_default() {
  default_ = AclUser(std::string(kDefaultName), ground());
  for (const ByteView rule : {"on", "nopass", "~*", "&*", "+@all"})
    CHECK(default_.apply(ground(), rule) == AclFault::kNone);
}

AclGround AccessControl::ground() const {
  return {.commands = commands_,
          .all_channels = engine_.options.acl_pubsub_default == NewChannels::kAll};
}

const AclUser* AccessControl::find(ByteView name) const {
  const auto found = users_.find(name);
  return found == users_.end() ? nullptr : &found->second;
}

std::vector<std::string> AccessControl::lines() const {
  std::vector<std::string> lines;
  for (const auto& [name, user] : users_) lines.push_back("user " + name + " " + user.text());
  return lines;
}

AclDenial AccessControl::check(const AclUser* user, const CommandSpec& spec, Argv argv,
                               DbIndex db) const {
  if (user == nullptr) return {};
  return user->check(commands_, spec, argv, {.db = db, .db_count = engine_.dbs.count()});
}

bool AccessControl::reads_all_keys(const AclUser* user, const CommandSpec& spec, Argv argv,
                                   DbIndex db) const {
  if (user == nullptr) return true;
  return user->reads_all_keys(commands_, spec, argv, {.db = db, .db_count = engine_.dbs.count()});
}

bool AccessControl::permits_key(const Caller& caller, const CommandSpec& spec, Argv argv,
                                ByteView key, KeyUse use) const {
  if (caller.user == nullptr) return true;
  const AclPlace place = {.db = caller.db, .db_count = engine_.dbs.count()};
  return caller.user->permits_key(commands_, spec, argv, place, key, use);
}

void AccessControl::note_denial(const Caller& caller, const CommandSpec& spec, Argv argv,
                                AclDenial denial) {
  const AclLog::Reason reason = logged_reason(denial.reason);
  ++engine_.stats.acl_denials[static_cast<size_t>(reason)];
  // A script's commands are those of the client that runs it.
  const Session* const session =
      caller.session != nullptr ? caller.session : engine_.executor.running();
  log.add(
      {.reason = reason,
       .context = context_of(caller),
       .object = std::string(reason == AclLog::Reason::kCommand ? engine_.registry.full_name(spec)
                                                                : argv[denial.at]),
       .user = caller.user->name(),
       .at = engine_.now(),
       .client = session == nullptr ? "" : client_line(engine_, *session)},
      engine_.options.acllog_max_len);
}

// ---- logging in

bool AccessControl::log_in(Session& session, ByteView name, ByteView password, Argv argv) {
  const AclUser* user = find(name);
  if (user != nullptr && user->accepts(password)) {
    session.set_user(*user, Session::Login::kDone);
    return true;
  }
  ++engine_.stats.acl_denials[static_cast<size_t>(AclLog::Reason::kAuth)];
  log.add({.reason = AclLog::Reason::kAuth,
           .context = context_of(session.caller()),
           .object = std::string(argv[0]),
           .user = std::string(name),
           .at = engine_.now(),
           .client = client_line(engine_, session)},
          engine_.options.acllog_max_len);
  return false;
}

void AccessControl::make_default(Session& session) const {
  session.set_user(default_, default_.is_open() ? Session::Login::kDone : Session::Login::kDue);
}

// ---- changes

bool AccessControl::take_rules(AclUser& user, std::span<const std::string> rules,
                               std::string& bad_rule, AclFault& fault) const {
  for (const std::string& rule : rules) {
    fault = user.apply(ground(), rule);
    if (fault == AclFault::kNone) continue;
    bad_rule = rule;
    return false;
  }
  return true;
}

bool AccessControl::set_user(ByteView name, Argv words, Session* running, std::string& error) {
  if (has_blanks(name)) {
    error = "Usernames can't contain spaces or null characters";
    return false;
  }
  std::vector<std::string> rules;
  if (!join_selectors(words, rules)) {
    error = unmatched_text(rules);
    return false;
  }
  const auto found = users_.find(name);
  AclUser changed = found == users_.end() ? AclUser(std::string(name), ground()) : found->second;
  std::string bad_rule;
  AclFault fault{};
  if (!take_rules(changed, rules, bad_rule, fault)) {
    error = "Error in ACL SETUSER modifier '" + bad_rule + "': ";
    error.append(text_of(fault));
    return false;
  }
  if (found == users_.end()) {
    users_.emplace(name, std::move(changed));
    return true;
  }
  end_lost_subscribers(found->second, changed, running);
  found->second = std::move(changed);
  refresh_sessions();
  return true;
}

bool AccessControl::remove_user(ByteView name, Session* running) {
  const auto found = users_.find(name);
  if (found == users_.end()) return false;
  CHECK(&found->second != &default_);
  end_sessions_of(found->second, running);
  users_.erase(found);
  return true;
}

void AccessControl::set_default_password(ByteView password) {
  const std::string rule = password.empty() ? "nopass" : std::string(">").append(password);
  CHECK(default_.apply(ground(), "resetpass") == AclFault::kNone);
  CHECK(default_.apply(ground(), rule) == AclFault::kNone);
  refresh_sessions();
}

// Who is logged in as the default user stays so; everybody else is closed, also if the file has a
// user of the same name.
void AccessControl::replace_users(Users fresh, Session* running) {
  auto kept = users_.extract(users_.find(kDefaultName));
  if (auto named = fresh.extract(std::string(kDefaultName))) {
    default_ = std::move(named.mapped());
  } else {
    open_default();
  }
  fresh.insert(std::move(kept));
  users_.swap(fresh);
  for (const auto& [name, user] : fresh) end_sessions_of(user, running);
  refresh_sessions();
}

// ---- what follows for clients

void AccessControl::end_sessions_of(const AclUser& user, Session* running) {
  for (const auto& [id, session] : engine_.clients.all()) {
    if (session->caller().user != &user) continue;
    session->set_user(default_, Session::Login::kDue);
    end_session(*session, running);
  }
}

// Subscribers that may no longer have what they subscribed to are closed.
void AccessControl::end_lost_subscribers(const AclUser& before, const AclUser& after,
                                         Session* running) {
  if (has_all_channels(after)) return;
  const std::vector<std::string> left = channels_of(after);
  const std::vector<std::string> had = channels_of(before);
  const bool keeps_all = !has_all_channels(before) &&
                         std::all_of(had.begin(), had.end(), [&](const std::string& channel) {
                           return permits_channel(left, channel, ChannelName::kPattern);
                         });
  if (keeps_all) return;
  const auto has_lost = [&](const Session& session, PubSub::Kind kind) {
    const auto& names = session.subscriptions[static_cast<size_t>(kind)];
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return !permits_channel(
          left, name,
          kind == PubSub::Kind::kPattern ? ChannelName::kPattern : ChannelName::kLiteral);
    });
  };
  for (const auto& [id, session] : engine_.clients.all()) {
    if (session->caller().user != &before) continue;
    if (has_lost(*session, PubSub::Kind::kPattern) || has_lost(*session, PubSub::Kind::kChannel) ||
        has_lost(*session, PubSub::Kind::kShard))
      end_session(*session, running);
  }
}

void AccessControl::refresh_sessions() const {
  for (const auto& [id, session] : engine_.clients.all()) session->refresh_access();
}

}  // namespace ouro
