// SPDX-License-Identifier: BSD-3-Clause
// Commands on the bits of strings: single ones, counting and searching, combining, and fields of
// any width.
#include "datastructs/bits.h"

#include <algorithm>
#include <array>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "server/commands/string_value.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

constexpr int64_t kByteBits = 8;

// ---- what handlers share

// A bit's position: "N", or, where a field's width is given, "#N" for the N-th field of it.
Result<uint64_t> bit_position(Context& ctx, ByteView text, unsigned field_width = 0) {
  int64_t unit = 1;
  if (field_width > 0 && text.starts_with('#')) {
    text.remove_prefix(1);
    unit = field_width;
  }
  const auto number = parse_int64(text);
  int64_t at = -1;
  if (number && __builtin_mul_overflow(*number, unit, &at)) at = -1;
  const bool obeys = ctx.caller.obeys();
  const bool fits = at >= 0 && (obeys || static_cast<uint64_t>(at / kByteBits) <
                                             ctx.engine.options.proto_max_bulk_len);
  if (!fits) return ctx.fail("ERR bit offset is not an integer or out of range");
  return static_cast<uint64_t>(at);
}

// A string opened for writing.
struct EditedString {
  std::span<char> bytes;
  bool grew = false;  // it was made or became longer

  ByteView view() const { return {bytes.data(), bytes.size()}; }
};

// The string at `key` with bits up to position `last`, of which those before `first` stay as they
// are; a missing key is made.
Result<EditedString> edit_bits(Context& ctx, const Key& key, uint64_t first, uint64_t last) {
  OURO_TRY(Entry * entry, ctx.find_string_to_write(key));
  const size_t before = entry == nullptr ? 0 : entry->text_size();
  const size_t size = std::max(before, static_cast<size_t>(last / kByteBits + 1));
  const StringPart part{.at = first / kByteBits, .bytes = last / kByteBits + 1 - first / kByteBits};
  return EditedString{.bytes = edit_string(ctx, key, entry, size, part), .grew = size > before};
}

// ---- one bit

Status cmd_setbit(Context& ctx) {
  OURO_TRY(const uint64_t at, bit_position(ctx, ctx.argv[2]));
  const Result<int64_t> bit = ctx.integer(3);
  if (!bit.is_ok() || (*bit != 0 && *bit != 1)) {
    return ctx.fail("ERR bit is not an integer or out of range");
  }
  const Key key = ctx.key(1);
  OURO_TRY(const EditedString string, edit_bits(ctx, key, at, at));
  const uint64_t before = bits::read(string.view(), at, 1);
  const auto after = static_cast<uint64_t>(*bit);
  if (string.grew || before != after) {
    bits::write(string.bytes, at, 1, after);
    ctx.changed(key, Event::kString, "setbit");
  }
  ctx.reply.integer(static_cast<int64_t>(before));
  return Status::ok();
}

Status cmd_getbit(Context& ctx) {
  OURO_TRY(const uint64_t at, bit_position(ctx, ctx.argv[2]));
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  NumberText scratch;
  const ByteView text = entry == nullptr ? ByteView() : entry->text(scratch);
  ctx.reply.integer(static_cast<int64_t>(bits::read(text, at, 1)));
  return Status::ok();
}

// ---- stretches

enum class Unit : uint8_t { kByte, kBit };

Result<Unit> parse_unit(ByteView word) {
  if (equals_ignoring_case(word, "BYTE")) return Unit::kByte;
  if (equals_ignoring_case(word, "BIT")) return Unit::kBit;
  return Err::kSyntax;
}

