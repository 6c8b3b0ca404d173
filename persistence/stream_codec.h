// SPDX-License-Identifier: BSD-3-Clause
// Streams in RDB: their nodes, what is known of the whole, and the groups.
//
//   nodes     count, of each: string of 16 bytes, the id that its entries' are counted from | a
//   listpack whole     entries | last id | [2: first id | highest id deleted | entries that ever
//   came] groups    count, of each: name | last id | [2: entries read]
//               pending      count, of each: id | when, 8 bytes | how often
//               consumers    count, of each: name | seen, 8 bytes | [3: active, 8 bytes] | count,
//               ids
//
//   listpack  live, gone, field count, fields ..., 0, entries
//   entry     flags (1: gone, 2: the fields above) | ms since the node's | seq since it |
//             [field count] | [field] value ... | elements of this entry
//
// An id is two lengths, in nodes and lists of pending 16 bytes, high ones first. Written is the
// second version, of Redis 7.0, and no entries that have gone. Read are all three; a node stays one
// node, so that what its entries share is shared here, too, and Redis's trimming by nodes goes on.
// Refused are ids out of order, entries without fields, counts that do not fit, and pending entries
// that are no consumer's or several ones'.
//
// RdbStreamWriter writes a stream in pieces, for who cannot do all of it in one turn: a node, or 64
// pending entries. Only the pointers to all groups, and to all consumers of one, are taken at once;
// and a node whose one entry is large is encoded as a whole, as it was appended.
#pragma once

#include <vector>

#include "datastructs/stream.h"
#include "persistence/listpack_writer.h"
#include "persistence/rdb_writer.h"
#include "persistence/value_target.h"

namespace ouro {

void write_stream(const Stream& stream, RdbWriter& out);

class RdbStreamWriter {
 public:
  // The stream stays as it is until all is written: it may be a share.
  explicit RdbStreamWriter(const Stream& stream) : stream_(stream), nodes_(stream) {}
  // Appends the next piece and lowers the budget by what it cost (write_budget.h); true when it was
  // the last.
  bool next(size_t& budget, RdbWriter& out);

 private:
  enum class Step : uint8_t {
    kBegin,
    kNodes,
    kGroup,
    kPending,
    kConsumer,
    kConsumerPending,
    kDone
  };
  using ConsumerPending = decltype(StreamConsumer::pending);

  // Pending entries that one piece has.
  static constexpr size_t kPendingAtOnce = 64;

  size_t node(RdbWriter& out);
  void info(RdbWriter& out);
  void next_group();
  void group(RdbWriter& out);
  size_t pending(RdbWriter& out);
  void end_pending(RdbWriter& out);
  void consumer(RdbWriter& out);
  size_t consumer_pending(RdbWriter& out);

  const Stream& stream_;
  StreamNodeCursor nodes_;
  ListpackWriter scratch_;  // what a node's listpack is built in
  Step step_ = Step::kBegin;
  std::vector<const StreamGroup*> groups_;        // all of them
  std::vector<const StreamConsumer*> consumers_;  // of the group that is written
  size_t group_ = 0;
  size_t consumer_ = 0;
  StreamId pending_from_;  // of the group
  ConsumerPending::Place place_;
};

// What was read before something was wrong is the caller's to free.
Stream read_stream(RdbType type, RdbReader& in, const ValueTarget& to);

}  // namespace ouro
