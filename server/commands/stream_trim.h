// SPDX-License-Identifier: BSD-3-Clause
// The options that XADD and XTRIM share: MAXLEN or MINID, exact or by whole nodes, and how much of
// it at once.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/stream.h"
#include "server/engine/context.h"

namespace ouro {

// What becomes of the references that groups have to an entry which is to go.
enum class StreamRefs : uint8_t {
  kKeep,   // they stay
  kDrop,   // they go, too
  kAcked,  // the entry goes only if there are none
};

// [NOMKSTREAM] [KEEPREF|DELREF|ACKED] [IDMP producer name|IDMPAUTO producer]
// [MAXLEN|MINID [=|~] threshold [LIMIT count]] and, of XADD, the id.
struct StreamOptions {
  std::optional<StreamTrim> trim;
  std::optional<StreamRefs> refs;  // kKeep if not given
  bool only_existing = false;
  // XADD IDMP producer name, or IDMPAUTO producer: these words as they stand; none if not given.
  Argv idempotence = {};
  bool names_itself() const { return idempotence.size() == 3; }
  size_t id_at = 0;                  // XADD: the argument that is the id; argc if there is none
  std::optional<ParsedStreamId> id;  // XADD: none for "*"
};

enum class StreamForm : uint8_t { kAdd, kTrim };
Result<StreamOptions> parse_stream_options(Context& ctx, StreamForm form);

// How a stream was trimmed, as a fact: "MAXLEN = length", in words of a command.
class TrimFact {
 public:
  TrimFact(const Stream& stream, const StreamOptions& options);
  // Whether the command as sent is no fact.
  static bool is_needed(const StreamOptions& options) {
    return options.refs || (options.trim && options.trim->whole_nodes);
  }
  // Nothing where entries went by their ids (ACKED).
  void append_to(std::vector<ByteView>& argv) const;

 private:
  ByteView strategy_;
  std::string threshold_;
};

}  // namespace ouro
