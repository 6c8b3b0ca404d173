// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/client_line.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

struct FlagLetter {
  char letter;
  bool (*is_set)(const Session&);
};
// In the order in which Redis shows them.
constexpr FlagLetter kFlagLetters[] = {
    {'O', [](const Session& s) { return s.is_monitor; }},
    {'S', [](const Session& s) { return s.is_replica(); }},
    {'M', [](const Session& s) { return s.is_primary; }},
    {'P', [](const Session& s) { return s.subscription_count() > 0; }},
    {'x', [](const Session& s) { return s.caller().txn.open; }},
    {'b', [](const Session& s) { return s.is_blocked() || s.waits_for_acks(); }},
    {'t', [](const Session& s) { return s.tracking != nullptr; }},
    {'R', [](const Session& s) { return s.tracking != nullptr && s.tracking->redirect_broken; }},
    {'B', [](const Session& s) { return s.tracking != nullptr && s.tracking->mode.broadcasts; }},
    {'d', [](const Session& s) { return s.caller().watch_broken; }},
    {'c', [](const Session& s) { return s.state() == EndpointState::kFinishing; }},
    {'A', [](const Session& s) { return s.state() == EndpointState::kDoomed; }},
    {'U', [](const Session& s) { return s.peer.is_unix; }},
    {'e', [](const Session& s) { return s.no_evict; }},
    {'T', [](const Session& s) { return s.caller().no_touch; }},
    {'I', [](const Session& s) { return s.caller().imports; }},
};

// What its socket is waited for.
const char* events_of(const Session& session) {
  const bool reads = session.state() == EndpointState::kOpen;
  const bool writes = session.output_bytes() > 0;
  return reads ? (writes ? "rw" : "r") : (writes ? "w" : "");
}

}  // namespace

std::string client_flags(const Session& session) {
  std::string flags;
  for (const FlagLetter& row : kFlagLetters) {
    if (row.is_set(session)) flags += row.letter;
  }
  return flags.empty() ? "N" : flags;
}

bool is_client_flag(char letter) {
  return letter == 'N' || std::any_of(std::begin(kFlagLetters), std::end(kFlagLetters),
                                      [&](const FlagLetter& row) { return row.letter == letter; });
}

bool is_client_word(ByteView word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= '!' && c <= '~'; });
}

// Behind Redis 7.0's fields stand those of later versions.
std::string client_line(const Engine& engine, const Session& session) {
  const Instant now = engine.instant();
  const Caller& caller = session.caller();
  const std::string_view command =
      session.last_command == nullptr ? "NULL" : engine.registry.full_name(*session.last_command);
  // Numbers and words of the server take far less; what clients say may have any length.
  std::string text(1024 + session.name.size() + session.user().name().size() +
                       session.library_name.size() + session.library_version.size(),
                   '\0');
  const int size = std::snprintf(
      text.data(), text.size(),
      "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%u sub=%zu psub=%zu "
      "ssub=%zu multi=%d "
      "qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=%zu omem=%zu "
      "tot-mem=%zu "
      "events=%s cmd=%.*s user=%s redir=%lld resp=%d lib-name=%s lib-ver=%s "
      "watch=%zu io-thread=0",
      static_cast<unsigned long long>(session.id), session.peer.address.c_str(),
      session.peer.local_address.c_str(), session.peer.fd, session.name.c_str(),
      static_cast<long long>((now - session.created) / 1'000'000),
      static_cast<long long>((now - session.last_active) / 1'000'000),
      client_flags(session).c_str(), caller.db, session.subscriptions[0].size(),
      session.subscriptions[1].size(), session.subscriptions[2].size(),
      caller.txn.open ? static_cast<int>(caller.txn.queue.size()) : -1, session.query_bytes(),
      session.query_bytes_free(), session.argument_bytes(), caller.txn.memory_bytes(),
      session.reply_buffer().memory_bytes, session.output_peak_bytes(),
      session.reply_buffer().unsent_bytes, session.reply_list_pieces(),
      session.reply_list_bytes() + session.stream_bytes(),
      session.claimed_bytes() + session.stream_bytes(), events_of(session),
      static_cast<int>(command.size()), command.data(), session.user().name().c_str(),
      session.tracking == nullptr ? -1LL : static_cast<long long>(session.tracking->mode.redirect),
      session.resp_version(), session.library_name.c_str(), session.library_version.c_str(),
      caller.watched.size());
  CHECK(size > 0);
  text.resize(std::min(static_cast<size_t>(size), text.size() - 1));
  return text;
}

}  // namespace ouro
