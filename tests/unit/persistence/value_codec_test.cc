// SPDX-License-Identifier: BSD-3-Clause
// Values as bytes: what redis-server 7.0.15 gives for DUMP (less type and end), the forms of older
// and later servers, and what is refused of each.
#include "datastructs/codec/little_endian.h"
#include "persistence/dump_payload.h"
#include "persistence/listpack_writer.h"
#include "persistence/module_id.h"
#include "value_fixture.h"

namespace ouro {
namespace {

std::string listpack(std::initializer_list<ByteView> elements) {
  ListpackWriter out;
  for (const ByteView element : elements) out.append(element);
  return std::string(out.finish());
}

// A string as RDB has it.
std::string text(ByteView bytes) {
  std::string out;
  RdbWriter(out, RdbWriter::Packing::kNone).string(bytes);
  return out;
}

class ValueCodec : public ValueFixture {
 protected:
  Key key(ByteView name) { return db.key(name); }
  const Entry& put(ByteView name, ByteView value) {
    return *db.put_string(key(name), nullptr, value, kNoExpiry);
  }
  // The payload is what redis-server gives, and what it gives is read as the value that is there.
  void expect_payload(const Entry& entry, ByteView hex) {
    const std::string payload = from_hex(hex);
    EXPECT_EQ(quoted_text(dump_payload(entry, RdbWriter::Packing::kLzf)), quoted_text(payload));
    const auto body = open_payload(payload);
    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(read(static_cast<RdbType>((*body)[0]), body->substr(1)), value_text(entry));
  }
};

TEST_F(ValueCodec, StringsAreThoseOfRedis) {
  expect_payload(put("s", "hello"), "000568656c6c6f0a006372df766534200a");
  expect_payload(put("i8", "-5"), "00c0fb0a0049c4c6f4d7263f68");
  expect_payload(put("i16", "1000"), "00c1e8030a0089d1478ebac4b764");
  expect_payload(put("i32", "-100000"), "00c26079feff0a00a1ca8470cc216d9d");
  expect_payload(put("big", "123456789012"), "000c3132333435363738393031320a00911001b1d116e7ac");
  const std::string packed = from_hex("c3094064016161e05700016161");
  EXPECT_EQ(write(put("packed", std::string(100, 'a'))).bytes, packed);
  EXPECT_EQ(read(RdbType::kString, packed), "string " + quoted_text(std::string(100, 'a')));
}

TEST_F(ValueCodec, CollectionsAreThoseOfRedis) {
  List& list = db.add<List>(key("l"));
  for (const ByteView element : {"a", "1", "-4000", "70000"})
    list.push(heap, limits, ListEnd::kBack, element);
  expect_payload(*db.find(key("l")),
                 "120102141400000004008161020101d06002f270110104ff0a00cb2e14cd8a6ab9ac");
  Set& ints = db.add<Set>(key("ints"));
  for (const ByteView member : {"3", "1", "70000"}) ints.add(heap, limits, db.seed(), member);
  expect_payload(*db.find(key("ints")),
                 "0b1404000000030000000100000003000000701101000a00499340ed54ef4afa");
  db.add<Set>(key("set")).add(heap, limits, db.seed(), "one");
  expect_payload(*db.find(key("set")), "0201036f6e650a007c346b0591e5d20c");
  ZSet& zset = db.add<ZSet>(key("z"));
  zset.add(heap, limits, db.seed(), "a", 1.5, {});
  zset.add(heap, limits, db.seed(), "b", 2, {});
  zset.add(heap, limits, db.seed(), "c", -3e20, {});
  expect_payload(
      *db.find(key("z")),
      "111f1f0000000600816302862d33652b32300781610283312e35048162020201ff0a00b98eae136b0d"
      "a40f");
  Hash& hash = db.add<Hash>(key("h"));
  hash.set(heap, limits, db.seed(), "f", "v");
  hash.set(heap, limits, db.seed(), "n", "12");
  expect_payload(*db.find(key("h")),
                 "1012120000000400816602817602816e020c01ff0a0001369481d35b8974");
}

TEST_F(ValueCodec, TablesAreThoseOfRedis) {
  limits.zset_packed_entries = limits.hash_packed_entries = 0;
  ZSet& zset = db.add<ZSet>(key("zt"));
  zset.add(heap, limits, db.seed(), "m", 1.5, {});
  zset.add(heap, limits, db.seed(), "n", -1, {});
  expect_payload(*db.find(key("zt")),
                 "0502016d000000000000f83f016e000000000000f0bf0a00c97cdbfb4c40c195");
  db.add<Hash>(key("ht")).set(heap, limits, db.seed(), "f", "v");
  expect_payload(*db.find(key("ht")), "0401016601760a00adf24356b1860efc");
}

TEST_F(ValueCodec, PressedNodesOfListsAreWrittenAsTheyWere) {
  limits.list_plain_bytes = 1000;
  const auto list_of = [&](ByteView name) -> const Entry& {
    List& list = db.add<List>(key(name));
    for (int i = 0; i < 5000; ++i) {
      list.push(heap, limits, ListEnd::kBack, "the same, and " + std::to_string(i));
      if (i % 1000 == 0) list.push(heap, limits, ListEnd::kBack, std::string(2000, 'p'));
    }
    return *db.find(key(name));
  };
  const Entry& opened = list_of("opened");
  limits.list_compress_depth = 1;
  const Entry& pressed = list_of("pressed");
  ASSERT_LT(pressed.memory_bytes(), opened.memory_bytes() / 2);
  const Written written = write(pressed);
  EXPECT_EQ(written.bytes, write(opened).bytes);
  EXPECT_EQ(read(written.type, written.bytes), value_text(opened));
}

TEST_F(ValueCodec, StreamsAreThoseOfRedis) {
  Stream& stream = db.add<Stream>(key("x"));
  const ByteView first[] = {"f", "v"};
  const ByteView second[] = {"f", "w"};
  const ByteView third[] = {"g", "1", "h", "2"};
  stream.append(heap, limits, {5, 1}, first);
  stream.append(heap, limits, {6, 0}, second);
  stream.append(heap, limits, {6, 3}, third);
  stream.add_group(heap, "grp");
  expect_payload(
      *db.find(key("x")),
      "130110000000000000000500000000000000013d3d00000018000301000101018166020001020100010001"
      "817602040102010101dfff0281770204010001010102010201816702010181680202010801ff0306030501"
      "0000030103677270000081ffffffffffffffff00000a007de3bb70b695e4fb");
}

TEST_F(ValueCodec, PayloadsAreCheckedAsAWhole) {
  const std::string good = from_hex("000568656c6c6f0a006372df766534200a");
  EXPECT_TRUE(open_payload(good).has_value());
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_FALSE(open_payload(bad).has_value()) << at;
    EXPECT_FALSE(open_payload(ByteView(good).substr(0, at)).has_value()) << at;
  }
  std::string later("\0\1x", 3);
  seal_payload(kRdbVersionReadMax + 1, later);
  EXPECT_FALSE(open_payload(later).has_value());
}

// ---- older forms

TEST_F(ValueCodec, ListsOfOlderServers) {
  EXPECT_EQ(read(RdbType::kList, "\2" + text("a") + text("17")), "list \"a\" \"17\" ");
  std::string ziplist("\x13\0\0\0\x0d\0\0\0\2\0\0\1a\3\xfe\7\xff", 17);
  ziplist[0] = static_cast<char>(ziplist.size());
  EXPECT_EQ(read(RdbType::kListZiplist, text(ziplist)), "list \"a\" \"7\" ");
  EXPECT_EQ(read(RdbType::kListZiplists, "\2" + text(ziplist) + text(ziplist)),
            "list \"a\" \"7\" \"a\" \"7\" ");
  const std::string node = "\2" + text(listpack({"x", "y"}));
  EXPECT_EQ(read(RdbType::kListNodes, "\2" + node + "\1" + text("plain")),
            "list \"x\" \"y\" \"plain\" ");
  EXPECT_EQ(read(RdbType::kListNodes, "\1\3" + text("x")),
            "corrupt: a list's node is of an unknown kind");
  EXPECT_EQ(read(RdbType::kListNodes, "\1\1" + text("")), "corrupt: a list's plain node is empty");
}

TEST_F(ValueCodec, SetsOfOtherServers) {
  EXPECT_EQ(read(RdbType::kSet, "\2" + text("a") + text("17")), "set \"17\" \"a\" ");
  EXPECT_EQ(read(RdbType::kSetListpack, text(listpack({"a", "17"}))), "set \"17\" \"a\" ");
  EXPECT_EQ(read(RdbType::kSet, "\2" + text("a") + text("a")), "corrupt: a member stands twice");
  const std::string twice("\2\0\0\0\2\0\0\0\7\0\7\0", 12);
  EXPECT_EQ(read(RdbType::kSetIntset, text(twice)), "corrupt: an intset is out of order");
  EXPECT_EQ(read(RdbType::kSetIntset, text(twice.substr(0, 10))),
            "corrupt: an intset's size is not its count's");
  EXPECT_EQ(read(RdbType::kSetIntset, text(std::string("\3\0\0\0\0\0\0\0", 8))),
            "corrupt: an intset's numbers have an unknown width");
}

TEST_F(ValueCodec, SortedSetsOfOtherServers) {
  EXPECT_EQ(read(RdbType::kZSetText, "\2" + text("a") +
                                         "\3"
                                         "1.5" +
                                         text("b") + "\xff"),
            "zset \"b\"=-inf \"a\"=0x1.8p+0 ");
  EXPECT_EQ(read(RdbType::kZSetListpack, text(listpack({"a", "1", "b", "2.5"}))),
            "zset \"a\"=0x1p+0 \"b\"=0x1.4p+1 ");
  EXPECT_EQ(read(RdbType::kZSetListpack, text(listpack({"a", "2", "b", "1"}))),
            "corrupt: a sorted set is out of order");
  EXPECT_EQ(read(RdbType::kZSetListpack, text(listpack({"a", "1", "a", "2"}))),
            "corrupt: a member stands twice");
  EXPECT_EQ(read(RdbType::kZSetListpack, text(listpack({"a", "nan"}))),
            "corrupt: a score is no number");
  EXPECT_EQ(read(RdbType::kZSetListpack, text(listpack({"a", "1", "b"}))),
            "corrupt: a packed string is not well-formed");
  EXPECT_EQ(read(RdbType::kZSet, "\1" + text("a") + std::string("\0\0\0\0\0\0\xf8\x7f", 8)),
            "corrupt: a score is no number");
}

TEST_F(ValueCodec, APackedNegativeZeroStays) {
  const std::string bytes = text(listpack({"a", "-0", "b", "0"}));
  EXPECT_EQ(read(RdbType::kZSetListpack, text(listpack({"a", "-0e+308", "b", "0"}))),
            "zset \"a\"=-0x0p+0 \"b\"=0x0p+0 ");
  EXPECT_EQ(quoted_text(write(*db.find(key("read"))).bytes), quoted_text(bytes));
  // A set of the other form is built up, which a packed one is without it.
  EXPECT_EQ(read(RdbType::kZSet, "\1" + text("a") + std::string("\0\0\0\0\0\0\0\x80", 8)),
            "zset \"a\"=0x0p+0 ");
}

TEST_F(ValueCodec, HashesOfOtherServers) {
  EXPECT_EQ(read(RdbType::kHash, "\1" + text("f") + text("v")), "hash \"f\"=\"v\" ");
  EXPECT_EQ(read(RdbType::kHashZipmap, text(ByteView("\1\1f\1\0v\xff", 7))), "hash \"f\"=\"v\" ");
  EXPECT_EQ(read(RdbType::kHash, "\2" + text("f") + text("v") + text("f") + text("w")),
            "corrupt: a field stands twice");
}

TEST_F(ValueCodec, DeadlinesOfFieldsAsLaterServersWriteThem) {
  std::string first;
  append_fixed<int64_t>(first, 1'000'000);
  const std::string pairs =
      "\2\6" + text("f") + text("v") + std::string("\0", 1) + text("g") + text("w");
  EXPECT_EQ(read(RdbType::kHashTimed, first + pairs), "hash \"f\"=\"v\"@1000005 \"g\"=\"w\" ");
  EXPECT_EQ(read(RdbType::kHashTimedOld, pairs), "hash \"f\"=\"v\"@6 \"g\"=\"w\" ");
  const std::string triples = text(listpack({"f", "v", "1000005", "g", "w", "0"}));
  EXPECT_EQ(read(RdbType::kHashTimedListpack, first + triples),
            "hash \"f\"=\"v\"@1000005 \"g\"=\"w\" ");
  EXPECT_EQ(encoding(), "listpackex");
  EXPECT_EQ(read(RdbType::kHashTimedListpackOld, triples), "hash \"f\"=\"v\"@1000005 \"g\"=\"w\" ");
  EXPECT_EQ(read(RdbType::kHashTimedListpackOld, text(listpack({"f", "v", "soon"}))),
            "corrupt: a deadline is no time");
  std::string negative;
  append_fixed<int64_t>(negative, -1);
  EXPECT_EQ(read(RdbType::kHashTimedListpack, negative + triples),
            "corrupt: a deadline is negative");
}

TEST_F(ValueCodec, DeadlinesOfFieldsNeedALaterServer) {
  Hash& hash = db.add<Hash>(key("h"));
  for (const ByteView field : {"late", "never", "soon"})
    hash.set(heap, limits, db.seed(), field, "v");
  EXPECT_EQ(write(*db.find(key("h"))).version, kRdbVersion);
  hash.set_deadline(heap, "late", 2000);
  hash.set_deadline(heap, "soon", 1000);
  const Written packed = write(*db.find(key("h")));
  EXPECT_EQ(packed.type, RdbType::kHashTimedListpack);
  EXPECT_EQ(packed.version, kRdbVersionTimed);
  std::string expected;
  append_fixed<int64_t>(expected, 1000);
  expected += text(listpack({"soon", "v", "1000", "late", "v", "2000", "never", "v", "0"}));
  EXPECT_EQ(quoted_text(packed.bytes), quoted_text(expected));
  // Taken away again, it is Redis 7.0's form.
  hash.set_deadline(heap, "late", kNoExpiry);
  hash.set_deadline(heap, "soon", kNoExpiry);
  EXPECT_EQ(write(*db.find(key("h"))).type, RdbType::kHashListpack);
}

TEST_F(ValueCodec, DeadlinesOfMembersAreOurOwn) {
  Set& set = db.add<Set>(key("s"));
  set.add(heap, limits, db.seed(), "m");
  EXPECT_EQ(write(*db.find(key("s"))).dialect, RdbDialect::kRedis);
  set.set_deadline(heap, db.seed(), "m", 1000);
  const Written written = write(*db.find(key("s")));
  EXPECT_EQ(written.type, RdbType::kModule);
  EXPECT_EQ(written.dialect, RdbDialect::kOuro);
  EXPECT_EQ(read(written.type, written.bytes), "set \"m\"@1000 ");
}

// No command gives such a one: the value is none that was written.
TEST_F(ValueCodec, DeadlinesOfElementsHaveABound) {
  const auto timed_set = [this](UnixMs deadline) {
    Set& set = db.add<Set>(key("s"));
    set.add(heap, limits, db.seed(), "m");
    set.set_deadline(heap, db.seed(), "m", deadline);
    return write(*db.find(key("s")));
  };
  const auto timed_hash = [this](UnixMs deadline) {
    Hash& hash = db.add<Hash>(key("h"));
    hash.set(heap, limits, db.seed(), "f", "v");
    hash.set_deadline(heap, "f", deadline);
    return write(*db.find(key("h")));
  };
  for (const Written& good : {timed_set(Hash::kDeadlineMax), timed_hash(Hash::kDeadlineMax)}) {
    EXPECT_TRUE(read(good.type, good.bytes).ends_with("@70368744177663 "));
  }
  db.erase(key("s"), Freeing::kNow);
  db.erase(key("h"), Freeing::kNow);
  for (const Written& bad : {timed_set(Hash::kDeadlineMax + 1), timed_hash(Hash::kDeadlineMax + 1)})
    EXPECT_EQ(read(bad.type, bad.bytes), "corrupt: a deadline is too large");
}

TEST_F(ValueCodec, EmptyCollectionsAreToldApart) {
  const std::string none("\0", 1);
  for (const RdbType type : {RdbType::kList, RdbType::kSet, RdbType::kZSet, RdbType::kHash,
                             RdbType::kListZiplists, RdbType::kListNodes})
    EXPECT_EQ(read(type, none), "empty: a collection without elements");
  EXPECT_EQ(read(RdbType::kHashListpack, text(listpack({}))),
            "empty: a collection without elements");
  // A stream is one without entries, too.
  EXPECT_EQ(read(RdbType::kStream1, std::string(5, '\0')), "stream  last 0-0 deleted 0-0 added 0");
}

// ---- streams

std::string node(std::initializer_list<ByteView> elements, char ms = 5) {
  const std::string id = std::string(7, '\0') + ms + std::string(7, '\0') + "\1";
  return text(id) + text(listpack(elements));
}

TEST_F(ValueCodec, StreamsOfOlderServers) {
  // One entry that has gone, one with the node's fields and one with its own.
  const std::string one = node({"2", "1", "1", "f", "0", "3", "0", "0", "x", "4", "2",
                                "1", "0", "v", "4", "0", "1", "1", "1", "g", "w", "6"});
  // length, last id, groups
  const std::string whole("\2\7\0\0", 4);
  EXPECT_EQ(read(RdbType::kStream1, "\1" + one + whole),
            "stream 6-1:\"f\"=\"v\" 6-2:\"g\"=\"w\"  last 7-0 deleted 0-0 added 2");
  // As much of it as Redis counts is known of the node.
  db.find(key("read"))->as<Stream>().for_each_node([](const StreamNode& its) {
    EXPECT_EQ(its.added(), 3U);
  });
  const std::string whole2("\2\7\0\6\1\5\1\3\0", 9);
  EXPECT_EQ(read(RdbType::kStream2, "\1" + one + whole2),
            "stream 6-1:\"f\"=\"v\" 6-2:\"g\"=\"w\"  last 7-0 deleted 5-1 added 3");
}

// They did not count what a group has read. Redis knows it of the entries at the ends.
TEST_F(ValueCodec, GroupsOfOlderServers) {
  const std::string one = node({"3", "0", "1", "f", "0", "2", "0", "0", "x", "4",
                                "2", "0", "1", "y", "4", "2", "0", "2", "z", "4"});
  const auto group = [](ByteView name, std::string id) {
    return text(name) + id + std::string("\0\0", 2);  // nothing pending, no consumers
  };
  EXPECT_EQ(
      read(RdbType::kStream1, "\1" + one + "\3\5\3\4" + group("a", std::string("\0\0", 2)) +
                                  group("b", "\5\1") + group("c", "\5\2") + group("d", "\5\3")),
      "stream 5-1:\"f\"=\"x\" 5-2:\"f\"=\"y\" 5-3:\"f\"=\"z\"  last 5-3 deleted 0-0 added 3 "
      "group \"a\" at 0-0 read 0 group \"b\" at 5-1 read 1 group \"c\" at 5-2 read -1 "
      "group \"d\" at 5-3 read 3");
}

TEST_F(ValueCodec, GroupsOfLaterServers) {
  std::string time;
  append_fixed<int64_t>(time, 123);
  const std::string id = std::string(7, '\0') + "\5" + std::string(7, '\0') + "\1";
  const std::string group = std::string("\0\0\0\0\0\0\0\0\0\1", 10) + text("g") + "\5\1\2\1" + id +
                            time +
                            "\3"
                            "\1" +
                            text("bob") + time + time + "\1" + id;
  EXPECT_EQ(read(RdbType::kStream3, group),
            "stream  last 0-0 deleted 0-0 added 0 group \"g\" at 5-1 read 2 consumer \"bob\" 123 "
            "pending 5-1 3 at 123 of \"bob\" then 5-1");
  // One that was set to the largest number and counted on from there.
  std::string negative = group;
  negative.replace(group.find("\5\1\2\1") + 2, 1, "\x81" + std::string(7, '\xff') + "\xfe");
  EXPECT_NE(read(RdbType::kStream3, negative).find("at 5-1 read -2 consumer"), std::string::npos);
  // Seen before the beginning of time: no clock says so, and what is counted from it overflows.
  std::string early = group;
  early.replace(early.find("bob") + 3, 8, std::string(7, '\0') + "\x80");
  EXPECT_EQ(read(RdbType::kStream3, early), "corrupt: a consumer's time is out of range");
  // Of this version on it is told when it got something, or that it never did.
  std::string never = group;
  never.replace(never.find("bob") + 11, 8, std::string(8, '\xff'));
  EXPECT_EQ(read(RdbType::kStream3, never).find("corrupt"), std::string::npos);
  never.replace(never.find("bob") + 11, 8, "\xfe" + std::string(7, '\xff'));
  EXPECT_EQ(read(RdbType::kStream3, never), "corrupt: a consumer's time is out of range");
  // Nobody's, and of two.
  const std::string nobodys = group.substr(0, group.size() - 17) + std::string("\0", 1);
  EXPECT_EQ(read(RdbType::kStream3, nobodys), "corrupt: a pending entry is no consumer's");
  std::string twice = group;
  twice[group.size() - 17] = 2;
  EXPECT_EQ(read(RdbType::kStream3, twice + id),
            "corrupt: a consumer's entry is not pending, or another's");
}

TEST_F(ValueCodec, StreamsThatDoNotFitAreRefused) {
  const std::string whole("\1\7\0\0", 4);
  const auto reading = [&](const std::string& one) {
    return read(RdbType::kStream1, "\1" + one + whole);
  };
  EXPECT_TRUE(
      reading(node({"1", "0", "1", "f", "0", "2", "1", "0", "v", "4"})).starts_with("stream"));
  const std::string broken = "corrupt: a stream's node is not well-formed";
  EXPECT_EQ(reading(node({"0", "0", "1", "f", "0"})), broken);                      // no entry
  EXPECT_EQ(reading(node({"1", "0", "0", "0", "0", "1", "0", "0", "4"})), broken);  // no field
  EXPECT_EQ(reading(node({"2", "0", "1", "f", "0", "2", "1", "0", "v", "4"})), broken);
  EXPECT_EQ(reading(node({"1", "0", "1", "f", "0", "2", "1", "0", "v", "5"})), broken);
  EXPECT_EQ(reading(node({"1", "0", "1", "f", "0", "4", "1", "0", "v", "4"})), broken);  // flags
  EXPECT_EQ(reading(node({"1", "0", "1", "f", "0", "2", "-1", "0", "v", "4"})),
            broken);  // before it
  EXPECT_EQ(reading(node({"1", "0", "1", "f", "0", "2", "x", "0", "v", "4"})), broken);
  EXPECT_EQ(
      reading(node({"2", "0", "1", "f", "0", "2", "1", "0", "v", "4", "2", "1", "0", "v", "4"})),
      broken);  // the same id again
  const std::string good = node({"1", "0", "1", "f", "0", "2", "1", "0", "v", "4"});
  EXPECT_EQ(read(RdbType::kStream1, "\1" + good + std::string("\2\7\0\0", 4)),
            "corrupt: a stream's length is not that of its nodes");
  EXPECT_EQ(read(RdbType::kStream1, "\1" + good + std::string("\1\5\0\0", 4)),
            "corrupt: a stream's last id is below an entry's");
  EXPECT_EQ(read(RdbType::kStream1, "\2" + good + good + whole), broken);
}

// ---- packed forms that are broken

struct Packed {
  RdbType type;
  std::string before;  // the listpack
  std::string listpack;
  std::string behind;
};

// One of each type; "mark" stands in each.
std::vector<Packed> packed_values() {
  const std::string id = text(std::string(15, '\0') + "\1");
  const std::string none(8, '\0');  // deadlines
  return {
      {RdbType::kListNodes, "\1\2", listpack({"mark", "b"}), ""},
      {RdbType::kListNodes, "\1\2", listpack({"a", "mark"}), ""},
      {RdbType::kSetListpack, "", listpack({"mark", "b"}), ""},
      {RdbType::kZSetListpack, "", listpack({"a", "1", "mark", "2"}), ""},
      {RdbType::kHashListpack, "", listpack({"mark", "1", "b", "2"}), ""},
      {RdbType::kHashListpack, "", listpack({"a", "1", "b", "mark"}), ""},
      {RdbType::kHashTimedListpack, none, listpack({"a", "mark", "0"}), ""},
      {RdbType::kStream2, "\1" + id,
       listpack({"1", "0", "1", "mark", "0", "2", "0", "0", "v", "4"}),
       std::string("\1\0\5\0\1\0\0\1\0", 9)},
      {RdbType::kStream1, "\1" + id,
       listpack({"1", "0", "1", "f", "0", "2", "0", "0", "mark", "4"}),
       std::string("\1\x5\0\0", 4)},
  };
}

// Lengths that reach into the next element, or behind all; codes that there are not; sizes
// backwards, counts and ends that are not so. Redis asserts on some when the value is used.
TEST_F(ValueCodec, ABrokenListpackIsRefusedWhateverItHolds) {
  for (const Packed& packed : packed_values()) {
    const auto reading = [&](const std::string& bytes) {
      return read(packed.type, packed.before + text(bytes) + packed.behind);
    };
    const std::string good = reading(packed.listpack);
    ASSERT_NE(good.find("mark"), std::string::npos) << good;
    const size_t code = packed.listpack.find("mark") - 1;
    const size_t size_back = code + 5;
    struct Change {
      size_t at;
      std::string bytes;
    };
    const std::vector<Change> changes = {
        {code, "\x85"},      {code, "\x8c"},
        {code, "\xbf"},      {code, "\xef\xff"},
        {code, "\xf0"},      {code, "\xf5"},
        {code, "\xfd"},      {code, "\xff"},
        {size_back, "\4"},   {size_back, std::string(1, '\0')},
        {size_back, "\x7f"}, {0, "\x7f"},
        {4, "\x50"},         {packed.listpack.size() - 1, "\1"},
    };
    for (const Change& change : changes) {
      std::string bad = packed.listpack;
      bad.replace(change.at, change.bytes.size(), change.bytes);
      EXPECT_TRUE(reading(bad).starts_with("corrupt: "))
          << "type " << static_cast<int>(packed.type) << " at " << change.at << ": "
          << reading(bad);
    }
  }
}

TEST_F(ValueCodec, PackedElementsThatStandTwiceAreRefused) {
  EXPECT_EQ(read(RdbType::kSetListpack, text(listpack({"a", "b", "a"}))),
            "corrupt: a member stands twice");
  const std::string twice = text(listpack({"a", "1", "b", "2", "a", "3"}));
  EXPECT_EQ(read(RdbType::kHashListpack, twice), "corrupt: a field stands twice");
  limits.hash_packed_entries = 1;  // so that it becomes a table
  EXPECT_EQ(read(RdbType::kHashListpack, twice), "corrupt: a field stands twice");
}

// In the words of Redis's log.
TEST_F(ValueCodec, ARefusalNamesTheEncoding) {
  const auto refusal = [&](RdbType type, ByteView bytes) {
    RdbReader in(bytes);
    EXPECT_FALSE(read_value(type, in, {heap, limits, db.seed()}));
    return describe_refusal(type, in);
  };
  const std::string broken = text("broken");
  EXPECT_EQ(refusal(RdbType::kZSetZiplist, broken),
            "Zset ziplist integrity check failed: a packed string is not well-formed");
  EXPECT_TRUE(refusal(RdbType::kHashListpack, broken).starts_with("Hash listpack integrity"));
  EXPECT_TRUE(refusal(RdbType::kListZiplists, "\1" + broken).starts_with("List ziplist "));
  EXPECT_TRUE(refusal(RdbType::kStream1, "\1" + text(std::string(16, '\1')) + broken)
                  .starts_with("Stream listpack integrity check failed: "));
  EXPECT_EQ(refusal(RdbType::kHashZipmap, text(ByteView("\0\xff", 2))),
            "Zipmap integrity check failed: a collection without elements");
  EXPECT_EQ(refusal(static_cast<RdbType>(99), ""),
            "Value integrity check failed: a value of an unknown type");
  std::string consumers("\0\0\0\0\1\1g\0\0\0\2", 11);  // of a group without pending entries
  for (int i = 0; i < 2; ++i) consumers += "\1c" + std::string(9, '\0');
  EXPECT_EQ(refusal(RdbType::kStream1, consumers),
            "Stream listpack integrity check failed: Duplicate stream consumer detected");
}

TEST_F(ValueCodec, ProducersOfStreamsAreOurOwn) {
  Stream& stream = db.add<Stream>(key("x"));
  stream.set_last_id(heap, {9, 0});
  EXPECT_EQ(write(*db.find(key("x"))).dialect, RdbDialect::kRedis);
  StreamProducers& producers = stream.make_producers(heap, {.duration_s = 60, .records_max = 2});
  for (uint64_t i = 1; i < 4; ++i) producers.add(heap, "pid", std::to_string(i), {i, 0}, 0);
  producers.count_duplicate();
  const Written written = write(*db.find(key("x")));
  EXPECT_EQ(written.type, RdbType::kModule);
  EXPECT_EQ(written.dialect, RdbDialect::kOuro);
  EXPECT_EQ(read(written.type, written.bytes),
            "stream  last 9-0 deleted 0-0 added 0 producers 60 2 added 3 twice 1 "
            "\"pid\":\"2\"=2-0 \"pid\":\"3\"=3-0");
}

TEST_F(ValueCodec, ProducersThatDoNotFitAreRefused) {
  struct Record {
    ByteView producer;
    ByteView name;
  };
  const auto reading = [&](uint64_t duration_s, uint64_t records_max,
                           std::initializer_list<Record> records) {
    std::string bytes;
    RdbWriter out(bytes, RdbWriter::Packing::kNone);
    out.module_id(kOuroModule);
    for (const unsigned number : {3U, 0U}) out.module_unsigned(number);
    // In two pieces, and the empty one behind them.
    out.module_string(ByteView("\0\0\7\0", 4));
    out.module_string(ByteView("\0\0\0\0\0\0", 6));
    out.module_string({});
    for (const uint64_t number : {uint64_t{1}, duration_s, records_max, uint64_t{5}, uint64_t{6}})
      out.module_unsigned(number);
    out.module_unsigned(records.size());
    for (const Record& record : records) {
      out.module_string(record.producer);
      out.module_string(record.name);
      for (const unsigned number : {1U, 2U}) out.module_unsigned(number);
    }
    out.module_end();
    return read(RdbType::kModule, bytes);
  };
  EXPECT_EQ(reading(1, 1, {{"p", "n"}}),
            "stream  last 7-0 deleted 0-0 added 0 producers 1 1 added 5 twice 6 "
            "\"p\":\"n\"=1-2");
  EXPECT_EQ(reading(0, 1, {}), "corrupt: settings of producers are out of range");
  EXPECT_EQ(reading(1, kStreamIdmpRecordsMax + 1, {}),
            "corrupt: settings of producers are out of range");
  EXPECT_EQ(reading(1, 1, {{"p", ""}}), "corrupt: a producer or its entry has no name");
  EXPECT_EQ(reading(1, 1, {{"", "n"}}), "corrupt: a producer or its entry has no name");
  const std::string too_many = "corrupt: producers remember an entry twice, or too many";
  EXPECT_EQ(reading(1, 1, {{"p", "n"}, {"p", "m"}}), too_many);
  EXPECT_EQ(reading(1, 2, {{"p", "n"}, {"p", "n"}}), too_many);
}

// ---- modules

TEST_F(ValueCodec, ModulesAreNamedInNineCharacters) {
  EXPECT_EQ(module_name(module_id("AAAAAAAAB", 4)), 1U);
  EXPECT_EQ(module_version(module_id("AAAAAAAAB", 4)), 4U);
  EXPECT_EQ(module_id("_________", 1023), UINT64_MAX);
}

TEST_F(ValueCodec, UnknownModulesAreRefused) {
  std::string bytes;
  RdbWriter out(bytes, RdbWriter::Packing::kNone);
  out.module_id(module_id("MBbloom--", 3));
  out.module_end();
  EXPECT_EQ(read(RdbType::kModule, bytes),
            "corrupt: a value of an unknown module, or of an unknown version of one");
  EXPECT_EQ(read(RdbType::kModuleOld, bytes),
            "corrupt: a value as modules once wrote it, which none but its module can read");
}

// Goal: what RedisBloom has no place for is not lost: a top-k list goes on as it would have.
// Method: the same adds to a list and to what was read of its bytes.
TEST_F(ValueCodec, TopKGoesOnAsItWouldHave) {
  RandomValues values(db, limits, 5);
  for (int round = 0; round < 20; ++round) {
    const Written written = write(values.put("made", RandomValues::kForms - 1));
    read(written.type, written.bytes);
    for (int i = 0; i < 300; ++i) {
      const std::string item = "w" + std::to_string(values.prng().below(60));
      const auto by = static_cast<uint32_t>(values.prng().below(8));
      for (const ByteView name : {"made", "read"}) {
        Blob* expelled = db.find(key(name))->as<TopK>().add(heap, item, by);
        if (expelled != nullptr) Blob::unpin(heap, expelled);
      }
    }
    ASSERT_EQ(value_text(*db.find(key("made"))), value_text(*db.find(key("read"))));
  }
}

// Goal: a t-digest is saved with its samples joined, and stays as it is. Method: all of it before
// and after; what was read answers the same, and goes on from the joined samples.
TEST_F(ValueCodec, ATDigestThatIsSavedDoesNotChange) {
  TDigest digest = TDigest::create(heap, 20);
  Value value{.kind = Kind::kTDigest};
  new (&value.payload) TDigest(digest);
  db.put_value(key("t"), nullptr, value, kNoExpiry);
  Entry& entry = *db.find(key("t"));
  Prng prng(3);
  for (int i = 0; i < 1000; ++i) entry.as<TDigest>().add(heap, prng.unit());
  const auto bytes_of = [](const Entry& its) {
    std::string bytes;
    its.for_each_part([&](ByteView part) { bytes += part; });
    return bytes;
  };
  ASSERT_GT(entry.as<TDigest>().unmerged_nodes(), 0U);
  const std::string before = bytes_of(entry);
  const Written written = write(entry);
  EXPECT_EQ(bytes_of(entry), before);
  EXPECT_EQ(read(written.type, written.bytes), value_text(entry));
  EXPECT_EQ(db.find(key("read"))->as<TDigest>().unmerged_nodes(), 0U);
  EXPECT_EQ(write(*db.find(key("read"))).bytes, written.bytes);
}

TEST_F(ValueCodec, ZerosOfALargeFilterTakeNoMemory) {
  Bloom bloom = Bloom::create(heap, {.capacity = 10'000'000});
  (void)bloom.add(heap, "one");
  Value value{.kind = Kind::kBloom};
  new (&value.payload) Bloom(bloom);
  db.put_value(key("b"), nullptr, value, kNoExpiry);
  const Entry& entry = *db.find(key("b"));
  EXPECT_GT(written_array_bytes(entry), 10'000'000U);
  const Written written = write(entry);
  EXPECT_EQ(read(written.type, written.bytes), value_text(entry));
  EXPECT_EQ(db.find(key("read"))->memory_bytes() < 2'000'000, true);
}

}  // namespace
}  // namespace ouro
