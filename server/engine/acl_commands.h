// SPDX-License-Identifier: BSD-3-Clause
// AclCommands: the commands of one server as sets, in which permissions are kept and told.
//
//   bit i     the row with number i of the Registry; a container is followed by its subcommands
//   kLater    commands that a later version brings: on after +@all, so that rules say "all but"
//
// A category has two sets: its members, and what +@category reaches, which are the members and all
// subcommands of containers among them. All rules are unions and differences of such sets.
//
// A set is told as text by the fewest words that are easy to find (describe): from nothing or from
// everything, the category that is right for most of what is still wrong and wrong for least comes
// next, again and again, and single commands mend the rest. That is how Redis 7.0 words it, so what
// a user was given as categories is mostly shown as such.
// Cost: a set is 128 bytes; a rule takes a few dozen words' operations, describe() about a
// thousand.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <vector>

#include "server/engine/registry.h"

namespace ouro {

using CommandSet = std::bitset<1024>;

// A command that is not permitted as such may be with one first argument ("+select|0").
struct FirstArgument {
  uint16_t row;
  std::string word;
};

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
  // The rules that make `allowed` out of a new user: "-@all +@read -get +select|0".
  std::string describe(const CommandSet& allowed,
                       const std::vector<FirstArgument>& first_arguments) const;

 private:
  struct Category {
    CommandSet members;
    CommandSet reach;
  };

  std::optional<size_t> best_category(const CommandSet& wrong, uint32_t used) const;
  void append_single(const CommandSet& allowed, CommandSet reached,
                     const std::vector<FirstArgument>& first_arguments, std::string& text) const;

  const Registry& registry_;
  std::array<Category, kAclCategoryNames.size()> categories_;
};

}  // namespace ouro
