// SPDX-License-Identifier: BSD-3-Clause
// The libraries of functions as texts: what of them is kept on disk. For those who know nothing of
// Lua.
#pragma once

#include <string>
#include <vector>

#include "server/engine/engine.h"

namespace ouro {

// In the order of their names.
std::vector<std::string> function_texts(const Engine& engine);
// False leaves a text without code in `error`; then nothing has changed. replaces: the library of
// its name; else there must be none.
bool load_function_text(Engine& engine, ByteView text, bool replaces, std::string& error);
void forget_functions(Engine& engine);

}  // namespace ouro
