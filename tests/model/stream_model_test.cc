// SPDX-License-Identifier: BSD-3-Clause
// Random operations on a Stream and on std:: maps of entries and of what is pending in its groups.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/stream.h"

namespace ouro {
namespace {

using Words = std::vector<std::string>;
using Entries = std::vector<std::pair<StreamId, Words>>;

struct Owned {
  std::string owner;  // empty: released
  UnixMs delivered_at;
  uint64_t deliveries;
  bool operator==(const Owned&) const = default;
};
using Pending = std::map<StreamId, Owned>;

struct Produced {
  std::string producer;
  std::string name;
  StreamId id;
};

class StreamModel {
 public:
  StreamModel(uint64_t seed, const Limits& limits) : prng_(seed), limits_(limits) {}
  ~StreamModel() {
    // In slices, as a lazy free does it.
    for (;;) {
      size_t budget = 1 + prng_.below(7);
      const size_t before = budget;
      const bool done = stream_.free_some(heap_, budget);
      EXPECT_LE(budget, before);
      if (done) break;
      EXPECT_EQ(budget, 0U);
    }
    EXPECT_EQ(heap_.used_bytes(), 0U);
  }

  void step() {
    switch (prng_.below(17)) {
      case 0:
        return trim();
      case 1:
        return erase();
      case 2:
      case 3:
        return deliver();
      case 4:
        return acknowledge();
      case 5:
        return change_groups();
      case 6:
        return claim();
      case 7:
        return release();
      case 8:
      case 9:
        return produce();
      default:
        return append();
    }
  }

  void compare() {
    stream_.check_invariants();
    ASSERT_EQ(stream_.memory_bytes(), heap_.used_bytes());
    ASSERT_EQ(stream_.size(), entries_.size());
    ASSERT_EQ(stream_.last_id(), last_id_);
    ASSERT_EQ(stream_.entries_added(), added_);
    ASSERT_EQ(stream_.max_deleted_id(), max_deleted_);
    ASSERT_EQ(stream_.first_id(), entries_.empty() ? StreamId() : entries_.begin()->first);
    ASSERT_EQ(stream_.top_id(), entries_.empty() ? StreamId() : entries_.rbegin()->first);
    const StreamId probe = some_id();
    ASSERT_EQ(stream_.contains(probe), entries_.contains(probe));
    compare_range(stream_, some_id(), some_id());
    compare_groups(stream_);
    compare_producers(stream_);
  }

  void compare_copy() {
    Stream copy = stream_.copy(heap_);
    copy.check_invariants();
    ASSERT_EQ(copy.memory_bytes() + stream_.memory_bytes(), heap_.used_bytes());
    compare_range(copy, {}, kStreamIdMax);
    compare_groups(copy);
    compare_producers(copy);
    copy.destroy(heap_);
  }

 private:
  // ---- operations
  Words some_words() {
    Words words;
    const bool usual = prng_.below(4) != 0;
    const size_t fields = usual ? 2 : 1 + prng_.below(4);
    for (size_t i = 0; i < fields; ++i) {
      words.push_back(usual ? "field" + std::to_string(i) : std::string(prng_.below(200), 'f'));
      words.push_back(std::string(prng_.below(20) == 0 ? prng_.below(9000) : prng_.below(30), 'v'));
    }
    return words;
  }

  void append() {
    StreamId id = last_id_;
    switch (prng_.below(4)) {
      case 0:
        id = *id.next();
        break;
      case 1:
        id.seq += 1 + prng_.below(1 << 20);
        break;
      case 2:
        id = {id.ms + 1 + prng_.below(3), prng_.below(2)};
        break;
      default:
        id = {id.ms + 1 + (prng_.next() >> 40), prng_.next() >> 1};
    }
    const Words words = some_words();
    const std::vector<ByteView> views(words.begin(), words.end());
    stream_.append(heap_, limits_, id, views);
    entries_[id] = words;
    last_id_ = id;
    ++added_;
  }

  // Of an entry, near one, or anywhere.
  StreamId some_id() {
    if (entries_.empty() || prng_.below(8) == 0) return {prng_.next() >> 40, 0};
    auto it = entries_.begin();
    std::advance(it, prng_.below(entries_.size()));
    if (prng_.below(4) != 0) return it->first;
    return prng_.below(2) == 0 ? *it->first.next() : *it->first.prev();
  }

  void erase() {
    const StreamId id = some_id();
    const bool there = entries_.erase(id) > 0;
    ASSERT_EQ(stream_.erase(heap_, id), there);
    if (there) max_deleted_ = std::max(max_deleted_, id);
  }

