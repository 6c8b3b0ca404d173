// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/key_filter_pieces.h"

#include <utility>

namespace ouro {
namespace {

// One without keys is all zeros.
uint64_t last_position(const KeyFilter& filter) {
  return filter.size() == 0 ? 0 : filter.run_bytes();
}

}  // namespace

bool FilterPieces::next(FunctionRef<void(const FilterPiece&)> take) {
  if (position_ == 0) {
    take({prefix_, 0, filter_->header()});
    position_ = 1;
  } else {
    const std::string bytes = filter_->read(position_ - 1, kPieceBytes);
    take({prefix_, position_, bytes});
    position_ += bytes.size();
  }
  return position_ > last_position(*filter_);
}

Status FilterIntake::take(const FilterPiece& piece) {
  const Status taken = piece.position == 0 ? begin(piece) : go_on(piece);
  if (!taken.is_ok()) filter_ = nullptr;
  return taken;
}

Status FilterIntake::begin(const FilterPiece& piece) {
  OURO_TRY(filter_, KeyFilter::from_header(heap_, piece.bytes));
  prefix_ = piece.prefix;
  position_ = 1;
  end_ = last_position(*filter_);
  tags_ = 0;
  return Status::ok();
}

Status FilterIntake::go_on(const FilterPiece& piece) {
  if (!is_under_way() || piece.prefix != prefix_ || piece.position != position_)
    return Err::kOutOfRange;
  const auto tags = KeyFilter::count_tags(piece.bytes);
  if (!tags || piece.bytes.empty()) return Err::kCorrupt;
  OURO_TRY(filter_->write(position_ - 1, piece.bytes));
  position_ += piece.bytes.size();
  tags_ += *tags;
  if (is_whole() && tags_ != filter_->size()) return Err::kCorrupt;
  return Status::ok();
}

}  // namespace ouro
