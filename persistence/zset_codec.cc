// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/zset_codec.h"

#include <cmath>

#include "datastructs/codec/number_text.h"
#include "persistence/listpack_writer.h"

namespace ouro {
namespace {

// As Redis does: up to here an integral score is a number, else its text.
constexpr double kNumberMax = 0x1p62;

void append_score(double score, ListpackWriter& packed) {
  const bool is_integral = std::abs(score) <= kNumberMax && score == std::trunc(score);
  const bool is_negative_zero = score == 0 && std::signbit(score);
  if (is_integral && !is_negative_zero) return packed.append(static_cast<int64_t>(score));
  char text[kDoubleTextMax];
  packed.append(ByteView(text, format_double(score, text)));
}

constexpr const char* kTwice = "a member stands twice";

class ZSetReader {
 public:
  ZSetReader(RdbReader& in, const ValueTarget& to) : in_(in), to_(to) {}

  enum class Scores : uint8_t { kText, kBinary };
  void elements(Scores scores) {
    ZSetBuilder builder(to_.heap, to_.limits, to_.seed);
    std::string scratch;
    for (uint64_t left = in_.count(2); in_.ok() && left > 0; --left) {
      const ByteView member = in_.element(scratch);
      const double score = scores == Scores::kText ? in_.score_text() : in_.fixed<double>();
      if (!in_.check(!std::isnan(score), "a score is no number")) break;
      if (in_.ok()) in_.check(builder.add(member, score), kTwice);
    }
    zset = builder.take();
  }
  // Scores are kept as they are written, as in Redis: -0 too, which no command leaves there.
  void packed(PackedReader::Format format) {
    std::string before;
    double score_before = 0;
    read_packed<2>(format, in_, [&](const auto& group) {
      PackedElement::Scratch scratch;
      const ByteView member = group[0].bytes(scratch);
      const double score = score_of(group[1]);
      const bool in_order = zset.empty() || score > score_before ||
                            (score == score_before && member > ByteView(before));
      if (!in_.check(in_order, "a sorted set is out of order")) return;
      before = member;
      score_before = score;
      add(member, score);
    });
  }

  ZSet zset;

 private:
  double score_of(const PackedElement& element) {
    if (element.is_number) return static_cast<double>(element.number);
    const auto score = parse_double(element.text);
    in_.check(score.has_value(), "a score is no number");
    return score.value_or(0);
  }
  void add(ByteView member, double score) {
    if (!in_.ok()) return;
    const ZAddResult result = zset.add(to_.heap, to_.limits, to_.seed, member, score,
                                       {.only_new = true, .zero_signs = true});
    in_.check(result.outcome == ZAddResult::Outcome::kAdded, kTwice);
  }

  RdbReader& in_;
  const ValueTarget& to_;
};

}  // namespace

RdbType type_of_zset(const ZSet& zset) {
  return zset.is_packed() ? RdbType::kZSetListpack : RdbType::kZSet;
}

void begin_zset(const ZSet& zset, RdbWriter& out) { out.length(zset.size()); }

void write_zset_element(ByteView member, double score, RdbWriter& out) {
  out.string(member);
  out.fixed(score);
}

void write_zset(const ZSet& zset, RdbWriter& out) {
  if (!zset.is_packed()) {
    begin_zset(zset, out);
    return zset.for_each(zset.all(), Direction::kDescending, [&](ByteView member, double score) {
      write_zset_element(member, score, out);
    });
  }
  ListpackWriter packed;
  zset.for_each([&](ByteView member, double score) {
    packed.append(member);
    append_score(score, packed);
  });
  out.string(packed.finish());
}

ZSet read_zset(RdbType type, RdbReader& in, const ValueTarget& to) {
  ZSetReader reader(in, to);
  switch (type) {
    case RdbType::kZSetZiplist:
      reader.packed(PackedReader::Format::kZiplist);
      break;
    case RdbType::kZSetListpack:
      reader.packed(PackedReader::Format::kListpack);
      break;
    case RdbType::kZSetText:
      reader.elements(ZSetReader::Scores::kText);
      break;
    default:
      CHECK(type == RdbType::kZSet);
      reader.elements(ZSetReader::Scores::kBinary);
  }
  return reader.zset;
}

}  // namespace ouro
