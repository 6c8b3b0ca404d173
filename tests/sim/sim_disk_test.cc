// SPDX-License-Identifier: BSD-3-Clause
#include "sim/sim_disk.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>

namespace ouro {
namespace {

class SimDiskTest : public testing::Test {
 protected:
  SimFile create(ByteView path) {
    SimFile file;
    EXPECT_EQ(disk.open(path, OpenFor::kReplace, file), 0);
    return file;
  }
  int32_t sync(const SimFile& file) { return disk.sync(file, SimDisk::written_mark(file)); }
  // A file with synced bytes and a synced entry.
  SimFile make(ByteView path, ByteView bytes) {
    SimFile file = create(path);
    EXPECT_EQ(disk.write_at(file, bytes, 0), static_cast<int32_t>(bytes.size()));
    EXPECT_EQ(sync(file), 0);
    EXPECT_EQ(disk.sync_dir("/"), 0);
    return file;
  }

  Prng prng{5};
  SimDisk disk{prng};
};

TEST_F(SimDiskTest, ACrashLosesUnsyncedBytes) {
  const SimFile file = make("/f", "hello");
  EXPECT_EQ(disk.write_at(file, "HELLO world", 0), 11);
  EXPECT_EQ(disk.seen("/f"), "HELLO world");
  EXPECT_EQ(disk.durable("/f"), "hello");
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/f"), "hello");
}

TEST_F(SimDiskTest, ACrashLosesUnsyncedEntries) {
  const SimFile file = create("/new");
  EXPECT_EQ(disk.write_at(file, "x", 0), 1);
  EXPECT_EQ(sync(file), 0);
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/new"), "(none)");
}

TEST_F(SimDiskTest, AnUnsyncedRenameOrUnlinkComesBack) {
  make("/a", "of a");
  make("/b", "of b");
  EXPECT_EQ(disk.rename("/a", "/b"), 0);
  EXPECT_EQ(disk.seen("/a"), "(none)");
  EXPECT_EQ(disk.seen("/b"), "of a");
  EXPECT_EQ(disk.durable("/b"), "of b");
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/a"), "of a");
  EXPECT_EQ(disk.seen("/b"), "of b");
  EXPECT_EQ(disk.unlink("/a"), 0);
  EXPECT_EQ(disk.unlink("/a"), -ENOENT);
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/a"), "of a");
  EXPECT_EQ(disk.rename("/a", "/b"), 0);
  EXPECT_EQ(disk.sync_dir("/"), 0);
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/a"), "(none)");
  EXPECT_EQ(disk.seen("/b"), "of a");
}

TEST_F(SimDiskTest, ARenamedFileWithoutSyncedBytesIsEmptyAfterACrash) {
  const SimFile file = create("/temp");
  EXPECT_EQ(disk.write_at(file, "bytes", 0), 5);
  EXPECT_EQ(disk.rename("/temp", "/name"), 0);
  EXPECT_EQ(disk.sync_dir("/"), 0);
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/name"), "");
}

TEST_F(SimDiskTest, ASyncCoversWhatWasWrittenBeforeItBegan) {
  const SimFile file = make("/f", "");
  EXPECT_EQ(disk.write_at(file, "one", 0), 3);
  const uint64_t mark = SimDisk::written_mark(file);
  EXPECT_EQ(disk.write_at(file, "two", 3), 3);
  EXPECT_EQ(disk.sync(file, mark), 0);
  EXPECT_EQ(disk.durable("/f"), "one");
  // A second sync of the same mark has nothing left to do.
  EXPECT_EQ(disk.sync(file, mark), 0);
  EXPECT_EQ(disk.durable("/f"), "one");
  EXPECT_EQ(sync(file), 0);
  EXPECT_EQ(disk.durable("/f"), "onetwo");
}

TEST_F(SimDiskTest, TruncateIsAChangeToBeSynced) {
  const SimFile file = make("/f", "0123456789");
  EXPECT_EQ(disk.truncate(file, 4), 0);
  EXPECT_EQ(disk.seen("/f"), "0123");
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/f"), "0123456789");
  EXPECT_EQ(disk.truncate(file, 12), 0);
  EXPECT_EQ(sync(file), 0);
  EXPECT_EQ(disk.durable("/f"), std::string("0123456789\0\0", 12));
}

// What Linux does: the pages count as clean after the failure, and nobody writes them again.
TEST_F(SimDiskTest, AFailedSyncLosesItsBytesForGood) {
  const SimFile file = make("/f", "before");
  EXPECT_EQ(disk.write_at(file, "LOST", 0), 4);
  disk.fail_syncs(1);
  EXPECT_EQ(sync(file), -EIO);
  EXPECT_EQ(disk.write_at(file, "!", 6), 1);
  EXPECT_EQ(sync(file), 0);
  EXPECT_EQ(disk.seen("/f"), "LOSTre!");
  EXPECT_EQ(disk.durable("/f"), "before!");
}

TEST_F(SimDiskTest, AFullDiskTakesWhatFitsThenRefuses) {
  const SimFile file = make("/f", "12345");
  disk.set_capacity(8);
  EXPECT_EQ(disk.write_at(file, "abcdef", 5), 3);
  EXPECT_EQ(disk.write_at(file, "g", 8), -ENOSPC);
  // What needs no room is taken.
  EXPECT_EQ(disk.write_at(file, "ABC", 5), 3);
  EXPECT_EQ(disk.truncate(file, 6), 0);
  EXPECT_EQ(disk.write_at(file, "zz", 6), 2);
  EXPECT_EQ(disk.seen("/f"), "12345Azz");
  EXPECT_EQ(disk.used_bytes(), 8U);
}

TEST_F(SimDiskTest, WritesAreShortOrFailAsTold) {
  const SimFile file = make("/f", "");
  disk.shorten_next_write(2);
  EXPECT_EQ(disk.write_at(file, "abcd", 0), 2);
  EXPECT_EQ(disk.write_at(file, "cd", 2), 2);
  disk.fail_writes(1);
  EXPECT_EQ(disk.write_at(file, "e", 4), -EIO);
  EXPECT_EQ(disk.seen("/f"), "abcd");
}

TEST_F(SimDiskTest, AnOpenFileOutlivesItsName) {
  const SimFile file = make("/f", "bytes");
  EXPECT_EQ(disk.unlink("/f"), 0);
  char room[8];
  EXPECT_EQ(disk.read_at(file, room, 1), 4);
  EXPECT_EQ(ByteView(room, 4), "ytes");
  EXPECT_EQ(disk.read_at(file, room, 5), 0);
}

TEST_F(SimDiskTest, DirectoriesNestAndSayWhatIsWrong) {
  EXPECT_EQ(disk.make_dir("/d"), 0);
  EXPECT_EQ(disk.make_dir("/d/"), -EEXIST);
  EXPECT_EQ(disk.make_dir("/missing/d"), -ENOENT);
  EXPECT_EQ(disk.make_dir("d/e"), 0);
  create("/d/./e//f");
  std::vector<std::string> names;
  EXPECT_EQ(disk.list_dir("/d/e", names), 0);
  EXPECT_EQ(names, std::vector<std::string>{"f"});
  EXPECT_EQ(disk.list_dir("/d/e/f", names), -ENOTDIR);
  EXPECT_EQ(disk.list_dir("/x", names), -ENOENT);
  SimFile file;
  EXPECT_EQ(disk.open("/d", OpenFor::kRead, file), -EISDIR);
  EXPECT_EQ(disk.open("/d/x", OpenFor::kRead, file), -ENOENT);
  EXPECT_EQ(disk.rename("/d/e/f", "/d/g"), 0);
  EXPECT_EQ(disk.seen("/d/g"), "");
  // An entry needs its directory's entry as well.
  EXPECT_EQ(disk.sync_dir("/d"), 0);
  disk.crash(CrashKeeps::kNothing);
  EXPECT_EQ(disk.seen("/d/g"), "(none)");
}

// Some: each write survives or not, one may be torn; every outcome is one of these, and many occur.
TEST_F(SimDiskTest, ACrashMayKeepSomeWritesAndTearOne) {
  std::set<std::string> outcomes;
  for (int i = 0; i < 300; ++i) {
    SimDisk each(prng);
    SimFile file;
    ASSERT_EQ(each.open("/f", OpenFor::kReplace, file), 0);
    ASSERT_EQ(each.write_at(file, "......", 0), 6);
    ASSERT_EQ(each.sync(file, SimDisk::written_mark(file)), 0);
    ASSERT_EQ(each.sync_dir("/"), 0);
    ASSERT_EQ(each.write_at(file, "AAA", 0), 3);
    ASSERT_EQ(each.write_at(file, "BBB", 3), 3);
    each.crash(CrashKeeps::kSome);
    const std::string left = each.seen("/f");
    ASSERT_EQ(left, each.durable("/f"));
    ASSERT_EQ(left.size(), 6U);
    for (size_t at = 0; at < 6; ++at)
      ASSERT_TRUE(left[at] == '.' || left[at] == (at < 3 ? 'A' : 'B'));
    outcomes.insert(left);
  }
  EXPECT_TRUE(outcomes.contains("......"));
  EXPECT_TRUE(outcomes.contains("AAABBB"));
  EXPECT_TRUE(outcomes.contains("...BBB"));
  EXPECT_TRUE(outcomes.contains("AA...."));
  EXPECT_TRUE(outcomes.contains("AAAB.."));
}

TEST_F(SimDiskTest, ACrashKeepsAPrefixOfADirectorysChanges) {
  std::set<std::string> outcomes;
  for (int i = 0; i < 100; ++i) {
    SimDisk each(prng);
    SimFile file;
    ASSERT_EQ(each.open("/a", OpenFor::kReplace, file), 0);
    ASSERT_EQ(each.rename("/a", "/b"), 0);
    ASSERT_EQ(each.open("/c", OpenFor::kReplace, file), 0);
    each.crash(CrashKeeps::kSome);
    std::vector<std::string> names;
    ASSERT_EQ(each.list_dir("/", names), 0);
    std::string text;
    for (const std::string& name : names) text += name;
    outcomes.insert(text);
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"", "a", "b", "bc"}));
}

}  // namespace
}  // namespace ouro
