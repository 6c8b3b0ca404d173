// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/zset.h"

#include <algorithm>
#include <cmath>

#include "datastructs/base/check.h"
#include "datastructs/dict.h"
#include "datastructs/dict_view.h"
#include "datastructs/rank_tree.h"
#include "datastructs/scored_member.h"

namespace ouro {

template <>
struct DictTraits<ScoredMember> {
  static ByteView key(const ScoredMember& entry) { return entry.member(); }
};

namespace {

// Limits may be set to any number, yet a run is moved by each change and copied as a whole.
constexpr size_t kPackedBytesMax = 64_KiB;

// What is to become of an element that has `current`. Sets the score to keep.
ZAddResult decide(double current, double score, const ZAddRule& rule) noexcept {
  using Outcome = ZAddResult::Outcome;
  if (rule.only_new) return {Outcome::kRefused, current};
  if (rule.increment) score += current;
  if (std::isnan(score)) return {Outcome::kNotANumber, current};
  if (rule.only_greater && score <= current) return {Outcome::kRefused, current};
  if (rule.only_less && score >= current) return {Outcome::kRefused, current};
  const bool same_sign = !rule.zero_signs || std::signbit(score) == std::signbit(current);
  if (score == current && same_sign) return {Outcome::kSame, score};
  return {Outcome::kUpdated, score};
}

// A score as a packed set keeps it.
double packed_score(double score, const ZAddRule& rule) noexcept {
  return score == 0 && !rule.zero_signs ? 0 : score;
}

}  // namespace

struct ZSet::Table {
  Table(Heap& heap, HashSeed table_seed) : dict(heap, table_seed), tree(heap), seed(table_seed) {}

  void insert(Heap& heap, ByteView member, double score, Hash64 hash) {
    tree.insert(insert_unordered(heap, member, score, hash));
  }
  // The tree is still to get it.
  ScoredMember* insert_unordered(Heap& heap, ByteView member, double score, Hash64 hash) {
    ScoredMember* entry = ScoredMember::create(heap, member, score);
    entry_bytes += Heap::usable_bytes(entry);
    dict.insert(entry, hash);
    return entry;
  }
  void release(Heap& heap, ScoredMember* entry) {
    entry_bytes -= Heap::usable_bytes(entry);
    heap.release(entry);
  }

