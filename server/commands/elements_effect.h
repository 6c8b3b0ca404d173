// SPDX-License-Identifier: BSD-3-Clause
// Leaves what became of single elements as facts, in pieces of kEffectElementsMax: SREM of exactly
// the members that SPOP took, ZADD of what a sorted set was made of. Costs nothing while no log
// wants effects.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "server/engine/context.h"

namespace ouro {

class ElementsEffect {
 public:
  // Of `command` and `key` no copy is made.
  ElementsEffect(Context& ctx, ByteView command, ByteView key)
      : ctx_(ctx), command_(command), key_(key), wanted_(ctx.effects.wanted()) {}
  ~ElementsEffect() { flush(); }
  ElementsEffect(const ElementsEffect&) = delete;
  ElementsEffect& operator=(const ElementsEffect&) = delete;

  // One element: a member, or a score and a member.
  void add(std::initializer_list<ByteView> words) {
    if (!wanted_) return;
    for (const ByteView word : words) {
      bytes_.append(word);
      ends_.push_back(bytes_.size());
    }
    if (++elements_ == kEffectElementsMax) flush();
  }

 private:
  void flush() {
    if (elements_ == 0) return;
    std::vector<ByteView> argv = {command_, key_};
    size_t begin = 0;
    for (const size_t end : ends_) {
      argv.push_back(ByteView(bytes_).substr(begin, end - begin));
      begin = end;
    }
    ctx_.effects.replace(Argv(argv));
    bytes_.clear();
    ends_.clear();
    elements_ = 0;
  }

  Context& ctx_;
  ByteView command_;
  ByteView key_;
  bool wanted_;
  std::string bytes_;  // of all words
  std::vector<size_t> ends_;
  size_t elements_ = 0;
};

}  // namespace ouro