// Both ends inside; negative ones count from the string's end, outside ones are cut.
bits::Range stretch(int64_t start, int64_t end, Unit unit, ByteView text) {
  const auto unit_bits = unit == Unit::kByte ? kByteBits : int64_t{1};
  const int64_t size = static_cast<int64_t>(text.size()) * kByteBits / unit_bits;
  if (start < 0) start = std::max<int64_t>(start + size, 0);
  if (end < 0) end = std::max<int64_t>(end + size, 0);
  end = std::min(end, size - 1);
  if (start > end) return {};
  return {static_cast<uint64_t>(start * unit_bits), static_cast<uint64_t>((end + 1) * unit_bits)};
}

Status cmd_bitcount(Context& ctx) {
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  const Argv argv = ctx.argv;
  // Nothing has no bits, wherever they are asked for: Redis does not read on.
  if (entry == nullptr) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  if (argv.size() > 5) return Err::kSyntax;
  int64_t start = 0;
  int64_t end = -1;
  Unit unit = Unit::kByte;
  if (argv.size() > 2) {
    OURO_TRY(start, ctx.integer(2));
  }
  if (argv.size() > 3) {
    OURO_TRY(end, ctx.integer(3));
  }
  if (start < 0 && end < 0 && start > end) {
    ctx.reply.integer(0);
    return Status::ok();
  }
  if (argv.size() > 4) {
    OURO_TRY(unit, parse_unit(argv[4]));
  }
  NumberText scratch;
  const ByteView text = entry->text(scratch);
  ctx.reply.integer(static_cast<int64_t>(bits::count(text, stretch(start, end, unit, text))));
  return Status::ok();
}

Status cmd_bitpos(Context& ctx) {
  OURO_TRY(const int64_t bit, ctx.integer(2));
  if (bit != 0 && bit != 1) return ctx.fail("ERR The bit argument must be 1 or 0.");
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  // A missing string is zeros without an end.
  if (entry == nullptr) {
    ctx.reply.integer(bit == 0 ? 0 : -1);
    return Status::ok();
  }
  const Argv argv = ctx.argv;
  if (argv.size() > 6) return Err::kSyntax;
  int64_t start = 0;
  int64_t end = -1;
  Unit unit = Unit::kByte;
  if (argv.size() > 3) {
    OURO_TRY(start, ctx.integer(3));
  }
  if (argv.size() > 5) {
    OURO_TRY(unit, parse_unit(argv[5]));
  }
  if (argv.size() > 4) {
    OURO_TRY(end, ctx.integer(4));
  }
  NumberText scratch;
  const ByteView text = entry->text(scratch);
  const bits::Range range = stretch(start, end, unit, text);
  const auto found = bits::find(text, bit == 1, range);
  if (found) {
    ctx.reply.integer(static_cast<int64_t>(*found));
  } else {
    // Behind a string of ones zeros follow, unless an end was given.
    const bool zeros_follow = bit == 0 && argv.size() <= 4 && range.end > 0;
    ctx.reply.integer(zeros_follow ? static_cast<int64_t>(range.end) : -1);
  }
  return Status::ok();
}

// ---- combining strings

struct NamedOperation {
  const char* name;
  bits::Operation operation;
  bool is_later = false;  // than Redis 7.0; these need two sources
};
constexpr std::array<NamedOperation, 8> kOperations = {{
    {.name = "AND", .operation = bits::Operation::kAnd},
    {.name = "OR", .operation = bits::Operation::kOr},
    {.name = "XOR", .operation = bits::Operation::kXor},
    {.name = "NOT", .operation = bits::Operation::kNot},
    {.name = "DIFF", .operation = bits::Operation::kOnlyFirst, .is_later = true},
    {.name = "DIFF1", .operation = bits::Operation::kNotFirst, .is_later = true},
    {.name = "ANDOR", .operation = bits::Operation::kFirstAndAny, .is_later = true},
    {.name = "ONE", .operation = bits::Operation::kExactlyOne},
}};

