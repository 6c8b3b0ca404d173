// SPDX-License-Identifier: BSD-3-Clause
// AofLoading: takes in the files of a log, in their order, and judges each at its end.
//
//      Loader --bytes--> AofReader --commands--> Executor (Origin::kReplay)
//                            \ snapshot --> SnapshotLoad
//
// What is replayed is in the log already: the commit of effects is muted meanwhile.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "persistence/recovery.h"
#include "persistence/snapshot_preamble.h"
#include "server/app/loader.h"
#include "server/app/snapshot_contents.h"

namespace ouro {

class AofLoading final : public LoadSink {
 public:
  // `problem` is empty if all is loaded. `cut`: where the last file is to be cut to be good.
  struct Result {
    std::string problem = {};
    FileSteps cut = {};
    uint64_t base_bytes = 0;
    uint64_t last_bytes = 0;   // of the last file, once it is cut
    uint64_t other_bytes = 0;  // of those before
  };
  using Done = std::function<void(const Result&)>;

  // load_truncated: aof-load-truncated. `done` may destroy the loading.
  AofLoading(Engine& engine, const AofPaths& paths, std::vector<AofLoad> loads, bool load_truncated,
             Done done);
  ~AofLoading() override { engine_.commit.unmute(); }
  AofLoading(const AofLoading&) = delete;
  AofLoading& operator=(const AofLoading&) = delete;

  std::vector<LoadFile> files() const;

  void on_file(const LoadFile& file) override;
  bool on_bytes(ByteView bytes) override;
  bool on_file_end() override;
  void on_load_end(const LoadFile* failed, int error) override;
  uint64_t steps() const override;

 private:
  // Of the file that is being read.
  struct Reading {
    explicit Reading(Engine& engine)
        : contents(engine, {.use = SnapshotUse::kLogBase, .replaces = true}),
          preamble(contents, contents.target()),
          reader(&preamble) {}
    SnapshotLoad contents;
    SnapshotPreamble preamble;
    AofReader reader;
  };

  const AofLoad& load() const { return loads_[at_]; }
  Status apply(DbIndex db, Argv argv);

  Engine& engine_;
  AofPaths paths_;
  std::vector<AofLoad> loads_;
  bool load_truncated_;
  Done done_;
  Caller caller_{Origin::kReplay};
  size_t at_ = 0;
  std::optional<Reading> reading_;
  uint64_t commands_ = 0;
  Instant began_ = 0;
  Instant file_began_ = 0;
  Result result_;
};

}  // namespace ouro
