// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <vector>

#include "persistence/stream_code.h"
#include "persistence/stream_codec.h"

namespace ouro {
namespace {

StreamId id_of(ByteView bytes) noexcept {
  StreamId id;
  if (bytes.size() != stream_code::kIdBytes) return id;
  for (size_t i = 0; i < 8; ++i) {
    id.ms = id.ms << 8 | static_cast<unsigned char>(bytes[i]);
    id.seq = id.seq << 8 | static_cast<unsigned char>(bytes[8 + i]);
  }
  return id;
}

// The elements of one node's listpack, asked for one by one. The first that is not what was asked
// for ends it.
class NodeElements {
 public:
  explicit NodeElements(ByteView listpack) : in_(PackedReader::Format::kListpack, listpack) {}

  int64_t number() {
    const PackedElement element = next();
    if (!element.is_number) good_ = false;
    return good_ ? element.number : 0;
  }
  // At least `least`, and no more than elements are left.
  size_t count(int64_t least) {
    const int64_t value = number();
    if (value < least || static_cast<uint64_t>(value) > in_.left_max()) good_ = false;
    return good_ ? static_cast<size_t>(value) : 0;
  }
  ByteView text(PackedElement::Scratch& scratch) { return next().bytes(scratch); }
  bool good() const { return good_; }
  bool is_at_end() {
    PackedElement element;
    return good_ && !in_.next(element) && in_.is_whole();
  }

 private:
  PackedElement next() {
    PackedElement element;
    good_ = good_ && in_.next(element);
    return good_ ? element : PackedElement{};
  }

  PackedReader in_;
  bool good_ = true;
};

// Words whose views stay good while others are read.
class Words {
 public:
  void read(NodeElements& from, size_t count) {
    scratch_.resize(count);
    views_.clear();
    for (size_t i = 0; i < count; ++i) views_.push_back(from.text(scratch_[i]));
  }
  std::span<const ByteView> views() const { return views_; }

 private:
  std::vector<PackedElement::Scratch> scratch_;
  std::vector<ByteView> views_;
};

// Builds a node from its listpack; null if that is not well-formed.
class NodeReader {
 public:
  NodeReader(const ValueTarget& to, StreamId base, StreamId id_before, ByteView listpack)
      : heap_(to.heap), elements_(listpack), base_(base), id_before_(id_before) {}

  StreamNode* read() {
    const size_t live = elements_.count(1);
    const size_t gone = elements_.count(0);
    names_.read(elements_, elements_.count(1));
    if (elements_.number() != 0 || !elements_.good()) return nullptr;
    node_ = StreamNode::create_bare(heap_, base_, names_.views());
    for (size_t left = live + gone; left > 0 && read_entry();) --left;
    if (elements_.is_at_end() && node_->live() == live && gone_ == gone) {
      node_->note_gone(static_cast<uint32_t>(gone));
      return StreamNode::fit(heap_, node_);
    }
    heap_.release(node_);
    return nullptr;
  }

 private:
  bool read_entry() {
    const int64_t flags = elements_.number();
    const auto ms = static_cast<uint64_t>(elements_.number());
    const auto seq = static_cast<uint64_t>(elements_.number());
    const bool same = (flags & stream_code::kSameFields) != 0;
    const size_t fields = same ? names_.views().size() : elements_.count(1);
    words_.read(elements_, same ? fields : 2 * fields);
    const int64_t expected = static_cast<int64_t>(words_.views().size()) +
                             (same ? stream_code::kElements : stream_code::kElementsOwn);
    if (elements_.number() != expected || !elements_.good()) return false;
    if ((flags & ~(stream_code::kGone | stream_code::kSameFields)) != 0) return false;
    if ((flags & stream_code::kGone) != 0) {
      ++gone_;
      return true;
    }
    const StreamId id{base_.ms + ms, base_.seq + seq};
    if (id <= id_before_ || id < base_) return false;
    id_before_ = id;
    append(id, same);
    return true;
  }
  void append(StreamId id, bool same) {
    if (!same) return append(id, words_.views());
    pairs_.clear();
    for (size_t i = 0; i < names_.views().size(); ++i) {
      pairs_.push_back(names_.views()[i]);
      pairs_.push_back(words_.views()[i]);
    }
    append(id, pairs_);
  }
  void append(StreamId id, StreamNode::Pairs pairs) {
    node_ = StreamNode::append(heap_, node_, id, pairs, Stream::kBytesMax);
  }

  Heap& heap_;
  NodeElements elements_;
  StreamId base_;
  StreamId id_before_;
  StreamNode* node_ = nullptr;
  size_t gone_ = 0;
  Words names_;
  Words words_;
  std::vector<ByteView> pairs_;
};

class StreamReader {
 public:
  StreamReader(RdbType type, RdbReader& in, const ValueTarget& to)
      : version_(type == RdbType::kStream1   ? 1
                 : type == RdbType::kStream2 ? 2
                                             : 3),
        in_(in),
        to_(to) {}

