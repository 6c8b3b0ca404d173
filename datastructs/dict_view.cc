// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/dict_view.h"

#include <bit>
#include <new>

#include "datastructs/dict_extra.h"

namespace ouro {

// ---- the view's side

void DictViewCore::begin(DictCore& dict) {
  CHECK(dict_ == nullptr);
  CHECK(dict.view_count_ < kDictViewsMax);
  CHECK(dict.freed_prefix_ == 0);
  DictExtra& extra = dict.extra();
  index_ = 0;
  while (extra.views[index_] != nullptr) ++index_;
  extra.views[index_] = this;
  ++dict.view_count_;
  dict_ = &dict;
  epoch_ = ++extra.epoch;
  at_ = dict.root_ == 0 ? kDictPrefixEnd : 0;
}

void DictViewCore::end() {
  if (dict_ == nullptr) return;
  dict_->extra_->views[index_] = nullptr;
  --dict_->view_count_;
  dict_ = nullptr;
}

bool DictViewCore::next(size_t& budget) {
  CHECK(is_open() || is_complete());
  while (!is_complete()) {
    DictSegment& segment = *dict_->segment_at(at_);
    const auto home = static_cast<unsigned>(std::countr_one(saved_homes(segment)));
    if (home >= segment.homes) {
      at_ = segment.prefix_end();
      // The bits of the last view here are of no use to anybody.
      if (dict_->view_count_ == 1) {
        dict_->release(segment.saved);
        segment.saved = nullptr;
      }
      continue;
    }
    const size_t cost = 1 + save_home(segment, home);
    if (cost >= budget) {
      budget = 0;
      return false;
    }
    budget -= cost;
  }
  return true;
}

uint64_t DictViewCore::saved_homes(const DictSegment& segment) const {
  const DictSaved* saved = segment.saved;
  return saved != nullptr && saved->epoch[index_] == epoch_ ? saved->homes[index_] : 0;
}

bool DictViewCore::has_saved(const DictSegment& segment, unsigned home) const {
  return segment.prefix < at_ || (saved_homes(segment) >> home & 1) != 0;
}

size_t DictViewCore::save_home(DictSegment& segment, unsigned home) {
  if (has_saved(segment, home)) return 0;
  DictSaved& saved = dict_->saved_of(segment);
  saved.homes[index_] = saved_homes(segment) | uint64_t{1} << home;
  saved.epoch[index_] = epoch_;
  size_t count = 0;
  visit_home(segment, home, [&](void* entry) {
    save_entry(entry);
    ++count;
  });
  return count;
}

// ---- the table's side

void DictCore::leave_views() {
  if (view_count_ == 0) return;
  for (DictViewCore* view : extra_->views) {
    if (view == nullptr) continue;
    view->at_ = kDictPrefixEnd;
    view->end();
  }
}

DictSaved& DictCore::saved_of(DictSegment& segment) {
  if (segment.saved == nullptr) segment.saved = new (allocate(sizeof(DictSaved))) DictSaved();
  return *segment.saved;
}

void DictCore::save_for_views(Hash64 hash) {
  const DictWord word = locate(hash);
  if (word == 0) return;
  DictSegment& segment = *segment_of(word);
  for (DictViewCore* view : extra_->views)
    if (view != nullptr) view->save_home(segment, home_of(hash, segment.homes));
}

void DictCore::save_all(DictSegment& segment) {
  for (DictViewCore* view : extra_->views) {
    if (view == nullptr || segment.prefix < view->at_) continue;
    for (unsigned home = 0; home < segment.homes; ++home) view->save_home(segment, home);
  }
}

// Tells a new segment what the views have saved of the one it came from. If the homes are not the
// same, all is saved.
void DictCore::copy_saved(const DictSegment& from, DictSegment& to) {
  if (from.homes == to.homes) {
    if (from.saved != nullptr) saved_of(to) = *from.saved;
    return;
  }
  for (const DictViewCore* view : extra_->views) {
    if (view == nullptr || from.prefix < view->at_) continue;
    saved_of(to).homes[view->index_] = (uint64_t{1} << to.homes) - 1;
    saved_of(to).epoch[view->index_] = view->epoch_;
  }
}

}  // namespace ouro