  Dict<ScoredMember> dict;
  RankTree tree;
  HashSeed seed;
  const Hash* deadlines = nullptr;  // for views, which do not know the handle
  size_t entry_bytes = 0;           // all entries by usable size
};

// What orders the elements: both kinds answer the same questions about bounds.
template <class Use>
auto ZSet::with_order(Use use) const {
  return is_table() ? use(table().tree) : use(packed());
}

// ---- lifetime

void ZSet::destroy(Heap& heap) noexcept {
  size_t budget = ~size_t{0};
  free_some(heap, budget);
}

bool ZSet::free_some(Heap& heap, size_t& budget) {
  if (!word_.free_deadlines(heap, budget)) return false;
  if (is_table()) {
    Table& all = table();
    if (!all.dict.free_some(budget, [&](ScoredMember* entry) { all.release(heap, entry); }))
      return false;
    if (!all.tree.free_some(budget)) return false;
    heap.destroy(&all);
  } else {
    if (budget == 0) return false;
    --budget;
    packed().destroy(heap);
  }
  word_.plain().clear();
  return true;
}

ZSet ZSet::copy(Heap& heap) const {
  ZSet made = copy_members(heap);
  word_.copy_deadlines_to(heap, made.word_);
  made.note_deadlines();
  return made;
}

ZSet ZSet::copy_members(Heap& heap) const {
  ZSet made;
  if (!is_table()) {
    made.keep(packed().copy(heap));
    return made;
  }
  const Table& from = table();
  Table* to = heap.make<Table>(heap, from.seed);
  made.word_.plain().set(Tag::kTable, to);
  for_each([&](ByteView member, double score) {
    to->insert(heap, member, score, to->dict.hash(member));
  });
  return made;
}

void ZSet::become_table(Heap& heap, HashSeed seed) {
  Table* to = heap.make<Table>(heap, seed);
  PackedScores from = packed();
  for_each([&](ByteView member, double score) {
    to->insert(heap, member, score, to->dict.hash(member));
  });
  from.destroy(heap);
  word_.plain().set(Tag::kTable, to);
  note_deadlines();
}

// ---- changes

ZAddResult ZSet::add(Heap& heap, const Limits& limits, HashSeed seed, ByteView member, double score,
                     const ZAddRule& rule) {
  DCHECK(!std::isnan(score));
  using Outcome = ZAddResult::Outcome;
  if (is_table()) {
    Table& all = table();
    const Hash64 hash = all.dict.hash(member);
    if (ScoredMember* entry = all.dict.find(member, hash); entry != nullptr) {
      const ZAddResult result = decide(entry->score, score, rule);
      if (result.outcome == Outcome::kUpdated) {
        all.dict.before_change(hash);
        all.tree.rescore(entry, result.score);
      }
      return result;
    }
    if (rule.only_existing) return {Outcome::kRefused, 0};
    all.insert(heap, member, score, hash);
    return {Outcome::kAdded, score};
  }
  PackedScores run = packed();
  if (const auto place = run.find(member); place != run.end()) {
    auto at = place;
    const ZAddResult result = decide(run.read(at).score, score, rule);
    if (result.outcome == Outcome::kUpdated) {
      run.erase(heap, place, 1);
      run.insert(heap, member, packed_score(result.score, rule));
      keep(run);
    }
    return result;
  }
  if (rule.only_existing) return {Outcome::kRefused, 0};
  insert_new(heap, limits, seed, member, score, rule);
  return {Outcome::kAdded, score};
}

// Into a packed set, which may have to become a table for it.
void ZSet::insert_new(Heap& heap, const Limits& limits, HashSeed seed, ByteView member,
                      double score, const ZAddRule& rule) {
  PackedScores run = packed();
  const bool fits = run.size() < limits.zset_packed_entries &&
                    member.size() <= limits.zset_packed_value_bytes &&
                    run.bytes() + PackedScores::record_bytes_max(member.size()) <= kPackedBytesMax;
  if (fits) {
    run.insert(heap, member, packed_score(score, rule));
    keep(run);
    return;
  }
  become_table(heap, seed);
  Table& all = table();
  all.insert(heap, member, score, all.dict.hash(member));
}

bool ZSet::remove(Heap& heap, ByteView member) {
  // First, since the name may be a view into what is removed.
  if (has_deadlines()) {
    announce(member);
    word_.forget(heap, member);
    note_deadlines();
  }
  return remove_member(heap, member);
}

bool ZSet::remove_member(Heap& heap, ByteView member) {
  if (is_table()) {
    Table& all = table();
    ScoredMember* entry = all.dict.take(member, all.dict.hash(member));
    if (entry == nullptr) return false;
    all.tree.erase(entry);
    all.release(heap, entry);
    return true;
  }
  PackedScores run = packed();
  const auto at = run.find(member);
  if (at == run.end()) return false;
  run.erase(heap, at, 1);
  keep(run);
  return true;
}

void ZSet::remove_ranks(Heap& heap, RankRange range) {
  DCHECK(range.begin <= range.end);
  DCHECK(range.end <= size());
  if (range.empty()) return;
  if (word_.is_timed()) {
    for_each(range, Direction::kAscending, [&](ByteView member, double) {
      announce(member);
      word_.forget(heap, member);
      note_deadlines();
    });
  }
  if (is_table()) {
    Table& all = table();
    all.tree.erase_ranks(range.begin, range.size(), [&](ScoredMember* entry) {
      const ByteView member = entry->member();
      CHECK(all.dict.take(member, all.dict.hash(member)) == entry);
      all.release(heap, entry);
    });
    return;
  }
  PackedScores run = packed();
  run.erase(heap, run.at_rank(range.begin), range.size());
  keep(run);
}

void ZSet::drop_zero_signs(Heap& heap) {
  if (is_table()) return;
  PackedScores run = packed();
  run.drop_zero_signs(heap);
  keep(run);
}

void ZSet::pop(Heap& heap, Direction direction, size_t count, Visit taken) {
  const RankRange range = all().window(direction, 0, count);
  for_each(range, direction, taken);
  remove_ranks(heap, range);
}

// ---- the builder

ZSetBuilder::ZSetBuilder(Heap& heap, const Limits& limits, HashSeed seed)
    : heap_(heap), limits_(limits), seed_(seed) {}

ZSetBuilder::~ZSetBuilder() { zset_.destroy(heap_); }

bool ZSetBuilder::add(ByteView member, double score) {
  if (!zset_.is_table()) {
    const ZAddResult result =
        zset_.add(heap_, limits_, seed_, member, score, {.only_new = true, .zero_signs = true});
    return result.outcome == ZAddResult::Outcome::kAdded;
  }
  DCHECK(!std::isnan(score));
  ZSet::Table& all = zset_.table();
  const Hash64 hash = all.dict.hash(member);
  if (all.dict.find(member, hash) != nullptr) return false;
  run_.emplace_back(score, all.insert_unordered(heap_, member, score, hash));
  if (run_.size() == kRunMax) order_run();
  return true;
}

void ZSetBuilder::order_run() {
  std::sort(run_.begin(), run_.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->member() < b.second->member();
  });
  for (const auto& [score, entry] : run_) zset_.table().tree.insert(entry);
  run_.clear();
}

