// SPDX-License-Identifier: BSD-3-Clause
// AofDriver: the server's append-only log. Which files it is at each moment, what is loaded at the
// start, when it is begun anew, and what INFO, the gates and the clients' replies are told of it.
//
//      kOff --appendonly yes--> kBeginning --its first base is whole--> kOn --appendonly no-->
//      kEnding
//        ^                                                              ^                       |
//        |            start: kLoading ----------------------------------+                       |
//        +----------------------------- all that was promised is on disk -----------------------+
//
// A rewrite takes the log from one set of files to the next, while commands go on:
//
//      the folder is there --> the moment: nothing is in flight, nothing waits to be written
//          --> SnapshotFile from here on,        and the stream goes to a new file, as it may:
//              kGrown   the log is sound         the next increment, in the manifest before the
//                                                first byte is written to it
//              kAnew    there was none, or its   a temporary file, which counts when the base does
//                       disk has failed
//              kBare    appendonly is off        none: the base alone
//          --> the base and the manifest take their places, and what they replace is removed
//
// What was acknowledged is not lost at any step of that (persistence/aof_plan.h). What fails is
// tried again a second later: a rewrite that somebody needs (kBeginning, or a failed sync), a
// switch to the next file, a manifest that may be in its place and may not be on disk. Until then
// problem() refuses writes.
//
// Everything is done in the two calls of a turn; those of Host only say what is wanted.
// Not here: bytes to the file that is written now (aof_stream.h), the reading (aof_loading.h), what
// a rewrite's base holds (snapshot_contents.h).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistence/aof_rewrite_policy.h"
#include "server/app/aof_loading.h"
#include "server/app/aof_stream.h"
#include "server/app/file_steps.h"
#include "server/app/held_name.h"
#include "server/app/loader.h"
#include "server/app/options.h"
#include "server/app/snapshot_contents.h"
#include "server/app/snapshot_file.h"

namespace ouro {

class AofDriver {
 public:
  // Told of the end of what was asked for; `problem` is empty if it is well.
  using Done = std::function<void(const std::string& problem)>;

  AofDriver(Loop& loop, Loader& loader, Engine& engine, const Options& options);

  // Looks at what there is on the disk; from outside of turns, before anything else. False if no
  // log can be kept here: problems_found() says why.
  bool look();
  const std::vector<std::string>& problems_found() const { return problems_found_; }
  // The log is this server's, where it was looked for at the start. False with a text if it is
  // another's.
  bool hold(std::string& error);
  // Reads the log, or begins one in empty databases.
  void load(Done done);

  // Once a turn, when its commands have run: they go to the file before their replies leave.
  void write();
  // Once a turn, at its end. True if the next one shall come at once.
  bool turn();
  // Inside the turn of a script that is over its time, which may never end: a rewrite that has
  // begun does. Nothing begins, since the script's group is open.
  void turn_beside_script();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  // Whether the log has grown too much.
  void every_second();
  // One of AofOptions has changed.
  void on_options_changed();

  // All data are others than those of the log: it begins anew, from what there is now.
  void begin_anew();

  // As Host says.
  Status rewrite(Host::RewriteRequest request, bool& scheduled, std::string& error);
  Status reload(std::string& error);
  // False if the log is not yet worth what it promises; then the reason is in the log.
  bool may_stop(bool is_forced);
  // From outside of turns: everything goes to the disk, if it takes it.
  void flush();
  // The same, and the last call.
  void finish();

 private:
  enum class State : uint8_t { kOff, kLoading, kBeginning, kOn, kEnding };
  enum class Stage : uint8_t { kNone, kFolder, kMoment, kBase, kPlacing, kTidying };
  enum class Kind : uint8_t { kGrown, kAnew, kBare };
  static constexpr Micros kRetryAfter = 1'000'000;

  // ---- aof_driver.cc: states
  void obey();
  void try_anew();
  void begin_end();
  void end_log();
  void attach();
  void detach();
  bool wants_rest() const;
  std::string_view problem() const;
  void publish();
  void run_steps(FileSteps steps, std::function<void(const std::string&)> then);
  void load_files();
  void on_files_loaded(const AofLoading::Result& result);
  void go_on_after_load(uint64_t last_bytes, uint64_t other_bytes);
  void end_load(const std::string& problem);
  void begin_reload();

  // ---- aof_rewrite.cc
  bool may_rewrite() const;
  void begin_rewrite();
  void reach_moment();
  std::unique_ptr<FrozenWriter> make_base_writer();
  bool go_on_with_base();
  void place_base();
  void on_placed(const FileStepRunner::Result& result);
  void place_manifest();
  void end_rewrite();
  void tidy();
  void tidy_if_wanted();
  void fail_rewrite(const std::string& problem);
  void note_progress();
  void switch_file(FileSteps steps, std::string path);
  void try_switch();
  void on_switched(const FileStepRunner::Result& result);
  void on_opened(const Outcome& outcome);
  void fail_switch(const std::string& problem);
  bool is_of_log(const FileStep& step) const;

  Loop& loop_;
  Loader& loader_;
  Engine& engine_;
  const Options& options_;
  AofPaths paths_;
  KeyHints hints_;
  AofStream stream_;
  FileStepRunner steps_;
  HeldName name_;
  Op open_op_{this, op_to<&AofDriver::on_opened>()};

  State state_ = State::kOff;
  bool is_attached_ = false;   // the stream gets effects
  bool has_promised_ = false;  // while kEnding
  bool is_finishing_ = false;
  bool anew_wanted_ = false;
  AofManifest manifest_;      // as it is in the folder
  uint64_t other_bytes_ = 0;  // of its files, but the one that is written now
  std::vector<std::string> problems_found_;

  // ---- loading
  AofRecovery recovery_;
  std::optional<AofLoading> loading_;
  Done loaded_;
  bool reload_wanted_ = false;

  // ---- the rewrite
  AofRewritePolicy rewrite_policy_;
  Stage stage_ = Stage::kNone;
  Kind kind_ = Kind::kGrown;  // from the moment on
  bool rewrite_wanted_ = false;
  Instant rewrite_at_ = 0;  // not before
  std::unique_ptr<SnapshotFile> base_;
  AofBaseFormat base_format_ = AofBaseFormat::kSnapshot;
  AofManifest next_;          // as it will be with the new base
  uint64_t moment_ = 0;       // the log's end
  uint64_t noted_ = 0;        // what Redis7 was told by then
  uint64_t covered_ = 0;      // of kAnew: what the new files have for sure when they are in place
  bool tidy_wanted_ = false;  // aof-disable-auto-gc is no again
  bool is_placed_ = false;    // the manifest is in its place, but not for sure on disk
  Instant place_at_ = 0;      // when that is tried again

  // ---- the switch to another file
  bool switching_ = false;
  FileSteps switch_steps_;
  std::string switch_path_;
  // As it will be with that file; none if it stays unnamed until its base is whole (kAnew).
  std::optional<AofManifest> switch_manifest_;
  Instant switch_at_ = 0;
  std::string switch_problem_;
};

}  // namespace ouro
