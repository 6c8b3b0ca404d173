// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/freeze.h"

namespace ouro {

class FrozenView::Table final : public DictView<Entry> {
 public:
  Table(DbIndex db, Standing standing, Saver& saver)
      : db_(db), standing_(standing), saver_(saver) {}
  ~Table() override { end(); }

 private:
  void save(Entry& entry) override { saver_.save(db_, entry, standing_); }

  DbIndex db_;
  Standing standing_;
  Saver& saver_;
};

FrozenView::FrozenView(Databases& databases, Saver& saver)
    : heap_(databases[0].heap()), left_before_(heap_.left_bytes()) {
  for (DbIndex db = 0; db < databases.count(); ++db) {
    Keyspace& keyspace = databases[db];
    const auto add = [&](Standing standing) -> Table& {
      return *tables_.emplace_back(std::make_unique<Table>(db, standing, saver));
    };
    Aside* aside = keyspace.aside();
    const bool knows_more = aside != nullptr && !aside->empty();
    if (keyspace.size() == 0 && !knows_more) continue;
    frozen_.push_back(
        {.db = db, .keys = keyspace.size(), .keys_with_deadline = keyspace.expires_count()});
    if (keyspace.size() > 0) keyspace.begin_view(add(Standing::kPresent));
    if (!knows_more) continue;
    if (aside->stale_count() > 0) aside->begin_view_of_stale(add(Standing::kStale));
    if (aside->absent_count() > 0) aside->begin_view_of_absent(add(Standing::kAbsent));
  }
}

FrozenView::~FrozenView() = default;

bool FrozenView::next(size_t& budget) {
  while (!is_complete() && tables_[at_]->next(budget)) ++at_;
  return is_complete();
}

}  // namespace ouro
