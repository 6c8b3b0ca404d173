// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/aof_loading.h"

#include <cstring>
#include <utility>

namespace ouro {

AofLoading::AofLoading(Engine& engine, const AofPaths& paths, std::vector<AofLoad> loads,
                       bool load_truncated, Done done)
    : engine_(engine),
      paths_(paths),
      loads_(std::move(loads)),
      load_truncated_(load_truncated),
      done_(std::move(done)),
      began_(engine.instant()) {
  engine_.commit.mute();
}

std::vector<LoadFile> AofLoading::files() const {
  std::vector<LoadFile> files;
  for (const AofLoad& load : loads_)
    files.push_back({.path = paths_.in_folder(load.name), .bytes = load.bytes});
  return files;
}

void AofLoading::on_file(const LoadFile& file) {
  loads_[at_].bytes = file.bytes;
  file_began_ = engine_.instant();
  reading_.emplace(engine_);
}

bool AofLoading::on_bytes(ByteView bytes) {
  engine_.executor.start_timing();
  const auto apply_one = [this](DbIndex db, Argv argv) { return apply(db, argv); };
  return reading_->reader.feed(bytes, apply_one) == AofReader::State::kReading;
}

// Facts: nothing is refused but what is no command here.
Status AofLoading::apply(DbIndex db, Argv argv) {
  if (db >= engine_.dbs.count()) return Err::kInvalid;
  ++commands_;
  caller_.db = db;
  NullReply nowhere;
  const Executor::Prepared prepared{.spec = engine_.executor.resolve(argv), .argv = argv};
  if (prepared.spec == nullptr) return Err::kUnknown;
  const Executor::Outcome outcome = engine_.executor.run(caller_, prepared, nowhere);
  return outcome == Executor::Outcome::kRefused ? Status(Err::kInvalid) : Status::ok();
}

bool AofLoading::on_file_end() {
  AofReader& reader = reading_->reader;
  if (reader.state() == AofReader::State::kReading) {
    (void)reader.end([this](DbIndex db, Argv argv) { return apply(db, argv); });
  }
  AofVerdict verdict = judge_load(load(), reader, load_truncated_);
  if (verdict.action == AofVerdict::Action::kRefuse) {
    result_.problem = std::move(verdict.log.back());
    verdict.log.pop_back();
  }
  for (const std::string& line : verdict.log) engine_.log.write(LogLevel::kWarning, line);
  if (const std::string& refusal = reading_->contents.refusal(); !refusal.empty())
    engine_.log.write(LogLevel::kWarning, load().name + ": " + refusal);
  if (!result_.problem.empty()) return false;
  if (verdict.action == AofVerdict::Action::kCut) {
    result_.cut.push_back({.kind = FileStep::Kind::kCut,
                           .path = paths_.in_folder(load().name),
                           .size = verdict.cut_to});
  }
  if (reader.has_preamble()) reading_->contents.end();
  result_.other_bytes += result_.last_bytes;
  result_.last_bytes = reader.ok_up_to();
  if (load().is_base) result_.base_bytes = result_.last_bytes;
  engine_.log.print(LogLevel::kNotice, "DB loaded from %s file %s: %.3f seconds",
                    load().is_base ? "base" : "incr", load().name.c_str(),
                    static_cast<double>(engine_.instant() - file_began_) / 1e6);
  ++at_;
  return true;
}

void AofLoading::on_load_end(const LoadFile* failed, int error) {
  if (failed != nullptr) {
    result_.problem = "Cannot read " + failed->path + ": " + strerrordesc_np(error);
  } else if (result_.problem.empty() && at_ < loads_.size()) {
    result_.problem = "The loading was given up";
  }
  if (result_.problem.empty()) {
    engine_.log.print(LogLevel::kNotice, "DB loaded from append only file: %.3f seconds",
                      static_cast<double>(engine_.instant() - began_) / 1e6);
  }
  const Done done = std::move(done_);
  const Result result = std::move(result_);
  done(result);  // may destroy this
}

uint64_t AofLoading::steps() const { return engine_.persistence.loading.keys_loaded + commands_; }

}  // namespace ouro
