// SPDX-License-Identifier: BSD-3-Clause
// Commands on HyperLogLogs: strings in the layout of datastructs/hyperloglog.h, which clients may
// have made themselves.
#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "datastructs/hyperloglog.h"
#include "server/commands/string_value.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

Status fail_corrupt(Context& ctx) { return ctx.fail("INVALIDOBJ Corrupted HLL object detected"); }

// The bytes of a HyperLogLog; none if the key is absent. Errors: wrong type, or other strings.
Result<ByteView> sketch_of(Context& ctx, const Entry* entry) {
  if (entry == nullptr) return ByteView();
  if (!entry->is_string()) return Err::kWrongType;
  // An integer is too short to be one.
  const ByteView bytes = entry->kind() == Kind::kInt        ? ByteView()
                         : entry->kind() == Kind::kEmbedded ? entry->embedded()
                                                            : entry->blob()->view();
  if (!hll::is_valid(bytes)) {
    return ctx.fail("WRONGTYPE Key is not a valid HyperLogLog string value.");
  }
  return bytes;
}

// A HyperLogLog opened for adding. A dense one is changed where it is; a sparse one, whose size may
// change, in a copy that store() puts back.
class Sketch {
 public:
  Sketch(Context& ctx, const Key& key, Entry* entry, ByteView bytes)
      : ctx_(ctx), key_(key), entry_(entry) {
    if (entry != nullptr && hll::encoding(bytes) == hll::Encoding::kDense) {
      dense_ = edit_string(ctx, key, entry, bytes.size());
    } else {
      copy_ = entry == nullptr ? hll::kEmpty : bytes;
    }
  }

  hll::Raise raise_register(hll::Place place) {
    if (!dense_.empty()) return hll::raise_dense(dense_, place);
    return hll::raise_register(copy_, place, ctx_.engine.options.hll_sparse_max_bytes);
  }
  [[nodiscard]] bool make_dense() { return !dense_.empty() || hll::make_dense(copy_); }
  // Raises the registers to what all sources have together, this one's own included.
  void merge(const hll::Registers& registers) {
    if (is_dense()) {
      hll::store_dense(dense_.empty() ? std::span<char>(copy_) : dense_, registers);
      return;
    }
    for (uint32_t i = 0; i < hll::kRegisters; ++i) {
      if (registers[i] == 0) continue;
      // What decoded to be merged decodes now, too.
      CHECK(raise_register({i, registers[i]}) != hll::Raise::kCorrupt);
    }
  }
  // Once, after all changes. The key holds it from then on, if it did not before.
  enum class Count : uint8_t { kKept, kStale };  // of its elements, which its head may hold
  void store(Count count) {
    std::span<char> bytes = dense_;
    if (dense_.empty()) {
      bytes = edit_string(ctx_, key_, entry_, copy_.size());
      std::memcpy(bytes.data(), copy_.data(), copy_.size());
    }
    if (count == Count::kStale) hll::forget_count(bytes);
  }

 private:
  bool is_dense() const { return !dense_.empty() || hll::encoding(copy_) == hll::Encoding::kDense; }

  Context& ctx_;
  const Key& key_;
  Entry* entry_;
  std::span<char> dense_;  // empty: `copy_` counts
  std::string copy_;
};

Status cmd_pfadd(Context& ctx) {
  const Key key = ctx.key(1);
  Entry* entry = ctx.find_to_write(key);
  OURO_TRY(const ByteView bytes, sketch_of(ctx, entry));
  Sketch sketch(ctx, key, entry, bytes);
  uint64_t changes = entry == nullptr ? 1 : 0;
  for (const ByteView element : ctx.argv.subspan(2)) {
    const hll::Raise raised = sketch.raise_register(hll::place_of(element));
    if (raised == hll::Raise::kCorrupt) return fail_corrupt(ctx);
    changes += raised == hll::Raise::kRaised;
  }
  sketch.store(changes > 0 ? Sketch::Count::kStale : Sketch::Count::kKept);
  if (changes > 0) ctx.changed(key, Event::kString, "pfadd", changes);
  ctx.reply.integer(changes > 0 ? 1 : 0);
  return Status::ok();
}

