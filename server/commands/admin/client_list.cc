// SPDX-License-Identifier: BSD-3-Clause
// CLIENT LIST, INFO and KILL: the line that describes a client, and the filters that choose some.
//
// A filter is a row: the word before its value, how the value is read, and which clients it is true
// of. All filters of a command must agree; NOT- before a word turns it around.
#include <algorithm>
#include <cstdio>
#include <iterator>

#include "server/commands/admin/client.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// ---- a client as a line

struct FlagLetter {
  char letter;
  bool (*is_set)(const Session&);
};
// In the order in which Redis shows them.
constexpr FlagLetter kFlagLetters[] = {
    {'O', [](const Session& s) { return s.is_monitor; }},
    {'P', [](const Session& s) { return s.subscription_count() > 0; }},
    {'x', [](const Session& s) { return s.caller().txn.open; }},
    {'b', [](const Session& s) { return s.is_blocked(); }},
    {'t', [](const Session& s) { return s.tracking != nullptr; }},
    {'R', [](const Session& s) { return s.tracking != nullptr && s.tracking->redirect_broken; }},
    {'B', [](const Session& s) { return s.tracking != nullptr && s.tracking->mode.broadcasts; }},
    {'d', [](const Session& s) { return s.caller().watch_broken; }},
    {'c', [](const Session& s) { return s.state() == EndpointState::kFinishing; }},
    {'A', [](const Session& s) { return s.state() == EndpointState::kDoomed; }},
    {'U', [](const Session& s) { return s.peer.is_unix; }},
    {'e', [](const Session& s) { return s.no_evict; }},
    {'T', [](const Session& s) { return s.caller().no_touch; }},
};

std::string flags_of(const Session& session) {
  std::string flags;
  for (const FlagLetter& row : kFlagLetters) {
    if (row.is_set(session)) flags += row.letter;
  }
  return flags.empty() ? "N" : flags;
}

// What its socket is waited for.
const char* events_of(const Session& session) {
  const bool reads = session.state() == EndpointState::kOpen;
  const bool writes = session.output_bytes() > 0;
  return reads ? (writes ? "rw" : "r") : (writes ? "w" : "");
}

int64_t seconds_since(const Context& ctx, Instant then) {
  return (ctx.engine.instant() - then) / 1'000'000;
}

// Behind Redis 7.0's fields stand those of later versions.
std::string line_of(const Context& ctx, const Session& session) {
  const Caller& caller = session.caller();
  const std::string_view command = session.last_command == nullptr
                                       ? "NULL"
                                       : ctx.engine.registry.full_name(*session.last_command);
  // Numbers and words of the server take far less; what clients say may have any length.
  std::string text(1024 + session.name.size() + session.user.size() + session.library_name.size() +
                       session.library_version.size(),
                   '\0');
  const int size = std::snprintf(
      text.data(), text.size(),
      "id=%llu addr=%s laddr=%s fd=%d name=%s age=%lld idle=%lld flags=%s db=%u sub=%zu psub=%zu "
      "ssub=%zu multi=%d "
      "qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu rbp=%zu obl=%zu oll=%zu omem=%zu "
      "tot-mem=%zu "
      "events=%s cmd=%.*s user=%s redir=%lld resp=%d lib-name=%s lib-ver=%s",
      static_cast<unsigned long long>(session.id), session.peer.address.c_str(),
      session.peer.local_address.c_str(), session.peer.fd, session.name.c_str(),
      static_cast<long long>(seconds_since(ctx, session.created)),
      static_cast<long long>(seconds_since(ctx, session.last_active)), flags_of(session).c_str(),
      caller.db, session.subscriptions[0].size(), session.subscriptions[1].size(),
      session.subscriptions[2].size(),
      caller.txn.open ? static_cast<int>(caller.txn.queue.size()) : -1, session.query_bytes(),
      session.query_bytes_free(), session.argument_bytes(), caller.txn.memory_bytes(),
      session.reply_buffer().memory_bytes, session.output_peak_bytes(),
      session.reply_buffer().unsent_bytes, session.reply_list_pieces(), session.reply_list_bytes(),
      session.claimed_bytes(), events_of(session), static_cast<int>(command.size()), command.data(),
      session.user.c_str(),
      session.tracking == nullptr ? -1LL : static_cast<long long>(session.tracking->mode.redirect),
      session.resp_version(), session.library_name.c_str(), session.library_version.c_str());
  CHECK(size > 0);
  text.resize(std::min(static_cast<size_t>(size), text.size() - 1));
  return text;
}

// ---- filters

struct Filter;

// A filter as it was given.
struct Choice {
  const Filter* filter;
  bool negated;
  ByteView text;
  int64_t number;             // of those that read one
  std::vector<uint64_t> ids;  // of ID
};

struct Filter {
  ByteView word;
  // Reads the value into `choice`.
  Status (*read)(Context&, ArgParser&, Choice& choice);
  bool (*is_true)(const Context&, const Session&, const Choice&);
};

