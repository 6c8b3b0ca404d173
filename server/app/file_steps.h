// SPDX-License-Identifier: BSD-3-Clause
// FileStepRunner: carries out a list of steps on the disk over the Loop, each after the one before
// has succeeded. The lists say what and in which order (persistence/aof_plan.h); here is how.
//
//      start(steps, done) --> step, step, ... --> done({error, the step that failed})
//
// What is as the step wants it is no failure: a folder that is there, a file to remove that is not.
// One list at a time; `done` comes from within run_once and may start the next. Not to be destroyed
// while busy().
#pragma once

#include <functional>
#include <string>

#include "persistence/aof_plan.h"
#include "server/io/loop.h"

namespace ouro {

class FileStepRunner {
 public:
  struct Result {
    int error = 0;                     // errno
    const FileStep* failed = nullptr;  // until the next start()
    bool is_last = false;              // of the list: all others have succeeded
    bool is_ok() const { return error == 0; }
    // One line for the log and for people; empty if nothing failed.
    std::string problem() const;
  };
  using Done = std::function<void(const Result&)>;

  explicit FileStepRunner(Loop& loop) : loop_(loop), op_(this, op_to<&FileStepRunner::on_done>()) {}

  bool busy() const { return done_ != nullptr; }
  // Requires !busy() and a list that is not empty.
  void start(FileSteps steps, Done done);

 private:
  // What a step has in flight.
  enum class Part : uint8_t { kOnly, kOpening, kWriting, kCutting, kSyncing, kClosing };

  void begin_step();
  void on_done(const Outcome& outcome);
  void on_opened(int32_t result);
  void write_on();
  void sync();
  void close(int32_t result);
  void end_step(int32_t result);

  Loop& loop_;
  Op op_;
  FileSteps steps_;
  size_t at_ = 0;
  Part part_ = Part::kOnly;
  FileFd fd_;
  size_t written_ = 0;
  int32_t result_ = 0;  // of the step, while its file is closed
  Done done_;
};

}  // namespace ouro