// Makes `key` hold a string that was built aside. It is text even if it reads like a number.
void store_raw_string(Context& ctx, const Key& key, Blob* blob) {
  Entry* old = ctx.find_to_write(key);
  const Value value{
      .kind = Kind::kBlob, .edited = true, .payload = reinterpret_cast<uint64_t>(blob)};
  if (old != nullptr) ctx.overwritten(key, old->type(), Type::kString);
  ctx.db.put_value(key, old, value, kNoExpiry);
  if (old == nullptr) ctx.added(key);
  ctx.changed(key, Event::kString, "set");
}

Status cmd_bitop(Context& ctx) {
  const auto* named = std::find_if(
      kOperations.begin(), kOperations.end(),
      [&](const NamedOperation& row) { return equals_ignoring_case(ctx.argv[1], row.name); });
  if (named == kOperations.end()) return Err::kSyntax;
  const size_t count = ctx.argv.size() - 3;
  if (named->operation == bits::Operation::kNot && count != 1) {
    return ctx.fail("ERR BITOP NOT must be called with a single source key.");
  }
  if (named->is_later && count < 2) {
    return ctx.fail("ERR BITOP %s must be called with at least two source keys.", named->name);
  }
  std::vector<NumberText> scratch(count);
  std::vector<ByteView> sources(count);
  size_t longest = 0;
  for (size_t i = 0; i < count; ++i) {
    // This look-up may remove a due key, never one that was found before it.
    OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(3 + i)));
    if (entry == nullptr) continue;
    sources[i] = entry->text(scratch[i]);
    longest = std::max(longest, sources[i].size());
  }
  const Key destination = ctx.key(2);
  if (longest > 0) {
    Blob* blob = Blob::create(ctx.heap(), longest);
    blob->set_size(longest);
    bits::combine(named->operation, sources, {blob->bytes(), longest});
    // Redis 7.0 does not know the operation, but what came of it.
    if (named->is_later) ctx.effects.replace({"SET", destination.bytes, blob->view()});
    store_raw_string(ctx, destination, blob);
  } else if (ctx.find_to_write(destination) != nullptr) {
    ctx.erase(destination);
    if (named->is_later) ctx.effects.replace({"DEL", destination.bytes});
  }
  ctx.reply.integer(static_cast<int64_t>(longest));
  return Status::ok();
}

// ---- fields

struct FieldStep {
  enum class Action : uint8_t { kGet, kSet, kIncrease };
  Action action = Action::kGet;
  bits::FieldType type = {};
  uint64_t at = 0;
  int64_t operand = 0;
  bits::FieldType::Overflow overflow = bits::FieldType::Overflow::kWrap;

  uint64_t last_bit() const { return at + type.width - 1; }
};

Result<bits::FieldType> parse_field_type(Context& ctx, ByteView text) {
  const bool is_signed = text.starts_with('i');
  if (is_signed || text.starts_with('u')) {
    const auto width = parse_int64(text.substr(1));
    if (width && *width >= 1 && *width <= (is_signed ? 64 : 63)) {
      return bits::FieldType{.is_signed = is_signed, .width = static_cast<unsigned>(*width)};
    }
  }
  return ctx.fail(
      "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but "
      "i64 is.");
}

Result<bits::FieldType::Overflow> parse_overflow(Context& ctx, ByteView word) {
  using Overflow = bits::FieldType::Overflow;
  if (equals_ignoring_case(word, "WRAP")) return Overflow::kWrap;
  if (equals_ignoring_case(word, "SAT")) return Overflow::kSaturate;
  if (equals_ignoring_case(word, "FAIL")) return Overflow::kFail;
  return ctx.fail("ERR Invalid OVERFLOW type specified");
}

