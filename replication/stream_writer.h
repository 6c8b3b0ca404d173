// SPDX-License-Identifier: BSD-3-Clause
// StreamWriter: effects -> the bytes of a primary's stream, which are RESP commands as Redis 7.0
// sends them: SELECT before one whose database is another than that of the command before, MULTI
// and EXEC around a group that must be applied whole.
// Cost: one copy of each byte, into the backlog.
#pragma once

#include <span>
#include <string>

#include "persistence/effect.h"
#include "replication/backlog.h"

namespace ouro {

class StreamWriter {
 public:
  explicit StreamWriter(Backlog& backlog) : backlog_(backlog) {}

  void append(std::span<const Effect> effects, GroupKind kind);
  // One group of one effect. `raw`: the same as canonical RESP, if somebody has it; else empty.
  void append_one(DbIndex db, Argv argv, ByteView raw);
  // What concerns no database: PING, REPLCONF GETACK.
  void append_note(Argv argv);
  // Whoever begins to read here does not know the database.
  void forget_db() { db_is_known_ = false; }
  // The database that a reader of all so far has selected.
  DbIndex db() const { return db_; }
  // As said by a stream that this one goes on with.
  void set_db(DbIndex db) {
    db_ = db;
    db_is_known_ = true;
  }

 private:
  void append_command(DbIndex db, Argv argv);
  void select(DbIndex db);
  void write(Argv argv);

  Backlog& backlog_;
  std::string scratch_;
  DbIndex db_ = 0;
  bool db_is_known_ = false;
};

}  // namespace ouro
