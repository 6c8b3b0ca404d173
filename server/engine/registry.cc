// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/registry.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "datastructs/base/ascii.h"
#include "datastructs/base/check.h"

namespace ouro {
namespace {

template <class Word>
uint64_t load(const char* at) {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

constexpr uint64_t repeat(uint8_t byte) { return 0x0101010101010101U * byte; }

// Turns the bytes a..z of a word into A..Z, all eight at once: adding 0x80 - c to seven bits sets
// the top bit from c on.
uint64_t upper(uint64_t word) {
  const uint64_t low = word & repeat(0x7f);
  const uint64_t from_a = low + repeat(0x80 - 'a');
  const uint64_t above_z = low + repeat(0x80 - 'z' - 1);
  const uint64_t is_lower = (from_a ^ above_z) & ~word & repeat(0x80);
  return word ^ (is_lower >> 2);
}

// `command` is that of the name's first part, or null.
const CommandSpec* subcommand_of(const CommandSpec* command, ByteView full_name) {
  const size_t bar = full_name.find('|');
  if (bar == ByteView::npos || command == nullptr) return command;
  return Registry::find_subcommand(*command, full_name.substr(bar + 1));
}

}  // namespace

// Overlapping loads cover every byte without a loop or a read past the end.
inline Registry::PackedName Registry::pack(ByteView name) {
  const char* at = name.data();
  const size_t bytes = name.size();
  PackedName packed;
  if (bytes >= 8) {
    packed.first = upper(load<uint64_t>(at));
    if (bytes > 16) packed.middle = upper(load<uint64_t>(at + 8));
    packed.last = upper(load<uint64_t>(at + bytes - 8));
  } else if (bytes >= 4) {
    packed.first = upper(load<uint32_t>(at) | load<uint32_t>(at + bytes - 4) << 32);
  } else if (bytes > 0) {
    packed.first = upper(load<uint8_t>(at) | load<uint8_t>(at + bytes / 2) << 8 |
                         load<uint8_t>(at + bytes - 1) << 16);
  }
  return packed;
}

inline size_t Registry::cell_of(const PackedName& name, size_t bytes) {
  // One multiplication: names are few and fixed, so it need not withstand anyone.
  const uint64_t mixed = name.first ^ std::rotl(name.middle, 21) ^ std::rotl(name.last, 42);
  const uint64_t hash = (mixed + bytes) * kOdd;
  return static_cast<size_t>(hash >> 54);
}
static_assert(1U << (64 - 54) == 1024, "cell_of takes as many top bits as by_name_ has cells");

Registry::Registry(std::span<const Table> tables) : by_name_(kNameCells), by_row_(kRowCells) {
  for (const Table& table : tables) {
    for (const CommandSpec& row : table) commands_.push_back(&row);
  }
  // Probing always meets an empty cell, and soon.
  CHECK(commands_.size() <= kNameCells * 3 / 4);
  std::sort(commands_.begin(), commands_.end(),
            [](const CommandSpec* a, const CommandSpec* b) { return a->name < b->name; });
  for (const CommandSpec* row : commands_) {
    CHECK(row->name.size() <= kNameBytesMax);
    CHECK(find(row->name) == nullptr);
    add_name(*row);
    add_row(*row, nullptr);
    for (const CommandSpec& subcommand : row->subcommands) add_row(subcommand, row);
  }
}

void Registry::add_name(const CommandSpec& row) {
  const PackedName name = pack(row.name);
  size_t cell = cell_of(name, row.name.size());
  while (by_name_[cell].row != nullptr) cell = (cell + 1) % kNameCells;
  by_name_[cell] = {.name = name, .row = &row};
}

void Registry::add_row(const CommandSpec& row, const CommandSpec* container) {
  CHECK(rows_.size() < kRowCells * 3 / 4);
  size_t cell = cell_of(row);
  while (by_row_[cell].row != nullptr) {
    CHECK(by_row_[cell].row != &row);
    cell = (cell + 1) % kRowCells;
  }
  by_row_[cell] = {.row = &row, .index = static_cast<uint32_t>(rows_.size())};
  std::string full_name = to_lower(row.name);
  if (container != nullptr) full_name = to_lower(container->name) + "|" + full_name;
  rows_.push_back(
      {.spec = &row, .container = container, .full_name = std::move(full_name), .stats = {}});
}

const CommandSpec* Registry::find(ByteView name) const {
  if (name.size() <= kNameBytesMax) {
    const PackedName packed = pack(name);
    for (size_t cell = cell_of(packed, name.size()); by_name_[cell].row != nullptr;
         cell = (cell + 1) % kNameCells) {
      const NameCell& found = by_name_[cell];
      if (found.name == packed && found.row->name.size() == name.size()) return found.row;
    }
  }
  for (const NewName& renamed : renamed_) {
    if (!name.empty() && equals_ignoring_case(renamed.name, name)) return renamed.row;
  }
  return nullptr;
}

const CommandSpec* Registry::find_subcommand(const CommandSpec& container, ByteView name) {
  for (const CommandSpec& row : container.subcommands) {
    if (equals_ignoring_case(row.name, name)) return &row;
  }
  return nullptr;
}

const CommandSpec* Registry::find_full(ByteView full_name) const {
  return subcommand_of(find(full_name.substr(0, full_name.find('|'))), full_name);
}

const CommandSpec* Registry::find_own(ByteView full_name) const {
  const ByteView name = full_name.substr(0, full_name.find('|'));
  const auto found = std::find_if(commands_.begin(), commands_.end(), [&](const CommandSpec* row) {
    return equals_ignoring_case(row->name, name);
  });
  return subcommand_of(found == commands_.end() ? nullptr : *found, full_name);
}

Registry::Renaming Registry::rename(ByteView name, ByteView fresh) {
  const CommandSpec* row = find(name);
  if (row == nullptr) return Renaming::kNoSuchCommand;
  if (find(fresh) != nullptr) return Renaming::kNameTaken;
  const auto is_row = [&](const NewName& renamed) { return renamed.row == row; };
  if (std::erase_if(renamed_, is_row) == 0) {
    // A cell cannot be emptied without those behind it.
    by_name_.assign(kNameCells, NameCell());
    for (const CommandSpec* other : commands_) {
      const bool is_renamed =
          std::any_of(renamed_.begin(), renamed_.end(),
                      [&](const NewName& renamed) { return renamed.row == other; });
      if (other != row && !is_renamed) add_name(*other);
    }
  }
  renamed_.push_back({.name = std::string(fresh), .row = row});
  return Renaming::kDone;
}

void Registry::reset_stats() {
  for (Row& row : rows_) row.stats = {};
}

void Registry::for_each_row(FunctionRef<void(const CommandSpec&, const CommandStats&)> fn) const {
  for (const Row& row : rows_) fn(*row.spec, row.stats);
}

}  // namespace ouro
