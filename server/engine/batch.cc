// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/batch.h"

#include <algorithm>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// Distances of the two prefetch stages ahead of the running command, in commands: the bucket's line
// first, then, when that has arrived, the entry it points to.
constexpr size_t kBucketAhead = 16;
constexpr size_t kEntryAhead = 8;

}  // namespace

Batch::Batch(Engine& engine)
    : engine_(engine), arena_(engine.heap), items_(HeapAllocator<Item>(engine.heap)) {}

void Batch::forget(Session& session) {
  for (size_t i = 0; i < count_; ++i) {
    if (items_[i].session == &session) items_[i].session = nullptr;
  }
  std::erase(fed_, &session);
  std::erase(unfinished_, &session);
  std::replace(parsing_.begin(), parsing_.end(), &session, static_cast<Session*>(nullptr));
}

// Finds the row and hashes the first key.
void Batch::prepare(Item& item) {
  if (item.command.argv.empty() || item.session == nullptr) return;
  item.spec = engine_.executor.resolve(item.command.argv);
  if (item.spec == nullptr) return;
  const size_t at = first_key_index(*item.spec);
  if (at == 0 || at >= item.command.argv.size()) return;
  const Keyspace& db = engine_.dbs[item.session->caller().db];
  item.first_key = db.key(item.command.argv[at]);
  db.prefetch_bucket(item.first_key.hash);
}

void Batch::run() {
  const size_t count = count_;
  for (size_t i = 0; i < std::min(count, kBucketAhead); ++i) prepare(items_[i]);
  for (size_t i = 0; i < count; ++i) {
    if (i + kBucketAhead < count) prepare(items_[i + kBucketAhead]);
    if (i + kEntryAhead < count) {
      const Item& ahead = items_[i + kEntryAhead];
      if (ahead.first_key.bytes.data() != nullptr && ahead.session != nullptr) {
        engine_.dbs[ahead.session->caller().db].prefetch_entry(ahead.first_key.hash);
      }
    }
    const Item& item = items_[i];
    if (item.session == nullptr) continue;
    if (item.command.argv.empty()) {
      item.session->fail_protocol();
    } else {
      item.session->run(item.command, item.spec, item.first_key);
    }
  }
  end_turn();
}

void Batch::end_turn() {
  count_ = 0;
  for (Session* session : fed_) session->end_turn();
  fed_.clear();
  arena_.clear();
  parse_unfinished();
}

// What did not fit is parsed now, so that the next turn runs it without waiting for the network. A
// session that fills the batch goes to the end of the list: one that sends without end has every
// other turn at most, however many wait.
void Batch::parse_unfinished() {
  parsing_.swap(unfinished_);
  size_t next = 0;
  while (next < parsing_.size() && !is_full()) {
    if (Session* const session = parsing_[next++]) session->parse_more();
  }
  const auto rest = parsing_.begin() + static_cast<ptrdiff_t>(next);
  unfinished_.insert(unfinished_.begin(), rest, parsing_.end());
  std::erase(unfinished_, nullptr);
  parsing_.clear();
}

}  // namespace ouro
