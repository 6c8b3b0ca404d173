// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/hash_codec.h"

#include <algorithm>
#include <vector>

#include "persistence/listpack_writer.h"

namespace ouro {
namespace {

// kNever if no field has one.
UnixMs first_deadline(const Hash& hash) {
  UnixMs first = kNever;
  // A bound that is out of date is no deadline.
  if (!hash.has_deadlines()) return first;
  hash.for_each([&](const Hash::Item& item) {
    if (item.deadline != kNoExpiry) first = std::min(first, item.deadline);
  });
  return first;
}

ByteView packed_fields(const Hash& hash, ListpackWriter& packed) {
  hash.for_each([&](const Hash::Item& item) {
    packed.append(item.field);
    packed.append(item.value);
  });
  return packed.finish();
}

ByteView packed_timed_fields(const Hash& hash, ListpackWriter& packed) {
  std::vector<Hash::Item> items;
  hash.for_each([&](const Hash::Item& item) { items.push_back(item); });
  const auto ends_at = [](const Hash::Item& item) {
    return item.deadline == kNoExpiry ? kNever : item.deadline;
  };
  std::stable_sort(items.begin(), items.end(), [&](const Hash::Item& a, const Hash::Item& b) {
    return ends_at(a) < ends_at(b);
  });
  for (const Hash::Item& item : items) {
    packed.append(item.field);
    packed.append(item.value);
    packed.append(item.deadline == kNoExpiry ? 0 : item.deadline);
  }
  return packed.finish();
}

class HashReader {
 public:
  HashReader(RdbReader& in, const ValueTarget& to) : in_(in), to_(to) {}

  void pairs() {
    for (uint64_t left = in_.count(2); in_.ok() && left > 0; --left) pair(kNoExpiry);
  }
  void packed(PackedReader::Format format) {
    read_packed<2>(format, in_, [&](const auto& group) {
      PackedElement::Scratch field;
      PackedElement::Scratch value;
      add(group[0].bytes(field), group[1].bytes(value), kNoExpiry);
    });
  }
  enum class Form : uint8_t { kOld, kFinal };
  void timed_pairs(Form form) {
    // As it was written: a deadline d is stored as d - first + 1.
    const int64_t first = form == Form::kFinal ? in_.fixed<int64_t>() : 1;
    in_.check(first >= 0, "a deadline is negative");
    for (uint64_t left = in_.count(3); in_.ok() && left > 0; --left) {
      const uint64_t stored = in_.length();
      int64_t when = kNoExpiry;
      if (stored != 0) {
        const bool fits = stored - 1 <= INT64_MAX &&
                          !__builtin_add_overflow(first, static_cast<int64_t>(stored - 1), &when);
        if (!in_.check(fits, "a deadline is too large")) return;
      }
      pair(when);
    }
  }
  void timed_packed(Form form) {
    // The first deadline, which the groups tell.
    if (form == Form::kFinal) in_.check(in_.fixed<int64_t>() >= 0, "a deadline is negative");
    read_packed<3>(PackedReader::Format::kListpack, in_, [&](const auto& group) {
      PackedElement::Scratch field;
      PackedElement::Scratch value;
      const bool good = group[2].is_number && group[2].number >= 0;
      if (!in_.check(good, "a deadline is no time")) return;
      const UnixMs when = group[2].number;
      add(group[0].bytes(field), group[1].bytes(value), when == 0 ? kNoExpiry : when);
    });
  }

  Hash hash;

 private:
  void pair(UnixMs deadline) {
    const ByteView field = in_.element(field_);
    const ByteView value = in_.element(value_);
    if (in_.ok()) add(field, value, deadline);
  }
  void add(ByteView field, ByteView value, UnixMs deadline) {
    if (!in_.check(deadline <= Hash::kDeadlineMax, "a deadline is too large")) return;
    const bool added = hash.set(to_.heap, to_.limits, to_.seed, field, value);
    if (!in_.check(added, "a field stands twice") || deadline == kNoExpiry) return;
    hash.set_deadline(to_.heap, field, deadline);
  }

  RdbReader& in_;
  const ValueTarget& to_;
  std::string field_;
  std::string value_;
};

}  // namespace

RdbType type_of_hash(const Hash& hash) {
  const bool timed = first_deadline(hash) != kNever;
  if (hash.is_packed()) return timed ? RdbType::kHashTimedListpack : RdbType::kHashListpack;
  return timed ? RdbType::kHashTimed : RdbType::kHash;
}

void begin_hash(const Hash& hash, HashBegin begin, RdbWriter& out) {
  if (begin.type == RdbType::kHashTimed) {
    out.need_version(kRdbVersionTimed);
    out.fixed(begin.first_deadline);
  }
  out.length(hash.size());
}

void write_hash_field(const Hash::Item& item, HashBegin begin, RdbWriter& out) {
  if (begin.type == RdbType::kHashTimed) {
    out.length(item.deadline == kNoExpiry
                   ? 0
                   : static_cast<uint64_t>(item.deadline - begin.first_deadline) + 1);
  }
  out.string(item.field);
  out.string(item.value);
}

void write_hash(const Hash& hash, RdbType type, RdbWriter& out) {
  ListpackWriter packed;
  if (type == RdbType::kHashListpack) return out.string(packed_fields(hash, packed));
  if (type == RdbType::kHashTimedListpack) {
    out.need_version(kRdbVersionTimed);
    out.fixed(first_deadline(hash));
    return out.string(packed_timed_fields(hash, packed));
  }
  const HashBegin begin{type, type == RdbType::kHashTimed ? first_deadline(hash) : 0};
  begin_hash(hash, begin, out);
  hash.for_each([&](const Hash::Item& item) { write_hash_field(item, begin, out); });
}

Hash read_hash(RdbType type, RdbReader& in, const ValueTarget& to) {
  HashReader reader(in, to);
  switch (type) {
    case RdbType::kHashZipmap:
      reader.packed(PackedReader::Format::kZipmap);
      break;
    case RdbType::kHashZiplist:
      reader.packed(PackedReader::Format::kZiplist);
      break;
    case RdbType::kHashListpack:
      reader.packed(PackedReader::Format::kListpack);
      break;
    case RdbType::kHashTimedOld:
      reader.timed_pairs(HashReader::Form::kOld);
      break;
    case RdbType::kHashTimed:
      reader.timed_pairs(HashReader::Form::kFinal);
      break;
    case RdbType::kHashTimedListpackOld:
      reader.timed_packed(HashReader::Form::kOld);
      break;
    case RdbType::kHashTimedListpack:
      reader.timed_packed(HashReader::Form::kFinal);
      break;
    default:
      CHECK(type == RdbType::kHash);
      reader.pairs();
  }
  return reader.hash;
}

}  // namespace ouro
