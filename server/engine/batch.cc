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
    : engine_(engine),
      arena_(engine.heap),
      items_(HeapAllocator<Item>(engine.heap)),
      nested_arena_(engine.heap) {}

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
  if (!item.spec->flags.has(Flag::kDenyOom)) return db.prefetch_bucket(item.first_key.hash);
  // It may be a new key.
  db.prefetch_for_change(item.first_key.hash);
  engine_.eviction.prefetch(item.first_key.hash);
}

void Batch::prefetch_entry(const Item& item) {
  if (item.first_key.bytes.data() == nullptr || item.session == nullptr) return;
  engine_.dbs[item.session->caller().db].prefetch_entry(item.first_key.hash);
}

// A command may run the rest of the queue itself, and more may be added to it meanwhile.
void Batch::run_queue() {
  while (next_ < count_) {
    const size_t at = next_++;
    for (; prepared_ < std::min(count_, at + 1 + kBucketAhead); ++prepared_)
      prepare(items_[prepared_]);
    if (at + kEntryAhead < count_) prefetch_entry(items_[at + kEntryAhead]);
    const Item& item = items_[at];
    if (item.session == nullptr) continue;
    if (item.command.argv.empty()) {
      item.session->fail_protocol();
    } else {
      item.session->run(item.command, item.spec, item.first_key);
    }
    if (at < nested_from_) is_nested_ = false;
  }
}

void Batch::run() {
  run_queue();
  end_turn();
}

void Batch::end_turn() {
  count_ = next_ = prepared_ = nested_from_ = 0;
  is_nested_ = false;
  for (Session* session : fed_) session->end_turn();
  fed_.clear();
  arena_.clear();
  nested_arena_.clear();
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

// What did not fit in before is parsed here, not at the end of a nested turn: when the command that
// runs comes to its end nothing may be left in nested_arena_, which the next busy one clears.
void Batch::begin_nested() {
  if (!is_nested_) {
    is_nested_ = true;
    nested_from_ = next_;
  }
  parse_unfinished();
}

void Batch::run_nested() {
  run_queue();
  count_ = next_ = prepared_ = nested_from_;
  const auto is_done = [](Session* session) {
    if (session->is_running()) return false;
    session->end_turn();
    return true;
  };
  fed_.erase(std::remove_if(fed_.begin(), fed_.end(), is_done), fed_.end());
  nested_arena_.clear();
  // A script that is read from the log runs outside of any batch.
  if (nested_from_ == 0) is_nested_ = false;
}

}  // namespace ouro
