// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/recovery.h"

#include <algorithm>

#include "datastructs/codec/number_text.h"
#include "persistence/aof_line.h"

namespace ouro {

namespace {

using File = AofFacts::File;
using Text = std::string;

// There must be a next number.
constexpr uint64_t kStraySeqMax = INT64_MAX / 2;

const File* find_file(const AofFacts& facts, ByteView name) {
  for (const File& file : facts.files) {
    if (file.name == name) return &file;
  }
  return nullptr;
}

// The number of an increment of this log; 0 for any other name.
uint64_t increment_seq(const AofPaths& paths, ByteView name) {
  if (!name.starts_with(paths.stem + '.')) return 0;
  name.remove_prefix(paths.stem.size() + 1);
  const uint64_t seq = parse_uint64(name.substr(0, name.find('.'))).value_or(0);
  return name == std::to_string(seq) + ".incr.aof" ? seq : 0;
}

bool names(const AofManifest& manifest, ByteView name) {
  const std::vector<AofFile>& history = manifest.history();
  return manifest.uses(name) || std::any_of(history.begin(), history.end(),
                                            [&](const AofFile& file) { return file.name == name; });
}

bool holds_commands(const File& file) { return file.bytes > kAofHeaderLine.size(); }

// An older Redis's file is there, and nothing newer; or moving it in was interrupted.
bool needs_upgrade(const AofPaths& paths, const AofFacts& facts, const AofManifest& manifest) {
  if (!facts.has_old_file) return false;
  if (!facts.has_folder || manifest.empty()) return true;
  return manifest.increments().empty() && manifest.base()->name == paths.stem &&
         find_file(facts, paths.stem) == nullptr;
}

void report(AofRecovery& recovery, const ManifestError& error) {
  recovery.errors.emplace_back("*** FATAL AOF MANIFEST FILE ERROR ***");
  if (error.line > 0) {
    recovery.errors.push_back("Reading the manifest file, at line " + std::to_string(error.line));
    recovery.errors.push_back(">>> '" + error.text + "'");
  }
  recovery.errors.emplace_back(error.reason);
}

void upgrade(const AofPaths& paths, const AofFacts& facts, AofRecovery& recovery) {
  if (recovery.manifest.empty()) recovery.manifest.add_old_file(paths.stem);
  recovery.before = plan_upgrade(paths, recovery.manifest);
  recovery.loads.push_back({.name = paths.stem,
                            .bytes = facts.old_file_bytes,
                            .is_base = true,
                            .is_last = true,
                            .is_old_style = true});
  recovery.bytes = facts.old_file_bytes;
  recovery.notices.push_back("Successfully migrated an old-style AOF file (" + paths.stem +
                             ") into the AOF directory (" + paths.folder + ").");
}

void list_loads(const AofPaths& paths, const AofFacts& facts, AofRecovery& recovery) {
  std::vector<AofFile> files;
  if (recovery.manifest.base()) files.push_back(*recovery.manifest.base());
  for (const AofFile& file : recovery.manifest.increments()) files.push_back(file);
  for (const AofFile& file : files) {
    const File* fact = find_file(facts, file.name);
    if (fact == nullptr) {
      recovery.errors.push_back("Unable to obtain the AOF file " + file.name +
                                " length. stat: No such file or directory");
      return;
    }
    recovery.loads.push_back({.name = file.name,
                              .bytes = fact->bytes,
                              .is_base = file.type == AofFileType::kBase,
                              .is_old_style = file.name == paths.stem});
    recovery.bytes += fact->bytes;
  }
  if (!recovery.loads.empty()) recovery.loads.back().is_last = true;
}

// Increments that no manifest names. Empty ones are left from a start that was cut short; the next
// increment takes their name.
void look_at_strays(const AofPaths& paths, const AofFacts& facts, AofRecovery& recovery) {
  const bool has_log = !recovery.manifest.empty();
  for (const File& file : facts.files) {
    const uint64_t seq = increment_seq(paths, file.name);
    if (seq == 0 || !holds_commands(file) || names(recovery.manifest, file.name)) continue;
    if (!has_log || seq > kStraySeqMax) {
      recovery.errors.push_back("The AOF file " + file.name +
                                " is in the AOF directory, but no manifest names it: restore " +
                                aof_manifest_name(paths.stem) + ", or move the file away");
      return;
    }
    recovery.manifest.reserve_increment(seq);
    recovery.notices.push_back("The AOF file " + file.name +
                               " is not in the manifest and is left as it is");
  }
}

void tidy(const AofPaths& paths, const AofFacts& facts, AofRecovery& recovery) {
  for (const Text& path : {paths.new_manifest(), paths.new_increment(), paths.new_base()}) {
    if (find_file(facts, path.substr(paths.folder.size() + 1)) != nullptr)
      recovery.after.push_back({.kind = FileStep::Kind::kUnlink, .path = path});
  }
  FileSteps steps = plan_without_history(paths, recovery.manifest);
  std::move(steps.begin(), steps.end(), std::back_inserter(recovery.after));
}

Text at_offset(uint64_t offset) { return " at offset " + std::to_string(offset); }

AofVerdict refuse(Text detail, Text error) {
  AofVerdict verdict{.action = AofVerdict::Action::kRefuse};
  if (!detail.empty()) verdict.log.push_back(std::move(detail));
  verdict.log.push_back(std::move(error));
  return verdict;
}

AofVerdict judge_torn(const AofLoad& load, const AofReader& reader, bool load_truncated) {
  Text detail = describe_problem(load.name, reader);
  if (!load_truncated) {
    return refuse(std::move(detail),
                  "Unexpected end of file reading the append only file " + load.name +
                      ". You can: 1) Make a backup of your AOF file, then use ./redis-check-aof"
                      " --fix <filename.manifest>. 2) Alternatively you can set the"
                      " 'aof-load-truncated' configuration option to yes and restart the server.");
  }
  if (!load.is_last)
    return refuse(std::move(detail), "Fatal error: the truncated file is not the last file");
  AofVerdict verdict{.action = AofVerdict::Action::kCut, .cut_to = reader.ok_up_to()};
  verdict.log.push_back(std::move(detail));
  if (reader.ends_in_transaction())
    verdict.log.push_back("Revert incomplete MULTI/EXEC transaction in AOF file " + load.name);
  verdict.log.push_back("!!! Warning: short read while loading the AOF file " + load.name + "!!!");
  verdict.log.push_back("!!! Truncating the AOF " + load.name + at_offset(reader.ok_up_to()) +
                        " !!!");
  verdict.log.push_back("AOF " + load.name +
                        " loaded anyway because aof-load-truncated is enabled");
  return verdict;
}

}  // namespace

AofRecovery recover_aof(const AofPaths& paths, const AofFacts& facts) {
  AofRecovery recovery;
  if (facts.has_folder && facts.manifest) {
    AofManifest::Parsed parsed = AofManifest::parse(*facts.manifest);
    if (parsed.error) {
      report(recovery, *parsed.error);
      return recovery;
    }
    recovery.manifest = std::move(parsed.manifest);
  }
  look_at_strays(paths, facts, recovery);
  if (!recovery.errors.empty()) return recovery;
  if (needs_upgrade(paths, facts, recovery.manifest)) {
    upgrade(paths, facts, recovery);
  } else {
    list_loads(paths, facts, recovery);
  }
  if (recovery.errors.empty()) tidy(paths, facts, recovery);
  return recovery;
}

AofVerdict judge_load(const AofLoad& load, const AofReader& reader, bool load_truncated) {
  Text detail = describe_problem(load.name, reader);
  switch (reader.state()) {
    case AofReader::State::kReading:
    case AofReader::State::kDone:
      break;
    case AofReader::State::kTorn:
      return judge_torn(load, reader, load_truncated);
    case AofReader::State::kDamaged:
      return refuse(std::move(detail),
                    "Bad file format reading the append only file " + load.name +
                        ": make a backup of your AOF file, then use ./redis-check-aof --fix"
                        " <filename.manifest>");
    case AofReader::State::kRefused:
      if (reader.refused_because() == Err::kUnknown) {
        return refuse(std::move(detail), "Unknown command '" + reader.refused_word() +
                                             "' reading the append only file " + load.name);
      }
      return refuse({}, std::move(detail));
    case AofReader::State::kBadPreamble:
      return refuse(std::move(detail),
                    load.is_old_style
                        ? "Error reading the RDB preamble of the AOF file " + load.name +
                              ", AOF loading aborted"
                        : "Error reading the RDB base file " + load.name + ", AOF loading aborted");
  }
  AofVerdict verdict;
  if (reader.unchecked_commands() > 0) {
    verdict.log.push_back("The AOF file " + load.name + " has " +
                          std::to_string(reader.unchecked_commands()) +
                          " commands that no checksum covers: another server wrote them");
  }
  return verdict;
}

std::string describe_problem(ByteView file, const AofReader& reader) {
  const Text name(file);
  const Text where = at_offset(reader.offset());
  switch (reader.state()) {
    case AofReader::State::kReading:
    case AofReader::State::kDone:
      break;
    case AofReader::State::kTorn:
      return "The AOF file " + name + " is torn" + where + ": " + reader.reason();
    case AofReader::State::kDamaged:
      if (reader.damage_end() == 0)
        return "The AOF file " + name + " is damaged" + where + ": " + reader.reason();
      return "The AOF file " + name + " is damaged between offset " +
             std::to_string(reader.ok_up_to()) + " and " + std::to_string(reader.damage_end()) +
             ": " + reader.reason() + where;
    case AofReader::State::kRefused:
      return "The AOF file " + name + " has a command" + where + " that was refused: '" +
             reader.refused_word() + "'";
    case AofReader::State::kBadPreamble:
      return "The AOF file " + name + ": " + reader.reason() + where;
  }
  return {};
}

}  // namespace ouro