  void trim() {
    StreamTrim trim;
    trim.by = prng_.below(2) == 0 ? StreamTrim::By::kLength : StreamTrim::By::kId;
    trim.length = entries_.size() - std::min(entries_.size(), prng_.below(20));
    trim.first_id = some_id();
    if (prng_.below(3) != 0)
      trim.first_id = entries_.empty() ? StreamId() : entries_.begin()->first;
    trim.whole_nodes = prng_.below(3) == 0;
    trim.count_max = prng_.below(3) == 0 ? prng_.below(30) : 0;
    const auto goes = [&](size_t gone) {
      return gone < entries_.size() &&
             (trim.by == StreamTrim::By::kLength
                  ? entries_.size() - gone > trim.length
                  : std::next(entries_.begin(), static_cast<std::ptrdiff_t>(gone))->first <
                        trim.first_id);
    };
    const uint64_t trimmed = stream_.trim(heap_, trim);
    if (trimmed > 0) {
      ASSERT_TRUE(goes(trimmed - 1));
    }
    // Otherwise the nodes decide how much less than that goes.
    if (!trim.whole_nodes && trim.count_max == 0) {
      ASSERT_FALSE(goes(trimmed));
    }
    for (uint64_t i = 0; i < trimmed; ++i) entries_.erase(entries_.begin());
  }

  std::string some_name() { return "name" + std::to_string(prng_.below(12)); }

  // A group that is there, with its model.
  std::pair<StreamGroup*, Pending*> some_group() {
    if (groups_.empty()) return {nullptr, nullptr};
    auto it = groups_.begin();
    std::advance(it, prng_.below(groups_.size()));
    return {stream_.find_group(it->first), &it->second};
  }

  StreamConsumer& consumer_of(StreamGroup& group, const std::string& name) {
    StreamConsumer* found = group.find_consumer(name);
    return found != nullptr ? *found : group.add_consumer(heap_, name, 1);
  }

  void own(StreamGroup& group, Pending& pending, StreamId id) {
    const std::string owner = some_name();
    const auto time = static_cast<UnixMs>(prng_.below(1000));
    StreamPending& item = group.assign(heap_, id, consumer_of(group, owner), time);
    item.count_delivery();
    pending[id] = {owner, time, item.deliveries};
  }

  void deliver() {
    const auto [group, pending] = some_group();
    if (group == nullptr) return;
    std::vector<StreamId> ids;
    const size_t count = 1 + prng_.below(40);
    if (const auto first = group->last_id.next()) {
      stream_.for_each(*first, kStreamIdMax, Direction::kAscending, [&](const StreamEntry& entry) {
        ids.push_back(entry.id);
        return ids.size() < count;
      });
    }
    for (const StreamId id : ids) {
      stream_.note_delivered(*group, id);
      own(*group, *pending, id);
    }
  }

  void claim() {
    const auto [group, pending] = some_group();
    if (group != nullptr) own(*group, *pending, some_id());
  }

  // Released times are below all others, and grow.
  void release() {
    const auto [group, pending] = some_group();
    if (group == nullptr) return;
    const StreamId id =
        prng_.below(3) == 0 || pending->empty() ? some_id() : pending->rbegin()->first;
    UnixMs last = INT64_MIN / 2 - 1;
    for (const auto& [other, item] : *pending) {
      if (item.owner.empty()) last = std::max(last, item.delivered_at);
    }
    Owned& owned = (*pending)[id];
    owned = {"", last + 1, owned.deliveries};
    ASSERT_EQ(group->release(heap_, id).deliveries, owned.deliveries);
  }

  void produce() {
    if (prng_.below(100) == 0) {
      idmp_ = {1, static_cast<uint32_t>(1 + prng_.below(6))};
      stream_.make_producers(heap_, idmp_).set(heap_, idmp_);
      if (!(idmp_ == idmp_before_)) produced_.clear();
      idmp_before_ = idmp_;
    }
    now_ += static_cast<UnixMs>(prng_.below(40));
    const std::string producer = some_name();
    const std::string name = some_name();
    const StreamId id{static_cast<uint64_t>(now_), ++produced_count_};
    StreamProducers& producers = stream_.make_producers(heap_, idmp_);
    const auto known = [&](const Produced& item) {
      return item.producer == producer && item.name == name;
    };
    const auto found = std::find_if(produced_.begin(), produced_.end(), known);
    const bool is_known = found != produced_.end() && !is_overdue(*found);
    ASSERT_EQ(producers.find(producer, name, now_),
              is_known ? std::optional(found->id) : std::nullopt);
    producers.add(heap_, producer, name, id, now_);
    if (found != produced_.end()) {
      produced_.erase(found);
    } else {
      const auto is_its = [&](const Produced& item) { return item.producer == producer; };
      if (std::count_if(produced_.begin(), produced_.end(), is_its) == idmp_.records_max)
        produced_.erase(std::find_if(produced_.begin(), produced_.end(), is_its));
    }
    produced_.push_back({producer, name, id});
    for (int i = 0; i < 8 && is_overdue(produced_.front()); ++i) produced_.erase(produced_.begin());
    ASSERT_EQ(producers.record_count(), produced_.size());
  }

  // After a copy, too.
  void compare_producers(const Stream& stream) {
    if (produced_count_ == 0) return;
    std::map<std::string, int> names;
    for (const Produced& item : produced_) {
      ++names[item.producer];
      ASSERT_EQ(stream.producers()->find(item.producer, item.name, 0), item.id);
    }
    ASSERT_EQ(stream.producers()->producer_count(), names.size());
    ASSERT_EQ(stream.producers()->record_count(), produced_.size());
    ASSERT_EQ(stream.producers()->added(), produced_count_);
  }

