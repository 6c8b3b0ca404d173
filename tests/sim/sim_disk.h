// SPDX-License-Identifier: BSD-3-Clause
// SimDisk: the files of one machine, with what programs see and what would survive kept apart.
//
//      node    seen      what reads return, what directories list
//              durable   what is left if the power fails now
//              pending   the changes between the two, in their order
//
// sync moves a file's pending changes into its durable bytes, sync_dir those of a directory's
// entries (a file whose entry was never synced is lost as a whole, although its bytes were synced).
// A crash makes everything seen what is durable, with none, all or some of the pending changes on
// top: some means that each write of a file survives or not by chance, one of them may be torn, and
// that of a directory's changes a prefix survives, since file systems keep them in a journal.
//
// A sync that fails loses the pending changes for good: they stay seen, but no later sync makes
// them durable, which is what Linux does. Outcomes are those of Loop: counts, descriptors, -errno.
// Paths are absolute or count from the root; there are no links, and only files are renamed.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/base/units.h"
#include "server/io/loop.h"

namespace ouro {

enum class CrashKeeps : uint8_t { kNothing, kSome, kAll };

struct SimNode;

// An open file. It stays readable and writable after its name is gone.
using SimFile = std::shared_ptr<SimNode>;

class SimDisk {
 public:
  explicit SimDisk(Prng& prng);

  // ---- as Loop's file operations, done at once
  int32_t open(ByteView path, OpenFor purpose, SimFile& file);
  int32_t read_at(const SimFile& file, std::span<char> room, uint64_t offset) const;
  int32_t write_at(const SimFile& file, ByteView bytes, uint64_t offset);
  // Makes durable what was written before `mark` (see written_mark).
  int32_t sync(const SimFile& file, uint64_t mark);
  static uint64_t written_mark(const SimFile& file);
  static int64_t size_of(const SimFile& file);
  int32_t truncate(const SimFile& file, uint64_t size);
  int32_t rename(ByteView from, ByteView to);
  int32_t unlink(ByteView path);
  int32_t make_dir(ByteView path);
  int32_t list_dir(ByteView path, std::vector<std::string>& names) const;
  int32_t sync_dir(ByteView path);

  void crash(CrashKeeps kept);

  // ---- faults
  // So many bytes of all files, then ENOSPC.
  void set_capacity(uint64_t bytes) { capacity_ = bytes; }
  // The next syncs of files and directories fail with EIO.
  void fail_syncs(int count) { syncs_to_fail_ = count; }
  // The next write takes so many bytes only.
  void shorten_next_write(size_t bytes) { next_write_max_ = bytes; }
  // The next opens of this file fail with EMFILE, as when a program has too many.
  void fail_opens(std::string path, int count) {
    path_to_fail_ = std::move(path);
    opens_to_fail_ = count;
  }
  // The next writes fail with EIO.
  void fail_writes(int count) { writes_to_fail_ = count; }

  // ---- for checks
  uint64_t used_bytes() const;
  // What a program would read there now, and after a crash that keeps nothing.
  std::string seen(ByteView path) const;
  std::string durable(ByteView path) const;

 private:
  SimNode* find(ByteView path) const;
  SimNode* find_parent(ByteView path, std::string& name) const;

  Prng& prng_;
  SimFile root_;
  uint64_t capacity_ = UINT64_MAX;
  int syncs_to_fail_ = 0;
  std::string path_to_fail_;
  int opens_to_fail_ = 0;
  int writes_to_fail_ = 0;
  size_t next_write_max_ = SIZE_MAX;
};

}  // namespace ouro
