// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/snapshot_part.h"

#include <algorithm>

#include "persistence/hash_codec.h"
#include "persistence/list_codec.h"
#include "persistence/set_codec.h"
#include "persistence/sketch_codec.h"
#include "persistence/stream_codec.h"
#include "persistence/timed_codec.h"
#include "persistence/value_codec.h"
#include "persistence/write_budget.h"
#include "persistence/zset_codec.h"

namespace ouro {
namespace {

// ---- strings

class PinnedString final : public SnapshotPart {
 public:
  PinnedString(Heap& heap, Blob& blob, const RdbWriter& out)
      : heap_(heap), blob_(blob), rest_(blob.view()), out_(out) {
    blob.pin_to_read();
  }
  ~PinnedString() override { Blob::unpin_reader(heap_, &blob_); }

  bool next(size_t& budget) override {
    const ByteView piece = rest_.substr(0, kWritePieceBytes);
    spend(budget, write_units(piece.size()));
    out_.raw(piece);
    rest_.remove_prefix(piece.size());
    return rest_.empty();
  }

 private:
  Heap& heap_;
  Blob& blob_;
  ByteView rest_;
  RdbWriter out_;
};

class ViewedString final : public SnapshotPart {
 public:
  ViewedString(Heap& heap, Blob& blob, const RdbWriter& out) : out_(out) {
    view_.begin(heap, blob);
  }

  bool next(size_t& budget) override {
    const ByteView piece = view_.next();
    spend(budget, write_units(piece.size()));
    out_.raw(piece);
    return view_.is_complete();
  }

 private:
  BlobView view_;
  RdbWriter out_;
};

// ---- what is shared

class SharedRdbPart : public SharedPart {
 public:
  SharedRdbPart(LazyFree& lazy_free, const Entry& entry, const RdbWriter& out)
      : SharedPart(lazy_free, entry), out_(out) {}

 protected:
  RdbWriter& out() { return out_; }

 private:
  RdbWriter out_;
};

class ListPart final : public SharedRdbPart {
 public:
  ListPart(LazyFree& lazy_free, const Entry& entry, const RdbWriter& out)
      : SharedRdbPart(lazy_free, entry, out), nodes_(shared<List>()) {}

  bool next(size_t& budget) override {
    if (!large_.empty()) {
      write_some_of_large(budget);
      return false;
    }
    const auto node = nodes_.next();
    if (!node) return true;
    if (node->is_plain() && node->blob()->size() > kWritePieceBytes) {
      large_ = node->blob()->view();
      begin_plain_list_node(large_.size(), out());
    } else {
      spend(budget, write_units(node->bytes()));
      write_list_node(*node, scratch_, out());
    }
    return false;
  }

 private:
  void write_some_of_large(size_t& budget) {
    const ByteView piece = large_.substr(0, kWritePieceBytes);
    spend(budget, write_units(piece.size()));
    out().raw(piece);
    large_.remove_prefix(piece.size());
  }

  ListNodeCursor nodes_;
  ListpackWriter scratch_;
  ByteView large_;  // what is left of the element that is a node
};

template <class Writer>
class StreamPart final : public SharedRdbPart {
 public:
  StreamPart(LazyFree& lazy_free, const Entry& entry, const RdbWriter& out)
      : SharedRdbPart(lazy_free, entry, out), writer_(shared<Stream>()) {}

  bool next(size_t& budget) override { return writer_.next(budget, out()); }

 private:
  Writer writer_;
};

template <class Sketch>
class SketchPart final : public SharedRdbPart {
 public:
  SketchPart(LazyFree& lazy_free, const Entry& entry, const RdbWriter& out)
      : SharedRdbPart(lazy_free, entry, out), writer_(sketch_writer(shared<Sketch>())) {}

  bool next(size_t& budget) override { return writer_->next(budget, out()); }