Result<std::vector<FieldStep>> parse_steps(Context& ctx) {
  using Action = FieldStep::Action;
  std::vector<FieldStep> steps;
  auto overflow = bits::FieldType::Overflow::kWrap;
  ArgParser args(ctx.argv, 2);
  while (args.more()) {
    FieldStep step{.overflow = overflow};
    if (args.left() >= 3 && args.word("GET")) {
      step.action = Action::kGet;
    } else if (args.left() >= 4 && args.word("SET")) {
      step.action = Action::kSet;
    } else if (args.left() >= 4 && args.word("INCRBY")) {
      step.action = Action::kIncrease;
    } else if (args.left() >= 2 && args.word("OVERFLOW")) {
      OURO_TRY(overflow, parse_overflow(ctx, args.next()));
      continue;
    } else {
      return Err::kSyntax;
    }
    OURO_TRY(step.type, parse_field_type(ctx, args.next()));
    OURO_TRY(step.at, bit_position(ctx, args.next(), step.type.width));
    if (step.action != Action::kGet) step.operand = args.integer();
    steps.push_back(step);
  }
  OURO_TRY(args.finish());
  return steps;
}

Status get_fields(Context& ctx, std::span<const FieldStep> steps) {
  OURO_TRY(const Entry* entry, ctx.find_string(ctx.key(1)));
  NumberText scratch;
  const ByteView text = entry == nullptr ? ByteView() : entry->text(scratch);
  ctx.reply.array(steps.size());
  for (const FieldStep& step : steps) ctx.reply.integer(step.type.read_from(text, step.at));
  return Status::ok();
}

Status change_fields(Context& ctx, std::span<const FieldStep> steps) {
  using Action = FieldStep::Action;
  uint64_t first = UINT64_MAX;
  uint64_t last = 0;
  for (const FieldStep& step : steps) {
    if (step.action == Action::kGet) continue;
    first = std::min(first, step.at);
    last = std::max(last, step.last_bit());
  }
  const Key key = ctx.key(1);
  OURO_TRY(const EditedString string, edit_bits(ctx, key, first, last));
  const ByteView text = string.view();
  uint64_t changes = 0;
  ctx.reply.array(steps.size());
  for (const FieldStep& step : steps) {
    const int64_t before = step.type.read_from(text, step.at);
    if (step.action == Action::kGet) {
      ctx.reply.integer(before);
      continue;
    }
    const bool sets = step.action == Action::kSet;
    const auto after = sets ? step.type.fit(step.operand, 0, step.overflow)
                            : step.type.fit(before, step.operand, step.overflow);
    if (!after) {
      ctx.reply.null();
      continue;
    }
    bits::write(string.bytes, step.at, step.type.width, static_cast<uint64_t>(*after));
    changes += string.grew || *after != before;
    ctx.reply.integer(sets ? before : *after);
  }
  if (changes > 0) {
    ctx.changed(key, Event::kString, "setbit", changes);
  } else if (string.grew && ctx.effects.wanted()) {
    // All steps failed, yet the string has grown: no event in Redis, but a fact.
    ctx.effects.replace(ctx.argv);
  }
  return Status::ok();
}

bool is_get(const FieldStep& step) { return step.action == FieldStep::Action::kGet; }

Status cmd_bitfield(Context& ctx) {
  OURO_TRY(const std::vector<FieldStep> steps, parse_steps(ctx));
  const bool reads_only = std::all_of(steps.begin(), steps.end(), is_get);
  return reads_only ? get_fields(ctx, steps) : change_fields(ctx, steps);
}

Status cmd_bitfield_ro(Context& ctx) {
  OURO_TRY(const std::vector<FieldStep> steps, parse_steps(ctx));
  if (!std::all_of(steps.begin(), steps.end(), is_get)) {
    return ctx.fail("ERR BITFIELD_RO only supports the GET subcommand");
  }
  return get_fields(ctx, steps);
}

