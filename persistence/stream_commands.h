// SPDX-License-Identifier: BSD-3-Clause
// StreamCommands: the commands that make a stream, in pieces:
//
//      XADD of each entry; of a stream without any XADD ... MAXLEN 0, which leaves the key
//      XSETID           what is known of the whole
//      of each group    XGROUP CREATE, XGROUP CREATECONSUMER of each consumer, and XCLAIM of what
//      is
//                       pending of it
//
// As Redis 7.0's rewrite has it, but that a consumer is made also when something is pending of it.
// Of entries that are pending and have gone XCLAIM makes nothing, in Redis as here.
#pragma once

#include <string>
#include <vector>

#include "datastructs/stream.h"

namespace ouro {

class StreamCommands {
 public:
  // The stream stays as it is until all is written: it may be a share.
  StreamCommands(const Stream& stream, ByteView key) : stream_(stream), key_(key), nodes_(stream) {}
  // Appends the next piece and lowers the budget by what it cost (write_budget.h); true when it was
  // the last.
  bool next(size_t& budget, std::string& to);

 private:
  enum class Step : uint8_t { kNodes, kGroups, kConsumers, kDone };
  static constexpr size_t kPendingAtOnce = 64;

  void node(std::string& to);
  void whole(std::string& to);
  void group(std::string& to);
  void consumer(std::string& to);

  const Stream& stream_;
  std::string key_;
  StreamNodeCursor nodes_;
  Step step_ = Step::kNodes;
  std::vector<const StreamGroup*> groups_;
  std::vector<const StreamConsumer*> consumers_;  // of the group
  size_t group_ = 0;
  size_t consumer_ = 0;
  StreamId pending_from_;  // of the consumer
};

}  // namespace ouro
