// SPDX-License-Identifier: BSD-3-Clause
// SORT and SORT_RO: the elements of a list, set or sorted set, by their own value or that of keys
// made from them.
//
//   parse -> load -> weigh -> sort -> write or store
//
// Loading copies the elements, cut by LIMIT when nothing is to be sorted: look-ups of BY and GET
// may remove keys that are due.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "datastructs/codec/number_text.h"
#include "server/commands/tables.h"
#include "server/engine/context.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

struct SortOptions {
  bool descending = false;
  bool alpha = false;
  bool sorted = true;  // false: BY a pattern without '*'
  int64_t offset = 0;
  int64_t count = -1;  // negative: all
  std::optional<ByteView> by;
  std::optional<ByteView> store;
  std::vector<ByteView> gets;
};

enum class Form : uint8_t { kSort, kReadOnly };

Result<SortOptions> parse_sort(Context& ctx, Form form) {
  SortOptions options;
  ArgParser args(ctx.argv, 2);
  // The keys that BY and GET lead to are known only by the elements, so they may be any.
  const auto may_follow = [&] {
    return ctx.engine.acl.reads_all_keys(ctx.caller.user, ctx.spec, ctx.argv, ctx.caller.db);
  };
  while (args.more()) {
    if (args.word("ASC")) {
      options.descending = false;
    } else if (args.word("DESC")) {
      options.descending = true;
    } else if (args.word("ALPHA")) {
      options.alpha = true;
    } else if (args.left() >= 3 && args.word("LIMIT")) {
      options.offset = args.integer();
      options.count = args.integer();
    } else if (form == Form::kSort && args.left() >= 2 && args.word("STORE")) {
      options.store = args.next();
    } else if (args.left() >= 2 && args.word("BY")) {
      options.by = args.next();
      // Redis never sorts again once one BY had no '*', whatever comes behind it.
      if (options.by->find('*') == ByteView::npos) {
        options.sorted = false;
      } else if (!may_follow()) {
        return ctx.fail("ERR BY option of SORT denied due to insufficient ACL permissions.");
      }
    } else if (args.left() >= 2 && args.word("GET")) {
      options.gets.push_back(args.next());
      if (!may_follow())
        return ctx.fail("ERR GET option of SORT denied due to insufficient ACL permissions.");
    } else {
      args.unexpected();
    }
  }
  OURO_TRY(args.finish());
  return options;
}

// A pattern of BY or GET: what stands around the first '*', and the field behind "->".
class Pattern {
 public:
  explicit Pattern(ByteView text) : is_element_(text == "#") {
    const size_t star = text.find('*');
    if (star == ByteView::npos) return;
    has_star_ = true;
    before_ = text.substr(0, star);
    after_ = text.substr(star + 1);
    const size_t arrow = after_.find("->");
    // An arrow with nothing behind it is part of the key's name.
    if (arrow == ByteView::npos || arrow + 2 == after_.size()) return;
    field_ = after_.substr(arrow + 2);
    after_ = after_.substr(0, arrow);
  }

  // What the pattern says of this element; nothing when there is no such key, field or string. The
  // view lives until the next call.
  std::optional<ByteView> value(Context& ctx, ByteView element) {
    if (is_element_) return element;
    if (!has_star_) return std::nullopt;
    name_.assign(before_).append(element).append(after_);
    const Entry* entry = ctx.find(ctx.db.key(name_));
    if (entry == nullptr) return std::nullopt;
    if (field_.empty()) {
      if (!entry->is_string()) return std::nullopt;
      return entry->text(scratch_);
    }
    if (entry->kind() != Kind::kHash) return std::nullopt;
    return entry->as<Hash>().get(field_, ctx.now);
  }

 private:
  bool is_element_;
  bool has_star_ = false;
  ByteView before_, after_, field_;
  std::string name_;
  NumberText scratch_;
};

