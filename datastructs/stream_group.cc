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

StreamConsumer& make_consumer(Heap& heap, ByteView name, UnixMs seen_at) noexcept {
  auto* consumer = new (allocate_named<StreamConsumer>(heap, name)) StreamConsumer();
  consumer->name_bytes = name.size();
  consumer->seen_at = seen_at;
  return *consumer;
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
    pending_.for_each([&](StreamPending item) {
      item.owner = nullptr;
      group->pending_.append(heap, item);
    });
    queue_.for_each([&](const Turn& turn) { group->queue_.append(heap, turn); });
  }
  for_each_consumer([&](const StreamConsumer& its) {
    StreamConsumer& consumer = group->add_consumer(heap, its.name(), its.seen_at);
    consumer.active_at = its.active_at;
    const HeapTally tally(heap, group->memory_bytes_);
    its.pending.for_each([&](StreamId id) {
      consumer.pending.append(heap, id);
      group->pending_.own(heap, group->pending_.lower_bound(id)).owner = &consumer;
    });
  });
  return group;
}

StreamGroup* StreamGroup::share(Heap& heap) const noexcept {
  StreamGroup* group = create(heap, name());
  group->last_id = last_id;
  group->entries_read = entries_read;
  group->memory_bytes_ = memory_bytes_;
  group->is_share_ = true;
  group->pending_.share_from(heap, pending_);
  group->queue_.share_from(heap, queue_);
  for_each_consumer([&](const StreamConsumer& its) {
    StreamConsumer& consumer = make_consumer(heap, its.name(), its.seen_at);
    consumer.active_at = its.active_at;
    consumer.pending.share_from(heap, its.pending);
    group->consumers_.append(heap, &consumer);
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
  if (!queue_.free_some(heap, budget, [](const Turn&) { return true; })) return false;
  if (budget == 0) return false;
  --budget;
  heap.release(this);
  return true;
}

StreamConsumer* StreamGroup::find_consumer(ByteView name) const noexcept {
  StreamConsumer* const* const found = consumers_.find(name);
  return found == nullptr ? nullptr : *found;
}

StreamConsumer& StreamGroup::add_consumer(Heap& heap, ByteView name, UnixMs now) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  StreamConsumer& consumer = make_consumer(heap, name, now);
  consumers_.insert(heap, &consumer);
  return consumer;
}

void StreamGroup::erase_consumer(Heap& heap, StreamConsumer& consumer) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  consumer.pending.for_each([&](StreamId id) {
    const auto place = pending_.lower_bound(id);
    queue_.erase(heap, queue_.lower_bound(turn_of(pending_.at(place))));
    pending_.erase(heap, place);
  });
  consumer.pending.release(heap);
  consumers_.erase(heap, consumers_.lower_bound(consumer.name()));
  heap.release(&consumer);
}

void StreamGroup::for_each_consumer(FunctionRef<void(const StreamConsumer&)> visit) const {
  consumers_.for_each([&](const StreamConsumer* consumer) { visit(*consumer); });
}

StreamPending& StreamGroup::assign(Heap& heap, StreamId id, StreamConsumer& owner,
                                   UnixMs delivered_at) noexcept {
  DCHECK(delivered_at >= 0);
  return put(heap, id, &owner, delivered_at);
}

StreamPending& StreamGroup::release(Heap& heap, StreamId id) noexcept {
  const auto delivered = queue_.lower_bound({.time = 0, .id = {}});
  const bool is_first = delivered == queue_.begin();
  return put(heap, id, nullptr,
             is_first ? kFirstRelease : queue_.at(queue_.before(delivered)).time + 1);
}

StreamPending& StreamGroup::put(Heap& heap, StreamId id, StreamConsumer* owner,
                                UnixMs time) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  const auto place = pending_.lower_bound(id);
  const bool is_new = place == pending_.end() || pending_.at(place).id != id;
  StreamPending& item = is_new ? pending_.insert_at(heap, place, {.id = id, .delivered_at = time})
                               : pending_.own(heap, place);
  if (is_new) {
    queue_.insert(heap, turn_of(item));
  } else if (item.delivered_at != time) {
    queue_.erase(heap, queue_.lower_bound(turn_of(item)));
    item.delivered_at = time;
    queue_.insert(heap, turn_of(item));
  }
  if (item.owner == owner) return item;
  disown(heap, item);
  if (owner != nullptr) owner->pending.insert(heap, id);
  item.owner = owner;
  return item;
}

// Takes it out of its owner's list.
void StreamGroup::disown(Heap& heap, const StreamPending& item) noexcept {
  if (item.is_released()) return;
  auto& ids = item.owner->pending;
  ids.erase(heap, ids.lower_bound(item.id));
}

bool StreamGroup::erase_pending(Heap& heap, StreamId id) noexcept {
  const HeapTally tally(heap, memory_bytes_);
  const auto place = pending_.lower_bound(id);
  if (place == pending_.end() || pending_.at(place).id != id) return false;
  disown(heap, pending_.at(place));
  queue_.erase(heap, queue_.lower_bound(turn_of(pending_.at(place))));
  pending_.erase(heap, place);
  return true;
}

size_t StreamGroup::released_count() const noexcept {
  size_t owned = 0;
  for_each_consumer([&](const StreamConsumer& consumer) { owned += consumer.pending.size(); });
  return pending_.size() - owned;
}

const StreamPending* StreamGroup::pending_from(StreamId id) const noexcept {
  const auto place = pending_.lower_bound(id);
  return place == pending_.end() ? nullptr : &pending_.at(place);
}

void StreamGroup::for_each_pending(StreamId first,
                                   FunctionRef<bool(const StreamPending&)> visit) const {
  auto place = pending_.lower_bound(first);
  while (place != pending_.end() && visit(pending_.at(place))) place = pending_.after(place);
}

void StreamGroup::for_each_pending(const StreamConsumer& owner, StreamId first,
                                   FunctionRef<bool(const StreamPending&)> visit) const {
  const auto& ids = owner.pending;
  auto place = ids.lower_bound(first);
  while (place != ids.end() && visit(*pending_.find(ids.at(place)))) place = ids.after(place);
}

void StreamGroup::for_each_queued_from(UnixMs delivered_at, StreamId first,
                                       FunctionRef<bool(const StreamPending&)> visit) const {
  auto place = queue_.lower_bound({delivered_at, first});
  while (place != queue_.end() && visit(*pending_.find(queue_.at(place).id)))
    place = queue_.after(place);
}

void StreamGroup::check_invariants() const {
  pending_.check_invariants();
  consumers_.check_invariants();
  queue_.check_invariants();
  for_each_consumer([&](const StreamConsumer& consumer) {
    consumer.pending.check_invariants();
    consumer.pending.for_each([&](StreamId id) {
      const StreamPending* item = pending_.find(id);
      CHECK(item != nullptr);
      CHECK(is_share_ || item->owner == &consumer);
    });
  });
  CHECK(queue_.size() == pending_.size());
  size_t released = 0;
  pending_.for_each([&](const StreamPending& item) {
    CHECK(queue_.find(turn_of(item)) != nullptr);
    CHECK(item.is_released() == (item.delivered_at < 0));
    released += item.is_released();
  });
  CHECK(released == released_count());
}

}  // namespace ouro
