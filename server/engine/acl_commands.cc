// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/acl_commands.h"

#include "datastructs/base/check.h"
#include "server/engine/arg_parser.h"

namespace ouro {

AclCommands::AclCommands(const Registry& registry) : registry_(registry) {
  CHECK(registry.row_count() <= kLater);
  for (size_t number = 0; number < registry.row_count(); ++number) {
    const CommandSpec& row = registry.row(number);
    const uint32_t bits = acl_categories(row).bits;
    for (size_t i = 0; i < reach_.size(); ++i) {
      if ((bits >> i & 1) != 0) reach_[i] |= with_subcommands(row);
    }
  }
}

CommandSet AclCommands::with_subcommands(const CommandSpec& row) const {
  CommandSet set;
  const size_t first = number(row);
  for (size_t i = 0; i <= row.subcommands.size(); ++i) set.set(first + i);
  return set;
}

const CommandSet* AclCommands::reach_of(ByteView category) const {
  for (size_t i = 0; i < reach_.size(); ++i) {
    if (equals_ignoring_case(category, kAclCategoryNames[i])) return &reach_[i];
  }
  return nullptr;
}

}  // namespace ouro