// As Redis reads a weight: strtod up to the first zero byte, the empty text is 0.
std::optional<double> parse_weight(ByteView text) {
  if (const auto integer = parse_int64(text)) return static_cast<double>(*integer);
  const std::string copy(text);
  char* end = nullptr;
  errno = 0;
  const double value = std::strtod(copy.c_str(), &end);
  if (*end != '\0' || errno == ERANGE || std::isnan(value)) return std::nullopt;
  return value;
}

struct Item {
  ByteView element;
  double score = 0;
  std::optional<ByteView> weight = {};  // ALPHA with BY
};

// Keeps copies of byte strings; views of them are valid once all have been added.
class Bytes {
 public:
  void add(ByteView bytes) {
    bytes_.append(bytes);
    ends_.push_back(bytes_.size());
  }
  size_t size() const { return ends_.size(); }
  ByteView operator[](size_t i) const {
    const size_t begin = i == 0 ? 0 : ends_[i - 1];
    return ByteView(bytes_).substr(begin, ends_[i] - begin);
  }

 private:
  std::string bytes_;
  std::vector<size_t> ends_;
};

// LIMIT as positions in `size` elements; what is outside is cut.
struct Window {
  size_t begin, end;
};
Window window_of(const SortOptions& options, size_t size) {
  const auto all = static_cast<int64_t>(size);
  const int64_t begin = std::clamp<int64_t>(options.offset, 0, all);
  const int64_t left = all - begin;
  const int64_t count = options.count < 0 ? left : std::min(options.count, left);
  return {static_cast<size_t>(begin), static_cast<size_t>(begin + count)};
}

// Copies the elements. A list or sorted set that keeps its order is read from the side that DESC
// asks for and cut by LIMIT at once: `window` then is what was read.
void load(const Entry& entry, const SortOptions& options, Bytes& elements, Window& window) {
  const bool in_order = !options.sorted && entry.kind() != Kind::kSet;
  const size_t count = window.end - window.begin;
  switch (entry.kind()) {
    case Kind::kList: {
      const List& list = entry.as<List>();
      if (!in_order || !options.descending) {
        const size_t first = in_order ? window.begin : 0;
        list.for_each(first, in_order ? count : list.size(),
                      [&](const ListElement& e) { elements.add(e.bytes); });
        break;
      }
      ListCursor cursor(list, list.size() - 1 - std::min(window.begin, list.size() - 1),
                        ListEnd::kFront);
      ListElement element;
      while (elements.size() < count && cursor.next(element)) elements.add(element.bytes);
      break;
    }
    case Kind::kSet:
      entry.as<Set>().for_each([&](ByteView member) { elements.add(member); });
      break;
    case Kind::kZSet: {
      const ZSet& zset = entry.as<ZSet>();
      const Direction direction =
          in_order && options.descending ? Direction::kDescending : Direction::kAscending;
      const RankRange range =
          in_order ? zset.all().window(direction, window.begin, count) : zset.all();
      zset.for_each(range, direction, [&](ByteView member, double) { elements.add(member); });
      break;
    }
    default:
      OURO_UNREACHABLE();
  }
  if (in_order) window = {0, elements.size()};
}

class Sorter {
 public:
  Sorter(Context& ctx, SortOptions options) : ctx_(ctx), options_(std::move(options)) {}

  Status run() {
    const Entry* entry = ctx_.find(ctx_.key(1));
    Bytes elements;
    Window window{0, 0};
    if (entry != nullptr) {
      if (entry->kind() != Kind::kList && entry->kind() != Kind::kSet &&
          entry->kind() != Kind::kZSet) {
        return Err::kWrongType;
      }
      // A set has no order of its own: where others must come to the same result it is given one.
      if (!options_.sorted && entry->kind() == Kind::kSet &&
          (options_.store.has_value() || ctx_.caller.origin == Origin::kScript)) {
        options_.sorted = true;
        options_.alpha = true;
        options_.by.reset();
      }
      const size_t size = size_of(*entry);
      window = window_of(options_, size);
      load(*entry, options_, elements, window);
    }
    items_.reserve(elements.size());
    for (size_t i = 0; i < elements.size(); ++i) items_.push_back({elements[i]});
    if (options_.sorted) {
      OURO_TRY(weigh());
      sort(window);
    }
    const std::span<const Item> result =
        std::span<const Item>(items_).subspan(window.begin, window.end - window.begin);
    return options_.store ? store(result) : write(result);
  }

