// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/admin/tracking_request.h"

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

using Mode = TrackingClient::Mode;

// Whether the options agree with each other and with how the client tracks already.
Status check_mode(Context& ctx, const TrackingRequest& request) {
  const Mode& wanted = request.mode;
  if (!wanted.broadcasts && !request.prefixes.empty())
    return ctx.fail("ERR PREFIX option requires BCAST mode to be enabled");
  const TrackingClient* now = ctx.caller.session->tracking.get();
  if (now != nullptr && now->mode.broadcasts != wanted.broadcasts) {
    return ctx.fail(
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and "
        "then re-enabling it with a different mode.");
  }
  if (wanted.broadcasts && (wanted.opts_in || wanted.opts_out))
    return ctx.fail("ERR OPTIN and OPTOUT are not compatible with BCAST");
  if (wanted.opts_in && wanted.opts_out)
    return ctx.fail("ERR You can't specify both OPTIN mode and OPTOUT mode");
  if (now != nullptr &&
      ((wanted.opts_in && now->mode.opts_out) || (wanted.opts_out && now->mode.opts_in))) {
    return ctx.fail(
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and "
        "then re-enabling it with a different mode.");
  }
  return Status::ok();
}

bool overlap(ByteView a, ByteView b) { return a.starts_with(b) || b.starts_with(a); }

// A key belongs to one prefix of a client at most, else it would be told of it twice.
Status check_prefixes(Context& ctx, const std::vector<ByteView>& prefixes) {
  const auto refuse = [&](ByteView prefix, const char* which, ByteView other) {
    return ctx.fail(
        "ERR Prefix '%.*s' overlaps with %s prefix '%.*s'. Prefixes for a single client must not "
        "overlap.",
        printed_size(prefix), prefix.data(), which, printed_size(other), other.data());
  };
  const TrackingClient* now = ctx.caller.session->tracking.get();
  for (size_t i = 0; i < prefixes.size(); ++i) {
    if (now != nullptr) {
      for (const std::string& own : now->prefixes) {
        if (overlap(own, prefixes[i])) return refuse(prefixes[i], "an existing", own);
      }
    }
    for (size_t k = i + 1; k < prefixes.size(); ++k) {
      if (overlap(prefixes[i], prefixes[k]))
        return refuse(prefixes[i], "another provided", prefixes[k]);
    }
  }
  return Status::ok();
}

}  // namespace

Status parse_tracking(Context& ctx, TrackingRequest& request) {
  ArgParser args(ctx.argv, 3);
  while (args.more()) {
    if (args.left() > 1 && args.word("REDIRECT")) {
      if (request.mode.redirect != 0)
        return ctx.fail("ERR A client can only redirect to a single other client");
      OURO_TRY(const int64_t id, parse_integer(args.next()));
      if (ctx.engine.clients.find(static_cast<uint64_t>(id)) == nullptr)
        return ctx.fail("ERR The client ID you want redirect to does not exist");
      request.mode.redirect = static_cast<uint64_t>(id);
    } else if (args.left() > 1 && args.word("PREFIX")) {
      request.prefixes.push_back(args.next());
    } else if (args.word("BCAST")) {
      request.mode.broadcasts = true;
    } else if (args.word("OPTIN")) {
      request.mode.opts_in = true;
    } else if (args.word("OPTOUT")) {
      request.mode.opts_out = true;
    } else if (args.word("NOLOOP")) {
      request.mode.no_loop = true;
    } else {
      return Err::kSyntax;
    }
  }
  return args.finish();
}

Status check_tracking(Context& ctx, const TrackingRequest& request) {
  OURO_TRY(check_mode(ctx, request));
  return check_prefixes(ctx, request.prefixes);
}

}  // namespace ouro
