// SPDX-License-Identifier: BSD-3-Clause
// The filter of a rule's keys (key_filter.h) in pieces, as a file or a stream holds it. They come
// one after another, those of one filter together:
//
//      position 0       KeyFilter::header()
//               n > 0   what KeyFilter::read() gives from n - 1 on, until all is given
//
// One that knows no key is its header alone. The tags in all pieces are counted and compared with
// the header's keys: a piece that is missing, or is another filter's, is found. A flipped bit that
// makes another tag of one is the file's checksum to find.
// Cost: linear in a piece's bytes.
#pragma once

#include <memory>
#include <string>

#include "datastructs/base/function_ref.h"
#include "datastructs/key_filter.h"

namespace ouro {

struct FilterPiece {
  ByteView prefix;  // of the rule
  uint64_t position = 0;
  ByteView bytes = {};
};

// Gives the pieces of a filter as it is now, while the filter goes on.
class FilterPieces {
 public:
  static constexpr size_t kPieceBytes = 64_KiB;

  FilterPieces(ByteView prefix, const KeyFilter& filter)
      : prefix_(prefix), filter_(filter.share()) {}

  // Hands out the next piece, which dies with the call; true when it was the last.
  bool next(FunctionRef<void(const FilterPiece&)> take);

 private:
  std::string prefix_;
  std::unique_ptr<KeyFilter> filter_;
  uint64_t position_ = 0;
};

// Makes a filter of its pieces.
class FilterIntake {
 public:
  explicit FilterIntake(Heap& heap) noexcept : heap_(heap) {}

  // The next piece; the first one of another filter begins anew.
  // Errors, after which nothing is under way: Err::kOutOfRange - another one comes next;
  // Err::kCorrupt - it is none, or the filter is not what its header says.
  Status take(const FilterPiece& piece);
  // Some have come, and not all.
  bool is_under_way() const { return filter_ != nullptr && !is_whole(); }
  bool is_whole() const { return filter_ != nullptr && position_ > end_; }
  const std::string& prefix() const { return prefix_; }
  // Requires is_whole().
  std::unique_ptr<KeyFilter> finish() { return std::move(filter_); }

 private:
  Status begin(const FilterPiece& piece);
  Status go_on(const FilterPiece& piece);

  Heap& heap_;
  std::string prefix_;
  std::unique_ptr<KeyFilter> filter_;
  uint64_t position_ = 0;  // of what comes next
  uint64_t end_ = 0;       // the last position
  uint64_t tags_ = 0;
};

}  // namespace ouro
