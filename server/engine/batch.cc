// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/batch.h"

#include <algorithm>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// Distances of the two prefetch stages ahead of the running command, in commands: the bucket's line first, then, when that
// has arrived, the entry it points to.
constexpr size_t kBucketAhead = 16;
constexpr size_t kEntryAhead = 8;

}  // namespace

void Batch::add(Session& session, size_t begin, size_t count, size_t blobs_begin, size_t blobs_count) {
  items_.push_back({&session, static_cast<uint32_t>(begin), static_cast<uint32_t>(count),
                    static_cast<uint32_t>(blobs_begin), static_cast<uint32_t>(blobs_count)});
}

void Batch::forget(Session& session) {
  for (Item& item : items_) {
    if (item.session == &session) item.session = nullptr;
  }
  std::erase(unfinished_, &session);
}

// Finds the row and hashes the first key.
void Batch::prepare(Item& item) {
  const Argv argv(arena_.data() + item.begin, item.count);
  item.spec = engine_.executor.resolve(argv);
  if (item.spec == nullptr) return;
  const size_t at = first_key_index(*item.spec);
  if (at == 0 || at >= argv.size() || item.session == nullptr) return;
  const Keyspace& db = engine_.dbs[item.session->caller().db];
  item.first_key = db.key(argv[at]);
  db.prefetch_bucket(item.first_key.hash);
}

void Batch::run() {
  const size_t count = items_.size();
  for (size_t i = 0; i < std::min(count, kBucketAhead); ++i) prepare(items_[i]);
  for (size_t i = 0; i < count; ++i) {
    if (i + kBucketAhead < count) prepare(items_[i + kBucketAhead]);
    if (i + kEntryAhead < count) {
      const Item& ahead = items_[i + kEntryAhead];
      if (ahead.first_key.bytes.data() != nullptr && ahead.session != nullptr) {
        engine_.dbs[ahead.session->caller().db].prefetch_entry(ahead.first_key.hash);
      }
    }
    Item& item = items_[i];
    if (item.session == nullptr) continue;
    item.session->run({.spec = item.spec, .argv = Argv(arena_.data() + item.begin, item.count), .first_key = item.first_key},
                      std::span<Blob*>(blobs_).subspan(item.blobs_begin, item.blobs_count));
  }
  for (Blob* blob : blobs_) {
    if (blob != nullptr) Blob::unpin(engine_.heap, blob);
  }
  items_.clear();
  arena_.clear();
  blobs_.clear();
  // What did not fit is parsed now, so that the next turn runs it without waiting for the network.
  std::vector<Session*> unfinished = std::move(unfinished_);
  unfinished_.clear();
  for (Session* session : unfinished) session->parse_more();
}

}  // namespace ouro
