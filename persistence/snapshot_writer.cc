// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/snapshot_writer.h"

#include <algorithm>
#include <cstdio>

#include "datastructs/codec/checksum.h"
#include "persistence/value_codec.h"
#include "persistence/write_budget.h"

namespace ouro {
namespace {

// Fields with deadlines need a later version; that members of other collections have some is told
// by the same count, and such files are read by ouro alone.
unsigned version_of(Databases& databases) {
  for (DbIndex db = 0; db < databases.count(); ++db) {
    if (databases[db].timed_count() > 0) return kRdbVersionTimed;
  }
  return kRdbVersion;
}

}  // namespace

SnapshotWriter::SnapshotWriter(Databases& databases, const SnapshotFacts& facts,
                               const Options& options)
    : heap_(databases[0].heap()),
      lazy_free_(databases.lazy_free()),
      options_(options),
      view_(databases, *this),
      version_(version_of(databases)) {
  for (const FrozenView::Frozen& frozen : view_.frozen()) keys_total_ += frozen.keys;
  write_head(facts);
}

std::string& SnapshotWriter::tail() {
  if (waiting_.empty() || waiting_.back().part != nullptr) waiting_.emplace_back();
  return waiting_.back().bytes;
}

void SnapshotWriter::select(DbIndex db, RdbWriter& out) {
  if (is_selected_ && db == db_) return;
  out.opcode(RdbOpcode::kSelect);
  out.length(db);
  db_ = db;
  is_selected_ = true;
}

void SnapshotWriter::write_head(const SnapshotFacts& facts) {
  std::string& bytes = tail();
  char magic[16];
  std::snprintf(magic, sizeof magic, "REDIS%04u", version_);
  bytes += magic;
  RdbWriter out(bytes, options_.packing);
  for (const auto& [name, value] : facts.aux) {
    out.opcode(RdbOpcode::kAux);
    out.string(name);
    out.string(value);
  }
  for (const std::string& source : facts.functions) {
    out.opcode(RdbOpcode::kFunction);
    out.string(source);
  }
  // Sizes are hints for whoever reads: all of them stand in front, since keys come in any order.
  for (const FrozenView::Frozen& frozen : view_.frozen()) {
    select(frozen.db, out);
    out.opcode(RdbOpcode::kResize);
    out.length(frozen.keys);
    out.length(frozen.keys_with_deadline);
  }
}

void SnapshotWriter::write_hints(const Entry& entry, RdbWriter& out) const {
  if (options_.hints == nullptr) return;
  if (const auto idle = options_.hints->idle_seconds(entry)) {
    out.opcode(RdbOpcode::kIdle);
    out.length(*idle);
  }
  if (const auto uses = options_.hints->frequency(entry)) {
    out.opcode(RdbOpcode::kFrequency);
    out.byte(*uses);
  }
}

void SnapshotWriter::save(DbIndex db, Entry& entry) {
  RdbWriter out(tail(), options_.packing);
  select(db, out);
  if (entry.has_deadline()) {
    out.opcode(RdbOpcode::kExpiryMillis);
    out.fixed(entry.deadline());
  }
  write_hints(entry, out);
  if (auto part = begin_snapshot_part(heap_, lazy_free_, entry, out)) {
    waiting_.back().part = std::move(part);
  } else {
    const RdbType type = rdb_type_of(entry);
    out.type(type);
    out.string(entry.key());
    write_value(entry, type, out);
    spent_ += write_units(entry.memory_bytes());
  }
  needs_ = std::max(needs_, out.needs());
  CHECK(out.needs_version() <= version_);
  ++keys_saved_;
}

bool SnapshotWriter::next_chunk(size_t bytes_max, size_t& budget, std::string& out) {
  for (const size_t end = out.size() + bytes_max; !is_done_ && budget > 0 && out.size() < end;) {
    const size_t before = out.size();
    step(end - before, budget, out);
    bytes_written_ += out.size() - before;
  }
  return is_done_;
}

void SnapshotWriter::step(size_t bytes_max, size_t& budget, std::string& out) {
  if (waiting_.empty()) return view_.is_complete() ? write_end(out) : walk(budget);
  Waiting& front = waiting_.front();
  if (front.taken < front.bytes.size()) return hand_out(front, bytes_max, out);
  if (front.part != nullptr) return go_on(front, budget);
  waiting_.pop_front();
}

// Bucket by bucket, so that a few keys with much in them end it.
void SnapshotWriter::walk(size_t& budget) {
  spent_ = 0;
  for (const size_t most = std::min(budget, kUnitsAtOnce); spent_ < most; ++spent_) {
    size_t one_bucket = 1;
    if (view_.next(one_bucket)) break;
  }
  spend(budget, spent_ + 1);
}

void SnapshotWriter::go_on(Waiting& front, size_t& budget) {
  front.bytes.clear();
  front.taken = 0;
  if (front.part->next(budget)) front.part = nullptr;
}

void SnapshotWriter::hand_out(Waiting& front, size_t bytes_max, std::string& out) {
  const ByteView piece = ByteView(front.bytes).substr(front.taken, bytes_max);
  out += piece;
  front.taken += piece.size();
  if (options_.checksum) checksum_ = crc64(checksum_, piece);
}

void SnapshotWriter::write_end(std::string& out) {
  const auto end = static_cast<char>(RdbOpcode::kEnd);
  out += end;
  append_fixed(out, options_.checksum ? crc64(checksum_, {&end, 1}) : 0);
  is_done_ = true;
}

size_t SnapshotWriter::waiting_bytes() const {
  size_t bytes = 0;
  for (const Waiting& waiting : waiting_) bytes += waiting.bytes.size() - waiting.taken;
  return bytes;
}

}  // namespace ouro
