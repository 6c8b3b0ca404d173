// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/resp_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>

#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"
#include "datastructs/codec/quoted_words.h"

namespace ouro {

namespace {

static_assert(std::endian::native == std::endian::little, "see is_line_end");

constexpr size_t kBlockBytesFirst = 256;
// The shortest argument is "$0\r\n\r\n": a count that the bytes at hand cannot hold needs no room
// in the arena yet.
constexpr size_t kArgBytesMin = 6;
constexpr size_t kLengthMax = size_t{1}
                              << 50;  // no more digits are read above this, so nothing overflows
constexpr size_t kUnauthenticatedArgsMax = 10;
constexpr size_t kUnauthenticatedBulkBytesMax = 16_KiB;
// A peer that announces much and sends little must not make us commit much: a blob gets this at
// first, and then kBlobTrust times what has really arrived.
constexpr size_t kBlobBytesFirst = 256_KiB;
constexpr size_t kBlobTrust = 16;
// A shorter rest of a bulk comes with the ordinary receive: one copy costs less than a change of
// the receive.
constexpr size_t kWantBytesMin = 16_KiB;

bool is_line_end(const char* at) {
  uint16_t two;
  constexpr uint16_t kLineEnd = 0x0a0d;  // "\r\n" as a little-endian number
  std::memcpy(&two, at, sizeof(two));
  return two == kLineEnd;
}

// Reads "<digits>\r\n". Null for everything else (no end in sight, leading zeros, signs): then the
// careful path decides.
inline const char* whole_length(const char* at, const char* end, size_t& value) {
  // One and two digits first: nearly all lengths, in a third of the loop's instructions.
  if (end - at >= 4) [[likely]] {
    const unsigned first = static_cast<unsigned char>(at[0]) - static_cast<unsigned>('0');
    if (is_line_end(at + 1) && first <= 9) {
      value = first;
      return at + 3;
    }
    const unsigned second = static_cast<unsigned char>(at[1]) - static_cast<unsigned>('0');
    if (is_line_end(at + 2) && first - 1 < 9 && second <= 9) {
      value = first * 10 + second;
      return at + 4;
    }
  }
  if (at == end) return nullptr;
  size_t sum = static_cast<unsigned char>(*at) - static_cast<size_t>('0');
  if (sum > 9) return nullptr;
  ++at;
  const bool zero = sum == 0;
  for (;; ++at) {
    if (at == end) return nullptr;
    const size_t digit = static_cast<unsigned char>(*at) - static_cast<size_t>('0');
    if (digit > 9) break;
    if (zero || sum > kLengthMax) return nullptr;
    sum = sum * 10 + digit;
  }
  if (end - at < 2 || !is_line_end(at)) return nullptr;
  value = sum;
  return at + 2;
}

size_t distance(const char* from, const char* to) { return static_cast<size_t>(to - from); }

}  // namespace

Blob* RespReader::Command::blob_at(size_t index) const {
  for (const BlobArg& arg : blobs) {
    if (arg.index == index) return arg.blob;
  }
  return nullptr;
}

RespReader::~RespReader() {
  forget_command();
  heap_.release(own_);
  heap_.release(unread_);
  free_retired();
}

void RespReader::feed(ByteView bytes) {
  if (state_ == State::kBroken) return;
  if (!in_.empty()) {
    // A second feed in a turn whose first was not read to its end.
    if (state_ == State::kBlob) fill_blob(in_);
    take_in(in_.size());
  }
  in_ = bytes;
}

RespReader::Read RespReader::next(const Limits& limits, ArgvArena& arena, Command& command) {
  if (unread_ != nullptr) [[unlikely]] {
    // These have passed the limits once; they are not judged again.
    const ByteView rest = {unread_->bytes() + unread_begin_, unread_end_ - unread_begin_};
    const size_t used =
        parse_whole(rest, {.bulk_bytes_max = ~size_t{0}, .authenticated = true}, arena, command);
    CHECK(used > 0);
    unread_begin_ += used;
    if (unread_begin_ == unread_end_) {
      retire(unread_);
      unread_ = nullptr;
      unread_begin_ = unread_end_ = 0;
    }
    return Read::kCommand;
  }
  // A command without arguments is a blank line or an empty array: skipped.
  for (;;) {
    if (state_ == State::kStart) {
      if (own_ == nullptr) [[likely]] {
        if (in_.empty()) return Read::kMore;
        if (const size_t used = parse_whole(in_, limits, arena, command); used > 0) {
          in_.remove_prefix(used);
          if (command.argv.empty()) continue;
          return Read::kCommand;
        }
      } else if (const size_t used = parse_whole(own(), limits, arena, command); used > 0) {
        consume_own(used);
        if (command.argv.empty()) continue;
        return Read::kCommand;
      }
    }
    const Read read = resume(limits, arena, command);
    if (read != Read::kCommand || !command.argv.empty()) return read;
  }
}

// The fast path: one command that stands whole and well-formed at the front of `in`, within the
// limits. Returns its bytes, or 0 when it is torn, unusual or wrong: that is for resume() to find
// out.
size_t RespReader::parse_whole(ByteView in, const Limits& limits, ArgvArena& arena,
                               Command& command) {
  const char* const start = in.data();
  const char* const end = start + in.size();
  if (*start != '*') return parse_inline(in, arena, command);
  size_t count = 0;
  const char* at = whole_length(start + 1, end, count);
  if (at == nullptr || count == 0) return 0;
  if (count > (limits.authenticated ? kCommandArgsMax : kUnauthenticatedArgsMax)) return 0;
  if (count * kArgBytesMin > distance(at, end)) return 0;
  const size_t bulk_bytes_max = limits.authenticated
                                    ? limits.bulk_bytes_max
                                    : std::min(limits.bulk_bytes_max, kUnauthenticatedBulkBytesMax);
  ByteView* const argv = arena.room(count);
  for (size_t i = 0; i < count; ++i) {
    if (at == end || *at != '$') return 0;
    size_t size = 0;
    at = whole_length(at + 1, end, size);
    if (at == nullptr || size > bulk_bytes_max || distance(at, end) < size + 2) return 0;
    argv[i] = {at, size};
    at += size;
    if (!is_line_end(at)) return 0;
    at += 2;
  }
  arena.keep(count);
  const size_t bytes = distance(start, at);
  command = {.argv = {argv, count}, .raw = {start, bytes}, .blobs = {}};
  return bytes;
}

// An inline command whose line is whole; no arguments for a blank one. 0 when it is torn or its
// quotes are unbalanced.
size_t RespReader::parse_inline(ByteView in, ArgvArena& arena, Command& command) {
  const size_t line_bytes = in.substr(0, kInlineBytesMax + 1).find('\n');
  if (line_bytes == ByteView::npos) return 0;
  ByteView rest = in.substr(0, line_bytes);
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  // Words with quotes are copied to a buffer; all of them together are shorter than the line.
  const bool quoted = rest.find('"') != ByteView::npos || rest.find('\'') != ByteView::npos;
  char* buffer = quoted ? static_cast<char*>(arena.take(rest.size())) : nullptr;
  const size_t words_max =
      rest.size() / 2 + 2;  // a word takes a byte and a blank; one more look finds the end
  ByteView* const argv = arena.room(words_max);
  size_t count = 0;
  for (;;) {
    CHECK(count < words_max);
    size_t used = 0;
    const WordResult result = next_quoted_word(rest, buffer, argv[count], used);
    if (result == WordResult::kUnbalanced) return 0;
    if (result == WordResult::kEnd) break;
    if (used > 0) buffer += used;
    ++count;
  }
  arena.keep(count);
  command = {.argv = {argv, count}, .raw = {}, .blobs = {}};
  return line_bytes + 1;
}

// The careful path: one command from own_, with as many bytes of in_ as it needs. kCommand with no
// argument says that something empty was skipped.
RespReader::Read RespReader::resume(const Limits& limits, ArgvArena& arena, Command& command) {
  while (step(limits)) {
    if (state_ == State::kInline) {
      // The line is whole and stands in own_.
      scanned_ = parse_inline(own(), arena, command);
      if (scanned_ == 0) {
        fail("Protocol error: unbalanced quotes in request");
        break;
      }
      skip_command();
      return Read::kCommand;
    }
    if (state_ != State::kLength || args_left_ > 0) continue;
    command = {};
    if (place_count_ == 0) {
      skip_command();
    } else {
      finish(arena, command);
    }
    return Read::kCommand;
  }
  return state_ == State::kBroken ? Read::kError : Read::kMore;
}

// Reads the next element of the torn command. False when bytes are missing or the stream is broken.
bool RespReader::step(const Limits& limits) {
  switch (state_) {
    case State::kStart:
      if (!need(1)) return false;
      state_ = own().front() == '*' ? State::kCount : State::kInline;
      return step(limits);
    case State::kInline:
      return read_inline();
    case State::kCount:
      return read_count(limits);
    case State::kLength:
      return read_length(limits);
    case State::kBulk:
      return read_bulk();
    case State::kBlob:
      return read_blob();
    case State::kBlobEnd:
      return read_blob_end();
    case State::kBroken:
      return false;
  }
  OURO_UNREACHABLE();
}

bool RespReader::fail(ByteView text) {
  forget_command();
  in_ = {};
  if (own_ != nullptr) consume_own(own_end_ - own_begin_);
  state_ = State::kBroken;
  error_ = text;
  return false;
}

bool RespReader::read_inline() {
  switch (find_line('\n', line_bytes_)) {
    case Line::kFound:
      return true;
    case Line::kMore:
      return false;
    case Line::kTooLong:
      return fail("Protocol error: too big inline request");
  }
  OURO_UNREACHABLE();
}

bool RespReader::read_count(const Limits& limits) {
  size_t line_bytes = 0;
  const Line line = find_line('\r', line_bytes);
  if (line == Line::kTooLong) return fail("Protocol error: too big mbulk count string");
  if (line == Line::kMore || !need(line_bytes + 2)) return false;
  const ByteView text = own().substr(scanned_, line_bytes + 2);
  const std::optional<int64_t> count = parse_int64(text.substr(1, line_bytes - 1));
  if (!count || *count > static_cast<int64_t>(kCommandArgsMax))
    return fail("Protocol error: invalid multibulk length");
  if (*count > static_cast<int64_t>(kUnauthenticatedArgsMax) && !limits.authenticated) {
    return fail("Protocol error: unauthenticated multibulk length");
  }
  canonical_ = text.back() == '\n';
  scanned_ += line_bytes + 2;
  line_scanned_ = 0;
  args_left_ = static_cast<size_t>(std::max<int64_t>(*count, 0));
  state_ = State::kLength;
  return true;
}

bool RespReader::read_length(const Limits& limits) {
  size_t line_bytes = 0;
  const Line line = find_line('\r', line_bytes);
  if (line == Line::kTooLong) return fail("Protocol error: too big bulk count string");
  if (line == Line::kMore || !need(line_bytes + 2)) return false;
  const ByteView text = own().substr(scanned_, line_bytes + 2);
  if (text.front() != '$') {
    constexpr ByteView kText = "Protocol error: expected '$', got '?'";
    static_assert(kText.size() <= sizeof(error_text_));
    std::memcpy(error_text_, kText.data(), kText.size());
    const char got = text.front();
    error_text_[kText.size() - 2] = got == '\r' || got == '\n' ? ' ' : got;
    return fail({error_text_, kText.size()});
  }
  const std::optional<int64_t> size = parse_int64(text.substr(1, line_bytes - 1));
  if (!size || *size < 0 || static_cast<size_t>(*size) > limits.bulk_bytes_max) {
    return fail("Protocol error: invalid bulk length");
  }
  bulk_bytes_ = static_cast<size_t>(*size);
  if (bulk_bytes_ > kUnauthenticatedBulkBytesMax && !limits.authenticated) {
    return fail("Protocol error: unauthenticated bulk length");
  }
  canonical_ = canonical_ && text.back() == '\n';
  scanned_ += line_bytes + 2;
  line_scanned_ = 0;
  state_ = State::kBulk;
  if (bulk_bytes_ >= kLargeBulkBytes && own().size() - scanned_ < bulk_bytes_ + 2)
    start_blob(bulk_bytes_);
  return true;
}

bool RespReader::read_bulk() {
  if (!need(bulk_bytes_ + 2)) return false;
  canonical_ = canonical_ && own().substr(scanned_ + bulk_bytes_, 2) == "\r\n";
  add_place({.at = scanned_, .size = bulk_bytes_});
  scanned_ += bulk_bytes_ + 2;
  return true;
}

bool RespReader::read_blob() {
  fill_blob(in_);
  if (blobs_->arg.blob->size() < bulk_bytes_) return false;
  state_ = State::kBlobEnd;
  return true;
}

bool RespReader::read_blob_end() {
  if (!need(2)) return false;
  add_place({.at = 0, .size = bulk_bytes_});
  scanned_ += 2;
  return true;
}

// The line that starts at scanned_: line_bytes up to its last byte, which is moved to own_ with it.
RespReader::Line RespReader::find_line(char last, size_t& line_bytes) {
  for (;;) {
    const ByteView have =
        own().substr(scanned_ + line_scanned_, kInlineBytesMax + 1 - line_scanned_);
    const size_t found = have.find(last);
    if (found != ByteView::npos) {
      line_scanned_ += found;
      line_bytes = line_scanned_;
      return Line::kFound;
    }
    line_scanned_ += have.size();
    if (line_scanned_ > kInlineBytesMax) return Line::kTooLong;
    if (in_.empty()) return Line::kMore;
    const ByteView window = in_.substr(0, kInlineBytesMax + 1 - line_scanned_);
    const size_t ahead = window.find(last);
    take_in(ahead == ByteView::npos ? window.size() : ahead + 1);
  }
}

// Makes own_ hold `bytes` behind scanned_; false when they have not all come.
bool RespReader::need(size_t bytes) {
  const size_t have = own().size() - scanned_;
  if (have >= bytes) return true;
  take_in(std::min(bytes - have, in_.size()));
  return own().size() - scanned_ >= bytes;
}

void RespReader::start_blob(size_t bytes) {
  const size_t arrived = own().size() - scanned_ + in_.size();
  const size_t capacity = std::min(bytes, std::max(kBlobBytesFirst, arrived * kBlobTrust));
  auto* pending = static_cast<PendingBlob*>(heap_.allocate(sizeof(PendingBlob)));
  *pending = {.before = blobs_,
              .arg = {.index = place_count_, .blob = Blob::create(heap_, capacity)}};
  blobs_ = pending;
  ++blob_count_;
  state_ = State::kBlob;
  ByteView have = own().substr(scanned_);
  const size_t before = have.size();
  fill_blob(have);
  // What is left is the first of the two bytes behind the bulk.
  const size_t taken = before - have.size();
  if (!have.empty()) std::memmove(own_->bytes() + own_begin_ + scanned_, have.data(), have.size());
  own_end_ -= taken;
}

void RespReader::grow_blob() {
  Blob*& blob = blobs_->arg.blob;
  if (blob->size() < blob->capacity() || blob->size() == bulk_bytes_) return;
  blob = Blob::grow(heap_, blob, std::min(bulk_bytes_, blob->size() * kBlobTrust));
}

// Moves from the front of `bytes` what the blob still lacks.
void RespReader::fill_blob(ByteView& bytes) {
  for (;;) {
    grow_blob();
    Blob* blob = blobs_->arg.blob;
    const size_t part =
        std::min({bytes.size(), blob->capacity() - blob->size(), bulk_bytes_ - blob->size()});
    if (part == 0) return;
    std::memcpy(blob->bytes() + blob->size(), bytes.data(), part);
    blob->set_size(blob->size() + part);
    bytes.remove_prefix(part);
  }
}

std::span<char> RespReader::want() {
  if (state_ != State::kBlob || !in_.empty()) return {};
  grow_blob();
  Blob* blob = blobs_->arg.blob;
  if (bulk_bytes_ - blob->size() < kWantBytesMin) return {};
  return {blob->bytes() + blob->size(), std::min(blob->capacity(), bulk_bytes_) - blob->size()};
}

void RespReader::on_filled(size_t bytes) {
  CHECK(state_ == State::kBlob);
  Blob* blob = blobs_->arg.blob;
  CHECK(bytes <= bulk_bytes_ - blob->size());
  blob->set_size(blob->size() + bytes);
}

void RespReader::add_place(Place place) {
  if (place_count_ == place_capacity_) {
    place_capacity_ = std::max<size_t>(8, place_capacity_ * 2);
    places_ = static_cast<Place*>(heap_.reallocate(places_, place_capacity_ * sizeof(Place)));
  }
  places_[place_count_++] = place;
  argument_bytes_ += place.size;
  --args_left_;
  state_ = State::kLength;
}

// Hands the torn command out, whole now.
void RespReader::finish(ArgvArena& arena, Command& command) {
  ByteView* argv = arena.room(place_count_);
  arena.keep(place_count_);
  const char* start = own_->bytes() + own_begin_;
  for (size_t i = 0; i < place_count_; ++i) argv[i] = {start + places_[i].at, places_[i].size};
  auto* args = static_cast<BlobArg*>(arena.take(blob_count_ * sizeof(BlobArg)));
  for (size_t i = blob_count_; i > 0; --i) {
    PendingBlob* pending = blobs_;
    blobs_ = pending->before;
    args[i - 1] = pending->arg;
    argv[pending->arg.index] = pending->arg.blob->view();
    arena.own(pending->arg.blob);
    heap_.release(pending);
  }
  command = {.argv = {argv, place_count_}, .raw = {}, .blobs = {args, blob_count_}};
  if (canonical_ && blob_count_ == 0) command.raw = {start, scanned_};
  blob_count_ = 0;
  skip_command();
}

void RespReader::skip_command() {
  consume_own(scanned_);
  forget_command();
}

void RespReader::forget_command() {
  while (blobs_ != nullptr) {
    PendingBlob* pending = blobs_;
    blobs_ = pending->before;
    Blob::unpin(heap_, pending->arg.blob);
    heap_.release(pending);
  }
  heap_.release(places_);
  places_ = nullptr;
  state_ = State::kStart;
  canonical_ = true;
  scanned_ = line_scanned_ = line_bytes_ = 0;
  args_left_ = bulk_bytes_ = 0;
  place_count_ = place_capacity_ = blob_count_ = 0;
  argument_bytes_ = 0;
}

void RespReader::unread(std::span<const Command> commands) {
  if (commands.empty()) return;
  const size_t rest_bytes = unread_end_ - unread_begin_;
  size_t bytes_max = rest_bytes;
  for (const Command& command : commands) {
    bytes_max += kInt64TextMax + 3;
    for (const ByteView arg : command.argv) bytes_max += arg.size() + kInt64TextMax + 5;
  }
  Block* block = make_block(bytes_max);
  char* at = block->bytes();
  auto write_length = [&at](char type, size_t value) {
    *at++ = type;
    at += format_uint64(value, at);
    *at++ = '\r';
    *at++ = '\n';
  };
  for (const Command& command : commands) {
    write_length('*', command.argv.size());
    for (const ByteView arg : command.argv) {
      write_length('$', arg.size());
      at = std::copy(arg.begin(), arg.end(), at);
      *at++ = '\r';
      *at++ = '\n';
    }
  }
  if (unread_ != nullptr) {
    at = std::copy_n(unread_->bytes() + unread_begin_, rest_bytes, at);
    retire(unread_);
  }
  unread_ = block;
  unread_begin_ = 0;
  unread_end_ = distance(block->bytes(), at);
}

void RespReader::end_turn() {
  feed({});
  free_retired();
}

ByteView RespReader::own() const {
  if (own_ == nullptr) return {};
  return {own_->bytes() + own_begin_, own_end_ - own_begin_};
}

// Moves `bytes` from the front of in_ to the end of own_.
void RespReader::take_in(size_t bytes) {
  if (bytes == 0) return;
  reserve_own(bytes);
  std::memcpy(own_->bytes() + own_end_, in_.data(), bytes);
  own_end_ += bytes;
  in_.remove_prefix(bytes);
}

void RespReader::reserve_own(size_t bytes) {
  if (own_ != nullptr && own_->capacity - own_end_ >= bytes) return;
  const size_t have = own().size();
  const size_t capacity = std::max({kBlockBytesFirst - sizeof(Block), have + bytes, 2 * have});
  if (own_ != nullptr && own_begin_ == 0) {
    // No command was given out from this block, so it may move.
    own_ = static_cast<Block*>(heap_.reallocate(own_, sizeof(Block) + capacity));
    own_->capacity = capacity;
    return;
  }
  Block* block = make_block(capacity);
  if (own_ != nullptr) {
    std::memcpy(block->bytes(), own().data(), have);
    retire(own_);
  }
  own_ = block;
  own_begin_ = 0;
  own_end_ = have;
}

void RespReader::consume_own(size_t bytes) {
  own_begin_ += bytes;
  CHECK(own_begin_ <= own_end_);
  if (own_begin_ < own_end_) return;
  retire(own_);
  own_ = nullptr;
  own_begin_ = own_end_ = 0;
}

RespReader::Block* RespReader::make_block(size_t capacity) {
  auto* block = static_cast<Block*>(heap_.allocate(sizeof(Block) + capacity));
  *block = {.next = nullptr, .capacity = capacity};
  return block;
}

void RespReader::retire(Block* block) {
  block->next = retired_;
  retired_ = block;
}

void RespReader::free_retired() {
  while (retired_ != nullptr) {
    Block* block = retired_;
    retired_ = block->next;
    heap_.release(block);
  }
}

size_t RespReader::pending_bytes() const {
  size_t bytes = in_.size() + own().size() + (unread_end_ - unread_begin_);
  for (const PendingBlob* pending = blobs_; pending != nullptr; pending = pending->before) {
    bytes += pending->arg.blob->size();
  }
  return bytes;
}

size_t RespReader::unparsed_bytes() const {
  const bool in_blob = state_ == State::kBlob || state_ == State::kBlobEnd;
  return in_.size() + (unread_end_ - unread_begin_) + own().size() - scanned_ +
         (in_blob ? blobs_->arg.blob->size() : 0);
}

size_t RespReader::memory_bytes() const {
  size_t bytes = 0;
  for (const void* block : {static_cast<const void*>(own_), static_cast<const void*>(unread_),
                            static_cast<const void*>(places_)}) {
    if (block != nullptr) bytes += Heap::usable_bytes(block);
  }
  for (const Block* block = retired_; block != nullptr; block = block->next)
    bytes += Heap::usable_bytes(block);
  for (const PendingBlob* pending = blobs_; pending != nullptr; pending = pending->before) {
    bytes += Heap::usable_bytes(pending) + pending->arg.blob->memory_bytes();
  }
  return bytes;
}

void RespReader::check_invariants() const {
  CHECK(own_begin_ <= own_end_);
  if (own_ != nullptr) CHECK(own_begin_ < own_end_ && own_end_ <= own_->capacity);
  CHECK(scanned_ <= own().size());
  if (unread_ != nullptr) CHECK(unread_begin_ < unread_end_ && unread_end_ <= unread_->capacity);
  if (state_ == State::kStart)
    CHECK(place_count_ == 0 && blobs_ == nullptr && scanned_ == 0 && line_scanned_ == 0);
  if (state_ == State::kBlob) CHECK(blobs_ != nullptr && blobs_->arg.blob->size() <= bulk_bytes_);
  if (state_ == State::kBroken) CHECK(!error_.empty());
}

}  // namespace ouro
