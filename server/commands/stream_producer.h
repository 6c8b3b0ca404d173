// SPDX-License-Identifier: BSD-3-Clause
// What makes XADD idempotent: who adds the entry, and by which name it is known to be the same one.
#pragma once

#include <array>

#include "server/commands/stream_parts.h"
#include "server/commands/stream_trim.h"

namespace ouro {

class ProducerName {
 public:
  // Without a name of its own an entry is named by its fields and values, in whatever order.
  // Requires: the options have idempotence.
  ProducerName(const StreamOptions& options, Argv pairs);

  ByteView producer() const { return options_.idempotence[1]; }
  ByteView name() const {
    return options_.names_itself() ? options_.idempotence[2]
                                   : ByteView(content_.data(), content_.size());
  }

 private:
  const StreamOptions& options_;
  std::array<char, 16> content_;
};

// Answers with the id of the entry if the producer has added it already; else false. In a log it is
// the same only if it has the same id.
bool reply_duplicate(Context& ctx, const Stream& stream, const ProducerName& producer,
                     const StreamOptions& options);
// The producer has added this entry.
void note_produced(Context& ctx, Stream& stream, const ProducerName& producer, StreamId id);

}  // namespace ouro
