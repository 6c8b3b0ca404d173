// SPDX-License-Identifier: BSD-3-Clause
// Config: the option rows of all folders joined, each with the struct that holds its values. The
// parser of files and arguments, CONFIG GET, SET and REWRITE stand on it. It does no I/O and acts
// on no change: who sets values applies them.
//
//   EngineOptions + rows (engine/options.cc) --+
//   AppOptions + rows (app/options.cc) --------+--> Config: find, get, set, load, rewrite
//   rows without a field: values kept here ----+
//
// Cost: look-ups are linear in the rows (about 200); nothing here runs in a command other than
// CONFIG.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/option.h"

namespace ouro {

// What CONFIG REWRITE appends to a file that has no line for a parameter.
enum class RewriteScope : uint8_t {
  kWhatDiffers,  // from the standard value
  kEverything,
};

class Config {
 public:
  struct Part {
    std::span<const OptionRow> rows;
    void* options;  // outlives the Config; null when no row has a field
  };
  explicit Config(std::span<const Part> parts);
  // CHECKs that no name stands twice.
  Config(std::initializer_list<Part> parts) : Config(std::span(parts.begin(), parts.size())) {}

  // ---- ask
  // By name or alias, in any case; null when unknown.
  const OptionRow* find(ByteView name) const;
  // As CONFIG GET prints it. Requires a row of this Config.
  std::string get(const OptionRow& row) const;
  // The value by name; empty when unknown.
  std::string get(ByteView name) const;
  // Calls fn(name, value) once for each name that one of the patterns names. Aliases are names of
  // their own; a pattern without wildcards also finds what is hidden.
  void for_each_match(std::span<const ByteView> patterns,
                      FunctionRef<void(ByteView, ByteView)> fn) const;
  void for_each_row(FunctionRef<void(const OptionRow&)> fn) const;
  // The known name that differs least from `name`, or empty when none is near.
  ByteView nearest(ByteView name) const;

  // ---- change while running
  struct Pair {
    ByteView name;
    ByteView value;
  };
  // Acts on a changed row; false leaves a text in `error`, and all changes are taken back.
  using Apply = FunctionRef<bool(const OptionRow& row, std::string& error)>;
  struct Circumstances {
    bool allow_protected = false;
    bool is_loading = false;
  };
  // CONFIG SET: all or nothing. False leaves the whole error text for the client in `error`.
  bool set(std::span<const Pair> pairs, Circumstances now, Apply apply, std::string& error);

  // ---- change at start
  // One line of a file. False leaves Redis's text without code in `error`. Rows that accumulate
  // start anew at their first line.
  bool load(const OptionRow& row, Words words, std::string& error);

  // ---- write
  // A directive of the file whose lines are kept elsewhere.
  struct Directive {
    ByteView name;
    std::vector<std::string> lines;  // whole, as the file shall have them
  };
  // The new text of a configuration file: what stands in `old_text`, with the lines of changed
  // parameters and of `directives` replaced and those appended that are in scope.
  std::string rewrite(ByteView old_text, RewriteScope scope,
                      std::span<const Directive> directives = {}) const;

 private:
  struct Slot {
    const OptionRow* row;
    void* options;
    OptionValue kept;     // of a row without a field
    bool loaded = false;  // a line of the file has set it
  };
  struct Change {
    Slot* slot;
    ByteView name;
    OptionValue before;
    bool differs = false;
  };

  Slot* find_slot(ByteView name);
  const Slot& slot_of(const OptionRow& row) const;
  static OptionValue value_of(const Slot& slot);
  static void store(Slot& slot, const OptionValue& value);
  bool collect(std::span<const Pair> pairs, Circumstances now, std::vector<Change>& changes,
               std::string& error);
  static void take_back(std::span<const Change> changes);

  std::vector<Slot> slots_;
};

// The known word that differs least from `word`, or empty when none is near.
ByteView nearest_word(ByteView word, std::span<const std::string_view> known);
// A word as a configuration file must write it: quoted when it has to be.
std::string quoted_word(ByteView word);
// The same of words with one blank between them.
std::string quoted_line(ByteView words);
// One line of a configuration file into words without their quotes; false when quotes do not
// balance. Words live in `buffer`.
bool split_config_line(ByteView line, std::string& buffer, std::vector<ByteView>& words);

}  // namespace ouro
