// SPDX-License-Identifier: BSD-3-Clause
// Loader: reads files, one after the other, and hands their bytes to a sink, a bounded slice a
// turn. While it does, clients are answered LOADING (Gate::kLoading), nothing expires and nothing
// is evicted.
//
//      start(files, sink) --> on_file [on_bytes ...] on_file_end, on_file ... --> on_load_end
//
// What the bytes mean is the sink's: a snapshot (snapshot_driver.h), a log (aof_driver.h). How far
// it is stands in Persistence::loading and, every few seconds, in the log.
// Not to be destroyed while busy(). Cost of a turn: kChunkBytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/engine/engine.h"
#include "server/io/loop.h"

namespace ouro {

struct LoadFile {
  std::string path;
  uint64_t bytes = 0;  // 0: not known yet
};

// All calls come from within a turn.
class LoadSink {
 public:
  virtual ~LoadSink() = default;
  virtual void on_file(const LoadFile& file) = 0;
  // What comes next of the file. False: no more of it is wanted.
  [[nodiscard]] virtual bool on_bytes(ByteView bytes) = 0;
  // It has ended, or no more was wanted. False: no other file is wanted.
  [[nodiscard]] virtual bool on_file_end() = 0;
  // The last call. `failed`: the file that could not be opened or read, and the errno why; null if
  // each was read as far as the sink wanted.
  virtual void on_load_end(const LoadFile* failed, int error) = 0;
  // So many keys or commands by now: for key-load-delay.
  virtual uint64_t steps() const = 0;
};

class Loader {
 public:
  Loader(Loop& loop, Engine& engine)
      : loop_(loop), engine_(engine), op_(this, op_to<&Loader::on_done>()) {}

  bool busy() const { return part_ != Part::kIdle; }
  // Whether there is a first file is not known yet.
  bool is_opening_first() const { return part_ == Part::kOpening && at_ == 0; }

  // Requires !busy() and a file. key_delay: key-load-delay, in microseconds a step; below zero, a
  // microsecond for so many. The sink outlives the loading.
  void start(std::vector<LoadFile> files, LoadSink& sink, int64_t key_delay);
  // Once a turn. True if the next one shall come at once.
  bool turn();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  // Reads no more; the sink's last call comes soon.
  void give_up() { gives_up_ = true; }

 private:
  static constexpr size_t kChunkBytes = 256_KiB;
  // With a delay for each key, so that few come at once.
  static constexpr size_t kDelayedBytes = 64;
  static constexpr Micros kTellEvery = 5'000'000;

  enum class Part : uint8_t { kIdle, kOpening, kReading, kClosing };

  void open();
  void on_done(const Outcome& outcome);
  void on_opened(int32_t result);
  void on_read(int32_t result);
  bool feed();
  void read();
  void close(int error);
  void on_closed();
  void end(const LoadFile* failed);
  void tell();

  Loop& loop_;
  Engine& engine_;
  Op op_;
  Part part_ = Part::kIdle;
  std::vector<LoadFile> files_;
  LoadSink* sink_ = nullptr;
  double key_delay_us_ = 0;
  size_t at_ = 0;
  FileFd fd_;
  uint64_t offset_ = 0;  // in the file, of what is read next
  std::unique_ptr<char[]> room_;
  ByteView chunk_;  // in room_: not handed out yet
  int error_ = 0;   // of the file that is being closed
  bool gives_up_ = false;
  Instant began_ = 0;
  Instant told_ = 0;
};

}  // namespace ouro
