// SPDX-License-Identifier: BSD-3-Clause
// Reads an RDB file from standard input and writes what is in it to standard output, as ouro writes
// it: all of the way through the databases of a server. snapshot_test.py gives both to
// redis-server.
#include <cstdio>
#include <string>

#include "persistence/snapshot_reader.h"
#include "persistence/snapshot_writer.h"

namespace {

using namespace ouro;  // a program of one file

constexpr uint32_t kDatabases = 16;
constexpr size_t kChunkBytes = 64 * 1024;

// Puts into databases what is read. What eviction goes by stands in Entry::access.
class Filler final : public SnapshotSink, public AccessHints {
 public:
  explicit Filler(Databases& databases) : databases_(databases) {}

  bool on_string(const SnapshotKey& key, ByteView text) override {
    if (key.db >= kDatabases) return false;
    Keyspace& db = databases_[key.db];
    note(key, *db.put_string(db.key(key.key), nullptr, text, key.deadline));
    return true;
  }
  bool on_value(const SnapshotKey& key, Value value) override {
    if (key.db >= kDatabases) return false;
    Keyspace& db = databases_[key.db];
    const Key name = db.key(key.key);
    Entry& entry = *db.put_value(name, nullptr, value, key.deadline);
    const UnixMs when = entry.next_element_deadline();
    if (when != kNever) db.note_element_deadline(name, when);
    note(key, entry);
    return true;
  }
  void on_empty(const SnapshotKey& /*key*/) override {}
  bool on_absent(DbIndex db, const AbsentKey& absent) override {
    return db < kDatabases && absent.key.empty();  // Redis writes none
  }
  void on_filter(ByteView /*prefix*/, std::unique_ptr<KeyFilter> /*filter*/) override {
  }  // nor these
  void on_aux(ByteView name, ByteView value) override { facts.aux.emplace_back(name, value); }
  void on_size(DbIndex /*db*/, uint64_t /*keys*/, uint64_t /*expiring*/) override {}
  bool on_function(ByteView source) override {
    facts.functions.emplace_back(source);
    return true;
  }

  std::optional<uint64_t> idle_seconds(const Entry& entry) const override {
    return has_idle_ ? std::optional<uint64_t>(entry.access()) : std::nullopt;
  }
  std::optional<uint8_t> frequency(const Entry& entry) const override {
    return has_frequency_ ? std::optional<uint8_t>(entry.access()) : std::nullopt;
  }

  SnapshotFacts facts;

 private:
  void note(const SnapshotKey& key, Entry& entry) {
    if (key.idle_seconds) entry.set_access(static_cast<uint32_t>(*key.idle_seconds));
    if (key.frequency) entry.set_access(*key.frequency);
    has_idle_ |= key.idle_seconds.has_value();
    has_frequency_ |= key.frequency.has_value();
  }

  Databases& databases_;
  bool has_idle_ = false;
  bool has_frequency_ = false;
};

bool read_all(Filler& filler, const ValueTarget& target) {
  SnapshotReader reader(filler, target);
  char bytes[kChunkBytes];
  size_t count = 0;
  while (reader.state() == SnapshotReader::State::kReading &&
         (count = std::fread(bytes, 1, sizeof bytes, stdin)) > 0) {
    ByteView chunk(bytes, count);
    reader.feed(chunk);
  }
  if (reader.end() == SnapshotReader::State::kDone) return true;
  std::fprintf(stderr, "at byte %llu: %s\n", static_cast<unsigned long long>(reader.offset()),
               reader.reason());
  return false;
}

void write_all(Databases& databases, const Filler& filler) {
  SnapshotWriter writer(databases, filler.facts, {.hints = &filler});
  std::string chunk;
  while (!writer.is_done()) {
    size_t budget = 100;
    writer.next_chunk(kChunkBytes, budget, chunk);
    std::fwrite(chunk.data(), 1, chunk.size(), stdout);
    chunk.clear();
  }
}

}  // namespace

int main() {
  ouro::Heap heap;
  const ouro::Limits limits;
  ouro::Databases databases(heap, {}, kDatabases);
  Filler filler(databases);
  if (!read_all(filler, {heap, limits, {}})) return 1;
  write_all(databases, filler);
  return std::fflush(stdout) == 0 ? 0 : 1;
}
