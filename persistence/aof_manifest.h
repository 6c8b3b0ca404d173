// SPDX-License-Identifier: BSD-3-Clause
// AofManifest: which files together are the append-only log, in the order in which they are read.
// It is itself a file of lines, Redis 7.0's, and whatever is not in it does not count:
//
//      file appendonly.aof.2.base.rdb seq 2 type b       the base: at most one, read first
//      file appendonly.aof.1.incr.aof seq 1 type h       history: replaced, to be removed
//      file appendonly.aof.4.incr.aof seq 4 type i       increments, by ascending number
//
// A line is pairs of a name and a value, in any order; names that are not known are passed over, so
// are lines that begin with '#'. A file's name is quoted when it has other characters than plain
// ones. Lines have at most kManifestLineBytesMax bytes and an end.
//
// A rewrite of the log: an increment is added, and writes go there; a base is written beside it;
// then that base replaces the old one and all increments but the new one, which become history.
// Each of these is a change of a copy, which is the manifest when the disk has it (aof_plan.h).
// Numbers are never used twice, those in history included: a file that is to be removed must not
// have the name of one that is in use. (In Redis it may, after the log was off.)
//
// Errors: reasons as Redis words them; stricter than there: a number is digits, and no file in use
// stands there twice, else its commands would be run twice.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

// Of a line with its end.
inline constexpr size_t kManifestLineBytesMax = 1024;

enum class AofFileType : char { kBase = 'b', kHistory = 'h', kIncrement = 'i' };

struct AofFile {
  std::string name;  // without folders
  uint64_t seq = 0;
  AofFileType type = AofFileType::kIncrement;
  friend bool operator==(const AofFile&, const AofFile&) = default;
};

// "appendonly.aof" -> "appendonly.aof.3.base.rdb", "appendonly.aof.3.incr.aof".
enum class AofBaseFormat : uint8_t { kSnapshot, kCommands };
std::string aof_base_name(ByteView stem, uint64_t seq, AofBaseFormat format);
std::string aof_increment_name(ByteView stem, uint64_t seq);
std::string aof_manifest_name(ByteView stem);

struct ManifestError {
  size_t line = 0;   // from 1
  std::string text;  // of the line
  const char* reason = "";
};

class AofManifest {
 public:
  struct Parsed;
  static Parsed parse(ByteView text);
  std::string format() const;

  const std::optional<AofFile>& base() const { return base_; }
  // In reading order.
  const std::vector<AofFile>& increments() const { return increments_; }
  // The newest first.
  const std::vector<AofFile>& history() const { return history_; }
  // Nothing is to be read.
  bool empty() const { return !base_ && increments_.empty(); }
  bool uses(ByteView name) const;

  // The next increment; it is the last.
  const AofFile& add_increment(ByteView stem);
  // The next base. The one before becomes history.
  const AofFile& add_base(ByteView stem, AofBaseFormat format);
  // An old log, a single file, becomes the base. Requires: empty().
  void add_old_file(ByteView name);
  // All increments but the last `kept` become history.
  void retire_increments(size_t kept);
  void forget_history() { history_.clear(); }
  // Increments to come have numbers above this one.
  void reserve_increment(uint64_t seq);

  friend bool operator==(const AofManifest&, const AofManifest&) = default;

 private:
  const char* parse_line(ByteView line);
  const char* add(AofFile file);

  std::optional<AofFile> base_;
  std::vector<AofFile> increments_;
  std::vector<AofFile> history_;
  uint64_t base_seq_ = 0;       // the highest seen
  uint64_t increment_seq_ = 0;  // the same
};

struct AofManifest::Parsed {
  AofManifest manifest;
  std::optional<ManifestError> error;  // then the manifest is empty
};

}  // namespace ouro
