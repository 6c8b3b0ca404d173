// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes the reader of snapshot files: an input is a file, less its checksum if it has none. In any
// chunks it comes to the same end with the same contents, and what it refuses it names.
#include <string>

#include "datastructs/base/hash.h"
#include "fuzz_program.h"
#include "persistence/dump_payload.h"
#include "random_values.h"
#include "snapshot_text.h"

namespace {

using namespace ouro;  // a program of one file

struct Outcome {
  SnapshotReader::State state;
  uint64_t offset;
  std::string reason;
  std::vector<std::string> lines;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read_file(ByteView file, Prng* prng) {
  Heap heap;
  LazyFree lazy_free(heap);
  Limits limits;
  Outcome outcome;
  {
    Keyspace db(heap, HashSeed{}, lazy_free);
    SnapshotText sink(db);
    SnapshotReader reader(sink, {heap, limits, db.seed()});
    while (!file.empty() && reader.state() == SnapshotReader::State::kReading) {
      ByteView chunk = file.substr(0, prng == nullptr ? file.size() : 1 + prng->below(20));
      const size_t given = chunk.size();
      reader.feed(chunk);
      file.remove_prefix(given - chunk.size());
    }
    outcome = {reader.end(), reader.offset(), reader.reason(), std::move(sink.lines)};
  }
  CHECK(heap.used_bytes() == 0);
  return outcome;
}

void check_file(ByteView input) {
  Prng prng(hash_bytes(input, {}));
  const Outcome whole = read_file(input, nullptr);
  CHECK(whole.state != SnapshotReader::State::kReading);
  if (whole.state == SnapshotReader::State::kFailed) {
    CHECK(!whole.reason.empty());
    CHECK(whole.offset <= input.size());
  }
  CHECK(read_file(input, &prng) == whole);
}

// A record of some kind, with a value in it or a number.
std::string fragment(Prng& prng) {
  std::string out;
  RdbWriter writer(out, RdbWriter::Packing::kLzf);
  switch (prng.below(5)) {
    case 0:
      writer.byte(static_cast<uint8_t>(244 + prng.below(12)));
      writer.length(prng.next() >> prng.below(64));
      break;
    case 1:
      out = std::string("\xff\0\0\0\0\0\0\0\0", 9);
      break;
    case 2:
      writer.length(prng.next() >> prng.below(64));
      break;
    default: {
      Heap heap;
      LazyFree lazy_free(heap);
      Limits limits;
      Keyspace db(heap, HashSeed{}, lazy_free);
      RandomValues values(db, limits, prng.next());
      constexpr uint64_t kForms[] = {0, 2, 5, 6, 9, 12, 14, 16, 20};
      const Entry& entry = values.put("made", kForms[prng.below(std::size(kForms))]);
      const RdbType type = rdb_type_of(entry);
      writer.type(type);
      writer.string("key");
      write_value(entry, type, writer);
    }
  }
  return out;
}

}  // namespace

constinit const ouro::FuzzTarget ouro::kFuzzTarget = {
    .name = "snapshot_fuzz", .check = check_file, .fragment = fragment};
