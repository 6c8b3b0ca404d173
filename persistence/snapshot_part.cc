// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/snapshot_part.h"

#include <algorithm>

#include "persistence/hash_codec.h"
#include "persistence/list_codec.h"
#include "persistence/set_codec.h"
#include "persistence/timed_codec.h"
#include "persistence/zset_codec.h"

namespace ouro {
namespace {

// Moves up to `bytes_max` bytes from the front of `from`.
void take_front(ByteView& from, size_t bytes_max, std::string& out) {
  const ByteView taken = from.substr(0, bytes_max);
  out += taken;
  from.remove_prefix(taken.size());
}

class StringPart final : public SnapshotPart {
 public:
  StringPart(Heap& heap, Blob& blob) : heap_(heap), blob_(blob), rest_(blob.view()) { blob.pin(); }
  ~StringPart() override { Blob::unpin(heap_, &blob_); }

  bool write(size_t bytes_max, size_t& /*budget*/, std::string& out) override {
    take_front(rest_, bytes_max, out);
    return rest_.empty();
  }

 private:
  Heap& heap_;
  Blob& blob_;
  ByteView rest_;
};

class ListPart final : public SnapshotPart {
 public:
  ListPart(Heap& heap, const List& list, RdbWriter::Packing packing)
      : heap_(heap), list_(list.share(heap)), nodes_(list_), packing_(packing) {}
  ~ListPart() override { list_.destroy(heap_); }

  bool write(size_t bytes_max, size_t& budget, std::string& out) override {
    for (const size_t end = out.size() + bytes_max; out.size() < end && budget > 0; --budget) {
      take_front(large_, end - out.size(), out);
      if (!large_.empty() || out.size() == end) break;
      const auto node = nodes_.next();
      if (!node) return true;
      write_node(*node, out);
    }
    return false;
  }

 private:
  void write_node(const ListNode& node, std::string& out) {
    RdbWriter writer(out, packing_);
    if (!node.is_plain() || node.blob()->size() <= kMemoryMin)
      return write_list_node(node, scratch_, writer);
    large_ = node.blob()->view();
    begin_plain_list_node(large_.size(), writer);
  }

  Heap& heap_;
  List list_;
  ListNodeCursor nodes_;
  ListpackWriter scratch_;
  RdbWriter::Packing packing_;
  ByteView large_;  // what is left of the element that is a node
};

// A table under a view, whose elements are encoded when it hands them out.
class TablePart : public SnapshotPart {
 public:
  explicit TablePart(RdbWriter::Packing packing) : writer_(encoded_, packing) {}

  bool write(size_t bytes_max, size_t& budget, std::string& out) final {
    for (const size_t end = out.size() + bytes_max;;) {
      ByteView rest = ByteView(encoded_).substr(taken_);
      take_front(rest, end - out.size(), out);
      taken_ = encoded_.size() - rest.size();
      if (!rest.empty()) return false;
      encoded_.clear();
      taken_ = 0;
      if (is_complete_) return true;
      if (out.size() == end || budget == 0) return false;
      walk_some(budget);
    }
  }
  size_t waiting_bytes() const final { return encoded_.size() - taken_; }

 protected:
  RdbWriter& writer() { return writer_; }
  // The next elements; true behind the last one.
  virtual bool walk(size_t& budget) = 0;
  virtual void finish() {}

 private:
  // So that not much more is encoded than a chunk has room for.
  static constexpr size_t kStep = 64;

  void walk_some(size_t& budget) {
    size_t step = std::min(budget, kStep);
    budget -= step;
    is_complete_ = walk(step);
    budget += step;
    if (is_complete_) finish();
  }

  std::string encoded_;
  size_t taken_ = 0;
  RdbWriter writer_;
  bool is_complete_ = false;
};

class SetPart final : public TablePart, private SetView {
 public:
  SetPart(const Set& set, RdbWriter::Packing packing)
      : TablePart(packing), is_timed_(set.has_deadlines()) {
    begin(set);
  }

 private:
  bool walk(size_t& budget) override { return next(budget); }
  void save(ByteView member, UnixMs deadline) override {
    is_timed_ ? write_timed_member(member, deadline, writer()) : write_set_member(member, writer());
  }
  void finish() override {
    if (is_timed_) writer().module_end();
  }

