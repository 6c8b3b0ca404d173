// SPDX-License-Identifier: BSD-3-Clause
// What a Follow makes of what a primary says, as text: for tests and the fuzzer.
#pragma once

#include <algorithm>
#include <string>

#include "datastructs/base/prng.h"
#include "replication/follow.h"

namespace ouro {

// Writes down what it is told. A snapshot with "BAD" in it cannot be taken in.
class FollowTranscript final : public FollowSink {
 public:
  void on_full_sync(const ReplicationId& id, uint64_t offset) override {
    line("full " + id + ' ' + std::to_string(offset));
  }
  void on_snapshot_begin(std::optional<uint64_t> bytes) override {
    line("snapshot " + (bytes ? std::to_string(*bytes) : "marked"));
    snapshot.clear();
  }
  bool takes_snapshot() const override { return !is_slow; }
  bool on_snapshot(ByteView bytes) override {
    snapshot.append(bytes);
    return snapshot.find("BAD") == std::string::npos;
  }
  bool on_snapshot_end() override {
    line("whole: " + snapshot);
    return true;
  }
  void on_partial_sync(const ReplicationId* id) override {
    line("partial " + (id != nullptr ? *id : "same id"));
  }
  void apply_together(FunctionRef<void()> commands) override {
    text += "group ";
    commands();
  }
  void apply(DbIndex db, Argv argv, ByteView /*raw*/) override {
    text += std::to_string(db) + ':';
    for (const ByteView word : argv) text.append(" ").append(word);
    text += "; ";
  }
  void on_applied(ByteView bytes, DbIndex db) override {
    line("applied " + std::to_string(bytes.size()) + " in " + std::to_string(db));
    stream.append(bytes);
  }
  void on_marker(const Ballot& ballot) override { line("ballot " + marker_of(ballot)); }
  bool may_acknowledge() override { return !is_held_back; }
  std::optional<uint64_t> durable() const override { return std::nullopt; }
  void on_remark(const std::string& remark) override { line("remark " + remark); }

  std::string text;
  std::string snapshot;
  std::string stream;
  bool is_slow = false;
  bool is_held_back = false;  // it may not acknowledge

 private:
  void line(const std::string& words) { text += words + '\n'; }
};

// A talk with a primary that says `bytes` in pieces as `prng` wants them, or at once.
class FollowTalk {
 public:
  explicit FollowTalk(Follow::Introduction introduction = {})
      : follow(heap, std::move(introduction), sink) {}

  void hear(ByteView bytes) {
    follow.on_bytes(bytes);
    if (follow.talk() == Follow::State::kLoading && loads_at_once) follow.on_loaded();
  }
  void hear_in_pieces(ByteView bytes, Prng& prng) {
    while (!bytes.empty()) {
      const size_t part = 1 + prng.below(std::min<size_t>(bytes.size(), 1 + prng.below(64)));
      hear(bytes.substr(0, part));
      bytes.remove_prefix(part);
    }
  }
  // What we said since the last call.
  std::string said() {
    std::string text;
    ByteView views[16];
    while (const size_t count = follow.out().gather(kReleaseAll, views)) {
      const size_t before = text.size();
      for (size_t i = 0; i < count; ++i) text.append(views[i]);
      follow.out().consume(text.size() - before);
    }
    return text;
  }
  // All that has come of it.
  std::string outcome() {
    return sink.text + "at " + std::to_string(follow.applied()) + ", state " +
           std::to_string(static_cast<int>(follow.talk())) + ": " + follow.problem() + '\n' +
           said();
  }

  Heap heap;
  FollowTranscript sink;
  Follow follow;
  bool loads_at_once = true;
};

}  // namespace ouro
