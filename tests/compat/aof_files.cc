// SPDX-License-Identifier: BSD-3-Clause
// Append-only logs on a real disk, for aof_test.py: writes one from effects, reads one, checks one.
//
//   aof_files write FOLDER [--plain] [--timestamps]   effects from the standard input, a line each:
//                                      DB WORD...   quoted where needed
//                                      ( and )      around a group that is one transaction
//                                      write        what was gathered goes to the file
//                                      increment    the next increment begins
//                                      rewrite      the commands so far become the base
//   aof_files read FOLDER [--strict]   what a node would apply, in the same form; what a snapshot
//                                      at the front of the base holds is not told
//   aof_files check FOLDER [--fix]
//
// FOLDER is the server's; the log lies in appendonlydir. What is told goes to the standard error.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "datastructs/base/check.h"
#include "datastructs/codec/quoted.h"
#include "datastructs/codec/quoted_words.h"
#include "persistence/aof_check.h"
#include "persistence/aof_writer.h"
#include "persistence/snapshot_preamble.h"

namespace ouro {
namespace {

namespace fs = std::filesystem;

struct Request {
  fs::path folder;
  bool plain = false;
  bool timestamps = false;
  bool strict = false;
  bool fix = false;
};

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const fs::path& path, ByteView bytes, std::ios::openmode mode = std::ios::trunc) {
  std::ofstream file(path, std::ios::binary | mode);
  file << bytes;
  CHECK(file.good());
}

void carry_out(const fs::path& folder, const FileSteps& steps) {
  for (const FileStep& step : steps) {
    const fs::path path = folder / step.path;
    switch (step.kind) {
      case FileStep::Kind::kMakeDir:
        fs::create_directory(path);
        break;
      case FileStep::Kind::kCreate:
      case FileStep::Kind::kWrite:
        write_file(path, step.bytes);
        break;
      case FileStep::Kind::kRename:
        fs::rename(path, folder / step.to);
        break;
      case FileStep::Kind::kUnlink:
        fs::remove(path);
        break;
      case FileStep::Kind::kCut:
        fs::resize_file(path, step.size);
        break;
      case FileStep::Kind::kSync:
      case FileStep::Kind::kSyncDir:
        CHECK(fs::exists(path));
        break;
    }
  }
}

std::vector<std::string> words_of(ByteView line) {
  std::vector<std::string> words;
  std::string buffer(line.size(), '\0');
  for (ByteView word;;) {
    size_t used = 0;
    const WordResult result = next_quoted_word(line, buffer.data(), word, used);
    CHECK(result != WordResult::kUnbalanced);
    if (result == WordResult::kEnd) return words;
    words.emplace_back(word);
  }
}

class LogWriter {
 public:
  explicit LogWriter(const Request& request)
      : request_(request),
        writer_(heap_, {.checksums = !request.plain, .timestamps = request.timestamps}) {
    carry_out(request.folder, plan_folder(paths_));
    next_increment();
  }

  void on_line(const std::string& line) {
    if (line == "(") {
      in_group_ = true;
    } else if (line == ")") {
      end_group();
    } else if (line == "write") {
      write();
    } else if (line == "increment") {
      next_increment();
    } else if (line == "rewrite") {
      rewrite();
    } else {
      const std::vector<std::string> words = words_of(line);
      const std::vector<ByteView> argv(words.begin() + 1, words.end());
      all_.push_back(line);
      group_.push_back({static_cast<DbIndex>(std::stoul(words[0])), OwnedArgv(heap_, argv)});
      if (!in_group_) end_group();
    }
  }

  void write() {
    if (!writer_.has_gathered()) return;
    const AofWriter::Write write = writer_.take();
    const fs::path path = request_.folder / paths_.in_folder(manifest_.increments().back().name);
    CHECK(fs::file_size(path) == write.at);
    write_file(path, write.bytes, std::ios::app);
    writer_.release();
  }

 private:
  void end_group() {
    now_ += 300;
    writer_.append(group_, in_group_ ? GroupKind::kTransaction : GroupKind::kCommand, now_);
    group_.clear();
    in_group_ = false;
  }

  void next_increment() {
    write();
    manifest_.add_increment(paths_.stem);
    carry_out(request_.folder, plan_increment(paths_, manifest_));
    writer_.begin_file();
  }

