// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/snapshot_writer.h"

#include <algorithm>
#include <cstdio>

#include "datastructs/codec/checksum.h"
#include "persistence/value_codec.h"

namespace ouro {
namespace {

// Fields with deadlines need a later version; that members of other collections have some is told
// by the same count, and such files are read by ouro alone.
unsigned version_of(Databases& databases) {
  for (DbIndex db = 0; db < databases.count(); ++db) {
    if (databases[db].timed_count() > 0) return kRdbVersionTimed;
  }
  return kRdbVersion;
}

void write_magic(unsigned version, std::string& out) {
  char magic[16];
  std::snprintf(magic, sizeof magic, "REDIS%04u", version);
  out += magic;
}

void write_aux(ByteView name, ByteView value, RdbWriter& out) {
  out.opcode(RdbOpcode::kAux);
  out.string(name);
  out.string(value);
}

void write_facts(const SnapshotFacts& facts, RdbWriter& out) {
  for (const auto& [name, value] : facts.aux) write_aux(name, value, out);
  for (const std::string& source : facts.functions) {
    out.opcode(RdbOpcode::kFunction);
    out.string(source);
  }
}

class FilterFacts final : public FilterPart {
 public:
  FilterFacts(const SnapshotFacts::Filter& filter, const RdbWriter& out)
      : FilterPart(filter.prefix, *filter.filter), out_(out) {}

 private:
  void write(const FilterPiece& piece) override {
    write_aux(kFilterFact, filter_text(piece), out_);
  }

  RdbWriter out_;
};

}  // namespace

SnapshotWriter::SnapshotWriter(Databases& databases, const SnapshotFacts& facts,
                               const Options& options)
    : FrozenWriter(databases), options_(options), version_(version_of(databases)) {
  if (version_ > kRdbVersion) note_only_ours();
  write_head(facts);
}

void SnapshotWriter::select(DbIndex db, RdbWriter& out) {
  if (!changes_to(db)) return;
  out.opcode(RdbOpcode::kSelect);
  out.length(db);
}

void SnapshotWriter::write_head(const SnapshotFacts& facts) {
  std::string& bytes = tail();
  write_magic(version_, bytes);
  RdbWriter out(bytes, options_.packing);
  write_facts(facts, out);
  // Sizes are hints for whoever reads: all of them stand in front, since keys come in any order.
  for (const FrozenView::Frozen& frozen : this->frozen()) {
    select(frozen.db, out);
    out.opcode(RdbOpcode::kResize);
    out.length(frozen.keys);
    out.length(frozen.keys_with_deadline);
  }
  for (const SnapshotFacts::Filter& filter : facts.filters)
    follow(std::make_unique<FilterFacts>(filter, RdbWriter(tail(), options_.packing)));
}

void SnapshotWriter::write_hints(const Entry& entry, RdbWriter& out) const {
  if (options_.hints == nullptr) return;
  if (const auto idle = options_.hints->idle_seconds(entry)) {
    out.opcode(RdbOpcode::kIdle);
    out.length(*idle);
  }
  if (const auto uses = options_.hints->frequency(entry)) {
    out.opcode(RdbOpcode::kFrequency);
    out.byte(*uses);
  }
}

void SnapshotWriter::encode_absent(DbIndex db, const AbsentKey& absent, std::string& bytes) {
  RdbWriter out(bytes, options_.packing);
  select(db, out);
  write_aux(kAbsentFact, absent_text(absent), out);
}

FrozenWriter::Rest SnapshotWriter::encode(DbIndex db, Entry& entry, Standing standing,
                                          std::string& bytes) {
  RdbWriter out(bytes, options_.packing);
  select(db, out);
  if (entry.has_fill()) write_aux(kFillFact, fill_text(entry.fill()), out);
  if (entry.has_deadline()) {
    out.opcode(RdbOpcode::kExpiryMillis);
    out.fixed(end_of(entry, standing));
  }
  write_hints(entry, out);
  Rest rest{.part = begin_snapshot_part(heap(), lazy_free(), entry, out)};
  if (rest.part == nullptr) {
    const RdbType type = rdb_type_of(entry);
    out.type(type);
    out.string(entry.key());
    write_value(entry, type, out);
  }
  if (out.needs() != RdbDialect::kRedis || out.needs_version() > kRdbVersion) note_only_ours();
  CHECK(out.needs_version() <= version_);
  return rest;
}

void SnapshotWriter::on_bytes(ByteView bytes) {
  if (options_.checksum) checksum_ = crc64(checksum_, bytes);
}

void SnapshotWriter::write_end(std::string& out) {
  const auto end = static_cast<char>(RdbOpcode::kEnd);
  out += end;
  append_fixed(out, options_.checksum ? crc64(checksum_, {&end, 1}) : 0);
}

std::string functions_snapshot(const SnapshotFacts& facts) {
  std::string bytes;
  write_magic(kRdbVersion, bytes);
  RdbWriter out(bytes, RdbWriter::Packing::kNone);
  write_facts(facts, out);
  out.opcode(RdbOpcode::kEnd);
  append_fixed(bytes, crc64(0, bytes));
  return bytes;
}

}  // namespace ouro
