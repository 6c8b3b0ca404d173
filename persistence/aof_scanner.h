// SPDX-License-Identifier: BSD-3-Clause
// AofScanner: where the next item of an append-only file ends, a command or a line that begins with
// '#', and where a command's arguments lie in it.
//
//      *3 CRLF  $3 CRLF SET CRLF  $1 CRLF k CRLF  $5 CRLF value CRLF      CRLF is "\r\n"
//
// Numbers are as they are written: digits without leading zeros, at least one argument, lengths up
// to kAofArgumentBytesMax. Redis's reader is laxer (it skips what stands where CRLF should, and
// takes any text for a number); what it writes is what is accepted here.
// Resumable: an item that is not whole is looked at again with more bytes, and what was understood
// of it is not read twice. Cost: linear in headers; the bytes of arguments are not looked at.
// Memory grows with the arguments that are there, not with the number that is claimed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

inline constexpr uint64_t kAofArgumentBytesMax = UINT32_MAX;
inline constexpr uint64_t kAofArgumentsMax = INT32_MAX;

class AofScanner {
 public:
  enum class Item : uint8_t {
    kCommand,
    kLine,  // that begins with '#'
    kMore,  // the bytes end within the item
    kBad,   // see reason() and bad_at(); nothing is known of what follows
  };
  // An argument, by its place in the item.
  struct Place {
    size_t at = 0;
    size_t bytes = 0;
  };

  // The item at the front of `bytes`. After kMore: the same bytes and more behind them.
  Item next(ByteView bytes);

  // Of the last command or line.
  size_t item_bytes() const { return at_; }
  // Of the last command.
  std::span<const Place> arguments() const { return arguments_; }
  const char* reason() const { return reason_; }
  size_t bad_at() const { return at_; }

 private:
  enum class Number : uint8_t { kRead, kMore, kBad };

  Item begin(ByteView bytes);
  Item line(ByteView bytes);
  Item arguments_of(ByteView bytes);
  Number read_number(ByteView bytes, char type, uint64_t max, uint64_t& value);
  Item bad(const char* reason, size_t at);

  bool inside_ = false;  // of a command whose count of arguments is known
  size_t at_ = 0;        // up to here the item is understood
  uint64_t left_ = 0;    // arguments that have not been read
  std::vector<Place> arguments_;
  const char* reason_ = "";
};

}  // namespace ouro
