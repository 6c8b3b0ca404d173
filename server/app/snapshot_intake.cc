// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/snapshot_intake.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/script/function_store.h"

namespace ouro {

SnapshotIntake::How SnapshotIntake::how() const {
  switch (options_.engine.replication.repl_diskless_load) {
    case DisklessLoad::kDisabled:
      break;
    case DisklessLoad::kOnEmptyDb:
      return engine_.dbs.size() == 0 ? How::kEmpty : How::kFile;
    case DisklessLoad::kSwapDb:
      return How::kSwap;
  }
  return How::kFile;
}

Freeing SnapshotIntake::freeing() const {
  return options_.engine.replication.replica_lazy_flush ? Freeing::kLazy : Freeing::kNow;
}

void SnapshotIntake::begin(How how, const ReplicationId& id) {
  CHECK(is_idle());
  how_ = how;
  stage_ = Stage::kReceiving;
  is_done_ = false;
  problem_.clear();
  stream_db_ = 0;
  if (how == How::kFile) {
    path_ = snapshots_.path_of_sync();
    file_ = std::make_unique<WrittenFile>(loop_, path_, WrittenFile::Syncs::kAtEnd);
  } else if (how == How::kSwap) {
    fresh_ = std::make_unique<Databases>(engine_.heap, engine_.dbs[0].seed(), engine_.dbs.count(),
                                         engine_.dbs.lazy_free());
    begin_loading();
    engine_.persistence.loading.is_async = engine_.replication.history().id == id;
    engine_.persistence.loading.active = !engine_.persistence.loading.is_async;
  } else {
    empty_all();
    begin_loading();
  }
  functions_.clear();
  reading_.emplace(engine_, how, options_.app.rdbchecksum, fresh_.get(),
                   how == How::kSwap ? &functions_ : nullptr);
}

bool SnapshotIntake::takes_more() const {
  return file_ == nullptr || file_->waiting_bytes() < kWaitingBytesMax;
}

bool SnapshotIntake::feed(ByteView bytes) {
  if (stage_ != Stage::kReceiving) return false;
  if (file_ != nullptr) {
    file_->append(bytes);
    if (!file_->is_ok()) fail(file_->problem());
  }
  engine_.persistence.loading.loaded_bytes += bytes.size();
  if (problem_.empty() && !read(bytes))
    fail(describe_problem("sent by the primary", reading_->reader));
  return problem_.empty();
}

bool SnapshotIntake::read(ByteView bytes) {
  const SnapshotReader::State state = reading_->reader.feed(bytes);
  return state == SnapshotReader::State::kReading ||
         (state == SnapshotReader::State::kDone && bytes.empty());
}

bool SnapshotIntake::read_end() {
  if (reading_->reader.end() == SnapshotReader::State::kDone) return true;
  const std::string& refusal = reading_->load.refusal();
  problem_ = refusal.empty() ? describe_problem("sent by the primary", reading_->reader)
                             : "The snapshot of the primary is refused: " + refusal;
  return false;
}

bool SnapshotIntake::end() {
  if (stage_ != Stage::kReceiving) return false;
  if (!read_end()) {
    fail(problem_);
    return false;
  }
  if (how_ == How::kFile) {
    stage_ = Stage::kWriting;
    file_->finish();
    return true;
  }
  if (how_ == How::kSwap && !swap()) return false;
  finish();
  return true;
}

// The functions first, since they alone can be refused.
bool SnapshotIntake::swap() {
  const std::vector<std::string> before = function_texts(engine_);
  std::string error;
  const auto load_all = [&](const std::vector<std::string>& texts) {
    forget_functions(engine_);
    return std::all_of(texts.begin(), texts.end(), [&](const std::string& text) {
      return load_function_text(engine_, text, /*replaces=*/false, error);
    });
  };
  if (!load_all(functions_)) {
    const std::string problem = "The functions of the primary cannot be loaded: " + error;
    (void)load_all(before);
    fail(problem);
    return false;
  }
  snapshots_.on_data_replaced();
  engine_.take_databases(*fresh_);
  for (DbIndex db = 0; db < fresh_->count(); ++db) (*fresh_)[db].clear(freeing());
  return true;
}

// Of a node without data there is no history.
void SnapshotIntake::empty_all() {
  snapshots_.on_data_replaced();
  engine_.replication.adopt(make_replication_id(engine_.prng), 0, 0);
  if (engine_.dbs.size() > 0)
    engine_.log.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Flushing old data");
  engine_.flush_all(freeing());
  forget_functions(engine_);
}

void SnapshotIntake::begin_loading() {
  engine_.log.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Loading DB in memory");
  engine_.persistence.loading = {.active = true, .began = loop_.wall_now()};
  engine_.executor.close_gate(Gate::kLoading);
}

void SnapshotIntake::end_loading() {
  engine_.persistence.loading.active = engine_.persistence.loading.is_async = false;
  engine_.executor.open_gate(Gate::kLoading);
}

void SnapshotIntake::finish() {
  if (how_ != How::kFile) end_loading();
  reading_->load.end();
  stream_db_ = reading_->load.stream_db();
  ballot_ = reading_->load.ballot();
  stage_ = Stage::kIdle;
  is_done_ = true;
  reading_.reset();
  fresh_.reset();
  // Save points do not know it yet.
  ++engine_.changes;
  engine_.log.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Finished with success");
}

// ---- from the file

void SnapshotIntake::turn() {
  if (file_ != nullptr && file_->is_over()) {
    const bool was_wanted = stage_ == Stage::kWriting;
    const std::string problem = file_->problem();
    file_.reset();
    if (was_wanted && problem.empty()) stage_ = Stage::kWaiting;
    if (was_wanted && !problem.empty()) fail(problem);
  }
  if (stage_ == Stage::kWaiting && !loader_.busy() && !engine_.exclusive.active()) load_file();
}

void SnapshotIntake::load_file() {
  engine_.log.write(LogLevel::kNotice, "MASTER <-> REPLICA sync: Loading DB in memory");
  stage_ = Stage::kLoading;
  empty_all();
  // What has been checked is loaded now.
  reading_.emplace(engine_, How::kEmpty, options_.app.rdbchecksum, nullptr, nullptr);
  loader_.start({{.path = path_}}, *this, options_.app.key_load_delay);
}

void SnapshotIntake::on_load_end(const LoadFile* failed, int error) {
  if (failed != nullptr) problem_ = "Cannot read " + failed->path + ": " + strerrordesc_np(error);
  if (!problem_.empty()) {
    loop_.unlink(op_, path_.c_str());
    return fail(problem_);
  }
  keep_file();
  finish();
}

// What is loaded is what a snapshot would have: the file stays as ours.
void SnapshotIntake::keep_file() {
  const bool is_to_go = snapshots_.removes_sync_files();
  FileSteps steps = is_to_go ? FileSteps() : snapshots_.steps_to_keep(path_, engine_.instant());
  if (is_to_go)
    engine_.log.write(LogLevel::kNotice,
                      "Removing the RDB file obtained from the master. This replica has "
                      "persistence disabled");
  if (steps.empty()) return loop_.unlink(op_, path_.c_str());
  steps_.start(std::move(steps), [this](const FileStepRunner::Result& result) {
    if (!result.is_ok()) engine_.log.write(LogLevel::kWarning, result.problem());
  });
}

// ---- what does not end well

void SnapshotIntake::fail(std::string problem) {
  const Stage stage = std::exchange(stage_, Stage::kIdle);
  problem_ = std::move(problem);
  if (file_ != nullptr) file_->give_up("It is not wanted any more");
  if (stage == Stage::kWaiting) loop_.unlink(op_, path_.c_str());
  const bool is_half_loaded = stage == Stage::kLoading || how_ == How::kEmpty;
  if (is_half_loaded) {
    engine_.flush_all(freeing());
    forget_functions(engine_);
  }
  if (how_ != How::kFile) end_loading();
  if (fresh_ != nullptr) {
    for (DbIndex db = 0; db < fresh_->count(); ++db) (*fresh_)[db].clear(Freeing::kLazy);
  }
  engine_.log.print(LogLevel::kWarning, "Internal error in RDB reading offset %llu: %s",
                    static_cast<unsigned long long>(reading_->reader.bytes_taken()),
                    problem_.c_str());
  reading_.reset();
  fresh_.reset();
}

void SnapshotIntake::give_up(const std::string& why) {
  if (stage_ == Stage::kIdle) return;
  // It ends by itself, soon: nobody else may load meanwhile.
  problem_ = why;
  if (stage_ == Stage::kLoading) return loader_.give_up();
  fail(why);
}

}  // namespace ouro