ZSet ZSetBuilder::take() {
  order_run();
  // A table keeps -0.0, which may have come in before it was known that there will be one.
  zset_.drop_zero_signs(heap_);
  return std::exchange(zset_, ZSet());
}

// ---- members that end by the clock

bool ZSet::set_deadline(Heap& heap, HashSeed seed, ByteView member, UnixMs when) {
  if (!score(member)) return false;
  announce(member);
  word_.set_deadline(heap, seed, member, when);
  note_deadlines();
  return true;
}

size_t ZSet::expire_due(Heap& heap, UnixMs now, size_t& budget,
                        FunctionRef<void(ByteView member)> fn) {
  const size_t expired = word_.expire_due(heap, now, budget, [&](ByteView member) {
    fn(member);
    CHECK(remove_member(heap, member));
  });
  note_deadlines();
  return expired;
}

// ---- views

// The element or its deadline is about to change.
void ZSet::announce(ByteView member) {
  if (is_table()) table().dict.before_change(table().dict.hash(member));
}

// The deadlines may have come or gone.
void ZSet::note_deadlines() const {
  if (is_table()) table().deadlines = word_.deadlines();
}

bool ZSet::has_views() const noexcept { return is_table() && table().dict.has_views(); }

std::optional<DictStats> ZSet::table_stats() const {
  return is_table() ? std::optional(table().dict.stats()) : std::nullopt;
}

class ZSetView::Walk final : public DictView<ScoredMember> {
 public:
  Walk(ZSetView& view, ZSet::Table& table) : view_(view), table_(table) { begin(table.dict); }
  ~Walk() override { end(); }

 private:
  void save(ScoredMember& entry) override {
    const auto item =
        table_.deadlines == nullptr ? std::nullopt : table_.deadlines->find(entry.member());
    view_.save(entry.member(), entry.score, item ? item->deadline : kNoExpiry);
  }

  ZSetView& view_;
  ZSet::Table& table_;
};

ZSetView::ZSetView() = default;
ZSetView::~ZSetView() = default;
void ZSetView::begin(const ZSet& zset) { walk_ = std::make_unique<Walk>(*this, zset.table()); }
bool ZSetView::next(size_t& budget) { return walk_->next(budget); }

// ---- questions

size_t ZSet::size() const noexcept { return is_table() ? table().dict.size() : packed().size(); }

std::optional<double> ZSet::score(ByteView member) const {
  if (is_table()) {
    const ScoredMember* entry = table().dict.find(member);
    if (entry == nullptr) return std::nullopt;
    return entry->score;
  }
  const PackedScores run = packed();
  auto at = run.find(member);
  if (at == run.end()) return std::nullopt;
  return run.read(at).score;
}

std::optional<size_t> ZSet::rank(ByteView member) const {
  if (is_table()) {
    const ScoredMember* entry = table().dict.find(member);
    if (entry == nullptr) return std::nullopt;
    return table().tree.rank_of(entry);
  }
  return packed().rank_of(member);
}

RankRange ZSet::ranks(const ScoreRange& range) const {
  return with_order([&](const auto& order) {
    const size_t begin =
        range.without_min ? order.count_less_equal(range.min) : order.count_less(range.min);
    const size_t end =
        range.without_max ? order.count_less(range.max) : order.count_less_equal(range.max);
    return RankRange{begin, std::max(begin, end)};
  });
}

