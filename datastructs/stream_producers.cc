// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/stream_producers.h"

#include <cstring>
#include <utility>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

// A T with its name behind it.
template <class T>
T* make_named(Heap& heap, ByteView name) noexcept {
  void* const block = heap.allocate(sizeof(T) + name.size());
  T* const named = new (block) T();
  CHECK(name.size() <= UINT32_MAX);
  named->name_bytes = static_cast<uint32_t>(name.size());
  if (!name.empty()) std::memcpy(static_cast<char*>(block) + sizeof(T), name.data(), name.size());
  return named;
}

}  // namespace

StreamProducers* StreamProducers::create(Heap& heap, Settings settings) noexcept {
  auto* producers = new (heap.allocate(sizeof(StreamProducers))) StreamProducers();
  producers->settings_ = settings;
  producers->memory_bytes_ = Heap::usable_bytes(producers);
  return producers;
}

StreamProducers* StreamProducers::copy(Heap& heap) const noexcept {
  StreamProducers* const twin = create(heap, settings_);
  for_each_record([&](ByteView producer, ByteView name, StreamId id) {
    twin->insert(heap, producer, name, id);
  });
  twin->set_counts(added_, duplicates_);
  return twin;
}

StreamProducers* StreamProducers::share(Heap& heap) const noexcept {
  StreamProducers* const twin = create(heap, settings_);
  twin->added_ = added_;
  twin->duplicates_ = duplicates_;
  twin->is_share_ = true;
  twin->memory_bytes_ = memory_bytes_;
  twin->records_.share_from(heap, records_);
  return twin;
}

bool StreamProducers::free_some(Heap& heap, size_t& budget) noexcept {
  const auto keep = [](Record*) { return true; };
  const auto free_tables = [&](Producer* producer) {
    return producer->names.free_some(heap, budget, keep) &&
           producer->records.free_some(heap, budget, keep);
  };
  const auto free_record = [&](Record* record) {
    if (budget == 0) return false;
    --budget;
    (void)release(heap, record);
    return true;
  };
  // The producers go with their records.
  if (!producers_.free_some(heap, budget, free_tables)) return false;
  if (!records_.free_some(heap, budget, free_record)) return false;
  if (budget == 0) return false;
  --budget;
  heap.release(this);
  return true;
}

void StreamProducers::set(Heap& heap, Settings settings) noexcept {
  if (settings == settings_) return;
  settings_ = settings;
  while (!records_.empty()) forget(heap, records_.back());
}

void StreamProducers::add(Heap& heap, ByteView producer, ByteView name, StreamId id,
                          UnixMs now) noexcept {
  ++added_;
  insert(heap, producer, name, id);
  for (int i = 0; i < kForgottenAtOnce && is_overdue(*records_.front(), now); ++i) {
    forget(heap, records_.front());
    if (records_.empty()) return;
  }
}

void StreamProducers::insert(Heap& heap, ByteView producer_name, ByteView name,
                             StreamId id) noexcept {
  Producer* producer = find_producer(producer_name);
  {
    const HeapTally tally(heap, memory_bytes_);
    if (producer == nullptr) {
      producer = make_named<Producer>(heap, producer_name);
      producers_.insert(heap, producer);
    }
    Record* const record = make_named<Record>(heap, name);
    record->id = id;
    record->producer = producer;
    ++producer->blocks;
    producer->records.insert(heap, record);
    records_.insert(heap, record);
    auto& names = producer->names;
    const auto place = names.lower_bound(name);
    if (place != names.end() && names.at(place)->name() == name) {
      Record* const before = std::exchange(names.own(heap, place), record);
      forget_age(heap, before);
      heap.note_left(release(heap, before));
    } else {
      names.insert_at(heap, place, record);
    }
  }
  if (producer->records.size() > settings_.records_max) forget(heap, producer->records.front());
}

void StreamProducers::forget_age(Heap& heap, const Record* record) noexcept {
  Ages& its = record->producer->records;
  its.erase(heap, its.lower_bound(ByAge::key(record)));
  records_.erase(heap, records_.lower_bound(ByAge::key(record)));
}

void StreamProducers::forget(Heap& heap, Record* record) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  Producer* const producer = record->producer;
  forget_age(heap, record);
  producer->names.erase(heap, producer->names.lower_bound(record->name()));
  if (producer->records.empty()) {
    producers_.erase(heap, producers_.lower_bound(producer->name()));
    if (record->pins > 1 || producer->blocks > 1) heap.note_left(Heap::usable_bytes(producer));
  }
  heap.note_left(release(heap, record));
}

// Frees the record, with its producer if it was the last that names it, or leaves it to the shares;
// returns how many bytes are left so.
size_t StreamProducers::release(Heap& heap, Record* record) noexcept {
  if (--record->pins > 0) return Heap::usable_bytes(record);
  Producer* const producer = record->producer;
  heap.release(record);
  if (--producer->blocks == 0) heap.release(producer);
  return 0;
}

StreamProducers::Producer* StreamProducers::find_producer(ByteView name) const noexcept {
  Producer* const* const found = producers_.find(name);
  return found == nullptr ? nullptr : *found;
}

bool StreamProducers::is_overdue(const Record& record, UnixMs now) const noexcept {
  const auto duration_ms = int64_t{settings_.duration_s} * 1000;
  return now >= duration_ms && record.id.ms <= static_cast<uint64_t>(now - duration_ms);
}

std::optional<StreamId> StreamProducers::find(ByteView producer_name, ByteView name,
                                              UnixMs now) const noexcept {
  const Producer* const producer = find_producer(producer_name);
  if (producer == nullptr) return std::nullopt;
  Record* const* const record = producer->names.find(name);
  if (record == nullptr || is_overdue(**record, now)) return std::nullopt;
  return (*record)->id;
}

auto StreamProducers::for_each_record(Place from, size_t count, RecordFn visit) const -> Place {
  Ages::Place place{from.page, from.at};
  for (; count > 0 && place != records_.end(); --count, place = records_.after(place)) {
    const Record& record = *records_.at(place);
    visit(record.producer->name(), record.name(), record.id);
  }
  return {place.page, place.at};
}

void StreamProducers::check_invariants() const {
  producers_.check_invariants();
  records_.check_invariants();
  if (is_share_) return;
  size_t count = 0;
  producers_.for_each([&](Producer* producer) {
    producer->records.check_invariants();
    producer->names.check_invariants();
    CHECK(!producer->records.empty());
    CHECK(producer->records.size() <= settings_.records_max);
    CHECK(producer->records.size() == producer->names.size());
    count += producer->records.size();
    producer->records.for_each([&](Record* record) {
      CHECK(record->producer == producer);
      CHECK(*producer->names.find(record->name()) == record);
      CHECK(*records_.find(ByAge::key(record)) == record);
    });
  });
  CHECK(count == records_.size());
}

}  // namespace ouro
