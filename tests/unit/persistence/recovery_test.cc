// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/recovery.h"

#include <gtest/gtest.h>

#include <map>

#include "aof_text.h"
#include "persistence/aof_check.h"
#include "persistence/aof_line.h"

namespace ouro {
namespace {

const AofPaths kPaths;

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

std::string text_of(const FileSteps& steps) {
  static constexpr const char* kNames[] = {"mkdir",   "create", "write",  "sync",
                                           "syncdir", "rename", "remove", "cut"};
  std::string text;
  for (const FileStep& step : steps) {
    text += std::string(kNames[static_cast<int>(step.kind)]) + ' ' + step.path;
    if (!step.to.empty()) text += " -> " + step.to;
    text += '\n';
  }
  return text;
}

std::string loads_of(const AofRecovery& recovery) {
  std::string text;
  for (const AofLoad& load : recovery.loads)
    text += load.name + (load.is_base ? " base" : "") + (load.is_last ? " last" : "") +
            (load.is_old_style ? " old" : "") + '\n';
  return text;
}

constexpr const char* kManifestSteps =
    "write appendonlydir/temp-appendonly.aof.manifest\n"
    "sync appendonlydir/temp-appendonly.aof.manifest\n"
    "syncdir appendonlydir\n"
    "rename appendonlydir/temp-appendonly.aof.manifest -> appendonlydir/appendonly.aof.manifest\n"
    "syncdir appendonlydir\n";

TEST(Recovery, WithoutAFolderThereIsNoLog) {
  for (const bool has_folder : {false, true}) {
    const AofRecovery recovery = recover_aof(kPaths, {.has_folder = has_folder});
    EXPECT_TRUE(recovery.manifest.empty());
    EXPECT_TRUE(recovery.errors.empty());
    EXPECT_TRUE(recovery.before.empty());
    EXPECT_TRUE(recovery.loads.empty());
    EXPECT_TRUE(recovery.after.empty());
  }
}

TEST(Recovery, BaseThenIncrementsAreLoaded) {
  const AofRecovery recovery =
      recover_aof(kPaths, {.has_folder = true,
                           .manifest = "file b.aof seq 2 type b\nfile old seq 1 type h\n"
                                       "file i1 seq 1 type i\nfile i3 seq 3 type i\n",
                           .files = {{"i3", 30}, {"i1", 0}, {"b.aof", 200}, {"old", 7}, {"x", 1}}});
  EXPECT_EQ(loads_of(recovery), "b.aof base\ni1\ni3 last\n");
  EXPECT_EQ(recovery.bytes, 230U);
  EXPECT_EQ(text_of(recovery.before), "");
  EXPECT_EQ(text_of(recovery.after), std::string("remove appendonlydir/old\n") + kManifestSteps);
}

TEST(Recovery, AFileOfTheManifestMustBeThere) {
  const AofRecovery recovery = recover_aof(
      kPaths, {.has_folder = true,
               .manifest = "file b seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
               .files = {{"b", 3}}});
  EXPECT_EQ(joined(recovery.errors),
            "Unable to obtain the AOF file appendonly.aof.1.incr.aof length. stat: No such file or "
            "directory\n");
}

TEST(Recovery, AnErrorOfTheManifestIsToldWithItsLine) {
  const AofRecovery recovery = recover_aof(
      kPaths, {.has_folder = true, .manifest = "file b seq 1 type b\n file c seq 1 type x \n"});
  EXPECT_EQ(joined(recovery.errors),
            "*** FATAL AOF MANIFEST FILE ERROR ***\nReading the manifest file, at line 2\n"
            ">>> 'file c seq 1 type x'\nUnknown AOF file type\n");
  EXPECT_EQ(joined(recover_aof(kPaths, {.has_folder = true, .manifest = ""}).errors),
            "*** FATAL AOF MANIFEST FILE ERROR ***\nFound an empty AOF manifest\n");
}

constexpr const char* kUpgradeEnd =
    "rename appendonly.aof -> appendonlydir/appendonly.aof\nsyncdir appendonlydir\nsyncdir .\n";

TEST(Recovery, AnOldFileMovesIn) {
  const AofRecovery recovery = recover_aof(kPaths, {.has_old_file = true, .old_file_bytes = 90});
  EXPECT_EQ(loads_of(recovery), "appendonly.aof base last old\n");
  EXPECT_EQ(recovery.bytes, 90U);
  EXPECT_EQ(text_of(recovery.before),
            std::string("mkdir appendonlydir\nsyncdir .\n") + kManifestSteps + kUpgradeEnd);
  EXPECT_EQ(recovery.before[2].bytes, "file appendonly.aof seq 1 type b\n");
  EXPECT_EQ(recovery.manifest.format(), "file appendonly.aof seq 1 type b\n");
}

TEST(Recovery, AnUpgradeThatWasInterruptedGoesOn) {
  AofFacts facts{.has_old_file = true,
                 .old_file_bytes = 90,
                 .has_folder = true,
                 .manifest = "file appendonly.aof seq 1 type b\n"};
  EXPECT_TRUE(text_of(recover_aof(kPaths, facts).before).ends_with(kUpgradeEnd));
  // The folder's own counts when both are there.
  facts.files = {{"appendonly.aof", 50}};
  const AofRecovery recovery = recover_aof(kPaths, facts);
  EXPECT_EQ(text_of(recovery.before), "");
  EXPECT_EQ(loads_of(recovery), "appendonly.aof base last old\n");
  EXPECT_EQ(recovery.bytes, 50U);
}

TEST(Recovery, ALogWithoutItsManifestIsNotTakenForNone) {
  AofFacts facts{.has_folder = true, .files = {{"appendonly.aof.3.incr.aof", 100}}};
  EXPECT_EQ(joined(recover_aof(kPaths, facts).errors),
            "The AOF file appendonly.aof.3.incr.aof is in the AOF directory, but no manifest names "
            "it: restore appendonly.aof.manifest, or move the file away\n");
  facts.files[0].bytes = kAofHeaderLine.size();
  EXPECT_TRUE(recover_aof(kPaths, facts).errors.empty());
  facts.files = {{"appendonly.aof.1.base.rdb", 100},
                 {"other.aof.1.incr.aof", 100},
                 {"appendonly.aof.01.incr.aof", 100},
                 {"appendonly.aof2.1.incr.aof", 100}};
  EXPECT_TRUE(recover_aof(kPaths, facts).errors.empty());
}

TEST(Recovery, AnIncrementThatNoManifestNamesIsNotWrittenOver) {
  AofRecovery recovery = recover_aof(
      kPaths,
      {.has_folder = true,
       .manifest = "file b seq 1 type b\nfile appendonly.aof.2.incr.aof seq 2 type i\n",
       .files = {{"b", 3}, {"appendonly.aof.2.incr.aof", 9}, {"appendonly.aof.3.incr.aof", 100}}});
  EXPECT_TRUE(recovery.errors.empty());
  EXPECT_EQ(recovery.notices.size(), 1U);
  EXPECT_EQ(recovery.manifest.add_increment(kPaths.stem).name, "appendonly.aof.4.incr.aof");
}

TEST(Recovery, WhatIsLeftOverOfAChangeGoes) {
  const AofRecovery recovery = recover_aof(kPaths, {.has_folder = true,
                                                    .files = {{"temp-appendonly.aof.manifest", 3},
                                                              {"temp-appendonly.aof.base", 3},
                                                              {"temp-other.aof.base", 3}}});
  EXPECT_EQ(text_of(recovery.after),
            "remove appendonlydir/temp-appendonly.aof.manifest\n"
            "remove appendonlydir/temp-appendonly.aof.base\n");
}

// ---- plans

TEST(AofPlan, AnIncrementIsMadeBeforeItIsNamedAndTheOneBeforeIsSynced) {
  AofManifest manifest;
  manifest.add_base(kPaths.stem, AofBaseFormat::kSnapshot);
  manifest.add_increment(kPaths.stem);
  EXPECT_EQ(text_of(plan_increment(kPaths, manifest)),
            std::string("create appendonlydir/appendonly.aof.1.incr.aof\n"
                        "sync appendonlydir/appendonly.aof.1.incr.aof\n") +
                kManifestSteps);
  manifest.add_increment(kPaths.stem);
  EXPECT_TRUE(text_of(plan_increment(kPaths, manifest))
                  .starts_with("sync appendonlydir/appendonly.aof.1.incr.aof\n"
                               "create appendonlydir/appendonly.aof.2.incr.aof\n"));
}

TEST(AofPlan, ABaseIsWholeBeforeItIsNamed) {
  AofManifest manifest;
  manifest.add_base(kPaths.stem, AofBaseFormat::kSnapshot);
  manifest.add_increment(kPaths.stem);
  const std::string base =
      "sync appendonlydir/temp-appendonly.aof.base\nrename appendonlydir/temp-appendonly.aof.base "
      "-> appendonlydir/appendonly.aof.1.base.rdb\n";
  EXPECT_EQ(text_of(plan_base(kPaths, manifest, {})), base + kManifestSteps);
  EXPECT_EQ(text_of(plan_base(kPaths, manifest, {.began_log = true})),
            base +
                "sync appendonlydir/temp-appendonly.aof.incr\n"
                "rename appendonlydir/temp-appendonly.aof.incr -> "
                "appendonlydir/appendonly.aof.1.incr.aof\n" +
                kManifestSteps);
}

TEST(AofPlan, HistoryGoesButNotAFileThatIsInUse) {
  const AofManifest manifest =
      AofManifest::parse(
          "file b seq 1 type b\nfile i seq 1 type h\nfile j seq 1 type h\nfile i seq 2 type i\n")
          .manifest;
  const FileSteps steps = plan_without_history(kPaths, manifest);
  EXPECT_EQ(text_of(steps), std::string("remove appendonlydir/j\n") + kManifestSteps);
  EXPECT_EQ(steps[1].bytes, "file b seq 1 type b\nfile i seq 2 type i\n");
  EXPECT_TRUE(plan_without_history(kPaths, {}).empty());
}

// The files of a disk, by path; unsynced renames are not modelled, the order of steps is.
using Disk = std::map<std::string, std::string>;

void carry_out(Disk& disk, const FileStep& step) {
  switch (step.kind) {
    case FileStep::Kind::kCreate:
      disk[step.path] = "";
      break;
    case FileStep::Kind::kWrite:
      disk[step.path] = step.bytes;
      break;
    case FileStep::Kind::kRename:
      ASSERT_TRUE(disk.count(step.path)) << step.path;
      disk[step.to] = disk[step.path];
      disk.erase(step.path);
      break;
    case FileStep::Kind::kUnlink:
      disk.erase(step.path);
      break;
    case FileStep::Kind::kCut:
      disk[step.path].resize(step.size);
      break;
    case FileStep::Kind::kSync:
      EXPECT_TRUE(disk.count(step.path)) << step.path;
      break;
    case FileStep::Kind::kSyncDir:
    case FileStep::Kind::kMakeDir:
      break;
  }
}

AofFacts facts_of(const Disk& disk) {
  AofFacts facts;
  const std::string folder = kPaths.folder + '/';
  for (const auto& [path, bytes] : disk) {
    if (path == kPaths.stem) {
      facts.has_old_file = true;
      facts.old_file_bytes = bytes.size();
    } else {
      facts.has_folder = true;
      facts.files.push_back({path.substr(folder.size()), bytes.size()});
    }
  }
  if (const auto at = disk.find(kPaths.manifest()); at != disk.end()) facts.manifest = at->second;
  return facts;
}

// All commands of the log, as a node that starts now sees them.
std::string replay(Disk disk) {
  AofRecovery recovery = recover_aof(kPaths, facts_of(disk));
  EXPECT_EQ(joined(recovery.errors), "");
  for (const FileStep& step : recovery.before) carry_out(disk, step);
  std::string text;
  for (const AofLoad& load : recovery.loads) {
    const std::string& bytes = disk.at(kPaths.in_folder(load.name));
    EXPECT_EQ(bytes.size(), load.bytes);
    AofReader reader;
    text += read_aof(reader, bytes, [] { return 10; });
    EXPECT_EQ(judge_load(load, reader, false).action, AofVerdict::Action::kGoOn);
  }
  return text;
}

// A crash after any step of any change: what was in the log is in it still.
TEST(AofPlan, ACrashBetweenAnyTwoStepsLosesNothing) {
  Disk disk{{kPaths.stem, resp("INCR a")}};
  const std::string a = "0: INCR a\n";
  const auto do_all = [&](const FileSteps& steps, const std::string& expected) {
    for (const FileStep& step : steps) {
      carry_out(disk, step);
      ASSERT_EQ(replay(disk), expected);
    }
  };
  AofManifest manifest = recover_aof(kPaths, facts_of(disk)).manifest;
  do_all(plan_upgrade(kPaths, manifest), a);
  manifest.add_increment(kPaths.stem);
  do_all(plan_increment(kPaths, manifest), a);
  disk[kPaths.in_folder(manifest.increments().back().name)] = resp("INCR b");
  const std::string ab = a + "0: INCR b\n";
  // A rewrite: the next increment, then the base.
  manifest.add_increment(kPaths.stem);
  do_all(plan_increment(kPaths, manifest), ab);
  disk[kPaths.in_folder(manifest.increments().back().name)] = resp("INCR c");
  disk[kPaths.new_base()] = resp("INCR a") + resp("INCR b");
  const std::string abc = ab + "0: INCR c\n";
  AofManifest next = manifest;
  next.add_base(kPaths.stem, AofBaseFormat::kCommands);
  next.retire_increments(1);
  do_all(plan_base(kPaths, next, {}), abc);
  do_all(plan_without_history(kPaths, next), abc);
  EXPECT_EQ(disk.size(), 3U);
  do_all(recover_aof(kPaths, facts_of(disk)).after, abc);
}

// ---- verdicts and checks

struct Judged {
  AofVerdict verdict;
  AofFileReport report;
};

Judged judge(const std::string& file, bool load_truncated, AofLoad load = {.is_last = true}) {
  load.name = "x.aof";
  load.bytes = file.size();
  FakePreamble preamble(9);
  AofReader reader(&preamble);
  read_aof(reader, file, [] { return 1000; });
  return {judge_load(load, reader, load_truncated), check_file(load, reader)};
}

TEST(JudgeLoad, AGoodFileIsGood) {
  const Judged judged = judge(resp("INCR a"), false);
  EXPECT_EQ(judged.verdict.action, AofVerdict::Action::kGoOn);
  EXPECT_TRUE(judged.verdict.log.empty());
  EXPECT_TRUE(judged.report.is_valid);
  EXPECT_EQ(joined(judged.report.lines),
            "AOF analyzed: filename=x.aof, size=21, ok_up_to=21, ok_up_to_line=6, diff=0\n"
            "INCR AOF x.aof is valid\n");
}

TEST(JudgeLoad, ATornFileIsCutIfThatIsAllowedAndItIsTheLast) {
  const std::string file = resp("INCR a") + resp("MULTI") + resp("INCR b");
  const Judged cut = judge(file, true);
  EXPECT_EQ(cut.verdict.action, AofVerdict::Action::kCut);
  EXPECT_EQ(cut.verdict.cut_to, 21U);
  EXPECT_EQ(joined(cut.verdict.log),
            "The AOF file x.aof is torn at offset 21: the file ends within a transaction\n"
            "Revert incomplete MULTI/EXEC transaction in AOF file x.aof\n"
            "!!! Warning: short read while loading the AOF file x.aof!!!\n"
            "!!! Truncating the AOF x.aof at offset 21 !!!\n"
            "AOF x.aof loaded anyway because aof-load-truncated is enabled\n");
  EXPECT_EQ(cut.report.fix_to, 21U);
  const Judged refused = judge(file, false);
  EXPECT_EQ(refused.verdict.action, AofVerdict::Action::kRefuse);
  EXPECT_EQ(refused.verdict.log.back(),
            "Unexpected end of file reading the append only file x.aof. You can: 1) Make a backup "
            "of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. 2) "
            "Alternatively you can set the 'aof-load-truncated' configuration option to yes and "
            "restart the server.");
  const Judged inner = judge(file, true, {.is_last = false});
  EXPECT_EQ(inner.verdict.action, AofVerdict::Action::kRefuse);
  EXPECT_EQ(inner.verdict.log.back(), "Fatal error: the truncated file is not the last file");
  EXPECT_FALSE(inner.report.fix_to.has_value());
  EXPECT_EQ(inner.report.lines.back(),
            "Failed to truncate AOF x.aof because it is not the last file");
}

TEST(JudgeLoad, ADamagedFileIsRefusedWhateverIsAllowed) {
  const Judged judged = judge(resp("SET foo hello") + "!!!" + resp("INCR b"), true);
  EXPECT_EQ(judged.verdict.action, AofVerdict::Action::kRefuse);
  EXPECT_EQ(joined(judged.verdict.log),
            "The AOF file x.aof is damaged at offset 33: neither a command nor a line that begins "
            "with '#'\n"
            "Bad file format reading the append only file x.aof: make a backup of your AOF file, "
            "then use ./redis-check-aof --fix <filename.manifest>\n");
  EXPECT_EQ(joined(judged.report.lines),
            "The AOF file x.aof is damaged at offset 33: neither a command nor a line that begins "
            "with '#'\n"
            "AOF analyzed: filename=x.aof, size=57, ok_up_to=33, ok_up_to_line=8, diff=24\n"
            "This will shrink the AOF x.aof from 57 bytes, with 24 bytes, to 33 bytes\n");
  EXPECT_EQ(judged.report.fix_to, 33U);
}

TEST(JudgeLoad, DamageAmongChecksumsIsNamedByItsBounds) {
  const std::string a = std::string(kAofHeaderLine) + resp("INCR a");
  const std::string good = a + aof_checksum_line(a);
  const std::string b = resp("INCR b") + aof_checksum_line(resp("INCR x"));
  const std::string c = resp("INCR c") + aof_checksum_line(resp("INCR c"));
  const Judged judged = judge(good + b + c, true);
  EXPECT_EQ(judged.verdict.log[0], "The AOF file x.aof is damaged between offset " +
                                       std::to_string(good.size()) + " and " +
                                       std::to_string(good.size() + b.size()) +
                                       ": the checksum behind these bytes is another at offset " +
                                       std::to_string(good.size()));
  EXPECT_EQ(judged.report.fix_to, good.size());
  const Judged unchecked = judge(good + resp("INCR d"), true);
  EXPECT_EQ(unchecked.verdict.action, AofVerdict::Action::kGoOn);
  EXPECT_EQ(unchecked.verdict.log.size(), 1U);
}

TEST(JudgeLoad, AFixNeverCutsWithinATransactionNorToNothing) {
  const std::string good = resp("INCR a");
  const Judged inside =
      judge(good + resp("MULTI") + resp("INCR b") + resp("SELECT x") + resp("EXEC"), true);
  EXPECT_EQ(inside.report.fix_to, good.size());
  for (const char* file : {"#OURO:2\r\n", "<html>", "REDIZ0010"}) {
    const Judged judged = judge(file, true);
    EXPECT_FALSE(judged.report.is_valid) << file;
    EXPECT_FALSE(judged.report.fix_to.has_value()) << file;
  }
  EXPECT_EQ(judge("*1\r\n$4", true).report.fix_to, 0U);
}

TEST(JudgeLoad, UnknownCommandsAndSnapshots) {
  EXPECT_EQ(judge(resp("REFUSED x"), true).verdict.log.back(),
            "Unknown command 'REFUSED' reading the append only file x.aof");
  EXPECT_EQ(judge("REDIS00!!", true).verdict.log.back(),
            "Error reading the RDB base file x.aof, AOF loading aborted");
  const Judged old = judge("REDIS00", true, {.is_last = true, .is_old_style = true});
  EXPECT_EQ(old.verdict.log.back(),
            "Error reading the RDB preamble of the AOF file x.aof, AOF loading aborted");
  EXPECT_FALSE(old.report.fix_to.has_value());
  EXPECT_FALSE(old.report.is_valid);
}

}  // namespace
}  // namespace ouro
