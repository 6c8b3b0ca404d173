// SPDX-License-Identifier: BSD-3-Clause
// DEBUG: how keys, values, tables and clients are held in memory. Redis prints LISTPACK and
// QUICKLIST on its standard output; here they go to the log, which is there unless it has a file.
#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "datastructs/codec/number_text.h"
#include "datastructs/codec/quoted.h"
#include "server/commands/admin/debug.h"
#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// One line of text at most.
[[gnu::format(printf, 1, 2)]] std::string printed(const char* format, ...) {
  char text[512];
  va_list values;
  va_start(values, format);
  const int size = std::vsnprintf(text, sizeof(text), format, values);
  va_end(values);
  CHECK(size >= 0);
  return {text, std::min(static_cast<size_t>(size), sizeof(text) - 1)};
}

// ---- single values

// What the value's bytes come to without their overhead, about what a snapshot would need.
size_t content_bytes(const Entry& entry) {
  size_t bytes = 0;
  switch (entry.type()) {
    case Type::kString:
      return entry.text_size() + 1;
    case Type::kList: {
      const List& list = entry.as<List>();
      list.for_each(0, list.size(),
                    [&](const ListElement& element) { bytes += element.bytes.size() + 1; });
      return bytes;
    }
    case Type::kSet:
      entry.as<Set>().for_each([&](ByteView member) { bytes += member.size() + 1; });
      return bytes;
    case Type::kZSet:
      entry.as<ZSet>().for_each([&](ByteView member, double) { bytes += member.size() + 9; });
      return bytes;
    case Type::kHash:
      entry.as<Hash>().for_each(
          [&](const Hash::Item& item) { bytes += item.field.size() + item.value.size() + 2; });
      return bytes;
    case Type::kStream:
      entry.as<Stream>().for_each([&](const StreamEntry& item) {
        bytes += sizeof(StreamId);
        item.for_each_field(
            [&](ByteView field, ByteView value) { bytes += field.size() + value.size() + 2; });
        return true;
      });
      return bytes;
    case Type::kBloom:
    case Type::kCuckoo:
    case Type::kCountMin:
    case Type::kTopK:
    case Type::kTDigest:
      entry.for_each_part([&](ByteView part) { bytes += part.size(); });
      return bytes;
  }
  return bytes;
}

Status debug_object(Context& ctx) {
  // One that is due is shown, too.
  const Entry* entry = ctx.db.find(ctx.key(2));
  if (entry == nullptr) return Err::kNoSuchKey;
  const ByteView encoding = entry->encoding();
  const bool uses = Eviction::counts_uses(ctx.engine.options.maxmemory_policy);
  const uint32_t idle =
      uses ? 0 : (ctx.engine.access_clock() - entry->access()) & Entry::kAccessMask;
  std::string line = printed(
      "Value at:%p refcount:1 encoding:%.*s serializedlength:%zu lru:%u lru_seconds_idle:%u",
      static_cast<const void*>(entry), static_cast<int>(encoding.size()), encoding.data(),
      content_bytes(*entry), entry->access(), idle);
  if (entry->type() == Type::kList) {
    const List& list = entry->as<List>();
    const size_t nodes = list.node_count();
    size_t opened_bytes = 0;
    list.for_each_node([&](const ListNode& node) { opened_bytes += node.bytes(); });
    line += printed(
        " ql_nodes:%zu ql_avg_node:%.2f ql_listpack_max:%lld ql_compressed:%d "
        "ql_uncompressed_size:%zu",
        nodes, static_cast<double>(list.size()) / static_cast<double>(std::max<size_t>(nodes, 1)),
        static_cast<long long>(ctx.limits().list_node_limit),
        ctx.limits().list_compress_depth > 0 ? 1 : 0, opened_bytes);
  }
  ctx.reply.simple(line);
  return Status::ok();
}

Status debug_sdslen(Context& ctx) {
  const Entry* entry = ctx.db.find(ctx.key(2));
  if (entry == nullptr) return Err::kNoSuchKey;
  if (entry->kind() != Kind::kEmbedded && entry->kind() != Kind::kBlob)
    return ctx.fail("ERR Not an sds encoded string.");
  // A small value stands in the block of its key.
  const Blob* blob = entry->kind() == Kind::kBlob ? entry->blob() : nullptr;
  const size_t bytes = entry->text_size();
  const size_t room = blob == nullptr ? entry->embedded_room() : blob->capacity();
  ctx.reply.simple(printed(
      "key_sds_len:%zu, key_sds_avail:0, key_zmalloc: %zu, val_sds_len:%zu, val_sds_avail:%zu, "
      "val_zmalloc: %zu",
      entry->key().size(), Heap::usable_bytes(entry), bytes, room - bytes,
      blob == nullptr ? 0 : blob->memory_bytes()));
  return Status::ok();
}