 private:
  static size_t size_of(const Entry& entry) {
    switch (entry.kind()) {
      case Kind::kList:
        return entry.as<List>().size();
      case Kind::kSet:
        return entry.as<Set>().size();
      default:
        return entry.as<ZSet>().size();
    }
  }

  Status weigh() {
    bool all_numbers = true;
    if (!options_.by) {
      if (options_.alpha) return Status::ok();
      for (Item& item : items_) {
        const auto score = parse_weight(item.element);
        all_numbers = all_numbers && score.has_value();
        item.score = score.value_or(0);
      }
    } else {
      Pattern by(*options_.by);
      std::vector<size_t> weighed;
      for (size_t i = 0; i < items_.size(); ++i) {
        const auto value = by.value(ctx_, items_[i].element);
        if (!value) continue;
        if (options_.alpha) {
          weights_.add(*value);
          weighed.push_back(i);
          continue;
        }
        const auto score = parse_weight(*value);
        all_numbers = all_numbers && score.has_value();
        items_[i].score = score.value_or(0);
      }
      for (size_t i = 0; i < weighed.size(); ++i) items_[weighed[i]].weight = weights_[i];
    }
    if (!all_numbers) return ctx_.fail("ERR One or more scores can't be converted into double");
    return Status::ok();
  }

  // Equal numbers are ordered by their elements; in ALPHA with BY what has no weight comes first.
  bool before(const Item& a, const Item& b) const {
    if (options_.alpha) return options_.by ? a.weight < b.weight : a.element < b.element;
    return a.score != b.score ? a.score < b.score : a.element < b.element;
  }

  // Only the window has to be in order, so a short one is not paid for with a whole sort.
  void sort(Window window) {
    const auto less = [this](const Item& a, const Item& b) {
      return options_.descending ? before(b, a) : before(a, b);
    };
    if (window.end - window.begin == items_.size()) {
      std::stable_sort(items_.begin(), items_.end(), less);
    } else {
      std::partial_sort(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(window.end),
                        items_.end(), less);
    }
  }

  // Calls fn for each output of each element: itself, or what the GET patterns say of it.
  template <class Fn>
  void for_each_output(std::span<const Item> result, Fn&& fn) {
    std::vector<Pattern> gets;
    for (const ByteView text : options_.gets) gets.emplace_back(text);
    for (const Item& item : result) {
      if (gets.empty()) fn(std::optional<ByteView>(item.element));
      for (Pattern& get : gets) fn(get.value(ctx_, item.element));
    }
  }
  size_t output_count(std::span<const Item> result) const {
    return result.size() * std::max<size_t>(options_.gets.size(), 1);
  }

  Status write(std::span<const Item> result) {
    ctx_.reply.array(output_count(result));
    for_each_output(result, [&](std::optional<ByteView> value) {
      if (value) {
        ctx_.reply.bulk(*value);
      } else {
        ctx_.reply.null();
      }
    });
    return Status::ok();
  }

  // The list is made aside and put in place at the end: GET may read the key that it replaces.
  Status store(std::span<const Item> result) {
    List list;
    for_each_output(result, [&](std::optional<ByteView> value) {
      list.push(ctx_.heap(), ctx_.limits(), ListEnd::kBack, value.value_or(ByteView()));
    });
    const size_t count = output_count(result);
    const Key target = ctx_.db.key(*options_.store);
    Entry* old = ctx_.find_to_write(target);
    if (count > 0) {
      Value value{.kind = Kind::kList};
      static_assert(sizeof(list) == sizeof(value.payload));
      std::memcpy(&value.payload, &list, sizeof(list));
      if (old != nullptr) ctx_.overwritten(target, old->type(), Type::kList);
      ctx_.db.put_value(target, old, value, kNoExpiry);
      if (old == nullptr) ctx_.added(target);
      ctx_.changed(target, Event::kList, "sortstore", count);
    } else if (old != nullptr) {
      ctx_.erase(target);
    }
    ctx_.reply.integer(static_cast<int64_t>(count));
    return Status::ok();
  }

