// SPDX-License-Identifier: BSD-3-Clause
// The rules of server/protect/rules.h as lines of the configuration:
//
//      cache-rule prefix JITTER 20 STALE 30000 ...
#pragma once

#include <string>
#include <vector>

namespace ouro {

class Engine;

// Sets those that EngineOptions::cache_rules says. False leaves a text in `error`.
bool load_cache_rules(Engine& engine, std::string& error);
// A filter that is on and has not come with the data is switched off, and the log tells of it.
void end_loading_of_cache_rules(Engine& engine);
// The lines as CONFIG REWRITE writes them; a rule that says nothing has none.
std::vector<std::string> cache_rule_lines(const Engine& engine);

}  // namespace ouro
