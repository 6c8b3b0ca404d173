// SPDX-License-Identifier: BSD-3-Clause
// Databases that change at random in every way that a Keyspace knows: strings of all kinds at some
// thousand keys, so that tables are split and resized, and large values of each other kind at a
// few.
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/prng.h"
#include "datastructs/keyspace/databases.h"

namespace ouro {

class RandomChanges {
 public:
  static constexpr DbIndex kDatabases = 3;

  explicit RandomChanges(uint64_t seed)
      : prng_(seed), databases_(heap_, HashSeed{seed * 31}, kDatabases) {
    limits_.list_node_limit = 12;
    limits_.stream_node_entries = 9;
  }

  Prng& prng() { return prng_; }
  Heap& heap() { return heap_; }
  Databases& databases() { return databases_; }

  // Phases of growth and of shrinking.
  void step(bool shrinks) {
    Keyspace& db = any_database();
    if (prng_.below(20'000) == 0) return flush_or_swap(db);
    if (prng_.below(500) == 0) return expire(db);
    if (prng_.below(3) == 0) {
      const std::string name = large_name(prng_.below(kLargeKeys));
      for (uint64_t left = 1 + prng_.below(20); left > 0; --left) change_large(db, name);
      return;
    }
    const std::string name = "key:" + std::to_string(prng_.below(5000));
    const Key key = db.key(name);
    if (shrinks && prng_.below(2) == 0) return db.erase(key, any_freeing());
    change_string(db, key, db.find(key));
  }
  void clear() {
    for (DbIndex db = 0; db < kDatabases; ++db) {
      databases_[db].check_invariants();
      databases_[db].clear(Freeing::kNow);
    }
  }

 private:
  // Three of each kind; the third of strings is one that is not pinned.
  static constexpr uint64_t kLargeKinds = 11;
  static constexpr uint64_t kLargeKeys = 3 * kLargeKinds;

  static std::string large_name(uint64_t number) { return "large:" + std::to_string(number); }
  Keyspace& any_database() { return databases_[static_cast<DbIndex>(prng_.below(kDatabases))]; }
  Freeing any_freeing() { return prng_.below(2) == 0 ? Freeing::kNow : Freeing::kLazy; }
  std::string element() { return "element:" + std::to_string(prng_.below(700)); }
  UnixMs any_deadline() {
    return prng_.below(3) == 0 ? static_cast<UnixMs>(1 + prng_.below(1000)) : kNoExpiry;
  }

  void flush_or_swap(Keyspace& db) {
    prng_.below(2) == 0 ? db.clear(any_freeing()) : db.swap_contents(any_database());
  }

  void expire(Keyspace& db) {
    size_t budget = 50;
    const auto now = static_cast<UnixMs>(prng_.below(300));
    while (Entry* due = db.find_due(now, budget)) {
      const std::string name(due->key());
      db.erase(db.key(name), any_freeing());
    }
    while (Entry* due = db.find_due_collection(now, budget)) {
      const std::string name(due->key());
      const Key key = db.key(name);
      db.before_change(key);
      const auto expire_its = [&](auto& value) {
        value.expire_due(heap_, now, budget, [](ByteView) {});
        if (value.empty()) db.erase(key, any_freeing());
      };
      if (due->kind() == Kind::kSet) expire_its(due->as<Set>());
      if (due->kind() == Kind::kZSet) expire_its(due->as<ZSet>());
      if (due->kind() == Kind::kHash) expire_its(due->as<Hash>());
    }
  }

  // ---- strings
  void change_string(Keyspace& db, const Key& key, Entry* entry) {
    switch (prng_.below(8)) {
      case 0:
      case 1:
        db.put_string(key, entry, std::string(prng_.below(60), 'e'), any_deadline());
        return;
      case 2:
        db.put_integer(key, entry, static_cast<int64_t>(prng_.below(100)), any_deadline());
        return;
      case 3:
        db.put_string(key, entry, std::string(kBlobBytesMin + prng_.below(100), 'b'),
                      any_deadline());
        return;
      case 4:
        if (entry != nullptr) db.set_deadline(key, entry, any_deadline());
        return;
      case 5:
        if (entry != nullptr) edit(db, key, *entry);
        return;
      case 6:
        if (entry != nullptr)
          move(db, key, any_database(), "moved:" + std::to_string(prng_.below(500)));
        return;
      default:
        return db.erase(key, any_freeing());
    }
  }
  void edit(Keyspace& db, const Key& key, Entry& entry) {
    if (entry.kind() == Kind::kInt) return db.set_integer(key, &entry, entry.integer() + 1);
    const Keyspace::Editable text = db.edit_string(key, &entry, entry.text_size() + prng_.below(9));
    if (!text.bytes.empty()) text.bytes[prng_.below(text.bytes.size())] = 'x';
  }
  void change_large_string(Keyspace& db, const Key& key, Entry* entry) {
    if (entry == nullptr) {
      Blob* const blob = Blob::create(heap_, 2 * kViewedBlobBytesMin);
      blob->set_size(kViewedBlobBytesMin + prng_.below(kViewedBlobBytesMin / 4));
      for (size_t at = 0; at < blob->size(); ++at) blob->bytes()[at] = static_cast<char>(at % 251);
      db.put_blob(key, nullptr, blob, kNoExpiry);
      return;
    }
    const size_t size = entry->text_size();
    const size_t at = prng_.below(size);
    const size_t wanted = prng_.below(20) == 0  ? size / 2 + kBlobBytesMin
                          : prng_.below(5) == 0 ? size + prng_.below(size)
                                                : size;
    const StringPart part{.at = at, .bytes = 1 + prng_.below(100'000)};
    const Keyspace::Editable text = db.edit_string(key, entry, wanted, part);
    for (size_t i = part.at; i < part.at + part.bytes && i < text.bytes.size(); ++i)
      text.bytes[i] = static_cast<char>(prng_.next());
    if (wanted > 4 * kViewedBlobBytesMin || wanted < kViewedBlobBytesMin / 2)
      db.erase(key, any_freeing());
  }

  // ---- keys as a whole: RENAME, MOVE, COPY
  void move(Keyspace& from, const Key& key, Keyspace& to, const std::string& name) {
    const Key target = to.key(name);
    if (&from == &to && name == key.bytes) return;
    const Value value =
        prng_.below(4) == 0 ? Value::copy_of(heap_, *from.find(key)) : from.take(key);
    to.put_value(target, to.find(target), value, any_deadline());
  }

  // ---- collections
  void change_large(Keyspace& db, const std::string& name) {
    const Key key = db.key(name);
    Entry* const entry = db.find(key);
    const uint64_t number = std::stoull(name.substr(name.find(':') + 1));
    if (entry != nullptr) {
      const uint64_t draw = prng_.below(6000);
      if (draw < 3) return db.erase(key, any_freeing());
      if (draw < 6) {
        const uint64_t other = number % kLargeKinds + kLargeKinds * prng_.below(3);
        return move(db, key, any_database(), large_name(other));
      }
      if (draw < 9) {
        db.set_deadline(key, entry, any_deadline());
        return;
      }
    }
    switch (number % kLargeKinds) {
      case 0:
        return change<List>(db, key, entry, [&](List& list) { change_list(list); });
      case 1:
        return change<Set>(db, key, entry, [&](Set& set) { change_set(db, key, set); });
      case 2:
        return change<ZSet>(db, key, entry, [&](ZSet& zset) { change_zset(db, key, zset); });
      case 3:
        return change<Hash>(db, key, entry, [&](Hash& hash) { change_hash(db, key, hash); });
      case 4:
      case 5:
        return change<Stream>(db, key, entry, [&](Stream& stream) { change_stream(stream); });
      default:
        return change_other(db, key, entry, number % kLargeKinds);
    }
  }
  void change_other(Keyspace& db, const Key& key, Entry* entry, uint64_t kind) {
    switch (kind) {
      case 6:
        if (entry == nullptr) db.add<Bloom>(key) = Bloom::create(heap_, {.capacity = 60'000});
        return change<Bloom>(db, key, db.find(key), [&](Bloom& to) { to.add(heap_, random()); });
      case 7:
        if (entry == nullptr) db.add<Cuckoo>(key) = Cuckoo::create(heap_, {.capacity = 200'000});
        return change<Cuckoo>(db, key, db.find(key), [&](Cuckoo& to) {
          prng_.below(3) == 0 ? (void)to.remove(heap_, element()) : (void)to.add(heap_, element());
        });
      case 8:
        if (entry == nullptr)
          db.add<CountMin>(key) = CountMin::create(heap_, {.width = 9000, .depth = 4});
        return change<CountMin>(db, key, db.find(key),
                                [&](CountMin& to) { to.add(heap_, element(), 1); });
      case 9:
        if (entry == nullptr) db.add<TopK>(key) = TopK::create(heap_, {.k = 20, .width = 5000});
        return change<TopK>(db, key, db.find(key), [&](TopK& to) {
          if (Blob* expelled = to.add(heap_, element(), 1)) Blob::leave(heap_, expelled);
        });
      default:
        if (prng_.below(2) == 0) return change_large_string(db, key, entry);
        const std::string name = "digest:" + std::to_string(prng_.below(3));
        const Key other = db.key(name);
        if (db.find(other) == nullptr) db.add<TDigest>(other) = TDigest::create(heap_, 100);
        return change<TDigest>(db, other, db.find(other), [&](TDigest& to) {
          if (prng_.below(500) == 0) to.reset(heap_);
          to.add(heap_, static_cast<double>(prng_.below(100'000)));
        });
    }
  }
  std::string random() { return std::to_string(prng_.next()); }

  // The value at this key, or a new one; one that is empty goes with its key.
  template <class T, class Change>
  void change(Keyspace& db, const Key& key, Entry* entry, Change fn) {
    if (entry != nullptr) db.before_change(key);
    T& value = entry == nullptr ? db.add<T>(key) : entry->as<T>();
    fn(value);
    if constexpr (requires { value.empty(); }) {
      if (value.empty()) db.erase(key, any_freeing());
    }
  }
  // Some that a node of a list becomes smaller by when it is pressed, some that are a node.
  std::string list_element() {
    if (prng_.below(100) == 0) return std::string(kBlobBytesMin + prng_.below(100), 'n');
    return prng_.below(2) == 0 ? random() : std::string(30, 'l');
  }
  void change_list(List& list) {
    if (prng_.below(200) == 0) limits_.list_compress_depth = prng_.below(4);
    const size_t size = list.size();
    switch (size > 4000 ? 2 : prng_.below(8)) {
      case 0:
        return list.push(heap_, limits_, ListEnd::kFront, list_element());
      case 1:
        if (size > 0) list.set(heap_, limits_, prng_.below(size), list_element());
        return;
      case 2:
        if (size > 0) list.pop(heap_, limits_, ListEnd::kFront, [](const ListElement&) {});
        return;
      case 3:
        return list.insert(heap_, limits_, prng_.below(size + 1), list_element());
      case 4:
        if (size > 100 && prng_.below(20) == 0)
          list.erase_range(heap_, limits_, prng_.below(size - 50), 50);
        return;
      default:
        return list.push(heap_, limits_, ListEnd::kBack, list_element());
    }
  }
  template <class T>
  void give_deadline(Keyspace& db, const Key& key, T& value) {
    const UnixMs when = any_deadline();
    const std::string name = element();
    if constexpr (requires { value.set_deadline(heap_, name, when); }) {
      value.set_deadline(heap_, name, when);
    } else {
      value.set_deadline(heap_, db.seed_of(key), name, when);
    }
    db.note_element_deadline(key, value.next_deadline());
  }
  void change_set(Keyspace& db, const Key& key, Set& set) {
    if (prng_.below(6) == 0) return give_deadline(db, key, set);
    if (prng_.below(50) == 0) return set.pop_random(heap_, prng_, 5, [](ByteView) {});
    prng_.below(3) == 0 ? (void)set.remove(heap_, element())
                        : (void)set.add(heap_, limits_, db.seed_of(key), element());
  }
  void change_zset(Keyspace& db, const Key& key, ZSet& zset) {
    if (prng_.below(6) == 0) return give_deadline(db, key, zset);
    if (prng_.below(100) == 0) return zset.remove_ranks(heap_, {0, zset.size() / 10});
    prng_.below(3) == 0 ? (void)zset.remove(heap_, element())
                        : (void)zset.add(heap_, limits_, db.seed_of(key), element(),
                                         static_cast<double>(prng_.below(100)), {});
  }
  void change_hash(Keyspace& db, const Key& key, Hash& hash) {
    if (prng_.below(6) == 0) return give_deadline(db, key, hash);
    prng_.below(3) == 0 ? (void)hash.erase(heap_, element())
                        : (void)hash.set(heap_, limits_, db.seed_of(key), element(), random());
  }

  // ---- streams
  void change_stream(Stream& stream) {
    const std::string name = "name" + std::to_string(prng_.below(6));
    StreamGroup* const group = stream.find_group(name);
    switch (prng_.below(9)) {
      case 0:
        stream.trim(heap_, {.length = stream.size() - stream.size() / 30,
                            .whole_nodes = prng_.below(2) == 0});
        return;
      case 1:
        stream.erase(heap_, near(stream));
        return;
      case 2:
        if (group == nullptr) stream.add_group(heap_, name);
        if (group != nullptr && prng_.below(200) == 0) stream.erase_group(heap_, *group);
        return;
      case 3:
      case 4:
        if (group != nullptr) change_pending(stream, *group);
        return;
      case 5: {
        const StreamId id{1000 + prng_.below(stream.last_id().ms + 1), ++serial_};
        auto& producers = stream.make_producers(heap_, {.duration_s = 1, .records_max = 40});
        producers.add(heap_, name, element(), id, static_cast<UnixMs>(stream.last_id().ms));
        return;
      }
      default: {
        const std::string value = random();
        const std::vector<ByteView> pair = {"field", value};
        stream.append(heap_, limits_, {stream.last_id().ms + 1 + prng_.below(3), 1}, pair);
      }
    }
  }
  StreamId near(const Stream& stream) {
    return {stream.first_id().ms + prng_.below(stream.last_id().ms + 1), 1};
  }
  void change_pending(Stream& stream, StreamGroup& group) {
    const std::string name = "name" + std::to_string(prng_.below(4));
    StreamConsumer* consumer = group.find_consumer(name);
    if (consumer == nullptr) consumer = &group.add_consumer(heap_, name, 1);
    consumer->seen_at = static_cast<UnixMs>(prng_.below(1000));
    consumer->active_at = consumer->seen_at - static_cast<UnixMs>(prng_.below(2));
    switch (prng_.below(8)) {
      case 0:
        (void)group.erase_pending(heap_, near(stream));
        return;
      case 1:
        group.release(heap_, near(stream));
        return;
      case 2:
        if (prng_.below(100) == 0) group.erase_consumer(heap_, *consumer);
        return;
      default: {
        const StreamId id = near(stream);
        group.assign(heap_, id, *consumer, static_cast<UnixMs>(prng_.below(1000))).count_delivery();
        group.last_id = std::max(group.last_id, id);
      }
    }
  }

  Prng prng_;
  Heap heap_;
  Limits limits_;
  Databases databases_;
  uint64_t serial_ = 0;
};

}  // namespace ouro
