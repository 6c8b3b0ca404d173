// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/function_store.h"

#include "server/script/scripts.h"

namespace ouro {

std::vector<std::string> function_texts(const Engine& engine) {
  std::vector<std::string> texts;
  const Scripts* const scripts = Scripts::find(engine);
  if (scripts == nullptr) return texts;
  for (const auto& [name, library] : scripts->libraries().libraries())
    texts.push_back(library->source);
  return texts;
}

bool load_function_text(Engine& engine, ByteView text, bool replaces, std::string& error) {
  return Scripts::of(engine).load_library(text, {.replaces = replaces}, error);
}

void forget_functions(Engine& engine) {
  if (Scripts* const scripts = Scripts::find(engine)) scripts->flush_libraries();
}

}  // namespace ouro
