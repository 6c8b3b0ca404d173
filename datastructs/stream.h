// SPDX-License-Identifier: BSD-3-Clause
// Stream: entries of fields and values in the order of their ids, and the groups that read them.
// "stream" in OBJECT ENCODING.
//
//      Stream -> Body   length, last id ...
//                  |
//                  +-- SortedPages of (first id, node*)   --> StreamNode: up to 100 entries
//                  |                                          (Limits::stream_node_*)
//                  +-- SortedPages of StreamGroup*        --> StreamGroup
//                  +-- StreamProducers*, if it has been asked for
//
// Entries come in at the end only. A new node is begun when the last one is full, counting entries
// that have gone from it as Redis does, so that trimming by whole nodes takes the same ones. A
// stream without entries is a value, too: it remembers ids and has groups. One that was never
// touched is a null pointer.
//
// Trivially relocatable, no destructor: freed by destroy() or free_some(). An entry handed to a
// callback dies at the next change of entries; groups may change inside of it. A StreamGroup* lives
// until it is erased.
// Invariants: ids ascend and are at most last_id(); no node is empty; length is the sum over nodes.
// Cost: append O(1); an id is found in O(log nodes) and a walk in one node; trimming O(nodes that
// go). Memory: 6 bytes an entry with one short field of the node's, and 1 of node and table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "datastructs/base/function_ref.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"
#include "datastructs/limits.h"
#include "datastructs/stream_group.h"
#include "datastructs/stream_id.h"
#include "datastructs/stream_node.h"
#include "datastructs/stream_producers.h"
#include "datastructs/tagged_word.h"
#include "datastructs/zset_range.h"

namespace ouro {

// What is to be trimmed from the front.
struct StreamTrim {
  enum class By : uint8_t { kLength, kId };
  By by = By::kLength;
  uint64_t length = 0;       // keep so many entries
  StreamId first_id = {};    // keep entries from this id on
  bool whole_nodes = false;  // only nodes that go as a whole
  uint64_t count_max = 0;    // no more entries than these; 0 is no limit
};

class Stream {
 public:
  // False ends a walk.
  using Visit = FunctionRef<bool(const StreamEntry&)>;
  // An entry has at most so many bytes in fields and values, and a node.
  static constexpr size_t kBytesMax = 1_GiB;

  Stream() = default;
  void destroy(Heap& heap) noexcept;
  Stream copy(Heap& heap) const noexcept;
  // The same stream as it is now, for reading and destroy() alone, while this one goes on and may
  // go. Both have the same nodes and the same pages of what is pending; who changes one copies that
  // one. In it StreamPending::owner tells only whether there is one. Cost: 8 bytes and a count a
  // page (8,500 entries of one field, 50 pending ones); a small block a group and a consumer.
  Stream share(Heap& heap) const noexcept;

  // ---- entries
  // Requires: last_id() < id, pairs of field and value of at most kBytesMax.
  void append(Heap& heap, const Limits& limits, StreamId id, StreamNode::Pairs pairs) noexcept;
  // Takes a node whose ids are all above last_id(), which then is the node's last one; for what
  // loads a stream node by node. Does not count in entries_added().
  void append_node(Heap& heap, StreamNode* node) noexcept;
  // False if it was not there. Remembers the highest id that went so.
  bool erase(Heap& heap, StreamId id) noexcept;
  // Returns how many entries went.
  uint64_t trim(Heap& heap, const StreamTrim& trim) noexcept;
  // Requires: top_id() <= last_id.
  void set_last_id(Heap& heap, StreamId last_id) noexcept { make_body(heap).last_id = last_id; }
  void set_max_deleted_id(Heap& heap, StreamId id) noexcept { make_body(heap).max_deleted_id = id; }
  void set_entries_added(Heap& heap, uint64_t count) noexcept {
    make_body(heap).entries_added = count;
  }

  uint64_t size() const noexcept { return body().length; }
  // Of the last entry that came in, whether or not it is still there.
  StreamId last_id() const noexcept { return body().last_id; }
  // Of the entries that are there; zero if there are none.
  StreamId first_id() const noexcept;
  StreamId top_id() const noexcept;
  StreamId max_deleted_id() const noexcept { return body().max_deleted_id; }
  uint64_t entries_added() const noexcept { return body().entries_added; }
  size_t node_count() const noexcept { return body().nodes.size(); }
  size_t page_count() const noexcept { return body().nodes.page_count(); }
  bool contains(StreamId id) const noexcept;
  // The nodes in order, for what saves a stream node by node.
  void for_each_node(FunctionRef<void(const StreamNode&)> visit) const;
  // The entries with first <= id <= last, from either end.
  void for_each(StreamId first, StreamId last, Direction direction, Visit visit) const;
  void for_each(Visit visit) const { for_each({}, kStreamIdMax, Direction::kAscending, visit); }

