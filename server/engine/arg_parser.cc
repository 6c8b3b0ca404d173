// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/arg_parser.h"

#include <cmath>

#include "datastructs/codec/number_text.h"

namespace ouro {

bool equals_ignoring_case(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const char x = a[i] >= 'a' && a[i] <= 'z' ? static_cast<char>(a[i] - 32) : a[i];
    const char y = b[i] >= 'a' && b[i] <= 'z' ? static_cast<char>(b[i] - 32) : b[i];
    if (x != y) return false;
  }
  return true;
}

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
