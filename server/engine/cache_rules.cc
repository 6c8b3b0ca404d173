// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/cache_rules.h"

#include "server/engine/config.h"
#include "server/engine/engine.h"

namespace ouro {

bool load_cache_rules(Engine& engine, std::string& error) {
  ByteView lines = engine.options.cache_rules;
  std::string buffer;
  std::vector<ByteView> words;
  while (!lines.empty()) {
    const size_t end = lines.find('\n');
    CHECK(split_config_line(lines.substr(0, end), buffer, words));
    lines.remove_prefix(end + 1);
    const auto change = parse_rule_change(Argv(words).subspan(1), error);
    // The option's own rule has let it through.
    CHECK(change);
    if (engine.guard.rules.load(words[0], *change).is_ok()) continue;
    error = Rules::kLimitsText;
    return false;
  }
  return true;
}

void end_loading_of_cache_rules(Engine& engine) {
  engine.guard.rules.switch_off_lost_filters([&](const Rule& rule) {
    engine.log.print(LogLevel::kWarning,
                     "The filter of the cache rule \"%s\" was not saved: it is switched off. Fill "
                     "it with CACHE.KNOW and switch it on again.",
                     rule.prefix.c_str());
  });
}

std::vector<std::string> cache_rule_lines(const Engine& engine) {
  std::vector<std::string> lines;
  engine.guard.rules.for_each([&](const Rule& rule) {
    const std::string text = rule_text(rule.settings);
    if (!text.empty()) lines.push_back("cache-rule " + quoted_word(rule.prefix) + " " + text);
  });
  return lines;
}

}  // namespace ouro
