// SPDX-License-Identifier: BSD-3-Clause
// AclUser: a user: whether it may log in and how, and its selectors. The first selector, the root,
// takes the rules that stand outside of parentheses.
//
// Further rules, beside those of a selector (acl_selector.h):
//   on off                           may log in or not
//   >password <password              adds, takes away; #hash !hash the same by its SHA-256
//   nopass resetpass                 any password is right; none is
//   (rule ...) clearselectors        adds a selector; takes all but the root away
//   sanitize-payload skip-sanitize-payload    kept and shown
//   reset                            as a new user, but with sanitize-payload
//
// What text() says makes the same user again.
#pragma once

#include <string>
#include <vector>

#include "server/engine/acl_selector.h"
#include "server/engine/password_hash.h"

namespace ouro {

// What rules are read with.
struct AclGround {
  const AclCommands& commands;
  bool all_channels;  // of a new user or selector (acl-pubsub-default)
};

class AclUser {
 public:
  AclUser(std::string name, const AclGround& ground)
      : name_(std::move(name)), selectors_{AclSelector(ground.all_channels)} {}

  const std::string& name() const { return name_; }

  // Takes one rule, a selector with its parentheses being one; when it has a fault nothing changes.
  AclFault apply(const AclGround& ground, ByteView rule);

  bool is_enabled() const { return enabled_; }
  bool needs_no_password() const { return no_password_; }
  // A connection of the default user need not log in.
  bool is_open() const { return enabled_ && no_password_; }
  bool accepts(ByteView password) const;

  // The denial that says most: of a key or channel that no selector permits, else of the command.
  AclDenial check(const AclCommands& commands, const CommandSpec& spec, Argv argv,
                  AclPlace place) const;
  bool permits_all() const;
  // Whether a selector that permits the command permits to read every key (SORT's BY and GET).
  bool reads_all_keys(const AclCommands& commands, const CommandSpec& spec, Argv argv,
                      AclPlace place) const;
  // Whether one selector permits both the command and this use of a key.
  bool permits_key(const AclCommands& commands, const CommandSpec& spec, Argv argv, AclPlace place,
                   ByteView key, KeyUse use) const;

  // ---- for ACL GETUSER
  std::vector<ByteView> flags() const;
  const std::vector<PasswordHash>& passwords() const { return passwords_; }
  const std::vector<AclSelector>& selectors() const { return selectors_; }
  // All rules: "on #hash ~* &* +@all (...)".
  std::string text() const;

 private:
  enum class Sanitize : uint8_t { kUnsaid, kSkip, kYes };

  bool apply_word(const AclGround& ground, ByteView rule);
  void reset(const AclGround& ground);
  AclFault apply_password(ByteView rule);
  AclFault add_selector(const AclGround& ground, ByteView rules);

  std::string name_;
  bool enabled_ = false;
  bool no_password_ = false;
  Sanitize sanitize_ = Sanitize::kUnsaid;
  std::vector<PasswordHash> passwords_;
  std::vector<AclSelector> selectors_;  // at least the root
};

}  // namespace ouro
