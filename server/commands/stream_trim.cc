// SPDX-License-Identifier: BSD-3-Clause
#include "server/commands/stream_trim.h"

#include "server/commands/stream_parts.h"
#include "server/commands/stream_refs.h"

namespace ouro {
namespace {

// Trimming by whole nodes looks at no more entries than a hundred nodes have, unless LIMIT says so.
constexpr uint64_t kNodesTrimmed = 100;
constexpr uint64_t kEntriesTrimmed = 10'000;  // where nodes have no limit
constexpr uint64_t kEntriesTrimmedMax = 1'000'000;

uint64_t trimmed_by_default(const Limits& limits) {
  const uint64_t entries = limits.stream_node_entries;
  if (entries == 0) return kEntriesTrimmed;
  return entries >= kEntriesTrimmedMax / kNodesTrimmed ? kEntriesTrimmedMax
                                                       : kNodesTrimmed * entries;
}

// [=|~] threshold
Status parse_threshold(Context& ctx, ArgParser& args, StreamTrim::By by, StreamOptions& options) {
  if (options.trim) {
    return ctx.fail(
        "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
  }
  StreamTrim trim{.by = by};
  if (args.left() > 1) {
    trim.whole_nodes = args.word("~");
    if (!trim.whole_nodes) (void)args.word("=");
  }
  if (by == StreamTrim::By::kLength) {
    OURO_TRY(const int64_t length, parse_integer(args.next()));
    if (length < 0) return ctx.fail("ERR The MAXLEN argument must be >= 0.");
    trim.length = static_cast<uint64_t>(length);
  } else {
    OURO_TRY(trim.first_id, parse_strict_id(ctx, args.next()));
  }
  options.trim = trim;
  return Status::ok();
}

// IDMP producer name, or IDMPAUTO producer, if the parser stands there.
Result<bool> parse_idempotence(Context& ctx, ArgParser& args, StreamOptions& options) {
  const size_t at = args.position();
  const bool is_named = args.left() > 2 && args.word("IDMP");
  if (!is_named && !(args.left() > 1 && args.word("IDMPAUTO"))) return false;
  if (!options.idempotence.empty())
    return ctx.fail("ERR syntax error, IDMP/IDMPAUTO specified multiple times");
  options.idempotence = ctx.argv.subspan(at, is_named ? 3 : 2);
  args.skip(options.idempotence.size() - 1);
  if (options.idempotence[1].empty()) {
    return ctx.fail("ERR syntax error, %s requires a non-empty producer ID",
                    is_named ? "IDMP" : "IDMPAUTO");
  }
  if (is_named && options.idempotence[2].empty())
    return ctx.fail("ERR syntax error, IDMP requires a non-empty idempotent ID");
  return true;
}

// The id of XADD, which is not "*".
Status parse_new_id(Context& ctx, ByteView text, StreamOptions& options) {
  options.id = parse_stream_id(text, 0);
  if (!options.id) return fail_invalid_id(ctx);
  // In a log the id is the one that the entry got.
  if (options.idempotence.empty() || is_from_log(ctx)) return Status::ok();
  return ctx.fail("ERR syntax error, IDMP/IDMPAUTO can be used only with auto-generated IDs");
}

// How many entries may go at once, after all options have been read.
Status settle_limit(Context& ctx, StreamForm form, std::optional<int64_t> limit,
                    StreamOptions& options) {
  if (!options.trim && limit.value_or(0) != 0) {
    return ctx.fail(
        "ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  }
  if (!options.trim && form == StreamForm::kTrim)
    return ctx.fail("ERR syntax error, XTRIM must be called with a trimming strategy");
  // What a log tells has been trimmed: there the limit of that time has no say.
  if (is_from_log(ctx)) return Status::ok();
  const bool whole_nodes = options.trim && options.trim->whole_nodes;
  if (limit && !whole_nodes)
    return ctx.fail("ERR syntax error, LIMIT cannot be used without the special ~ option");
  if (whole_nodes) {
    options.trim->count_max =
        limit ? static_cast<uint64_t>(*limit) : trimmed_by_default(ctx.limits());
  }
  return Status::ok();
}

}  // namespace

Result<StreamOptions> parse_stream_options(Context& ctx, StreamForm form) {
  StreamOptions options;
  std::optional<int64_t> limit;
  ArgParser args(ctx.argv, 2);
  const bool is_add = form == StreamForm::kAdd;
  while (args.more()) {
    const bool has_value = args.left() > 1;
    if (is_add && args.peek() == "*") {
      break;
    } else if (has_value && args.word("MAXLEN")) {
      OURO_TRY(parse_threshold(ctx, args, StreamTrim::By::kLength, options));
    } else if (has_value && args.word("MINID")) {
      OURO_TRY(parse_threshold(ctx, args, StreamTrim::By::kId, options));
    } else if (has_value && args.word("LIMIT")) {
      OURO_TRY(limit, parse_integer(args.next()));
      if (*limit < 0) return ctx.fail("ERR The LIMIT argument must be >= 0.");
    } else if (parse_stream_refs(args, options.refs)) {
      OURO_TRY(args.status());
    } else if (is_add && args.word("NOMKSTREAM")) {
      options.only_existing = true;
    } else if (is_add) {
      OURO_TRY(const bool is_idempotent, parse_idempotence(ctx, args, options));
      if (is_idempotent) continue;
      OURO_TRY(parse_new_id(ctx, args.peek(), options));
      break;
    } else {
      return Err::kSyntax;
    }
  }
  options.id_at = args.position();
  OURO_TRY(settle_limit(ctx, form, limit, options));
  return options;
}

TrimFact::TrimFact(const Stream& stream, const StreamOptions& options) {
  if (!options.trim) return;
  if (options.refs == StreamRefs::kAcked && stream.group_count() > 0) return;
  const bool by_length = options.trim->by == StreamTrim::By::kLength;
  strategy_ = by_length ? "MAXLEN" : "MINID";
  threshold_ = by_length ? std::to_string(stream.size())
                         : std::string(StreamIdText(stream.first_id()).view());
}

void TrimFact::append_to(std::vector<ByteView>& argv) const {
  if (!strategy_.empty()) argv.insert(argv.end(), {strategy_, "=", threshold_});
}

}  // namespace ouro
