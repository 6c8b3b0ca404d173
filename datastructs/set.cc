// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/set.h"

#include <algorithm>
#include <cstring>

#include "datastructs/base/check.h"
#include "datastructs/dict.h"
#include "datastructs/dict_view.h"
#include "datastructs/length_code.h"

namespace ouro {
namespace {

// Limits may be set to any number, yet a run is walked by each question and moved by each change.
constexpr size_t kPackedBytesMax = 8_KiB;

ByteView print(int64_t value, IntText& text) noexcept {
  return {text.bytes, format_int64(value, text.bytes)};
}

}  // namespace

// A member of a table: its bytes behind their length code, in one allocation.
struct SetMember {
  ByteView bytes() const noexcept {
    size_t length;
    const char* from = length_code::read(reinterpret_cast<const char*>(this), length);
    return {from, length};
  }
  // Freed by heap.release().
  static SetMember* create(Heap& heap, ByteView member) noexcept {
    void* block = heap.allocate(length_code::bytes_for(member.size()) + member.size());
    char* to = length_code::write(static_cast<char*>(block), member.size());
    if (!member.empty()) std::memcpy(to, member.data(), member.size());
    return static_cast<SetMember*>(block);
  }
};

template <>
struct DictTraits<SetMember> {
  static ByteView key(const SetMember& member) { return member.bytes(); }
};

struct Set::Table {
  Table(Heap& heap, HashSeed table_seed) : dict(heap, table_seed), seed(table_seed) {}

  void insert(Heap& heap, ByteView bytes, Hash64 hash) {
    SetMember* member = SetMember::create(heap, bytes);
    member_bytes += Heap::usable_bytes(member);
    dict.insert(member, hash);
  }
  void release(Heap& heap, SetMember* member) {
    member_bytes -= Heap::usable_bytes(member);
    heap.release(member);
  }

