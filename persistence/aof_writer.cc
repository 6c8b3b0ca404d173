// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_writer.h"

#include <algorithm>
#include <utility>

#include "datastructs/base/check.h"
#include "datastructs/codec/number_text.h"
#include "persistence/aof_line.h"

namespace ouro {

namespace {

// What a buffer may keep when it is empty: more was needed for a burst.
constexpr size_t kKeptBytesMax = 1_MiB;
constexpr ByteView kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr ByteView kExec = "*1\r\n$4\r\nEXEC\r\n";
constexpr ByteView kEnd = "\r\n";
// Of a count or a length, with its type and its end.
constexpr size_t kLineBytesMax = 1 + kInt64TextMax + kEnd.size();
constexpr size_t kShortBytesMax = 512;

// Behind the last byte written.
char* write_number(char type, uint64_t number, char* at) {
  *at++ = type;
  at += format_uint64(number, at);
  return std::copy(kEnd.begin(), kEnd.end(), at);
}

}  // namespace

AofWriter::AofWriter(Heap& heap, Options options)
    : heap_(heap),
      options_(options),
      gathered_(HeapAllocator<char>(heap)),
      taken_(HeapAllocator<char>(heap)) {}

void AofWriter::begin_file(uint64_t bytes) {
  CHECK(!has_gathered());
  taken_bytes_ = bytes;
  is_begun_ = false;
  file_has_checksums_ = false;
  db_is_known_ = false;
  timestamp_ = 0;
}

void AofWriter::append(std::span<const Effect> effects, GroupKind kind, UnixMs now) {
  const auto is_kept = [](const Effect& effect) { return effect.reach != EffectReach::kReplicas; };
  if (std::none_of(effects.begin(), effects.end(), is_kept)) return;
  begin_group(now);
  if (kind == GroupKind::kTransaction) {
    append_select(effects[0].db);
    gathered_ += kMulti;
  }
  for (const Effect& effect : effects) {
    if (!is_kept(effect)) continue;
    append_command(effect.db, effect.argv.argv());
  }
  if (kind == GroupKind::kTransaction) gathered_ += kExec;
  end_group();
}

void AofWriter::append_one(DbIndex db, Argv argv, ByteView raw, UnixMs now) {
  begin_group(now);
  if (raw.empty()) {
    append_command(db, argv);
  } else {
    append_select(db);
    gathered_ += raw;
  }
  end_group();
}

// The header, if nothing has been appended to the file yet. Whether checksums follow is settled
// then: a reader takes a header for the promise that they do. It comes behind the time, since tools
// look for that in a file's first line.
void AofWriter::begin_group(UnixMs now) {
  if (options_.timestamps) append_timestamp(now);
  if (std::exchange(is_begun_, true)) return;
  file_has_checksums_ = options_.checksums;
  checked_to_ = gathered_.size();
  if (file_has_checksums_) gathered_ += kAofHeaderLine;
}

void AofWriter::end_group() {
  if (gathered_.size() - checked_to_ >= kAofCheckedBytesMax) append_checksum();
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

size_t AofWriter::memory_of(const Buffer& buffer) {
  const bool is_within = buffer.capacity() <= Buffer(buffer.get_allocator()).capacity();
  return is_within ? 0 : Heap::usable_bytes(buffer.data());
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

// Most are short: they are put together first, since many small appends take longer.
void AofWriter::append_command(DbIndex db, Argv argv) {
  append_select(db);
  size_t bytes_max = kLineBytesMax;
  for (const ByteView argument : argv) bytes_max += kLineBytesMax + argument.size() + kEnd.size();
  char text[kShortBytesMax];
  if (bytes_max > sizeof text) {
    append_number('*', argv.size());
    for (const ByteView argument : argv) append_bulk(argument);
    return;
  }
  char* end = write_number('*', argv.size(), text);
  for (const ByteView argument : argv) {
    end = write_number('$', argument.size(), end);
    end = std::copy(argument.begin(), argument.end(), end);
    end = std::copy(kEnd.begin(), kEnd.end(), end);
  }
  gathered_.append(text, static_cast<size_t>(end - text));
}

void AofWriter::append_bulk(ByteView bytes) {
  append_number('$', bytes.size());
  gathered_ += bytes;
  gathered_ += kEnd;
}

void AofWriter::append_number(char type, uint64_t number) {
  char line[kLineBytesMax];
  gathered_.append(line, static_cast<size_t>(write_number(type, number, line) - line));
}

void AofWriter::append_checksum() {
  if (file_has_checksums_) gathered_ += aof_checksum_line(ByteView(gathered_).substr(checked_to_));
  checked_to_ = gathered_.size();
}

}  // namespace ouro
