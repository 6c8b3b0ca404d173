// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/aof_tool.h"

#include <cstring>
#include <vector>

#include "persistence/aof_check.h"
#include "persistence/snapshot_preamble.h"
#include "server/app/aof_folder.h"
#include "server/app/file_steps.h"
#include "server/engine/options.h"

namespace ouro {
namespace {

constexpr ByteView kManifestEnd = ".manifest";

// What the files of the log in the folder begin with; empty if there is none.
std::string stem_of(Loop& loop, const std::string& folder) {
  for (const std::string& name : names_in(loop, folder)) {
    if (name.ends_with(kManifestEnd) && !name.starts_with("temp-"))
      return name.substr(0, name.size() - kManifestEnd.size());
  }
  return {};
}

class Check {
 public:
  Check(Loop& loop, bool fixes) : loop_(loop), fixes_(fixes) {}

  bool run(const AofPaths& paths) {
    AofFolder folder = look_at_aof_folder(loop_, paths);
    if (!folder.problem.empty()) return say(folder.problem, false);
    // One beside the folder is another log.
    folder.facts.has_old_file = false;
    const AofRecovery recovery = recover_aof(paths, folder.facts);
    for (const std::string& line : recovery.errors) say(line, false);
    if (!recovery.errors.empty()) return false;
    for (const AofLoad& load : recovery.loads) {
      if (!check(paths.in_folder(load.name), load)) return false;
    }
    return say("All AOF files and manifest are valid", true);
  }

  std::string text;

 private:
  bool say(const std::string& line, bool is_good) {
    text += line + '\n';
    return is_good;
  }

  bool check(const std::string& path, const AofLoad& load) {
    Heap heap;
    const EngineOptions options;
    SnapshotCheck values(heap);
    SnapshotPreamble preamble(values, {heap, options.limits, HashSeed{0}});
    AofReader reader(&preamble);
    const auto apply = [](DbIndex db, Argv argv) { return apply_nothing(db, argv); };
    const int error = read_file_through(loop_, path, [&](ByteView bytes) {
      return reader.feed(bytes, apply) == AofReader::State::kReading;
    });
    if (error != 0) return say("Cannot read " + path + ": " + strerrordesc_np(error), false);
    if (reader.state() == AofReader::State::kReading) (void)reader.end(apply);
    const AofFileReport report = check_file(load, reader);
    for (const std::string& line : report.lines) say(line, true);
    if (report.is_valid) return true;
    if (!report.fix_to) return false;
    if (!fixes_) return say("Use the --fix option to try fixing it.", false);
    return cut(path, *report.fix_to);
  }

  bool cut(const std::string& path, uint64_t size) {
    std::string problem;
    FileStepRunner steps(loop_);
    steps.start({{.kind = FileStep::Kind::kCut, .path = path, .size = size}},
                [&](const FileStepRunner::Result& result) { problem = result.problem(); });
    while (steps.busy()) loop_.run_once(10);
    if (!problem.empty()) return say(problem, false);
    return say("Successfully truncated AOF " + path, true);
  }

  Loop& loop_;
  bool fixes_;
};

}  // namespace

AofToolResult check_aof(Loop& loop, std::span<const ByteView> words) {
  const bool fixes = words.size() == 2 && words[1] == "--fix";
  if (words.empty() || words.size() > 2 || (words.size() == 2 && !fixes))
    return {.is_valid = false, .text = "Usage: ouro-server --check-aof DIR [--fix]\n"};
  AofPaths paths{.folder = std::string(words[0])};
  paths.stem = stem_of(loop, paths.folder);
  if (paths.stem.empty())
    return {.is_valid = false, .text = "There is no manifest of a log in " + paths.folder + "\n"};
  Check check(loop, fixes);
  const bool is_valid = check.run(paths);
  return {.is_valid = is_valid, .text = std::move(check.text)};
}

}  // namespace ouro