 private:
  std::unique_ptr<SketchWriter> writer_;
};

// ---- tables

// A table under a view, whose elements are encoded when it hands them out.
class TablePart : public SnapshotPart {
 public:
  explicit TablePart(const RdbWriter& out) : out_(out) {}

  bool next(size_t& budget) final {
    spent_ = 0;
    bool is_last = false;
    for (const size_t most = std::min(budget, kUnitsAtOnce); !is_last && spent_ < most; ++spent_) {
      size_t one_bucket = 1;
      is_last = walk(one_bucket);
    }
    if (is_last) finish();
    spend(budget, spent_);
    return is_last;
  }

 protected:
  // Where an element of so many bytes is to be written.
  RdbWriter& out_for(size_t bytes) {
    spent_ += write_units(bytes);
    return out_;
  }
  void end_module() { out_.module_end(); }
  // The next elements; true behind the last one.
  virtual bool walk(size_t& budget) = 0;
  virtual void finish() {}

 private:
  // As much as a piece of the other kinds, or less.
  static constexpr size_t kUnitsAtOnce = 256;

  RdbWriter out_;
  size_t spent_ = 0;  // by elements since next() began, or by changes since then
};

class SetPart final : public TablePart, private SetView {
 public:
  SetPart(const Set& set, const RdbWriter& out) : TablePart(out), is_timed_(set.has_deadlines()) {
    begin(set);
  }

 private:
  bool walk(size_t& budget) override { return SetView::next(budget); }
  void save(ByteView member, UnixMs deadline) override {
    RdbWriter& out = out_for(member.size());
    is_timed_ ? write_timed_member(member, deadline, out) : write_set_member(member, out);
  }
  void finish() override {
    if (is_timed_) end_module();
  }

  bool is_timed_;
};

class ZSetPart final : public TablePart, private ZSetView {
 public:
  ZSetPart(const ZSet& zset, const RdbWriter& out)
      : TablePart(out), is_timed_(zset.has_deadlines()) {
    begin(zset);
  }

 private:
  bool walk(size_t& budget) override { return ZSetView::next(budget); }
  void save(ByteView member, double score, UnixMs deadline) override {
    RdbWriter& out = out_for(member.size());
    is_timed_ ? write_timed_element({member, score, deadline}, out)
              : write_zset_element(member, score, out);
  }
  void finish() override {
    if (is_timed_) end_module();
  }

  bool is_timed_;
};

class HashPart final : public TablePart, private HashView {
 public:
  HashPart(const Hash& hash, HashBegin how, const RdbWriter& out) : TablePart(out), how_(how) {
    begin(hash);
  }

 private:
  bool walk(size_t& budget) override { return HashView::next(budget); }
  void save_field(const Hash::Item& item) override {
    write_hash_field(item, how_, out_for(item.field.size() + item.value.size()));
  }

