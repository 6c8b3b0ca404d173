// SPDX-License-Identifier: BSD-3-Clause
#include "persistence/snapshot_writer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "random_values.h"
#include "snapshot_text.h"

namespace ouro {
namespace {

constexpr DbIndex kDatabases = 3;

class SnapshotWriting : public ::testing::Test {
 protected:
  Keyspace& db(DbIndex index) { return databases[index]; }
  void put(DbIndex index, ByteView name, ByteView text, UnixMs deadline = kNoExpiry) {
    db(index).put_string(db(index).key(name), nullptr, text, deadline);
  }
  // What is left of the file, in chunks of about so many bytes.
  std::string rest_of(SnapshotWriter& writer, size_t chunk_bytes = 1000) {
    std::string file;
    for (bool is_done = false; !is_done;) {
      size_t budget = 20;
      is_done = writer.next_chunk(chunk_bytes, budget, file);
    }
    EXPECT_EQ(file.size(), writer.bytes_written());
    EXPECT_EQ(writer.keys_saved(), writer.keys_total());
    EXPECT_EQ(writer.waiting_bytes(), 0U);
    return file;
  }
  std::string file_of(const SnapshotWriter::Options& options = {},
                      const SnapshotFacts& facts = {}) {
    SnapshotWriter writer(databases, facts, options);
    return rest_of(writer);
  }
  std::vector<std::string> lines_of(ByteView file) {
    Heap other;
    LazyFree other_free(other);
    Keyspace place(other, HashSeed{}, other_free);
    SnapshotText text(place);
    SnapshotReader reader(text, {other, limits, place.seed()});
    EXPECT_EQ(reader.feed(file), SnapshotReader::State::kDone) << reader.reason();
    EXPECT_TRUE(file.empty());
    return text.lines;
  }
  // The keys there are now, as SnapshotText tells of them.
  std::vector<std::string> keys_now() {
    std::vector<std::string> lines;
    for (DbIndex index = 0; index < kDatabases; ++index) {
      db(index).for_each([&](Entry& entry) {
        std::string line = std::to_string(index) + " " + quoted_text(entry.key());
        if (entry.has_deadline()) line += " ends " + std::to_string(entry.deadline());
        lines.push_back(line + " " + value_text(entry));
      });
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  static std::vector<std::string> keys_of(std::vector<std::string> lines) {
    std::erase_if(lines, [](const std::string& line) { return line.starts_with("size "); });
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  Heap heap;
  Limits limits;
  Databases databases{heap, HashSeed{}, kDatabases};
};

// ---- facts about keys that the format does not have

TEST_F(SnapshotWriting, WhatIsKnownOfKeysComesBack) {
  Keyspace& keys = db(1);
  const auto put_filled = [&](ByteView name, const Fill& fill, UnixMs deadline) {
    keys.put_string(keys.key(name), nullptr, std::string(name) + " value", deadline, fill);
  };
  put_filled("fresh", {.stale_ms = 700, .load_ms = 20, .version = 5}, 1000);
  put_filled("versioned", {.version = ~uint64_t{0}}, kNoExpiry);
  put_filled("stale", {.stale_ms = 700}, 1000);
  keys.make_stale(keys.key("stale"), 1700, 1000);
  keys.make_aside().put_absent(keys.key("absent key"), 2000, 0);
  keys.make_aside().put_fence(keys.key("removed"), 9, 3000, 0);
  SnapshotWriter writer(databases, {}, {});
  EXPECT_EQ(writer.keys_total(), 2U);
  // What changes meanwhile does not show.
  keys.make_aside().forget(keys.key("absent key"));
  keys.make_aside().put_fence(keys.key("removed"), 10, 4000, 0);
  keys.put_string(keys.key("stale"), nullptr, "new", kNoExpiry);
  std::vector<std::string> lines = keys_of(lines_of(rest_of(writer)));
  EXPECT_FALSE(writer.has_only_ours());
  EXPECT_EQ(lines, (std::vector<std::string>{
                       R"(1 "fresh" ends 1000 fill 700 20 5 string "fresh value")",
                       R"(1 "stale" ends 1000 fill 700 0 0 string "stale value")",
                       R"(1 "versioned" fill 0 0 18446744073709551615 string "versioned value")",
                       "absent 1: 0 9 3000 removed", "absent 1: 2000 0 0 absent key"}));
}

template <class T>
void put_handle(Keyspace& db, ByteView name, T made) {
  Value value{.kind = kKindOf<T>};
  new (&value.payload) T(made);
  db.put_value(db.key(name), nullptr, value, kNoExpiry);
}

void put_large_stream(Keyspace& db, const Limits& limits, ByteView name) {
  Heap& heap = db.heap();
  Stream& stream = db.add<Stream>(db.key(name));
  StreamGroup& group = stream.add_group(heap, "group");
  (void)stream.add_group(heap, "without");
  StreamConsumer& first = group.add_consumer(heap, "first", 5);
  StreamConsumer& second = group.add_consumer(heap, "second", 6);
  for (uint64_t i = 1; i <= 30'000; ++i) {
    const std::string text = "value" + std::to_string(i);
    const ByteView pairs[] = {"field", text};
    stream.append(heap, limits, {i, 0}, pairs);
    group.assign(heap, {i, 0}, i % 3 == 0 ? first : second, static_cast<UnixMs>(i / 100));
  }
}

// Of each kind one or more that are not written at once.
void put_large_values(Keyspace& db, const Limits& limits) {
  Heap& heap = db.heap();
  const std::string large(3'000'000, 'e');
  db.put_string(db.key("viewed"), nullptr, large, kNoExpiry);
  db.put_string(db.key("pinned"), nullptr, ByteView(large).substr(0, 500'000), kNoExpiry);
  List& list = db.add<List>(db.key("list"));
  Set& set = db.add<Set>(db.key("set"));
  ZSet& zset = db.add<ZSet>(db.key("zset"));
  Hash& hash = db.add<Hash>(db.key("hash"));
  list.push(heap, limits, ListEnd::kBack, large);
  for (int i = 0; i < 20'000; ++i) {
    const std::string element = "element" + std::to_string(i);
    list.push(heap, limits, ListEnd::kBack, element);
    set.add(heap, limits, db.seed(), element);
    zset.add(heap, limits, db.seed(), element, i, {});
    hash.set(heap, limits, db.seed(), element, i % 100 == 0 ? std::string(5000, 'h') : element);
    if (i % 3 == 0) hash.set_deadline(heap, element, 1'000'000 + i);
    if (i % 3 == 0) set.set_deadline(heap, db.seed(), element, 1'000'000 + i);
  }
  db.note_element_deadline(db.key("hash"), hash.next_deadline());
  db.note_element_deadline(db.key("set"), set.next_deadline());
  put_large_stream(db, limits, "stream");
  put_large_stream(db, limits, "own");
  Stream& own = db.find(db.key("own"))->as<Stream>();
  for (uint64_t i = 1; i <= 3000; ++i) own.find_group("group")->release(heap, {i, 0});
  StreamProducers& producers = own.make_producers(heap, {.duration_s = 60, .records_max = 5000});
  for (uint64_t i = 1; i <= 3000; ++i) producers.add(heap, "p", std::to_string(i), {i, 0}, 0);
  // Nearly all of it zeros, which take no memory but are written.
  put_handle(db, "bloom", Bloom::create(heap, {.error_rate = 0.001, .capacity = 10'000'000}));
  Cuckoo cuckoo = Cuckoo::create(heap, {.capacity = 100'000});
  CountMin sketch = CountMin::create(heap, {.width = 50'000, .depth = 5});
  TopK top = TopK::create(heap, {.k = 3000, .width = 3000});
  TDigest digest = TDigest::create(heap, 1000);
  for (int i = 0; i < 20'000; ++i) {
    const std::string item = "item" + std::to_string(i);
    (void)cuckoo.add(heap, item);
    sketch.add(heap, item, 1);
    if (Blob* expelled = top.add(heap, item, 1); expelled != nullptr) Blob::unpin(heap, expelled);
    digest.add(heap, i);
  }
  put_handle(db, "cuckoo", cuckoo);
  put_handle(db, "sketch", sketch);
  put_handle(db, "top", top);
  put_handle(db, "digest", digest);
}

TEST_F(SnapshotWriting, AFileOfNothing) {
  EXPECT_EQ(quoted_text(file_of({.checksum = false})),
            quoted_text(ByteView("REDIS0010\xff\0\0\0\0\0\0\0\0", 18)));
  EXPECT_EQ(lines_of(file_of()), std::vector<std::string>());
}

TEST_F(SnapshotWriting, TheChecksumIsComparedIfThatIsWanted) {
  put(0, "a", "x");
  std::string file = file_of();
  file.back() = static_cast<char>(file.back() ^ 1);
  using Checksum = SnapshotReader::Checksum;
  const auto state = [&](Checksum checksum) {
    SnapshotCheck check(heap);
    SnapshotReader reader(check, {heap, limits, db(0).seed()}, checksum);
    ByteView chunk = file;
    return reader.feed(chunk);
  };
  EXPECT_EQ(state(Checksum::kCompared), SnapshotReader::State::kFailed);
  EXPECT_EQ(state(Checksum::kIgnored), SnapshotReader::State::kDone);
}

TEST_F(SnapshotWriting, FactsStandBeforeTheKeys) {
  put(0, "a", "1");
  put(2, "b", "x", 1234);
  const SnapshotFacts facts{.aux = {{"redis-ver", "7.0.15"}, {"aof-base", "0"}},
                            .functions = {"#!lua name=x"}};
  const std::vector<std::string> expected = {
      "aux \"redis-ver\" \"7.0.15\"",
      "aux \"aof-base\" \"0\"",
      "function \"#!lua name=x\"",
      "size 0: 1 0",
      "size 2: 1 1",
      "0 \"a\" string \"1\"",
      "2 \"b\" ends 1234 string \"x\"",
  };
  EXPECT_EQ(lines_of(file_of({}, facts)), expected);
}

// The file with the filter of a rule in it, which goes on while that is written.
class SnapshotFilters : public SnapshotWriting {
 protected:
  SnapshotFilters() {
    for (int i = 0; i < 100'000; ++i) filter.add("f:" + std::to_string(i));
    put(0, "a", "1");
    SnapshotWriter writer(databases, {.filters = {{"f: ", &filter}, {"g", &empty}}}, {});
    EXPECT_FALSE(writer.has_only_ours());
    size = filter.size();
    for (int i = 0; i < 1000; ++i) filter.remove("f:" + std::to_string(i));
    put(1, "b", "2");
    file = rest_of(writer);
  }
  // Why a file is refused.
  std::string refusal_of(ByteView bytes) {
    SnapshotCheck check(heap);
    SnapshotReader reader(check, {heap, limits, db(0).seed()}, SnapshotReader::Checksum::kIgnored);
    (void)reader.feed(bytes);
    return reader.state() == SnapshotReader::State::kFailed ? reader.reason() : "";
  }

  KeyFilter filter{heap, HashSeed{3}};
  KeyFilter empty{heap, HashSeed{4}};
  uint64_t size = 0;
  std::string file;
};

TEST_F(SnapshotFilters, AreThoseOfItsMoment) {
  const std::vector<std::string> expected = {"size 0: 1 0",
                                             "filter \"f: \": " + std::to_string(size),
                                             "filter \"g\": 0", "0 \"a\" string \"1\""};
  EXPECT_EQ(lines_of(file), expected);
}

TEST_F(SnapshotFilters, DamageIsNamed) {
  EXPECT_EQ(refusal_of(file), "");
  // The position of a piece, and no other byte.
  const size_t at = file.find("32769 3 f: ");
  ASSERT_NE(at, std::string::npos);
  ++file[at];
  EXPECT_EQ(refusal_of(file), "the filter of the rule \"f: \" is damaged in its piece at 42769");
}

TEST_F(SnapshotFilters, OneThatIsNotWholeIsRefused) {
  std::string some(file, 0, file.find("ouro-filter") - 2);
  const std::string header = filter_text({"f: ", 0, filter.header()});
  RdbWriter out(some, RdbWriter::Packing::kNone);
  out.opcode(RdbOpcode::kAux);
  out.string(kFilterFact);
  out.string(header);
  out.opcode(RdbOpcode::kEnd);
  EXPECT_EQ(refusal_of(some + std::string(8, '\0')), "a filter of keys is not whole");
}

class SomeHints final : public AccessHints {
 public:
  std::optional<uint64_t> idle_seconds(const Entry& entry) const override {
    return entry.key() == "idle" ? std::optional<uint64_t>(100) : std::nullopt;
  }
  std::optional<uint8_t> frequency(const Entry& entry) const override {
    return entry.key() == "used" ? std::optional<uint8_t>(7) : std::nullopt;
  }
};

TEST_F(SnapshotWriting, WhatEvictionGoesByIsSavedIfThatIsWanted) {
  for (const ByteView name : {"idle", "used", "none"}) put(0, name, "x");
  const SomeHints hints;
  const std::vector<std::string> expected = {"0 \"idle\" idle 100 string \"x\"",
                                             "0 \"none\" string \"x\"",
                                             "0 \"used\" used 7 string \"x\""};
  EXPECT_EQ(keys_of(lines_of(file_of({.hints = &hints}))), expected);
}

TEST_F(SnapshotWriting, FieldsWithDeadlinesNeedALaterVersion) {
  const Key key = db(0).key("h");
  db(0).add<Hash>(key).set(heap, limits, db(0).seed(), "f", "v");
  SnapshotWriter known(databases, {}, {});
  EXPECT_TRUE(rest_of(known).starts_with("REDIS0010"));
  EXPECT_FALSE(known.has_only_ours());
  db(0).find(key)->as<Hash>().set_deadline(heap, "f", 1000);
  db(0).note_element_deadline(key, 1000);
  SnapshotWriter writer(databases, {}, {});
  EXPECT_EQ(writer.version(), kRdbVersionTimed);
  const std::string file = rest_of(writer);
  EXPECT_TRUE(file.starts_with("REDIS0012"));
  EXPECT_TRUE(writer.has_only_ours());
  EXPECT_EQ(lines_of(file).back(), "0 \"h\" hash \"f\"=\"v\"@1000 ");
}

// Goal: no value is copied or encoded as a whole, whatever its kind and form. Method: after each
// call with the least budget, look at what was handed out, waits, and was taken from the heap.
TEST_F(SnapshotWriting, APieceIsBoundedWhateverTheValue) {
  put_large_values(databases[0], limits);
  const std::vector<std::string> expected = keys_now();
  const size_t used = heap.used_bytes();
  {
    SnapshotWriter writer(databases, {}, {});
    std::string file;
    size_t written = 0;
    for (bool is_done = false; !is_done;) {
      const size_t before = file.size();
      const size_t waited = writer.waiting_bytes();
      size_t budget = 1;
      is_done = writer.next_chunk(10'000, budget, file);
      ASSERT_LE(file.size() - before, 10'000U);
      ASSERT_LE(writer.waiting_bytes(), waited + 80'000);
      ASSERT_LE(heap.used_bytes(), used + 200'000);
      written = file.size();
    }
    EXPECT_GT(written, 30'000'000U);
    EXPECT_EQ(keys_of(lines_of(file)), expected);
  }
  EXPECT_TRUE(databases.lazy_free().run(SIZE_MAX));
  // A table keeps a small block from its first view on.
  EXPECT_LE(heap.used_bytes(), used + 1000);
}

TEST_F(SnapshotWriting, ACheckKeepsNothing) {
  RandomValues values(db(1), limits, 8);
  for (uint64_t form = 0; form < RandomValues::kForms; ++form)
    values.put("made" + std::to_string(form), form);
  for (const DbIndex index : {0U, 1U}) put(index, "text", "x");
  const std::string file = file_of();
  const size_t used = heap.used_bytes();
  SnapshotCheck check(heap);
  SnapshotReader reader(check, {heap, limits, db(0).seed()});
  ByteView chunk = file;
  EXPECT_EQ(reader.feed(chunk), SnapshotReader::State::kDone) << reader.reason();
  EXPECT_EQ(reader.keys(), RandomValues::kForms + 2);
  EXPECT_EQ(heap.used_bytes(), used);
}

// ---- while commands go on

// Values of all kinds, small and large, and changes of them.
class World {
 public:
  World(Databases& databases, Heap& heap, const Limits& limits, uint64_t seed)
      : databases_(databases), heap_(heap), limits_(limits), prng_(seed) {}

  void fill() {
    for (int i = 0; i < 60; ++i) {
      Keyspace& db = any_database();
      RandomValues(db, limits_, prng_.next()).put(name("small"), prng_.below(RandomValues::kForms));
    }
    for (const ByteView kind : kKinds) {
      Keyspace& db = any_database();
      for (int i = 0; i < 3000; ++i) add_to(db, kind);
    }
  }
  void change() {
    Keyspace& db = any_database();
    switch (prng_.below(40)) {
      case 0:
        return any_database().swap_contents(db);
      case 1:
        return db.clear(Freeing::kLazy);
      case 2:
      case 3:
        return db.erase(db.key(name("small")), Freeing::kLazy);
      case 4:
        return db.erase(db.key(kKinds[prng_.below(std::size(kKinds))]), Freeing::kLazy);
      case 5:
      case 6:
        RandomValues(db, limits_, prng_.next())
            .put(name("small"), prng_.below(RandomValues::kForms));
        return;
      case 7:
        return give_deadline(db, db.key(name("small")));
      default:
        for (int i = 0; i < 20; ++i) add_to(db, kKinds[prng_.below(std::size(kKinds))]);
    }
  }
  Prng& prng() { return prng_; }

 private:
  static constexpr ByteView kKinds[] = {"string", "list",   "set",   "zset",
                                        "hash",   "stream", "bloom", "blob"};

  Keyspace& any_database() { return databases_[static_cast<DbIndex>(prng_.below(kDatabases))]; }
  std::string name(ByteView kind) { return std::string(kind) + std::to_string(prng_.below(60)); }
  static void give_deadline(Keyspace& db, const Key& key) {
    if (Entry* entry = db.find(key); entry != nullptr) db.set_deadline(key, entry, 1'000'000);
  }

  // One element more, less or otherwise of the large value of this name.
  void add_to(Keyspace& db, ByteView kind) {
    const Key key = db.key(kind);
    Entry* entry = db.find(key);
    const std::string element = "e" + std::to_string(prng_.below(6000));
    const bool takes = prng_.below(4) == 0;
    if (kind == "string" || kind == "blob") {
      const std::string begin(kind == "blob" ? kViewedBlobBytesMin : 10, 'b');
      const size_t size = entry == nullptr ? 0 : entry->text_size();
      if (entry == nullptr) entry = db.put_string(key, nullptr, begin, kNoExpiry);
      const auto text = db.edit_string(key, entry, std::max<size_t>(size + 50, 100));
      text.bytes[prng_.below(text.bytes.size())] = 'x';
      return;
    }
    if (entry != nullptr) db.before_change(key);
    if (kind == "stream")
      return change_stream(entry != nullptr ? entry->as<Stream>() : db.add<Stream>(key));
    if (kind == "bloom") {
      if (entry == nullptr) put_handle(db, "bloom", Bloom::create(heap_, {.capacity = 200'000}));
      (void)db.find(key)->as<Bloom>().add(heap_, element);
      return;
    }
    if (kind == "list")
      return change_list(entry != nullptr ? entry->as<List>() : db.add<List>(key));
    if (kind == "set") {
      Set& set = entry != nullptr ? entry->as<Set>() : db.add<Set>(key);
      // One element always stays.
      takes ? set.remove(heap_, element) : set.add(heap_, limits_, db.seed(), element);
      set.add(heap_, limits_, db.seed(), "stays");
    } else if (kind == "zset") {
      ZSet& zset = entry != nullptr ? entry->as<ZSet>() : db.add<ZSet>(key);
      if (takes) zset.remove(heap_, element);
      zset.add(heap_, limits_, db.seed(), takes ? "stays" : element, prng_.unit(), {});
    } else {
      Hash& hash = entry != nullptr ? entry->as<Hash>() : db.add<Hash>(key);
      if (takes) hash.erase(heap_, element);
      hash.set(heap_, limits_, db.seed(), takes ? "stays" : element, element + element);
    }
  }
  void change_stream(Stream& stream) {
    const ByteView pairs[] = {"field", "some text of an entry"};
    stream.append(heap_, limits_, *stream.last_id().next(), pairs);
    StreamGroup* group = stream.find_group("g");
    if (group == nullptr) group = &stream.add_group(heap_, "g");
    const std::string name = "c" + std::to_string(prng_.below(3));
    StreamConsumer* consumer = group->find_consumer(name);
    if (consumer == nullptr) consumer = &group->add_consumer(heap_, name, 1);
    const StreamId id{0, 1 + prng_.below(stream.last_id().seq)};
    switch (prng_.below(8)) {
      case 0:
        stream.erase(heap_, id);
        return;
      case 1:
        (void)group->erase_pending(heap_, id);
        return;
      case 2:
        if (prng_.below(20) == 0) group->release(heap_, id);
        return;
      default:
        group->assign(heap_, id, *consumer, static_cast<UnixMs>(prng_.below(100)));
    }
  }
  void change_list(List& list) {
    const std::string element(prng_.below(60), static_cast<char>('a' + prng_.below(26)));
    switch (list.size() < 2 ? 0 : prng_.below(4)) {
      case 1:
        return list.set(heap_, limits_, prng_.below(list.size()), element);
      case 2:
        list.pop(heap_, limits_, ListEnd::kFront, [](const ListElement&) {});
        return;
      case 3:
        if (prng_.below(100) == 0)
          return list.push(heap_, limits_, ListEnd::kBack, std::string(100'000, 'l'));
        [[fallthrough]];
      default:
        list.push(heap_, limits_, ListEnd::kBack, element);
    }
  }

  Databases& databases_;
  Heap& heap_;
  const Limits& limits_;
  Prng prng_;
};

// Goal: a file holds what there was when it was begun, whatever goes on. Method: random values and
// changes of them between chunks of random size, also of large values half written; several files
// at once.
TEST_F(SnapshotWriting, AFileIsOfItsMoment) {
  struct Running {
    std::unique_ptr<SnapshotWriter> writer;
    std::vector<std::string> expected;
    std::string file;
  };
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    limits.list_compress_depth = seed - 1;
    World world(databases, heap, limits, seed);
    world.fill();
    Prng& prng = world.prng();
    std::vector<Running> all;
    for (int step = 0; step == 0 || !all.empty(); ++step) {
      if (step < 60 && step % 20 == 0) {
        auto writer =
            std::make_unique<SnapshotWriter>(databases, SnapshotFacts{}, SnapshotWriter::Options{});
        all.push_back({std::move(writer), keys_now(), ""});
      }
      world.change();
      (void)databases.lazy_free().run(prng.below(300));
      for (Running& running : all) {
        size_t budget = 1 + prng.below(30);
        if (!running.writer->next_chunk(1 + prng.below(6000), budget, running.file)) continue;
        ASSERT_EQ(keys_of(lines_of(running.file)), running.expected);
        running.writer = nullptr;
      }
      std::erase_if(all, [](const Running& running) { return running.writer == nullptr; });
    }
    for (DbIndex index = 0; index < kDatabases; ++index) db(index).clear(Freeing::kNow);
    EXPECT_TRUE(databases.lazy_free().run(SIZE_MAX));
  }
}

TEST_F(SnapshotWriting, AFileThatIsGivenUpLeavesNothing) {
  const size_t empty = heap.used_bytes();
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    limits.list_compress_depth = seed % 2;
    World world(databases, heap, limits, seed);
    world.fill();
    {
      SnapshotWriter writer(databases, {}, {});
      std::string file;
      for (uint64_t left = world.prng().below(100); left > 0; --left) {
        size_t budget = 20;
        writer.next_chunk(3000, budget, file);
        world.change();
      }
    }
    for (DbIndex index = 0; index < kDatabases; ++index) db(index).clear(Freeing::kNow);
    EXPECT_TRUE(databases.lazy_free().run(SIZE_MAX));
    EXPECT_EQ(heap.used_bytes(), empty);
  }
}

}  // namespace
}  // namespace ouro
