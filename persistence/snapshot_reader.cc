// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/snapshot_reader.h"

#include <utility>

#include "datastructs/codec/checksum.h"
#include "datastructs/codec/quoted.h"

namespace ouro {
namespace {

constexpr ByteView kMagic = "REDIS";
constexpr size_t kHeadBytes = 9;
constexpr size_t kChecksumBytes = 8;
// A buffer that a large value has made larger than this is given back.
constexpr size_t kWaitingKeptMax = 1_MiB;
constexpr uint8_t kFirstOpcode = static_cast<uint8_t>(RdbOpcode::kSlotInfo);
constexpr size_t kNameShownMax = 128;

}  // namespace

std::string SnapshotKey::shown_name() const {
  std::string name;
  append_quoted(name, key.substr(0, kNameShownMax));
  return name.substr(1, name.size() - 2);
}

bool SnapshotCheck::on_value(const SnapshotKey& /*key*/, Value value) {
  size_t budget = SIZE_MAX;
  value.free_some(heap_, budget);
  return true;
}

void SnapshotReader::fail(std::string reason, uint64_t offset) {
  if (state_ == State::kFailed) return;
  state_ = State::kFailed;
  reason_ = std::move(reason);
  offset_ = offset;
}

SnapshotReader::State SnapshotReader::feed(ByteView& chunk) {
  while (state_ == State::kReading && !chunk.empty()) {
    if (const size_t size = read_batch(chunk); size > 0) {
      chunk.remove_prefix(size);
      continue;
    }
    // Straight from the chunk while nothing waits; else the chunk joins what does.
    const bool direct = waiting_.empty();
    const size_t waited = waiting_.size();
    if (!direct) waiting_ += chunk;
    const ByteView bytes = direct ? chunk : ByteView(waiting_);
    const size_t size = whole_part(bytes);
    if (size == 0) {
      if (direct) waiting_ = chunk;
      chunk = {};
      break;
    }
    read_part(bytes.substr(0, size));
    chunk.remove_prefix(size - waited);
    forget_waiting();
  }
  return state_;
}

// What is not whole or is damaged is left to be found again when it comes first.
size_t SnapshotReader::read_batch(ByteView chunk) {
  if (part_ != Part::kRecord || !waiting_.empty()) return 0;
  std::array<ByteView, kBatch> records;
  size_t count = 0;
  for (ByteView rest = chunk; count < kBatch && !rest.empty(); ++count) {
    const bool begins = scanner_.begin(static_cast<uint8_t>(rest[0]));
    if (!begins || scanner_.scan(rest) != RdbReader::State::kOk) break;
    records[count] = rest.substr(0, scanner_.size());
    rest.remove_prefix(scanner_.size());
    tell_key(records[count]);
  }
  size_t bytes = 0;
  // Behind the end mark there are no records.
  for (size_t i = 0; i < count && state_ == State::kReading && part_ == Part::kRecord; ++i) {
    read_part(records[i]);
    bytes += records[i].size();
  }
  return bytes;
}

void SnapshotReader::tell_key(ByteView record) {
  if (static_cast<uint8_t>(record[0]) >= kFirstOpcode) return;
  RdbReader in(record.substr(1));
  const ByteView key = in.string(key_scratch_);
  if (in.ok()) sink_.on_coming(next_.db, key);
}

void SnapshotReader::forget_waiting() {
  waiting_.clear();
  if (waiting_.capacity() > kWaitingKeptMax) waiting_.shrink_to_fit();
}

SnapshotReader::State SnapshotReader::end() {
  if (state_ == State::kReading) fail("the file ends here, before its end mark", bytes_taken());
  return state_;
}

size_t SnapshotReader::whole_part(ByteView bytes) {
  switch (part_) {
    case Part::kHead:
      return bytes.size() >= kHeadBytes ? kHeadBytes : 0;
    case Part::kRecord:
      return whole_record(bytes);
    case Part::kChecksum:
      return bytes.size() >= kChecksumBytes ? kChecksumBytes : 0;
  }
  return 0;
}

size_t SnapshotReader::whole_record(ByteView bytes) {
  if (!scanning_ && !scanner_.begin(static_cast<uint8_t>(bytes[0]))) {
    fail("no record or value begins so", record_offset_);
    return 0;
  }
  scanning_ = true;
  switch (scanner_.scan(bytes)) {
    case RdbReader::State::kOk:
      scanning_ = false;
      return scanner_.size();
    case RdbReader::State::kNeedsMore:
      return 0;
    case RdbReader::State::kCorrupt:
    case RdbReader::State::kEmpty:
      fail(scanner_.reason(), record_offset_ + scanner_.size());
  }
  return 0;
}

void SnapshotReader::read_part(ByteView bytes) {
  switch (part_) {
    case Part::kHead:
      read_head(bytes);
      break;
    case Part::kRecord:
      read_record(bytes);
      break;
    case Part::kChecksum:
      read_checksum(bytes);
      break;
  }
  record_offset_ += bytes.size();
}

void SnapshotReader::read_head(ByteView bytes) {
  if (bytes.substr(0, kMagic.size()) != kMagic) return fail("no RDB file begins so", 0);
  unsigned version = 0;
  for (const char digit : bytes.substr(kMagic.size())) {
    if (digit < '0' || digit > '9') return fail("the version is no number", kMagic.size());
    version = version * 10 + static_cast<unsigned>(digit - '0');
  }
  if (version < 1 || version > kRdbVersionReadMax)
    return fail("the version is one that is not read here", kMagic.size());
  version_ = version;
  checksum_ = crc64(0, bytes);
  part_ = Part::kRecord;
}

void SnapshotReader::read_checksum(ByteView bytes) {
  const auto stored = RdbReader(bytes).fixed<uint64_t>();
  if (stored != 0 && stored != checksum_ && !ignores_checksum_)
    return fail("CRC error: the checksum is not that of the file", record_offset_);
  state_ = State::kDone;
}

void SnapshotReader::read_record(ByteView bytes) {
  checksum_ = crc64(checksum_, bytes);
  RdbReader in(bytes, record_offset_);
  const uint8_t first = in.byte();
  if (first >= kFirstOpcode) {
    read_opcode(static_cast<RdbOpcode>(first), in);
  } else {
    read_key(static_cast<RdbType>(first), in);
  }
  if (!in.ok()) fail(in.reason(), in.offset());
}

void SnapshotReader::read_opcode(RdbOpcode opcode, RdbReader& in) {
  switch (opcode) {
    case RdbOpcode::kSlotInfo:
    case RdbOpcode::kModuleAux:
      return;
    case RdbOpcode::kFunction: {
      const ByteView source = in.string(scratch_);
      if (in.ok() && !sink_.on_function(source)) in.refuse("a library of functions was refused");
      return;
    }
    case RdbOpcode::kFunctionOfCandidates:
      return in.refuse("functions as release candidates of 7.0 wrote them");
    case RdbOpcode::kIdle:
      next_.idle_seconds = in.length();
      return;
    case RdbOpcode::kFrequency:
      next_.frequency = in.byte();
      return;
    case RdbOpcode::kAux:
      return read_aux(in);
    case RdbOpcode::kResize: {
      const uint64_t keys = in.length();
      const uint64_t expiring = in.length();
      return sink_.on_size(next_.db, keys, expiring);
    }
    case RdbOpcode::kExpiryMillis:
      next_.deadline = in.fixed<int64_t>();
      in.check(next_.deadline >= 0, "an expiry is negative");
      return;
    case RdbOpcode::kExpirySeconds:
      next_.deadline = int64_t{in.fixed<int32_t>()} * 1000;
      in.check(next_.deadline >= 0, "an expiry is negative");
      return;
    case RdbOpcode::kSelect: {
      const uint64_t db = in.length();
      if (in.check(db <= INT32_MAX, "the index of a database is too large"))
        next_.db = static_cast<DbIndex>(db);
      return;
    }
    case RdbOpcode::kEnd:
      if (!in.check(!filters_.is_under_way(), "a filter of keys is not whole")) return;
      part_ = Part::kChecksum;
      if (version_ < kRdbVersionChecksum) state_ = State::kDone;
      return;
  }
}

void SnapshotReader::read_aux(RdbReader& in) {
  const ByteView name = in.string(key_scratch_);
  const ByteView value = in.string(scratch_);
  if (!in.ok()) return;
  if (name == kFillFact) {
    const auto fill = parse_fill(value);
    if (in.check(fill.has_value(), "what is told of a key cannot be read")) next_.fill = *fill;
  } else if (name == kAbsentFact) {
    const auto absent = parse_absent(value);
    if (!in.check(absent.has_value(), "what is told of an absent key cannot be read")) return;
    if (!sink_.on_absent(next_.db, *absent)) in.refuse("what is told of an absent key was refused");
  } else if (name == kFilterFact) {
    read_filter(value, in);
  } else {
    sink_.on_aux(name, value);
  }
}

void SnapshotReader::read_filter(ByteView text, RdbReader& in) {
  const auto piece = parse_filter(text);
  if (!in.check(piece.has_value(), "a piece of a filter cannot be read")) return;
  if (!filters_.take(*piece).is_ok()) {
    std::string name;
    append_quoted(name, piece->prefix.substr(0, kNameShownMax));
    return fail("the filter of the rule " + name + " is damaged in its piece at " +
                    std::to_string(piece->position),
                in.offset());
  }
  if (filters_.is_whole()) sink_.on_filter(filters_.prefix(), filters_.finish());
}

void SnapshotReader::read_key(RdbType type, RdbReader& in) {
  SnapshotKey key = next_;
  next_ = {.db = key.db};
  key.key = in.string(key_scratch_);
  if (!in.ok()) return;
  if (type == RdbType::kString) {
    const ByteView text = in.string(scratch_);
    if (in.ok() && !sink_.on_string(key, text)) in.refuse("a key was refused");
    if (in.ok()) ++keys_;
    return;
  }
  read_checked_value(type, key, in);
}

void SnapshotReader::read_checked_value(RdbType type, const SnapshotKey& key, RdbReader& in) {
  const auto value = read_value(type, in, target_);
  if (in.state() == RdbReader::State::kEmpty) {
    ++empty_skipped_;
    sink_.on_empty(key);
    // What is wrong is only that nothing is in it.
    in = RdbReader({});
    return;
  }
  if (!value) {
    return fail(describe_refusal(type, in) + ", of key " + key.shown_name() + " in database " +
                    std::to_string(key.db),
                in.offset());
  }
  if (!sink_.on_value(key, *value)) return in.refuse("a key was refused");
  ++keys_;
}

std::string describe_problem(ByteView file, const SnapshotReader& reader) {
  if (reader.state() != SnapshotReader::State::kFailed) return {};
  return "The RDB file " + std::string(file) + " is damaged at offset " +
         std::to_string(reader.offset()) + ": " + reader.reason();
}

}  // namespace ouro
