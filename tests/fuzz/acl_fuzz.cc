// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes the rules of users: a rule with a fault changes nothing, and what is told of a user makes
// the same user again, with the same denials.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

#include "datastructs/base/check.h"
#include "fuzz_program.h"
#include "server/commands/tables.h"
#include "server/engine/acl.h"

namespace {

using namespace ouro;

const AclCommands& commands() {
  static const Registry registry(all_command_tables());
  static const AclCommands known(registry);
  return known;
}

std::vector<ByteView> split(ByteView text, char separator) {
  std::vector<ByteView> words;
  for (size_t end = 0; end != ByteView::npos; text.remove_prefix(end + 1)) {
    end = text.find(separator);
    words.push_back(text.substr(0, end));
    if (end == ByteView::npos) break;
  }
  return words;
}

AclUser read_back(const std::string& told, bool all_channels) {
  const AclGround ground{commands(), all_channels};
  AclUser user("u", ground);
  std::vector<std::string> rules;
  CHECK(join_selectors(split(told, ' '), rules));
  for (const std::string& rule : rules) CHECK(user.apply(ground, rule) == AclFault::kNone);
  return user;
}

// Redis's notation has gaps: a quote or parenthesis inside of a word, and %RW~*, which is printed
// as
// ~* though further patterns may follow it.
bool can_be_read_back(const AclUser& user, const std::string& told) {
  const auto count = [&](char c) {
    return static_cast<size_t>(std::count(told.begin(), told.end(), c));
  };
  const size_t selectors = user.selectors().size() - 1;
  return told.find_first_of("\"'\\") == std::string::npos && count('(') == selectors &&
         count(')') == selectors && told.find("~* ~") == std::string::npos &&
         told.find("~* %") == std::string::npos;
}

// The first byte chooses what new users get; words stand between zero bytes.
void check_rules(ByteView input) {
  if (input.empty()) return;
  const AclGround ground{commands(), (input[0] & 1) != 0};
  const std::vector<ByteView> words = split(input.substr(1), '\0');
  std::vector<std::string> rules;
  if (!join_selectors(words, rules)) return;
  AclUser user("u", ground);
  for (const std::string& rule : rules) {
    const std::string before = user.text();
    if (user.apply(ground, rule) != AclFault::kNone) CHECK(user.text() == before);
  }
  const std::string told = user.text();
  if (!can_be_read_back(user, told)) return;
  const AclUser again = read_back(told, !ground.all_channels);
  CHECK(again.text() == told);
  const Registry& registry = commands().registry();
  for (size_t i = 0; i < registry.row_count(); ++i) {
    const CommandSpec& row = registry.row(i);
    if (!row.accepts(words.size())) continue;
    const AclPlace place{.db = static_cast<DbIndex>(words.size() % 3), .db_count = 3};
    const AclDenial denial = user.check(commands(), row, words, place);
    CHECK(denial.at < words.size());
    if (user.permits_all()) CHECK(!denial.is_denied());
    const AclDenial same = again.check(commands(), row, words, place);
    CHECK(same.reason == denial.reason && same.at == denial.at);
  }
}

std::string fragment(Prng& prng) {
  static constexpr const char* kFragments[] = {"on",          "off",       "nopass",
                                               "resetpass",   "reset",     "clearselectors",
                                               "allkeys",     "~*",        "%R~",
                                               "%RW~k",       "resetkeys", "allchannels",
                                               "&c*",         "&",         "+@all",
                                               "-@all",       "+@read",    "-@dangerous",
                                               "+get",        "-config",   "+config|",
                                               "+config|get", "-acl|load", "+select|0",
                                               "+debug|x",    ">pass",     "<pass",
                                               "(",           ")",         "(+set ~a)",
                                               "\"",          "'",         "skip-sanitize-payload",
                                               "+@",          "%",         "~",
                                               "db=0,2",      "resetdbs",  "alldbs"};
  return std::string(1, '\0') + kFragments[prng.below(std::size(kFragments))];
}

}  // namespace

constinit const ouro::FuzzTarget ouro::kFuzzTarget = {
    .name = "acl_fuzz", .check = check_rules, .fragment = fragment};
