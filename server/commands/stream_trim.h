// SPDX-License-Identifier: BSD-3-Clause
// The options that XADD and XTRIM share: MAXLEN or MINID, exact or by whole nodes, and how much of
// it at once.
#pragma once

#include <optional>

#include "datastructs/stream.h"
#include "server/engine/context.h"

namespace ouro {

// [NOMKSTREAM] [MAXLEN|MINID [=|~] threshold [LIMIT count]] and, of XADD, the id.
struct StreamOptions {
  std::optional<StreamTrim> trim;
  bool only_existing = false;
  size_t id_at = 0;                  // XADD: the argument that is the id; argc if there is none
  std::optional<ParsedStreamId> id;  // XADD: none for "*"
};

enum class StreamForm : uint8_t { kAdd, kTrim };
Result<StreamOptions> parse_stream_options(Context& ctx, StreamForm form);

// What trimmed by `trim` and left the stream as it is now says as a fact: "MAXLEN = length".
struct TrimFact {
  TrimFact(const Stream& stream, const StreamTrim& trim);

  ByteView strategy;
  std::string threshold;
};

}  // namespace ouro
