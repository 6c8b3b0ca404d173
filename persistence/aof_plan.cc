// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/aof_plan.h"

#include "datastructs/base/check.h"

namespace ouro {

namespace {

using Kind = FileStep::Kind;

void append(FileSteps& to, FileSteps steps) {
  for (FileStep& step : steps) to.push_back(std::move(step));
}

}  // namespace

FileSteps plan_folder(const AofPaths& paths) {
  return {{.kind = Kind::kMakeDir, .path = paths.folder}, {.kind = Kind::kSyncDir, .path = "."}};
}

FileSteps plan_manifest(const AofPaths& paths, const AofManifest& next) {
  return {
      {.kind = Kind::kWrite, .path = paths.new_manifest(), .bytes = next.format()},
      {.kind = Kind::kSync, .path = paths.new_manifest()},
      // The names in it, before its own: no file system need keep the order of the two.
      {.kind = Kind::kSyncDir, .path = paths.folder},
      {.kind = Kind::kRename, .path = paths.new_manifest(), .to = paths.manifest()},
      {.kind = Kind::kSyncDir, .path = paths.folder},
  };
}

FileSteps plan_increment(const AofPaths& paths, const AofManifest& next) {
  const std::vector<AofFile>& increments = next.increments();
  CHECK(!increments.empty());
  FileSteps steps;
  if (increments.size() > 1) {
    const AofFile& before = increments[increments.size() - 2];
    steps.push_back({.kind = Kind::kSync, .path = paths.in_folder(before.name)});
  }
  const std::string path = paths.in_folder(increments.back().name);
  steps.push_back({.kind = Kind::kCreate, .path = path});
  steps.push_back({.kind = Kind::kSync, .path = path});
  append(steps, plan_manifest(paths, next));
  return steps;
}

FileSteps plan_base(const AofPaths& paths, const AofManifest& next, AofRewrite rewrite) {
  CHECK(next.base().has_value());
  const auto move_in = [&](FileSteps& steps, const std::string& made, const std::string& name) {
    steps.push_back({.kind = Kind::kSync, .path = made});
    steps.push_back({.kind = Kind::kRename, .path = made, .to = paths.in_folder(name)});
  };
  FileSteps steps;
  move_in(steps, paths.new_base(), next.base()->name);
  if (rewrite.began_log) {
    CHECK(!next.increments().empty());
    move_in(steps, paths.new_increment(), next.increments().back().name);
  }
  append(steps, plan_manifest(paths, next));
  return steps;
}

FileSteps plan_without_history(const AofPaths& paths, const AofManifest& manifest) {
  FileSteps steps;
  for (const AofFile& file : manifest.history()) {
    // A Redis may have used its name again.
    if (!manifest.uses(file.name))
      steps.push_back({.kind = Kind::kUnlink, .path = paths.in_folder(file.name)});
  }
  AofManifest next = manifest;
  next.forget_history();
  if (next != manifest) append(steps, plan_manifest(paths, next));
  return steps;
}

FileSteps plan_upgrade(const AofPaths& paths, const AofManifest& next) {
  FileSteps steps = plan_folder(paths);
  append(steps, plan_manifest(paths, next));
  steps.push_back({.kind = Kind::kRename, .path = paths.stem, .to = paths.in_folder(paths.stem)});
  steps.push_back({.kind = Kind::kSyncDir, .path = paths.folder});
  steps.push_back({.kind = Kind::kSyncDir, .path = "."});
  return steps;
}

}  // namespace ouro
