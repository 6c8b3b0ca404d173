// SPDX-License-Identifier: BSD-3-Clause
// The filters by which CLIENT LIST and CLIENT KILL choose clients.
//
// All filters of a command must agree; NOT- before a filter's word turns it around. Views point
// into the command's words.
#pragma once

#include <vector>

#include "server/engine/context.h"

namespace ouro {

class Session;
struct ClientFilter;  // a row of the table of filters

struct ClientSelection {
  // Where Redis's two commands read the same words differently.
  enum class For : uint8_t { kList, kKill };
  // A filter as it was given.
  struct Choice {
    const ClientFilter* filter;
    bool negated = false;
    ByteView text = {};
    int64_t number = 0;              // of those that read one
    std::vector<uint64_t> ids = {};  // of ID
  };

  std::vector<Choice> choices;
  bool skips_me = false;

  // Reads the filters behind the subcommand's name.
  Status parse(Context& ctx, For command);
  // CLIENT KILL ip:port.
  void choose_address(ByteView address);
  // The ids when they are all that was said, else null.
  const std::vector<uint64_t>* only_ids() const;
  bool has(const Context& ctx, const Session& session) const;
};

}  // namespace ouro
