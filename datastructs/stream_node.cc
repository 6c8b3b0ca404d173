// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/stream_node.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/check.h"
#include "datastructs/codec/varint.h"

namespace ouro {
namespace {

constexpr size_t kNodeBytesMax = UINT32_MAX;
constexpr uint32_t kFieldsMax = (1U << 29) - 1;

size_t string_bytes(ByteView text) noexcept {
  return length_code::bytes_for(text.size()) + text.size();
}

char* write_string(char* to, ByteView text) noexcept {
  to = length_code::write(to, text.size());
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// Of a number that was written here. One byte is the rule.
const char* read_varint(const char* at, uint64_t& value) noexcept {
  value = static_cast<unsigned char>(*at);
  if (value < 0x80) [[likely]]
    return at + 1;
  const char* const end = decode_varint(at, at + kVarintBytesMax, value);
  CHECK(end != nullptr);
  return end;
}

}  // namespace

// What an entry will look like, and its size.
struct StreamNode::Layout {
  Layout(const StreamNode& node, StreamId id, Pairs pairs) noexcept
      : ms(id.ms - node.base_.ms),
        seq(ms == 0 ? id.seq - node.base_.seq : id.seq),
        own_fields(node.has_fields_of(pairs) ? 0 : pairs.size() / 2) {
    body_bytes = varint_bytes(own_fields) + varint_bytes(ms) + varint_bytes(seq);
    for (size_t i = own_fields == 0 ? 1 : 0; i < pairs.size(); i += own_fields == 0 ? 2 : 1)
      body_bytes += string_bytes(pairs[i]);
    bytes = body_bytes + length_code::bytes_for(body_bytes);
  }

