// SPDX-License-Identifier: BSD-3-Clause
// Heap: where a cache's memory comes from, and the exact count of it.
//
// Every structure that allocates is handed the Heap of its cache: small value types take it as the
// first argument of each call that may allocate or free, large ones (Dict, RankTree) keep a
// reference. So five servers in one process count apart, and an embedding host can see what each
// cache holds.
//
// used_bytes() is the sum of the *usable* sizes of all live blocks, never the allocator's own
// totals: what is counted at allocation is subtracted at release, whatever the allocator does in
// between. What is kept for a cache in containers that allocate elsewhere is added as its keeper
// counts it (HeapShare). A failed allocation aborts: maxmemory is enforced before, by a gate. Cost:
// the allocator's plus one look-up of the usable size (about 2 ns).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace ouro {

class Heap {
 public:
  Heap() = default;
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  void* allocate(size_t bytes) noexcept;
  // Alignment is a power of two, at most 4096.
  void* allocate_aligned(size_t bytes, size_t alignment) noexcept;
  // As realloc: keeps the contents up to the smaller size. block may be null. Not for aligned
  // blocks.
  void* reallocate(void* block, size_t bytes) noexcept;
  // block may be null.
  void release(void* block) noexcept;

  template <class T, class... Args>
  T* make(Args&&... args) noexcept {
    return new (alignof(T) > alignof(std::max_align_t) ? allocate_aligned(sizeof(T), alignof(T))
                                                       : allocate(sizeof(T)))
        T(std::forward<Args>(args)...);
  }
  template <class T>
  void destroy(T* object) noexcept {
    if (object == nullptr) return;
    object->~T();
    release(object);
  }

  // A block of so many bytes is left to those who share it: the one who had it as well has put a
  // copy in its place, or needs it no more.
  void note_left(size_t bytes) noexcept {
    left_bytes_ += bytes;
    if (shares_ > 0) [[unlikely]]
      shares_bytes_ += bytes;
  }

  // The same, but a copy has been made for a view, which alone has it.
  void note_copied(size_t bytes) noexcept { left_bytes_ += bytes; }

  // The same, but replies that are on their way have it: it is freed when they have been sent.
  void note_lent(size_t bytes) noexcept { lent_bytes_ += bytes; }

  // Memory in use that only a frozen view still reads, since its key is gone or has another: it
  // comes back when it has been read.
  size_t kept_bytes() const noexcept { return kept_bytes_ + shares_bytes_; }
  // Of it, strings and tables.
  void note_kept(size_t bytes) noexcept { kept_bytes_ += bytes; }
  void note_returned(size_t bytes) noexcept { kept_bytes_ -= bytes; }
  // Of it, what shares of values (shared_value.h) have alone: what it took to make each, what is
  // left to them, less what they free.
  bool has_shares() const noexcept { return shares_ > 0; }
  void add_share(size_t bytes) noexcept {
    ++shares_;
    shares_bytes_ += bytes;
  }
  void shrink_share(size_t bytes) noexcept { shares_bytes_ -= std::min(bytes, shares_bytes_); }
  void drop_share() noexcept {
    if (--shares_ == 0) shares_bytes_ = 0;
  }
  // Of the memory in use: what waits to be sent to peers, as those say who hold it.
  void add_unsent(size_t bytes) noexcept { unsent_bytes_ += bytes; }
  void drop_unsent(size_t bytes) noexcept { unsent_bytes_ -= bytes; }
  size_t unsent_bytes() const noexcept { return unsent_bytes_; }

  size_t used_bytes() const noexcept { return used_bytes_; }
  // All that was left so, ever: what it costs that frozen views still see what has changed.
  size_t left_bytes() const noexcept { return left_bytes_; }
  // What falls by all that somebody gives up: freed, left or lent. For differences only.
  size_t own_bytes() const noexcept { return used_bytes_ - left_bytes_ - lent_bytes_; }
  // free() gives up so many bytes: what it neither frees nor leaves by a word is left to shares.
  template <class Free>
  void give_up(size_t bytes, Free free) noexcept {
    const size_t before = own_bytes();
    free();
    note_left(bytes - std::min(bytes, before - own_bytes()));
  }
  size_t peak_bytes() const noexcept { return peak_bytes_; }
  void reset_peak() noexcept { peak_bytes_ = used_bytes_; }

  // The whole size of a block as the allocator rounds it.
  static size_t usable_bytes(const void* block) noexcept;

 private:
  friend class HeapShare;

  void add(size_t bytes) noexcept {
    used_bytes_ += bytes;
    if (used_bytes_ > peak_bytes_) peak_bytes_ = used_bytes_;
  }

  size_t used_bytes_ = 0;
  size_t peak_bytes_ = 0;
  size_t left_bytes_ = 0;
  size_t lent_bytes_ = 0;
  size_t kept_bytes_ = 0;
  size_t shares_ = 0;
  size_t shares_bytes_ = 0;
  size_t unsent_bytes_ = 0;
};

// What somebody keeps for a cache in containers of its own, as it counts that itself. Gives all of
// it back when it goes, before the heap does.
class HeapShare {
 public:
  explicit HeapShare(Heap& heap) noexcept : heap_(heap) {}
  ~HeapShare() { remove(bytes_); }
  HeapShare(const HeapShare&) = delete;
  HeapShare& operator=(const HeapShare&) = delete;

  size_t bytes() const noexcept { return bytes_; }
  void add(size_t bytes) noexcept {
    bytes_ += bytes;
    heap_.add(bytes);
  }
  // Requires: so much was added.
  void remove(size_t bytes) noexcept {
    bytes_ -= bytes;
    heap_.used_bytes_ -= bytes;
  }
  void resize(size_t bytes) noexcept {
    remove(bytes_);
    add(bytes);
  }

 private:
  Heap& heap_;
  size_t bytes_ = 0;
};

// Adds to a counter what a heap has grown by while this lives, less what was left to others: how a
// large structure knows its size exactly without asking each of its blocks. Nothing else may use
// the heap meanwhile, and no two may count the same.
class HeapTally {
 public:
  HeapTally(const Heap& heap, size_t& counter) noexcept
      : heap_(heap), counter_(counter), before_(heap.own_bytes()) {}
  ~HeapTally() { counter_ += heap_.own_bytes() - before_; }
  HeapTally(const HeapTally&) = delete;
  HeapTally& operator=(const HeapTally&) = delete;

 private:
  const Heap& heap_;
  size_t& counter_;
  size_t before_;
};

// Lets a standard container count in a Heap.
template <class T>
class HeapAllocator {
 public:
  using value_type = T;
  explicit HeapAllocator(Heap& heap) noexcept : heap_(&heap) {}
  template <class U>
  // NOLINTNEXTLINE(google-explicit-constructor): containers convert it for their nodes
  HeapAllocator(const HeapAllocator<U>& other) noexcept : heap_(&other.heap()) {}

  // NOLINTNEXTLINE(bugprone-sizeof-expression): a T may well be a pointer
  T* allocate(size_t count) { return static_cast<T*>(heap_->allocate(count * sizeof(T))); }
  void deallocate(T* block, size_t) noexcept { heap_->release(block); }
  Heap& heap() const noexcept { return *heap_; }
  template <class U>
  bool operator==(const HeapAllocator<U>& other) const noexcept {
    return heap_ == &other.heap();
  }

 private:
  Heap* heap_;
};

}  // namespace ouro
