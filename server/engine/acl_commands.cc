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
    for (size_t i = 0; i < categories_.size(); ++i) {
      if ((bits >> i & 1) == 0) continue;
      categories_[i].members.set(number);
      categories_[i].reach |= with_subcommands(row);
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
  for (size_t i = 0; i < categories_.size(); ++i) {
    if (equals_ignoring_case(category, kAclCategoryNames[i])) return &categories_[i].reach;
  }
  return nullptr;
}

// The category with more members in `wrong` than out of it that has the fewest out of it, and of
// those the most in it.
std::optional<size_t> AclCommands::best_category(const CommandSet& wrong, uint32_t used) const {
  std::optional<size_t> best;
  size_t best_in = 0;
  size_t best_out = 0;
  for (size_t i = 0; i < categories_.size(); ++i) {
    if ((used >> i & 1) != 0) continue;
    const size_t in = (categories_[i].members & wrong).count();
    const size_t out = categories_[i].members.count() - in;
    if (in <= out) continue;
    if (best && (out > best_out || (out == best_out && in <= best_in))) continue;
    best = i;
    best_in = in;
    best_out = out;
  }
  return best;
}

std::string AclCommands::describe(const CommandSet& allowed,
                                  const std::vector<FirstArgument>& first_arguments) const {
  const bool adds = !allowed[kLater];
  std::string text = adds ? "-@all" : "+@all";
  CommandSet reached;
  if (!adds) reached.set();
  // What differs from where the words began. A category that was said counts as done, also where it
  // was wrong: single commands mend that.
  CommandSet wrong = adds ? allowed : ~allowed;
  uint32_t used = 0;
  while (const auto best = best_category(wrong, used)) {
    used |= 1U << *best;
    const CommandSet& reach = categories_[*best].reach;
    text.append(adds ? " +@" : " -@").append(kAclCategoryNames[*best]);
    reached = adds ? reached | reach : reached & ~reach;
    wrong &= ~reach;
  }
  append_single(allowed, reached, first_arguments, text);
  return text;
}

void AclCommands::append_single(const CommandSet& allowed, CommandSet reached,
                                const std::vector<FirstArgument>& first_arguments,
                                std::string& text) const {
  for (size_t number = 0; number < registry_.row_count(); ++number) {
    const CommandSpec& row = registry_.row(number);
    if (allowed[number] != reached[number]) {
      text.append(allowed[number] ? " +" : " -").append(registry_.full_name(row));
      const CommandSet meant = with_subcommands(row);
      reached = allowed[number] ? reached | meant : reached & ~meant;
    }
    if (allowed[number]) continue;
    for (const FirstArgument& first : first_arguments) {
      if (first.row != number) continue;
      text.append(" +").append(registry_.full_name(row)).append("|").append(first.word);
    }
  }
}

}  // namespace ouro
