// SPDX-License-Identifier: BSD-3-Clause
// What no Redis 7.0 knows: sets and sorted sets whose members have deadlines, and streams with
// entries that a consumer has released, or with idempotent producers. They are values of a module
// of our own, "ouro-data". Behind its id stand
//
//      unsigned kind (1 set, 2 sorted set) | unsigned count | of each member: string |
//      (2: double score) | signed deadline, -1 for none
//
//      unsigned kind (3 stream) | unsigned groups | strings, up to an empty one: the stream without
//      all this, as kStream2, in pieces | of each group: unsigned count, of each released entry:
//      ms, seq, deliveries (unsigned each), in the order of their release | producers: 0, or 1 and
//      seconds that their records are kept, records a producer, added and duplicates ever, count
//      (unsigned each), of each record, oldest first: string producer, string its name, unsigned
//      ms, seq
//
// and the module's end. Without such members, entries or producers they are written as in Redis
// (set_codec.h, zset_codec.h, stream_codec.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/keyspace/value.h"
#include "persistence/rdb_writer.h"
#include "persistence/stream_codec.h"
#include "persistence/value_target.h"

namespace ouro {

bool is_only_ours(const Stream& stream);

// From the module's id to its end; each member can be written by itself.
void begin_timed_set(const Set& set, RdbWriter& out);
void begin_timed_zset(const ZSet& zset, RdbWriter& out);
void write_timed_member(ByteView member, UnixMs deadline, RdbWriter& out);
struct TimedElement {
  ByteView member;
  double score;
  UnixMs deadline;
};
void write_timed_element(const TimedElement& element, RdbWriter& out);
void write_timed(const Set& set, RdbWriter& out);
void write_timed(const ZSet& zset, RdbWriter& out);
void write_timed(const Stream& stream, RdbWriter& out);

// The same for a stream in pieces, as RdbStreamWriter does for other streams.
void begin_timed_stream(const Stream& stream, RdbWriter& out);
class TimedStreamWriter {
 public:
  // Behind begin_timed_stream(). The stream stays as it is until all is written.
  explicit TimedStreamWriter(const Stream& stream);
  TimedStreamWriter(const TimedStreamWriter&) = delete;
  TimedStreamWriter& operator=(const TimedStreamWriter&) = delete;
  bool next(size_t& budget, RdbWriter& out);

 private:
  enum class Step : uint8_t { kStream, kGroup, kReleased, kProducers, kRecords, kDone };
  // Released entries or records that one piece has.
  static constexpr size_t kAtOnce = 64;

  void stream(size_t& budget, RdbWriter& out);
  void released(RdbWriter& out);
  void producers(RdbWriter& out);
  void records(RdbWriter& out);

  const Stream& stream_;
  std::string inner_bytes_;
  RdbWriter inner_out_;
  RdbStreamWriter inner_;
  Step step_ = Step::kStream;
  std::vector<const StreamGroup*> groups_;
  size_t group_ = 0;
  UnixMs released_at_ = INT64_MIN;  // from where on released entries are to be written
  StreamId released_from_;
  StreamProducers::Place place_;
  size_t records_left_ = 0;
};

// Behind the module's id, up to its end, which is not read. Nothing, after refuse(), if it is
// wrong.
std::optional<Value> read_timed(RdbReader& in, const ValueTarget& to);

}  // namespace ouro
