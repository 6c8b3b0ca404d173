// SPDX-License-Identifier: BSD-3-Clause
// AclCommands: the commands of one server as sets, in which permissions are kept.
//
//   bit i     the row with number i of the Registry; a container is followed by its subcommands
//   kLater    commands that a later version brings: on after +@all, so that rules say "all but"
//
// What +@category reaches are its members and all subcommands of containers among them. All rules
// are unions and differences of such sets. Cost: a set is 128 bytes; a rule takes a few dozen
// words' operations.
#pragma once

#include <array>
#include <bitset>

#include "server/engine/registry.h"

namespace ouro {

using CommandSet = std::bitset<1024>;

class AclCommands {
 public:
  static constexpr size_t kLater = CommandSet().size() - 1;

  explicit AclCommands(const Registry& registry);
  AclCommands(const AclCommands&) = delete;
  AclCommands& operator=(const AclCommands&) = delete;

  const Registry& registry() const { return registry_; }
  size_t number(const CommandSpec& row) const { return registry_.row_number(row); }
  // The row and its subcommands.
  CommandSet with_subcommands(const CommandSpec& row) const;
  // What +@name and -@name reach; null for a name that is no category.
  const CommandSet* reach_of(ByteView category) const;

 private:
  const Registry& registry_;
  std::array<CommandSet, kAclCategoryNames.size()> reach_;
};

}  // namespace ouro
