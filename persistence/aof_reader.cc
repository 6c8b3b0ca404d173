// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_reader.h"

#include <algorithm>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/number_text.h"
#include "persistence/aof_line.h"

namespace ouro {

namespace {

constexpr ByteView kSnapshotStart = "REDIS";
// How many bytes the search for a valid checksum may hash: values may be full of lines that look
// like one.
constexpr uint64_t kSearchBytesMax = 16 * kAofTornBytesMax;

}  // namespace

AofReader::State AofReader::feed(ByteView chunk, ApplyFn apply) {
  if (state_ != State::kReading) return state_;
  if (part_ == Part::kPreamble) read_preamble(chunk);
  if (state_ != State::kReading || part_ == Part::kPreamble) return state_;
  keep(chunk);
  if (part_ == Part::kStart && !begin()) return state_;
  read(apply);
  return state_;
}

AofReader::State AofReader::end(ApplyFn apply) {
  if (state_ != State::kReading) return state_;
  if (part_ == Part::kPreamble) {
    fail(State::kBadPreamble, "the file ends within the snapshot", commands_at_);
    return state_;
  }
  if (part_ == Part::kStart) begin_commands(0);
  read(apply);
  if (state_ == State::kReading) end_commands(apply);
  return state_;
}

// False while it is not known what the file begins with, or a snapshot is being read.
bool AofReader::begin() {
  const ByteView front = ByteView(kept_).substr(0, kSnapshotStart.size());
  if (preamble_ == nullptr || !kSnapshotStart.starts_with(front)) {
    begin_commands(0);
    return true;
  }
  if (front.size() < kSnapshotStart.size()) return false;
  part_ = Part::kPreamble;
  const std::string first = std::move(kept_);
  kept_.clear();
  ByteView rest = first;
  read_preamble(rest);
  if (part_ != Part::kCommands) return false;
  keep(rest);
  return true;
}

void AofReader::read_preamble(ByteView& bytes) {
  const size_t before = bytes.size();
  const AofPreamble::State state = preamble_->feed(bytes);
  commands_at_ += before - bytes.size();
  if (state == AofPreamble::State::kDone) begin_commands(commands_at_);
  if (state == AofPreamble::State::kFailed)
    fail(State::kBadPreamble, preamble_->reason(), preamble_->offset());
}

void AofReader::begin_commands(uint64_t at) {
  part_ = Part::kCommands;
  ok_.offset = item_.offset = kept_at_ = unchecked_at_ = at;
}

void AofReader::read(ApplyFn apply) {
  while (state_ == State::kReading && part_ == Part::kCommands) {
    const ByteView rest = kept_from(item_.offset);
    switch (scanner_.next(rest)) {
      case AofScanner::Item::kMore:
        return;
      case AofScanner::Item::kBad:
        bad_place(scanner_.reason(), item_.offset + scanner_.bad_at());
        break;
      case AofScanner::Item::kLine:
        on_line(rest.substr(0, scanner_.item_bytes()), apply);
        break;
      case AofScanner::Item::kCommand:
        on_command(rest.substr(0, scanner_.item_bytes()), apply);
        break;
    }
  }
  if (state_ != State::kReading) return;
  if (finds_checksum()) {
    fail(State::kDamaged, reason_, offset_);
  } else if (end_of_kept() - item_.offset > kAofTornBytesMax) {
    damage_end_ = end_of_kept();
    fail(State::kDamaged, reason_, offset_);
  }
}

void AofReader::on_line(ByteView line, ApplyFn apply) {
  if (line.starts_with(kAofChecksumStart)) return on_checksum(line, apply);
  if (line.starts_with(kAofHeaderStart)) return on_header(line, apply);
  if (has_checksums_ && !parse_aof_timestamp(line))
    return bad_place("a line that is neither a checksum nor a time", item_.offset);
  pass_item(line.size(), 1);
  if (!has_checksums_ && multi_ == kNoMulti) apply_groups(item_, apply);
}

// Whoever wrote what stands before it has ended.
void AofReader::on_header(ByteView line, ApplyFn apply) {
  if (line != kAofHeaderLine) return bad_place("a header of another version", item_.offset);
  if (multi_ != kNoMulti) return bad_place("a header inside of a transaction", item_.offset);
  apply_unchecked(apply);
  if (state_ != State::kReading) return;
  has_checksums_ = true;
  pass_item(line.size(), 1);
}

void AofReader::on_checksum(ByteView line, ApplyFn apply) {
  if (!has_checksums_)
    return bad_place("a checksum, although no line #OURO:1 stands before it", item_.offset);
  const std::optional<AofChecksum> checksum = parse_aof_checksum(line);
  if (!checksum) return bad_place("a checksum that cannot be read", item_.offset);
  if (checksum->bytes != item_.offset - unchecked_at_)
    return bad_place("the checksum behind these bytes is of another number of bytes",
                     unchecked_at_);
  if (!has_hash(unchecked_at_, checksum->bytes, checksum->hash))
    return bad_place("the checksum behind these bytes is another", unchecked_at_);
  pass_item(line.size(), 1);
  unchecked_at_ = item_.offset;
  apply_groups(item_, apply);
}

void AofReader::on_command(ByteView item, ApplyFn apply) {
  // An ouro would have written a checksum long before.
  if (has_checksums_ && multi_ == kNoMulti && item_.offset - unchecked_at_ >= kAofTornBytesMax) {
    apply_unchecked(apply);
    if (state_ != State::kReading) return;
  }
  const std::span<const AofScanner::Place> words = scanner_.arguments();
  const Kind kind = kind_of(item.substr(words[0].at, words[0].bytes), words.size());
  if (kind == Kind::kMulti && multi_ != kNoMulti)
    return bad_place("MULTI inside of MULTI", item_.offset);
  if (kind == Kind::kExec && multi_ == kNoMulti)
    return bad_place("EXEC without MULTI", item_.offset);
  if (kind == Kind::kMulti) multi_ = commands_.size();
  if (kind == Kind::kExec) multi_ = kNoMulti;
  commands_.push_back({item_, kind, arguments_.size(), words.size()});
  for (const AofScanner::Place& word : words)
    arguments_.push_back({item_.offset + word.at, word.bytes});
  pass_item(item.size(), 1 + 2 * words.size());
  if (!has_checksums_ && multi_ == kNoMulti) apply_groups(item_, apply);
}

AofReader::Kind AofReader::kind_of(ByteView name, size_t words) {
  if (words == 1 && equals_ignoring_case(name, "MULTI")) return Kind::kMulti;
  if (words == 1 && equals_ignoring_case(name, "EXEC")) return Kind::kExec;
  if (words == 2 && equals_ignoring_case(name, "SELECT")) return Kind::kSelect;
  return Kind::kOther;
}

void AofReader::pass_item(size_t bytes, uint64_t lines) {
  item_.offset += bytes;
  item_.line += lines;
}

// What is known of the items ends here. With checksums, what follows decides whether this is the
// end of what was written.
void AofReader::bad_place(const char* reason, uint64_t offset) {
  if (!has_checksums_) return fail(State::kDamaged, reason, offset);
  part_ = Part::kSearching;
  begin_search(reason, offset);
}

void AofReader::begin_search(const char* reason, uint64_t offset) {
  reason_ = reason;
  offset_ = offset;
  if (!has_checksums_) unchecked_at_ = ok_.offset;
  searched_to_ = unchecked_at_;
  search_bytes_left_ = kSearchBytesMax;
}

// Whether a line #C from searched_to_ on is valid. Its own bytes are all that it needs: where the
// line before it stands may be damaged.
bool AofReader::finds_checksum() {
  const ByteView bytes = kept_from(unchecked_at_);
  size_t at = static_cast<size_t>(searched_to_ - unchecked_at_);
  while ((at = bytes.find(kAofChecksumStart, at)) != ByteView::npos) {
    const ByteView start = bytes.substr(at, kAofChecksumLineBytesMax);
    const size_t end = start.find('\n');
    if (end == ByteView::npos && start.size() < kAofChecksumLineBytesMax) break;
    if (end != ByteView::npos && (at == 0 || bytes[at - 1] == '\n')) {
      const std::optional<AofChecksum> checksum = parse_aof_checksum(start.substr(0, end + 1));
      saw_checksum_ = saw_checksum_ || checksum.has_value();
      if (checksum && checksum->bytes <= at) {
        damage_end_ = unchecked_at_ + at - checksum->bytes;
        if (checksum->bytes > search_bytes_left_) return true;
        search_bytes_left_ -= checksum->bytes;
        if (has_hash(damage_end_, checksum->bytes, checksum->hash)) return true;
      }
    }
    ++at;
  }
  const size_t tail = kAofChecksumStart.size() - 1;
  if (at == ByteView::npos) at = bytes.size() - std::min(bytes.size(), tail);
  searched_to_ = std::max(searched_to_, unchecked_at_ + at);
  return false;
}

bool AofReader::has_hash(uint64_t at, uint64_t bytes, uint64_t hash) {
  return aof_hash(kept_from(at).substr(0, static_cast<size_t>(bytes))) == hash;
}

void AofReader::end_commands(ApplyFn apply) {
  const bool is_torn = item_.offset < end_of_kept();
  if (is_torn && part_ == Part::kCommands) {
    begin_search("the file ends within a command or a line", item_.offset);
    // A length may be what is damaged: then there are others behind it.
    if (finds_checksum()) return fail(State::kDamaged, reason_, offset_);
  }
  if (is_torn && has_checksums_ && saw_checksum_) forget_commands();
  apply_unchecked(apply);
  if (state_ != State::kReading) return;
  if (multi_ != kNoMulti) {
    fail(State::kTorn, "the file ends within a transaction", ok_.offset);
  } else if (is_torn) {
    fail(State::kTorn, reason_, offset_);
  } else {
    state_ = State::kDone;
  }
}

// What is kept does not agree with its checksum. It is not applied, whole as it may look: nobody
// knows which of its commands is wrong, nor where it begins if a length is.
void AofReader::forget_commands() {
  commands_.clear();
  arguments_.clear();
  multi_ = kNoMulti;
  item_ = ok_;
}

void AofReader::apply_unchecked(ApplyFn apply) {
  const uint64_t before = commands_applied_;
  apply_groups(item_, apply);
  if (has_checksums_) unchecked_commands_ += commands_applied_ - before;
  unchecked_at_ = item_.offset;
}

// Applies all whole groups that are kept. `end`: behind the last of them.
void AofReader::apply_groups(Mark end, ApplyFn apply) {
  const bool is_open = multi_ != kNoMulti;
  const size_t count = is_open ? multi_ : commands_.size();
  bool in_group = false;
  for (size_t i = 0; i < count; ++i) {
    const Command& command = commands_[i];
    if (!in_group) ok_ = command.begin;
    if (command.kind == Kind::kMulti) in_group = true;
    if (command.kind == Kind::kExec) in_group = false;
    apply_command(command, apply);
    if (state_ != State::kReading) return;
  }
  ok_ = is_open ? commands_[multi_].begin : end;
  if (!is_open) {
    commands_.clear();
    arguments_.clear();
  } else if (count > 0) {
    const size_t first = commands_[multi_].first_argument;
    arguments_.erase(arguments_.begin(), arguments_.begin() + static_cast<std::ptrdiff_t>(first));
    commands_.erase(commands_.begin(), commands_.begin() + static_cast<std::ptrdiff_t>(count));
    for (Command& command : commands_) command.first_argument -= first;
    multi_ = 0;
  }
}

void AofReader::apply_command(const Command& command, ApplyFn apply) {
  if (command.kind == Kind::kMulti || command.kind == Kind::kExec) return;
  argv_.clear();
  for (size_t i = 0; i < command.argument_count; ++i) {
    const Place& place = arguments_[command.first_argument + i];
    argv_.push_back(kept_from(place.at).substr(0, place.bytes));
  }
  if (command.kind == Kind::kSelect) {
    const std::optional<uint64_t> db = parse_uint64(argv_[1]);
    if (!db || *db > UINT32_MAX)
      return fail(State::kDamaged, "SELECT of no database", command.begin.offset);
    db_ = static_cast<DbIndex>(*db);
    return;
  }
  const Status status = apply(db_, argv_);
  if (status.is_ok()) {
    ++commands_applied_;
    return;
  }
  refused_word_ = argv_[0];
  refused_because_ = status.err();
  fail(State::kRefused, "a command was refused", command.begin.offset);
}

void AofReader::fail(State state, const char* reason, uint64_t offset) {
  state_ = state;
  reason_ = reason;
  offset_ = offset;
}

// What has been applied makes room.
void AofReader::keep(ByteView chunk) {
  if (ok_.offset > kept_at_) {
    kept_.erase(0, static_cast<size_t>(ok_.offset - kept_at_));
    kept_at_ = ok_.offset;
  }
  kept_ += chunk;
}

}  // namespace ouro
