// SPDX-License-Identifier: BSD-3-Clause
#include "replication/follow.h"

#include <algorithm>
#include <limits>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"
#include "datastructs/codec/resp_writer.h"

namespace ouro {
namespace {

// An answer is a word, or the text of an error.
constexpr size_t kLineBytesMax = 1023;
constexpr size_t kMarkBytes = 40;

bool starts(ByteView line, ByteView with) { return line.starts_with(with); }

bool is_command(Argv argv, size_t words, ByteView name) {
  return argv.size() == words && equals_ignoring_case(argv[0], name);
}

}  // namespace

Follow::Follow(Heap& heap, Introduction introduction, FollowSink& sink)
    : out_(heap), introduction_(std::move(introduction)), sink_(sink), db_(introduction_.db) {
  ask(Question::kPing, {"PING"});
}

EndpointState Follow::state() const {
  if (talk_ == State::kFailed) return EndpointState::kDoomed;
  const bool is_busy =
      talk_ == State::kLoading || (talk_ == State::kSnapshot && !sink_.takes_snapshot());
  return is_busy ? EndpointState::kNotReading : EndpointState::kOpen;
}

void Follow::on_closed(ByteView why) { fail(std::string(why)); }

void Follow::fail(std::string problem) {
  if (talk_ == State::kFailed) return;
  talk_ = State::kFailed;
  problem_ = std::move(problem);
}

// ---- what we say

void Follow::say(std::initializer_list<ByteView> words) {
  RespWriter writer(out_);
  writer.array(words.size());
  for (const ByteView word : words) writer.bulk(word);
}

void Follow::ask(Question question, std::initializer_list<ByteView> words) {
  say(words);
  questions_.push_back(question);
}

void Follow::introduce() {
  const Introduction& we = introduction_;
  if (!we.user.empty()) {
    ask(Question::kAuth, {"AUTH", we.user, we.password});
  } else if (!we.password.empty()) {
    ask(Question::kAuth, {"AUTH", we.password});
  }
  if (we.port != 0) ask(Question::kPort, {"REPLCONF", "listening-port", std::to_string(we.port)});
  if (!we.announced_ip.empty())
    ask(Question::kAddress, {"REPLCONF", "ip-address", we.announced_ip});
  ask(Question::kAbilities, {"REPLCONF", "capa", "eof", "capa", "psync2", "capa", "ouro"});
  if (!we.membership) return;
  const std::string lease = std::to_string(we.membership->lease);
  const std::string promised = marker_of(we.membership->promised);
  if (we.membership->promised.counter == 0) {
    ask(Question::kMember, {"REPLCONF", "ouro-member", we.membership->member, "ouro-lease", lease});
  } else {
    ask(Question::kMember, {"REPLCONF", "ouro-member", we.membership->member, "ouro-lease", lease,
                            "ouro-promised", promised});
  }
  ask(Question::kBallot, {"REPLCONF", "ouro-ballot", "?"});
}

void Follow::ask_for_data() {
  talk_ = State::kWaiting;
  const std::optional<History>& history = introduction_.history;
  if (!history) return ask(Question::kData, {"PSYNC", "?", "-1"});
  const std::string from = std::to_string(history->offset + 1);
  if (introduction_.asks_to_take_over)
    return ask(Question::kData, {"PSYNC", history->id, from, "FAILOVER"});
  ask(Question::kData, {"PSYNC", history->id, from});
}

void Follow::send_ack() {
  if (talk_ != State::kStream) return;
  // One that may not is not asked again before more has come.
  const std::optional<uint64_t> durable = sink_.durable();
  applied_told_ = applied_;
  durable_told_ = durable.value_or(durable_told_);
  if (!sink_.may_acknowledge()) return;
  const std::string applied = std::to_string(applied_);
  if (!durable) return say({"REPLCONF", "ACK", applied});
  say({"REPLCONF", "ACK", applied, "FACK", std::to_string(*durable)});
}

void Follow::send_newline() {
  if (talk_ == State::kSnapshot || talk_ == State::kLoading) out_.append("\n");
}

// ---- what the primary says

void Follow::on_bytes(ByteView bytes) {
  if (kept_.empty()) {
    kept_.assign(bytes.substr(take(bytes)));
  } else {
    kept_.append(bytes);
    kept_.erase(0, take(kept_));
  }
}

// Takes what can be taken from the front; returns how much that was.
size_t Follow::take(ByteView bytes) {
  size_t taken = 0;
  for (;;) {
    const ByteView rest = bytes.substr(taken);
    size_t part = 0;
    switch (talk_) {
      case State::kHandshake:
      case State::kWaiting:
        part = take_line(rest);
        break;
      case State::kSnapshot:
        part = take_snapshot(rest);
        break;
      case State::kStream:
        return taken + take_stream(rest);
      case State::kLoading:
        return taken;
      case State::kFailed:
        return bytes.size();
    }
    if (part == 0) return talk_ == State::kFailed ? bytes.size() : taken;
    taken += part;
  }
}

// Line ends alone keep the connection alive.
size_t Follow::take_line(ByteView bytes) {
  const size_t end = bytes.substr(0, kLineBytesMax + 1).find('\n');
  if (end == ByteView::npos) {
    if (bytes.size() > kLineBytesMax) fail("The primary sends a line that does not end");
    return 0;
  }
  ByteView line = bytes.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.empty()) on_answer(line);
  return end + 1;
}

