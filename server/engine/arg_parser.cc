// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/arg_parser.h"

#include <cmath>

#include "datastructs/codec/number_text.h"

namespace ouro {

Result<int64_t> parse_integer(ByteView text) {
  const auto value = parse_int64(text);
  if (!value) return Err::kNotAnInteger;
  return *value;
}

Result<double> parse_real(ByteView text) {
  const auto value = parse_double(text);
  if (!value || std::isnan(*value)) return Err::kNotAFloat;
  return *value;
}

int64_t ArgParser::integer() {
  const Result<int64_t> value = parse_integer(next());
  if (!value.is_ok()) {
    fail(value.err());
    return 0;
  }
  return *value;
}

double ArgParser::real() {
  const Result<double> value = parse_real(next());
  if (!value.is_ok()) {
    fail(value.err());
    return 0;
  }
  return *value;
}

}  // namespace ouro
