// SPDX-License-Identifier: BSD-3-Clause
// Values of the engine's options that need more than a row's kind and bounds: what of their words
// is taken, and how it is kept. As OptionRow::check says.
#pragma once

#include <string>

#include "datastructs/base/option.h"

namespace ouro {

// client-output-buffer-limit: any number of classes, the others stay.
bool check_output_limits(Words words, OptionValue& value, std::string& error);
OptionValue load_output_limits(const void* options);
void store_output_limits(void* options, const OptionValue& value);

bool check_bulk_bytes(Words words, OptionValue& value, std::string& error);
bool check_zone(Words words, OptionValue& value, std::string& error);
bool check_event_letters(Words words, OptionValue& value, std::string& error);
bool check_percentiles(Words words, OptionValue& value, std::string& error);
// user, cache-rule, rename-command: a line of its own each, behind those that are there.
bool check_user(Words words, OptionValue& value, std::string& error);
bool check_cache_rule(Words words, OptionValue& value, std::string& error);
bool check_rename(Words words, OptionValue& value, std::string& error);

}  // namespace ouro
