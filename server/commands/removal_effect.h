// SPDX-License-Identifier: BSD-3-Clause
// Gathers the members that a command took by its own choice (SPOP) and leaves them as the fact:
// SREM of exactly these. Costs nothing while no log wants effects.
#pragma once

#include <string>
#include <vector>

#include "server/engine/context.h"

namespace ouro {

class RemovalEffect {
 public:
  // `command` is "SREM" or "ZREM"; the key's bytes are the command's own argument.
  RemovalEffect(Context& ctx, ByteView command, ByteView key)
      : ctx_(ctx), command_(command), key_(key), wanted_(ctx.effects.wanted()) {}
  ~RemovalEffect() { flush(); }
  RemovalEffect(const RemovalEffect&) = delete;
  RemovalEffect& operator=(const RemovalEffect&) = delete;

  void add(ByteView member) {
    if (!wanted_) return;
    bytes_.append(member);
    ends_.push_back(bytes_.size());
    if (ends_.size() == kEffectElementsMax) flush();
  }

 private:
  void flush() {
    if (ends_.empty()) return;
    std::vector<ByteView> argv = {command_, key_};
    size_t begin = 0;
    for (const size_t end : ends_) {
      argv.push_back(ByteView(bytes_).substr(begin, end - begin));
      begin = end;
    }
    ctx_.effects.replace(Argv(argv));
    bytes_.clear();
    ends_.clear();
  }

  Context& ctx_;
  ByteView command_;
  ByteView key_;
  bool wanted_;
  std::string bytes_;
  std::vector<size_t> ends_;
};

}  // namespace ouro
