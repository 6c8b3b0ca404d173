// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/file_steps.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace ouro {
namespace {

using Kind = FileStep::Kind;

const char* verb_of(Kind kind) {
  switch (kind) {
    case Kind::kMakeDir:
    case Kind::kCreate:
      return "create";
    case Kind::kWrite:
      return "write";
    case Kind::kSync:
    case Kind::kSyncDir:
      return "sync";
    case Kind::kRename:
      return "rename";
    case Kind::kUnlink:
      return "remove";
    case Kind::kCut:
      return "cut";
  }
  OURO_UNREACHABLE();
}

// A step that finds done what it was to do has succeeded.
bool is_done_already(Kind kind, int32_t result) {
  return (kind == Kind::kMakeDir && result == -EEXIST) ||
         (kind == Kind::kUnlink && result == -ENOENT);
}

}  // namespace

std::string FileStepRunner::Result::problem() const {
  if (failed == nullptr) return {};
  std::string text = std::string("Cannot ") + verb_of(failed->kind) + " " + failed->path;
  if (!failed->to.empty()) text += " to " + failed->to;
  return text + ": " + strerrordesc_np(error);
}

void FileStepRunner::start(FileSteps steps, Done done) {
  CHECK(!busy());
  CHECK(!steps.empty());
  steps_ = std::move(steps);
  at_ = 0;
  done_ = std::move(done);
  begin_step();
}

void FileStepRunner::begin_step() {
  const FileStep& step = steps_[at_];
  part_ = Part::kOnly;
  switch (step.kind) {
    case Kind::kMakeDir:
      return loop_.make_dir(op_, step.path.c_str());
    case Kind::kCreate:
    case Kind::kWrite:
      part_ = Part::kOpening;
      return loop_.open(op_, step.path.c_str(), OpenFor::kReplace);
    case Kind::kSync:
      part_ = Part::kOpening;
      return loop_.open(op_, step.path.c_str(), OpenFor::kRead);
    case Kind::kCut:
      part_ = Part::kOpening;
      return loop_.open(op_, step.path.c_str(), OpenFor::kChange);
    case Kind::kSyncDir:
      return loop_.sync_dir(op_, step.path.c_str());
    case Kind::kRename:
      return loop_.rename(op_, step.path.c_str(), step.to.c_str());
    case Kind::kUnlink:
      return loop_.unlink(op_, step.path.c_str());
  }
  OURO_UNREACHABLE();
}

void FileStepRunner::on_done(const Outcome& outcome) {
  switch (part_) {
    case Part::kOnly:
      return end_step(outcome.result);
    case Part::kOpening:
      return on_opened(outcome.result);
    case Part::kWriting:
      if (outcome.result < 0) return close(outcome.result);
      written_ += static_cast<size_t>(outcome.result);
      return write_on();
    case Part::kCutting:
      return outcome.result < 0 ? close(outcome.result) : sync();
    case Part::kSyncing:
      return close(outcome.result);
    case Part::kClosing:
      return end_step(result_ < 0 ? result_ : outcome.result);
  }
  OURO_UNREACHABLE();
}

void FileStepRunner::on_opened(int32_t result) {
  if (result < 0) return end_step(result);
  fd_ = {result};
  written_ = 0;
  const FileStep& step = steps_[at_];
  if (step.kind == Kind::kSync) return sync();
  if (step.kind != Kind::kCut) return write_on();
  part_ = Part::kCutting;
  loop_.truncate(op_, fd_, step.size);
}

void FileStepRunner::sync() {
  part_ = Part::kSyncing;
  loop_.sync(op_, fd_);
}

void FileStepRunner::write_on() {
  part_ = Part::kWriting;
  const ByteView bytes = steps_[at_].bytes;
  while (written_ < bytes.size()) {
    const int32_t result =
        loop_.write_at(op_, fd_, bytes.substr(written_), written_, WriteEnd::kMayBeLate);
    if (result == kInFlight) return;
    if (result < 0) return close(result);
    written_ += static_cast<size_t>(result);
  }
  close(0);
}

void FileStepRunner::close(int32_t result) {
  part_ = Part::kClosing;
  result_ = result;
  loop_.close(op_, fd_);
}

void FileStepRunner::end_step(int32_t result) {
  if (result < 0 && !is_done_already(steps_[at_].kind, result)) {
    const Result failure{
        .error = -result, .failed = &steps_[at_], .is_last = at_ + 1 == steps_.size()};
    return std::exchange(done_, nullptr)(failure);
  }
  if (++at_ < steps_.size()) return begin_step();
  std::exchange(done_, nullptr)(Result{});
}

}  // namespace ouro
