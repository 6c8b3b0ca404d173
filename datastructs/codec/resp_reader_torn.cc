// SPDX-License-Identifier: BSD-3-Clause
// The careful path of RespReader: a command that is torn, unusual or wrong, element by element.
#include <algorithm>
#include <cstring>
#include <optional>

#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"
#include "datastructs/codec/resp_reader.h"

namespace ouro {
namespace {

// A peer that announces much and sends little must not make us commit much: a blob gets this at
// first, and then kBlobTrust times what has really arrived.
constexpr size_t kBlobBytesFirst = 256_KiB;
constexpr size_t kBlobTrust = 16;
// A shorter rest of a bulk comes with the ordinary receive: one copy costs less than a change of
// the receive.
constexpr size_t kWantBytesMin = 16_KiB;

// Room for a bulk of `bytes` of which so many have arrived: all of it at once where it would grow
// by less than double, which is not worth the copy.
size_t blob_capacity(size_t bytes, size_t arrived) {
  const size_t trusted = std::max(kBlobBytesFirst, arrived * kBlobTrust);
  return trusted >= bytes / 2 ? bytes : trusted;
}

}  // namespace

// One command from own_, with as many bytes of in_ as it needs. kCommand with no
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
  const size_t capacity = blob_capacity(bytes, arrived);
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
  blob = Blob::grow(heap_, blob, blob_capacity(bulk_bytes_, blob->size()));
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

}  // namespace ouro
