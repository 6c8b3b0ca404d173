// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/snapshot_driver.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "datastructs/codec/number_text.h"
#include "server/script/function_store.h"

namespace ouro {
namespace {

double seconds(Micros micros) { return static_cast<double>(micros) / 1e6; }

}  // namespace

void SnapshotDriver::on_options_changed() {
  const std::vector<ByteView> words = split_words(options_.save);
  const auto number = [&](size_t i) { return parse_int64(words[i]).value_or(0); };
  save_points_.clear();
  for (size_t i = 0; i + 1 < words.size(); i += 2)
    save_points_.push_back({number(i), static_cast<uint64_t>(number(i + 1))});
  engine_.persistence.writes_need_snapshots =
      has_save_points() && options_.stop_writes_on_bgsave_error;
  engine_.apply_write_refusal();
}

std::string SnapshotDriver::path_of(ByteView name) const {
  // The folder's own name, since the working one may become another while a file is written.
  return options_.dir == "." ? std::string(name) : options_.dir + '/' + std::string(name);
}

// ---- one snapshot

void SnapshotDriver::begin(Purpose purpose, Done done) {
  CHECK(!is_saving());
  target_ = path_of(options_.dbfilename);
  purpose_ = purpose;
  saved_ = std::move(done);
  is_unwanted_ = false;
  tried_ = loop_.now();
  changes_at_begin_ = engine_.changes;
  const auto packing =
      engine_.options.rdbcompression ? RdbWriter::Packing::kLzfBounded : RdbWriter::Packing::kNone;
  file_ = std::make_unique<SnapshotFile>(
      SnapshotFile::Setup{.loop = loop_,
                          .path = path_of("temp-" + options_.dbfilename),
                          .syncs_in_parts = options_.rdb_save_incremental_fsync,
                          .key_delay = options_.rdb_key_save_delay},
      std::make_unique<SnapshotWriter>(
          engine_.dbs, snapshot_facts(engine_, SnapshotUse::kFile),
          SnapshotWriter::Options{
              .packing = packing, .checksum = options_.rdbchecksum, .hints = &hints_}));
  SavingFacts& facts = engine_.persistence.snapshot;
  facts.active = purpose == Purpose::kBackground;
  facts.scheduled = false;
  facts.began = tried_;
  facts.last_copied_bytes = 0;
  ++engine_.persistence.views_begun;
  if (facts.active) engine_.log.write(LogLevel::kNotice, "Background saving started");
  note_progress();
}

void SnapshotDriver::note_progress() {
  const FrozenWriter* const writer = file_->writer();
  if (writer == nullptr) return;
  SavingFacts& facts = engine_.persistence.snapshot;
  facts.copied_bytes = writer->copied_bytes() + writer->waiting_bytes();
  facts.last_copied_bytes = std::max(facts.last_copied_bytes, facts.copied_bytes);
  facts.keys_saved = writer->keys_saved();
  facts.keys_total = writer->keys_total();
  facts.bytes_written = file_->bytes();
}

bool SnapshotDriver::turn() {
  if (file_ == nullptr) begin_if_due();
  if (file_ == nullptr || steps_.busy()) return false;
  const bool goes_on = file_->turn();
  note_progress();
  if (!file_->is_over()) return goes_on;
  file_->is_ok() ? put_in_place() : end(file_->problem());
  return true;
}

Instant SnapshotDriver::due() const { return file_ == nullptr ? kNever : file_->due(); }

void SnapshotDriver::put_in_place() {
  steps_.start({{.kind = FileStep::Kind::kRename, .path = file_->path(), .to = target_},
                {.kind = FileStep::Kind::kSyncDir, .path = options_.dir}},
               [this](const FileStepRunner::Result& result) { end(result.problem()); });
}

void SnapshotDriver::end(const std::string& problem) {
  // The reason may be the file's own, which is let go of when all have been told.
  const std::unique_ptr<SnapshotFile> file = std::move(file_);
  const bool in_background = purpose_ == Purpose::kBackground;
  SavingFacts& facts = engine_.persistence.snapshot;
  if (!is_unwanted_) note_over();
  if (problem.empty()) {
    ++facts.done;
    facts.last_is_ok = true;
    engine_.persistence.last_save = loop_.wall_now();
    engine_.changes -= changes_at_begin_;
    engine_.log.print(LogLevel::kNotice, "DB saved on disk: %llu bytes in %.3f seconds",
                      static_cast<unsigned long long>(file->bytes()),
                      seconds(loop_.now() - facts.began));
    if (in_background)
      engine_.log.write(LogLevel::kNotice, "Background saving terminated with success");
  } else if (is_unwanted_) {
    engine_.log.write(LogLevel::kNotice, "The snapshot that was given up is removed");
  } else {
    if (in_background) facts.last_is_ok = false;
    engine_.log.print(LogLevel::kWarning, "%s: %s",
                      in_background ? "Background saving error" : "Saving error", problem.c_str());
  }
  engine_.apply_write_refusal();
  if (const Done saved = std::exchange(saved_, nullptr)) saved(problem);
  if (next_save_ != nullptr) begin(Purpose::kForeground, std::exchange(next_save_, nullptr));
}

// For all who ask; its file may still be on its way off the disk.
void SnapshotDriver::note_over() {
  SavingFacts& facts = engine_.persistence.snapshot;
  if (facts.active) facts.last_micros = loop_.now() - facts.began;
  facts.active = false;
  facts.copied_bytes = facts.keys_saved = facts.keys_total = facts.bytes_written = 0;
}

// ---- when

bool SnapshotDriver::save_point_reached() const {
  const Micros since_save = (loop_.wall_now() - engine_.persistence.last_save) * 1000;
  for (const SavePoint& point : save_points_) {
    if (engine_.changes < point.changes || since_save <= point.seconds * 1'000'000) continue;
    engine_.log.print(LogLevel::kNotice, "%llu changes in %lld seconds. Saving...",
                      static_cast<unsigned long long>(point.changes),
                      static_cast<long long>(point.seconds));
    return true;
  }
  return false;
}

void SnapshotDriver::begin_if_due() {
  const SavingFacts& facts = engine_.persistence.snapshot;
  if (!facts.scheduled && !has_save_points() && !is_flushed_) return;
  // A moment inside a transaction that waits is none.
  if (is_stopped_ || engine_.persistence.loading.active || engine_.exclusive.active()) return;
  if (std::exchange(is_flushed_, false)) return save_flushed();
  if (!facts.last_is_ok && loop_.now() - tried_ <= kRetryAfter) return;
  const bool is_scheduled = facts.scheduled && !engine_.persistence.rewrite.active;
  if (!is_scheduled && !save_point_reached()) return;
  if (std::string error; !hold(error)) return fail_to_begin(error);
  begin(Purpose::kBackground, nullptr);
}

// Nobody's command runs before that is done, as in Redis; it does not take long.
void SnapshotDriver::save_flushed() {
  if (std::string error; !hold(error)) return fail_to_begin(error);
  engine_.exclusive.hold();
  begin(Purpose::kForeground, [this](const std::string&) { engine_.exclusive.end({}); });
}

void SnapshotDriver::fail_to_begin(const std::string& problem) {
  SavingFacts& facts = engine_.persistence.snapshot;
  facts.scheduled = facts.last_is_ok = false;
  tried_ = loop_.now();
  engine_.log.print(LogLevel::kWarning, "Background saving error: %s", problem.c_str());
  engine_.apply_write_refusal();
}

Status SnapshotDriver::save(Host::SaveRequest request, bool& scheduled, std::string& error) {
  SavingFacts& facts = engine_.persistence.snapshot;
  const bool ends = is_saving() && is_unwanted_;
  if (is_saving() && !ends) {
    error = "Background save already in progress";
    return Err::kInvalid;
  }
  if (!hold(error)) return Err::kIo;
  if (request.in_foreground) {
    save_at_end([this](const std::string& problem) {
      // The reason is in the log.
      engine_.exclusive.end(problem.empty() ? "" : "ERR");
    });
    return Status::ok();
  }
  const bool is_in_the_way = engine_.persistence.rewrite.active;
  if (is_in_the_way && !request.may_be_later && !request.must_be_later) {
    error =
        "Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in "
        "order to schedule a BGSAVE whenever possible.";
    return Err::kInvalid;
  }
  scheduled = is_in_the_way || request.must_be_later || ends;
  facts.scheduled = scheduled;
  if (!scheduled) begin(Purpose::kBackground, nullptr);
  return Status::ok();
}

Host::CancelledSave SnapshotDriver::cancel() {
  SavingFacts& facts = engine_.persistence.snapshot;
  if (facts.active) {
    give_up();
    if (facts.active) return Host::CancelledSave::kNone;
    engine_.log.write(LogLevel::kNotice, "Background saving is cancelled by a user");
    return Host::CancelledSave::kRunning;
  }
  if (!std::exchange(facts.scheduled, false)) return Host::CancelledSave::kNone;
  engine_.log.write(LogLevel::kNotice, "Scheduled background saving is cancelled by a user");
  return Host::CancelledSave::kScheduled;
}

void SnapshotDriver::save_at_end(Done done) {
  if (!is_saving()) return begin(Purpose::kForeground, std::move(done));
  next_save_ = std::move(done);
  give_up();
}

// One whose file is whole takes its place, and one that has failed says so.
void SnapshotDriver::give_up() {
  if (!is_saving() || file_->is_over() || !file_->is_ok()) return;
  is_unwanted_ = true;
  file_->give_up("It is not wanted any more");
  note_over();
}

// What has been removed must not come back with the file of before. The moment of the new one is
// the end of this turn, when the group that flushed is whole.
void SnapshotDriver::on_all_flushed() {
  on_data_replaced();
  flushed_at_ = loop_.now();
  is_flushed_ = has_save_points();
}

// ---- full syncs

std::string SnapshotDriver::path_of_sync() const {
  const int port = engine_.host.info().tcp_port;
  return path_of("temp-sync-" + std::to_string(port) + '-' + options_.dbfilename);
}

FileSteps SnapshotDriver::steps_to_keep(const std::string& path, Instant moment) {
  std::string error;
  const bool is_outdated = engine_.persistence.snapshot.began > moment || flushed_at_ > moment;
  if (is_outdated || !hold(error)) return {};
  return {{.kind = FileStep::Kind::kRename, .path = path, .to = path_of(options_.dbfilename)},
          {.kind = FileStep::Kind::kSyncDir, .path = options_.dir}};
}

bool SnapshotDriver::removes_sync_files() const {
  return engine_.options.replication.rdb_del_sync_files && !has_save_points() &&
         !engine_.persistence.log_is_on;
}

void SnapshotDriver::on_data_replaced() {
  if (purpose_ == Purpose::kBackground) give_up();
}

void SnapshotDriver::stop() {
  is_stopped_ = true;
  saved_ = next_save_ = nullptr;
  give_up();
}

// ---- loading

void SnapshotDriver::begin_load(LoadHow how, Done done) {
  load_began_ = loop_.now();
  load_.emplace(engine_, how, options_.rdbchecksum, path_of(options_.dbfilename), std::move(done));
  loader_.start({{.path = load_->path}}, *this, options_.key_load_delay);
}

void SnapshotDriver::load(Done done) { begin_load(LoadHow::kStart, std::move(done)); }

void SnapshotDriver::on_file(const LoadFile&) {}

bool SnapshotDriver::on_bytes(ByteView bytes) {
  return load_->reader.feed(bytes) == SnapshotReader::State::kReading;
}

bool SnapshotDriver::on_file_end() {
  if (load_->reader.end() == SnapshotReader::State::kDone) return true;
  load_->problem = load_->sink.refusal().empty()
                       ? describe_problem(load_->path, load_->reader)
                       : "The RDB file " + load_->path + " is refused: " + load_->sink.refusal();
  return false;
}

void SnapshotDriver::on_load_end(const LoadFile* failed, int error) {
  if (is_stopped_) return load_.reset();
  const bool is_unreadable = failed != nullptr && error != ENOENT;
  if (is_unreadable)
    load_->problem = "Cannot read the RDB file " + failed->path + ": " + strerrordesc_np(error);
  const bool is_read = failed == nullptr && load_->problem.empty();
  if (is_read && load_->how != LoadHow::kCheck) {
    load_->sink.end();
    engine_.log.print(LogLevel::kNotice, "DB loaded from disk: %.3f seconds",
                      seconds(loop_.now() - load_began_));
  }
  const bool is_well = load_->problem.empty();
  if (is_well) {
    engine_.persistence.last_save = loop_.wall_now();
  } else {
    engine_.log.write(LogLevel::kWarning, load_->problem);
  }
  const Done done = std::move(load_->done);
  load_.reset();
  done(is_well         ? ""
       : is_unreadable ? "Fatal error loading the DB, check server logs. Exiting."
                       : "Terminating server after rdb file reading failure.");
}

// ---- DEBUG RELOAD

Status SnapshotDriver::reload(Host::ReloadRequest request, std::string& error) {
  if (request.saves && !hold(error)) return Err::kIo;
  if (engine_.persistence.loading.active) {
    error = "A snapshot or a log is being loaded";
    return Err::kInvalid;
  }
  const auto check = [this, request](const std::string& problem) {
    if (!problem.empty()) return engine_.exclusive.end("ERR");
    begin_load(LoadHow::kCheck, [this, request](const std::string& why_not) {
      why_not.empty() ? take_in_again(request) : end_reload(false);
    });
  };
  request.saves ? save_at_end(check) : check({});
  return Status::ok();
}

// The file is whole. What is there now is not given up for one that is not.
void SnapshotDriver::take_in_again(Host::ReloadRequest request) {
  if (request.flushes) {
    for (DbIndex db = 0; db < engine_.dbs.count(); ++db) engine_.dbs[db].clear(Freeing::kLazy);
    forget_functions(engine_);
  }
  begin_load(request.merges ? LoadHow::kReplaces : LoadHow::kEmpty,
             [this](const std::string& why_not) { end_reload(why_not.empty()); });
}

void SnapshotDriver::end_reload(bool is_well) {
  if (is_well) {
    engine_.changes = 0;
    engine_.log.write(LogLevel::kWarning, "DB reloaded by DEBUG RELOAD");
    return engine_.exclusive.end({});
  }
  engine_.exclusive.end("ERR Error trying to load the RDB dump");
}

}  // namespace ouro