void Follow::on_answer(ByteView line) {
  if (questions_.empty()) return on_snapshot_header(line);
  const Question question = questions_.front();
  questions_.erase(questions_.begin());
  const bool is_error = starts(line, "-");
  const std::string text(line);
  switch (question) {
    case Question::kPing:
      // Whoever must log in first is about to.
      if (is_error && !starts(line, "-NOAUTH") && !starts(line, "-NOPERM") &&
          !starts(line, "-ERR operation not permitted"))
        return fail("Error reply to PING from primary: " + text);
      introduce();
      break;
    case Question::kAuth:
      if (is_error) return fail("Unable to AUTH to MASTER: " + text);
      break;
    case Question::kPort:
    case Question::kAddress:
    case Question::kAbilities:
      if (is_error) sink_.on_remark("The primary does not understand REPLCONF: " + text);
      break;
    case Question::kMember:
      if (is_error) return fail("The primary does not count us as one of its members: " + text);
      break;
    case Question::kBallot:
      on_ballot_answer(line);
      if (talk_ == State::kFailed) return;
      break;
    case Question::kData:
      return on_data_answer(line);
  }
  if (questions_.empty()) ask_for_data();
}

// Whoever leads by an older ballot than was promised does not lead any more.
void Follow::on_ballot_answer(ByteView line) {
  constexpr ByteView kLeads = "+LEADS ";
  constexpr ByteView kLapsed = "+LAPSED ";
  constexpr ByteView kFollows = "+FOLLOWS ";
  std::optional<LogEnd> end;
  if (starts(line, kLeads)) {
    primary_leads_ = true;
    end = parse_log_end(line.substr(kLeads.size()));
  } else if (starts(line, kLapsed)) {
    // Who knows what it promised knows that this is no leader of before.
    primary_leads_ = introduction_.membership->promised.counter > 0;
    end = parse_log_end(line.substr(kLapsed.size()));
  } else if (starts(line, kFollows)) {
    end = parse_log_end(line.substr(kFollows.size()));
  }
  if (!end) return fail("The primary does not tell its ballot: " + std::string(line));
  primary_end_ = *end;
  const Ballot& least = introduction_.membership->least;
  if (introduction_.membership->must_lead && !primary_leads_)
    fail("The primary does not lead: its replicas would not count");
  else if (end->ballot < least)
    fail("The primary leads by " + marker_of(end->ballot) + ", which is below " + marker_of(least));
}

void Follow::on_data_answer(ByteView line) {
  constexpr ByteView kFull = "+FULLRESYNC ";
  constexpr ByteView kPartial = "+CONTINUE";
  if (starts(line, kFull)) return on_full_sync(line.substr(kFull.size()));
  if (starts(line, kPartial)) return on_partial_sync(line.substr(kPartial.size()));
  is_to_try_again_ = starts(line, "-TRYAGAIN ");
  was_refused_ = !is_to_try_again_;
  fail("The primary cannot be followed: " + std::string(line));
}

void Follow::on_full_sync(ByteView words) {
  const ByteView id = words.substr(0, kReplicationIdBytes);
  const ByteView rest = words.substr(id.size());
  const std::optional<uint64_t> offset =
      parse_uint64(rest.substr(std::min<size_t>(rest.size(), 1)));
  if (!is_replication_id(id) || !starts(rest, " ") || !offset)
    return fail("The primary answers PSYNC with what is no history: " + std::string(words));
  applied_ = *offset;
  db_ = 0;
  sink_.on_full_sync(ReplicationId(id), *offset);
}

// It continues from where we are, maybe under a new id.
void Follow::on_partial_sync(ByteView id) {
  if (!introduction_.history) return fail("The primary goes on where we never were");
  if (!id.empty()) id.remove_prefix(1);
  if (!id.empty() && !is_replication_id(id))
    return fail("The primary goes on under no id: " + std::string(id));
  const History& history = *introduction_.history;
  applied_ = history.offset;
  talk_ = State::kStream;
  const ReplicationId fresh(id);
  const bool is_another = !id.empty() && id != history.id;
  sink_.on_partial_sync(is_another ? &fresh : nullptr);
}

// ---- the snapshot

