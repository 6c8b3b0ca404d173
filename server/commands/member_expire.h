// SPDX-License-Identifier: BSD-3-Clause
// What TTL, PTTL and PERSIST say of a member instead of a key.
#pragma once

#include <optional>

#include "server/engine/context.h"

namespace ouro {

// When a field of a hash or a member of a set or sorted set ends: kNoExpiry if never, nothing if it
// is not there.
std::optional<UnixMs> member_deadline(const Context& ctx, const Entry& entry, ByteView member);

// Makes it stay for good; false, and nothing changed, if it does anyhow.
bool persist_member(Context& ctx, const Key& key, Entry& entry, ByteView member);

}  // namespace ouro
