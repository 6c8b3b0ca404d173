// SPDX-License-Identifier: BSD-3-Clause
// ArgParser: reads a command's arguments from left to right and keeps the first error, so that a
// handler parses all its options first and asks once.
//
//   ArgParser args(ctx.argv, 3);
//   while (args.more()) {
//     if (args.word("NX")) nx = true;
//     else if (args.word("EX")) seconds = args.integer();
//     else args.unexpected();
//   }
//   OURO_TRY(args.finish());
#pragma once

#include <cstdint>

#include "datastructs/base/ascii.h"
#include "server/engine/command.h"

namespace ouro {

// The size of an argument for %.*s. More than an int holds would print it without an end; so large
// a text is cut.
inline int printed_size(ByteView text) {
  constexpr size_t kPrintedMax = 1_GiB;
  return static_cast<int>(text.size() < kPrintedMax ? text.size() : kPrintedMax);
}

// Strict forms of Redis: no spaces, no leading '+' or zeros. Errors: kNotAnInteger, kNotAFloat.
Result<int64_t> parse_integer(ByteView text);
Result<double> parse_real(ByteView text);  // inf allowed, nan refused

class ArgParser {
 public:
  ArgParser(Argv argv, size_t at) : argv_(argv), at_(at) {}

  bool more() const { return err_ == Err::kNone && at_ < argv_.size(); }
  size_t left() const { return at_ < argv_.size() ? argv_.size() - at_ : 0; }
  size_t position() const { return at_; }
  ByteView peek() const { return at_ < argv_.size() ? argv_[at_] : ByteView(); }

  // Takes the next argument if it is this word in any case.
  bool word(ByteView name) {
    if (!more() || !equals_ignoring_case(argv_[at_], name)) return false;
    ++at_;
    return true;
  }
  // The next argument; a missing one is a syntax error.
  ByteView next() {
    if (at_ < argv_.size()) return argv_[at_++];
    fail(Err::kSyntax);
    return {};
  }
  // Goes behind words that were read otherwise; there are so many.
  void skip(size_t words) { at_ += words; }
  int64_t integer();
  double real();

  void unexpected() { fail(Err::kSyntax); }
  void fail(Err err) {
    if (err_ == Err::kNone) err_ = err;
  }
  // The first error, or that arguments are left over.
  Status finish() {
    if (err_ == Err::kNone && at_ < argv_.size()) err_ = Err::kSyntax;
    return err_;
  }
  Status status() const { return err_; }

 private:
  Argv argv_;
  size_t at_;
  Err err_ = Err::kNone;
};

}  // namespace ouro
