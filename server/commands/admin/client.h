// SPDX-License-Identifier: BSD-3-Clause
// The handlers of CLIENT's subcommands that stand in files of their own; the rows are in client.cc.
#pragma once

#include "server/engine/context.h"

namespace ouro {

// client_list.cc
Status cmd_client_info(Context& ctx);
Status cmd_client_kill(Context& ctx);
Status cmd_client_list(Context& ctx);

// client_tracking.cc
Status cmd_client_caching(Context& ctx);
Status cmd_client_getredir(Context& ctx);
Status cmd_client_tracking(Context& ctx);
Status cmd_client_trackinginfo(Context& ctx);

// For what needs a connection; other callers are told so.
Status need_session(Context& ctx);
// Whether a word that a client says of itself leaves the lines of CLIENT LIST whole.
bool is_client_word(ByteView word);

}  // namespace ouro