Status read_text(Context&, ArgParser& args, Choice& choice) {
  choice.text = args.next();
  return Status::ok();
}

bool names_filter(ByteView word);

Status read_type(Context& ctx, ArgParser& args, Choice& choice) {
  constexpr struct {
    ByteView name;
    ClientClass meant;
  } kNames[] = {{"normal", ClientClass::kNormal},   {"pubsub", ClientClass::kPubsub},
                {"master", ClientClass::kPrimary},  {"primary", ClientClass::kPrimary},
                {"replica", ClientClass::kReplica}, {"slave", ClientClass::kReplica}};
  const ByteView name = args.next();
  for (const auto& row : kNames) {
    if (!equals_ignoring_case(name, row.name)) continue;
    choice.number = static_cast<int64_t>(row.meant);
    return Status::ok();
  }
  // As in Redis, a word too many is what CLIENT LIST finds first.
  if (ctx.spec.handler == cmd_client_list && args.more() && !names_filter(args.peek()))
    return Err::kSyntax;
  return ctx.fail("ERR Unknown client type '%.*s'", printed_size(name), name.data());
}

Status read_user(Context& ctx, ArgParser& args, Choice& choice) {
  choice.text = args.next();
  if (choice.text == "default") return Status::ok();
  return ctx.fail("ERR No such user '%.*s'", printed_size(choice.text), choice.text.data());
}

Status read_flags(Context& ctx, ArgParser& args, Choice& choice) {
  choice.text = args.next();
  for (const char letter : choice.text) {
    const auto is_known = [&](const FlagLetter& row) { return row.letter == letter; };
    if (letter != 'N' && std::none_of(std::begin(kFlagLetters), std::end(kFlagLetters), is_known)) {
      return ctx.fail("ERR Unknown flags found in the provided filter: %.*s",
                      printed_size(choice.text), choice.text.data());
    }
  }
  return Status::ok();
}

// A number of seconds, above 0.
Status read_seconds(Context& ctx, ArgParser& args, Choice& choice) {
  const int size = static_cast<int>(choice.filter->word.size());
  std::string name(choice.filter->word);
  for (char& c : name) c = static_cast<char>(c | 0x20);
  const Result<int64_t> number = parse_integer(args.next());
  if (!number.is_ok())
    return ctx.fail("ERR %.*s is not an integer or out of range", size, name.data());
  if (*number <= 0) return ctx.fail("ERR %.*s should be greater than 0", size, name.data());
  choice.number = *number;
  return Status::ok();
}

Status read_db(Context& ctx, ArgParser& args, Choice& choice) {
  OURO_TRY(choice.number, parse_integer(args.next()));
  if (choice.number < 0 || choice.number >= ctx.engine.dbs.count())
    return ctx.fail_text(errors::kDbIndexOutOfRange);
  return Status::ok();
}

// One or more, up to the next filter.
Status read_ids(Context& ctx, ArgParser& args, Choice& choice) {
  const bool kills = ctx.spec.handler == cmd_client_kill;
  while (args.more()) {
    const Result<int64_t> id = parse_integer(args.peek());
    if (!id.is_ok() && !choice.ids.empty() && (kills || names_filter(args.peek()))) break;
    if (kills && (!id.is_ok() || *id < 1))
      return ctx.fail("ERR client-id should be greater than 0");
    if (!id.is_ok()) return ctx.fail("ERR Invalid client ID");
    choice.ids.push_back(static_cast<uint64_t>(*id));
    args.next();
  }
  return Status::ok();
}

bool is_of_ip(const Session& session, ByteView ip) {
  const ByteView address = session.peer.address;
  const size_t end = address.rfind(':');
  ByteView host = address.substr(0, end);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host == ip;
}

constexpr Filter kFilters[] = {
    {"ADDR", read_text,
     [](const Context&, const Session& s, const Choice& c) { return s.peer.address == c.text; }},
    {"CAPA", read_text,
     [](const Context&, const Session& s, const Choice& c) {
       return c.text == "r" && s.takes_redirects;
     }},
    {"DB", read_db,
     [](const Context&, const Session& s, const Choice& c) { return s.caller().db == c.number; }},
    {"FLAGS", read_flags,
     [](const Context&, const Session& s, const Choice& c) {
       const std::string flags = flags_of(s);
       return c.text.find_first_not_of(flags) == ByteView::npos;
     }},
    {"ID", read_ids,
     [](const Context&, const Session& s, const Choice& c) {
       return std::find(c.ids.begin(), c.ids.end(), s.id) != c.ids.end();
     }},
    {"IDLE", read_seconds,
     [](const Context& ctx, const Session& s, const Choice& c) {
       return seconds_since(ctx, s.last_active) >= c.number;
     }},
    {"IP", read_text,
     [](const Context&, const Session& s, const Choice& c) { return is_of_ip(s, c.text); }},
    {"LADDR", read_text,
     [](const Context&, const Session& s, const Choice& c) {
       return s.peer.local_address == c.text;
     }},
    {"LIB-NAME", read_text,
     [](const Context&, const Session& s, const Choice& c) { return s.library_name == c.text; }},
    {"LIB-VER", read_text,
     [](const Context&, const Session& s, const Choice& c) { return s.library_version == c.text; }},
    {"MAXAGE", read_seconds,
     [](const Context& ctx, const Session& s, const Choice& c) {
       return seconds_since(ctx, s.created) >= c.number;
     }},
    {"NAME", read_text,
     [](const Context&, const Session& s, const Choice& c) { return s.name == c.text; }},
    {"TYPE", read_type,
     [](const Context&, const Session& s, const Choice& c) {
       return static_cast<int64_t>(s.client_class()) == c.number;
     }},
    {"USER", read_user,
     [](const Context&, const Session& s, const Choice& c) {
       return s.user == c.text && s.authenticated;
     }},
};

