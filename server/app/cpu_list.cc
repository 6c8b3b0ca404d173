// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/cpu_list.h"

#include "datastructs/codec/number_text.h"

namespace ouro {
namespace {

// What stands before `mark`, taken from the front of `text` with the mark; all of it if there is
// none.
ByteView take_until(char mark, ByteView& text) {
  const size_t at = text.find(mark);
  const ByteView part = text.substr(0, at);
  text.remove_prefix(at == ByteView::npos ? text.size() : at + 1);
  return part;
}

std::optional<uint32_t> parse_cpu(ByteView text) {
  const auto number = parse_digits(text);
  if (!number || *number >= kCpusMax) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

}  // namespace

std::optional<std::vector<uint32_t>> parse_cpu_list(ByteView text) {
  std::vector<uint32_t> cpus;
  while (!text.empty()) {
    ByteView range = take_until(',', text);
    const bool is_range = range.find('-') != ByteView::npos;
    const auto first = parse_cpu(take_until('-', range));
    const bool has_step = range.find(':') != ByteView::npos;
    const ByteView end = take_until(':', range);
    const auto last = is_range ? parse_cpu(end) : first;
    const auto step = has_step ? parse_cpu(range) : 1;
    if (!first || !last || !step || *last < *first || *step == 0) return std::nullopt;
    for (uint32_t cpu = *first; cpu <= *last; cpu += *step) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace ouro
