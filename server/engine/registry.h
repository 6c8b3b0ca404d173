// SPDX-License-Identifier: BSD-3-Clause
// Registry: all commands of one server, made from the tables of the families. It finds the row of a
// name and keeps what is counted per row (subcommands included); the rows themselves are constants
// and shared by all servers of a process.
//
//   by_name_   1,024 cells of half a cache line, open addressing: the upper-case name packed into
//              three words, and its row
//   by_row_    4,096 cells from a row's address to its index in rows_, since rows of constant
//              tables cannot hold one
//   rows_      every row, containers followed by their subcommands, in name order
//
// Cost: find() reads one line of the table in the common case and allocates nothing; stats() too.
// Requires: the tables outlive the Registry; no name stands in two of them (CHECKed).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "datastructs/latency_histogram.h"
#include "server/engine/command.h"

namespace ouro {

// What INFO commandstats and latencystats and LATENCY HISTOGRAM show of one row.
struct CommandStats {
  uint64_t calls = 0;
  uint64_t nanos = 0;
  uint64_t rejected = 0;                      // refused by a gate, so the handler did not run
  uint64_t failed = 0;                        // the handler answered an error
  std::unique_ptr<LatencyHistogram> latency;  // null until the first timed call
};

class Registry {
 public:
  using Table = std::span<const CommandSpec>;

  static constexpr size_t kNameBytesMax = 24;

  explicit Registry(std::span<const Table> tables);
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // The command that clients know by this name in any case, or null.
  const CommandSpec* find(ByteView name) const;
  // The subcommand of this name in any case, or null.
  static const CommandSpec* find_subcommand(const CommandSpec& container, ByteView name);
  // The row of a name as full_name() writes it ("get", "client|setname"), in any case, or null.
  const CommandSpec* find_full(ByteView full_name) const;
  // The same by the command's own name, whatever clients call it.
  const CommandSpec* find_own(ByteView full_name) const;

  // From now on clients know the command by another name, or not at all if that is empty. At start
  // only: what was found before is not told.
  enum class Renaming : uint8_t { kDone, kNoSuchCommand, kNameTaken };
  Renaming rename(ByteView name, ByteView fresh);

  size_t count() const { return commands_.size(); }
  // The commands in name order, without subcommands.
  std::span<const CommandSpec* const> commands() const { return commands_; }
  // Lower case, a subcommand with its container: "client|setname". Lives as long as the Registry.
  ByteView full_name(const CommandSpec& row) const { return rows_[index_of(row)].full_name; }
  // Null for a command, the container for a subcommand.
  const CommandSpec* container(const CommandSpec& row) const {
    return rows_[index_of(row)].container;
  }

  CommandStats& stats(const CommandSpec& row) { return rows_[index_of(row)].stats; }
  const CommandStats& stats(const CommandSpec& row) const { return rows_[index_of(row)].stats; }
  void reset_stats();

  // Every row has a number below row_count(), in name order; a container's subcommands have those
  // that follow its own.
  size_t row_count() const { return rows_.size(); }
  size_t row_number(const CommandSpec& row) const { return index_of(row); }
  const CommandSpec& row(size_t number) const { return *rows_[number].spec; }

  // Calls fn(row, its stats) for every row, subcommands right after their container.
  void for_each_row(FunctionRef<void(const CommandSpec&, const CommandStats&)> fn) const;

 private:
  // A name of up to 24 bytes in upper case; with the name's size it stands for the name exactly.
  struct PackedName {
    uint64_t first = 0;
    uint64_t middle = 0;
    uint64_t last = 0;
    // Not defaulted: g++ 12 would call memcmp, half the cost of find().
    friend bool operator==(const PackedName& a, const PackedName& b) {
      return ((a.first ^ b.first) | (a.middle ^ b.middle) | (a.last ^ b.last)) == 0;
    }
  };
  struct NameCell {
    PackedName name;
    const CommandSpec* row = nullptr;
  };
  static_assert(sizeof(NameCell) == 32);
  struct RowCell {
    const CommandSpec* row = nullptr;
    uint32_t index = 0;
  };
  struct Row {
    const CommandSpec* spec = nullptr;
    const CommandSpec* container = nullptr;
    std::string full_name;
    CommandStats stats;
  };
  static constexpr size_t kNameCells = 1024;
  static constexpr size_t kRowCells = 4096;

  static constexpr uint64_t kOdd = 0x9E3779B97F4A7C15U;  // 2^64 / golden ratio

  static PackedName pack(ByteView name);
  static size_t cell_of(const PackedName& name, size_t bytes);
  static size_t cell_of(const CommandSpec& row) {
    static_assert(1U << (64 - 52) == kRowCells, "as many top bits as by_row_ has cells");
    return static_cast<size_t>((reinterpret_cast<uintptr_t>(&row) * kOdd) >> 52);
  }
  void add_name(const CommandSpec& row);
  void add_row(const CommandSpec& row, const CommandSpec* container);
  size_t index_of(const CommandSpec& row) const {
    size_t cell = cell_of(row);
    while (by_row_[cell].row != &row) {
      CHECK(by_row_[cell].row != nullptr);  // a row of some other registry
      cell = (cell + 1) % kRowCells;
    }
    return by_row_[cell].index;
  }

  std::vector<NameCell> by_name_;
  std::vector<RowCell> by_row_;
  std::vector<Row> rows_;
  std::vector<const CommandSpec*> commands_;  // sorted by name
  struct NewName {
    std::string name;  // empty: nobody knows it
    const CommandSpec* row;
  };
  std::vector<NewName> renamed_;  // these are not in by_name_
};

}  // namespace ouro