// BITFIELD only reads its key if all that it has is GET.
Status keys_of_bitfield(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  bool reads_only = true;
  ArgParser args(argv, 2);
  while (reads_only && args.more()) {
    if (args.left() >= 3 && args.word("GET")) {
      args.next();
      args.next();
    } else if (args.left() >= 2 && args.word("OVERFLOW")) {
      args.next();
    } else {
      reads_only = false;
    }
  }
  fn(1, reads_only ? kReadOnly | kAccess : kReadWrite | kAccess | kUpdate);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "BITCOUNT",
     .arity = at_least(2),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kBitmap,
     .handler = cmd_bitcount,
     .doc = {.summary = "Counts the bits that are 1 in a string or in a part of it.",
             .complexity = "O(N), N bytes looked at",
             .since = "2.6.0",
             .group = "bitmap",
             // Valkey 8 lets the end be left out.
             .args = "key:key#0 [index:{start:integer end:integer [index_unit:<byte!BYTE | "
                     "bit!BIT>@7.0.0]}] [start:integer@8.0.0]"}},
    {.name = "BITFIELD",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate | kVariableUse)},
     .acl = Acl::kBitmap,
     .handler = cmd_bitfield,
     .movable_keys = keys_of_bitfield,
     .doc = {.summary = "Reads and changes integers of any width inside a string.",
             .complexity = "O(1) a step",
             .since = "3.2.0",
             .group = "bitmap",
             .args = "key:key#0 [operation:<GET=encoding_offset:{encoding:string offset:integer} | "
                     "write:{[OVERFLOW=wrap_sat_fail:<wrap!WRAP | sat!SAT | fail!FAIL>] "
                     "write_operation:<SET=encoding_offset_value:{encoding:string offset:integer "
                     "value:integer} | INCRBY=encoding_offset_increment:{encoding:string "
                     "offset:integer increment:integer}>}>...]"}},
    {.name = "BITFIELD_RO",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kBitmap,
     .handler = cmd_bitfield_ro,
     .doc = {.summary = "Reads integers of any width inside a string.",
             .complexity = "O(1) a step",
             .since = "6.0.0",
             .group = "bitmap",
             .args = "key:key#0 [GET=encoding_offset:{encoding:string offset:integer}&...]"}},
    {.name = "BITOP",
     .arity = at_least(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(2, kOverwrite | kUpdate), key_range(3, -1, 1, kReadOnly | kAccess)},
     .acl = Acl::kBitmap,
     .handler = cmd_bitop,
     .doc = {.summary = "Combines strings bit by bit and stores the result.",
             .complexity = "O(N), N bytes in all strings",
             .since = "2.6.0",
             .group = "bitmap",
             .args = "operation:string destkey:key#0 key:key#1..."}},
    {.name = "BITPOS",
     .arity = at_least(3),
     .flags = Flag::kReadonly,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kBitmap,
     .handler = cmd_bitpos,
     .doc = {.summary = "Finds the first bit of a string that is 1, or 0.",
             .complexity = "O(N), N bytes looked at",
             .since = "2.8.7",
             .group = "bitmap",
             .args = "key:key#0 bit:integer [index:{start:integer [end_index:{end:integer "
                     "[index_unit:<byte!BYTE | bit!BIT>@7.0.0]}]}]"}},
    {.name = "GETBIT",
     .arity = exactly(3),
     .flags = Flag::kReadonly | Flag::kFast,
     .keys = {one_key(1, kReadOnly | kAccess)},
     .acl = Acl::kBitmap,
     .handler = cmd_getbit,
     .doc = {.summary = "Returns one bit of a string.",
             .complexity = "O(1)",
             .since = "2.2.0",
             .group = "bitmap",
             .args = "key:key#0 offset:integer"}},
    {.name = "SETBIT",
     .arity = exactly(4),
     .flags = Flag::kWrite | Flag::kDenyOom,
     .keys = {one_key(1, kReadWrite | kAccess | kUpdate)},
     .acl = Acl::kBitmap,
     .handler = cmd_setbit,
     .doc = {.summary = "Sets or clears one bit of a string, which grows if it is too short.",
             .complexity = "O(1)",
             .since = "2.2.0",
             .group = "bitmap",
             .args = "key:key#0 offset:integer value:integer"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kBitCommands = kRows;

}  // namespace ouro
