// SPDX-License-Identifier: BSD-3-Clause
// SnapshotReader: reads an RDB file that comes in chunks of any size, of any version up to
// Redis 7.4, and hands out what is in it.
//
//      feed(chunk) --records--> on_aux, on_function, on_size | on_string, on_value
//
// A record (rdb.h) that is not whole waits in a buffer; it is looked at by its lengths alone until
// it is (record_scanner.h), and decoded once. The buffer holds what has come, not what a length
// claims. Records that lie whole in a chunk are handed out by the dozen: all their ends are found
// first, and the sink is told their keys, so that it can have memory fetched which it will look at
// (in a large table each key is one cache miss or more). Behind the end mark stands a checksum,
// which is compared unless it is zero or the caller does not want it to be; bytes behind that are
// the caller's (an append-only file may begin with a snapshot).
//
// A value that is wrong ends the reading: offset() and reason() say where and why, and what was
// handed out before stays handed out; who wants all or nothing reads a file twice, to a
// SnapshotCheck first, or into empty databases. A collection without elements is passed over, as
// Redis does. Cost: linear; strings are handed out where they lie. At most 1 copy of each byte
// before decoding.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "persistence/rdb_facts.h"
#include "persistence/record_scanner.h"
#include "persistence/value_codec.h"

namespace ouro {

// A key of the file and what stands before it. `key` dies with the call.
struct SnapshotKey {
  DbIndex db = 0;
  ByteView key = {};
  UnixMs deadline = kNoExpiry;  // may be past: whether it still counts is the sink's to decide
  std::optional<uint64_t> idle_seconds = {};
  std::optional<uint8_t> frequency = {};
  Fill fill = {};

  // When nothing of the value is to be shown any more.
  UnixMs end() const { return deadline == kNoExpiry ? kNoExpiry : deadline + fill.stale_ms; }
  // For a log: so much of it as it is known by, without bytes that cannot be printed.
  std::string shown_name() const;
};

class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  // A hint: a key that will soon be handed out, most likely in this database.
  virtual void on_coming(DbIndex /*db*/, ByteView /*key*/) {}
  // A key with a string: the most frequent by far, so without a Value made of it. False ends the
  // reading; so it does of on_value().
  [[nodiscard]] virtual bool on_string(const SnapshotKey& key, ByteView text) = 0;
  // Takes the value.
  [[nodiscard]] virtual bool on_value(const SnapshotKey& key, Value value) = 0;
  // A collection without elements, which no server keeps.
  virtual void on_empty(const SnapshotKey& key) = 0;
  virtual void on_aux(ByteView name, ByteView value) = 0;
  // What is known of a key that is not in the file. False ends the reading.
  [[nodiscard]] virtual bool on_absent(DbIndex db, const AbsentKey& absent) = 0;
  // The filter of a rule's keys, all of it.
  virtual void on_filter(ByteView prefix, std::unique_ptr<KeyFilter> filter) = 0;
  // How many keys will come in a database, and how many of them expire: a hint.
  virtual void on_size(DbIndex db, uint64_t keys, uint64_t expiring) = 0;
  // The text of a library. False ends the reading.
  [[nodiscard]] virtual bool on_function(ByteView source) = 0;
};

// Keeps nothing: for a look at a whole file before it replaces what is there.
class SnapshotCheck final : public SnapshotSink {
 public:
  // The heap that values are read to, and freed from at once.
  explicit SnapshotCheck(Heap& heap) : heap_(heap) {}
  bool on_string(const SnapshotKey& /*key*/, ByteView /*text*/) override { return true; }
  bool on_value(const SnapshotKey& key, Value value) override;
  void on_empty(const SnapshotKey& /*key*/) override {}
  void on_aux(ByteView /*name*/, ByteView /*value*/) override {}
  bool on_absent(DbIndex /*db*/, const AbsentKey& /*absent*/) override { return true; }
  void on_filter(ByteView /*prefix*/, std::unique_ptr<KeyFilter> /*filter*/) override {}
  void on_size(DbIndex /*db*/, uint64_t /*keys*/, uint64_t /*expiring*/) override {}
  bool on_function(ByteView /*source*/) override { return true; }

 private:
  Heap& heap_;
};

class SnapshotReader {
 public:
  enum class State : uint8_t { kReading, kDone, kFailed };

  enum class Checksum : uint8_t { kCompared, kIgnored };

  SnapshotReader(SnapshotSink& sink, const ValueTarget& target,
                 Checksum checksum = Checksum::kCompared)
      : sink_(sink),
        target_(target),
        filters_(target.heap),
        ignores_checksum_(checksum == Checksum::kIgnored) {}

  // Takes bytes from the front of `chunk`: all of them while kReading. What follows a file that is
  // done is left.
  State feed(ByteView& chunk);
  // No more bytes will come: a file that is not done has failed.
  State end();

  State state() const { return state_; }
  // Of a file that failed.
  const char* reason() const { return reason_.c_str(); }
  uint64_t offset() const { return offset_; }

  // 0 before the head has been read.
  unsigned version() const { return version_; }
  uint64_t keys() const { return keys_; }
  uint64_t empty_skipped() const { return empty_skipped_; }
  // Bytes that have been taken, those that wait included.
  uint64_t bytes_taken() const { return record_offset_ + waiting_.size(); }

 private:
  enum class Part : uint8_t { kHead, kRecord, kChecksum };

  // As many as the memory of a core fetches at once.
  static constexpr size_t kBatch = 12;

  // Reads whole records from the front of `chunk`, at most kBatch; how many bytes they are.
  size_t read_batch(ByteView chunk);
  void tell_key(ByteView record);
  // How many bytes of the next part there are at the front of `bytes`; 0 if it is not whole.
  size_t whole_part(ByteView bytes);
  size_t whole_record(ByteView bytes);
  void forget_waiting();
  void read_part(ByteView bytes);
  void read_head(ByteView bytes);
  void read_checksum(ByteView bytes);
  void read_record(ByteView bytes);
  void read_opcode(RdbOpcode opcode, RdbReader& in);
  void read_aux(RdbReader& in);
  void read_filter(ByteView text, RdbReader& in);
  void read_key(RdbType type, RdbReader& in);
  void read_checked_value(RdbType type, const SnapshotKey& key, RdbReader& in);
  void fail(std::string reason, uint64_t offset);

  SnapshotSink& sink_;
  ValueTarget target_;
  FilterIntake filters_;
  bool ignores_checksum_;
  State state_ = State::kReading;
  Part part_ = Part::kHead;
  RecordScanner scanner_;
  bool scanning_ = false;
  std::string waiting_;         // a part that is not whole
  uint64_t record_offset_ = 0;  // of the part that comes next
  uint64_t checksum_ = 0;       // of all before it
  SnapshotKey next_;            // what is known of the key that comes next
  std::string key_scratch_;
  std::string scratch_;
  unsigned version_ = 0;
  uint64_t keys_ = 0;
  uint64_t empty_skipped_ = 0;
  std::string reason_;
  uint64_t offset_ = 0;
};

// What is wrong with a file, where, and why, in one line; empty for a good one.
std::string describe_problem(ByteView file, const SnapshotReader& reader);

}  // namespace ouro
