// SPDX-License-Identifier: BSD-3-Clause
// Users as text: words joined to rules, the configuration's lines `user`, and the ACL file.
#include "server/engine/acl.h"
#include "server/engine/config.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

std::string joined(std::initializer_list<ByteView> parts) {
  std::string text;
  for (const ByteView part : parts) text += part;
  return text;
}

constexpr ByteView kNoFile =
    "This Redis instance is not configured to use an ACL file. You may want to specify users via "
    "the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis "
    "configuration file set) in order to store users in the Redis configuration.";

ByteView trimmed(ByteView text, ByteView blanks) {
  const size_t begin = text.find_first_not_of(blanks);
  if (begin == ByteView::npos) return {};
  return text.substr(begin, text.find_last_not_of(blanks) + 1 - begin);
}

// At each separator, with empty pieces.
std::vector<ByteView> pieces(ByteView text, char separator) {
  std::vector<ByteView> found;
  for (;;) {
    const size_t end = text.find(separator);
    found.push_back(text.substr(0, end));
    if (end == ByteView::npos) return found;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

bool join_selectors(Argv words, std::vector<std::string>& rules) {
  std::string open;  // a selector that has begun; not empty then
  std::string opener;
  for (const ByteView word : words) {
    if (word.starts_with('(') && !word.ends_with(')')) {
      open = opener = word;
    } else if (open.empty()) {
      rules.emplace_back(word);
    } else {
      open.append(" ").append(word);
      if (!word.ends_with(')')) continue;
      rules.push_back(std::move(open));
      open.clear();
    }
  }
  if (!open.empty()) rules.push_back(std::move(opener));
  return open.empty();
}

std::string unmatched_text(const std::vector<std::string>& rules) {
  return "Unmatched parenthesis in acl selector starting at '" + rules.back() + "'.";
}

// ---- the configuration

bool AccessControl::load_at_start(std::string& error) {
  const std::string& lines = engine_.options.users;
  if (engine_.options.aclfile.empty()) return load_lines(lines, error);
  if (!lines.empty()) {
    error =
        "users are defined both in the configuration (user) and in a file (aclfile); only one "
        "of the two may be used";
    return false;
  }
  return load_file(nullptr, error);
}

bool AccessControl::load_lines(ByteView lines, std::string& error) {
  std::string buffer;
  std::vector<ByteView> words;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    CHECK(split_config_line(lines.substr(0, end), buffer, words));
    lines.remove_prefix(end + 1);
    const ByteView name = words[0];
    if (has_blanks(name)) {
      error = "Spaces not allowed in ACL usernames";
      return false;
    }
    std::vector<std::string> rules;
    if (!join_selectors(Argv(words).subspan(1), rules)) {
      error = unmatched_text(rules);
      return false;
    }
    AclUser& user =
        users_.try_emplace(std::string(name), std::string(name), ground()).first->second;
    if (&user == &default_) rules.insert(rules.begin(), "reset");
    std::string bad_rule;
    AclFault fault{};
    if (!take_rules(user, rules, bad_rule, fault)) {
      error = "Error loading ACL rule '" + bad_rule + "' for the user named '" + user.name() +
              "': " + std::string(text_of(fault));
      return false;
    }
    if (!user.is_enabled()) {
      engine_.log.print(LogLevel::kNotice, "the user '%s' of the configuration is not switched on",
                        user.name().c_str());
    }
  }
  refresh_sessions();
  return true;
}

// ---- the file

bool AccessControl::load_file(Session* running, std::string& error) {
  const std::string& path = engine_.options.aclfile;
  if (path.empty()) {
    error = kNoFile;
    return false;
  }
  std::string text;
  std::string reason;
  if (!engine_.host.read_file(path, text, reason).is_ok()) {
    error = "Error loading ACLs, opening file '" + path + "': " + reason;
    return false;
  }
  Users fresh;
  if (!read_users(text, fresh, error)) return false;
  replace_users(std::move(fresh), running);
  return true;
}

// All that is wrong is told at once.
bool AccessControl::read_users(ByteView text, Users& users, std::string& error) const {
  size_t number = 0;
  for (const ByteView line : pieces(text, '\n')) {
    ++number;
    const ByteView rest = trimmed(line, " \t\r\n");
    if (rest.empty()) continue;
    const std::string where = engine_.options.aclfile + ":" + std::to_string(number);
    read_line(pieces(rest, ' '), where, number, users, error);
  }
  if (error.empty()) return true;
  error +=
      "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
  return false;
}

bool AccessControl::read_line(Argv words, const std::string& where, size_t number, Users& users,
                              std::string& error) const {
  const auto fail = [&](const std::string& text) {
    error += text;
    return false;
  };
  if (words.size() < 2 || words[0] != "user")
    return fail(where + " should start with user keyword followed by the username. ");
  const std::string name(words[1]);
  if (has_blanks(name))
    return fail("'" + where + ": username '" + name + "' contains invalid characters. ");
  const auto [at, is_new] = users.try_emplace(name, name, ground());
  if (!is_new) {
    return fail("WARNING: Duplicate user '" + name + "' found on line " + std::to_string(number) +
                ". ");
  }
  std::vector<std::string> rules;
  if (!join_selectors(words.subspan(2), rules))
    return fail(where + ": Unmatched parenthesis in selector definition.");
  bool told = false;
  for (const std::string& rule : rules) {
    const std::string bare(trimmed(rule, "\t\r\n"));
    const AclFault fault = at->second.apply(ground(), bare);
    if (fault == AclFault::kNone) continue;
    const std::string reason(text_of(fault));
    // A fault may follow from the one before; an unknown name stands for itself.
    if (fault == AclFault::kUnknownCommand) {
      fail(joined({where, ": Error in applying operation '", bare, "': ", reason, ". "}));
    } else if (!told) {
      told = true;
      fail(joined({where, ": ", reason, ". "}));
    }
  }
  return error.empty();
}

bool AccessControl::save_file(std::string& error) {
  const std::string& path = engine_.options.aclfile;
  if (path.empty()) {
    error = kNoFile;
    return false;
  }
  std::string text;
  for (const std::string& line : lines()) text.append(line).append("\n");
  std::string reason;
  if (engine_.host.replace_file(path, text, reason).is_ok()) return true;
  engine_.log.print(LogLevel::kWarning, "Cannot write the ACL file %s: %s", path.c_str(),
                    reason.c_str());
  error =
      "There was an error trying to save the ACLs. Please check the server logs for more "
      "information";
  return false;
}

}  // namespace ouro
