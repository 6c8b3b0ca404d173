// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/aof_folder.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

namespace ouro {
namespace {

constexpr size_t kChunkBytes = 256_KiB;

// An operation that somebody waits for.
class Waited {
 public:
  explicit Waited(Loop& loop) : loop_(loop) {}
  int32_t result() {
    while (op.busy()) loop_.run_once(10);
    return result_;
  }

  Op op{this, op_to<&Waited::on_done>()};

 private:
  void on_done(const Outcome& outcome) { result_ = outcome.result; }

  Loop& loop_;
  int32_t result_ = 0;
};

// -errno, or a descriptor.
int32_t open_file(Loop& loop, const std::string& path) {
  Waited open(loop);
  loop.open(open.op, path.c_str(), OpenFor::kRead);
  return open.result();
}

void close_file(Loop& loop, FileFd fd) {
  Waited close(loop);
  loop.close(close.op, fd);
  (void)close.result();
}

// The size of a file, or -errno.
int64_t size_of(Loop& loop, const std::string& path) {
  const FileFd fd{open_file(loop, path)};
  if (!fd.is_open()) return fd.number;
  const int64_t bytes = loop.file_size(fd);
  close_file(loop, fd);
  return bytes;
}

int32_t list_folder(Loop& loop, const std::string& folder, std::vector<std::string>& names) {
  Waited list(loop);
  loop.list_dir(list.op, folder.c_str(), names);
  return list.result();
}

std::string problem_of(const std::string& path, int64_t result) {
  return "Cannot read " + path + ": " + strerrordesc_np(static_cast<int>(-result));
}

// What is in the folder; false with a text in `problem`.
bool list_files(Loop& loop, const AofPaths& paths, AofFacts& facts, std::string& problem) {
  std::vector<std::string> names;
  const int32_t result = list_folder(loop, paths.folder, names);
  if (result == -ENOENT) return true;
  if (result < 0) {
    problem = problem_of(paths.folder, result);
    return false;
  }
  facts.has_folder = true;
  for (const std::string& name : names) {
    const int64_t bytes = size_of(loop, paths.in_folder(name));
    if (bytes < 0) {
      problem = problem_of(paths.in_folder(name), bytes);
      return false;
    }
    facts.files.push_back({.name = name, .bytes = static_cast<uint64_t>(bytes)});
  }
  return true;
}

}  // namespace

std::vector<std::string> names_in(Loop& loop, const std::string& folder) {
  std::vector<std::string> names;
  (void)list_folder(loop, folder, names);
  return names;
}

int read_file_through(Loop& loop, const std::string& path, FunctionRef<bool(ByteView)> take) {
  const FileFd fd{open_file(loop, path)};
  if (!fd.is_open()) return -fd.number;
  const auto room = std::make_unique_for_overwrite<char[]>(kChunkBytes);
  uint64_t offset = 0;
  int32_t result = 0;
  do {
    Waited read(loop);
    loop.read_at(read.op, fd, {room.get(), kChunkBytes}, offset);
    result = read.result();
    if (result > 0) offset += static_cast<uint64_t>(result);
  } while (result > 0 && take({room.get(), static_cast<size_t>(result)}));
  close_file(loop, fd);
  return result < 0 ? -result : 0;
}

AofFolder look_at_aof_folder(Loop& loop, const AofPaths& paths) {
  AofFolder folder;
  AofFacts& facts = folder.facts;
  if (const int64_t bytes = size_of(loop, paths.stem); bytes >= 0) {
    facts.has_old_file = true;
    facts.old_file_bytes = static_cast<uint64_t>(bytes);
  }
  if (!list_files(loop, paths, facts, folder.problem)) return folder;
  std::string manifest;
  const int error = read_file_through(loop, paths.manifest(), [&](ByteView bytes) {
    manifest += bytes;
    return true;
  });
  if (error == 0) {
    facts.manifest = std::move(manifest);
  } else if (error != ENOENT) {
    folder.problem = problem_of(paths.manifest(), -error);
  }
  return folder;
}

}  // namespace ouro