RankRange ZSet::ranks(const LexRange& range) const {
  using Kind = LexBound::Kind;
  return with_order([&](const auto& order) {
    // How many elements stand below the bound: as a lower bound it leaves out its member if it is
    // "without", as an upper one if it is "with".
    const auto below = [&](const LexBound& bound, Kind past_member) -> size_t {
      if (bound.kind == Kind::kLowest) return 0;
      if (bound.kind == Kind::kHighest) return order.size();
      return bound.kind == past_member ? order.count_less_equal(bound.member)
                                       : order.count_less(bound.member);
    };
    const size_t begin = below(range.min, Kind::kWithout);
    const size_t end = below(range.max, Kind::kWith);
    return RankRange{begin, std::max(begin, end)};
  });
}

ScoredView ZSet::at(size_t rank) const {
  DCHECK(rank < size());
  if (is_table()) {
    const ScoredMember* entry = table().tree.at(rank);
    return {entry->member(), entry->score};
  }
  const PackedScores run = packed();
  auto at = run.at_rank(rank);
  return run.read(at);
}

void ZSet::for_each(RankRange range, Direction direction, Visit visit) const {
  DCHECK(range.begin <= range.end);
  DCHECK(range.end <= size());
  if (range.empty()) return;
  if (!is_table()) return packed().for_each(range, direction, visit);
  const bool ascending = direction == Direction::kAscending;
  auto cursor = table().tree.cursor_at(ascending ? range.begin : range.end - 1);
  for (size_t left = range.size(); left > 0; --left) {
    visit(cursor.entry()->member(), cursor.score());
    ascending ? cursor.next() : cursor.prev();
  }
}

void ZSet::for_each_wanted(const ScoreRange& range, FunctionRef<bool(double score)> wanted,
                           FunctionRef<bool(ByteView member, double score)> visit) const {
  const auto is_beyond = [&range](double score) {
    return range.without_max ? score >= range.max : score > range.max;
  };
  if (is_table()) {
    auto cursor = table().tree.cursor_at_score(range.min, range.without_min);
    for (; cursor.valid() && !is_beyond(cursor.score()); cursor.next()) {
      if (wanted(cursor.score()) && !visit(cursor.entry()->member(), cursor.score())) return;
    }
    return;
  }
  const PackedScores run = packed();
  auto at =
      run.at_rank(range.without_min ? run.count_less_equal(range.min) : run.count_less(range.min));
  while (at != run.end()) {
    const ScoredView element = run.read(at);
    if (is_beyond(element.score)) return;
    if (wanted(element.score) && !visit(element.member, element.score)) return;
  }
}

uint64_t ZSet::scan(uint64_t cursor, Visit visit) const {
  if (is_table()) {
    return table().dict.scan(cursor,
                             [&](ScoredMember& entry) { visit(entry.member(), entry.score); });
  }
  for_each(visit);
  return 0;
}

ByteView ZSet::encoding() const noexcept { return is_table() ? "skiplist" : "listpack"; }

size_t ZSet::memory_bytes() const noexcept {
  const size_t deadlines = word_.deadlines_bytes();
  if (!is_table()) return deadlines + packed().memory_bytes();
  const Table& all = table();
  return deadlines + Heap::usable_bytes(&all) + all.entry_bytes + all.dict.memory_bytes() +
         all.tree.memory_bytes();
}

size_t ZSet::free_effort() const noexcept {
  return word_.deadlines_count() + (is_table() ? table().dict.size() : 1);
}

void ZSet::check_invariants() const {
  check_members();
  word_.check_deadlines();
  word_.for_each_deadline([this](ByteView member, UnixMs when) {
    CHECK(score(member));
    CHECK(when != kNoExpiry);
  });
}

void ZSet::check_members() const {
  if (!is_table()) return packed().check_invariants();
  const Table& all = table();
  all.dict.check_invariants();
  all.tree.check_invariants();
  CHECK(all.dict.size() == all.tree.size());
  size_t bytes = 0;
  all.dict.for_each([&](ScoredMember& entry) {
    bytes += Heap::usable_bytes(&entry);
    CHECK(all.tree.at(all.tree.rank_of(&entry)) == &entry);
  });
  CHECK(bytes == all.entry_bytes);
}

}  // namespace ouro
