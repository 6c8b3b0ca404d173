// SPDX-License-Identifier: BSD-3-Clause
// What is to be done on the disk so that the append-only log changes from one manifest to the next:
// lists of steps, each of which is done, and has succeeded, before the next. They are data:
// server/app carries them out.
//
// After a crash between any two steps the manifest on the disk names files that are whole:
//  - what a manifest names has been made, and synced, its name in the folder, too, before the
//    manifest takes its place;
//  - the manifest is written beside the old one, synced, and renamed over it;
//  - what no manifest names any more is removed only then. A crash leaves extra files, never
//    missing ones;
//  - an increment is synced before another one takes its place as the last: only the last file of a
//    log may be torn.
// A step that fails ends the list; what has been done is harmless, and the old manifest holds.
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/units.h"
#include "persistence/aof_manifest.h"

namespace ouro {

struct FileStep {
  enum class Kind : uint8_t {
    kMakeDir,  // path; there may be one
    kCreate,   // path, empty; what stands there goes
    kWrite,    // path is created with `bytes`
    kSync,     // path
    kSyncDir,  // path, a folder: names in it are as they should be
    kRename,   // path -> to, which may stand there
    kUnlink,   // path; it may be missing
    kCut,      // path, to `size` bytes, and synced
  };
  Kind kind = Kind::kSync;
  std::string path = {};
  std::string to = {};
  std::string bytes = {};
  uint64_t size = 0;
  friend bool operator==(const FileStep&, const FileStep&) = default;
};
using FileSteps = std::vector<FileStep>;

// Where a log lies, from the server's folder (`dir`).
struct AofPaths {
  std::string folder = "appendonlydir";  // appenddirname
  std::string stem = "appendonly.aof";   // appendfilename

  std::string in_folder(ByteView name) const { return folder + '/' + std::string(name); }
  std::string manifest() const { return in_folder(aof_manifest_name(stem)); }
  // While it is made. The names are Redis's, which removes them, too, if they are left over.
  std::string new_manifest() const { return in_folder("temp-" + aof_manifest_name(stem)); }
  std::string new_increment() const { return in_folder("temp-" + stem + ".incr"); }
  std::string new_base() const { return in_folder("temp-" + stem + ".base"); }
};

// The folder is there.
FileSteps plan_folder(const AofPaths& paths);

// The manifest alone changes.
FileSteps plan_manifest(const AofPaths& paths, const AofManifest& next);

// next.increments().back() is new, and writes go there from now on. Requires that all writes to the
// increment before have ended. A new log begins so, and may have a base then.
FileSteps plan_increment(const AofPaths& paths, const AofManifest& next);

// The file paths.new_base() is written and becomes next.base(). If the log began only now (it was
// off before), new_increment() has what was written meanwhile and becomes the last increment.
struct AofRewrite {
  bool began_log = false;
};
FileSteps plan_base(const AofPaths& paths, const AofManifest& next, AofRewrite rewrite);

// What is history is removed. Then `manifest`, which still has it, forgets it.
FileSteps plan_without_history(const AofPaths& paths, const AofManifest& manifest);

// An old log, a single file named like the stem beside the folder, moves into it as its base.
FileSteps plan_upgrade(const AofPaths& paths, const AofManifest& next);

}  // namespace ouro