  uint64_t ms;
  uint64_t seq;
  size_t own_fields;
  size_t body_bytes;
  size_t bytes;
};

bool StreamNode::has_fields_of(Pairs pairs) const noexcept {
  if (pairs.size() / 2 != field_count_) return false;
  const char* name = names();
  for (size_t i = 0; i < pairs.size(); i += 2) {
    if (StreamEntry::read_string(name) != pairs[i]) return false;
  }
  return true;
}

// The head; its names are every `step`-th of the words.
StreamNode* StreamNode::create_head(Heap& heap, StreamId base, std::span<const ByteView> words,
                                    size_t step) noexcept {
  size_t bytes = sizeof(StreamNode);
  for (size_t i = 0; i < words.size(); i += step) bytes += string_bytes(words[i]);
  CHECK(bytes < kNodeBytesMax);
  CHECK(words.size() / step <= kFieldsMax);
  auto* node = new (heap.allocate(bytes)) StreamNode();
  char* to = node->bytes_at(sizeof(StreamNode));
  for (size_t i = 0; i < words.size(); i += step) to = write_string(to, words[i]);
  node->base_ = base;
  node->field_count_ = static_cast<uint32_t>(words.size() / step) & kFieldsMax;
  node->names_end_ = node->front_ = node->used_ = static_cast<uint32_t>(bytes);
  return node;
}

StreamNode* StreamNode::create(Heap& heap, StreamId id, Pairs pairs) noexcept {
  return append(heap, create_head(heap, id, pairs, 2), id, pairs, 0);
}

StreamNode* StreamNode::create_bare(Heap& heap, StreamId base,
                                    std::span<const ByteView> names) noexcept {
  return create_head(heap, base, names, 1);
}

StreamNode* StreamNode::append(Heap& heap, StreamNode* node, StreamId id, Pairs pairs,
                               size_t bytes_max) noexcept {
  const Layout layout(*node, id, pairs);
  const size_t needed = node->used_ + layout.bytes;
  CHECK(needed < kNodeBytesMax);
  if (needed > Heap::usable_bytes(node)) {
    const size_t room = std::max(needed, std::min(size_t{2} * node->used_, bytes_max));
    node = static_cast<StreamNode*>(heap.reallocate(node, room));
  }
  node->write(layout, id, pairs);
  return node;
}

void StreamNode::write(const Layout& layout, StreamId id, Pairs pairs) noexcept {
  DCHECK(base_ <= id);
  char* const begin = bytes_at(used_);
  char* to = encode_varint(layout.own_fields, begin);
  to = encode_varint(layout.ms, to);
  to = encode_varint(layout.seq, to);
  const size_t step = layout.own_fields == 0 ? 2 : 1;
  for (size_t i = step - 1; i < pairs.size(); i += step) to = write_string(to, pairs[i]);
  to = length_code::write_mirrored(to, layout.body_bytes);
  DCHECK(static_cast<size_t>(to - begin) == layout.bytes);
  used_ += static_cast<uint32_t>(to - begin);
  ++live_;
  ++added_;
}

StreamNode* StreamNode::copy(Heap& heap, const StreamNode* node) noexcept {
  void* const block = heap.allocate(node->used_);
  std::memcpy(block, static_cast<const void*>(node), node->used_);
  auto* const twin = static_cast<StreamNode*>(block);
  twin->sharers_ = 0;
  return twin;
}

StreamNode* StreamNode::share(Heap& heap, StreamNode* node) noexcept {
  if (node->sharers_ == kSharersMax) return copy(heap, node);
  ++node->sharers_;
  return node;
}

StreamNode* StreamNode::leave(Heap& heap, StreamNode* node) noexcept {
  StreamNode* const mine = copy(heap, node);
  heap.note_left(release(heap, node));
  return mine;
}

size_t StreamNode::release(Heap& heap, StreamNode* node) noexcept {
  if (node->sharers_ > 0) {
    --node->sharers_;
    return Heap::usable_bytes(node);
  }
  heap.release(node);
  return 0;
}

StreamNode* StreamNode::fit(Heap& heap, StreamNode* node) noexcept {
  // A block of the size class that it has already would only be copied.
  if (Heap::usable_bytes(node) - node->used_ <= node->used_ / 8) return node;
  if (node->sharers_ > 0) return node;
  return static_cast<StreamNode*>(heap.reallocate(node, node->used_));
}

void StreamNode::erase(At at) noexcept {
  DCHECK(live_ > 1);
  At behind = at;
  (void)read(behind);
  --live_;
  if (at == front_) {
    front_ = behind;
    return;
  }
  std::memmove(bytes_at(at), bytes_at(behind), used_ - behind);
  used_ -= behind - at;
}

StreamEntry StreamNode::read(At& at) const noexcept {
  DCHECK(at < used_);
  StreamEntry entry;
  uint64_t own_fields;
  uint64_t ms;
  uint64_t seq;
  const char* const begin = bytes_at(at);
  const char* from = read_varint(begin, own_fields);
  from = read_varint(from, ms);
  from = read_varint(from, seq);
  entry.id = {base_.ms + ms, ms == 0 ? base_.seq + seq : seq};
  entry.values_ = from;
  entry.names_ = own_fields == 0 ? names() : nullptr;
  entry.field_count_ = own_fields == 0 ? field_count_ : own_fields;
  const size_t strings = own_fields == 0 ? field_count_ : 2 * own_fields;
  for (size_t i = 0; i < strings; ++i) (void)StreamEntry::read_string(from);
  at += static_cast<At>(from - begin);
  at += static_cast<At>(length_code::bytes_for(static_cast<size_t>(from - begin)));
  return entry;
}

StreamEntry StreamNode::read_back(At& at) const noexcept {
  DCHECK(at > front_);
  size_t body_bytes;
  const char* const mark = length_code::read_mirrored(bytes_at(at), body_bytes);
  at = static_cast<At>(mark - body_bytes - bytes_at(0));
  return get(at);
}

StreamNode::At StreamNode::lower_bound(StreamId id) const noexcept {
  for (At at = begin(); at != end();) {
    const At here = at;
    if (id <= read(at).id) return here;
  }
  return end();
}

void StreamNode::check_invariants() const {
  CHECK(live_ > 0);
  CHECK(live_ <= added_);
  CHECK(names_end_ <= front_);
  CHECK(used_ <= Heap::usable_bytes(this));
  uint32_t count = 0;
  StreamId before = base_;
  for (At at = begin(); at != end(); ++count) {
    const At here = at;
    const StreamEntry entry = read(at);
    CHECK(at <= used_);
    CHECK(count == 0 ? before <= entry.id : before < entry.id);
    before = entry.id;
    At back = at;
    CHECK(read_back(back).id == entry.id);
    CHECK(back == here);
  }
  CHECK(count == live_);
}

}  // namespace ouro
