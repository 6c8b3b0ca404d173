// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/stream_group.h"

#include <cstring>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

// Room for a T with its name behind it; the name is there already.
template <class T>
void* allocate_named(Heap& heap, ByteView name) noexcept {
  void* const block = heap.allocate(sizeof(T) + name.size());
  if (!name.empty()) std::memcpy(static_cast<char*>(block) + sizeof(T), name.data(), name.size());
  return block;
}

}  // namespace

StreamGroup* StreamGroup::create(Heap& heap, ByteView name) noexcept {
  auto* group = new (allocate_named<StreamGroup>(heap, name)) StreamGroup();
  group->name_bytes_ = name.size();
  group->memory_bytes_ = Heap::usable_bytes(group);
  return group;
}

StreamGroup* StreamGroup::copy(Heap& heap) const noexcept {
  StreamGroup* group = create(heap, name());
  group->last_id = last_id;
  group->entries_read = entries_read;
  {
    const HeapTally tally(heap, group->memory_bytes_);
    pending_.for_each([&](const StreamPending& item) { group->pending_.append(heap, item); });
  }
  for_each_consumer([&](const StreamConsumer& its) {
    StreamConsumer& consumer = group->add_consumer(heap, its.name(), its.seen_at);
    const HeapTally tally(heap, group->memory_bytes_);
    its.pending.for_each([&](StreamId id) {
      consumer.pending.append(heap, id);
      group->pending_.find(id)->owner = &consumer;
    });
  });
  return group;
}

bool StreamGroup::free_some(Heap& heap, size_t& budget) noexcept {
  const auto free_consumer = [&](StreamConsumer* consumer) {
    if (!consumer->pending.free_some(heap, budget, [](StreamId) { return true; })) return false;
    if (budget == 0) return false;
    --budget;
    heap.release(consumer);
    return true;
  };
  if (!consumers_.free_some(heap, budget, free_consumer)) return false;
  if (!pending_.free_some(heap, budget, [](const StreamPending&) { return true; })) return false;
  if (budget == 0) return false;
  --budget;
  heap.release(this);
  return true;
}

StreamConsumer* StreamGroup::find_consumer(ByteView name) const noexcept {
  StreamConsumer** found = consumers_.find(name);
  return found == nullptr ? nullptr : *found;
}

StreamConsumer& StreamGroup::add_consumer(Heap& heap, ByteView name, UnixMs now) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  auto* consumer = new (allocate_named<StreamConsumer>(heap, name)) StreamConsumer();
  consumer->name_bytes = name.size();
  consumer->seen_at = now;
  consumers_.insert(heap, consumer);
  return *consumer;
}

void StreamGroup::erase_consumer(Heap& heap, StreamConsumer& consumer) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  consumer.pending.for_each([&](StreamId id) { pending_.erase(heap, pending_.lower_bound(id)); });
  consumer.pending.release(heap);
  consumers_.erase(heap, consumers_.lower_bound(consumer.name()));
  heap.release(&consumer);
}

void StreamGroup::for_each_consumer(FunctionRef<void(const StreamConsumer&)> visit) const {
  consumers_.for_each([&](const StreamConsumer* consumer) { visit(*consumer); });
}

StreamPending& StreamGroup::assign(Heap& heap, StreamId id, StreamConsumer& owner) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  const auto place = pending_.lower_bound(id);
  StreamPending* item = place == pending_.end() ? nullptr : &pending_.at(place);
  if (item == nullptr || item->id != id) item = &pending_.insert(heap, {.id = id});
  if (item->owner == &owner) return *item;
  if (item->owner != nullptr) {
    auto& before = item->owner->pending;
    before.erase(heap, before.lower_bound(id));
  }
  owner.pending.insert(heap, id);
  item->owner = &owner;
  return *item;
}

bool StreamGroup::erase_pending(Heap& heap, StreamId id) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  const auto place = pending_.lower_bound(id);
  if (place == pending_.end() || pending_.at(place).id != id) return false;
  auto& owners = pending_.at(place).owner->pending;
  owners.erase(heap, owners.lower_bound(id));
  pending_.erase(heap, place);
  return true;
}

StreamPending* StreamGroup::pending_from(StreamId id) const noexcept {
  const auto place = pending_.lower_bound(id);
  return place == pending_.end() ? nullptr : &pending_.at(place);
}

void StreamGroup::for_each_pending(StreamId first,
                                   FunctionRef<bool(const StreamPending&)> visit) const {
  auto place = pending_.lower_bound(first);
  while (place != pending_.end() && visit(pending_.at(place))) place = pending_.after(place);
}

void StreamGroup::for_each_pending(const StreamConsumer& owner, StreamId first,
                                   FunctionRef<bool(StreamPending&)> visit) const {
  const auto& ids = owner.pending;
  auto place = ids.lower_bound(first);
  while (place != ids.end() && visit(*pending_.find(ids.at(place)))) place = ids.after(place);
}

void StreamGroup::check_invariants() const {
  pending_.check_invariants();
  consumers_.check_invariants();
  size_t owned = 0;
  for_each_consumer([&](const StreamConsumer& consumer) {
    consumer.pending.check_invariants();
    owned += consumer.pending.size();
    consumer.pending.for_each([&](StreamId id) {
      const StreamPending* item = pending_.find(id);
      CHECK(item != nullptr);
      CHECK(item->owner == &consumer);
    });
  });
  CHECK(owned == pending_.size());
}

}  // namespace ouro
