// SPDX-License-Identifier: BSD-3-Clause
// SortedPages: small items in the order of their keys, in two levels. The table of everything in a
// stream: its nodes and pending entries by id, its groups and consumers by name.
//
//      pages            Page of up to 2 KiB
//      +---+            +------+----------+-----------+----
//      | * | ---------> | used | capacity | items ... |
//      | * | --+        +------+----------+-----------+----
//      +---+   +------> ...
//
// A search looks at the last item of some pages, then into one page: two binary searches. Appending
// and erasing in front, what a stream does, touch one page each: pages that are filled by appending
// stay full, and the array of pages has room at its front where pages have gone. An insert in the
// middle of a full page halves it; two neighbours of a quarter each become one.
//
// Several may have the same pages (share_from(): how a snapshot freezes a stream). A page counts
// them; who changes one that others have, too, takes a copy first: a page a change, whatever the
// size. So items are changed through own() alone.
//
// KeyOf::key(item) is the key, which has an order; no two items have the same. Items are copied as
// bytes and own nothing here; if they own something outside, KeyOf::share(heap, item) is the item
// that a copied page has instead. A Place and a pointer to an item die at the next insert, erase or
// own(). Cost: O(log n), and moving up to a page; share_from() 8 bytes and a count a page.
// Not here: memory_bytes(); the owner counts (HeapTally).
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "datastructs/base/check.h"
#include "datastructs/base/memory.h"
#include "datastructs/base/units.h"

namespace ouro {

template <class Item, class KeyOf>
class SortedPages {
  static_assert(std::is_trivially_copyable_v<Item>);

  struct alignas(8) Page {
    uint32_t used;
    uint16_t capacity;
    uint16_t pins;  // how many have it
    Item* items() noexcept { return reinterpret_cast<Item*>(this + 1); }
    const Item& last() noexcept { return items()[used - 1]; }
  };

 public:
  using Key = decltype(KeyOf::key(std::declval<const Item&>()));
  // NOLINTNEXTLINE(bugprone-sizeof-expression): an item may well be a pointer
  static constexpr size_t kItemBytes = sizeof(Item);
  static constexpr uint32_t kPageItems = static_cast<uint32_t>((2_KiB - sizeof(Page)) / kItemBytes);
  static_assert(alignof(Item) <= alignof(Page) && kPageItems >= 8);

  struct Place {
    uint32_t page = 0;
    uint32_t at = 0;
    friend bool operator==(Place, Place) noexcept = default;
  };

  SortedPages() = default;

  // ---- change
  // Its key must be absent.
  Item& insert(Heap& heap, const Item& item) noexcept {
    return insert_at(heap, lower_bound(KeyOf::key(item)), item);
  }
  // The same where all keys are below its own: no search.
  Item& append(Heap& heap, const Item& item) noexcept { return insert_at(heap, end(), item); }
  // The same where `place` is lower_bound() of its key.
  Item& insert_at(Heap& heap, Place place, const Item& item) noexcept;
  // Returns the place of the item behind.
  Place erase(Heap& heap, Place place) noexcept;
  // The item, to be changed; its key stays what it is.
  Item& own(Heap& heap, Place place) noexcept {
    return own_page(heap, place.page).items()[place.at];
  }
  // Becomes the same items in the same pages. Requires: empty().
  void share_from(Heap& heap, const SortedPages& other) noexcept;
  // Frees from the back. take(item) frees what the item owns: false if some of it is left for the
  // next slice; not called for pages that others have. A page costs one of the budget.
  template <class Take>
  bool free_some(Heap& heap, size_t& budget, Take take) noexcept;
  // The pages, not what the items own; those that others have are left to them.
  void release(Heap& heap) noexcept {
    for (uint32_t i = 0; i < count_; ++i)
      if (page(i)->pins > 1) heap.note_left(Heap::usable_bytes(page(i)));
    size_t budget = ~size_t{0};
    CHECK(free_some(heap, budget, [](const Item&) { return true; }));
  }

  // ---- ask
  size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  size_t page_count() const noexcept { return count_; }
  const Item* find(const Key& key) const noexcept {
    const Place place = lower_bound(key);
    if (place == end() || KeyOf::key(at(place)) != key) return nullptr;
    return &at(place);
  }
  // The first item whose key is not below `key`.
  Place lower_bound(const Key& key) const noexcept;
  Place begin() const noexcept { return {0, 0}; }
  Place end() const noexcept { return {count_, 0}; }
  const Item& at(Place place) const noexcept {
    DCHECK(place.page < count_);
    return page(place.page)->items()[place.at];
  }
  // Requires: not empty().
  const Item& front() const noexcept { return at(begin()); }
  const Item& back() const noexcept { return at(before(end())); }
  Place after(Place place) const noexcept {
    return place.at + 1 < page(place.page)->used ? Place{place.page, place.at + 1}
                                                 : Place{place.page + 1, 0};
  }
  // Requires: place != begin().
  Place before(Place place) const noexcept {
    return place.at > 0 ? Place{place.page, place.at - 1}
                        : Place{place.page - 1, page(place.page - 1)->used - 1};
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (Place place = begin(); place != end(); place = after(place)) visit(at(place));
  }
  void check_invariants() const;