// What a value is made of, a line of the log each. More lines than kLinesMax would hold everybody
// up, since the log is opened for each.
class Listing {
 public:
  explicit Listing(Logger& log) : log_(log) {}

  void line(ByteView text) {
    if (++lines_ <= kLinesMax) log_.write(LogLevel::kWarning, text);
  }
  void element(ByteView bytes) {
    std::string text;
    append_quoted(text, bytes.substr(0, kShownMax));
    line(printed("  %zu: %s%s", next_++, text.c_str(), bytes.size() > kShownMax ? "..." : ""));
  }
  void end() {
    if (lines_ > kLinesMax) log_.print(LogLevel::kWarning, "... (%zu more)", lines_ - kLinesMax);
  }

 private:
  static constexpr size_t kLinesMax = 1000;
  static constexpr size_t kShownMax = 40;  // bytes of an element, as in Redis

  Logger& log_;
  size_t lines_ = 0;
  size_t next_ = 0;
};

Status debug_listpack(Context& ctx) {
  const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(2));
  if (entry == nullptr) return Err::kNoSuchKey;
  if (entry->encoding() != "listpack") return ctx.fail("ERR Not a listpack encoded object.");
  Listing listing(ctx.engine.log);
  listing.line(printed("DEBUG LISTPACK: %zu bytes with the key", entry->memory_bytes()));
  if (entry->kind() == Kind::kHash) {
    entry->as<Hash>().for_each([&](const Hash::Item& item) {
      listing.element(item.field);
      listing.element(item.value);
    });
  } else {
    entry->as<ZSet>().for_each([&](ByteView member, double score) {
      char text[kDoubleTextMax];
      listing.element(member);
      listing.element({text, format_double(score, text)});
    });
  }
  listing.end();
  ctx.reply.simple("Listpack structure printed in the log");
  return Status::ok();
}

Status debug_quicklist(Context& ctx) {
  const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(2));
  if (entry == nullptr) return Err::kNoSuchKey;
  if (entry->kind() != Kind::kList) return ctx.fail("ERR Not a quicklist encoded object.");
  const bool in_full =
      ctx.argv.size() == 4 && std::strtoll(std::string(ctx.argv[3]).c_str(), nullptr, 10) != 0;
  const List& list = entry->as<List>();
  Listing listing(ctx.engine.log);
  listing.line(
      printed("DEBUG QUICKLIST: %zu elements in %zu nodes", list.size(), list.node_count()));
  size_t first = 0;
  list.for_each_node([&](const ListNode& node) {
    const char* const form = node.is_plain() ? "plain" : node.is_pressed() ? "lzf" : "packed";
    listing.line(
        printed(" node of %u elements, %s, %zu bytes", node.elements, form, node.memory_bytes()));
    if (in_full) {
      list.for_each(first, node.elements,
                    [&](const ListElement& element) { listing.element(element.bytes); });
    }
    first += node.elements;
  });
  listing.end();
  ctx.reply.simple("Quicklist structure printed in the log");
  return Status::ok();
}

// ---- tables

