// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/check_snapshot.h"

#include <cstring>

#include "persistence/snapshot_reader.h"
#include "server/io/blocking_file.h"

namespace ouro {

bool check_snapshot(const std::string& path, std::string& report) {
  Heap heap;
  const Limits limits;
  SnapshotCheck sink(heap);
  SnapshotReader reader(sink, {heap, limits, {}});
  const int error = read_in_pieces(
      path, [&](ByteView piece) { return reader.feed(piece) == SnapshotReader::State::kReading; });
  if (error != 0) {
    report = "Cannot read " + path + ": " + strerrordesc_np(error);
    return false;
  }
  if (reader.end() != SnapshotReader::State::kDone) {
    report = describe_problem(path, reader);
    return false;
  }
  report = path + " is whole: RDB version " + std::to_string(reader.version()) + ", " +
           std::to_string(reader.keys()) + " keys, " + std::to_string(reader.bytes_taken()) +
           " bytes";
  if (const uint64_t empty = reader.empty_skipped(); empty > 0)
    report += "; " + std::to_string(empty) + " keys without elements, which are not loaded";
  return true;
}

}  // namespace ouro