 private:
  static constexpr uint32_t kPageItemsFirst = 4;

  static size_t page_bytes(uint32_t capacity) noexcept {
    return sizeof(Page) + capacity * kItemBytes;
  }
  Page*& page(uint32_t index) const noexcept { return pages_[first_ + index]; }
  void resize(Heap& heap, Page*& its, uint32_t capacity) noexcept {
    its = static_cast<Page*>(heap.reallocate(its, page_bytes(capacity)));
    its->capacity = static_cast<uint16_t>(capacity);
  }
  // The page, which nobody else has afterwards.
  Page& own_page(Heap& heap, uint32_t index) noexcept {
    Page*& its = page(index);
    if (its->pins > 1) [[unlikely]]
      its = copy_page(heap, its);
    return *its;
  }
  static Page* copy_page(Heap& heap, Page* shared) noexcept;
  Place make_room(Heap& heap, Place place) noexcept;
  void insert_page(Heap& heap, uint32_t index, uint32_t capacity) noexcept;
  void erase_page(Heap& heap, uint32_t index) noexcept;
  bool join(Heap& heap, uint32_t left) noexcept;

  Page** pages_ = nullptr;  // `capacity_` of them, in use are [first_, first_ + count_)
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  uint32_t capacity_ = 0;
  size_t size_ = 0;
};

template <class Item, class KeyOf>
void SortedPages<Item, KeyOf>::share_from(Heap& heap, const SortedPages& other) noexcept {
  CHECK(count_ == 0);
  if (other.count_ == 0) return;
  count_ = capacity_ = other.count_;
  size_ = other.size_;
  pages_ = static_cast<Page**>(heap.allocate(count_ * sizeof(void*)));
  std::memcpy(pages_, other.pages_ + other.first_, count_ * sizeof(void*));
  for (uint32_t i = 0; i < count_; ++i) ++pages_[i]->pins;
}

template <class Item, class KeyOf>
auto SortedPages<Item, KeyOf>::copy_page(Heap& heap, Page* shared) noexcept -> Page* {
  auto* const mine = static_cast<Page*>(heap.allocate(page_bytes(shared->capacity)));
  std::memcpy(static_cast<void*>(mine), shared, page_bytes(shared->used));
  mine->pins = 1;
  if constexpr (requires(const Item& item) { KeyOf::share(heap, item); }) {
    for (uint32_t i = 0; i < mine->used; ++i)
      mine->items()[i] = KeyOf::share(heap, mine->items()[i]);
  }
  --shared->pins;
  heap.note_left(Heap::usable_bytes(shared));
  return mine;
}

template <class Item, class KeyOf>
auto SortedPages<Item, KeyOf>::lower_bound(const Key& key) const noexcept -> Place {
  // Most that comes in is above all that is there.
  if (count_ == 0 || KeyOf::key(page(count_ - 1)->last()) < key) return end();
  uint32_t low = 0;
  for (uint32_t high = count_ - 1; low < high;) {
    const uint32_t middle = low + (high - low) / 2;
    if (KeyOf::key(page(middle)->last()) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  Page* const its = page(low);
  uint32_t at = 0;
  for (uint32_t high = its->used - 1; at < high;) {
    const uint32_t middle = at + (high - at) / 2;
    if (KeyOf::key(its->items()[middle]) < key) {
      at = middle + 1;
    } else {
      high = middle;
    }
  }
  return {low, at};
}

template <class Item, class KeyOf>
Item& SortedPages<Item, KeyOf>::insert_at(Heap& heap, Place place, const Item& item) noexcept {
  place = make_room(heap, place);
  Page* const its = &own_page(heap, place.page);
  Item* const spot = its->items() + place.at;
  std::memmove(static_cast<void*>(spot + 1), spot, (its->used - place.at) * kItemBytes);
  *spot = item;
  ++its->used;
  ++size_;
  return *spot;
}

// Where to put what was to stand at `place`, in a page that has room for it.
template <class Item, class KeyOf>
auto SortedPages<Item, KeyOf>::make_room(Heap& heap, Place place) noexcept -> Place {
  if (count_ == 0) {
    insert_page(heap, 0, kPageItemsFirst);
    return {0, 0};
  }
  if (place == end()) place = {count_ - 1, page(count_ - 1)->used};
  Page*& its = page(place.page);
  if (its->used < its->capacity) return place;
  if (its->capacity < kPageItems) {
    (void)own_page(heap, place.page);
    resize(heap, its, its->capacity * 2U < kPageItems ? its->capacity * 2U : kPageItems);
    return place;
  }
  insert_page(heap, place.page + 1, kPageItems);
  if (place.page + 2 == count_ && place.at == kPageItems) return {place.page + 1, 0};
  constexpr uint32_t kHalf = kPageItems / 2;
  Page* const left = &own_page(heap, place.page);
  Page* const right = page(place.page + 1);
  right->used = left->used - kHalf;
  std::memcpy(static_cast<void*>(right->items()), left->items() + kHalf, right->used * kItemBytes);
  left->used = kHalf;
  return place.at <= kHalf ? place : Place{place.page + 1, place.at - kHalf};
}

template <class Item, class KeyOf>
void SortedPages<Item, KeyOf>::insert_page(Heap& heap, uint32_t index, uint32_t capacity) noexcept {
  if (first_ + count_ == capacity_) {
    // Room at the front is used before more is asked for.
    if (first_ <= capacity_ / 4) {
      capacity_ += capacity_ / 2 + 1;
      pages_ = static_cast<Page**>(heap.reallocate(pages_, capacity_ * sizeof(void*)));
    } else {
      std::memmove(pages_, pages_ + first_, count_ * sizeof(void*));
      first_ = 0;
    }
  }
  Page** const spot = pages_ + first_ + index;
  std::memmove(spot + 1, spot, (count_ - index) * sizeof(void*));
  *spot = static_cast<Page*>(heap.allocate(page_bytes(capacity)));
  (*spot)->used = 0;
  (*spot)->capacity = static_cast<uint16_t>(capacity);
  (*spot)->pins = 1;
  ++count_;
}

template <class Item, class KeyOf>
void SortedPages<Item, KeyOf>::erase_page(Heap& heap, uint32_t index) noexcept {
  Page* const its = page(index);
  if (--its->pins == 0) heap.release(its);
  --count_;
  if (index == 0) {
    ++first_;
  } else {
    Page** const spot = pages_ + first_ + index;
    std::memmove(spot, spot + 1, (count_ - index) * sizeof(void*));
  }
  if (count_ > capacity_ / 4) return;
  if (count_ > 0) std::memmove(pages_, pages_ + first_, count_ * sizeof(void*));
  first_ = 0;
  capacity_ = count_ == 0 ? 0 : count_ + count_ / 2;
  if (capacity_ > 0) {
    pages_ = static_cast<Page**>(heap.reallocate(pages_, capacity_ * sizeof(void*)));
  } else {
    heap.release(pages_);
    pages_ = nullptr;
  }
}

template <class Item, class KeyOf>
auto SortedPages<Item, KeyOf>::erase(Heap& heap, Place place) noexcept -> Place {
  Page* const its = &own_page(heap, place.page);
  Item* const spot = its->items() + place.at;
  --its->used;
  --size_;
  std::memmove(static_cast<void*>(spot), spot + 1, (its->used - place.at) * kItemBytes);
  if (its->used == 0) {
    erase_page(heap, place.page);
    return {place.page, 0};
  }
  (void)join(heap, place.page);
  if (place.page > 0) {
    const uint32_t before = page(place.page - 1)->used;
    if (join(heap, place.page - 1)) place = {place.page - 1, before + place.at};
  }
  Page*& kept = page(place.page);
  if (kept->capacity > kPageItemsFirst && kept->used <= kept->capacity / 4)
    resize(heap, kept, kept->capacity / 2);
  return place.at == kept->used ? Place{place.page + 1, 0} : place;
}

// Pages of a quarter each become one, so that what is left of many does not keep them all, and none
// splits and joins in turns.
template <class Item, class KeyOf>
bool SortedPages<Item, KeyOf>::join(Heap& heap, uint32_t left) noexcept {
  if (left + 1 >= count_) return false;
  const uint32_t used = page(left)->used + page(left + 1)->used;
  if (used > kPageItems / 2) return false;
  Page* const from = &own_page(heap, left + 1);
  (void)own_page(heap, left);
  Page*& into = page(left);
  if (into->capacity < used) resize(heap, into, kPageItems);
  std::memcpy(static_cast<void*>(into->items() + into->used), from->items(),
              from->used * kItemBytes);
  into->used = used;
  erase_page(heap, left + 1);
  return true;
}

template <class Item, class KeyOf>
template <class Take>
bool SortedPages<Item, KeyOf>::free_some(Heap& heap, size_t& budget, Take take) noexcept {
  while (count_ > 0) {
    Page* const its = page(count_ - 1);
    if (its->pins == 1) {
      for (; its->used > 0; --its->used, --size_) {
        if (!take(its->last())) return false;
      }
    }
    if (budget == 0) return false;
    size_ -= its->used;
    --budget;
    erase_page(heap, count_ - 1);
  }
  return true;
}

template <class Item, class KeyOf>
void SortedPages<Item, KeyOf>::check_invariants() const {
  size_t size = 0;
  const Item* before = nullptr;
  CHECK(first_ + count_ <= capacity_);
  for (uint32_t i = 0; i < count_; ++i) {
    Page* const its = page(i);
    CHECK(its->pins > 0);
    CHECK(its->used > 0);
    CHECK(its->used <= its->capacity);
    CHECK(its->capacity <= kPageItems);
    for (uint32_t j = 0; j < its->used; ++j) {
      const Item& item = its->items()[j];
      if (before != nullptr) CHECK(KeyOf::key(*before) < KeyOf::key(item));
      before = &item;
    }
    size += its->used;
  }
  CHECK(size == size_);
  if (count_ == 0) CHECK(pages_ == nullptr);
}

}  // namespace ouro
