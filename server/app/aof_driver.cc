// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/aof_driver.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "server/app/aof_folder.h"

namespace ouro {

AofDriver::AofDriver(Loop& loop, Loader& loader, Engine& engine, const Options& options)
    : loop_(loop),
      loader_(loader),
      engine_(engine),
      options_(options),
      hints_(engine),
      stream_(loop, engine.log, engine.heap, engine.commit),
      steps_(loop),
      name_(loop, engine.log) {
  engine.persistence.log_writer = &stream_.writer();
  engine.persistence.log_wanted = &options.aof.appendonly;
}

bool AofDriver::hold(std::string& error) {
  if (name_.is_held()) return true;
  const AofOptions& options = options_.aof;
  return name_.take(options_.app.dir, options.appenddirname + '/' + options.appendfilename, error);
}

bool AofDriver::look() {
  const std::string& dir = options_.app.dir;
  const std::string& name = options_.aof.appenddirname;
  paths_ = {.folder = dir == "." ? name : dir + '/' + name, .stem = options_.aof.appendfilename};
  on_options_changed();
  const AofFolder folder = look_at_aof_folder(loop_, paths_);
  if (!folder.problem.empty()) problems_found_.push_back(folder.problem);
  if (!problems_found_.empty()) return false;
  recovery_ = recover_aof(paths_, folder.facts);
  manifest_ = recovery_.manifest;
  problems_found_ = recovery_.errors;
  return problems_found_.empty();
}

// ---- the start

void AofDriver::load(Done done) {
  state_ = State::kLoading;
  loaded_ = std::move(done);
  engine_.persistence.loading.active = true;
  engine_.executor.close_gate(Gate::kLoading);
  for (const std::string& line : recovery_.notices) engine_.log.write(LogLevel::kNotice, line);
  run_steps(std::move(recovery_.before), [this](const std::string& problem) {
    problem.empty() ? load_files() : end_load(problem);
  });
}

// An empty list has succeeded.
void AofDriver::run_steps(FileSteps steps, std::function<void(const std::string&)> then) {
  if (steps.empty()) return then({});
  steps_.start(std::move(steps), [then = std::move(then)](const FileStepRunner::Result& result) {
    then(result.problem());
  });
}

void AofDriver::load_files() {
  if (recovery_.loads.empty()) {
    // A new one begins with its base.
    rewrite_wanted_ = true;
    return;
  }
  loading_.emplace(engine_, paths_, std::move(recovery_.loads), options_.aof.aof_load_truncated,
                   [this](const AofLoading::Result& result) { on_files_loaded(result); });
  loader_.start(loading_->files(), *loading_, options_.app.key_load_delay);
}

void AofDriver::on_files_loaded(const AofLoading::Result& result) {
  loading_.reset();
  if (!result.problem.empty()) return end_load(result.problem);
  // Nobody is served before what follows can be kept.
  engine_.persistence.loading.active = true;
  engine_.executor.close_gate(Gate::kLoading);
  // What the last rewrite left beside its base is not known any more.
  rewrite_policy_.on_base(result.base_bytes);
  FileSteps steps = result.cut;
  std::move(recovery_.after.begin(), recovery_.after.end(), std::back_inserter(steps));
  run_steps(std::move(steps), [this, bytes = result.last_bytes,
                               other = result.other_bytes](const std::string& problem) {
    problem.empty() ? go_on_after_load(bytes, other) : end_load(problem);
  });
}

// A log that is there goes on in its last increment, which was synced by nobody if its writer was
// killed. One that is a base alone gets one.
void AofDriver::go_on_after_load(uint64_t last_bytes, uint64_t other_bytes) {
  manifest_.forget_history();
  switch_manifest_ = manifest_;
  const bool goes_on = !manifest_.increments().empty();
  other_bytes_ = goes_on ? other_bytes : other_bytes + last_bytes;
  attach();
  stream_.begin_file(goes_on ? last_bytes : 0);
  moment_ = stream_.written_to();
  const std::string name = goes_on ? manifest_.increments().back().name
                                   : switch_manifest_->add_increment(paths_.stem).name;
  engine_.log.print(LogLevel::kNotice, "%s AOF incr file %s on server start",
                    goes_on ? "Opening" : "Creating", name.c_str());
  const std::string path = paths_.in_folder(name);
  if (goes_on) return switch_file({{.kind = FileStep::Kind::kSync, .path = path}}, path);
  switch_file(plan_increment(paths_, *switch_manifest_), path);
}

void AofDriver::end_load(const std::string& problem) {
  state_ = problem.empty() ? State::kOn : State::kOff;
  // A log that cannot be read must not be written over with what could be.
  if (!problem.empty()) problems_found_.push_back(problem);
  engine_.changes = 0;
  engine_.persistence.loading.active = false;
  engine_.executor.open_gate(Gate::kLoading);
  publish();
  std::exchange(loaded_, nullptr)(problem);
}

// ---- DEBUG LOADAOF

Status AofDriver::reload(std::string& error) {
  if (loader_.busy()) {
    error = "A snapshot or a log is being loaded";
    return Err::kInvalid;
  }
  reload_wanted_ = true;
  return Status::ok();
}

void AofDriver::begin_reload() {
  // A log that is to begin waits for who waits for this.
  const bool has_not_begun =
      state_ == State::kBeginning && (stage_ == Stage::kNone || stage_ == Stage::kMoment);
  const bool is_written = state_ == State::kOff || (state_ == State::kOn && stream_.is_at_rest());
  if (!has_not_begun && !is_written) return;
  if (switching_ || steps_.busy() || loader_.busy()) return;
  reload_wanted_ = false;
  const auto end = [this](const std::string& problem) {
    loading_.reset();
    engine_.changes = 0;
    if (!problem.empty()) engine_.log.write(LogLevel::kWarning, problem);
    engine_.exclusive.end(
        problem.empty() ? "" : "ERR Error trying to load the AOF files, check server logs.");
  };
  std::vector<AofLoad> loads;
  if (manifest_.base()) loads.push_back({.name = manifest_.base()->name, .is_base = true});
  for (const AofFile& file : manifest_.increments()) loads.push_back({.name = file.name});
  engine_.flush_all(Freeing::kLazy);
  if (loads.empty()) return end("there is no log");
  loads.back().is_last = true;
  loading_.emplace(engine_, paths_, std::move(loads), options_.aof.aof_load_truncated,
                   [end](const AofLoading::Result& result) { end(result.problem); });
  loader_.start(loading_->files(), *loading_, options_.app.key_load_delay);
}

// ---- turns

void AofDriver::write() {
  if (!is_attached_) return;
  stream_.set_delay(engine_.persistence.log_write_delay);
  const Persistence& facts = engine_.persistence;
  stream_.set_paused(options_.aof.no_appendfsync_on_rewrite &&
                     (facts.snapshot.active || facts.rewrite.active));
  stream_.write();
  if (!wants_rest() || stream_.waits_for_sync()) stream_.sync();
  publish();
}

bool AofDriver::turn() {
  obey();
  tidy_if_wanted();
  const bool has_work = stage_ != Stage::kNone || rewrite_wanted_ || reload_wanted_;
  // That a rewrite has ended is still to be told.
  if (state_ == State::kOff && !has_work && !engine_.persistence.rewrite.active) return false;
  stream_.write();
  if (switching_ && loop_.now() >= switch_at_) try_switch();
  begin_rewrite();
  const bool wants_turn = go_on_with_base();
  if (reload_wanted_) begin_reload();
  if (state_ == State::kEnding) end_log();
  publish();
  return wants_turn;
}

void AofDriver::turn_beside_script() {
  if (stage_ != Stage::kBase && stage_ != Stage::kPlacing) return;
  stream_.write();
  if (switching_ && loop_.now() >= switch_at_) try_switch();
  (void)go_on_with_base();
  publish();
}

// The moment of a rewrite is when nothing is in flight; another sync would put it off.
bool AofDriver::wants_rest() const { return stage_ == Stage::kMoment && stream_.problem().empty(); }

Instant AofDriver::due() const {
  Instant due = is_attached_ && !wants_rest() ? stream_.due() : kNever;
  if (switching_ && !steps_.busy() && !open_op_.busy()) due = std::min(due, switch_at_);
  if (may_rewrite()) due = std::min(due, rewrite_at_);
  if (is_placed_ && !steps_.busy()) due = std::min(due, place_at_);
  if (base_ != nullptr) due = std::min(due, base_->due());
  return due;
}

void AofDriver::every_second() {
  const Persistence& facts = engine_.persistence;
  if (state_ != State::kOn || stage_ != Stage::kNone || rewrite_wanted_ || facts.snapshot.active)
    return;
  const AofRewritePolicy::Options options{
      .growth_percent = static_cast<uint32_t>(options_.aof.auto_aof_rewrite_percentage),
      .min_bytes = static_cast<uint64_t>(options_.aof.auto_aof_rewrite_min_size)};
  switch (rewrite_policy_.due(facts.log_bytes, options, engine_.now())) {
    case AofRewritePolicy::Answer::kNo:
      return;
    case AofRewritePolicy::Answer::kWaits:
      return engine_.log.print(LogLevel::kWarning,
                               "Background AOF rewrite has repeatedly failed and triggered the "
                               "limit, will retry in %lld minutes",
                               static_cast<long long>(rewrite_policy_.delay_minutes()));
    case AofRewritePolicy::Answer::kYes:
      engine_.log.print(LogLevel::kNotice, "Starting automatic rewriting of AOF on %lld%% growth",
                        static_cast<long long>(rewrite_policy_.growth_percent(facts.log_bytes)));
      rewrite_wanted_ = true;
      return;
  }
}

void AofDriver::on_options_changed() {
  stream_.set_mode(options_.aof.appendfsync);
  stream_.set_options({.timestamps = options_.aof.aof_timestamp_enabled});
  tidy_wanted_ = !options_.aof.aof_disable_auto_gc && !manifest_.history().empty();
  // Shown from now on, though it begins at the end of this turn.
  if (!options_.aof.appendonly || state_ != State::kOff) return;
  SavingFacts& facts = engine_.persistence.rewrite;
  (engine_.persistence.snapshot.active ? facts.scheduled : facts.active) = true;
}

// What appendonly says.
void AofDriver::obey() {
  if (is_finishing_ || engine_.exclusive.active()) return;  // whose group is open
  if (anew_wanted_) try_anew();
  if (state_ == State::kOn && stage_ == Stage::kNone && stream_.sync_has_failed())
    rewrite_wanted_ = true;
  const bool is_wanted = options_.aof.appendonly;
  if (is_wanted && state_ == State::kOff && problems_found_.empty()) {
    state_ = State::kBeginning;
    rewrite_wanted_ = true;
    engine_.persistence.rewrite.scheduled = engine_.persistence.snapshot.active;
  } else if (!is_wanted && (state_ == State::kBeginning || state_ == State::kOn)) {
    begin_end();
  }
}

// What happens from now on is not for the files that there are.
void AofDriver::begin_anew() {
  if (state_ != State::kOn && state_ != State::kBeginning) return;
  detach();
  anew_wanted_ = true;
  if (base_ != nullptr) base_->give_up("all data are others now");
}

void AofDriver::try_anew() {
  const bool is_in_the_way = stage_ == Stage::kBase || stage_ == Stage::kPlacing || switching_;
  if (is_in_the_way) return;
  anew_wanted_ = false;
  if (state_ != State::kOn && state_ != State::kBeginning) return;
  state_ = State::kBeginning;
  rewrite_wanted_ = stage_ != Stage::kFolder && stage_ != Stage::kMoment;
  rewrite_at_ = 0;
}

void AofDriver::begin_end() {
  has_promised_ = state_ == State::kOn;
  state_ = State::kEnding;
  detach();
  // One that waits, or was asked for a moment ago, has not begun.
  const bool was_wanted = std::exchange(rewrite_wanted_, false);
  engine_.persistence.rewrite.scheduled = false;
  if (was_wanted || (stage_ != Stage::kNone && stage_ != Stage::kTidying))
    engine_.log.write(LogLevel::kNotice, "Killing AOF child: the rewrite of the log is given up");
  if (base_ != nullptr) base_->give_up("the log is turned off");
}

void AofDriver::attach() {
  if (!std::exchange(is_attached_, true)) engine_.commit.attach(stream_);
}

void AofDriver::detach() {
  if (std::exchange(is_attached_, false)) engine_.commit.detach(stream_);
}

// What has been promised goes to the disk first, unless that fails.
void AofDriver::end_log() {
  const bool is_stuck = !problem().empty();
  if (stage_ == Stage::kMoment) stage_ = Stage::kNone;
  if (is_placed_ && is_stuck && !steps_.busy()) {
    is_placed_ = false;
    stage_ = Stage::kNone;
    base_.reset();
  }
  if (stage_ != Stage::kNone || steps_.busy() || open_op_.busy()) return;
  if (switching_ && !is_stuck) return;
  switching_ = false;
  if (stream_.is_in_flight()) return;
  if (has_promised_ && !is_stuck && stream_.has_file()) {
    stream_.write();
    if (!stream_.is_at_rest()) return;
    if (!stream_.is_durable()) return stream_.sync_now();
  }
  stream_.end_file();
  switch_problem_.clear();
  state_ = State::kOff;
}

std::string_view AofDriver::problem() const {
  return stream_.problem().empty() ? switch_problem_ : stream_.problem();
}

// What others are told.
void AofDriver::publish() {
  const bool is_held = state_ == State::kOn || (state_ == State::kEnding && has_promised_);
  engine_.commit.set_released(Commit::Keeper::kDisk, is_held ? stream_.released() : kReleaseAll);
  Persistence& facts = engine_.persistence;
  facts.log_is_on = state_ != State::kOff && state_ != State::kEnding;
  facts.log_waits = state_ == State::kBeginning;
  facts.log_bytes = other_bytes_ + stream_.file_bytes();
  facts.log_base_bytes = rewrite_policy_.base_bytes();
  facts.log_durable_to = state_ == State::kOn && !anew_wanted_ ? stream_.durable_to() : 0;
  facts.log_pending_syncs = stream_.is_syncing() ? 1 : 0;
  facts.log_delayed_syncs = stream_.late_syncs();
  facts.rewrite_failures = rewrite_policy_.consecutive_failures();
  const bool waits_for_turn = rewrite_wanted_ && !facts.rewrite.scheduled;
  // Whoever sees it end finds the manifest without what was replaced.
  facts.rewrite.active = stage_ != Stage::kNone || waits_for_turn;
  const std::string_view problem = is_held ? this->problem() : std::string_view();
  if (facts.log_problem == problem) return;
  facts.log_problem = problem;
  engine_.apply_write_refusal();
}

// ---- the end

bool AofDriver::may_stop(bool is_forced) {
  if (state_ != State::kBeginning) return true;
  engine_.log.write(LogLevel::kWarning, is_forced ? "Writing initial AOF. Exit anyway."
                                                  : "Writing initial AOF, can't exit.");
  return is_forced;
}

void AofDriver::flush() {
  while (state_ == State::kOn && problem().empty()) {
    stream_.write();
    const bool waits = switching_ || stream_.is_in_flight() || stream_.has_gathered();
    if (!waits && stream_.is_durable()) break;
    if (!waits) stream_.sync_now();
    loop_.run_once(10);
    (void)turn();
  }
  publish();
}

void AofDriver::finish() {
  is_finishing_ = true;
  rewrite_wanted_ = reload_wanted_ = false;
  if (base_ != nullptr) base_->give_up("the server ends");
  for (;;) {
    if (state_ == State::kBeginning || state_ == State::kOn) begin_end();
    const bool is_busy = base_ != nullptr || steps_.busy() || open_op_.busy() || loader_.busy();
    if (state_ == State::kOff && !is_busy && !stream_.is_in_flight()) {
      if (!stream_.has_file()) return detach();
      stream_.end_file();
    }
    loop_.run_once(10);
    (void)turn();
  }
}

}  // namespace ouro
