// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_check.h"

#include <algorithm>

namespace ouro {

AofFileReport check_file(const AofLoad& load, const AofReader& reader) {
  AofFileReport report;
  const std::string diff = std::to_string(load.bytes - std::min(load.bytes, reader.ok_up_to()));
  report.is_valid = reader.state() == AofReader::State::kDone;
  if (!report.is_valid) report.lines.push_back(describe_problem(load.name, reader));
  report.lines.push_back(
      "AOF analyzed: filename=" + load.name + ", size=" + std::to_string(load.bytes) +
      ", ok_up_to=" + std::to_string(reader.ok_up_to()) +
      ", ok_up_to_line=" + std::to_string(reader.ok_up_to_line()) + ", diff=" + diff);
  if (report.is_valid) {
    report.lines.push_back((load.is_base ? "BASE AOF " : "INCR AOF ") + load.name +
                           (load.bytes == 0 ? " is empty" : " is valid"));
    return report;
  }
  if (reader.state() == AofReader::State::kBadPreamble) {
    report.lines.emplace_back("RDB preamble of AOF file is not sane, aborting.");
  } else if (reader.state() == AofReader::State::kDamaged && reader.ok_up_to() == 0) {
    report.lines.push_back("Nothing at the beginning of AOF " + load.name +
                           " is good: it is not cut to nothing");
  } else if (!load.is_last) {
    report.lines.push_back("Failed to truncate AOF " + load.name +
                           " because it is not the last file");
  } else {
    report.fix_to = reader.ok_up_to();
    report.lines.push_back("This will shrink the AOF " + load.name + " from " +
                           std::to_string(load.bytes) + " bytes, with " + diff + " bytes, to " +
                           std::to_string(reader.ok_up_to()) + " bytes");
  }
  return report;
}

}  // namespace ouro
