// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/loader.h"

#include <algorithm>

namespace ouro {

void Loader::start(std::vector<LoadFile> files, LoadSink& sink, int64_t key_delay) {
  CHECK(!busy());
  CHECK(!files.empty());
  files_ = std::move(files);
  sink_ = &sink;
  key_delay_us_ =
      key_delay < 0 ? -1.0 / static_cast<double>(key_delay) : static_cast<double>(key_delay);
  at_ = 0;
  gives_up_ = false;
  began_ = told_ = loop_.now();
  room_ = std::make_unique_for_overwrite<char[]>(kChunkBytes);
  LoadingFacts& facts = engine_.persistence.loading;
  facts = {.active = true, .began = loop_.wall_now()};
  for (const LoadFile& file : files_) facts.total_bytes += file.bytes;
  engine_.executor.close_gate(Gate::kLoading);
  open();
}

void Loader::open() {
  part_ = Part::kOpening;
  loop_.open(op_, files_[at_].path.c_str(), OpenFor::kRead);
}

void Loader::on_done(const Outcome& outcome) {
  switch (part_) {
    case Part::kOpening:
      return on_opened(outcome.result);
    case Part::kReading:
      return on_read(outcome.result);
    case Part::kClosing:
      return on_closed();
    case Part::kIdle:
      break;
  }
  OURO_UNREACHABLE();
}

void Loader::on_opened(int32_t result) {
  LoadFile& file = files_[at_];
  if (result < 0) {
    error_ = -result;
    return end(&file);
  }
  fd_ = {result};
  if (file.bytes == 0) {
    file.bytes = static_cast<uint64_t>(std::max<int64_t>(loop_.file_size(fd_), 0));
    engine_.persistence.loading.total_bytes += file.bytes;
  }
  part_ = Part::kReading;
  offset_ = 0;
  sink_->on_file(file);
  read();
}

void Loader::read() { loop_.read_at(op_, fd_, {room_.get(), kChunkBytes}, offset_); }

void Loader::on_read(int32_t result) {
  if (result <= 0) return close(-result);
  chunk_ = {room_.get(), static_cast<size_t>(result)};
  offset_ += chunk_.size();
}

Instant Loader::due() const {
  if (part_ != Part::kReading || op_.busy() || key_delay_us_ == 0) return kNever;
  return began_ + static_cast<Instant>(static_cast<double>(sink_->steps()) * key_delay_us_);
}

bool Loader::turn() {
  if (part_ != Part::kReading || op_.busy()) return false;
  if (gives_up_ || !feed()) {
    close(0);
    return false;
  }
  if (loop_.now() - told_ >= kTellEvery) tell();
  if (chunk_.empty()) read();
  return !op_.busy() && key_delay_us_ == 0;
}

// False when the sink wants no more of this file.
bool Loader::feed() {
  while (!chunk_.empty() && (key_delay_us_ == 0 || due() <= loop_.now())) {
    const ByteView piece = chunk_.substr(0, key_delay_us_ == 0 ? chunk_.size() : kDelayedBytes);
    chunk_.remove_prefix(piece.size());
    engine_.persistence.loading.loaded_bytes += piece.size();
    if (!sink_->on_bytes(piece)) return false;
  }
  return true;
}

void Loader::close(int error) {
  part_ = Part::kClosing;
  error_ = error;
  chunk_ = {};
  loop_.close(op_, std::exchange(fd_, FileFd()));
}

void Loader::on_closed() {
  if (error_ != 0) return end(&files_[at_]);
  if (gives_up_ || !sink_->on_file_end() || ++at_ == files_.size()) return end(nullptr);
  open();
}

void Loader::end(const LoadFile* failed) {
  part_ = Part::kIdle;
  room_.reset();
  engine_.persistence.loading.active = false;
  engine_.executor.open_gate(Gate::kLoading);
  sink_->on_load_end(failed, failed == nullptr ? 0 : error_);
}

void Loader::tell() {
  told_ = loop_.now();
  const LoadingFacts& facts = engine_.persistence.loading;
  const auto mebi = [](uint64_t bytes) { return static_cast<double>(bytes) / (1024 * 1024); };
  engine_.log.print(LogLevel::kNotice, "Loading: %.1f of %.1f MiB, %llu keys",
                    mebi(facts.loaded_bytes), mebi(facts.total_bytes),
                    static_cast<unsigned long long>(facts.keys_loaded));
}

}  // namespace ouro