  Dict<SetMember> dict;
  HashSeed seed;
  size_t member_bytes = 0;          // all members by usable size
  const Hash* deadlines = nullptr;  // for views, which do not know the handle
};

// ---- lifetime

void Set::destroy(Heap& heap) noexcept {
  size_t budget = ~size_t{0};
  free_some(heap, budget);
}

bool Set::free_some(Heap& heap, size_t& budget) {
  if (!word_.free_deadlines(heap, budget)) return false;
  if (tag() == Tag::kTable) {
    Table& all = table();
    if (!all.dict.free_some(budget, [&](SetMember* member) { all.release(heap, member); })) {
      return false;
    }
    heap.destroy(&all);
  } else {
    if (budget == 0) return false;
    --budget;
    heap.release(word_.plain().pointer());
  }
  word_.plain().clear();
  return true;
}

Set Set::copy(Heap& heap) const {
  Set made = copy_members(heap);
  word_.copy_deadlines_to(heap, made.word_);
  made.note_deadlines();
  return made;
}

Set Set::copy_members(Heap& heap) const {
  Set made;
  switch (tag()) {
    case Tag::kNone:
      break;
    case Tag::kInts:
      made.word_.plain().set(Tag::kInts, ints().copy(heap).raw());
      break;
    case Tag::kPacked:
      made.word_.plain().set(Tag::kPacked, packed().copy(heap).block());
      break;
    case Tag::kTable: {
      Table* to = heap.make<Table>(heap, table().seed);
      for_each([&](ByteView member) { to->insert(heap, member, to->dict.hash(member)); });
      made.word_.plain().set(Tag::kTable, to);
    }
  }
  return made;
}

// ---- changes

bool Set::add(Heap& heap, const Limits& limits, HashSeed seed, ByteView member) {
  if (tag() == Tag::kTable) {
    Table& all = table();
    const Hash64 hash = all.dict.hash(member);
    if (all.dict.find(member, hash) != nullptr) return false;
    all.insert(heap, member, hash);
    return true;
  }
  if (tag() == Tag::kPacked) return add_packed(heap, limits, seed, member);
  if (const auto value = parse_int64(member)) return add_integer(heap, limits, seed, *value);
  if (tag() == Tag::kInts) {
    leave_ints(heap, limits, seed);
    return add(heap, limits, seed, member);
  }
  return add_packed(heap, limits, seed, member);
}

bool Set::add_integer(Heap& heap, const Limits& limits, HashSeed seed, int64_t value) {
  IntSet all = ints();
  const bool added = all.add(heap, value);
  word_.plain().set(Tag::kInts, all.raw());
  // Only a set that grows is looked at: one above a lowered limit stays as it is.
  if (added && all.size() > limits.set_ints_entries) leave_ints(heap, limits, seed);
  return added;
}

bool Set::add_packed(Heap& heap, const Limits& limits, HashSeed seed, ByteView member) {
  Packed run = packed();
  if (run.find(member, 1) != run.end()) return false;
  const bool fits = run.count() < limits.set_packed_entries &&
                    member.size() <= limits.set_packed_value_bytes &&
                    run.bytes() + Packed::entry_bytes(member.size()) <= kPackedBytesMax;
  if (fits) {
    run.append(heap, {member});
    word_.plain().set(Tag::kPacked, run.block());
    return true;
  }
  become_table(heap, seed);
  Table& all = table();
  all.insert(heap, member, all.dict.hash(member));
  return true;
}

// Turns integers into text: packed if its limits allow, else a table.
void Set::leave_ints(Heap& heap, const Limits& limits, HashSeed seed) {
  IntSet from = ints();
  const bool fits = from.size() <= limits.set_packed_entries &&
                    kInt64TextMax <= limits.set_packed_value_bytes &&
                    from.size() * Packed::entry_bytes(kInt64TextMax) <= kPackedBytesMax / 2;
  if (!fits) return become_table(heap, seed);
  Packed to;
  for_each([&](ByteView member) { to.append(heap, {member}); });
  from.destroy(heap);
  word_.plain().set(Tag::kPacked, to.block());
}

void Set::become_table(Heap& heap, HashSeed seed) {
  Table* to = heap.make<Table>(heap, seed);
  for_each([&](ByteView member) { to->insert(heap, member, to->dict.hash(member)); });
  heap.release(word_.plain().pointer());
  word_.plain().set(Tag::kTable, to);
  note_deadlines();
}

bool Set::remove(Heap& heap, ByteView member) {
  // First, since the name may be a view into what is removed.
  if (has_deadlines()) {
    announce(member);
    word_.forget(heap, member);
    note_deadlines();
  }
  return remove_member(heap, member);
}

bool Set::remove_member(Heap& heap, ByteView member) {
  switch (tag()) {
    case Tag::kNone:
      return false;
    case Tag::kInts: {
      const auto value = parse_int64(member);
      IntSet all = ints();
      if (!value || !all.remove(heap, *value)) return false;
      word_.plain().set(Tag::kInts, all.raw());
      return true;
    }
    case Tag::kPacked: {
      Packed run = packed();
      const auto at = run.find(member, 1);
      if (at == run.end()) return false;
      run.erase(heap, at, 1);
      word_.plain().set(Tag::kPacked, run.block());
      return true;
    }
    case Tag::kTable: {
      Table& all = table();
      SetMember* taken = all.dict.take(member, all.dict.hash(member));
      if (taken == nullptr) return false;
      all.release(heap, taken);
      return true;
    }
  }
  OURO_UNREACHABLE();
}

void Set::pop_random(Heap& heap, Prng& prng, size_t count, Visit taken) {
  IntText text;
  for (size_t left = std::min(count, size()); left > 0; --left) {
    const ByteView member = random(prng, text);
    taken(member);
    CHECK(remove(heap, member));
  }
}

// ---- members that end by the clock

bool Set::set_deadline(Heap& heap, HashSeed seed, ByteView member, UnixMs when) {
  if (!contains(member)) return false;
  announce(member);
  word_.set_deadline(heap, seed, member, when);
  note_deadlines();
  return true;
}

size_t Set::expire_due(Heap& heap, UnixMs now, size_t& budget, Visit fn) {
  const size_t expired = word_.expire_due(heap, now, budget, [&](ByteView member) {
    fn(member);
    CHECK(remove_member(heap, member));
  });
  note_deadlines();
  return expired;
}

// ---- views

// The member or its deadline is about to change.
void Set::announce(ByteView member) {
  if (is_table()) table().dict.before_change(table().dict.hash(member));
}

// The deadlines may have come or gone.
void Set::note_deadlines() const {
  if (is_table()) table().deadlines = word_.deadlines();
}

bool Set::has_views() const noexcept { return is_table() && table().dict.has_views(); }

std::optional<DictStats> Set::table_stats() const {
  return is_table() ? std::optional(table().dict.stats()) : std::nullopt;
}

class SetView::Walk final : public DictView<SetMember> {
 public:
  Walk(SetView& view, Set::Table& table) : view_(view), table_(table) { begin(table.dict); }
  ~Walk() override { end(); }

