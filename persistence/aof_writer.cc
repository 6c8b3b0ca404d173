// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_writer.h"

#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"
#include "persistence/aof_line.h"

namespace ouro {

namespace {

// What a buffer may keep when it is empty: more was needed for a burst.
constexpr size_t kKeptBytesMax = 1_MiB;
constexpr ByteView kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr ByteView kExec = "*1\r\n$4\r\nEXEC\r\n";

}  // namespace

AofWriter::AofWriter(Heap& heap, Options options)
    : heap_(heap),
      options_(options),
      gathered_(HeapAllocator<char>(heap)),
      taken_(HeapAllocator<char>(heap)) {}

void AofWriter::begin_file() {
  CHECK(!has_gathered());
  taken_bytes_ = 0;
  file_has_checksums_ = false;
  db_is_known_ = false;
  timestamp_ = 0;
}

void AofWriter::append(std::span<const Effect> effects, GroupKind kind, UnixMs now) {
  if (effects.empty()) return;
  begin_bytes();
  if (options_.timestamps) append_timestamp(now);
  if (kind == GroupKind::kTransaction) {
    append_select(effects[0].db);
    gathered_ += kMulti;
  }
  for (const Effect& effect : effects) {
    append_select(effect.db);
    append_command(effect);
  }
  if (kind == GroupKind::kTransaction) gathered_ += kExec;
  if (gathered_.size() - checked_to_ >= kAofCheckedBytesMax) append_checksum();
}

// The header, if these are the first bytes of the file. Whether a file has checksums is settled
// then: a reader takes a header for the promise that they follow.
void AofWriter::begin_bytes() {
  if (file_bytes() > 0) return;
  file_has_checksums_ = options_.checksums;
  if (file_has_checksums_) gathered_ += kAofHeaderLine;
}

AofWriter::Write AofWriter::take() {
  CHECK(has_gathered());
  CHECK(taken_.empty());
  if (checked_to_ < gathered_.size()) append_checksum();
  gathered_.swap(taken_);
  checked_to_ = 0;
  const Write write{taken_, taken_bytes_};
  taken_bytes_ += taken_.size();
  return write;
}

void AofWriter::release() {
  taken_.clear();
  if (taken_.capacity() > kKeptBytesMax) Buffer(HeapAllocator<char>(heap_)).swap(taken_);
}

void AofWriter::append_timestamp(UnixMs now) {
  const int64_t seconds = now / 1000;
  // A clock that was set back does not show: tools cut a file at the first later time.
  if (seconds <= timestamp_) return;
  timestamp_ = seconds;
  gathered_ += aof_timestamp_line(seconds);
}

void AofWriter::append_select(DbIndex db) {
  if (db_is_known_ && db == db_) return;
  char digits[kInt64TextMax];
  append_number('*', 2);
  append_bulk("SELECT");
  append_bulk({digits, format_uint64(db, digits)});
  db_ = db;
  db_is_known_ = true;
}

void AofWriter::append_command(const Effect& effect) {
  const Argv argv = effect.argv.argv();
  append_number('*', argv.size());
  for (const ByteView argument : argv) append_bulk(argument);
}

void AofWriter::append_bulk(ByteView bytes) {
  append_number('$', bytes.size());
  gathered_ += bytes;
  gathered_ += "\r\n";
}

void AofWriter::append_number(char type, uint64_t number) {
  char line[1 + kInt64TextMax + 2];
  line[0] = type;
  size_t size = 1 + format_uint64(number, line + 1);
  line[size++] = '\r';
  line[size++] = '\n';
  gathered_.append(line, size);
}

void AofWriter::append_checksum() {
  if (file_has_checksums_) gathered_ += aof_checksum_line(ByteView(gathered_).substr(checked_to_));
  checked_to_ = gathered_.size();
}

}  // namespace ouro
