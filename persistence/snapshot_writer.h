// SPDX-License-Identifier: BSD-3-Clause
// SnapshotWriter: the bytes of an RDB file with all databases as they were at one moment
// (frozen_writer.h).
//
//      head, facts, functions, sizes | keys, in the order in which the view hands them out | end
//
// Each change of the database is said (kSelect). The version in the head is Redis 7.0's unless a
// hash has fields with deadlines at the moment.
#pragma once

#include <optional>
#include <string>

#include "persistence/frozen_writer.h"

namespace ouro {

// Tells of a key what an eviction policy goes by, if it is to be saved.
class AccessHints {
 public:
  virtual ~AccessHints() = default;
  virtual std::optional<uint64_t> idle_seconds(const Entry& entry) const = 0;
  virtual std::optional<uint8_t> frequency(const Entry& entry) const = 0;
};

class SnapshotWriter final : public FrozenWriter {
 public:
  struct Options {
    RdbWriter::Packing packing = RdbWriter::Packing::kLzfBounded;
    bool checksum = true;                // else eight zeros stand for it
    const AccessHints* hints = nullptr;  // outlives the writer
  };
  SnapshotWriter(Databases& databases, const SnapshotFacts& facts, const Options& options);

  unsigned version() const { return version_; }

 private:
  Rest encode(DbIndex db, Entry& entry, Standing standing, std::string& out) override;
  void encode_absent(DbIndex db, const AbsentKey& absent, std::string& out) override;
  void on_bytes(ByteView bytes) override;
  void write_end(std::string& out) override;
  void write_head(const SnapshotFacts& facts);
  void write_hints(const Entry& entry, RdbWriter& out) const;
  void select(DbIndex db, RdbWriter& out);

  Options options_;
  unsigned version_ = kRdbVersion;
  uint64_t checksum_ = 0;  // of all written
};

// The whole of a file without keys.
std::string functions_snapshot(const SnapshotFacts& facts);

}  // namespace ouro
