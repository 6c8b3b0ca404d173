// SPDX-License-Identifier: BSD-3-Clause
// AofDriver: its rewrites, and the switch from one file to the next.
#include <cstring>
#include <utility>

#include "persistence/commands_writer.h"
#include "persistence/snapshot_writer.h"
#include "server/app/aof_driver.h"

namespace ouro {

Status AofDriver::rewrite(Host::RewriteRequest request, bool& scheduled, std::string& error) {
  SavingFacts& facts = engine_.persistence.rewrite;
  if (facts.active) {
    error = "Background append only file rewriting already in progress";
    return Err::kInvalid;
  }
  if (!hold(error)) return Err::kIo;
  scheduled = facts.scheduled = engine_.persistence.snapshot.active || request.must_be_later;
  rewrite_wanted_ = true;
  rewrite_at_ = 0;
  publish();
  return Status::ok();
}

// One is wanted, and nothing is in its way.
bool AofDriver::may_rewrite() const {
  const Persistence& facts = engine_.persistence;
  if (!rewrite_wanted_ || stage_ != Stage::kNone || state_ == State::kEnding) return false;
  if (facts.rewrite.scheduled && facts.snapshot.active) return false;
  return !switching_ && !steps_.busy();
}

void AofDriver::begin_rewrite() {
  if (stage_ == Stage::kMoment) return reach_moment();
  if (!may_rewrite() || loop_.now() < rewrite_at_) return;
  SavingFacts& facts = engine_.persistence.rewrite;
  rewrite_wanted_ = facts.scheduled = false;
  facts.began = loop_.now();
  stage_ = Stage::kFolder;
  run_steps(plan_folder(paths_), [this](const std::string& problem) {
    if (!problem.empty()) return fail_rewrite(problem);
    stage_ = Stage::kMoment;
  });
}

std::unique_ptr<FrozenWriter> AofDriver::make_base_writer() {
  const SnapshotFacts facts = snapshot_facts(engine_, SnapshotUse::kLogBase);
  if (base_format_ == AofBaseFormat::kCommands) {
    std::optional<int64_t> timestamp;
    if (options_.aof.aof_timestamp_enabled) timestamp = loop_.wall_now() / 1000;
    return std::make_unique<CommandsWriter>(engine_.dbs, facts, timestamp);
  }
  const auto packing =
      engine_.options.rdbcompression ? RdbWriter::Packing::kLzfBounded : RdbWriter::Packing::kNone;
  return std::make_unique<SnapshotWriter>(
      engine_.dbs, facts,
      SnapshotWriter::Options{
          .packing = packing, .checksum = options_.app.rdbchecksum, .hints = &hints_});
}

// From here on the base is what was before, and the next file what comes.
void AofDriver::reach_moment() {
  if (is_finishing_) return fail_rewrite("the server ends");
  if (engine_.exclusive.active()) return;
  const bool is_sound = state_ == State::kOn && !stream_.sync_has_failed();
  kind_ = state_ == State::kOff ? Kind::kBare : is_sound ? Kind::kGrown : Kind::kAnew;
  // What has not been written is in the base, and in no file that will count.
  if (kind_ == Kind::kGrown ? !stream_.is_at_rest() : stream_.is_in_flight()) return;
  stage_ = Stage::kBase;
  noted_ = engine_.redis7.noted();
  base_format_ =
      options_.aof.aof_use_rdb_preamble ? AofBaseFormat::kSnapshot : AofBaseFormat::kCommands;
  engine_.log.write(LogLevel::kNotice, "Background append only file rewriting started");
  ++engine_.persistence.views_begun;
  base_ = std::make_unique<SnapshotFile>(
      SnapshotFile::Setup{.loop = loop_,
                          .path = paths_.new_base(),
                          .syncs_in_parts = options_.aof.aof_rewrite_incremental_fsync,
                          .key_delay = options_.app.rdb_key_save_delay},
      make_base_writer());
  if (kind_ == Kind::kBare) return;
  attach();
  other_bytes_ += stream_.file_bytes();
  stream_.begin_file();
  moment_ = stream_.written_to();
  if (kind_ == Kind::kAnew) {
    const std::string path = paths_.new_increment();
    switch_manifest_.reset();
    return switch_file({{.kind = FileStep::Kind::kCreate, .path = path}}, path);
  }
  switch_manifest_ = manifest_;
  const std::string& name = switch_manifest_->add_increment(paths_.stem).name;
  engine_.log.print(LogLevel::kNotice, "Creating AOF incr file %s on background rewrite",
                    name.c_str());
  switch_file(plan_increment(paths_, *switch_manifest_), paths_.in_folder(name));
}

// ---- the base

// True if the next turn shall come at once.
bool AofDriver::go_on_with_base() {
  if (is_placed_ && !steps_.busy() && loop_.now() >= place_at_) place_manifest();
  if (base_ == nullptr || stage_ != Stage::kBase) return false;
  const bool wants_turn = base_->turn();
  note_progress();
  if (!base_->is_over()) return wants_turn;
  if (!base_->is_ok() || state_ == State::kEnding) {
    fail_rewrite(base_->problem());
  } else if (!switching_ && !steps_.busy()) {
    place_base();
  }
  return false;
}

void AofDriver::note_progress() {
  SavingFacts& facts = engine_.persistence.rewrite;
  facts.bytes_written = base_->bytes();
  const FrozenWriter* const writer = base_->writer();
  if (writer == nullptr) return;
  facts.keys_saved = writer->keys_saved();
  facts.keys_total = writer->keys_total();
  facts.copied_bytes = writer->copied_bytes() + writer->waiting_bytes();
}

void AofDriver::place_base() {
  stage_ = Stage::kPlacing;
  next_ = manifest_;
  next_.add_base(paths_.stem, base_format_);
  if (kind_ == Kind::kAnew) next_.add_increment(paths_.stem);
  next_.retire_increments(kind_ == Kind::kBare ? 0 : 1);
  // While the steps run more is written, which they may miss.
  covered_ = stream_.written_to();
  steps_.start(plan_base(paths_, next_, {.began_log = kind_ == Kind::kAnew}),
               [this](const FileStepRunner::Result& result) { on_placed(result); });
}

void AofDriver::on_placed(const FileStepRunner::Result& result) {
  if (result.is_ok()) return end_rewrite();
  // Whoever reads the manifest now finds the new one; after a loss of power it may be either, and
  // both are good. What the old one names stays until the new one is on disk.
  is_placed_ = result.is_last;
  if (!is_placed_) return fail_rewrite(result.problem());
  engine_.log.write(LogLevel::kWarning, result.problem());
  switch_problem_ = result.problem();
  place_at_ = loop_.now() + kRetryAfter;
}

void AofDriver::place_manifest() {
  steps_.start(plan_manifest(paths_, next_), [this](const FileStepRunner::Result& result) {
    if (result.is_ok()) return end_rewrite();
    place_at_ = loop_.now() + kRetryAfter;
  });
}

void AofDriver::end_rewrite() {
  is_placed_ = false;
  switch_problem_.clear();
  manifest_ = next_;
  other_bytes_ = base_->bytes();
  const bool was_loading = state_ == State::kLoading;
  if (kind_ == Kind::kAnew) {
    stream_.settle(covered_);
    if (state_ == State::kBeginning) state_ = State::kOn;
  }
  // The empty base of a new log is none of those that INFO counts.
  if (SavingFacts& facts = engine_.persistence.rewrite; !was_loading) {
    facts.last_is_ok = true;
    facts.last_micros = loop_.now() - facts.began;
    facts.last_copied_bytes = facts.copied_bytes;
    ++facts.done;
  }
  rewrite_policy_.on_success(other_bytes_ + stream_.file_bytes());
  if (!base_->writer()->has_only_ours()) engine_.redis7.on_rewritten(noted_);
  base_.reset();
  engine_.log.write(LogLevel::kNotice, "Background AOF rewrite finished successfully");
  tidy();
  if (was_loading) end_load({});
}

void AofDriver::tidy() {
  stage_ = Stage::kNone;
  if (options_.aof.aof_disable_auto_gc) return;
  FileSteps steps = plan_without_history(paths_, manifest_);
  if (steps.empty()) return;
  stage_ = Stage::kTidying;
  steps_.start(std::move(steps), [this](const FileStepRunner::Result& result) {
    stage_ = Stage::kNone;
    // What stays is named as history, and goes after the next rewrite or at the next start.
    if (!result.is_ok()) return engine_.log.write(LogLevel::kWarning, result.problem());
    manifest_.forget_history();
  });
}

void AofDriver::tidy_if_wanted() {
  if (!tidy_wanted_ || stage_ != Stage::kNone || switching_ || steps_.busy()) return;
  tidy_wanted_ = false;
  tidy();
}

// Somebody may need it: a log without a base, or one whose disk has failed.
void AofDriver::fail_rewrite(const std::string& problem) {
  stage_ = Stage::kNone;
  // The reason may be the base's own, which is let go of when all have been told.
  const std::unique_ptr<SnapshotFile> base = std::move(base_);
  if (state_ == State::kEnding) return;  // given up
  SavingFacts& facts = engine_.persistence.rewrite;
  facts.last_is_ok = false;
  facts.last_micros = loop_.now() - facts.began;
  rewrite_policy_.on_failure();
  engine_.log.print(LogLevel::kWarning, "Background AOF rewrite failed: %s", problem.c_str());
  if (state_ == State::kLoading) return end_load(problem);
  rewrite_wanted_ = state_ == State::kBeginning;
  rewrite_at_ = loop_.now() + kRetryAfter;
}

// ---- the switch

// A sync of the increment before.
bool AofDriver::is_of_log(const FileStep& step) const {
  return step.kind == FileStep::Kind::kSync && !manifest_.increments().empty() &&
         step.path == paths_.in_folder(manifest_.increments().back().name);
}

void AofDriver::switch_file(FileSteps steps, std::string path) {
  switching_ = true;
  switch_at_ = 0;
  switch_steps_ = std::move(steps);
  switch_path_ = std::move(path);
  try_switch();
}

void AofDriver::try_switch() {
  if (steps_.busy() || open_op_.busy()) return;
  steps_.start(switch_steps_,
               [this](const FileStepRunner::Result& result) { on_switched(result); });
}

void AofDriver::on_switched(const FileStepRunner::Result& result) {
  if (!result.is_ok() && is_of_log(*result.failed)) {
    // What it had may be lost, so that no increment may follow it: the log begins anew.
    switching_ = false;
    stream_.note_sync_failure(result.error);
  }
  if (!result.is_ok()) return fail_switch(result.problem());
  loop_.open(open_op_, switch_path_.c_str(), OpenFor::kChange);
}

void AofDriver::on_opened(const Outcome& outcome) {
  if (outcome.result < 0) {
    return fail_switch("Cannot open " + switch_path_ + ": " + strerrordesc_np(-outcome.result));
  }
  switching_ = false;
  switch_problem_.clear();
  stream_.take_file({outcome.result});
  if (!switch_manifest_) return;
  manifest_ = *switch_manifest_;
  stream_.settle(moment_);
  if (state_ == State::kLoading) end_load({});
}

// Writes gather meanwhile, and their replies wait. A rewrite is given up: the log goes on without.
void AofDriver::fail_switch(const std::string& problem) {
  if (switch_problem_.empty()) engine_.log.write(LogLevel::kWarning, problem);
  switch_problem_ = switching_ ? problem : "";
  switch_at_ = loop_.now() + kRetryAfter;
  if (state_ == State::kLoading) {
    switching_ = false;
    return end_load(problem);
  }
  if (base_ != nullptr) base_->give_up(problem);
}

}  // namespace ouro
