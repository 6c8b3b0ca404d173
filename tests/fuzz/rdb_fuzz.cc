// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what reads values: an input is a type and the bytes behind it, as in a DUMP payload whose
// checksum is right. Whatever the bytes are: what is refused leaves nothing behind, what is
// accepted is a good value, takes no more memory than its bytes can justify, and is the same after
// it was written and read again.
#include <string>

#include "datastructs/codec/little_endian.h"
#include "datastructs/codec/lzf.h"
#include "fuzz_program.h"
#include "persistence/dump_payload.h"
#include "persistence/listpack_writer.h"
#include "persistence/value_codec.h"
#include "random_values.h"
#include "value_text.h"

namespace {

using namespace ouro;  // a program of one file

// Of each byte, packed or not; and what any value may take.
constexpr size_t kMemoryAByte = 64 * kLzfGrowthMax;
constexpr size_t kMemoryOfAny = 2_MiB;

const Entry* read_to(Keyspace& db, const Limits& limits, ByteView name, ByteView bytes) {
  RdbReader in(bytes);
  const auto type = static_cast<RdbType>(in.byte());
  const size_t used = db.heap().used_bytes();
  auto value = read_value(type, in, {db.heap(), limits, db.seed()});
  CHECK(value.has_value() == in.ok());
  CHECK(in.offset() <= bytes.size());
  if (!value) {
    CHECK(db.heap().used_bytes() == used);
    CHECK(in.reason()[0] != '\0');
    return nullptr;
  }
  CHECK(db.heap().peak_bytes() <= kMemoryOfAny + kMemoryAByte * bytes.size());
  return db.put_value(db.key(name), nullptr, *value, kNoExpiry);
}

// As a packed text, of as many bytes as its first two say.
void check_packed(ByteView input) {
  if (input.size() < 2) return;
  const auto bytes = take_fixed<uint16_t>(input);
  std::string text;
  CHECK(!unpack_lzf(input, bytes, text) || text.size() == bytes);
}

void check_value(ByteView input) {
  check_packed(input);
  Heap heap;
  LazyFree lazy_free(heap);
  Limits limits;
  if (!input.empty() && input.back() % 4 == 0) {
    limits.hash_packed_entries = limits.zset_packed_entries = limits.set_ints_entries = 2;
    limits.list_node_limit = 2;
    limits.list_compress_depth = 1;
  }
  Keyspace db(heap, HashSeed{}, lazy_free);
  const Entry* first = read_to(db, limits, "first", input);
  if (first == nullptr) return;
  if (!first->is_string()) first->visit([](const auto& its) { its.check_invariants(); });
  const std::string payload = dump_payload(*first, RdbWriter::Packing::kLzf);
  const auto body = open_payload(payload);
  CHECK(body.has_value());
  const Entry* second = read_to(db, limits, "second", *body);
  CHECK(second != nullptr);
  CHECK(value_text(*db.find(db.key("first"))) == value_text(*second));
}

// A value of some kind, a listpack, a number of some width.
std::string fragment(Prng& prng) {
  switch (prng.below(4)) {
    case 0: {
      Heap heap;
      LazyFree lazy_free(heap);
      Limits limits;
      Keyspace db(heap, HashSeed{}, lazy_free);
      RandomValues values(db, limits, prng.next());
      // Large ones would only be cut.
      constexpr uint64_t kForms[] = {0, 2, 5, 6, 9, 12, 14, 16, 20};
      const std::string payload = dump_payload(
          values.put("made", kForms[prng.below(std::size(kForms))]), RdbWriter::Packing::kLzf);
      return payload.substr(0, std::min<size_t>(payload.size() - 10, 3000));
    }
    case 1: {
      ListpackWriter packed;
      for (uint64_t left = prng.below(6); left > 0; --left)
        packed.append(static_cast<int64_t>(prng.next()) >> prng.below(64));
      std::string out;
      RdbWriter(out, RdbWriter::Packing::kNone).string(packed.finish());
      return out;
    }
    case 2: {
      std::string out;
      RdbWriter(out, RdbWriter::Packing::kNone).length(prng.next() >> prng.below(64));
      return out;
    }
    default: {
      std::string out;
      append_fixed(out, prng.next() >> prng.below(64));
      return out.substr(0, 1 + prng.below(8));
    }
  }
}

}  // namespace

constinit const ouro::FuzzTarget ouro::kFuzzTarget = {
    .name = "rdb_fuzz", .check = check_value, .fragment = fragment};
