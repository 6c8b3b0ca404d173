// SPDX-License-Identifier: BSD-3-Clause
// AofWriter: effects -> the bytes of an append-only file, gathered in memory until somebody takes
// them to the disk.
//
//      append(effects) --> [ gathered ]  take() -->  [ taken ]  --> the disk --> release()
//                            grows meanwhile          stays where it is
//
// A file is RESP commands, as Redis 7.0 writes them: each effect one command, SELECT before one
// whose database is another than that of the command before, MULTI and EXEC around a group that
// must be applied whole. `timestamps` adds a line #TS when a second has passed, `checksums` the
// header #OURO:1 in front and a line #C at the end of every write (aof_line.h), and after each
// kAofCheckedBytesMax or so of a longer one: a reader must hold back what is not yet proven, and
// what is damaged is found in bytes of this number. A file that is gone on with, whoever wrote it,
// gets a header there: what stood in it before is not vouched for again.
//
// A group is never torn between two writes, nor between two files: when the next file begins, all
// bytes of the one before have been taken.
// Cost: one copy of each byte; with checksums, XXH3 over it (about 10 bytes a cycle) and at least
// 25 bytes a write. No allocation once both buffers have grown; large ones are given back.
// Not here: when to write and to sync (fsync_policy.h), when to begin anew (aof_rewrite_policy.h).
#pragma once

#include <span>
#include <string>

#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "persistence/effect.h"

namespace ouro {

// Bytes after which a line #C follows at the end of the group.
inline constexpr size_t kAofCheckedBytesMax = 1_MiB;

class AofWriter {
 public:
  struct Options {
    bool checksums = true;
    bool timestamps = false;  // aof-timestamp-enabled
  };
  // Bytes, and where in the file they belong.
  struct Write {
    ByteView bytes;
    uint64_t at = 0;
  };

  AofWriter(Heap& heap, Options options);
  AofWriter(const AofWriter&) = delete;
  AofWriter& operator=(const AofWriter&) = delete;

  // What is appended from now on goes into another file, behind the `bytes` that it has. Requires:
  // !has_gathered().
  void begin_file(uint64_t bytes = 0);
  // One group; nothing of what is for replicas alone.
  void append(std::span<const Effect> effects, GroupKind kind, UnixMs now);
  // One group of one effect. `raw`: the same as canonical RESP, if somebody has it; else empty.
  void append_one(DbIndex db, Argv argv, ByteView raw, UnixMs now);
  // May be changed at any time; checksums from the next file on.
  void set_options(Options options) { options_ = options; }

  bool has_gathered() const { return !gathered_.empty(); }
  // Takes what was gathered. The bytes stay where they are until release(), also when a part of
  // them must be written again. Requires: has_gathered(), and what was taken before is released.
  Write take();
  void release();

  // Of the current file: what has been taken and what is gathered.
  uint64_t file_bytes() const { return taken_bytes_ + gathered_.size(); }
  // Bytes that are not released: what INFO calls aof_buffer_length.
  size_t buffered_bytes() const { return gathered_.size() + taken_.size(); }
  // As its heap counts it.
  size_t memory_bytes() const { return memory_of(gathered_) + memory_of(taken_); }

 private:
  using Buffer = std::basic_string<char, std::char_traits<char>, HeapAllocator<char>>;
  static size_t memory_of(const Buffer& buffer);

  void begin_group(UnixMs now);
  void append_timestamp(UnixMs now);
  void append_command(DbIndex db, Argv argv);
  void end_group();
  void append_select(DbIndex db);
  void append_number(char type, uint64_t number);
  void append_bulk(ByteView bytes);
  void append_checksum();

  Heap& heap_;
  Options options_;
  Buffer gathered_;
  Buffer taken_;
  uint64_t taken_bytes_ = 0;  // of this file, all writes, and what it had before
  size_t checked_to_ = 0;     // up to here gathered_ is followed by a line #C
  bool is_begun_ = false;     // the header has been written, if there is one
  bool file_has_checksums_ = false;
  bool db_is_known_ = false;
  DbIndex db_ = 0;
  int64_t timestamp_ = 0;  // of the last line #TS, in seconds
};

}  // namespace ouro
