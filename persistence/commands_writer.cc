// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/commands_writer.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "persistence/aof_line.h"
#include "persistence/command_text.h"
#include "persistence/dump_payload.h"
#include "persistence/stream_commands.h"
#include "persistence/value_codec.h"
#include "persistence/write_budget.h"

namespace ouro {
namespace {

class ScoreText {
 public:
  explicit ScoreText(double score) : size_(format_double(score, text_)) {}
  ByteView view() const { return {text_, size_}; }

 private:
  char text_[kDoubleTextMax];
  size_t size_;
};

// ---- the rest of a large value, encoded into the buffer that its head was

class SharedCommands : public SharedPart {
 public:
  SharedCommands(LazyFree& lazy_free, const Entry& entry, std::string& to)
      : SharedPart(lazy_free, entry), to_(to) {}

 protected:
  std::string& to_;
};

class ListCommands final : public SharedCommands {
 public:
  ListCommands(LazyFree& lazy_free, const Entry& entry, std::string& to)
      : SharedCommands(lazy_free, entry, to),
        nodes_(shared<List>()),
        batch_("RPUSH", entry.key()) {}

  bool next(size_t& budget) override {
    const auto node = nodes_.next();
    if (!node) {
      batch_.finish(to_);
      return true;
    }
    spend(budget, write_units(node->bytes()));
    if (node->is_plain()) {
      batch_.add({node->blob()->view()}, to_);
      return false;
    }
    const PackedList run = node->open(opened_);
    ListScratch text;
    for (PackedList::At at = run.begin(); at != run.end();) batch_.add({run.read(at, text)}, to_);
    return false;
  }

 private:
  ListNodeCursor nodes_;
  OpenedRun opened_;
  CommandBatch batch_;
};

class StreamPartCommands final : public SharedCommands {
 public:
  StreamPartCommands(LazyFree& lazy_free, const Entry& entry, std::string& to)
      : SharedCommands(lazy_free, entry, to), commands_(shared<Stream>(), entry.key()) {}
  bool next(size_t& budget) override { return commands_.next(budget, to_); }

 private:
  StreamCommands commands_;
};

class TableCommands : public SnapshotPart {
 public:
  TableCommands(ByteView name, ByteView key, std::string& to) : batch_(name, key), to_(to) {}

  bool next(size_t& budget) final {
    spent_ = 0;
    bool is_last = false;
    for (const size_t most = std::min(budget, kUnitsAtOnce); !is_last && spent_ < most; ++spent_) {
      size_t one_bucket = 1;
      is_last = walk(one_bucket);
    }
    if (is_last) batch_.finish(to_);
    spend(budget, spent_);
    return is_last;
  }

 protected:
  void add(std::initializer_list<ByteView> words) {
    for (const ByteView word : words) spent_ += write_units(word.size());
    batch_.add(words, to_);
  }
  // The next elements; true behind the last one.
  virtual bool walk(size_t& budget) = 0;

 private:
  static constexpr size_t kUnitsAtOnce = 256;

  CommandBatch batch_;
  std::string& to_;
  size_t spent_ = 0;
};

class SetCommands final : public TableCommands, private SetView {
 public:
  SetCommands(const Set& set, ByteView key, std::string& to) : TableCommands("SADD", key, to) {
    begin(set);
  }

 private:
  bool walk(size_t& budget) override { return SetView::next(budget); }
  void save(ByteView member, UnixMs) override { add({member}); }
};

class ZSetCommands final : public TableCommands, private ZSetView {
 public:
  ZSetCommands(const ZSet& zset, ByteView key, std::string& to) : TableCommands("ZADD", key, to) {
    begin(zset);
  }

 private:
  bool walk(size_t& budget) override { return ZSetView::next(budget); }
  void save(ByteView member, double score, UnixMs) override {
    add({ScoreText(score).view(), member});
  }
};

class HashCommands final : public TableCommands, private HashView {
 public:
  HashCommands(const Hash& hash, ByteView key, std::string& to) : TableCommands("HMSET", key, to) {
    begin(hash);
  }

