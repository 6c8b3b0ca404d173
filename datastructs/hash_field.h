// SPDX-License-Identifier: BSD-3-Clause
// One field of a large hash: field, value and, only if it ever had one, its deadline, in one
// allocation.
//
//      | len | field ... | len | value ... |  room                          no deadline
//      | F0 | deadline (8 bytes) | len | field ... | len | value ... |  room
//
// A deadline that was cleared is kNoExpiry. len is a length code, none of which starts with F0. A
// field of 12 and a value of 16 bytes make 30, which the allocator rounds to 32. The value stands
// last, so that one of another size is written in place while the block has room.
#pragma once

#include <cstring>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/dict.h"
#include "datastructs/length_code.h"

namespace ouro {

class HashField {
 public:
  struct Content {
    ByteView field;
    ByteView value;
    UnixMs deadline = kNoExpiry;
  };

  // Freed by heap.release(). There is a place for a deadline only if one is given.
  static HashField* create(Heap& heap, const Content& content) noexcept {
    const bool timed = content.deadline != kNoExpiry;
    auto* made = static_cast<char*>(heap.allocate(
        (timed ? kTimedBytes : 0) + string_bytes(content.field) + string_bytes(content.value)));
    char* to = made;
    if (timed) {
      *to = static_cast<char>(kTimed);
      std::memcpy(to + 1, &content.deadline, sizeof content.deadline);
      to += kTimedBytes;
    }
    to = write_string(to, content.field);
    (void)write_string(to, content.value);
    return reinterpret_cast<HashField*>(made);
  }

  ByteView field() const noexcept {
    return read_string(begin() + (has_place_for_deadline() ? kTimedBytes : 0));
  }
  ByteView value() const noexcept { return read_string(value_begin()); }
  Content content() const noexcept {
    const ByteView name = field();
    return {name, read_string(name.data() + name.size()), deadline()};
  }

  UnixMs deadline() const noexcept {
    if (!has_place_for_deadline()) return kNoExpiry;
    UnixMs when;
    std::memcpy(&when, begin() + 1, sizeof when);
    return when;
  }
  bool has_place_for_deadline() const noexcept { return length_code::byte_at(begin()) == kTimed; }
  // Requires has_place_for_deadline().
  void set_deadline(UnixMs when) noexcept {
    DCHECK(has_place_for_deadline());
    std::memcpy(begin() + 1, &when, sizeof when);
  }
  // False, and nothing changed, if the block is too small for the value or much too large.
  bool try_set_value(ByteView value) noexcept {
    char* at = const_cast<char*>(value_begin());
    const size_t bytes = static_cast<size_t>(at - begin()) + string_bytes(value);
    const size_t usable = memory_bytes();
    if (bytes > usable || bytes + kWasteBytesMax < usable / 2) return false;
    (void)write_string(at, value);
    return true;
  }

  size_t memory_bytes() const noexcept { return Heap::usable_bytes(this); }

 private:
  static constexpr uint8_t kTimed = 0xF0;
  static constexpr size_t kTimedBytes = 1 + sizeof(UnixMs);
  static constexpr size_t kWasteBytesMax = 32;

  HashField() = default;

  char* begin() noexcept { return reinterpret_cast<char*>(this); }
  const char* begin() const noexcept { return reinterpret_cast<const char*>(this); }
  const char* value_begin() const noexcept {
    const ByteView name = field();
    return name.data() + name.size();
  }
  static size_t string_bytes(ByteView text) noexcept {
    return length_code::bytes_for(text.size()) + text.size();
  }
  static char* write_string(char* to, ByteView text) noexcept {
    to = length_code::write(to, text.size());
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    return to + text.size();
  }
  static ByteView read_string(const char* from) noexcept {
    size_t length;
    const char* body = length_code::read(from, length);
    return {body, length};
  }
};

template <>
struct DictTraits<HashField> {
  static ByteView key(const HashField& entry) noexcept { return entry.field(); }
  static UnixMs deadline(const HashField& entry) noexcept { return entry.deadline(); }
};

}  // namespace ouro
