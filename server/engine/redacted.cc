// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/redacted.h"

namespace ouro {

Redacted::Redacted(const Engine& engine, const CommandSpec& spec, Argv argv) : argv_(argv) {
  if (spec.secrets == nullptr) return;
  copy_.assign(argv.begin(), argv.end());
  spec.secrets(engine, argv, [&](size_t index) { copy_[index] = "(redacted)"; });
  argv_ = copy_;
}

}  // namespace ouro
