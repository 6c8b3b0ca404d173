// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/keyspace/freeze.h"

namespace ouro {

class FrozenView::Table final : public DictView<Entry> {
 public:
  Table(Keyspace& keyspace, DbIndex db, Saver& saver) : db_(db), saver_(saver) {
    keyspace.begin_view(*this);
  }
  ~Table() override { end(); }

 private:
  void save(Entry& entry) override { saver_.save(db_, entry); }

  DbIndex db_;
  Saver& saver_;
};

FrozenView::FrozenView(Databases& databases, Saver& saver)
    : heap_(databases[0].heap()), left_before_(heap_.left_bytes()) {
  for (DbIndex db = 0; db < databases.count(); ++db) {
    Keyspace& keyspace = databases[db];
    if (keyspace.size() == 0) continue;
    frozen_.push_back(
        {.db = db, .keys = keyspace.size(), .keys_with_deadline = keyspace.expires_count()});
    tables_.push_back(std::make_unique<Table>(keyspace, db, saver));
  }
}

FrozenView::~FrozenView() = default;

bool FrozenView::next(size_t& budget) {
  while (!is_complete() && tables_[at_]->next(budget)) ++at_;
  return is_complete();
}

}  // namespace ouro