  void acknowledge() {
    const auto [group, pending] = some_group();
    if (group == nullptr) return;
    for (size_t i = prng_.below(10); i > 0; --i) {
      const StreamId id =
          prng_.below(2) == 0 || pending->empty() ? some_id() : pending->begin()->first;
      ASSERT_EQ(group->erase_pending(heap_, id), pending->erase(id) > 0);
    }
  }

  void change_groups() {
    const std::string name = some_name();
    if (prng_.below(4) == 0) {
      if (StreamGroup* group = stream_.find_group(name)) stream_.erase_group(heap_, *group);
      groups_.erase(name);
    } else if (const auto [group, pending] = some_group();
               group != nullptr && prng_.below(2) == 0) {
      StreamConsumer* consumer = group->find_consumer(name);
      if (consumer != nullptr) group->erase_consumer(heap_, *consumer);
      std::erase_if(*pending, [&](const auto& item) { return item.second.owner == name; });
    } else if (!groups_.contains(name)) {
      stream_.add_group(heap_, name);
      groups_[name];
    }
  }

  // ---- comparing
  static Entries read(const Stream& stream, StreamId first, StreamId last, Direction direction) {
    Entries entries;
    stream.for_each(first, last, direction, [&](const StreamEntry& entry) {
      Words words;
      entry.for_each_field([&](ByteView field, ByteView value) {
        words.emplace_back(field);
        words.emplace_back(value);
      });
      EXPECT_EQ(words.size(), 2 * entry.field_count());
      entries.emplace_back(entry.id, words);
      return true;
    });
    return entries;
  }

  void compare_range(const Stream& stream, StreamId first, StreamId last) {
    Entries expected;
    if (first <= last) {
      expected.assign(entries_.lower_bound(first), entries_.upper_bound(last));
    }
    ASSERT_EQ(read(stream, first, last, Direction::kAscending), expected);
    std::reverse(expected.begin(), expected.end());
    ASSERT_EQ(read(stream, first, last, Direction::kDescending), expected);
  }

  static void compare_queue(const StreamGroup& group, const Pending& pending) {
    std::vector<std::pair<UnixMs, StreamId>> queue, expected;
    group.for_each_queued([&](const StreamPending& item) {
      queue.emplace_back(item.delivered_at, item.id);
      return true;
    });
    size_t released = 0;
    for (const auto& [id, item] : pending) {
      expected.emplace_back(item.delivered_at, id);
      released += item.owner.empty();
    }
    std::sort(expected.begin(), expected.end());
    ASSERT_EQ(queue, expected);
    ASSERT_EQ(group.released_count(), released);
  }

  void compare_groups(const Stream& stream) {
    std::vector<std::string> names;
    stream.for_each_group([&](const StreamGroup& group) {
      names.emplace_back(group.name());
      Pending pending;
      group.for_each_pending({}, [&](const StreamPending& item) {
        pending[item.id] = {std::string(item.owner_name()), item.delivered_at, item.deliveries};
        return true;
      });
      ASSERT_EQ(pending, groups_[names.back()]);
      ASSERT_EQ(group.pending_count(), pending.size());
      compare_queue(group, pending);
    });
    ASSERT_TRUE(std::is_sorted(names.begin(), names.end()));
    ASSERT_EQ(names.size(), groups_.size());
  }

  bool is_overdue(const Produced& item) const {
    return item.id.ms + idmp_.duration_s * uint64_t{1000} <= static_cast<uint64_t>(now_);
  }

  Prng prng_;
  Limits limits_;
  Heap heap_;
  Stream stream_;
  std::map<StreamId, Words> entries_;
  std::map<std::string, Pending> groups_;
  StreamId last_id_;
  StreamId max_deleted_;
  uint64_t added_ = 0;
  std::vector<Produced> produced_;  // the oldest first
  uint64_t produced_count_ = 0;
  UnixMs now_ = 100'000;
  StreamProducers::Settings idmp_{1, 3}, idmp_before_{1, 3};
};

void run(uint64_t seed, size_t node_entries, size_t node_bytes) {
  Limits limits;
  limits.stream_node_entries = node_entries;
  limits.stream_node_bytes = node_bytes;
  StreamModel model(seed, limits);
  for (int i = 0; i < 1500; ++i) {
    model.step();
    model.compare();
    if (i % 100 == 99) model.compare_copy();
    if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed << ", step " << i;
  }
}

TEST(StreamModel, SmallNodes) {
  for (uint64_t seed = 1; seed <= 6; ++seed) run(seed, 1 + seed % 3, 4096);
}
TEST(StreamModel, UsualNodes) {
  for (uint64_t seed = 11; seed <= 14; ++seed) run(seed, 100, 4096);
}
TEST(StreamModel, NodesWithoutALimitOfEntries) {
  for (uint64_t seed = 21; seed <= 22; ++seed) run(seed, 0, 2000);
}
TEST(StreamModel, OneNode) { run(31, 0, 0); }

}  // namespace
}  // namespace ouro
