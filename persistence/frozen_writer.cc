// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/frozen_writer.h"

#include <algorithm>
#include <utility>

#include "persistence/write_budget.h"

namespace ouro {

FrozenWriter::FrozenWriter(Databases& databases)
    : heap_(databases[0].heap()), lazy_free_(databases.lazy_free()), view_(databases, *this) {
  for (const FrozenView::Frozen& frozen : view_.frozen()) keys_total_ += frozen.keys;
}

std::string& FrozenWriter::tail() {
  if (waiting_.empty() || waiting_.back().rest.part != nullptr) waiting_.emplace_back();
  return waiting_.back().bytes;
}

void FrozenWriter::follow(std::unique_ptr<SnapshotPart> part) {
  (void)tail();
  waiting_.back().rest = {.part = std::move(part)};
}

bool FrozenWriter::changes_to(DbIndex db) {
  if (is_selected_ && db == db_) return false;
  db_ = db;
  is_selected_ = true;
  return true;
}

void FrozenWriter::save(DbIndex db, Entry& entry, Standing standing) {
  std::string& bytes = tail();
  if (standing == Standing::kAbsent) {
    encode_absent(db, AbsentKey::of(entry), bytes);
  } else {
    waiting_.back().rest = encode(db, entry, standing, bytes);
  }
  if (waiting_.back().rest.part == nullptr) spent_ += write_units(entry.memory_bytes());
  if (standing == Standing::kPresent) ++keys_saved_;
}

bool FrozenWriter::next_chunk(size_t bytes_max, size_t& budget, std::string& out) {
  for (const size_t end = out.size() + bytes_max; !is_done_ && budget > 0 && out.size() < end;) {
    const size_t before = out.size();
    step(end - before, budget, out);
    bytes_written_ += out.size() - before;
  }
  return is_done_;
}

void FrozenWriter::step(size_t bytes_max, size_t& budget, std::string& out) {
  if (waiting_.empty()) {
    if (!view_.is_complete()) return walk(budget);
    write_end(out);
    is_done_ = true;
    return;
  }
  Waiting& front = waiting_.front();
  if (front.taken < front.bytes.size()) return hand_out(front, bytes_max, out);
  if (front.rest.part != nullptr) return go_on(front, budget);
  waiting_.pop_front();
}

// Bucket by bucket, so that a few keys with much in them end it.
void FrozenWriter::walk(size_t& budget) {
  spent_ = 0;
  for (const size_t most = std::min(budget, kUnitsAtOnce); spent_ < most; ++spent_) {
    size_t one_bucket = 1;
    if (view_.next(one_bucket)) break;
  }
  spend(budget, spent_ + 1);
}

void FrozenWriter::go_on(Waiting& front, size_t& budget) {
  front.bytes.clear();
  front.taken = 0;
  if (!front.rest.part->next(budget)) return;
  front.rest.part = nullptr;
  front.bytes += front.rest.end;
}

void FrozenWriter::hand_out(Waiting& front, size_t bytes_max, std::string& out) {
  const ByteView piece = ByteView(front.bytes).substr(front.taken, bytes_max);
  out += piece;
  front.taken += piece.size();
  on_bytes(piece);
}

size_t FrozenWriter::waiting_bytes() const {
  size_t bytes = 0;
  for (const Waiting& waiting : waiting_) bytes += waiting.bytes.size() - waiting.taken;
  return bytes;
}

}  // namespace ouro