  void rewrite() {
    next_increment();
    AofWriter base(heap_, {.checksums = !request_.plain});
    for (const std::string& line : all_) {
      const std::vector<std::string> words = words_of(line);
      const std::vector<ByteView> argv(words.begin() + 1, words.end());
      const Effect effects[] = {
          {static_cast<DbIndex>(std::stoul(words[0])), OwnedArgv(heap_, argv)}};
      base.append(effects, GroupKind::kCommand, now_);
    }
    write_file(request_.folder / paths_.new_base(), base.has_gathered() ? base.take().bytes : "");
    AofManifest next = manifest_;
    next.add_base(paths_.stem, AofBaseFormat::kCommands);
    next.retire_increments(1);
    carry_out(request_.folder, plan_base(paths_, next, {}));
    carry_out(request_.folder, plan_without_history(paths_, next));
    next.forget_history();
    manifest_ = next;
  }

  const Request& request_;
  AofPaths paths_;
  Heap heap_;
  AofWriter writer_;
  AofManifest manifest_;
  std::vector<Effect> group_;
  std::vector<std::string> all_;
  bool in_group_ = false;
  UnixMs now_ = 1'700'000'000'000;
};

AofFacts facts_of(const Request& request, const AofPaths& paths) {
  AofFacts facts;
  const fs::path old = request.folder / paths.stem;
  facts.has_old_file = fs::is_regular_file(old);
  if (facts.has_old_file) facts.old_file_bytes = fs::file_size(old);
  facts.has_folder = fs::is_directory(request.folder / paths.folder);
  if (!facts.has_folder) return facts;
  for (const auto& entry : fs::directory_iterator(request.folder / paths.folder))
    facts.files.push_back({entry.path().filename().string(), entry.file_size()});
  if (fs::exists(request.folder / paths.manifest()))
    facts.manifest = read_file(request.folder / paths.manifest());
  return facts;
}

void tell(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) std::cerr << line << '\n';
}

// Whether a node would start with the log, or a check finds it valid.
bool look_at(const Request& request, bool only_check) {
  const AofPaths paths;
  const AofRecovery recovery = recover_aof(paths, facts_of(request, paths));
  tell(recovery.notices);
  tell(recovery.errors);
  if (!recovery.errors.empty()) return false;
  if (!only_check) carry_out(request.folder, recovery.before);
  bool is_valid = true;
  Heap heap;
  const Limits limits;
  SnapshotCheck nothing_kept(heap);
  for (const AofLoad& load : recovery.loads) {
    const fs::path path = request.folder / paths.in_folder(load.name);
    SnapshotPreamble snapshot(nothing_kept, {heap, limits, {}});
    AofReader reader(&snapshot);
    const auto apply = [&](DbIndex db, Argv argv) {
      if (only_check) return apply_nothing(db, argv);
      std::string line = std::to_string(db);
      for (const ByteView word : argv) append_quoted(line += ' ', word);
      std::cout << line << '\n';
      return Status::ok();
    };
    const std::string bytes = read_file(path);
    for (size_t at = 0; at < bytes.size(); at += 4096)
      reader.feed(ByteView(bytes).substr(at, 4096), apply);
    reader.end(apply);
    if (only_check) {
      const AofFileReport report = check_file(load, reader);
      tell(report.lines);
      if (report.fix_to && request.fix) fs::resize_file(path, *report.fix_to);
      is_valid = is_valid && (report.is_valid || (report.fix_to && request.fix));
      continue;
    }
    const AofVerdict verdict = judge_load(load, reader, !request.strict);
    tell(verdict.log);
    if (verdict.action == AofVerdict::Action::kRefuse) return false;
    if (verdict.action == AofVerdict::Action::kCut) fs::resize_file(path, verdict.cut_to);
  }
  if (!only_check) carry_out(request.folder, recovery.after);
  return is_valid;
}

int run(const std::vector<std::string>& words) {
  if (words.size() < 2) return 2;
  Request request{.folder = words[1]};
  for (size_t i = 2; i < words.size(); ++i) {
    const std::string& word = words[i];
    request.plain = request.plain || word == "--plain";
    request.timestamps = request.timestamps || word == "--timestamps";
    request.strict = request.strict || word == "--strict";
    request.fix = request.fix || word == "--fix";
  }
  if (words[0] == "read") return look_at(request, false) ? 0 : 1;
  if (words[0] == "check") return look_at(request, true) ? 0 : 1;
  LogWriter writer(request);
  for (std::string line; std::getline(std::cin, line);) writer.on_line(line);
  writer.write();
  return 0;
}

}  // namespace
}  // namespace ouro

int main(int argc, char** argv) { return ouro::run({argv + 1, argv + argc}); }
