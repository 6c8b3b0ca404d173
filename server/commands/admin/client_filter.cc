// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/admin/client_filter.h"

#include <algorithm>

#include "datastructs/base/ascii.h"
#include "server/engine/client_line.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

using Choice = ClientSelection::Choice;
using For = ClientSelection::For;

// What a filter's value is read from.
struct Source {
  Context& ctx;
  ArgParser& args;
  For command;
};

int64_t seconds_since(const Context& ctx, Instant then) {
  return (ctx.engine.instant() - then) / 1'000'000;
}

}  // namespace

struct ClientFilter {
  ByteView word;
  // Reads the value into `choice`.
  Status (*read)(Source& from, Choice& choice);
  bool (*is_true)(const Context&, const Session&, const Choice&);
};

namespace {

// ---- values

Status read_text(Source& from, Choice& choice) {
  choice.text = from.args.next();
  return Status::ok();
}

bool names_filter(ByteView word);

Status read_type(Source& from, Choice& choice) {
  auto& [ctx, args, command] = from;
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
  if (command == For::kList && args.more() && !names_filter(args.peek())) return Err::kSyntax;
  return ctx.fail("ERR Unknown client type '%.*s'", printed_size(name), name.data());
}

Status read_user(Source& from, Choice& choice) {
  auto& [ctx, args, command] = from;
  choice.text = args.next();
  if (ctx.engine.acl.find(choice.text) != nullptr) return Status::ok();
  return ctx.fail("ERR No such user '%.*s'", printed_size(choice.text), choice.text.data());
}

Status read_flags(Source& from, Choice& choice) {
  auto& [ctx, args, command] = from;
  choice.text = args.next();
  for (const char letter : choice.text) {
    if (!is_client_flag(letter)) {
      return ctx.fail("ERR Unknown flags found in the provided filter: %.*s",
                      printed_size(choice.text), choice.text.data());
    }
  }
  return Status::ok();
}

// A number of seconds, above 0.
Status read_seconds(Source& from, Choice& choice) {
  auto& [ctx, args, command] = from;
  const std::string name = to_lower(choice.filter->word);
  const Result<int64_t> number = parse_integer(args.next());
  if (!number.is_ok()) return ctx.fail("ERR %s is not an integer or out of range", name.c_str());
  if (*number <= 0) return ctx.fail("ERR %s should be greater than 0", name.c_str());
  choice.number = *number;
  return Status::ok();
}

Status read_db(Source& from, Choice& choice) {
  auto& [ctx, args, command] = from;
  OURO_TRY(choice.number, parse_integer(args.next()));
  if (choice.number < 0 || choice.number >= ctx.engine.dbs.count())
    return ctx.fail_text(errors::kDbIndexOutOfRange);
  return Status::ok();
}

// One or more, up to the next filter.
Status read_ids(Source& from, Choice& choice) {
  auto& [ctx, args, command] = from;
  const bool kills = command == For::kKill;
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

// ---- filters

constexpr ClientFilter kFilters[] = {
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
       const std::string flags = client_flags(s);
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
     [](const Context&, const Session& s, const Choice& c) { return s.user().name() == c.text; }},
};

const ClientFilter* filter_named(ByteView word) {
  for (const ClientFilter& filter : kFilters) {
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

}  // namespace

Status ClientSelection::parse(Context& ctx, For command) {
  ArgParser args(ctx.argv, 2);
  Source from{ctx, args, command};
  while (args.more()) {
    if (args.left() < 2) break;
    if (args.word("SKIPME")) {
      skips_me = args.word("yes");
      if (!skips_me && !args.word("no")) return Err::kSyntax;
      continue;
    }
    ByteView word = args.peek();
    const bool negated = take_negation(word);
    const ClientFilter* filter = filter_named(word);
    if (filter == nullptr) break;
    args.next();
    OURO_TRY(
        filter->read(from, choices.emplace_back(Choice{.filter = filter, .negated = negated})));
  }
  return args.finish();
}

void ClientSelection::choose_address(ByteView address) {
  choices.push_back({.filter = filter_named("ADDR"), .text = address});
}

const std::vector<uint64_t>* ClientSelection::only_ids() const {
  if (choices.size() != 1 || choices[0].ids.empty() || choices[0].negated) return nullptr;
  return &choices[0].ids;
}

bool ClientSelection::has(const Context& ctx, const Session& session) const {
  if (session.state() == EndpointState::kDoomed) return false;
  if (skips_me && &session == ctx.caller.session) return false;
  return std::all_of(choices.begin(), choices.end(), [&](const Choice& choice) {
    return choice.filter->is_true(ctx, session, choice) != choice.negated;
  });
}

}  // namespace ouro
