// SPDX-License-Identifier: BSD-3-Clause
// AccessControl: the users of one server, who is which, and what each may do.
//
//   Caller --user--> AclUser (acl_user.h) --> AclSelector ... (acl_selector.h)
//
// A caller without a user (the embedding program, replay, a primary's stream) may do everything. A
// client begins as the user "default", which always exists. Its gate mask holds Gate::kAcl only
// while its user may not do everything, so that permissions cost nothing where there are none.
//
// Users change by ACL SETUSER and its kin, by the lines `user` of the configuration, or with a file
// (aclfile) that holds one user a line. A user's address stays while it exists; whoever is logged
// in as one that goes is closed.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "server/engine/acl_log.h"
#include "server/engine/acl_user.h"
#include "server/engine/caller.h"

namespace ouro {

class Engine;
class Session;

class AccessControl {
 public:
  using Users = std::map<std::string, AclUser, std::less<>>;

  explicit AccessControl(Engine& engine);

  // ---- who there is
  const AclCommands& commands() const { return commands_; }
  const AclUser& default_user() const { return default_; }
  const AclUser* find(ByteView name) const;
  const Users& users() const { return users_; }  // by name
  // "user NAME RULES" for each.
  std::vector<std::string> lines() const;

  // ---- what a caller may do
  // The user of a script is its caller's; null may do everything.
  AclDenial check(const AclUser* user, const CommandSpec& spec, Argv argv, DbIndex db) const;
  bool reads_all_keys(const AclUser* user, const CommandSpec& spec, Argv argv, DbIndex db) const;
  // Of a key that the command does not name but meets.
  bool permits_key(const Caller& caller, const CommandSpec& spec, Argv argv, ByteView key,
                   KeyUse use) const;
  // Counts and logs a denial. Requires: the caller has a user.
  void note_denial(const Caller& caller, const CommandSpec& spec, Argv argv, AclDenial denial);

  // ---- logging in
  // Makes `session` the user's; false, counted and logged, if the password is wrong. `argv` is the
  // command that asks.
  bool log_in(Session& session, ByteView name, ByteView password, Argv argv);
  // A connection is new, or as new.
  void make_default(Session& session) const;

  // ---- changes. Those that can fail leave Redis's text, without code, in `error`, and everything
  // as it was. `running` is the session whose command this is, or null: it gets its reply before it
  // is closed.
  bool set_user(ByteView name, Argv rules, Session* running, std::string& error);
  bool remove_user(ByteView name, Session* running);  // false if there is none
  // requirepass: this password, or none if empty.
  void set_default_password(ByteView password);
  // At start: the lines `user` of the configuration, or the aclfile.
  bool load_at_start(std::string& error);
  // ACL LOAD and SAVE; both need an aclfile.
  bool load_file(Session* running, std::string& error);
  bool save_file(std::string& error);

  AclLog log;

 private:
  AclGround ground() const;
  void open_default();
  bool take_rules(AclUser& user, std::span<const std::string> rules, std::string& bad_rule,
                  AclFault& fault) const;
  bool load_lines(ByteView lines, std::string& error);
  bool read_users(ByteView text, Users& users, std::string& error) const;
  bool read_line(Argv words, const std::string& where, size_t number, Users& users,
                 std::string& error) const;
  void replace_users(Users fresh, Session* running);
  void end_sessions_of(const AclUser& user, Session* running);
  void end_lost_subscribers(const AclUser& before, const AclUser& after, Session* running);
  void refresh_sessions() const;

  Engine& engine_;
  AclCommands commands_;
  Users users_;
  AclUser& default_;
};

// Joins the words of each selector, "(+get" "~a)", to one rule. False when one is not closed: then
// `rules` ends with the word that opened it.
bool join_selectors(Argv words, std::vector<std::string>& rules);
// The error of that.
std::string unmatched_text(const std::vector<std::string>& rules);

}  // namespace ouro
