// SPDX-License-Identifier: BSD-3-Clause
// References: what groups still know of an entry when it is to be deleted (Redis 8.2's KEEPREF,
// DELREF and ACKED). What is left for the log is XACK and XDEL, which older replicas know too.
#pragma once

#include <optional>
#include <vector>

#include "server/commands/stream_parts.h"
#include "server/commands/stream_trim.h"

namespace ouro {

// The option, if the parser stands at one of its words. A second one is a syntax error.
bool parse_stream_refs(ArgParser& args, std::optional<StreamRefs>& refs);

// Whether a group may still want the entry: it is pending there, or was not delivered yet.
bool is_referenced(const Stream& stream, StreamId id);

// Takes the ids with first <= id < end out of what is pending in all groups.
void drop_references(Context& ctx, const Key& key, const Stream& stream, StreamId first,
                     StreamId end);

// These entries were deleted: tells of it and leaves XDEL.
void told_of_deletion(Context& ctx, const Key& key, const std::vector<StreamId>& ids);

// Trims as XADD and XTRIM ask for it; returns how many entries went. What groups lose by it is left
// for the log here, the trimming itself is not (stream_trim.h, TrimFact).
uint64_t trim_stream(Context& ctx, const Key& key, Stream& stream, const StreamOptions& options);

}  // namespace ouro
