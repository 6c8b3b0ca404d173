// SPDX-License-Identifier: BSD-3-Clause
// What an engine puts into a snapshot besides its keys, and how it takes in what is in one. Used
// for snapshots and for the snapshot at the front of a log.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "persistence/snapshot_reader.h"
#include "persistence/snapshot_writer.h"
#include "server/engine/engine.h"

namespace ouro {

// For whom a file is written or read.
enum class SnapshotUse : uint8_t { kFile, kLogBase, kReplica };

// What stands before the keys: who wrote it and when, and the libraries of functions.
SnapshotFacts snapshot_facts(Engine& engine, SnapshotUse use);

// How long keys have not been used or how often they are, by the policy that evicts them.
class KeyHints final : public AccessHints {
 public:
  explicit KeyHints(const Engine& engine) : engine_(engine) {}
  std::optional<uint64_t> idle_seconds(const Entry& entry) const override;
  std::optional<uint8_t> frequency(const Entry& entry) const override;

 private:
  const Engine& engine_;
};

// Fills the databases. A key that is due is passed over, but in the base of a log, whose effects
// remove it, and on a node that follows, whose primary does.
class SnapshotLoad final : public SnapshotSink {
 public:
  struct Options {
    SnapshotUse use = SnapshotUse::kFile;
    bool replaces = false;      // keys and libraries that are here already; else there must be none
    Databases* into = nullptr;  // others than the engine's
    std::vector<std::string>* functions = nullptr;  // gets their texts; else they are loaded
    bool keeps_due = false;                         // a primary will say when they end
    // The data are where their stream was when they were saved: at the start.
    bool restores_stream = false;
  };
  SnapshotLoad(Engine& engine, const Options& options)
      : engine_(engine),
        options_(options),
        dbs_(options.into == nullptr ? engine.dbs : *options.into),
        now_(engine.now()) {}

  void on_coming(DbIndex db, ByteView key) override;
  bool on_string(const SnapshotKey& key, ByteView text) override;
  bool on_value(const SnapshotKey& key, Value value) override;
  void on_empty(const SnapshotKey& key) override;
  void on_aux(ByteView name, ByteView value) override;
  bool on_absent(DbIndex db, const AbsentKey& absent) override;
  void on_filter(ByteView prefix, std::unique_ptr<KeyFilter> filter) override {
    filters_.emplace_back(prefix, std::move(filter));
  }
  void on_size(DbIndex /*db*/, uint64_t /*keys*/, uint64_t /*expiring*/) override {}
  bool on_function(ByteView source) override;

  ValueTarget target() const;
  // What was refused, and why; empty if nothing was.
  const std::string& refusal() const { return refusal_; }
  // What a reader of its stream has selected where that goes on (AUX repl-stream-db).
  DbIndex stream_db() const { return stream_db_; }
  // The last that has a byte in its stream (AUX ouro-ballot).
  const std::optional<Ballot>& ballot() const { return ballot_; }
  // All is taken in.
  void end();

 private:
  // Of collections without elements; as in Redis. The others are only counted.
  static constexpr uint64_t kEmptyNamedMax = 10;

  struct Place {
    Keyspace& db;
    Key key;
    Entry* found;  // what is there, and will be replaced
  };
  bool has_database(DbIndex db);
  // Where the key goes; none if it is refused.
  std::optional<Place> place_of(const SnapshotKey& key);
  bool pass_over(const SnapshotKey& key);
  void count(const SnapshotKey& key, Entry& entry);
  void restore_stream();
  void log_done() const;

  Engine& engine_;
  Options options_;
  Databases& dbs_;
  UnixMs now_;
  // Of the stream, as the file says; empty and -1 if it does not.
  std::string stream_id_;
  int64_t stream_offset_ = -1;
  DbIndex stream_db_ = 0;
  std::optional<Ballot> ballot_;
  bool is_restored_ = false;
  // Those of rules that are here take their place when all is taken in.
  std::vector<std::pair<std::string, std::unique_ptr<KeyFilter>>> filters_;
  uint64_t keys_loaded_ = 0;
  uint64_t keys_expired_ = 0;
  uint64_t empty_skipped_ = 0;
  std::string refusal_;
};

}  // namespace ouro