// Merges all keys from argument 1 on, absent ones as empty. Tells whether one of them is dense.
Result<bool> merge_keys(Context& ctx, hll::Registers& registers) {
  bool any_dense = false;
  for (size_t i = 1; i < ctx.argv.size(); ++i) {
    const Entry* entry = ctx.find(ctx.key(i));
    OURO_TRY(const ByteView bytes, sketch_of(ctx, entry));
    if (entry == nullptr) continue;
    any_dense = any_dense || hll::encoding(bytes) == hll::Encoding::kDense;
    if (!hll::merge_into(registers, bytes)) return fail_corrupt(ctx);
  }
  return any_dense;
}

// Of one key, whose count is kept in it.
Status count_one(Context& ctx) {
  const Key key = ctx.key(1);
  Entry* entry = ctx.find(key);
  OURO_TRY(const ByteView bytes, sketch_of(ctx, entry));
  if (entry == nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  const std::span<char> editable = edit_string(ctx, key, entry, bytes.size());
  const ByteView sketch(editable.data(), editable.size());
  auto count = hll::cached_count(sketch);
  if (!count) {
    count = hll::count(sketch);
    if (!count) return fail_corrupt(ctx);
    hll::cache_count(editable, *count);
    ctx.changed_without_event(key);
  }
  ctx.reply.integer(static_cast<int64_t>(*count));
  return Status::ok();
}

Status cmd_pfcount(Context& ctx) {
  if (ctx.argv.size() == 2) return count_one(ctx);
  hll::Registers registers{};
  OURO_TRY(merge_keys(ctx, registers));
  ctx.reply.integer(static_cast<int64_t>(hll::count(registers)));
  return Status::ok();
}

Status cmd_pfmerge(Context& ctx) {
  hll::Registers registers{};
  OURO_TRY(const bool any_dense, merge_keys(ctx, registers));
  const Key key = ctx.key(1);
  Entry* entry = ctx.find_to_write(key);
  OURO_TRY(const ByteView bytes, sketch_of(ctx, entry));
  Sketch sketch(ctx, key, entry, bytes);
  if (any_dense && !sketch.make_dense()) return fail_corrupt(ctx);
  sketch.merge(registers);
  sketch.store(Sketch::Count::kStale);
  ctx.changed(key, Event::kString, "pfadd");
  ctx.reply.ok();
  return Status::ok();
}

// ---- for tests

// Makes the HyperLogLog at `key` dense.
Status convert(Context& ctx, const Key& key, Entry* entry, ByteView bytes) {
  Sketch sketch(ctx, key, entry, bytes);
  if (!sketch.make_dense()) return fail_corrupt(ctx);
  sketch.store(Sketch::Count::kKept);
  ++ctx.changes;  // for the log alone: its value is what it was, nobody need be told
  return Status::ok();
}

// The runs of a sparse one: z and Z for zeros in one and two bytes with their length, v for a value
// and its length.
Status decode_runs(Context& ctx, ByteView bytes) {
  std::string text;
  hll::for_each_run(bytes, [&](const hll::Run& run) {
    text += text.empty() ? "" : " ";
    text += run.value > 0 ? "v:" : run.is_long ? "Z:" : "z:";
    if (run.value > 0) text += std::to_string(run.value) + ",";
    text += std::to_string(run.length);
  });
  ctx.reply.bulk(text);
  return Status::ok();
}

Status cmd_pfdebug(Context& ctx) {
  const Key key = ctx.key(2);
  Entry* entry = ctx.find_to_write(key);
  if (entry == nullptr) return ctx.fail("ERR The specified key does not exist");
  OURO_TRY(ByteView bytes, sketch_of(ctx, entry));
  const bool is_sparse = hll::encoding(bytes) == hll::Encoding::kSparse;
  const ByteView word = ctx.argv[1];
  if (equals_ignoring_case(word, "GETREG")) {
    if (is_sparse) {
      OURO_TRY(convert(ctx, key, entry, bytes));
    }
    OURO_TRY(bytes, sketch_of(ctx, ctx.find_to_write(key)));
    hll::Registers registers{};
    CHECK(hll::merge_into(registers, bytes));
    ctx.reply.array(registers.size());
    for (const uint8_t value : registers) ctx.reply.integer(value);
    return Status::ok();
  }
  if (equals_ignoring_case(word, "DECODE")) {
    if (!is_sparse) return ctx.fail("ERR HLL encoding is not sparse");
    return decode_runs(ctx, bytes);
  }
  if (equals_ignoring_case(word, "ENCODING")) {
    ctx.reply.simple(is_sparse ? "sparse" : "dense");
    return Status::ok();
  }
  if (equals_ignoring_case(word, "TODENSE")) {
    if (is_sparse) {
      OURO_TRY(convert(ctx, key, entry, bytes));
    }
    ctx.reply.integer(is_sparse ? 1 : 0);
    return Status::ok();
  }
  const ByteView shown = errors::shown(word);
  return ctx.fail("ERR Unknown PFDEBUG subcommand '%.*s'", printed_size(shown), shown.data());
}

// Adds numbers to a sparse and to a dense one: both must agree, and be right within four times the
// standard error.
Status cmd_pfselftest(Context& ctx) {
  constexpr uint64_t kElements = 100'000;
  constexpr double kErrorMax = 4 * 1.04 / 128;  // 1.04 / sqrt(registers)
  const size_t sparse_bytes_max = ctx.engine.options.hll_sparse_max_bytes;
  std::string sketch(hll::kEmpty);
  std::string dense(hll::kEmpty);
  CHECK(hll::make_dense(dense));
  const uint64_t seed = ctx.prng().next();
  for (uint64_t i = 1; i <= kElements; ++i) {
    const uint64_t number = seed ^ i;
    const hll::Place place =
        hll::place_of({reinterpret_cast<const char*>(&number), sizeof(number)});
    const hll::Raise raised = hll::raise_register(sketch, place, sparse_bytes_max);
    if (hll::raise_dense(dense, place) != raised) {
      return ctx.fail("TESTFAILED the encodings disagree about element %llu",
                      static_cast<unsigned long long>(i));
    }
    if (!std::has_single_bit(i) && i != kElements) continue;
    const auto count = hll::count(dense);
    const auto exact = static_cast<double>(i);
    const bool is_right = count && count == hll::count(sketch) &&
                          std::abs(static_cast<double>(*count) - exact) <= exact * kErrorMax + 1;
    if (!is_right) {
      return ctx.fail("TESTFAILED %llu elements are counted as %llu",
                      static_cast<unsigned long long>(i),
                      static_cast<unsigned long long>(count.value_or(0)));
    }
  }
  ctx.reply.ok();
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "PFADD",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kFast,
     .keys = {one_key(1, kReadWrite | kInsert)},
     .acl = Acl::kHyperLogLog,
     .handler = cmd_pfadd,
     .doc = {.summary = "Adds elements to a HyperLogLog, making the key if it is missing.",
             .complexity = "O(1) an element",
             .since = "2.8.9",
             .group = "hyperloglog",
             .args = "key:key#0 [element:string...]"}},
    {.name = "PFCOUNT",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kMayReplicate,  // it keeps what it counted
     .keys = {key_range(1, -1, 1, kReadWrite | kAccess)},
     .acl = Acl::kHyperLogLog,
     .handler = cmd_pfcount,
     .doc = {.summary = "Estimates how many different elements HyperLogLogs have seen together.",
             .complexity = "O(N), N keys; the count of a single key is kept",
             .since = "2.8.9",
             .group = "hyperloglog",
             .args = "key:key#0..."}},
    {.name = "PFDEBUG",
     .arity = exactly(3),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kAdmin | Flag::kSystem,
     .keys = {one_key(2, kReadWrite | kAccess)},
     .acl = Acl::kHyperLogLog,
     .handler = cmd_pfdebug,
     .doc = {.summary = "Shows and changes how a HyperLogLog is kept; for tests.",
             .complexity = "N/A",
             .since = "2.8.9",
             .group = "hyperloglog",
             .args = "subcommand:string key:key#0"}},
    {.name = "PFMERGE",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kInsert), key_range(2, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kHyperLogLog,
     .handler = cmd_pfmerge,
     .doc = {.summary = "Adds what HyperLogLogs have seen to the one at the first key.",
             .complexity = "O(N), N keys",
             .since = "2.8.9",
             .group = "hyperloglog",
             .args = "destkey:key#0 sourcekey:key#1..."}},
    {.name = "PFSELFTEST",
     .arity = exactly(1),
     .flags = Flag::kAdmin | Flag::kSystem,
     .acl = Acl::kHyperLogLog,
     .handler = cmd_pfselftest,
     .doc = {.summary = "Checks counting and both encodings of HyperLogLogs; for tests.",
             .complexity = "N/A",
             .since = "2.8.9",
             .group = "hyperloglog"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kHyperLogLogCommands = kRows;

}  // namespace ouro