  // ---- groups, in the order of their names
  StreamGroup* find_group(ByteView name) const noexcept;
  // The name must be absent.
  StreamGroup& add_group(Heap& heap, ByteView name) noexcept;
  void erase_group(Heap& heap, StreamGroup& group) noexcept;
  size_t group_count() const noexcept { return body().groups.size(); }
  void for_each_group(FunctionRef<void(StreamGroup&)> visit) const;
  // How many entries came in, ever, up to the one with this id, if that can be told.
  std::optional<int64_t> count_up_to(StreamId id) const noexcept;
  // The group has been given the entry `id`, which is there and comes after all before it.
  void note_delivered(StreamGroup& group, StreamId id) const noexcept;
  // How many entries are still to be delivered to the group, if that can be told: entries that were
  // deleted among those to come make it unknown.
  std::optional<int64_t> lag(const StreamGroup& group) const noexcept;

  // ---- idempotent producers; null until there was one, or settings of their own
  StreamProducers* producers() const noexcept { return body().producers; }
  StreamProducers& make_producers(Heap& heap, StreamProducers::Settings settings) noexcept;

  ByteView encoding() const noexcept { return "stream"; }
  // All allocations by usable size, exact. Cost: O(groups).
  size_t memory_bytes() const noexcept;
  // How many allocations freeing takes, roughly. Cost: O(groups).
  size_t free_effort() const noexcept;
  // Frees in slices of `budget` allocations, which is counted down; true when all is gone and the
  // handle is empty. Once begun nothing else may be asked.
  bool free_some(Heap& heap, size_t& budget) noexcept;
  void check_invariants() const;

 private:
  struct NodeRef {
    StreamId base;  // the node's own
    StreamNode* node;
  };
  struct ByBase {
    static StreamId key(const NodeRef& ref) noexcept { return ref.base; }
    static NodeRef share(Heap& heap, const NodeRef& ref) noexcept {
      return {ref.base, StreamNode::share(heap, ref.node)};
    }
  };
  struct ByName {
    static ByteView key(StreamGroup* group) noexcept { return group->name(); }
  };
  using Nodes = SortedPages<NodeRef, ByBase>;
  struct Body {
    Nodes nodes;
    uint64_t length = 0;
    StreamId last_id;
    StreamId max_deleted_id;
    uint64_t entries_added = 0;
    SortedPages<StreamGroup*, ByName> groups;
    StreamProducers* producers = nullptr;
    size_t memory_bytes = 0;  // without groups and producers
  };
  static const Body kEmpty;
  friend class StreamNodeCursor;

  Body* its_body() const noexcept { return static_cast<Body*>(word_.pointer()); }
  const Body& body() const noexcept { return its_body() == nullptr ? kEmpty : *its_body(); }
  // There is one afterwards.
  Body& make_body(Heap& heap) noexcept {
    Body* const its = its_body();
    return its != nullptr ? *its : create_body(heap);
  }
  Body& create_body(Heap& heap) noexcept;
  Nodes::Place place_of(StreamId id) const noexcept;
  StreamNode& own_node(Heap& heap, Nodes::Place place) noexcept;
  Nodes::Place drop_node(Heap& heap, Nodes::Place place) noexcept;
  bool is_deleted_after(StreamId id) const noexcept;

  enum class Tag : uint8_t { kNone, kBody };
  TaggedWord<Tag> word_;
};

static_assert(sizeof(Stream) == 8);

// Hands out the nodes of a stream in order, as many as are asked for. Dies at the next change of
// the stream.
class StreamNodeCursor {
 public:
  explicit StreamNodeCursor(const Stream& stream) : nodes_(stream.body().nodes) {}
  // Null behind the last one.
  const StreamNode* next() noexcept {
    if (place_ == nodes_.end()) return nullptr;
    const StreamNode* const node = nodes_.at(place_).node;
    place_ = nodes_.after(place_);
    return node;
  }

 private:
  const Stream::Nodes& nodes_;
  Stream::Nodes::Place place_;
};

}  // namespace ouro
