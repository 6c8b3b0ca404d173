// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/key_sizes.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace ouro {

const KeySizes::Report* KeySizes::ask() {
  begin();
  return ended_ == 0 ? nullptr : &report_;
}

void KeySizes::on_begin(uint32_t db_count) { counted_.assign(db_count, {}); }

void KeySizes::on_key(DbIndex db, const Entry& entry) {
  const auto* const type = std::find(kReported.begin(), kReported.end(), entry.type());
  if (type == kReported.end()) return;
  const size_t size = entry.is_string() ? entry.text_size() : element_count(entry);
  OfType& counted = counted_[db][static_cast<size_t>(type - kReported.begin())];
  ++counted.sizes[static_cast<size_t>(std::bit_width(size))];
  ++counted.memory[static_cast<size_t>(std::bit_width(entry.memory_bytes()))];
}

void KeySizes::on_end(UnixMs now) {
  report_ = std::exchange(counted_, {});
  ended_ = now;
}

}  // namespace ouro