double percent(size_t part, size_t whole) {
  return whole == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string table_text(const DictStats& table, bool in_full) {
  std::string text;
  if (table.entries == 0) return "The table is empty\n";
  text += printed(" entries: %zu\n", table.entries);
  text += printed(" segments: %zu of up to %u lines, %zu bytes in all\n", table.segments,
                  kDictLines[kDictClassLast], table.lines * sizeof(DictBucket));
  text += printed(" home buckets: %zu of %u cells\n", table.homes, DictBucket::kCells);
  text += printed(" cells: %zu, of which full: %.2f%%\n", table.cells,
                  percent(table.entries - table.overflowed, table.cells));
  text += printed(" at home: %zu (%.2f%%), in the next bucket: %zu, in a stash: %zu, beyond: %zu\n",
                  table.entries - table.displaced - table.stashed,
                  percent(table.entries - table.displaced - table.stashed, table.entries),
                  table.displaced, table.stashed - table.overflowed, table.overflowed);
  text += printed(" longest probe: %zu lines\n", table.longest_probe);
  if (!in_full) return text;
  for (size_t i = 0; i < kDictLines.size(); ++i) {
    if (table.segments_of[i] != 0)
      text += printed(" segments of %u lines: %zu\n", kDictLines[i], table.segments_of[i]);
  }
  for (size_t i = 0; i < table.homes_with.size(); ++i) {
    text += printed(" home buckets with %zu entries: %zu (%.2f%%)\n", i, table.homes_with[i],
                    percent(table.homes_with[i], table.homes));
  }
  return text;
}

bool wants_all(const Context& ctx) {
  return ctx.argv.size() == 4 && equals_ignoring_case(ctx.argv[3], "full");
}

Status debug_htstats(Context& ctx) {
  OURO_TRY(const int64_t index, ctx.integer(2));
  if (index < 0 || index >= ctx.engine.dbs.count()) return ctx.fail("ERR Out of range database");
  const Keyspace& db = ctx.engine.dbs[static_cast<DbIndex>(index)];
  std::string text = "[Dictionary HT]\n" + table_text(db.table().stats(), wants_all(ctx));
  text += "[Expires HT]\n";
  text += printed(" deadlines: %zu, in the table of the keys\n", db.expires_count());
  ctx.reply.verbatim("txt", text);
  return Status::ok();
}

Status debug_htstats_key(Context& ctx) {
  const Entry* entry = ctx.find_in(ctx.caller.db, ctx.key(2));
  if (entry == nullptr) return Err::kNoSuchKey;
  std::optional<DictStats> table;
  if (entry->kind() == Kind::kHash) table = entry->as<Hash>().table_stats();
  if (entry->kind() == Kind::kSet) table = entry->as<Set>().table_stats();
  if (entry->kind() == Kind::kZSet) table = entry->as<ZSet>().table_stats();
  if (!table) {
    return ctx.fail(
        "ERR The value stored at the specified key is not represented using an hash table");
  }
  ctx.reply.verbatim("txt", table_text(*table, wants_all(ctx)));
  return Status::ok();
}

// ---- what everything is made of

Status debug_structsize(Context& ctx) {
  constexpr struct {
    const char* name;
    size_t number;
  } kSizes[] = {
      {"bits", 8 * sizeof(void*)},
      {"entry", sizeof(Entry)},
      {"blob", sizeof(Blob)},
      {"dict", sizeof(Dict<Entry>)},
      {"segment", sizeof(DictSegment)},
      {"bucket", sizeof(DictBucket)},
      {"listpage", sizeof(ListPage)},
      {"hashfield", sizeof(HashField)},
      {"consumer", sizeof(StreamConsumer)},
      {"pending", sizeof(StreamPending)},
      {"caller", sizeof(Caller)},
      {"session", sizeof(Session)},
  };
  std::string text;
  for (const auto& row : kSizes)
    text.append(row.name).append(":").append(std::to_string(row.number)).append(" ");
  ctx.reply.bulk(text);
  return Status::ok();
}

Status debug_client_eviction(Context& ctx) {
  const ClientMemory& memory = ctx.engine.client_memory;
  if (!memory.is_limited()) return ctx.fail("ERR maxmemory-clients is disabled.");
  std::string text;
  memory.for_each_class([&](const ClientMemory::ClassFacts& facts) {
    char end[32] = "";
    if (facts.end != SIZE_MAX) std::snprintf(end, sizeof(end), "%zu", facts.end - 1);
    text += printed("bucket %11zu - %11s: tot-mem: %10zu, clients: %zu\n", facts.begin, end,
                    facts.bytes, facts.clients);
  });
  ctx.reply.verbatim("txt", text);
  return Status::ok();
}

constexpr DebugRow kRows[] = {
    {"CLIENT-EVICTION", 2, 2, debug_client_eviction, "",
     "Shows how much memory clients of each size hold (maxmemory-clients)."},
    {"HTSTATS", 3, 4, debug_htstats, "<db> [full]", "Shows how the table of a database is filled."},
    {"HTSTATS-KEY", 3, 4, debug_htstats_key, "<key> [full]",
     "Shows how the table of a value is filled."},
    {"LISTPACK", 3, 3, debug_listpack, "<key>", "Writes a packed value's elements to the log."},
    {"OBJECT", 3, 3, debug_object, "<key>", "Shows how a value is held."},
    {"QUICKLIST", 3, 4, debug_quicklist, "<key> [<0|1>]",
     "Writes a list's nodes to the log; with 1 their elements, too."},
    {"SDSLEN", 3, 3, debug_sdslen, "<key>", "Shows the memory of a key and of its string."},
    {"STRUCTSIZE", 2, 2, debug_structsize, "", "Shows the sizes of structures."},
};

}  // namespace

constinit const std::span<const DebugRow> kDebugShapes = kRows;

}  // namespace ouro
