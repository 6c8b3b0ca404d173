// SPDX-License-Identifier: BSD-3-Clause
// The parts of DEBUG: a row each subcommand, in the file of its theme. debug.cc joins the tables.
#pragma once

#include <cstddef>
#include <span>

#include "server/engine/context.h"

namespace ouro {

struct DebugRow {
  ByteView name;
  size_t words_min, words_max;  // DEBUG and the name included
  Status (*run)(Context&);
  ByteView arguments;
  ByteView help;
};

extern const std::span<const DebugRow> kDebugEnds;    // debug_ends.cc
extern const std::span<const DebugRow> kDebugShapes;  // debug_shapes.cc

}  // namespace ouro
