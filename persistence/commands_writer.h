// SPDX-License-Identifier: BSD-3-Clause
// CommandsWriter: the base of a log as commands (aof-use-rdb-preamble no), with all databases as
// they were at one moment (frozen_writer.h).
//
//      [#TS] | FUNCTION LOAD ... | CACHE.LOADCHUNK ... | SELECT | what makes each key, as
//      Redis 7.0's rewrite has it:
//
//      string   SET                                 a deadline   PEXPIREAT, behind the value
//      list     RPUSH    set    SADD                up to 64 elements each
//      zset     ZADD     hash   HMSET
//      stream   XADD, XSETID, XGROUP CREATE, XGROUP CREATECONSUMER, XCLAIM  (stream_commands.h)
//      what Redis 7.0 cannot express                RESTORE
//
// Such a file has no checksums: who wants flipped bits found takes a snapshot for a base, which is
// the standard. What RESTORE has is encoded at once, however large.
#pragma once

#include <optional>
#include <string>

#include "persistence/frozen_writer.h"

namespace ouro {

class CommandsWriter final : public FrozenWriter {
 public:
  // `facts`: of these the functions and filters. timestamp: what #TS says, if anything.
  CommandsWriter(Databases& databases, const SnapshotFacts& facts,
                 std::optional<int64_t> timestamp);

 private:
  Rest encode(DbIndex db, Entry& entry, Standing standing, std::string& out) override;
  void encode_absent(DbIndex db, const AbsentKey& absent, std::string& out) override;
  void select(DbIndex db, std::string& out);
};

}  // namespace ouro
