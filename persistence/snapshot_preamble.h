// SPDX-License-Identifier: BSD-3-Clause
// SnapshotPreamble: lets AofReader read the snapshot that an append-only file may begin with. The
// base of a log is often nothing else.
#pragma once

#include "persistence/aof_reader.h"
#include "persistence/snapshot_reader.h"

namespace ouro {

class SnapshotPreamble final : public AofPreamble {
 public:
  SnapshotPreamble(SnapshotSink& sink, const ValueTarget& target) : reader_(sink, target) {}

  State feed(ByteView& bytes) override {
    switch (reader_.feed(bytes)) {
      case SnapshotReader::State::kReading:
        return State::kReading;
      case SnapshotReader::State::kDone:
        return State::kDone;
      case SnapshotReader::State::kFailed:
        return State::kFailed;
    }
    OURO_UNREACHABLE();
  }
  const char* reason() const override { return reader_.reason(); }
  uint64_t offset() const override { return reader_.offset(); }

 private:
  SnapshotReader reader_;
};

}  // namespace ouro