  void nodes() {
    std::string scratch;
    for (uint64_t left = in_.count(stream_code::kIdBytes + 2); in_.ok() && left > 0; --left) {
      const ByteView base = in_.string(scratch);
      in_.check(base.size() == stream_code::kIdBytes, "a stream's node has no id");
      const StreamId base_id = id_of(base);
      const ByteView listpack = in_.string(scratch);
      if (!in_.check(listpack.size() <= Stream::kBytesMax, "a stream's node is too large")) return;
      StreamNode* node = NodeReader(to_, base_id, stream.last_id(), listpack).read();
      if (!in_.check(node != nullptr, "a stream's node is not well-formed")) return;
      stream.append_node(to_.heap, node);
    }
  }
  void info() {
    const uint64_t length = in_.length();
    in_.check(length == stream.size(), "a stream's length is not that of its nodes");
    const StreamId last = id();
    in_.check(stream.last_id() <= last, "a stream's last id is below an entry's");
    StreamId max_deleted;
    uint64_t added = length;
    if (version_ >= 2) {
      id();  // the first one, which the nodes tell
      max_deleted = id();
      added = in_.length();
      in_.check(length <= added && added <= INT64_MAX, "a stream has more entries than ever came");
    }
    if (!in_.ok()) return;
    stream.set_last_id(to_.heap, last);
    stream.set_max_deleted_id(to_.heap, max_deleted);
    stream.set_entries_added(to_.heap, added);
  }
  void groups() {
    std::string scratch;
    for (uint64_t left = in_.count(5); in_.ok() && left > 0; --left) {
      const ByteView name = in_.string(scratch);
      if (!in_.check(stream.find_group(name) == nullptr, "a group stands twice")) return;
      StreamGroup& group = stream.add_group(to_.heap, name);
      group.last_id = id();
      // Any number: XGROUP sets it to more than ever came, and counting on from the largest makes
      // it negative.
      // Before, it was not counted: what can be told now is as good as what will be counted.
      group.entries_read = version_ >= 2
                               ? static_cast<int64_t>(in_.length())
                               : stream.count_up_to(group.last_id).value_or(StreamGroup::kUnknown);
      pending();
      consumers(group);
      in_.check(group.pending_count() == pending_.size(), "a pending entry is no consumer's");
    }
  }

  Stream stream;

 private:
  StreamId id() {
    const uint64_t ms = in_.length();
    return {ms, in_.length()};
  }

  // Of a group, before it is known whose they are.
  void pending() {
    pending_.clear();
    for (uint64_t left = in_.count(stream_code::kIdBytes + 9); in_.ok() && left > 0; --left) {
      StreamPending item{.id = id_of(in_.bytes(stream_code::kIdBytes))};
      item.delivered_at = in_.fixed<UnixMs>();
      item.deliveries = in_.length();
      const bool in_range =
          item.delivered_at >= 0 && item.deliveries <= StreamPending::kDeliveriesMax;
      if (!in_.check(in_range, "a pending entry's time or count is out of range")) return;
      const bool in_order = pending_.empty() || pending_.back().id < item.id;
      if (!in_.check(in_order, "pending entries are out of order")) return;
      pending_.push_back(item);
    }
  }
  void consumers(StreamGroup& group) {
    std::string scratch;
    for (uint64_t left = in_.count(10); in_.ok() && left > 0; --left) {
      const ByteView name = in_.string(scratch);
      const auto seen_at = in_.fixed<UnixMs>();
      // Before version 3 it is not told when it got something: when it asked is the best guess.
      const UnixMs active_at = version_ >= 3 ? in_.fixed<UnixMs>() : seen_at;
      const bool in_range = seen_at >= 0 && active_at >= StreamConsumer::kNeverActive;
      if (!in_.check(in_range, "a consumer's time is out of range")) return;
      if (!in_.check(group.find_consumer(name) == nullptr, "Duplicate stream consumer detected"))
        return;
      StreamConsumer& consumer = group.add_consumer(to_.heap, name, seen_at);
      consumer.active_at = active_at;
      for (uint64_t ids = in_.count(stream_code::kIdBytes); in_.ok() && ids > 0; --ids) {
        assign(group, id_of(in_.bytes(stream_code::kIdBytes)), consumer);
      }
    }
  }
  void assign(StreamGroup& group, StreamId id, StreamConsumer& consumer) {
    const auto item = std::lower_bound(
        pending_.begin(), pending_.end(), id,
        [](const StreamPending& pending, StreamId wanted) { return pending.id < wanted; });
    const bool is_free = item != pending_.end() && item->id == id && item->owner == nullptr;
    if (!in_.check(is_free, "a consumer's entry is not pending, or another's")) return;
    item->owner = &consumer;
    group.assign(to_.heap, id, consumer, item->delivered_at).deliveries = item->deliveries;
  }

  int version_;
  RdbReader& in_;
  const ValueTarget& to_;
  std::vector<StreamPending> pending_;
};

}  // namespace

Stream read_stream(RdbType type, RdbReader& in, const ValueTarget& to) {
  StreamReader reader(type, in, to);
  reader.nodes();
  if (in.ok()) reader.info();
  if (in.ok()) reader.groups();
  return reader.stream;
}

}  // namespace ouro
