// SPDX-License-Identifier: BSD-3-Clause
// SnapshotDriver: the server's snapshot file. When one is made, how it takes the place of the one
// before, what is loaded at the start, and what INFO and the gates are told of it.
//
//      save points, SAVE, BGSAVE, the end --> SnapshotFile temp-NAME --> rename, sync the folder
//      start, DEBUG RELOAD                --> Loader --> SnapshotLoad --> databases
//
// One snapshot at a time. After a crash at any moment NAME is the old file or the new one, whole;
// what is left of temp-NAME is written over by the next. While one is written in the foreground
// (SAVE, DEBUG RELOAD, the end) no client's command runs: its asker waits in Engine::exclusive. A
// file that fails is tried again as Redis does: by save points after kRetryAfter.
//
// Not here: the bytes (persistence/), the one file being written (snapshot_file.h), slices of
// reading (loader.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/app/file_steps.h"
#include "server/app/held_name.h"
#include "server/app/loader.h"
#include "server/app/options.h"
#include "server/app/snapshot_contents.h"
#include "server/app/snapshot_file.h"
#include "server/engine/host.h"

namespace ouro {

class SnapshotDriver final : private LoadSink {
 public:
  // Told of the end of what was asked for; `problem` is empty if it is well. The log has the
  // reason.
  using Done = std::function<void(const std::string& problem)>;

  SnapshotDriver(Loop& loop, Loader& loader, Engine& engine, const AppOptions& options)
      : loop_(loop),
        loader_(loader),
        engine_(engine),
        options_(options),
        hints_(engine),
        steps_(loop),
        name_(loop, engine.log) {
    on_options_changed();
  }

  // Reads the file into empty databases; there may be none. `problem` is what a server says last
  // that ends because of it, as in Redis. Requires that the loader is idle.
  void load(Done done);
  // Once a turn. True if the next one shall come at once.
  bool turn();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  // `save` or stop-writes-on-bgsave-error has changed.
  void on_options_changed();

  // The file is this server's. False with a text if it is another's.
  bool hold(std::string& error) { return name_.take(options_.dir, options_.dbfilename, error); }

  // As Host says.
  Status save(Host::SaveRequest request, bool& scheduled, std::string& error);
  Host::CancelledSave cancel();
  Status reload(Host::ReloadRequest request, std::string& error);
  // A snapshot of now, which one that is being written makes way for.
  void save_at_end(Done done);
  void on_all_flushed();
  // Nothing more is begun; what is under way ends soon, without result.
  void stop();

  // ---- files of full syncs, which stay as snapshots of ours, as in Redis
  // Where one is written before it is whole: servers that share a folder have other ports.
  std::string path_of_sync() const;
  // What gives one that is whole the snapshot's name; nothing if that is another server's or has a
  // snapshot of later than `moment`, or if all was removed since.
  FileSteps steps_to_keep(const std::string& path, Instant moment);
  // Not even that one: nothing else is kept, and rdb-del-sync-files.
  bool removes_sync_files() const;
  // Other data are about to take the place of those that a snapshot is being made of.
  void on_data_replaced();

  bool has_save_points() const { return !save_points_.empty(); }
  bool is_idle() const { return file_ == nullptr && !steps_.busy() && !loader_.busy(); }

 private:
  enum class Purpose : uint8_t { kBackground, kForeground };
  // By save points, after one that failed.
  static constexpr Micros kRetryAfter = 5'000'000;

  bool is_saving() const { return file_ != nullptr; }
  void give_up();
  std::string path_of(ByteView name) const;
  void begin(Purpose purpose, Done done);
  void note_progress();
  void note_over();
  void put_in_place();
  void end(const std::string& problem);
  void begin_if_due();
  void save_flushed();
  void fail_to_begin(const std::string& problem);
  bool save_point_reached() const;

  // ---- LoadSink
  void on_file(const LoadFile& file) override;
  bool on_bytes(ByteView bytes) override;
  bool on_file_end() override;
  void on_load_end(const LoadFile* failed, int error) override;
  uint64_t steps() const override { return engine_.persistence.loading.keys_loaded; }

  // kStart is into empty databases too; kCheck: nothing is taken in.
  enum class LoadHow : uint8_t { kStart, kEmpty, kReplaces, kCheck };
  void begin_load(LoadHow how, Done done);
  void take_in_again(Host::ReloadRequest request);
  void end_reload(bool is_well);

  Loop& loop_;
  Loader& loader_;
  Engine& engine_;
  const AppOptions& options_;
  KeyHints hints_;
  FileStepRunner steps_;
  HeldName name_;
  struct SavePoint {
    int64_t seconds;
    uint64_t changes;
  };
  std::vector<SavePoint> save_points_;

  // ---- the snapshot that is being written
  std::unique_ptr<SnapshotFile> file_;
  Purpose purpose_ = Purpose::kBackground;
  std::string target_;  // what it will be called
  uint64_t changes_at_begin_ = 0;
  Done saved_;
  bool is_unwanted_ = false;  // it was given up, and is over but for its file
  bool is_flushed_ = false;   // a snapshot of that is to be made
  Instant flushed_at_ = 0;
  Instant tried_ = 0;
  bool is_stopped_ = false;
  Done next_save_;  // of the snapshot at the end, which waits for this one's end

  // ---- the loading
  struct Load {
    LoadHow how;
    SnapshotLoad sink;
    SnapshotCheck check;
    SnapshotReader reader;
    std::string path;
    std::string problem;
    Done done;
    Load(Engine& engine, LoadHow how_in, bool checks, std::string path_in, Done done_in)
        : how(how_in),
          sink(engine, {.replaces = how == LoadHow::kReplaces,
                        .keeps_due = engine.replication.follows(),
                        .restores_stream = how == LoadHow::kStart}),
          check(engine.heap),
          reader(how == LoadHow::kCheck ? static_cast<SnapshotSink&>(check) : sink, sink.target(),
                 checks ? SnapshotReader::Checksum::kCompared : SnapshotReader::Checksum::kIgnored),
          path(std::move(path_in)),
          done(std::move(done_in)) {}
  };
  std::optional<Load> load_;
  Instant load_began_ = 0;
};

}  // namespace ouro
