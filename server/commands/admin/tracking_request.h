// SPDX-License-Identifier: BSD-3-Clause
// The options of CLIENT TRACKING: what a client says about its own cache. Who is told what:
// engine/tracking.h.
#pragma once

#include <vector>

#include "server/engine/context.h"
#include "server/engine/tracking.h"

namespace ouro {

struct TrackingRequest {
  TrackingClient::Mode mode;
  std::vector<ByteView> prefixes;  // views into the command's words
};

Status parse_tracking(Context& ctx, TrackingRequest& request);
// Whether the options agree with each other and with how the client tracks already. Requires a
// session.
Status check_tracking(Context& ctx, const TrackingRequest& request);

}  // namespace ouro
