// SPDX-License-Identifier: BSD-3-Clause
// Values of every kind and encoding, drawn at random: for tests of what saves them.
#pragma once

#include <cmath>
#include <string>

#include "datastructs/base/prng.h"
#include "datastructs/keyspace/keyspace.h"

namespace ouro {

class RandomValues {
 public:
  RandomValues(Keyspace& db, const Limits& limits, uint64_t seed)
      : db_(db), heap_(db.heap()), limits_(limits), prng_(seed) {}

  static constexpr uint64_t kForms = 21;
  // A value of this form (the n-th below kForms) at a key, instead of what was there.
  const Entry& put(ByteView name, uint64_t form) {
    const Key key = db_.key(name);
    if (db_.find(key) != nullptr) db_.erase(key, Freeing::kNow);
    make(key, form);
    const Entry& made = *db_.find(key);
    // As the command would that gave it.
    if (!made.is_string()) db_.note_element_deadline(key, made.next_element_deadline());
    return made;
  }

  Prng& prng() { return prng_; }
  // Numbers of all widths, short and longer texts, bytes that repeat themselves.
  std::string word() {
    switch (prng_.below(6)) {
      case 0:
        return std::to_string(static_cast<int64_t>(prng_.next()) >> prng_.below(64));
      case 1:
        return std::string(prng_.below(70), static_cast<char>('a' + prng_.below(3)));
      case 2: {
        std::string bytes;
        for (uint64_t left = prng_.below(40); left > 0; --left)
          bytes += static_cast<char>(prng_.next());
        return bytes;
      }
      default:
        return "w" + std::to_string(prng_.below(10'000));
    }
  }
  std::string text(size_t bytes) {
    std::string text;
    while (text.size() < bytes) text += word() + ",";
    text.resize(bytes);
    return text;
  }

 private:
  void make(const Key& key, uint64_t form) {
    switch (form) {
      case 0:
        db_.put_string(key, nullptr, word(), kNoExpiry);
        return;
      case 1:
        db_.put_string(key, nullptr, text(prng_.below(40'000)), kNoExpiry);
        return;
      case 2:
        return list(key, prng_.below(20), 0);
      case 3:
        return list(key, 3000, 0);
      case 4:
        return list(key, 10, 100'000);
      case 5:
        return ints(key);
      case 6:
        return set(key, 1 + prng_.below(20), false);
      case 7:
        return set(key, 1000, false);
      case 8:
        return set(key, 1 + prng_.below(300), true);
      case 9:
        return zset(key, 1 + prng_.below(20), false);
      case 10:
        return zset(key, 1000, false);
      case 11:
        return zset(key, 1 + prng_.below(300), true);
      case 12:
        return hash(key, 1 + prng_.below(20), false);
      case 13:
        return hash(key, 1000, false);
      case 14:
        return hash(key, 1 + prng_.below(20), true);
      case 15:
        return hash(key, 1000, true);
      case 16:
        return stream(key);
      case 17:
        return bloom(key);
      case 18:
        return cuckoo(key);
      case 19:
        return count_min_or_digest(key);
      default:
        return top_k(key);
    }
  }
  UnixMs some_time() { return static_cast<UnixMs>(prng_.below(UINT64_C(1) << 42)); }
  UnixMs some_deadline() { return prng_.below(3) == 0 ? kNoExpiry : some_time(); }
  double score() {
    switch (prng_.below(5)) {
      case 0:
        return static_cast<double>(prng_.below(200)) - 100;
      case 1:
        return std::ldexp(prng_.unit() - 0.5, static_cast<int>(prng_.below(200)));
      case 2:
        return prng_.below(2) == 0 ? INFINITY : -INFINITY;
      case 3:
        return static_cast<double>(static_cast<int64_t>(prng_.next()));
      default:
        return prng_.unit();
    }
  }

  void list(const Key& key, uint64_t count, size_t large) {
    List& list = db_.add<List>(key);
    list.push(heap_, limits_, ListEnd::kBack, word());
    for (; count > 0; --count) {
      const std::string element = large > 0 && prng_.below(3) == 0 ? text(large) : word();
      list.push(heap_, limits_, prng_.below(2) == 0 ? ListEnd::kFront : ListEnd::kBack, element);
    }
  }
  void ints(const Key& key) {
    Set& set = db_.add<Set>(key);
    const uint64_t shift = prng_.below(60);
    for (uint64_t left = 1 + prng_.below(400); left > 0; --left) {
      set.add(heap_, limits_, db_.seed(),
              std::to_string(static_cast<int64_t>(prng_.next()) >> shift));
    }
  }
  void set(const Key& key, uint64_t count, bool timed) {
    Set& set = db_.add<Set>(key);
    for (; count > 0; --count) {
      const std::string member = word();
      set.add(heap_, limits_, db_.seed(), member);
      if (timed) set.set_deadline(heap_, db_.seed(), member, some_deadline());
    }
  }
  void zset(const Key& key, uint64_t count, bool timed) {
    ZSet& zset = db_.add<ZSet>(key);
    for (; count > 0; --count) {
      const std::string member = word();
      zset.add(heap_, limits_, db_.seed(), member, score(), {});
      if (timed) zset.set_deadline(heap_, db_.seed(), member, some_deadline());
    }
  }
  void hash(const Key& key, uint64_t count, bool timed) {
    Hash& hash = db_.add<Hash>(key);
    for (; count > 0; --count) {
      const std::string field = word();
      hash.set(heap_, limits_, db_.seed(), field, word());
      if (timed) hash.set_deadline(heap_, field, some_deadline());
    }
  }

  void stream(const Key& key) {
    Stream& stream = db_.add<Stream>(key);
    StreamId id{prng_.below(1000), 1};
    for (uint64_t left = prng_.below(400); left > 0; --left) {
      id = prng_.below(3) == 0 ? *id.next() : StreamId{id.ms + 1 + prng_.below(9), prng_.below(9)};
      std::vector<std::string> words;
      const bool usual = prng_.below(4) != 0;
      const uint64_t fields = usual ? 2 : 1 + prng_.below(4);
      for (uint64_t i = 0; i < fields; ++i) {
        words.push_back(usual ? "field" + std::to_string(i) : word());
        words.push_back(word());
      }
      const std::vector<ByteView> pairs(words.begin(), words.end());
      stream.append(heap_, limits_, id, pairs);
      if (prng_.below(6) == 0) stream.erase(heap_, prng_.below(2) == 0 ? id : stream.first_id());
    }
    for (uint64_t left = prng_.below(4); left > 0; --left) group(stream, left);
    if (prng_.below(4) == 0) stream.set_last_id(heap_, {id.ms + 5, 0});
    if (prng_.below(4) == 0) producers(stream);
  }
  void producers(Stream& stream) {
    const auto records_max = static_cast<uint32_t>(1 + prng_.below(20));
    StreamProducers& producers =
        stream.make_producers(heap_, {.duration_s = 60, .records_max = records_max});
    for (uint64_t left = prng_.below(30); left > 0; --left) {
      producers.add(heap_, "p" + std::to_string(prng_.below(3)), "n" + word(), {left, left}, 0);
      if (prng_.below(4) == 0) producers.count_duplicate();
    }
  }
  void group(Stream& stream, uint64_t number) {
    StreamGroup& group = stream.add_group(heap_, "group" + std::to_string(number));
    group.last_id = {prng_.below(3000), 0};
    group.entries_read = static_cast<int64_t>(prng_.below(100)) - 1;
    for (uint64_t left = prng_.below(4); left > 0; --left) {
      StreamConsumer& consumer =
          group.add_consumer(heap_, "consumer" + std::to_string(left), some_time());
      for (uint64_t ids = prng_.below(50); ids > 0; --ids) {
        const StreamId id{1 + prng_.below(2000), ids};
        const auto delivered_at = static_cast<UnixMs>(prng_.below(1'000'000));
        group.assign(heap_, id, consumer, delivered_at).deliveries = prng_.below(300);
        if (number == 3 && prng_.below(9) == 0) group.release(heap_, id);
      }
    }
  }

  template <class T>
  void put_handle(const Key& key, T made) {
    Value value{.kind = kKindOf<T>};
    new (&value.payload) T(made);
    db_.put_value(key, nullptr, value, kNoExpiry);
  }
  void bloom(const Key& key) {
    Bloom bloom = Bloom::create(
        heap_,
        {.error_rate = 0.01, .capacity = 1 + prng_.below(200'000), .scaling = prng_.below(2) == 0});
    for (uint64_t left = prng_.below(300); left > 0; --left) (void)bloom.add(heap_, word());
    put_handle(key, bloom);
  }
  void cuckoo(const Key& key) {
    Cuckoo cuckoo = Cuckoo::create(heap_, {.capacity = 8 + prng_.below(100'000)});
    for (uint64_t left = prng_.below(300); left > 0; --left) (void)cuckoo.add(heap_, word());
    put_handle(key, cuckoo);
  }
  void count_min_or_digest(const Key& key) {
    if (prng_.below(2) == 0) {
      CountMin sketch =
          CountMin::create(heap_, {.width = 1 + prng_.below(20'000), .depth = 1 + prng_.below(5)});
      for (uint64_t left = prng_.below(300); left > 0; --left)
        sketch.add(heap_, word(), prng_.below(1000));
      return put_handle(key, sketch);
    }
    TDigest digest = TDigest::create(heap_, 1 + static_cast<int64_t>(prng_.below(200)));
    for (uint64_t left = prng_.below(2000); left > 0; --left)
      digest.add(heap_, prng_.unit() * 100 - 50);
    put_handle(key, digest);
  }
  void top_k(const Key& key) {
    TopK top = TopK::create(heap_, {.k = 1 + static_cast<uint32_t>(prng_.below(50)),
                                    .width = 1 + static_cast<uint32_t>(prng_.below(3000))});
    for (uint64_t left = prng_.below(300); left > 0; --left) {
      Blob* expelled = top.add(heap_, word(), static_cast<uint32_t>(prng_.below(10)));
      if (expelled != nullptr) Blob::unpin(heap_, expelled);
    }
    put_handle(key, top);
  }

  Keyspace& db_;
  Heap& heap_;
  const Limits& limits_;
  Prng prng_;
};

}  // namespace ouro
