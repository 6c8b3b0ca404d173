// SPDX-License-Identifier: BSD-3-Clause
// CLIENT TRACKING and its kin: what a client says about its own cache. Who is told what:
// engine/tracking.h.
#include "server/commands/admin/client.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

using Mode = TrackingClient::Mode;

struct Request {
  Mode mode;
  std::vector<ByteView> prefixes;
};

Status parse_options(Context& ctx, Request& request) {
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

// Whether the options agree with each other and with how the client tracks already.
Status check_mode(Context& ctx, const Request& request) {
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

Status cmd_client_tracking(Context& ctx) {
  OURO_TRY(need_session(ctx));
  Session& session = *ctx.caller.session;
  Request request;
  OURO_TRY(parse_options(ctx, request));
  if (equals_ignoring_case(ctx.argv[2], "on")) {
    OURO_TRY(check_mode(ctx, request));
    OURO_TRY(check_prefixes(ctx, request.prefixes));
    ctx.engine.tracking.enable(session, request.mode, request.prefixes);
  } else if (equals_ignoring_case(ctx.argv[2], "off")) {
    ctx.engine.tracking.disable(session);
  } else {
    return Err::kSyntax;
  }
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_caching(Context& ctx) {
  OURO_TRY(need_session(ctx));
  TrackingClient* client = ctx.caller.session->tracking.get();
  if (client == nullptr) {
    return ctx.fail(
        "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or "
        "OPTOUT mode enabled");
  }
  const bool yes = equals_ignoring_case(ctx.argv[2], "yes");
  if (!yes && !equals_ignoring_case(ctx.argv[2], "no")) return Err::kSyntax;
  if (!(yes ? client->mode.opts_in : client->mode.opts_out)) {
    return ctx.fail("ERR CLIENT CACHING %s is only valid when tracking is enabled in %s mode.",
                    yes ? "YES" : "NO", yes ? "OPTIN" : "OPTOUT");
  }
  client->caching_said_by = ctx.engine.registry.container(ctx.spec);
  ctx.reply.ok();
  return Status::ok();
}

Status cmd_client_getredir(Context& ctx) {
  OURO_TRY(need_session(ctx));
  const TrackingClient* client = ctx.caller.session->tracking.get();
  ctx.reply.integer(client == nullptr ? -1 : static_cast<int64_t>(client->mode.redirect));
  return Status::ok();
}

Status cmd_client_trackinginfo(Context& ctx) {
  OURO_TRY(need_session(ctx));
  const TrackingClient* client = ctx.caller.session->tracking.get();
  const TrackingClient off;
  const TrackingClient& shown = client == nullptr ? off : *client;
  const bool said = shown.caching_said_by != nullptr;
  const struct {
    const char* name;
    bool is_set;
  } flags[] = {{"off", client == nullptr},
               {"on", client != nullptr},
               {"bcast", shown.mode.broadcasts},
               {"optin", shown.mode.opts_in},
               {"caching-yes", shown.mode.opts_in && said},
               {"optout", shown.mode.opts_out},
               {"caching-no", shown.mode.opts_out && said},
               {"noloop", shown.mode.no_loop},
               {"broken_redirect", shown.redirect_broken}};
  ctx.reply.map(3);
  ctx.reply.bulk("flags");
  const Reply::Mark mark = ctx.reply.begin();
  size_t count = 0;
  for (const auto& flag : flags) {
    if (!flag.is_set) continue;
    ctx.reply.bulk(flag.name);
    ++count;
  }
  ctx.reply.end_set(mark, count);
  ctx.reply.bulk("redirect");
  ctx.reply.integer(client == nullptr ? -1 : static_cast<int64_t>(client->mode.redirect));
  ctx.reply.bulk("prefixes");
  ctx.reply.array(shown.prefixes.size());
  for (const std::string& prefix : shown.prefixes) ctx.reply.bulk(prefix);
  return Status::ok();
}

}  // namespace ouro
