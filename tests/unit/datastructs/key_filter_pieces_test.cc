// SPDX-License-Identifier: BSD-3-Clause
// Filters of keys in pieces: all come back, as they were when the first was asked for; what is not
// whole, or not of one filter, is refused.
#include "datastructs/key_filter_pieces.h"

#include <gtest/gtest.h>

#include <vector>

namespace ouro {
namespace {

struct Piece {
  std::string prefix;
  uint64_t position;
  std::string bytes;

  FilterPiece view() const { return {prefix, position, bytes}; }
};

struct KeyFilterPieces : testing::Test {
  static std::string key(int number) { return "user:" + std::to_string(number); }
  static std::vector<Piece> rest_of(FilterPieces& pieces) {
    std::vector<Piece> all;
    for (bool is_last = false; !is_last;) {
      is_last = pieces.next([&](const FilterPiece& piece) {
        all.push_back({std::string(piece.prefix), piece.position, std::string(piece.bytes)});
      });
    }
    return all;
  }
  std::vector<Piece> pieces_of(int keys, ByteView prefix = "user:") {
    KeyFilter filter(heap, HashSeed{7});
    for (int i = 0; i < keys; ++i) filter.add(key(i));
    FilterPieces pieces(prefix, filter);
    return rest_of(pieces);
  }
  // The first refusal, or that of a filter which is not whole.
  Status take(const std::vector<Piece>& pieces) {
    for (const Piece& piece : pieces) OURO_TRY(intake.take(piece.view()));
    return intake.is_whole() ? Status::ok() : Status(Err::kOutOfRange);
  }

  Heap heap;
  FilterIntake intake{heap};
};

TEST_F(KeyFilterPieces, TheFilterOfTheFirstMomentComesBack) {
  KeyFilter filter(heap, HashSeed{42});
  for (int i = 0; i < 200'000; ++i) filter.add(key(i));
  FilterPieces pieces("a rule: ", filter);
  const std::string header = filter.header();
  for (int i = 0; i < 100'000; ++i) filter.remove(key(i));
  for (int i = 200'000; i < 300'000; ++i) filter.add(key(i));
  const std::vector<Piece> all = rest_of(pieces);
  EXPECT_GT(all.size(), 10U);
  for (const Piece& piece : all) EXPECT_LE(piece.bytes.size(), FilterPieces::kPieceBytes);
  ASSERT_TRUE(take(all).is_ok());
  EXPECT_EQ(intake.prefix(), "a rule: ");
  const std::unique_ptr<KeyFilter> made = intake.finish();
  EXPECT_FALSE(intake.is_whole());
  EXPECT_EQ(made->header(), header);
  made->check_invariants();
  int unknown = 0;
  int known = 0;
  for (int i = 0; i < 200'000; ++i) unknown += made->may_contain(key(i)) ? 0 : 1;
  for (int i = 200'000; i < 300'000; ++i) known += made->may_contain(key(i)) ? 1 : 0;
  EXPECT_EQ(unknown, 0);
  EXPECT_LT(known, 20);
}

TEST_F(KeyFilterPieces, OneWithoutKeysIsItsHeader) {
  const std::vector<Piece> all = pieces_of(0);
  EXPECT_EQ(all.size(), 1U);
  ASSERT_TRUE(take(all).is_ok());
  const std::unique_ptr<KeyFilter> made = intake.finish();
  EXPECT_FALSE(made->may_contain(key(1)));
  EXPECT_TRUE(made->add(key(1)));
}

TEST_F(KeyFilterPieces, WhatIsMissingIsFound) {
  const std::vector<Piece> all = pieces_of(50'000);
  ASSERT_GT(all.size(), 4U);
  for (size_t gone = 0; gone < all.size(); ++gone) {
    std::vector<Piece> some = all;
    some.erase(some.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_FALSE(take(some).is_ok()) << gone;
    EXPECT_EQ(intake.is_under_way(), gone + 1 == all.size());
  }
  // What comes after that is taken in all the same.
  EXPECT_TRUE(take(all).is_ok());
}

TEST_F(KeyFilterPieces, DamageIsRefused) {
  const std::vector<Piece> all = pieces_of(50'000);
  const auto refuses = [&](size_t at, auto damage) {
    std::vector<Piece> some = all;
    damage(some[at]);
    return !take(some).is_ok();
  };
  EXPECT_TRUE(refuses(0, [](Piece& piece) { piece.bytes.pop_back(); }));
  EXPECT_TRUE(refuses(0, [](Piece& piece) { piece.bytes[16] = '\x7F'; }));  // layers
  EXPECT_TRUE(refuses(0, [](Piece& piece) { ++piece.bytes[8]; }));          // keys
  EXPECT_TRUE(refuses(1, [](Piece& piece) { piece.bytes.pop_back(); }));
  EXPECT_TRUE(refuses(1, [](Piece& piece) { piece.bytes.clear(); }));
  EXPECT_TRUE(refuses(1, [](Piece& piece) { ++piece.position; }));
  EXPECT_TRUE(refuses(1, [](Piece& piece) { piece.prefix = "another"; }));
  EXPECT_TRUE(refuses(2, [](Piece& piece) { piece.bytes[7] = '\x80'; }));  // no bucket is so
  EXPECT_TRUE(refuses(2, [](Piece& piece) { piece.bytes.assign(piece.bytes.size(), '\0'); }));
  EXPECT_TRUE(refuses(all.size() - 1, [](Piece& piece) { piece.bytes += std::string(8, '\0'); }));
}

}  // namespace
}  // namespace ouro