 private:
  bool walk(size_t& budget) override { return HashView::next(budget); }
  void save_field(const Hash::Item& item) override { add({item.field, item.value}); }
};

// ---- which values are large

using Part = std::unique_ptr<SnapshotPart>;

// What stands behind a string's value in its SET. One that has a fill can be set in no other way.
std::vector<std::string> set_options(const Entry& entry, UnixMs end) {
  std::vector<std::string> words;
  const Fill fill = entry.fill();
  if (fill.is_none()) return words;
  if (entry.has_deadline()) words.insert(words.end(), {"PXAT", std::to_string(end)});
  if (fill.stale_ms > 0) words.insert(words.end(), {"STALE", std::to_string(fill.stale_ms)});
  if (fill.version > 0) words.insert(words.end(), {"VERSION", std::to_string(fill.version)});
  return words;
}

// `options`: how many words are to follow the value of a string.
Part begin_part(Heap& heap, LazyFree& lazy_free, const Entry& entry, size_t options,
                std::string& out) {
  if (SnapshotPart::is_small(entry)) return nullptr;
  switch (entry.kind()) {
    case Kind::kBlob: {
      append_count(out, 3 + options);
      append_bulk(out, "SET");
      append_bulk(out, entry.key());
      append_bulk_head(out, entry.blob()->size());
      RdbWriter raw(out, RdbWriter::Packing::kNone);
      return begin_string_part(heap, entry, raw);
    }
    case Kind::kList:
      return std::make_unique<ListCommands>(lazy_free, entry, out);
    case Kind::kStream:
      return std::make_unique<StreamPartCommands>(lazy_free, entry, out);
    case Kind::kSet:
      if (!entry.as<Set>().is_table()) return nullptr;
      return std::make_unique<SetCommands>(entry.as<Set>(), entry.key(), out);
    case Kind::kZSet:
      if (!entry.as<ZSet>().is_table()) return nullptr;
      return std::make_unique<ZSetCommands>(entry.as<ZSet>(), entry.key(), out);
    case Kind::kHash:
      if (!entry.as<Hash>().is_table()) return nullptr;
      return std::make_unique<HashCommands>(entry.as<Hash>(), entry.key(), out);
    default:
      return nullptr;
  }
}

// A small value, at once.
void append_value(const Entry& entry, std::span<const std::string> options, std::string& out) {
  const ByteView key = entry.key();
  const auto batch_of = [&](ByteView name, auto walk) {
    CommandBatch batch(name, key);
    walk([&](std::initializer_list<ByteView> words) { batch.add(words, out); });
    batch.finish(out);
  };
  switch (entry.type()) {
    case Type::kString: {
      NumberText scratch;
      append_count(out, 3 + options.size());
      for (const ByteView word : {ByteView("SET"), key, entry.text(scratch)})
        append_bulk(out, word);
      for (const std::string& word : options) append_bulk(out, word);
      return;
    }
    case Type::kList:
      return batch_of("RPUSH", [&](auto add) {
        const List& list = entry.as<List>();
        list.for_each(0, list.size(), [&](const ListElement& element) { add({element.bytes}); });
      });
    case Type::kSet:
      return batch_of("SADD", [&](auto add) {
        entry.as<Set>().for_each([&](ByteView member) { add({member}); });
      });
    case Type::kZSet:
      return batch_of("ZADD", [&](auto add) {
        entry.as<ZSet>().for_each([&](ByteView member, double score) {
          add({ScoreText(score).view(), member});
        });
      });
    case Type::kHash:
      return batch_of("HMSET", [&](auto add) {
        entry.as<Hash>().for_each([&](const Hash::Item& item) { add({item.field, item.value}); });
      });
    case Type::kStream: {
      StreamCommands commands(entry.as<Stream>(), key);
      for (size_t budget = SIZE_MAX; !commands.next(budget, out);) {
      }
      return;
    }
    default:
      break;
  }
  OURO_UNREACHABLE();
}

class FilterCommands final : public FilterPart {
 public:
  FilterCommands(const SnapshotFacts::Filter& filter, std::string& out)
      : FilterPart(filter.prefix, *filter.filter), out_(out) {}

 private:
  void write(const FilterPiece& piece) override {
    append_command(out_,
                   {"CACHE.LOADCHUNK", piece.prefix, std::to_string(piece.position), piece.bytes});
  }

  std::string& out_;
};

}  // namespace

CommandsWriter::CommandsWriter(Databases& databases, const SnapshotFacts& facts,
                               std::optional<int64_t> timestamp)
    : FrozenWriter(databases) {
  std::string& head = tail();
  if (timestamp) head += aof_timestamp_line(*timestamp);
  for (const std::string& source : facts.functions)
    append_command(head, {"FUNCTION", "LOAD", source});
  for (const SnapshotFacts::Filter& filter : facts.filters) {
    note_only_ours();
    follow(std::make_unique<FilterCommands>(filter, tail()));
  }
}

void CommandsWriter::select(DbIndex db, std::string& out) {
  if (changes_to(db)) append_command(out, {"SELECT", std::to_string(db)});
}

FrozenWriter::Rest CommandsWriter::encode(DbIndex db, Entry& entry, Standing standing,
                                          std::string& out) {
  select(db, out);
  Rest rest;
  const UnixMs end = end_of(entry, standing);
  const std::vector<std::string> options = set_options(entry, end);
  if (!options.empty()) note_only_ours();
  for (const std::string& word : options) append_bulk(rest.end, word);
  if (options.empty() && entry.has_deadline())
    append_command(rest.end, {"PEXPIREAT", entry.key(), std::to_string(end)});
  if (!is_type_of_redis7(rdb_type_of(entry))) {
    note_only_ours();
    append_command(
        out, {"RESTORE", entry.key(), "0", dump_payload(entry, RdbWriter::Packing::kLzfBounded)});
  } else if ((rest.part = begin_part(heap(), lazy_free(), entry, options.size(), out)) == nullptr) {
    append_value(entry, options, out);
    if (!options.empty()) rest.end.clear();
  } else if (entry.kind() == Kind::kBlob) {
    rest.end.insert(0, "\r\n");
  }
  if (rest.part == nullptr) out += rest.end;
  return rest;
}

void CommandsWriter::encode_absent(DbIndex db, const AbsentKey& absent, std::string& out) {
  select(db, out);
  note_only_ours();
  if (absent.absent_until > 0) {
    append_command(out,
                   {"CACHE.NIL", absent.key, "0", "PXAT", std::to_string(absent.absent_until)});
  }
  if (absent.version > 0) {
    append_command(out, {"DELEX", absent.key, "VERSION", std::to_string(absent.version), "PXAT",
                         std::to_string(absent.refused_until)});
  }
}

}  // namespace ouro