  HashBegin how_;
};

// ---- how each begins

using Part = std::unique_ptr<SnapshotPart>;

void begin_key(RdbType type, const Entry& entry, RdbWriter& out) {
  out.type(type);
  out.string(entry.key());
}

Part string_part(Heap& heap, const Entry& entry, RdbWriter& out) {
  begin_key(RdbType::kString, entry, out);
  out.string_begin(entry.blob()->size());
  return begin_string_part(heap, entry, out);
}

Part list_part(LazyFree& lazy_free, const Entry& entry, RdbWriter& out) {
  begin_key(RdbType::kListNodes, entry, out);
  begin_list(entry.as<List>().node_count(), out);
  return std::make_unique<ListPart>(lazy_free, entry, out);
}

Part stream_part(LazyFree& lazy_free, const Entry& entry, RdbWriter& out) {
  const RdbType type = rdb_type_of(entry);
  begin_key(type, entry, out);
  if (type != RdbType::kModule)
    return std::make_unique<StreamPart<RdbStreamWriter>>(lazy_free, entry, out);
  begin_timed_stream(entry.as<Stream>(), out);
  return std::make_unique<StreamPart<TimedStreamWriter>>(lazy_free, entry, out);
}

template <class Sketch>
Part sketch_part(LazyFree& lazy_free, const Entry& entry, RdbWriter& out) {
  begin_key(RdbType::kModule, entry, out);
  begin_sketch(entry.as<Sketch>(), out);
  return std::make_unique<SketchPart<Sketch>>(lazy_free, entry, out);
}

Part table_part(const Set& set, const Entry& entry, RdbWriter& out) {
  const bool is_timed = set.has_deadlines();
  begin_key(is_timed ? RdbType::kModule : RdbType::kSet, entry, out);
  is_timed ? begin_timed_set(set, out) : begin_set(set, out);
  return std::make_unique<SetPart>(set, out);
}

Part table_part(const ZSet& zset, const Entry& entry, RdbWriter& out) {
  const bool is_timed = zset.has_deadlines();
  begin_key(is_timed ? RdbType::kModule : RdbType::kZSet, entry, out);
  is_timed ? begin_timed_zset(zset, out) : begin_zset(zset, out);
  return std::make_unique<ZSetPart>(zset, out);
}

Part table_part(const Hash& hash, const Entry& entry, RdbWriter& out) {
  // That a bound is out of date and no field has a deadline is not worth a walk over all of them.
  HashBegin how{.type = RdbType::kHash};
  if (hash.has_deadlines()) how = {RdbType::kHashTimed, hash.next_deadline()};
  begin_key(how.type, entry, out);
  begin_hash(hash, how, out);
  return std::make_unique<HashPart>(hash, how, out);
}

}  // namespace

bool FilterPart::next(size_t& budget) {
  return pieces_.next([&](const FilterPiece& piece) {
    spend(budget, write_units(piece.bytes.size()));
    write(piece);
  });
}

bool SnapshotPart::is_small(const Entry& entry) {
  size_t bytes = entry.memory_bytes();
  if (bytes > kMemoryMin) return false;
  bytes += written_array_bytes(entry);
  if (entry.kind() == Kind::kList) bytes += pressed_list_bytes(entry.as<List>());
  return bytes <= kMemoryMin;
}

std::unique_ptr<SnapshotPart> begin_string_part(Heap& heap, const Entry& entry, RdbWriter& out) {
  Blob& blob = *entry.blob();
  if (Value::needs_view(entry)) return std::make_unique<ViewedString>(heap, blob, out);
  return std::make_unique<PinnedString>(heap, blob, out);
}

std::unique_ptr<SnapshotPart> begin_snapshot_part(Heap& heap, LazyFree& lazy_free,
                                                  const Entry& entry, RdbWriter& out) {
  if (SnapshotPart::is_small(entry)) return nullptr;
  const auto table = [&](const auto& collection) {
    return collection.is_table() ? table_part(collection, entry, out) : nullptr;
  };
  switch (entry.kind()) {
    case Kind::kInt:
    case Kind::kEmbedded:
      return nullptr;
    case Kind::kBlob:
      return string_part(heap, entry, out);
    case Kind::kList:
      return list_part(lazy_free, entry, out);
    case Kind::kSet:
      return table(entry.as<Set>());
    case Kind::kZSet:
      return table(entry.as<ZSet>());
    case Kind::kHash:
      return table(entry.as<Hash>());
    case Kind::kStream:
      return stream_part(lazy_free, entry, out);
    case Kind::kBloom:
      return sketch_part<Bloom>(lazy_free, entry, out);
    case Kind::kCuckoo:
      return sketch_part<Cuckoo>(lazy_free, entry, out);
    case Kind::kCountMin:
      return sketch_part<CountMin>(lazy_free, entry, out);
    case Kind::kTopK:
      return sketch_part<TopK>(lazy_free, entry, out);
    case Kind::kTDigest:
      return sketch_part<TDigest>(lazy_free, entry, out);
  }
  OURO_UNREACHABLE();
}

}  // namespace ouro
