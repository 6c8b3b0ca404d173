// SPDX-License-Identifier: BSD-3-Clause
#include "replication/stream_writer.h"

#include <algorithm>

#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

constexpr ByteView kMulti = "*1\r\n$5\r\nMULTI\r\n";
constexpr ByteView kExec = "*1\r\n$4\r\nEXEC\r\n";

void append_number(char type, uint64_t number, std::string& out) {
  char digits[kInt64TextMax];
  out += type;
  out.append(digits, format_uint64(number, digits));
  out += "\r\n";
}

}  // namespace

void StreamWriter::append(std::span<const Effect> effects, GroupKind kind) {
  const auto is_sent = [](const Effect& effect) { return effect.reach != EffectReach::kLog; };
  if (std::none_of(effects.begin(), effects.end(), is_sent)) return;
  if (kind == GroupKind::kTransaction) {
    select(effects[0].db);
    backlog_.append(kMulti);
  }
  for (const Effect& effect : effects) {
    if (is_sent(effect)) append_command(effect.db, effect.argv.argv());
  }
  if (kind == GroupKind::kTransaction) backlog_.append(kExec);
}

void StreamWriter::append_one(DbIndex db, Argv argv, ByteView raw) {
  if (raw.empty()) return append_command(db, argv);
  select(db);
  backlog_.append(raw);
}

void StreamWriter::append_note(Argv argv) { write(argv); }

void StreamWriter::append_command(DbIndex db, Argv argv) {
  select(db);
  write(argv);
}

void StreamWriter::select(DbIndex db) {
  if (db_is_known_ && db == db_) return;
  char digits[kInt64TextMax];
  const ByteView argv[] = {"SELECT", {digits, format_uint64(db, digits)}};
  write(argv);
  set_db(db);
}

void StreamWriter::write(Argv argv) {
  // What is long is copied once, past the scratch.
  constexpr size_t kShortBytesMax = 1024;
  scratch_.clear();
  append_number('*', argv.size(), scratch_);
  for (const ByteView word : argv) {
    append_number('$', word.size(), scratch_);
    if (word.size() > kShortBytesMax) {
      backlog_.append(scratch_);
      backlog_.append(word);
      scratch_.clear();
    } else {
      scratch_ += word;
    }
    scratch_ += "\r\n";
  }
  backlog_.append(scratch_);
}

}  // namespace ouro
