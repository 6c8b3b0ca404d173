// SPDX-License-Identifier: BSD-3-Clause
// All that a snapshot hands out, as lines of text.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/keyspace/keyspace.h"
#include "persistence/snapshot_reader.h"
#include "value_text.h"

namespace ouro {

class SnapshotText : public SnapshotSink {
 public:
  explicit SnapshotText(Keyspace& db) : db_(db) {}

  bool on_string(const SnapshotKey& key, ByteView text) override {
    add(key, "string " + quoted_text(text));
    return true;
  }
  bool on_value(const SnapshotKey& key, Value value) override {
    const Key place = db_.key("value");
    if (db_.find(place) != nullptr) db_.erase(place, Freeing::kNow);
    const Entry& entry = *db_.put_value(place, nullptr, value, kNoExpiry);
    if (!entry.is_string()) entry.visit([](const auto& its) { its.check_invariants(); });
    add(key, value_text(entry));
    return true;
  }
  void on_empty(const SnapshotKey& key) override { add(key, "empty"); }
  void on_aux(ByteView name, ByteView value) override {
    lines.push_back("aux " + quoted_text(name) + " " + quoted_text(value));
  }
  bool on_absent(DbIndex db, const AbsentKey& absent) override {
    lines.push_back("absent " + std::to_string(db) + ": " + absent_text(absent));
    return true;
  }
  void on_filter(ByteView prefix, std::unique_ptr<KeyFilter> filter) override {
    filter->check_invariants();
    lines.push_back("filter " + quoted_text(prefix) + ": " + std::to_string(filter->size()));
    filters.push_back(std::move(filter));
  }
  void on_size(DbIndex db, uint64_t keys, uint64_t expiring) override {
    lines.push_back("size " + std::to_string(db) + ": " + std::to_string(keys) + " " +
                    std::to_string(expiring));
  }
  bool on_function(ByteView source) override {
    lines.push_back("function " + quoted_text(source));
    return true;
  }

  std::vector<std::string> lines;
  std::vector<std::unique_ptr<KeyFilter>> filters;

 private:
  void add(const SnapshotKey& key, const std::string& value) {
    std::string line = std::to_string(key.db) + " " + quoted_text(key.key);
    if (key.deadline != kNoExpiry) line += " ends " + std::to_string(key.deadline);
    if (!key.fill.is_none()) line += " fill " + fill_text(key.fill);
    if (key.idle_seconds) line += " idle " + std::to_string(*key.idle_seconds);
    if (key.frequency) line += " used " + std::to_string(*key.frequency);
    lines.push_back(line + " " + value);
  }

  Keyspace& db_;
};

}  // namespace ouro
