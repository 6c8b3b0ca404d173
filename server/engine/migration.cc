// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/migration.h"

#include <algorithm>
#include <utility>

#include "datastructs/codec/number_text.h"
#include "datastructs/codec/resp_writer.h"
#include "persistence/dump_payload.h"
#include "server/engine/engine.h"

namespace ouro {
namespace {

// So much is written ahead of what the target takes; one payload may be larger.
constexpr size_t kAheadBytes = 64_KiB;

ByteView text_of(Migration::Failure failure) {
  switch (failure) {
    case Migration::Failure::kConnecting:
      return "IOERR error or timeout connecting to the client";
    case Migration::Failure::kWriting:
      return "IOERR error or timeout writing to target instance";
    case Migration::Failure::kReading:
      return "IOERR error or timeout reading to target instance";
  }
  return {};
}

void write_words(OutBuffer& out, std::initializer_list<ByteView> words) {
  RespWriter writer(out);
  writer.array(words.size());
  for (const ByteView word : words) writer.bulk(word);
}

}  // namespace

Migration::Migration(Engine& engine, Request request, Argv keys)
    : engine_(engine), request_(std::move(request)), words_(engine.heap, keys) {
  keys_.assign(words_.argv().begin(), words_.argv().end());
}

void Migration::restart(int64_t selected_db) {
  CHECK(!has_answers());
  keys_.erase(keys_.begin() + static_cast<ptrdiff_t>(said_),
              keys_.begin() + static_cast<ptrdiff_t>(next_));
  said_ = next_ = 0;
  is_begun_ = is_shut_ = false;
  refusal_.clear();
  selects_ = selected_db < 0 || selected_db != request_.target_db;
  greetings_ = (request_.logs_in ? 1 : 0) + (selects_ ? 1 : 0);
}

void Migration::write_more(OutBuffer& out) {
  if (!std::exchange(is_begun_, true)) {
    if (request_.logs_in && request_.user.empty()) write_words(out, {"AUTH", request_.password});
    if (request_.logs_in && !request_.user.empty())
      write_words(out, {"AUTH", request_.user, request_.password});
    if (selects_) write_words(out, {"SELECT", std::to_string(request_.target_db)});
  }
  while (next_ < keys_.size() && out.size_bytes() < kAheadBytes) write_restore(out, keys_[next_++]);
}

void Migration::write_restore(OutBuffer& out, ByteView name) {
  const Keyspace& db = engine_.dbs[request_.db];
  const Entry* const entry = db.find(db.key(name));
  if (entry == nullptr) return;
  Millis ttl = 0;
  if (entry->has_deadline()) {
    ttl = entry->deadline() - engine_.now();
    if (ttl < 0) return;  // it has ended meanwhile
    ttl = std::max<Millis>(ttl, 1);
  }
  const auto packing =
      engine_.options.rdbcompression ? RdbWriter::Packing::kLzf : RdbWriter::Packing::kNone;
  RespWriter writer(out);
  writer.array(request_.replaces ? 5 : 4);
  writer.bulk("RESTORE");
  writer.bulk(name);
  writer.bulk(std::to_string(ttl));
  writer.bulk(dump_payload(*entry, packing));
  if (request_.replaces) writer.bulk("REPLACE");
  keys_[said_++] = name;
}

bool Migration::is_answered() const {
  return is_all_written() && greetings_ == 0 && answered_ == said_;
}

void Migration::on_line(ByteView line) {
  const bool is_refusal = line.starts_with('-');
  if (is_refusal && refusal_.empty()) refusal_ = line;
  if (greetings_ > 0) {
    --greetings_;
    is_shut_ |= is_refusal;
  } else if (answered_ < said_) {
    const ByteView key = keys_[answered_++];
    if (!is_refusal && !is_shut_) keys_[taken_++] = key;
  }
}

void Migration::fail(Failure failure) {
  failure_ = text_of(failure);
  end();
}

std::string Migration::finish() {
  if (!is_over_) {
    engine_.host.break_off_migration();
    fail(Failure::kReading);
  }
  if (!request_.copies && taken_ > 0) remove_taken();
  // As in Redis, what is said to AUTH and SELECT alone is not told.
  if (!refusal_.empty() && (answered_ > 0 || failure_.empty()))
    return "ERR Target instance replied with error: " + refusal_.substr(1);
  return failure_;
}

void Migration::remove_taken() {
  Keyspace& db = engine_.dbs[request_.db];
  const Freeing freeing = engine_.options.lazyfree_lazy_server_del ? Freeing::kLazy : Freeing::kNow;
  std::vector<ByteView> effect = {"DEL"};
  for (const ByteView name : std::span(keys_).first(taken_)) {
    const Key key = db.key(name);
    if (db.find(key) == nullptr) continue;  // its name was given twice
    db.erase(key, freeing);
    engine_.key_changed(request_.db, key, Event::kGeneric, "del");
    ++engine_.changes;
    effect.push_back(name);
  }
  engine_.commit.add(request_.db, effect);
}

}  // namespace ouro