  bool is_timed_;
};

class ZSetPart final : public TablePart, private ZSetView {
 public:
  ZSetPart(const ZSet& zset, RdbWriter::Packing packing)
      : TablePart(packing), is_timed_(zset.has_deadlines()) {
    begin(zset);
  }

 private:
  bool walk(size_t& budget) override { return next(budget); }
  void save(ByteView member, double score, UnixMs deadline) override {
    is_timed_ ? write_timed_element({member, score, deadline}, writer())
              : write_zset_element(member, score, writer());
  }
  void finish() override {
    if (is_timed_) writer().module_end();
  }

  bool is_timed_;
};

class HashPart final : public TablePart, private HashView {
 public:
  HashPart(const Hash& hash, HashBegin how, RdbWriter::Packing packing)
      : TablePart(packing), how_(how) {
    begin(hash);
  }

 private:
  bool walk(size_t& budget) override { return next(budget); }
  void save_field(const Hash::Item& item) override { write_hash_field(item, how_, writer()); }

  HashBegin how_;
};

void begin_key(RdbType type, const Entry& entry, RdbWriter& out) {
  out.type(type);
  out.string(entry.key());
}

std::unique_ptr<SnapshotPart> begin_part(const Set& set, const Entry& entry, RdbWriter& out) {
  const bool is_timed = set.has_deadlines();
  begin_key(is_timed ? RdbType::kModule : RdbType::kSet, entry, out);
  is_timed ? begin_timed_set(set, out) : begin_set(set, out);
  return std::make_unique<SetPart>(set, out.packing());
}

std::unique_ptr<SnapshotPart> begin_part(const ZSet& zset, const Entry& entry, RdbWriter& out) {
  const bool is_timed = zset.has_deadlines();
  begin_key(is_timed ? RdbType::kModule : RdbType::kZSet, entry, out);
  is_timed ? begin_timed_zset(zset, out) : begin_zset(zset, out);
  return std::make_unique<ZSetPart>(zset, out.packing());
}

std::unique_ptr<SnapshotPart> begin_part(const Hash& hash, const Entry& entry, RdbWriter& out) {
  // That a bound is out of date and no field has a deadline is not worth a walk over all of them.
  HashBegin how{.type = RdbType::kHash};
  if (hash.has_deadlines()) how = {RdbType::kHashTimed, hash.next_deadline()};
  begin_key(how.type, entry, out);
  begin_hash(hash, how, out);
  return std::make_unique<HashPart>(hash, how, out.packing());
}

}  // namespace

std::unique_ptr<SnapshotPart> begin_snapshot_part(Heap& heap, const Entry& entry, RdbWriter& out) {
  if (entry.memory_bytes() <= SnapshotPart::kMemoryMin) return nullptr;
  switch (entry.kind()) {
    case Kind::kBlob: {
      Blob& blob = *entry.blob();
      begin_key(RdbType::kString, entry, out);
      out.string_begin(blob.size());
      return std::make_unique<StringPart>(heap, blob);
    }
    case Kind::kList: {
      const List& list = entry.as<List>();
      begin_key(RdbType::kListNodes, entry, out);
      begin_list(list.node_count(), out);
      return std::make_unique<ListPart>(heap, list, out.packing());
    }
    case Kind::kSet:
      return entry.as<Set>().is_table() ? begin_part(entry.as<Set>(), entry, out) : nullptr;
    case Kind::kZSet:
      return entry.as<ZSet>().is_table() ? begin_part(entry.as<ZSet>(), entry, out) : nullptr;
    case Kind::kHash:
      return entry.as<Hash>().is_table() ? begin_part(entry.as<Hash>(), entry, out) : nullptr;
    case Kind::kInt:
    case Kind::kEmbedded:
    case Kind::kStream:
    case Kind::kBloom:
    case Kind::kCuckoo:
    case Kind::kCountMin:
    case Kind::kTopK:
    case Kind::kTDigest:
      return nullptr;
  }
  OURO_UNREACHABLE();
}

}  // namespace ouro