const Filter* filter_named(ByteView word) {
  for (const Filter& filter : kFilters) {
    if (equals_ignoring_case(word, filter.word)) return &filter;
  }
  return nullptr;
}

// `word` loses its NOT-.
bool take_negation(ByteView& word) {
  constexpr ByteView kNot = "NOT-";
  const bool negated =
      word.size() > kNot.size() && equals_ignoring_case(word.substr(0, kNot.size()), kNot);
  if (negated) word.remove_prefix(kNot.size());
  return negated;
}

bool names_filter(ByteView word) {
  take_negation(word);
  return filter_named(word) != nullptr || equals_ignoring_case(word, "SKIPME");
}

struct Selection {
  std::vector<Choice> choices;
  bool skips_me = false;
};

Status parse_selection(Context& ctx, Selection& selection) {
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    if (args.left() < 2) break;
    if (args.word("SKIPME")) {
      selection.skips_me = args.word("yes");
      if (!selection.skips_me && !args.word("no")) return Err::kSyntax;
      continue;
    }
    ByteView word = args.peek();
    const bool negated = take_negation(word);
    const Filter* filter = filter_named(word);
    if (filter == nullptr) break;
    args.next();
    Choice& choice = selection.choices.emplace_back(
        Choice{.filter = filter, .negated = negated, .text = {}, .number = 0, .ids = {}});
    OURO_TRY(filter->read(ctx, args, choice));
  }
  return args.finish();
}

bool is_chosen(const Context& ctx, const Selection& selection, const Session& session) {
  if (session.state() == EndpointState::kDoomed) return false;
  if (selection.skips_me && &session == ctx.caller.session) return false;
  return std::all_of(selection.choices.begin(), selection.choices.end(), [&](const Choice& choice) {
    return choice.filter->is_true(ctx, session, choice) != choice.negated;
  });
}

}  // namespace

// ---- the commands

Status cmd_client_info(Context& ctx) {
  OURO_TRY(need_session(ctx));
  ctx.reply.verbatim("txt", line_of(ctx, *ctx.caller.session) + "\n");
  return Status::ok();
}

Status cmd_client_list(Context& ctx) {
  Selection selection;
  OURO_TRY(parse_selection(ctx, selection));
  std::string lines;
  const auto add = [&](const Session* session) {
    if (session != nullptr && is_chosen(ctx, selection, *session))
      lines += line_of(ctx, *session) + "\n";
  };
  // Named by their ids alone they come in the order in which they are named, as in Redis.
  if (selection.choices.size() == 1 && !selection.choices[0].ids.empty() &&
      !selection.choices[0].negated) {
    for (const uint64_t id : selection.choices[0].ids) add(ctx.engine.clients.find(id));
  } else {
    for (const auto& [id, session] : ctx.engine.clients.all()) add(session);
  }
  ctx.reply.verbatim("txt", lines);
  return Status::ok();
}

Status cmd_client_kill(Context& ctx) {
  Selection selection;
  const bool old_form = ctx.argv.size() == 3;
  if (old_form) {
    selection.choices.push_back({.filter = filter_named("ADDR"),
                                 .negated = false,
                                 .text = ctx.argv[2],
                                 .number = 0,
                                 .ids = {}});
  } else {
    selection.skips_me = true;
    OURO_TRY(parse_selection(ctx, selection));
  }
  int64_t killed = 0;
  Session* me = ctx.caller.session;
  bool kills_me = false;
  for (const auto& [id, session] : ctx.engine.clients.all()) {
    if (!is_chosen(ctx, selection, *session)) continue;
    ++killed;
    if (session == me) {
      kills_me = true;
    } else {
      session->doom();
    }
  }
  if (old_form && killed == 0) return ctx.fail("ERR No such client");
  old_form ? ctx.reply.ok() : ctx.reply.integer(killed);
  // One that kills itself still gets its answer.
  if (kills_me) me->close_after_reply();
  return Status::ok();
}

}  // namespace ouro
