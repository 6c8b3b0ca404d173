// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/set_codec.h"

#include "datastructs/codec/little_endian.h"

namespace ouro {
namespace {

class SetReader {
 public:
  SetReader(RdbReader& in, const ValueTarget& to) : in_(in), to_(to) {}

  void members() {
    std::string scratch;
    for (uint64_t left = in_.count(1); in_.ok() && left > 0; --left) {
      const ByteView member = in_.element(scratch);
      if (in_.ok()) add(member);
    }
  }
  void listpack() {
    read_packed<1>(PackedReader::Format::kListpack, in_, [&](const auto& group) {
      PackedElement::Scratch scratch;
      add(group[0].bytes(scratch));
    });
  }
  void intset() {
    std::string scratch;
    ByteView bytes = in_.string(scratch);
    if (!in_.check(bytes.size() >= 8, "an intset has no head")) return;
    const auto width = take_fixed<uint32_t>(bytes);
    const auto count = take_fixed<uint32_t>(bytes);
    switch (width) {
      case sizeof(int16_t):
        return numbers<int16_t>(count, bytes);
      case sizeof(int32_t):
        return numbers<int32_t>(count, bytes);
      case sizeof(int64_t):
        return numbers<int64_t>(count, bytes);
      default:
        in_.refuse("an intset's numbers have an unknown width");
    }
  }

  Set set;

 private:
  template <class Number>
  void numbers(uint64_t count, ByteView bytes) {
    if (!in_.check(bytes.size() == count * sizeof(Number), "an intset's size is not its count's"))
      return;
    for (int64_t before = 0; in_.ok() && !bytes.empty();) {
      const auto number = take_fixed<Number>(bytes);
      if (!in_.check(set.empty() || number > before, "an intset is out of order")) return;
      before = number;
      IntText text;
      add({text.bytes, format_int64(number, text.bytes)});
    }
  }
  void add(ByteView member) {
    in_.check(set.add(to_.heap, to_.limits, to_.seed, member), "a member stands twice");
  }

  RdbReader& in_;
  const ValueTarget& to_;
};

}  // namespace

RdbType type_of_set(const Set& set) {
  return set.ints_bytes().empty() ? RdbType::kSet : RdbType::kSetIntset;
}

void begin_set(const Set& set, RdbWriter& out) { out.length(set.size()); }

void write_set_member(ByteView member, RdbWriter& out) { out.string(member); }

void write_set(const Set& set, RdbWriter& out) {
  if (const ByteView ints = set.ints_bytes(); !ints.empty()) return out.string(ints);
  begin_set(set, out);
  set.for_each([&](ByteView member) { write_set_member(member, out); });
}

Set read_set(RdbType type, RdbReader& in, const ValueTarget& to) {
  SetReader reader(in, to);
  switch (type) {
    case RdbType::kSetIntset:
      reader.intset();
      break;
    case RdbType::kSetListpack:
      reader.listpack();
      break;
    default:
      CHECK(type == RdbType::kSet);
      reader.members();
  }
  return reader.set;
}

}  // namespace ouro