  Context& ctx_;
  SortOptions options_;
  std::vector<Item> items_;
  Bytes weights_;
};

Status cmd_sort(Context& ctx) {
  OURO_TRY(SortOptions options, parse_sort(ctx, Form::kSort));
  return Sorter(ctx, std::move(options)).run();
}

Status cmd_sort_ro(Context& ctx) {
  OURO_TRY(SortOptions options, parse_sort(ctx, Form::kReadOnly));
  return Sorter(ctx, std::move(options)).run();
}

Status keys_of_sort_ro(Argv, FunctionRef<void(size_t, KeyUse)> fn) {
  fn(1, kReadOnly | kAccess);
  return Status::ok();
}

// The last STORE counts, as for SORT itself; the words that belong to LIMIT, GET and BY are
// skipped.
Status keys_of_sort(Argv argv, FunctionRef<void(size_t, KeyUse)> fn) {
  fn(1, kReadOnly | kAccess);
  size_t store = 0;
  for (size_t i = 2; i < argv.size(); ++i) {
    if (equals_ignoring_case(argv[i], "LIMIT")) {
      i += 2;
    } else if (equals_ignoring_case(argv[i], "GET") || equals_ignoring_case(argv[i], "BY")) {
      i += 1;
    } else if (equals_ignoring_case(argv[i], "STORE") && i + 1 < argv.size()) {
      store = i + 1;
    }
  }
  if (store != 0) fn(store, kOverwrite | kUpdate);
  return Status::ok();
}

constexpr CommandSpec kRows[] = {
    {.name = "SORT",
     .arity = at_least(2),
     .flags = Flag::kWrite | Flag::kDenyOom | Flag::kMovableKeys,
     .keys = {one_key(1, kReadOnly | kAccess),
              {.begin = KeySpec::Begin::kUnknown,
               .find = KeySpec::Find::kUnknown,
               .use = kReadOnly | kAccess},
              {.begin = KeySpec::Begin::kUnknown,
               .find = KeySpec::Find::kUnknown,
               .use = kOverwrite | kUpdate}},
     .acl = Acl::kSet | Acl::kSortedSet | Acl::kList | Acl::kDangerous,
     .handler = cmd_sort,
     .movable_keys = keys_of_sort,
     .doc = {.summary = "Sorts a list, set or sorted set; returns or stores the result.",
             .complexity = "O(N+M*log(M)), N elements read, M returned",
             .since = "1.0.0",
             .group = "generic",
             .args = "key:key#0 [BY=pattern:pattern#1] [LIMIT=offset_count:{offset:integer "
                     "count:integer}] [GET=pattern:pattern#1&...] [order:<asc!ASC | desc!DESC>] "
                     "[sorting!ALPHA] [STORE=destination:key#2]"}},
    {.name = "SORT_RO",
     .arity = at_least(2),
     .flags = Flag::kReadonly | Flag::kMovableKeys,
     .keys = {one_key(1, kReadOnly | kAccess),
              {.begin = KeySpec::Begin::kUnknown,
               .find = KeySpec::Find::kUnknown,
               .use = kReadOnly | kAccess}},
     .acl = Acl::kSet | Acl::kSortedSet | Acl::kList | Acl::kDangerous,
     .handler = cmd_sort_ro,
     .movable_keys = keys_of_sort_ro,
     .doc = {.summary = "Sorts a list, set or sorted set and returns the result.",
             .complexity = "O(N+M*log(M)), N elements read, M returned",
             .since = "7.0.0",
             .group = "generic",
             .args = "key:key#0 [BY=pattern:pattern#1] [LIMIT=offset_count:{offset:integer "
                     "count:integer}] [GET=pattern:pattern#1&...] [order:<asc!ASC | desc!DESC>] "
                     "[sorting!ALPHA]"}},
};
static_assert(table_is_valid(kRows));

}  // namespace

constinit const std::span<const CommandSpec> kSortCommands = kRows;

}  // namespace ouro