 private:
  void save(SetMember& member) override {
    const auto item =
        table_.deadlines == nullptr ? std::nullopt : table_.deadlines->find(member.bytes());
    view_.save(member.bytes(), item ? item->deadline : kNoExpiry);
  }

  SetView& view_;
  Set::Table& table_;
};

SetView::SetView() = default;
SetView::~SetView() = default;
void SetView::begin(const Set& set) { walk_ = std::make_unique<Walk>(*this, set.table()); }
bool SetView::next(size_t& budget) { return walk_->next(budget); }

// ---- questions

size_t Set::size() const noexcept {
  switch (tag()) {
    case Tag::kNone:
      return 0;
    case Tag::kInts:
      return ints().size();
    case Tag::kPacked:
      return packed().count();
    case Tag::kTable:
      return table().dict.size();
  }
  OURO_UNREACHABLE();
}

bool Set::contains(ByteView member) const {
  switch (tag()) {
    case Tag::kNone:
      return false;
    case Tag::kInts: {
      const auto value = parse_int64(member);
      return value && ints().contains(*value);
    }
    case Tag::kPacked:
      return packed().find(member, 1) != packed().end();
    case Tag::kTable:
      return table().dict.find(member) != nullptr;
  }
  OURO_UNREACHABLE();
}

ByteView Set::random(Prng& prng, IntText& text) const {
  DCHECK(!empty());
  if (tag() == Tag::kInts) return print(ints().random(prng), text);
  if (tag() == Tag::kTable) return table().dict.random(prng)->bytes();
  const Packed run = packed();
  return run.get(run.at_index(prng.below(run.count())));
}

void Set::for_each(Visit visit) const {
  if (tag() == Tag::kTable) {
    table().dict.for_each([&](SetMember& member) { visit(member.bytes()); });
    return;
  }
  for_each_while([&](ByteView member) {
    visit(member);
    return true;
  });
}

void Set::for_each_while(FunctionRef<bool(ByteView)> visit) const {
  switch (tag()) {
    case Tag::kNone:
      return;
    case Tag::kInts: {
      const IntSet all = ints();
      IntText text;
      for (size_t index = 0; index < all.size(); ++index) {
        if (!visit(print(all.at(index), text))) return;
      }
      return;
    }
    case Tag::kPacked: {
      const Packed run = packed();
      for (auto at = run.begin(); at != run.end();) {
        if (!visit(run.read(at))) return;
      }
      return;
    }
    case Tag::kTable:
      return table().dict.for_each_while([&](SetMember& member) { return visit(member.bytes()); });
  }
}

uint64_t Set::scan(uint64_t cursor, Visit visit) const {
  if (tag() == Tag::kTable) {
    return table().dict.scan(cursor, [&](SetMember& member) { visit(member.bytes()); });
  }
  for_each(visit);
  return 0;
}

ByteView Set::encoding() const noexcept { return tag() == Tag::kInts ? "intset" : "hashtable"; }

size_t Set::memory_bytes() const noexcept {
  if (word_.plain().pointer() == nullptr) return word_.deadlines_bytes();
  const size_t own = Heap::usable_bytes(word_.plain().pointer()) + word_.deadlines_bytes();
  if (tag() != Tag::kTable) return own;
  return own + table().member_bytes + table().dict.memory_bytes();
}

size_t Set::free_effort() const noexcept {
  return word_.deadlines_count() + (tag() == Tag::kTable ? table().dict.size() : 1);
}

void Set::check_invariants() const {
  check_members();
  word_.check_deadlines();
  word_.for_each_deadline([this](ByteView member, UnixMs when) {
    CHECK(contains(member));
    CHECK(when != kNoExpiry);
  });
}

void Set::check_members() const {
  switch (tag()) {
    case Tag::kNone:
      return;
    case Tag::kInts:
      return ints().check_invariants();
    case Tag::kPacked: {
      const Packed run = packed();
      run.check_invariants();
      for (auto at = run.begin(); at != run.end();) {
        const auto here = at;
        CHECK(run.find(run.read(at), 1) == here);
      }
      return;
    }
    case Tag::kTable: {
      const Table& all = table();
      all.dict.check_invariants();
      size_t bytes = 0;
      all.dict.for_each([&](SetMember& member) { bytes += Heap::usable_bytes(&member); });
      CHECK(bytes == all.member_bytes);
    }
  }
}

}  // namespace ouro
