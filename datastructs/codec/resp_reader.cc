// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/resp_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

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
// No more digits are read above this, so nothing overflows.
constexpr size_t kLengthMax = size_t{1} << 50;

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
  // A word takes a byte and a blank; one more look finds the end.
  const size_t words_max = rest.size() / 2 + 2;
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
