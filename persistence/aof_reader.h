// SPDX-License-Identifier: BSD-3-Clause
// AofReader: reads one append-only file that comes in chunks of any size, and applies its commands,
// each with the database that it was meant for.
//
//      [snapshot]  commands  #OURO:1  commands  #C  commands  #C ... commands
//                                                   ^ ok_up_to()     ^ what has come: kept, not yet
//                                                                      applied
// A command is applied when nothing that may still come can take it back: where there are no
// checksums when it is whole, inside MULTI when its EXEC has come, behind a line #OURO:1
// (aof_line.h) when the line #C behind it agrees. SELECT, MULTI and EXEC are the reader's own: the
// caller sees whole groups, and says which databases there are. A file that begins with a snapshot
// is handed to `preamble` first.
//
// How a file ends:
//   kDone         with its last command
//   kTorn         within a command or a transaction, as after a crash: all before ok_up_to() has
//                 been applied, nothing behind it; who cuts the file there has a good one. In a
//                 file with checksums anything is a torn tail behind which no valid checksum comes,
//                 if it is not longer than kAofTornBytesMax.
//   kDamaged      something else than the end is wrong: offset() says where it shows. With
//                 checksums what is wrong lies in [ok_up_to(), damage_end()).
//   kRefused      whoever applied a command refused it: refused_word(), refused_because(), offset()
//   kBadPreamble  the snapshot cannot be read
// A command behind the last checksum, or before a later line #OURO:1, is applied, too (a Redis went
// on with the file of an ouro), and counted: unchecked_commands().
//
// Errors: what comes out is the same wherever the file is cut into chunks. Nothing is allocated by
// what a length claims. Cost: one copy of each byte, with checksums XXH3 over it. Memory: what is
// kept is at most a transaction or a write (AofWriter bounds writes, kAofCheckedBytesMax); or, when
// a length is damaged, as much of the file as it claims, kAofArgumentBytesMax at most.
// Not here: whether a torn file may be used, and which files there are (recovery.h).
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/result.h"
#include "datastructs/base/units.h"
#include "persistence/aof_scanner.h"

namespace ouro {

// What is longer is no torn tail: a crash loses about what was written in a second.
inline constexpr uint64_t kAofTornBytesMax = 64_MiB;

// Reads the snapshot at the front of a file (snapshot_preamble.h).
class AofPreamble {
 public:
  enum class State : uint8_t { kReading, kDone, kFailed };
  virtual ~AofPreamble() = default;
  // Takes bytes from the front of `bytes`: all of them while kReading; kDone leaves what follows.
  virtual State feed(ByteView& bytes) = 0;
  // Of one that failed: what is wrong, and where in the file.
  virtual const char* reason() const = 0;
  virtual uint64_t offset() const = 0;
};

class AofReader {
 public:
  using ApplyFn = FunctionRef<Status(DbIndex, Argv)>;
  enum class State : uint8_t { kReading, kDone, kTorn, kDamaged, kRefused, kBadPreamble };

  // Without a preamble a snapshot is damage.
  explicit AofReader(AofPreamble* preamble = nullptr) : preamble_(preamble) {}

  // The next bytes of the file; applies what can be applied now.
  State feed(ByteView chunk, ApplyFn apply);
  // That was the whole file.
  State end(ApplyFn apply);

  State state() const { return state_; }
  const char* reason() const { return reason_; }
  // Where in the file the reason shows.
  uint64_t offset() const { return offset_; }
  // All before it has been applied. Never within a transaction.
  uint64_t ok_up_to() const { return ok_.offset; }
  // The same as the number of a line, the first is 1; line ends inside arguments do not count.
  uint64_t ok_up_to_line() const { return ok_.line; }
  // Of a damaged file with checksums: from here on it is well again, at least for a while. 0 if
  // that is not known.
  uint64_t damage_end() const { return damage_end_; }
  bool ends_in_transaction() const { return state_ == State::kTorn && multi_ != kNoMulti; }
  // The name of the command that was refused, and why.
  const std::string& refused_word() const { return refused_word_; }
  Err refused_because() const { return refused_because_; }

  bool has_preamble() const { return commands_at_ > 0; }
  bool has_checksums() const { return has_checksums_; }
  uint64_t commands_applied() const { return commands_applied_; }
  uint64_t unchecked_commands() const { return unchecked_commands_; }
  // Bytes that have come and are not applied.
  size_t kept_bytes() const { return kept_.size(); }

 private:
  enum class Part : uint8_t { kStart, kPreamble, kCommands, kSearching };
  enum class Kind : uint8_t { kOther, kSelect, kMulti, kExec };
  struct Mark {
    uint64_t offset = 0;
    uint64_t line = 1;
  };
  // An argument, by its place in the file.
  struct Place {
    uint64_t at = 0;
    size_t bytes = 0;
  };
  struct Command {
    Mark begin;
    Kind kind = Kind::kOther;
    size_t first_argument = 0;
    size_t argument_count = 0;
  };
  static constexpr size_t kNoMulti = ~size_t{0};

  bool begin();
  void read_preamble(ByteView& bytes);
  void begin_commands(uint64_t at);
  void read(ApplyFn apply);
  void on_line(ByteView line, ApplyFn apply);
  void on_header(ByteView line, ApplyFn apply);
  void on_checksum(ByteView line, ApplyFn apply);
  void on_command(ByteView item, ApplyFn apply);
  static Kind kind_of(ByteView name, size_t words);
  void pass_item(size_t bytes, uint64_t lines);
  void bad_place(const char* reason, uint64_t offset);
  void begin_search(const char* reason, uint64_t offset);
  bool finds_checksum();
  bool has_hash(uint64_t at, uint64_t bytes, uint64_t hash);

  void end_commands(ApplyFn apply);
  void forget_commands();
  void apply_unchecked(ApplyFn apply);
  void apply_groups(Mark end, ApplyFn apply);
  void apply_command(const Command& command, ApplyFn apply);
  void fail(State state, const char* reason, uint64_t offset);
  void keep(ByteView chunk);
  uint64_t end_of_kept() const { return kept_at_ + kept_.size(); }
  ByteView kept_from(uint64_t offset) const {
    return ByteView(kept_).substr(static_cast<size_t>(offset - kept_at_));
  }

  AofPreamble* preamble_;
  State state_ = State::kReading;
  Part part_ = Part::kStart;
  uint64_t commands_at_ = 0;  // where the snapshot ends
  std::string kept_;          // from ok_ on
  uint64_t kept_at_ = 0;

  AofScanner scanner_;
  Mark ok_;
  Mark item_;                      // the item that comes next, or is bad
  std::vector<Command> commands_;  // kept
  std::vector<Place> arguments_;   // of them
  size_t multi_ = kNoMulti;        // the MULTI among them that is open
  DbIndex db_ = 0;
  std::vector<ByteView> argv_;

  bool has_checksums_ = false;
  uint64_t unchecked_at_ = 0;  // behind the last line #C, or at the line #OURO:1
  uint64_t searched_to_ = 0;
  uint64_t search_bytes_left_ = 0;
  bool saw_checksum_ = false;  // a line that could be one
  uint64_t damage_end_ = 0;

  const char* reason_ = "";
  uint64_t offset_ = 0;
  std::string refused_word_;
  Err refused_because_ = Err::kNone;
  uint64_t commands_applied_ = 0;
  uint64_t unchecked_commands_ = 0;
};

}  // namespace ouro
