// SPDX-License-Identifier: BSD-3-Clause
// Values of every kind and encoding: what is written is read as the same value, bytes that were cut
// or changed are refused or give another good value, and nothing stays behind.
#include "value_fixture.h"

namespace ouro {
namespace {

using RoundTrip = ValueFixture;

TEST_F(RoundTrip, EveryValueComesBack) {
  RandomValues values(db, limits, 11);
  for (int round = 0; round < 10 * static_cast<int>(RandomValues::kForms); ++round) {
    const Entry& entry = values.put("made", static_cast<uint64_t>(round) % RandomValues::kForms);
    const std::string text = value_text(entry);
    const auto packing = round % 3 == 0 ? RdbWriter::Packing::kNone : RdbWriter::Packing::kLzf;
    const Written written = write(entry, packing);
    ASSERT_EQ(read(written.type, written.bytes), text) << round;
    // The encoding is the same, too; but a hash that had deadlines and has none any more is told
    // apart no longer.
    if (!entry.is_string() && entry.encoding() != "listpackex") {
      ASSERT_EQ(encoding(), entry.encoding()) << round;
    }
    const Written again = write(*db.find(db.key("read")), packing);
    ASSERT_EQ(again.type, written.type);
    ASSERT_EQ(again.version, written.version);
    ASSERT_EQ(again.dialect, written.dialect);
  }
}

TEST_F(RoundTrip, CutBytesAreAskedForMoreOrRefused) {
  RandomValues values(db, limits, 12);
  for (uint64_t form = 0; form < RandomValues::kForms; ++form) {
    const Written written = write(values.put("made", form));
    const size_t step = 1 + written.bytes.size() / 300;
    for (size_t size = 0; size < written.bytes.size(); size += step) {
      const std::string result = read(written.type, ByteView(written.bytes).substr(0, size));
      ASSERT_TRUE(result.starts_with("more: ") || result.starts_with("corrupt: "))
          << form << " at " << size << ": " << result.substr(0, 100);
    }
  }
}

TEST_F(RoundTrip, ChangedBytesAreNeverDangerous) {
  RandomValues values(db, limits, 13);
  Prng prng(14);
  for (int round = 0; round < 100 * static_cast<int>(RandomValues::kForms); ++round) {
    const uint64_t form = static_cast<uint64_t>(round) % RandomValues::kForms;
    if (form == 4) continue;
    Written written = write(values.put("made", form));
    if (written.bytes.empty()) continue;
    for (uint64_t left = 1 + prng.below(3); left > 0; --left) {
      // Rather near the front, where the heads are.
      const size_t near =
          prng.below(2) == 0 ? written.bytes.size() : std::min<size_t>(written.bytes.size(), 40);
      const size_t at = prng.below(near);
      written.bytes[at] = static_cast<char>(written.bytes[at] ^ (1 << prng.below(8)));
    }
    // The fixture checks the invariants of what is accepted, and that nothing is left of the rest.
    (void)read(written.type, written.bytes);
  }
}

TEST_F(RoundTrip, AnyTypeWithAnyBytes) {
  RandomValues values(db, limits, 15);
  for (uint64_t form = 0; form < RandomValues::kForms; ++form) {
    const Written written = write(values.put("made", form));
    for (int type = 0; type < 256; ++type) (void)read(static_cast<RdbType>(type), written.bytes);
  }
}

TEST_F(RoundTrip, LimitsOfTheReaderGiveTheEncoding) {
  RandomValues values(db, limits, 16);
  const Written written = write(values.put("made", 12));
  EXPECT_EQ(written.type, RdbType::kHashListpack);
  const std::string text = read(written.type, written.bytes);
  EXPECT_EQ(encoding(), "listpack");
  limits.hash_packed_entries = 0;
  EXPECT_EQ(read(written.type, written.bytes), text);
  EXPECT_EQ(encoding(), "hashtable");
}

}  // namespace
}  // namespace ouro
