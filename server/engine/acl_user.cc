// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/acl_user.h"

#include <algorithm>

#include "server/engine/arg_parser.h"
#include "server/engine/config.h"

namespace ouro {

AclFault AclUser::apply(const AclGround& ground, ByteView rule) {
  if (rule.empty() || apply_word(ground, rule)) return AclFault::kNone;
  switch (rule[0]) {
    case '>':
    case '#':
    case '<':
    case '!':
      return apply_password(rule);
    case '(':
      if (rule.ends_with(')')) return add_selector(ground, rule.substr(1, rule.size() - 2));
      break;
    default:
      break;
  }
  return selectors_.front().apply(ground.commands, rule);
}

// The user's rules without an argument.
bool AclUser::apply_word(const AclGround& ground, ByteView rule) {
  const auto is = [rule](ByteView word) { return equals_ignoring_case(rule, word); };
  if (is("on") || is("off")) {
    enabled_ = is("on");
  } else if (is("nopass") || is("resetpass")) {
    no_password_ = is("nopass");
    passwords_.clear();
  } else if (is("sanitize-payload") || is("skip-sanitize-payload")) {
    sanitize_ = is("sanitize-payload") ? Sanitize::kYes : Sanitize::kSkip;
  } else if (is("clearselectors")) {
    selectors_.erase(selectors_.begin() + 1, selectors_.end());
  } else if (is("reset")) {
    reset(ground);
  } else {
    return false;
  }
  return true;
}

void AclUser::reset(const AclGround& ground) {
  *this = AclUser(std::move(name_), ground);
  sanitize_ = Sanitize::kYes;
}

AclFault AclUser::apply_password(ByteView rule) {
  const bool is_plain = rule[0] == '>' || rule[0] == '<';
  const bool adds = rule[0] == '>' || rule[0] == '#';
  rule.remove_prefix(1);
  const auto hash = is_plain ? PasswordHash::of(rule) : PasswordHash::from_hex(rule);
  if (!hash) return AclFault::kBadHash;
  const auto found = std::find(passwords_.begin(), passwords_.end(), *hash);
  if (adds) {
    if (found == passwords_.end()) passwords_.push_back(*hash);
    no_password_ = false;
    return AclFault::kNone;
  }
  if (found == passwords_.end()) return AclFault::kNoSuchPassword;
  passwords_.erase(found);
  return AclFault::kNone;
}

AclFault AclUser::add_selector(const AclGround& ground, ByteView rules) {
  AclSelector selector(ground.all_channels);
  std::string buffer;
  std::vector<ByteView> words;
  // Quotes that do not balance leave no words, as in Redis.
  if (!split_config_line(rules, buffer, words)) words.clear();
  for (const ByteView word : words) {
    const AclFault fault = selector.apply(ground.commands, word);
    if (fault != AclFault::kNone) return fault;
  }
  selectors_.push_back(std::move(selector));
  return AclFault::kNone;
}

bool AclUser::accepts(ByteView password) const {
  if (!enabled_) return false;
  if (no_password_) return true;
  const PasswordHash hash = PasswordHash::of(password);
  return std::find(passwords_.begin(), passwords_.end(), hash) != passwords_.end();
}

AclDenial AclUser::check(const AclCommands& commands, const CommandSpec& spec, Argv argv,
                         AclPlace place) const {
  AclDenial worst;
  for (const AclSelector& selector : selectors_) {
    const AclDenial denial = selector.check(commands, spec, argv, place);
    if (!denial.is_denied()) return denial;
    if (denial.reason > worst.reason || (denial.reason == worst.reason && denial.at > worst.at))
      worst = denial;
  }
  return worst;
}

bool AclUser::permits_all() const {
  return std::any_of(selectors_.begin(), selectors_.end(),
                     [](const AclSelector& selector) { return selector.permits_all(); });
}

bool AclUser::reads_all_keys(const AclCommands& commands, const CommandSpec& spec, Argv argv,
                             AclPlace place) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const AclSelector& selector) {
    return selector.reads_all_keys() && !selector.check(commands, spec, argv, place).is_denied();
  });
}

bool AclUser::permits_key(const AclCommands& commands, const CommandSpec& spec, Argv argv,
                          AclPlace place, ByteView key, KeyUse use) const {
  return std::any_of(selectors_.begin(), selectors_.end(), [&](const AclSelector& selector) {
    return selector.permits_key(key, use) &&
           !selector.check(commands, spec, argv, place).is_denied();
  });
}

std::vector<ByteView> AclUser::flags() const {
  std::vector<ByteView> flags = {enabled_ ? "on" : "off"};
  if (no_password_) flags.emplace_back("nopass");
  if (sanitize_ == Sanitize::kSkip) flags.emplace_back("skip-sanitize-payload");
  if (sanitize_ == Sanitize::kYes) flags.emplace_back("sanitize-payload");
  return flags;
}

std::string AclUser::text() const {
  std::string text;
  for (const ByteView flag : flags()) text.append(flag).append(" ");
  for (const PasswordHash& hash : passwords_) text.append("#").append(hash.hex()).append(" ");
  text += selectors_.front().text();
  for (size_t i = 1; i < selectors_.size(); ++i)
    text.append(" (").append(selectors_[i].text()).append(")");
  return text;
}

}  // namespace ouro
