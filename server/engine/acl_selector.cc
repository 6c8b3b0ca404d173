// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/acl_selector.h"

#include <algorithm>
#include <climits>

#include "datastructs/codec/number_text.h"
#include "datastructs/glob.h"
#include "server/engine/arg_parser.h"

namespace ouro {
namespace {

// What a command does to a key, as a key pattern permits it. Whoever only asks whether a key exists
// needs either.
constexpr KeyUse kReads = kAccess;
constexpr KeyUse kWrites = kUpdate | kInsert | kDelete;

// Whether a command works on what is in the selected database.
bool uses_selected(const CommandSpec& spec, Argv argv) {
  if (spec.databases == DbUse::kPair) return false;
  constexpr AclCategories kData = Acl::kKeyspace | Acl::kRead | Acl::kWrite;
  if ((acl_categories(spec).bits & kData.bits) != 0) return true;
  bool has_keys = false;
  (void)for_each_key(spec, argv, [&](size_t, KeyUse use) { has_keys |= (use & kNotKey) == 0; });
  return has_keys;
}

}  // namespace

ByteView text_of(AclFault fault) {
  switch (fault) {
    case AclFault::kNone:
      return {};
    case AclFault::kUnknownCommand:
      return "Unknown command or category name in ACL";
    case AclFault::kSyntax:
      return "Syntax error";
    case AclFault::kHasAllKeys:
      return "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does "
             "not have any effect. Try 'resetkeys' to start with an empty list of patterns";
    case AclFault::kHasAllChannels:
      return "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and "
             "does not have any effect. Try 'resetchannels' to start with an empty list of "
             "channels";
    case AclFault::kFirstArgument:
      return "Allowing first-arg of a subcommand is not supported";
    case AclFault::kNoSuchPassword:
      return "The password you are trying to remove from the user does not exist";
    case AclFault::kBadHash:
      return "The password hash must be exactly 64 characters and contain only lowercase "
             "hexadecimal characters";
    case AclFault::kNoSuchDb:
      return "The provided database ID is out of range";
  }
  OURO_UNREACHABLE();
}

bool has_blanks(ByteView text) {
  return text.find_first_of(ByteView(" \t\n\v\f\r\0", 7)) != ByteView::npos;
}

bool permits_channel(const std::vector<std::string>& channels, ByteView name, ChannelName kind) {
  return std::any_of(channels.begin(), channels.end(), [&](const std::string& glob) {
    return kind == ChannelName::kPattern ? glob == name : glob_matches(glob, name);
  });
}

// ---- rules

AclFault AclSelector::apply(const AclCommands& commands, ByteView rule) {
  if (apply_word(rule)) return AclFault::kNone;
  switch (rule.empty() ? '\0' : rule[0]) {
    case '~':
    case '%':
      return permit_keys(rule);
    case '&':
      return permit_channel(rule.substr(1));
    case '+':
      return permit_commands(commands, rule.substr(1));
    case '-':
      return forbid_commands(commands, rule.substr(1));
    default:
      break;
  }
  constexpr ByteView kDatabases = "db=";
  if (equals_ignoring_case(rule.substr(0, kDatabases.size()), kDatabases))
    return permit_databases(rule.substr(kDatabases.size()));
  return AclFault::kSyntax;
}

// The rules without an argument.
bool AclSelector::apply_word(ByteView rule) {
  const auto is = [rule](ByteView word, ByteView same = {}) {
    return equals_ignoring_case(rule, word) || (!same.empty() && equals_ignoring_case(rule, same));
  };
  if (is("allkeys", "~*") || is("resetkeys")) {
    all_keys_ = !is("resetkeys");
    keys_.clear();
  } else if (is("allchannels", "&*") || is("resetchannels")) {
    all_channels_ = !is("resetchannels");
    channels_.clear();
  } else if (is("alldbs") || is("resetdbs")) {
    all_dbs_ = is("alldbs");
    dbs_.clear();
  } else if (is("allcommands", "+@all")) {
    judge_all(Verdict::kPermitted);
  } else if (is("nocommands", "-@all")) {
    judge_all(Verdict::kForbidden);
  } else {
    return false;
  }
  return true;
}

AclFault AclSelector::permit_keys(ByteView rule) {
  if (all_keys_) return AclFault::kHasAllKeys;
  Access access = 0;
  size_t at = 1;
  if (rule[0] == '~') access = kRead | kWrite;
  while (rule[0] == '%' && at < rule.size()) {
    const char letter = rule[at++];
    if (letter == '~') break;
    Access more = 0;
    if (letter == 'R' || letter == 'r') more = kRead;
    if (letter == 'W' || letter == 'w') more = kWrite;
    if (more == 0 || (access & more) != 0) return AclFault::kSyntax;
    access |= more;
  }
  const ByteView glob = rule.substr(at);
  if (access == 0 || has_blanks(glob)) return AclFault::kSyntax;
  const auto same = std::find_if(keys_.begin(), keys_.end(),
                                 [&](const KeyPattern& pattern) { return pattern.glob == glob; });
  if (same == keys_.end()) {
    keys_.push_back({.glob = std::string(glob), .access = access});
  } else {
    same->access |= access;
  }
  return AclFault::kNone;
}

AclFault AclSelector::permit_channel(ByteView glob) {
  if (all_channels_) return AclFault::kHasAllChannels;
  if (has_blanks(glob)) return AclFault::kSyntax;
  if (!permits_channel(channels_, glob, ChannelName::kPattern)) channels_.emplace_back(glob);
  return AclFault::kNone;
}

AclFault AclSelector::permit_databases(ByteView list) {
  std::vector<DbIndex> dbs;
  for (size_t comma = 0; comma != ByteView::npos; list.remove_prefix(comma + 1)) {
    comma = list.find(',');
    const auto db = parse_int64(list.substr(0, comma));
    if (!db) return AclFault::kSyntax;
    if (*db < 0 || *db > INT_MAX) return AclFault::kNoSuchDb;
    dbs.push_back(static_cast<DbIndex>(*db));
    if (comma == ByteView::npos) break;
  }
  std::sort(dbs.begin(), dbs.end());
  dbs.erase(std::unique(dbs.begin(), dbs.end()), dbs.end());
  dbs_ = std::move(dbs);
  all_dbs_ = false;
  return AclFault::kNone;
}

AclFault AclSelector::apply_category(const AclCommands& commands, ByteView name, Verdict verdict) {
  const CommandSet* reach = commands.reach_of(name.substr(1));
  if (reach == nullptr) return AclFault::kUnknownCommand;
  judge(*reach, verdict, to_lower(name));
  return AclFault::kNone;
}

AclFault AclSelector::permit_commands(const AclCommands& commands, ByteView name) {
  if (name.starts_with('@')) return apply_category(commands, name, Verdict::kPermitted);
  const Registry& registry = commands.registry();
  const size_t bar = name.rfind('|');
  const CommandSpec* row = registry.find_own(name.substr(0, bar));
  if (row == nullptr) return AclFault::kUnknownCommand;
  if (bar != ByteView::npos) {
    if (registry.container(*row) != nullptr) return AclFault::kFirstArgument;
    const ByteView word = name.substr(bar + 1);
    if (word.empty()) return AclFault::kSyntax;
    if (row->subcommands.empty()) return permit_first_argument(commands, *row, word);
    row = Registry::find_subcommand(*row, word);
    if (row == nullptr) return AclFault::kUnknownCommand;
  }
  judge(commands.with_subcommands(*row), Verdict::kPermitted,
        std::string(registry.full_name(*row)));
  return AclFault::kNone;
}

AclFault AclSelector::permit_first_argument(const AclCommands& commands, const CommandSpec& row,
                                            ByteView word) {
  // Redis takes blanks here, and prints a rule that nobody can read again.
  if (has_blanks(word)) return AclFault::kSyntax;
  const auto number = static_cast<uint16_t>(commands.number(row));
  const auto is_same = [&](const FirstArgument& first) {
    return first.row == number && equals_ignoring_case(first.word, word);
  };
  if (std::none_of(first_arguments_.begin(), first_arguments_.end(), is_same))
    first_arguments_.push_back({.row = number, .word = std::string(word)});
  keep_rule(Verdict::kPermitted,
            std::string(commands.registry().full_name(row)).append("|").append(to_lower(word)));
  return AclFault::kNone;
}

AclFault AclSelector::forbid_commands(const AclCommands& commands, ByteView name) {
  if (name.starts_with('@')) return apply_category(commands, name, Verdict::kForbidden);
  const CommandSpec* row = commands.registry().find_own(name);
  if (row == nullptr) return AclFault::kUnknownCommand;
  judge(commands.with_subcommands(*row), Verdict::kForbidden,
        std::string(commands.registry().full_name(*row)));
  return AclFault::kNone;
}

void AclSelector::judge_all(Verdict verdict) {
  if (verdict == Verdict::kPermitted) {
    commands_.set();
  } else {
    commands_.reset();
  }
  command_rules_.clear();
  first_arguments_.clear();
}

// First arguments end with whatever is said of their command afterwards.
void AclSelector::judge(const CommandSet& which, Verdict verdict, std::string name) {
  commands_ = verdict == Verdict::kPermitted ? commands_ | which : commands_ & ~which;
  std::erase_if(first_arguments_, [&](const FirstArgument& first) { return which[first.row]; });
  keep_rule(verdict, std::move(name));
}

void AclSelector::keep_rule(Verdict verdict, std::string name) {
  std::erase_if(command_rules_, [&](const CommandRule& old) {
    return old.name == name || old.name.starts_with(name + "|");
  });
  command_rules_.push_back({.verdict = verdict, .name = std::move(name)});
  command_rules_.erase(
      command_rules_.begin(),
      std::find_if(command_rules_.begin(), command_rules_.end(),
                   [&](const CommandRule& rule) { return rule.verdict != verdict_of_all(); }));
}

// ---- checks

AclDenial AclSelector::check(const AclCommands& commands, const CommandSpec& spec, Argv argv,
                             AclPlace place) const {
  using Reason = AclDenial::Reason;
  if (!may_run(commands, spec, argv)) return {.reason = Reason::kCommand};
  // Arguments that name no keys, or are too few or many, are the command's own error.
  if (!spec.accepts(argv.size())) return {};
  if (!all_dbs_) {
    const AclDenial denial = check_databases(spec, argv, place);
    if (denial.is_denied()) return denial;
  }
  size_t denied = 0;
  if (!all_keys_) {
    (void)for_each_key(spec, argv, [&](size_t at, KeyUse use) {
      if (denied == 0 && (use & kNotKey) == 0 && !permits_key(argv[at], use)) denied = at;
    });
    if (denied != 0) return {.reason = Reason::kKey, .at = denied};
  }
  if (!all_channels_) {
    const size_t end = spec.channels == ChannelUse::kPublish ? 2 : argv.size();
    const ChannelName kind = spec.channels == ChannelUse::kSubscribePatterns
                                 ? ChannelName::kPattern
                                 : ChannelName::kLiteral;
    for (size_t at = 1; spec.channels != ChannelUse::kNone && at < end; ++at) {
      if (!permits_channel(channels_, argv[at], kind))
        return {.reason = Reason::kChannel, .at = at};
    }
  }
  return {};
}

AclDenial AclSelector::check_databases(const CommandSpec& spec, Argv argv, AclPlace place) const {
  const auto may_use = [&](DbIndex db) { return std::binary_search(dbs_.begin(), dbs_.end(), db); };
  constexpr AclDenial kDenied = {.reason = AclDenial::Reason::kDatabase};
  if (spec.databases == DbUse::kEvery) return kDenied;
  if (uses_selected(spec, argv) && !may_use(place.db)) return kDenied;
  AclDenial denial;
  for_each_database(spec, argv, [&](size_t at, int64_t db) {
    // What is not there is the command's own error.
    if (denial.is_denied() || db < 0 || db >= place.db_count) return;
    if (!may_use(static_cast<DbIndex>(db))) denial = {.reason = kDenied.reason, .at = at};
  });
  return denial;
}

bool AclSelector::may_run(const AclCommands& commands, const CommandSpec& spec, Argv argv) const {
  // Who one is may be said by everybody.
  if (spec.flags.has(Flag::kNoAuth)) return true;
  const size_t number = commands.number(spec);
  if (commands_[number]) return true;
  return std::any_of(
      first_arguments_.begin(), first_arguments_.end(), [&](const FirstArgument& first) {
        return first.row == number && argv.size() > 1 && equals_ignoring_case(first.word, argv[1]);
      });
}

bool AclSelector::permits_key(ByteView key, KeyUse use) const {
  if (all_keys_) return true;
  Access needed = 0;
  if ((use & kReads) != 0) needed |= kRead;
  if ((use & kWrites) != 0) needed |= kWrite;
  return std::any_of(keys_.begin(), keys_.end(), [&](const KeyPattern& pattern) {
    return (pattern.access & needed) == needed && glob_matches(pattern.glob, key);
  });
}

bool AclSelector::reads_all_keys() const {
  return all_keys_ || std::any_of(keys_.begin(), keys_.end(), [](const KeyPattern& pattern) {
           return pattern.glob == "*" && (pattern.access & kRead) != 0;
         });
}

// ---- text

std::string AclSelector::keys_text() const {
  if (all_keys_) return "~*";
  std::string text;
  for (const KeyPattern& pattern : keys_) {
    text.append(text.empty() ? "" : " ");
    text.append(pattern.access == kRead ? "%R~" : pattern.access == kWrite ? "%W~" : "~");
    text.append(pattern.glob);
  }
  return text;
}

std::string AclSelector::channels_text() const {
  if (all_channels_) return "&*";
  std::string text;
  for (const std::string& glob : channels_) text.append(text.empty() ? "&" : " &").append(glob);
  return text;
}

std::string AclSelector::databases_text() const {
  if (all_dbs_) return "alldbs";
  if (dbs_.empty()) return "resetdbs";
  std::string text;
  for (const DbIndex db : dbs_) text.append(text.empty() ? "db=" : ",").append(std::to_string(db));
  return text;
}

std::string AclSelector::commands_text() const {
  const auto append = [](std::string& text, Verdict verdict, ByteView name) {
    text.append(1, static_cast<char>(verdict)).append(name);
  };
  std::string text;
  append(text, verdict_of_all(), "@all");
  for (const CommandRule& rule : command_rules_) append(text += ' ', rule.verdict, rule.name);
  return text;
}

std::string AclSelector::text() const {
  std::string text = keys_text();
  if (!text.empty()) text += ' ';
  // A new one may begin with all channels, whatever acl-pubsub-default says when this is read.
  if (!all_channels_) text += "resetchannels ";
  const std::string channels = channels_text();
  if (!channels.empty()) text.append(channels).append(" ");
  if (!all_dbs_) text.append(databases_text()).append(" ");
  return text + commands_text();
}

}  // namespace ouro
