// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/client_line.h"

#include <algorithm>
#include <cstdio>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

std::string flags_of(const Session& session) {
  std::string flags;
  if (session.is_monitor) flags += 'O';
  if (session.subscription_count() > 0) flags += 'P';
  if (session.caller().txn.open) flags += 'x';
  if (session.is_blocked()) flags += 'b';
  if (session.caller().watch_broken) flags += 'd';
  if (session.state() == EndpointState::kFinishing) flags += 'c';
  if (session.state() == EndpointState::kDoomed) flags += 'A';
  if (session.peer.is_unix) flags += 'U';
  if (session.no_evict) flags += 'e';
  return flags.empty() ? "N" : flags;
}

// What its socket is waited for.
const char* events_of(const Session& session) {
  const bool reads = session.state() == EndpointState::kOpen;
  const bool writes = session.output_bytes() > 0;
  return reads ? (writes ? "rw" : "r") : (writes ? "w" : "");
}

}  // namespace

std::string client_line(const Engine& engine, const Session& session) {
  const Instant now = engine.instant();
  const Caller& caller = session.caller();
  const std::string_view command =
      session.last_command == nullptr ? "NULL" : engine.registry.full_name(*session.last_command);
  // Numbers and words of the server take far less; names may have any length.
  std::string text(1024 + session.name.size() + session.user().name().size(), '\0');
  const int size = std::snprintf(
      text.data(), text.size(),
      "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%u sub=%zu psub=%zu "
      "ssub=%zu multi=%d "
      "qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=%zu omem=%zu "
      "tot-mem=%zu "
      "events=%s cmd=%.*s user=%s redir=-1 resp=%d",
      static_cast<unsigned long long>(session.id), session.peer.address.c_str(),
      session.peer.local_address.c_str(), session.peer.fd, session.name.c_str(),
      static_cast<long long>((now - session.created) / 1'000'000),
      static_cast<long long>((now - session.last_active) / 1'000'000), flags_of(session).c_str(),
      caller.db, session.subscriptions[0].size(), session.subscriptions[1].size(),
      session.subscriptions[2].size(),
      caller.txn.open ? static_cast<int>(caller.txn.queue.size()) : -1, session.query_bytes(),
      session.query_bytes_free(), session.argument_bytes(), caller.txn.memory_bytes(),
      session.reply_buffer().memory_bytes, session.output_peak_bytes(),
      session.reply_buffer().unsent_bytes, session.reply_list_pieces(), session.reply_list_bytes(),
      session.claimed_bytes(), events_of(session), static_cast<int>(command.size()), command.data(),
      session.user().name().c_str(), session.resp_version());
  CHECK(size > 0);
  text.resize(std::min(static_cast<size_t>(size), text.size() - 1));
  return text;
}

}  // namespace ouro
