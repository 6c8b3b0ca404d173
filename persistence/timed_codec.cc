// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/timed_codec.h"

#include <algorithm>
#include <cmath>

#include "persistence/made_value.h"
#include "persistence/module_id.h"
#include "persistence/write_budget.h"

namespace ouro {
namespace {

constexpr uint64_t kTimedSet = 1;
constexpr uint64_t kTimedZSet = 2;
constexpr uint64_t kOwnStream = 3;
// The least that a member takes: two codes, an empty string, a deadline.
constexpr size_t kMemberBytesMin = 4;

void begin(uint64_t kind, size_t count, RdbWriter& out) {
  out.need(RdbDialect::kOuro);
  out.module_id(kOuroModule);
  out.module_unsigned(kind);
  out.module_unsigned(count);
}

template <class Collection>
void read_deadline(Collection& collection, ByteView member, RdbReader& in, const ValueTarget& to) {
  const int64_t when = in.module_signed();
  in.check(when >= kNoExpiry, "a deadline is negative");
  in.check(when <= Hash::kDeadlineMax, "a deadline is too large");
  if (in.ok() && when != kNoExpiry) collection.set_deadline(to.heap, to.seed, member, when);
}

Set read_timed_set(uint64_t count, RdbReader& in, const ValueTarget& to) {
  Set set;
  std::string scratch;
  for (; in.ok() && count > 0; --count) {
    const ByteView member = in.module_string(scratch);
    if (!in.check(member.size() <= UINT32_MAX, "an element is too large")) break;
    if (!in.check(set.add(to.heap, to.limits, to.seed, member), "a member stands twice")) break;
    read_deadline(set, member, in, to);
  }
  return set;
}

ZSet read_timed_zset(uint64_t count, RdbReader& in, const ValueTarget& to) {
  ZSet zset;
  std::string scratch;
  for (; in.ok() && count > 0; --count) {
    const ByteView member = in.module_string(scratch);
    const double score = in.module_double();
    const bool good = member.size() <= UINT32_MAX && !std::isnan(score);
    if (!in.check(good, "a member is too large or its score no number")) break;
    const ZAddResult result = zset.add(to.heap, to.limits, to.seed, member, score,
                                       {.only_new = true, .zero_signs = true});
    if (!in.check(result.outcome == ZAddResult::Outcome::kAdded, "a member stands twice")) break;
    read_deadline(zset, member, in, to);
  }
  return zset;
}

void read_released(StreamGroup& group, RdbReader& in, const ValueTarget& to) {
  for (uint64_t left = in.module_unsigned(); in.ok() && left > 0; --left) {
    StreamId id;
    id.ms = in.module_unsigned();
    id.seq = in.module_unsigned();
    const uint64_t deliveries = in.module_unsigned();
    const bool good =
        group.find_pending(id) == nullptr && deliveries <= StreamPending::kDeliveriesMax;
    if (in.check(good, "a released entry is pending, or was delivered too often"))
      group.release(to.heap, id).deliveries = deliveries;
  }
}

void read_producers(Stream& stream, RdbReader& in, const ValueTarget& to) {
  const uint64_t is_there = in.module_unsigned();
  if (!in.check(is_there <= 1, "producers are neither there nor not") || is_there == 0) return;
  const uint64_t duration_s = in.module_unsigned();
  const uint64_t records_max = in.module_unsigned();
  const uint64_t added = in.module_unsigned();
  const uint64_t duplicates = in.module_unsigned();
  const uint64_t count = in.module_unsigned();
  const bool in_range =
      duration_s >= kStreamIdmpDurationMin && duration_s <= kStreamIdmpDurationMax &&
      records_max >= kStreamIdmpRecordsMin && records_max <= kStreamIdmpRecordsMax;
  if (!in.check(in_range, "settings of producers are out of range")) return;
  StreamProducers& producers = stream.make_producers(
      to.heap, {static_cast<uint32_t>(duration_s), static_cast<uint32_t>(records_max)});
  producers.set_counts(added, duplicates);
  std::string producer_scratch;
  std::string name_scratch;
  for (uint64_t left = count; in.ok() && left > 0; --left) {
    const ByteView producer = in.module_string(producer_scratch);
    const ByteView name = in.module_string(name_scratch);
    StreamId id;
    id.ms = in.module_unsigned();
    id.seq = in.module_unsigned();
    if (in.check(!producer.empty() && !name.empty(), "a producer or its entry has no name"))
      producers.insert(to.heap, producer, name, id);
  }
  in.check(producers.record_count() == count, "producers remember an entry twice, or too many");
}

Stream read_own_stream(uint64_t groups, RdbReader& in, const ValueTarget& to) {
  std::string bytes;
  std::string scratch;
  for (ByteView piece; !(piece = in.module_string(scratch)).empty();) bytes += piece;
  Stream stream;
  if (!in.ok()) return stream;
  RdbReader inner(bytes);
  stream = read_stream(RdbType::kStream2, inner, to);
  in.check(inner.ok() && inner.left() == 0, "a stream inside of ouro's data is not well-formed");
  in.check(stream.group_count() == groups, "a stream has not as many groups as it should");
  stream.for_each_group([&](StreamGroup& group) {
    if (in.ok()) read_released(group, in, to);
  });
  read_producers(stream, in, to);
  return stream;
}

}  // namespace

bool is_only_ours(const Stream& stream) {
  bool has_released = false;
  stream.for_each_group(
      [&](const StreamGroup& group) { has_released |= group.released_count() > 0; });
  return has_released || stream.producers() != nullptr;
}

void begin_timed_set(const Set& set, RdbWriter& out) { begin(kTimedSet, set.size(), out); }
void begin_timed_zset(const ZSet& zset, RdbWriter& out) { begin(kTimedZSet, zset.size(), out); }

void write_timed_member(ByteView member, UnixMs deadline, RdbWriter& out) {
  out.module_string(member);
  out.module_signed(deadline);
}

void write_timed_element(const TimedElement& element, RdbWriter& out) {
  out.module_string(element.member);
  out.module_double(element.score);
  out.module_signed(element.deadline);
}

void write_timed(const Set& set, RdbWriter& out) {
  begin_timed_set(set, out);
  set.for_each([&](ByteView member) { write_timed_member(member, set.deadline(member), out); });
  out.module_end();
}

void write_timed(const ZSet& zset, RdbWriter& out) {
  begin_timed_zset(zset, out);
  zset.for_each([&](ByteView member, double score) {
    write_timed_element({member, score, zset.deadline(member)}, out);
  });
  out.module_end();
}

void write_timed(const Stream& stream, RdbWriter& out) {
  begin_timed_stream(stream, out);
  TimedStreamWriter writer(stream);
  for (size_t budget = SIZE_MAX; !writer.next(budget, out);) {
  }
}

void begin_timed_stream(const Stream& stream, RdbWriter& out) {
  begin(kOwnStream, stream.group_count(), out);
}

TimedStreamWriter::TimedStreamWriter(const Stream& stream)
    : stream_(stream), inner_out_(inner_bytes_, RdbWriter::Packing::kNone), inner_(stream) {
  stream.for_each_group([&](const StreamGroup& group) { groups_.push_back(&group); });
}

bool TimedStreamWriter::next(size_t& budget, RdbWriter& out) {
  switch (step_) {
    case Step::kStream:
      stream(budget, out);
      return false;
    case Step::kGroup:
      out.module_unsigned(groups_[group_]->released_count());
      released_at_ = INT64_MIN;
      released_from_ = {};
      step_ = Step::kReleased;
      break;
    case Step::kReleased:
      released(out);
      break;
    case Step::kProducers:
      producers(out);
      break;
    case Step::kRecords:
      records(out);
      break;
    case Step::kDone:
      break;
  }
  spend(budget, kAtOnce);
  return step_ == Step::kDone;
}

void TimedStreamWriter::stream(size_t& budget, RdbWriter& out) {
  const bool is_last = inner_.next(budget, inner_out_);
  if (!inner_bytes_.empty()) out.module_string(inner_bytes_);
  inner_bytes_.clear();
  if (!is_last) return;
  out.module_string({});
  step_ = groups_.empty() ? Step::kProducers : Step::kGroup;
}

void TimedStreamWriter::released(RdbWriter& out) {
  size_t left = kAtOnce;
  bool has_more = false;
  groups_[group_]->for_each_queued_from(released_at_, released_from_,
                                        [&](const StreamPending& pending) {
                                          if (!pending.is_released()) return false;
                                          if (left == 0) {
                                            has_more = true;
                                            released_at_ = pending.delivered_at;
                                            released_from_ = pending.id;
                                            return false;
                                          }
                                          --left;
                                          out.module_unsigned(pending.id.ms);
                                          out.module_unsigned(pending.id.seq);
                                          out.module_unsigned(pending.deliveries);
                                          return true;
                                        });
  if (!has_more) step_ = ++group_ == groups_.size() ? Step::kProducers : Step::kGroup;
}

void TimedStreamWriter::producers(RdbWriter& out) {
  const StreamProducers* const producers = stream_.producers();
  out.module_unsigned(producers != nullptr);
  step_ = Step::kRecords;
  if (producers == nullptr) return;
  out.module_unsigned(producers->settings().duration_s);
  out.module_unsigned(producers->settings().records_max);
  out.module_unsigned(producers->added());
  out.module_unsigned(producers->duplicates());
  records_left_ = producers->record_count();
  out.module_unsigned(records_left_);
}

void TimedStreamWriter::records(RdbWriter& out) {
  const size_t count = std::min(records_left_, kAtOnce);
  if (count > 0) {
    place_ = stream_.producers()->for_each_record(
        place_, count, [&](ByteView producer, ByteView name, StreamId id) {
          out.module_string(producer);
          out.module_string(name);
          out.module_unsigned(id.ms);
          out.module_unsigned(id.seq);
        });
  }
  records_left_ -= count;
  if (records_left_ > 0) return;
  out.module_end();
  step_ = Step::kDone;
}

std::optional<Value> read_timed(RdbReader& in, const ValueTarget& to) {
  const uint64_t kind = in.module_unsigned();
  const uint64_t count = in.module_unsigned();
  if (!in.check(count <= in.left() / kMemberBytesMin, "more members than bytes for them"))
    return std::nullopt;
  switch (kind) {
    case kTimedSet:
      return made_collection(read_timed_set(count, in, to), in, to.heap);
    case kTimedZSet:
      return made_collection(read_timed_zset(count, in, to), in, to.heap);
    case kOwnStream:
      return made_value(read_own_stream(count, in, to), in, to.heap);
    default:
      in.refuse("unknown data of ouro");
      return std::nullopt;
  }
}

}  // namespace ouro