void Follow::on_snapshot_header(ByteView line) {
  constexpr ByteView kMarked = "$EOF:";
  if (starts(line, "-")) return fail("The primary gives the snapshot up: " + std::string(line));
  const ByteView mark = starts(line, kMarked) ? line.substr(kMarked.size()) : ByteView();
  bytes_left_ = starts(line, "$") && mark.empty() ? parse_uint64(line.substr(1)) : std::nullopt;
  if (mark.size() != kMarkBytes && !bytes_left_)
    return fail("The primary sends no snapshot: " + std::string(line));
  mark_ = mark;
  talk_ = State::kSnapshot;
  sink_.on_snapshot_begin(bytes_left_);
}

size_t Follow::take_snapshot(ByteView bytes) {
  if (!bytes_left_) return take_until_mark(bytes);
  const size_t part = static_cast<size_t>(std::min<uint64_t>(bytes.size(), *bytes_left_));
  *bytes_left_ -= part;
  if (part > 0 && !sink_.on_snapshot(bytes.substr(0, part))) {
    fail("The snapshot cannot be taken in");
  } else if (*bytes_left_ == 0) {
    end_snapshot();
  }
  return part;
}

// What may be the beginning of the mark is not handed on before the rest has come.
size_t Follow::take_until_mark(ByteView bytes) {
  const size_t at = bytes.find(mark_);
  const bool is_end = at != ByteView::npos;
  const size_t part = is_end ? at : bytes.size() - std::min(bytes.size(), kMarkBytes - 1);
  if (part > 0 && !sink_.on_snapshot(bytes.substr(0, part))) {
    fail("The snapshot cannot be taken in");
  } else if (is_end) {
    end_snapshot();
  }
  return is_end ? part + kMarkBytes : part;
}

void Follow::end_snapshot() {
  talk_ = State::kLoading;
  if (!sink_.on_snapshot_end()) fail("The snapshot cannot be taken in");
}

void Follow::on_loaded() {
  if (talk_ != State::kLoading) return;
  talk_ = State::kStream;
  send_ack();
  on_bytes({});
}

// ---- the stream

size_t Follow::take_stream(ByteView bytes) {
  size_t done = 0;
  size_t at = group_bytes_;
  while (talk_ == State::kStream) {
    const AofScanner::Item found = scanner_.next(bytes.substr(at));
    if (found == AofScanner::Item::kMore) {
      group_bytes_ = at - done;
      return done;
    }
    if (found != AofScanner::Item::kCommand) {
      is_out_of_place_ = true;
      fail("The primary sends what is no command");
      break;
    }
    const ByteView item = bytes.substr(at, scanner_.item_bytes());
    at += item.size();
    const std::span<const AofScanner::Place> words = scanner_.arguments();
    const ByteView name = item.substr(words[0].at, words[0].bytes);
    if (equals_ignoring_case(name, "MULTI")) {
      in_group_ = true;
    } else if (in_group_ && equals_ignoring_case(name, "EXEC")) {
      in_group_ = false;
      apply_group(bytes.substr(done, at - done));
    } else if (!in_group_) {
      apply_command(item, words);
    }
    if (in_group_ || talk_ != State::kStream) continue;
    applied_ += at - done;
    sink_.on_applied(bytes.substr(done, at - done), db_);
    done = at;
  }
  return bytes.size();
}

void Follow::apply_group(ByteView bytes) {
  sink_.apply_together([&] {
    AofScanner scanner;
    while (!bytes.empty() && talk_ == State::kStream) {
      (void)scanner.next(bytes);
      apply_command(bytes.substr(0, scanner.item_bytes()), scanner.arguments());
      bytes.remove_prefix(scanner.item_bytes());
    }
  });
}

// What is about the stream is ours, the rest is the sink's.
void Follow::apply_command(ByteView item, std::span<const AofScanner::Place> words) {
  argv_.clear();
  for (const AofScanner::Place& word : words) argv_.push_back(item.substr(word.at, word.bytes));
  const Argv argv(argv_);
  if (is_command(argv, 2, "SELECT")) {
    const std::optional<uint64_t> db = parse_uint64(argv[1]);
    if (!db || *db > std::numeric_limits<DbIndex>::max())
      return fail("The primary selects what is no database: " + std::string(argv[1]));
    db_ = static_cast<DbIndex>(*db);
  } else if (is_command(argv, 2, "PING")) {
    if (const std::optional<Ballot> ballot = parse_marker(argv[1])) sink_.on_marker(*ballot);
  } else if (equals_ignoring_case(argv[0], "REPLCONF")) {
    // The answer names what was before this command.
    if (argv.size() == 3 && equals_ignoring_case(argv[1], "GETACK")) send_ack();
  } else if (!equals_ignoring_case(argv[0], "MULTI") && !equals_ignoring_case(argv[0], "EXEC")) {
    sink_.apply(db_, argv, item);
  }
}

}  // namespace ouro
