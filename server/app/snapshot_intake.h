// SPDX-License-Identifier: BSD-3-Clause
// SnapshotIntake: takes in the snapshot that a primary sends, in place of the data that are here.
//
//      kFile   --> checked while it is written to a file; whole: databases emptied, file loaded,
//                  which is the server's snapshot from then on
//      kEmpty  --> into the databases as it comes; there is nothing in them to lose
//      kSwap   --> into databases of its own, which change places with ours when it is whole
//
// So what is here is given up for nothing that is not whole. Clients are answered LOADING while
// databases fill; but where those of before are another moment of the same history, kSwap lets
// them be read meanwhile (async_loading).
// A node whose data are mixed has nobody's history: it gets one of its own before the first key
// goes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/app/file_steps.h"
#include "server/app/loader.h"
#include "server/app/options.h"
#include "server/app/snapshot_contents.h"
#include "server/app/snapshot_driver.h"
#include "server/app/written_file.h"

namespace ouro {

class SnapshotIntake final : private LoadSink {
 public:
  enum class How : uint8_t { kFile, kEmpty, kSwap };

  SnapshotIntake(Loop& loop, Loader& loader, SnapshotDriver& snapshots, Engine& engine,
                 const Options& options)
      : loop_(loop),
        loader_(loader),
        snapshots_(snapshots),
        engine_(engine),
        options_(options),
        op_(this, op_to<&SnapshotIntake::on_removed>()),
        steps_(loop) {}

  // As repl-diskless-load says.
  How how() const;
  // A snapshot of the stream `id`. Requires is_idle().
  void begin(How how, const ReplicationId& id);
  bool takes_more() const;
  // False: problem() says why, and nothing more is wanted.
  [[nodiscard]] bool feed(ByteView bytes);
  // All of it has come.
  [[nodiscard]] bool end();
  // Ends what is under way; nothing half loaded stays.
  void give_up(const std::string& why);
  // Once a turn.
  void turn();

  // Nothing is under way: none was begun, or the last one is done or has failed.
  bool is_idle() const {
    return stage_ == Stage::kIdle && file_ == nullptr && !op_.busy() && !steps_.busy();
  }
  // Of the last one: it is in its place.
  bool is_done() const { return is_done_; }
  const std::string& problem() const { return problem_; }
  // What is selected where its stream begins.
  DbIndex stream_db() const { return stream_db_; }
  const std::optional<Ballot>& ballot() const { return ballot_; }

 private:
  // The primary is held back while more than that waits for the disk.
  static constexpr size_t kWaitingBytesMax = 4_MiB;

  enum class Stage : uint8_t { kIdle, kReceiving, kWriting, kWaiting, kLoading };
  // What reads the bytes.
  struct Reading {
    Reading(Engine& engine, How how, bool compares, Databases* into,
            std::vector<std::string>* texts)
        : load(engine, {.into = into, .functions = texts, .keeps_due = true}),
          check(engine.heap),
          reader(how == How::kFile ? static_cast<SnapshotSink&>(check) : load, load.target(),
                 compares ? SnapshotReader::Checksum::kCompared
                          : SnapshotReader::Checksum::kIgnored) {}
    SnapshotLoad load;
    SnapshotCheck check;
    SnapshotReader reader;
  };

  Freeing freeing() const;
  bool read(ByteView bytes);
  bool read_end();
  void fail(std::string problem);
  void empty_all();
  void begin_loading();
  void end_loading();
  bool swap();
  void finish();
  void load_file();
  void keep_file();
  void on_removed(const Outcome&) {}

  // ---- LoadSink
  void on_file(const LoadFile&) override {}
  bool on_bytes(ByteView bytes) override { return read(bytes); }
  bool on_file_end() override { return read_end(); }
  void on_load_end(const LoadFile* failed, int error) override;
  uint64_t steps() const override { return engine_.persistence.loading.keys_loaded; }

  Loop& loop_;
  Loader& loader_;
  SnapshotDriver& snapshots_;
  Engine& engine_;
  const Options& options_;
  Op op_;
  FileStepRunner steps_;
  Stage stage_ = Stage::kIdle;
  How how_ = How::kFile;
  std::unique_ptr<WrittenFile> file_;
  std::unique_ptr<Databases> fresh_;    // of kSwap
  std::vector<std::string> functions_;  // the same
  std::optional<Reading> reading_;
  std::string path_;
  bool is_done_ = false;
  std::string problem_;
  DbIndex stream_db_ = 0;
  std::optional<Ballot> ballot_;
};

}  // namespace ouro
