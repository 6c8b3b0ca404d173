// SPDX-License-Identifier: BSD-3-Clause
// What the load generator says and what it must hear, for both protocols. A message is a head that
// may name the key, the value for some, and a tail:
//
//      head (key patched in)            value            tail
//      $3\r\nSET...key:000000000042...  (value_bytes)    \r\n
//
// The answer to each request is known to the byte before it arrives, so a reply is compared as it
// streams in and never parsed or stored: a check costs what memcmp costs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "datastructs/base/blob.h"
#include "datastructs/base/out_buffer.h"
#include "datastructs/base/units.h"

namespace ouro {

enum class Protocol : uint8_t { kResp, kMemcached };

// Keys are "key:" and twelve digits.
inline constexpr uint64_t kKeysMax = 1'000'000'000'000;

// A head's text with the key in it. The template's digits are zeros; set_key writes over them.
class MessageHead {
 public:
  explicit MessageHead(ByteView text);
  void set_key(uint64_t key);
  ByteView view() const { return {text_, size_}; }

 private:
  static constexpr size_t kBytesMax = 96;
  static constexpr size_t kNoKey = ~size_t{0};
  char text_[kBytesMax];
  size_t size_;
  size_t last_digit_ = kNoKey;
};

struct Message {
  MessageHead head;
  bool has_value;
  ByteView tail;  // a literal
};

struct Language {
  Message get, set, get_reply, set_reply;
};
Language language_of(Protocol protocol, size_t value_bytes);

// The value of a key: a window into one run of letters, so that neighbours differ, nothing is
// stored a key, and every run of the program agrees.
class Values {
 public:
  Values(Heap& heap, size_t value_bytes);
  ~Values();
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  ByteView of(uint64_t key) const;
  // Large values are pointed at, small ones copied.
  void append_to(OutBuffer& out, uint64_t key) const;

 private:
  Heap& heap_;
  size_t value_bytes_;
  Blob* letters_;
};

void append_request(OutBuffer& out, Message& request, uint64_t key, const Values& values);

// Compares one reply with what was expected, in pieces of any size.
// A wrong first line (an error, a miss) counts as the whole reply; so one wrong answer does not
// make the next ones wrong, unless it brings a value of another size.
class ReplyChecker {
 public:
  // `expected` stays until the reply is complete.
  void expect(Message& expected, uint64_t key, const Values& values);
  // Returns how many bytes belong to this reply; all of them unless it is complete now.
  size_t feed(ByteView bytes);
  bool is_complete() const { return part_ == Part::kComplete; }
  bool is_wrong() const { return wrong_; }

 private:
  enum class Part : uint8_t { kHead, kValue, kTail, kRestOfWrongLine, kComplete };
  ByteView expected_part() const;
  void skip_empty_parts();

  Message* expected_ = nullptr;
  uint64_t key_ = 0;
  ByteView value_;
  Part part_ = Part::kComplete;
  size_t at_ = 0;  // bytes of the part seen so far
  bool wrong_ = false;
};

}  // namespace ouro
