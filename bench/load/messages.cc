// SPDX-License-Identifier: BSD-3-Clause
#include "load/messages.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "datastructs/base/check.h"
#include "datastructs/base/prng.h"

namespace ouro {
namespace {

constexpr ByteView kKey = "key:000000000000";
constexpr uint64_t kWindows = 1024;  // how many different values there are

}  // namespace

MessageHead::MessageHead(ByteView text) : size_(text.size()) {
  CHECK(text.size() <= kBytesMax);
  std::memcpy(text_, text.data(), text.size());
  const size_t key_at = text.find(kKey);
  if (key_at != ByteView::npos) last_digit_ = key_at + kKey.size() - 1;
}

void MessageHead::set_key(uint64_t key) {
  if (last_digit_ == kNoKey) return;
  DCHECK(key < kKeysMax);
  char* digit = text_ + last_digit_;
  for (; key != 0; key /= 10) *digit-- = static_cast<char>('0' + key % 10);
  // The key before may have had more digits.
  while (*digit != ':') *digit-- = '0';
}

Language language_of(Protocol protocol, size_t value_bytes) {
  const std::string key(kKey), size = std::to_string(value_bytes);
  if (protocol == Protocol::kMemcached) {
    return {.get = {MessageHead("get " + key + "\r\n"), false, {}},
            .set = {MessageHead("set " + key + " 0 0 " + size + "\r\n"), true, "\r\n"},
            .get_reply = {MessageHead("VALUE " + key + " 0 " + size + "\r\n"), true, "\r\nEND\r\n"},
            .set_reply = {MessageHead("STORED\r\n"), false, {}}};
  }
  const std::string bulk_key = "$16\r\n" + key + "\r\n", bulk_size = "$" + size + "\r\n";
  return {.get = {MessageHead("*2\r\n$3\r\nGET\r\n" + bulk_key), false, {}},
          .set = {MessageHead("*3\r\n$3\r\nSET\r\n" + bulk_key + bulk_size), true, "\r\n"},
          .get_reply = {MessageHead(bulk_size), true, "\r\n"},
          .set_reply = {MessageHead("+OK\r\n"), false, {}}};
}

Values::Values(Heap& heap, size_t value_bytes)
    : heap_(heap), value_bytes_(value_bytes), letters_(Blob::create(heap, value_bytes + kWindows)) {
  Prng prng(value_bytes);
  letters_->set_size(value_bytes + kWindows);
  char* const end = letters_->bytes() + letters_->size();
  std::generate(letters_->bytes(), end, [&] { return static_cast<char>('a' + prng.below(26)); });
}

Values::~Values() { Blob::unpin(heap_, letters_); }

ByteView Values::of(uint64_t key) const {
  return letters_->view().substr(key % kWindows, value_bytes_);
}

void Values::append_to(OutBuffer& out, uint64_t key) const {
  if (value_bytes_ >= kBlobBytesMin) {
    out.append_blob(letters_, of(key));
  } else {
    out.append(of(key));
  }
}

void append_request(OutBuffer& out, Message& request, uint64_t key, const Values& values) {
  request.head.set_key(key);
  out.append(request.head.view());
  if (request.has_value) values.append_to(out, key);
  out.append(request.tail);
}

void ReplyChecker::expect(Message& expected, uint64_t key, const Values& values) {
  expected_ = &expected;
  key_ = key;
  value_ = expected.has_value ? values.of(key) : ByteView{};
  part_ = Part::kHead;
  at_ = 0;
  wrong_ = false;
}

size_t ReplyChecker::feed(ByteView bytes) {
  // Peers share the message, and another one may have set its key meanwhile.
  if (part_ == Part::kHead) expected_->head.set_key(key_);
  size_t taken = 0;
  while (!is_complete() && taken < bytes.size()) {
    const ByteView rest = bytes.substr(taken);
    if (part_ == Part::kRestOfWrongLine) {
      const size_t end = rest.find('\n');
      if (end == ByteView::npos) return bytes.size();
      part_ = Part::kComplete;
      return taken + end + 1;
    }
    const ByteView expected = expected_part().substr(at_);
    const size_t count = std::min(rest.size(), expected.size());
    if (rest.substr(0, count) != expected.substr(0, count)) {
      wrong_ = true;
      if (part_ == Part::kHead) {
        part_ = Part::kRestOfWrongLine;
        continue;
      }
    }
    taken += count;
    at_ += count;
    skip_empty_parts();
  }
  return taken;
}

ByteView ReplyChecker::expected_part() const {
  switch (part_) {
    case Part::kHead:
      return expected_->head.view();
    case Part::kValue:
      return value_;
    case Part::kTail:
      return expected_->tail;
    case Part::kRestOfWrongLine:
    case Part::kComplete:
      break;
  }
  return {};
}

void ReplyChecker::skip_empty_parts() {
  while (!is_complete() && at_ == expected_part().size()) {
    at_ = 0;
    part_ = part_ == Part::kHead    ? Part::kValue
            : part_ == Part::kValue ? Part::kTail
                                    : Part::kComplete;
  }
}

}  // namespace ouro
