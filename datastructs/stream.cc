// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/stream.h"

#include <algorithm>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

// Clients may set what counts entries to its end, beyond which it goes round, as Redis's does.
int64_t sum(int64_t a, int64_t b) noexcept {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
int64_t difference(int64_t a, int64_t b) noexcept {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

}  // namespace

constinit const Stream::Body Stream::kEmpty{};

Stream::Body& Stream::create_body(Heap& heap) noexcept {
  Body* const its = heap.make<Body>();
  its->memory_bytes = Heap::usable_bytes(its);
  word_.set(Tag::kBody, its);
  return *its;
}

void Stream::destroy(Heap& heap) noexcept {
  size_t budget = ~size_t{0};
  CHECK(free_some(heap, budget));
}

Stream Stream::copy(Heap& heap) const noexcept {
  Stream stream;
  if (its_body() == nullptr) return stream;
  const Body& from = *its_body();
  Body& to = stream.make_body(heap);
  to.length = from.length;
  to.last_id = from.last_id;
  to.max_deleted_id = from.max_deleted_id;
  to.entries_added = from.entries_added;
  {
    const HeapTally tally(heap, to.memory_bytes);
    from.nodes.for_each([&](const NodeRef& ref) {
      to.nodes.append(heap, {ref.base, StreamNode::copy(heap, ref.node)});
    });
  }
  for_each_group([&](const StreamGroup& group) {
    StreamGroup* const twin = group.copy(heap);
    const HeapTally tally(heap, to.memory_bytes);
    to.groups.append(heap, twin);
  });
  if (from.producers != nullptr) to.producers = from.producers->copy(heap);
  return stream;
}

Stream Stream::share(Heap& heap) const noexcept {
  Stream stream;
  if (its_body() == nullptr) return stream;
  const Body& from = *its_body();
  Body& to = stream.make_body(heap);
  to.length = from.length;
  to.last_id = from.last_id;
  to.max_deleted_id = from.max_deleted_id;
  to.entries_added = from.entries_added;
  to.memory_bytes = from.memory_bytes;
  to.nodes.share_from(heap, from.nodes);
  for_each_group([&](const StreamGroup& group) { to.groups.append(heap, group.share(heap)); });
  if (from.producers != nullptr) to.producers = from.producers->share(heap);
  return stream;
}

// ---- entries

void Stream::append(Heap& heap, const Limits& limits, StreamId id,
                    StreamNode::Pairs pairs) noexcept {
  Body& body = make_body(heap);
  DCHECK(body.last_id < id);
  const HeapTally tally(heap, body.memory_bytes);
  const size_t bytes_max =
      limits.stream_node_bytes == 0 ? kBytesMax : std::min(limits.stream_node_bytes, kBytesMax);
  const auto has_room = [&](const StreamNode& node) {
    size_t bytes = node.bytes();
    for (const ByteView word : pairs) bytes += word.size();
    return bytes < bytes_max &&
           (limits.stream_node_entries == 0 || node.added() < limits.stream_node_entries);
  };
  NodeRef* const last =
      body.nodes.empty() ? nullptr : &body.nodes.own(heap, body.nodes.before(body.nodes.end()));
  if (last != nullptr && has_room(*last->node)) {
    StreamNode* const node = StreamNode::own(heap, last->node);
    last->node = StreamNode::append(heap, node, id, pairs, bytes_max);
  } else {
    if (last != nullptr) last->node = StreamNode::fit(heap, last->node);
    body.nodes.append(heap, {id, StreamNode::create(heap, id, pairs)});
  }
  ++body.length;
  ++body.entries_added;
  body.last_id = id;
}

void Stream::append_node(Heap& heap, StreamNode* node) noexcept {
  Body& body = make_body(heap);
  DCHECK(node->live() > 0);
  DCHECK(body.last_id < node->first_id());
  const HeapTally tally(heap, body.memory_bytes);
  body.nodes.append(heap, {node->base(), node});
  body.memory_bytes += Heap::usable_bytes(node);
  body.length += node->live();
  body.last_id = node->last_id();
}

void Stream::for_each_node(FunctionRef<void(const StreamNode&)> visit) const {
  body().nodes.for_each([&](const NodeRef& ref) { visit(*ref.node); });
}

// The node that an entry with this id would be in, or the first one.
Stream::Nodes::Place Stream::place_of(StreamId id) const noexcept {
  const Nodes& nodes = body().nodes;
  const Nodes::Place place = nodes.lower_bound(id);
  if (place == nodes.begin() || (place != nodes.end() && nodes.at(place).base == id)) return place;
  return nodes.before(place);
}

// The node at this place, to be changed.
StreamNode& Stream::own_node(Heap& heap, Nodes::Place place) noexcept {
  StreamNode*& node = its_body()->nodes.own(heap, place).node;
  node = StreamNode::own(heap, node);
  return *node;
}

Stream::Nodes::Place Stream::drop_node(Heap& heap, Nodes::Place place) noexcept {
  Nodes& nodes = its_body()->nodes;
  heap.note_left(StreamNode::release(heap, nodes.own(heap, place).node));
  return nodes.erase(heap, place);
}

bool Stream::erase(Heap& heap, StreamId id) noexcept {
  if (size() == 0) return false;
  Body& body = *its_body();
  const Nodes::Place place = place_of(id);
  const StreamNode& node = *body.nodes.at(place).node;
  const StreamNode::At at = node.lower_bound(id);
  if (at == node.end() || node.get(at).id != id) return false;
  const HeapTally tally(heap, body.memory_bytes);
  if (node.live() == 1) {
    drop_node(heap, place);
  } else {
    own_node(heap, place).erase(at);
  }
  --body.length;
  body.max_deleted_id = std::max(body.max_deleted_id, id);
  return true;
}

uint64_t Stream::trim(Heap& heap, const StreamTrim& trim) noexcept {
  if (size() == 0) return 0;
  Body& body = *its_body();
  const HeapTally tally(heap, body.memory_bytes);
  const bool by_length = trim.by == StreamTrim::By::kLength;
  const uint64_t length_before = body.length;
  while (body.length > (by_length ? trim.length : 0)) {
    const StreamNode& node = *body.nodes.front().node;
    const uint64_t live = node.live();
    if (trim.count_max > 0 && length_before - body.length + live > trim.count_max) break;
    if (by_length ? body.length - live >= trim.length : node.last_id() < trim.first_id) {
      drop_node(heap, body.nodes.begin());
      body.length -= live;
      continue;
    }
    if (trim.whole_nodes) break;
    // One entry at least stays in this node.
    StreamNode& left = own_node(heap, body.nodes.begin());
    while (by_length ? body.length > trim.length : left.first_id() < trim.first_id) {
      left.erase(left.begin());
      --body.length;
    }
    break;
  }
  return length_before - body.length;
}

StreamId Stream::first_id() const noexcept {
  return size() == 0 ? StreamId() : body().nodes.front().node->first_id();
}

StreamId Stream::top_id() const noexcept {
  return size() == 0 ? StreamId() : body().nodes.back().node->last_id();
}

bool Stream::contains(StreamId id) const noexcept {
  if (size() == 0) return false;
  const StreamNode& node = *body().nodes.at(place_of(id)).node;
  const StreamNode::At at = node.lower_bound(id);
  return at != node.end() && node.get(at).id == id;
}

void Stream::for_each(StreamId first, StreamId last, Direction direction, Visit visit) const {
  if (size() == 0 || last < first) return;
  const Nodes& nodes = body().nodes;
  if (direction == Direction::kAscending) {
    Nodes::Place place = place_of(first);
    StreamNode::At at = nodes.at(place).node->lower_bound(first);
    for (;;) {
      const StreamNode& node = *nodes.at(place).node;
      while (at != node.end()) {
        const StreamEntry entry = node.read(at);
        if (last < entry.id || !visit(entry)) return;
      }
      place = nodes.after(place);
      if (place == nodes.end()) return;
      at = nodes.at(place).node->begin();
    }
  }
  Nodes::Place place = place_of(last);
  const auto beyond = last.next();
  StreamNode::At at =
      beyond ? nodes.at(place).node->lower_bound(*beyond) : nodes.at(place).node->end();
  for (;;) {
    const StreamNode& node = *nodes.at(place).node;
    while (at != node.begin()) {
      const StreamEntry entry = node.read_back(at);
      if (entry.id < first || !visit(entry)) return;
    }
    if (place == nodes.begin()) return;
    place = nodes.before(place);
    at = nodes.at(place).node->end();
  }
}

// ---- groups

StreamGroup* Stream::find_group(ByteView name) const noexcept {
  StreamGroup* const* const found = body().groups.find(name);
  return found == nullptr ? nullptr : *found;
}

StreamGroup& Stream::add_group(Heap& heap, ByteView name) noexcept {
  Body& body = make_body(heap);
  StreamGroup* const group = StreamGroup::create(heap, name);
  const HeapTally tally(heap, body.memory_bytes);
  return *body.groups.insert(heap, group);
}

void Stream::erase_group(Heap& heap, StreamGroup& group) noexcept {
  {
    Body& body = *its_body();
    const HeapTally tally(heap, body.memory_bytes);
    body.groups.erase(heap, body.groups.lower_bound(group.name()));
  }
  heap.give_up(group.memory_bytes(), [&] {
    size_t budget = ~size_t{0};
    CHECK(group.free_some(heap, budget));
  });
}

void Stream::for_each_group(FunctionRef<void(StreamGroup&)> visit) const {
  body().groups.for_each([&](StreamGroup* group) { visit(*group); });
}

StreamProducers& Stream::make_producers(Heap& heap, StreamProducers::Settings settings) noexcept {
  StreamProducers*& its = make_body(heap).producers;
  if (its == nullptr) its = StreamProducers::create(heap, settings);
  return *its;
}

// An entry from `id` on may have been deleted among those that are there, so that counting on from
// there is wrong.
bool Stream::is_deleted_after(StreamId id) const noexcept {
  const Body& its = body();
  return its.length > 0 && !its.max_deleted_id.is_zero() && id <= its.max_deleted_id &&
         first_id() <= its.max_deleted_id;
}

std::optional<int64_t> Stream::count_up_to(StreamId id) const noexcept {
  const Body& its = body();
  const auto added = static_cast<int64_t>(its.entries_added);
  const auto length = static_cast<int64_t>(its.length);
  if (added == 0) return 0;
  if (length == 0 && id <= its.last_id) return added;
  if (id == its.last_id) return added;
  if (id > its.last_id) return std::nullopt;
  const StreamId first = first_id();
  // Where nothing was deleted among what is there, those before it all came first.
  if (its.max_deleted_id.is_zero() || its.max_deleted_id < first) {
    if (id < first) return difference(added, length);
    if (id == first) return sum(difference(added, length), 1);
  }
  return std::nullopt;
}

void Stream::note_delivered(StreamGroup& group, StreamId id) const noexcept {
  if (id <= group.last_id) return;
  if (group.entries_read != StreamGroup::kUnknown && !is_deleted_after(id)) {
    group.entries_read = sum(group.entries_read, 1);
  } else if (body().entries_added > 0) {
    group.entries_read = count_up_to(id).value_or(StreamGroup::kUnknown);
  }
  group.last_id = id;
}

std::optional<int64_t> Stream::lag(const StreamGroup& group) const noexcept {
  const auto added = static_cast<int64_t>(body().entries_added);
  if (added == 0) return 0;
  if (group.entries_read != StreamGroup::kUnknown && !is_deleted_after(group.last_id))
    return difference(added, group.entries_read);
  const auto read = count_up_to(group.last_id);
  return read ? std::optional(difference(added, *read)) : std::nullopt;
}

// ---- memory

size_t Stream::memory_bytes() const noexcept {
  size_t bytes = body().memory_bytes;
  for_each_group([&](const StreamGroup& group) { bytes += group.memory_bytes(); });
  if (producers() != nullptr) bytes += producers()->memory_bytes();
  return bytes;
}

size_t Stream::free_effort() const noexcept {
  size_t effort = 1 + node_count();
  for_each_group([&](const StreamGroup& group) { effort += group.free_effort(); });
  if (producers() != nullptr) effort += producers()->free_effort();
  return effort;
}

bool Stream::free_some(Heap& heap, size_t& budget) noexcept {
  Body* const its = its_body();
  if (its == nullptr) return true;
  const auto free_node = [&](const NodeRef& ref) {
    if (budget == 0) return false;
    --budget;
    (void)StreamNode::release(heap, ref.node);
    return true;
  };
  if (!its->nodes.free_some(heap, budget, free_node)) return false;
  const auto free_group = [&](StreamGroup* group) { return group->free_some(heap, budget); };
  if (!its->groups.free_some(heap, budget, free_group)) return false;
  if (its->producers != nullptr && !its->producers->free_some(heap, budget)) return false;
  its->producers = nullptr;
  heap.destroy(its);
  word_.clear();
  return true;
}

void Stream::check_invariants() const {
  const Body& its = body();
  its.nodes.check_invariants();
  its.groups.check_invariants();
  uint64_t length = 0;
  size_t bytes = its.memory_bytes;
  StreamId before;
  its.nodes.for_each([&](const NodeRef& ref) {
    ref.node->check_invariants();
    CHECK(ref.base == ref.node->base());
    CHECK(before < ref.node->first_id());
    before = ref.node->last_id();
    length += ref.node->live();
    CHECK(bytes > Heap::usable_bytes(ref.node));
    bytes -= Heap::usable_bytes(ref.node);
  });
  CHECK(length == its.length);
  CHECK(before <= its.last_id);
  for_each_group([](const StreamGroup& group) { group.check_invariants(); });
  if (producers() != nullptr) producers()->check_invariants();
}

}  // namespace ouro
