// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "script_engine.h"

namespace ouro {
namespace {

struct LibraryEngine : ScriptEngine {
  std::string hex(const std::string& expression) {
    return eval("return (" + expression +
                ":gsub('.', function(c) return string.format('%02x', c:byte()) end))");
  }
};

// The examples of the format's own specification, and its bounds.
TEST(MessagePack, Writes) {
  LibraryEngine engine;
  const auto packed = [&](const std::string& value) {
    return engine.hex("cmsgpack.pack(" + value + ")");
  };
  EXPECT_EQ(packed("nil"), "\"c0\"");
  EXPECT_EQ(packed("true, false"), "\"c3c2\"");
  EXPECT_EQ(packed("0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296"),
            "\"007fcc80ccffcd0100cdffffce00010000ceffffffffcf0000000100000000\"");
  EXPECT_EQ(packed("-1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649"),
            "\"ffe0d0dfd080d1ff7fd18000d2ffff7fffd280000000d3ffffffff7fffffff\"");
  EXPECT_EQ(packed("0.5, 0.1"), "\"ca3f000000cb3fb999999999999a\"");
  EXPECT_EQ(packed("1/0, 2^63"), "\"ca7f800000ca5f000000\"");
  EXPECT_EQ(packed("'a', string.rep('x', 32)").substr(0, 11), "\"a161d92078");
  EXPECT_EQ(packed("{}, {1, 2}, {a = 1}, {[1] = 1, [3] = 3}").substr(0, 20),
            "\"9092010281a16101820");
  EXPECT_EQ(packed("function() end"), "\"c0\"");
  EXPECT_EQ(engine.eval("local a = {} a.x = a return #cmsgpack.pack(a)"), "49");
}

TEST(MessagePack, ReadsWhatItWrites) {
  LibraryEngine engine;
  EXPECT_EQ(
      engine.eval("local v = {1, -1, 1.5, 'x', true, false, {a = {1, 2, {}}}, 2^40, -2^40, 1e300}"
                  "return cmsgpack.pack(cmsgpack.unpack(cmsgpack.pack(v))) == cmsgpack.pack(v)"),
      "1");
  EXPECT_EQ(engine.eval("return {cmsgpack.unpack('\\1\\2\\3')}"), "[1 2 3]");
  EXPECT_EQ(engine.eval("return {cmsgpack.unpack_one('\\1\\2\\3')}"), "[1 1]");
  EXPECT_EQ(engine.eval("return {cmsgpack.unpack_limit('\\1\\2\\3', 2, 1)}"), "[-1 2 3]");
  EXPECT_EQ(engine.eval("return {cmsgpack.unpack_one('\\1', 1)}"), "[-1]");
}

TEST(MessagePack, BrokenInputIsAnError) {
  LibraryEngine engine;
  for (const char* input :
       {"\\146\\1", "\\217a", "\\165", "\\202\\1\\2", "\\220\\0\\5", "\\221\\255",
        "\\221\\255\\255\\255\\255\\1", "\\223\\255\\255\\255\\255"}) {
    const std::string answer = engine.eval("return cmsgpack.unpack('" + std::string(input) + "')");
    EXPECT_NE(answer.find("input"), std::string::npos) << input << " " << answer;
  }
  EXPECT_EQ(engine.error_of("return cmsgpack.unpack('\\193')"),
            "(ERR user_script:1: Bad data format in input.");
  EXPECT_EQ(engine.error_of("return cmsgpack.unpack('\\129\\192\\1')"), "(ERR table index is nil");
  EXPECT_EQ(engine.error_of("return cmsgpack.unpack_limit('a', -1, 0)"),
            "(ERR user_script:1: Invalid request to unpack with offset of 0 and limit of 1.");
}

TEST(Struct, Writes) {
  LibraryEngine engine;
  EXPECT_EQ(engine.hex("struct.pack('>I2<I2bBx', 258, 258, -1, 300)"), "\"01020201ff2c00\"");
  EXPECT_EQ(engine.hex("struct.pack('!4bi4', 1, 2)"), "\"0100000002000000\"");
  EXPECT_EQ(engine.hex("struct.pack('sc2c0', 'ab', 'cde', 'f')"), "\"616200636466\"");
  EXPECT_EQ(engine.hex("struct.pack('i16', -1)"), "\"ffffffffffffffff0000000000000000\"");
  EXPECT_EQ(engine.hex("struct.pack('>fd', 1.5, -2)"), "\"3fc00000c000000000000000\"");
  EXPECT_EQ(engine.eval("return struct.size('!8bd')"), "16");
}

TEST(Struct, ReadsWhatItWrites) {
  LibraryEngine engine;
  EXPECT_EQ(
      engine.eval("local f = '>i3I8fdsc3b' return {struct.unpack(f, struct.pack(f, -5, 7, 1.5, "
                  "2.5, 'ab', 'xyz', -7))}"),
      "[-5 7 1 2 \"ab\" \"xyz\" -7 31]");
  EXPECT_EQ(engine.eval("return {struct.unpack('Bc0', '\\2abc')}"), "[\"ab\" 4]");
}

TEST(Struct, WrongCallsAreErrors) {
  LibraryEngine engine;
  const auto error_of = [&](ByteView script) { return engine.error_of(script).substr(20); };
  EXPECT_EQ(error_of("struct.pack('z')"), "bad argument #1 to 'pack' (invalid format option 'z')");
  EXPECT_EQ(error_of("struct.pack('i')"), "bad argument #2 to 'pack' (number expected, got nil)");
  EXPECT_EQ(error_of("struct.pack('i33', 1)"), "integral size 33 is larger than limit of 32");
  EXPECT_EQ(error_of("struct.pack('i99999999999', 1)"), "integral size overflow");
  EXPECT_EQ(error_of("struct.pack('c5', 'abc')"), "bad argument #3 to 'pack' (string too short)");
  EXPECT_EQ(error_of("struct.pack('!3b', 1)"), "alignment 3 is not a power of 2");
  EXPECT_EQ(error_of("struct.unpack('i', 'abc')"),
            "bad argument #2 to 'unpack' (data string too short)");
  EXPECT_EQ(error_of("struct.unpack('s', 'abc')"), "unfinished string in data");
  EXPECT_EQ(error_of("struct.unpack('i', 'abcd', 0)"),
            "bad argument #3 to 'unpack' (offset must be 1 or greater)");
  EXPECT_EQ(error_of("struct.unpack('c0', 'abc')"), "format 'c0' needs a previous size");
  EXPECT_EQ(error_of("struct.unpack('dc0', struct.pack('d', 1e300))"),
            "bad argument #2 to 'unpack' (data string too short)");
  EXPECT_EQ(error_of("struct.size('s')"),
            "bad argument #1 to 'size' (option 's' has no fixed size)");
}

// tests/compat compares string.format with redis-server in full.
TEST(Format, IsThatOfLua51) {
  LibraryEngine engine;
  EXPECT_EQ(
      engine.eval("return string.format('%5.1f|%-4d|%+i|%#x|%05u|%e', 1.25, 7, 8, 255, 9, 0)"),
      "\"  1.2|7   |+8|0xff|00009|0.000000e+00\"");
  EXPECT_EQ(engine.hex("string.format('%q', 'a\\0\\r\\n\"')"), "\"22615c3030305c725c0a5c2222\"");
  EXPECT_EQ(engine.hex("string.format('%s%c', 'a\\0b', 0)"), "\"61\"");
  EXPECT_EQ(engine.eval("return #string.format('%9s', ('a\\0'):rep(50))"), "100");
  EXPECT_EQ(engine.eval("return string.format('%x %d', -1, 2^63)"),
            "\"ffffffffffffffff -9223372036854775808\"");
  EXPECT_EQ(engine.eval("return #string.format('%-99.99f', -1.7e308)"), "410");
  const auto error_of = [&](ByteView script) { return engine.error_of(script).substr(20); };
  EXPECT_EQ(error_of("string.format('%a', 1)"), "invalid option '%a' to 'format'");
  EXPECT_EQ(error_of("string.format('%')"), "bad argument #2 to 'format' (no value)");
  EXPECT_EQ(error_of("string.format('%100d', 1)"), "invalid format (width or precision too long)");
  EXPECT_EQ(error_of("string.format('%------d', 1)"), "invalid format (repeated flags)");
  EXPECT_EQ(error_of("string.format('%s', {})"),
            "bad argument #2 to 'format' (string expected, got table)");
  EXPECT_EQ(engine.eval("return bit.tohex(2^40 + 255, -16)"), "\"000000FF\"");
}

TEST(Json, IsRedissToo) {
  LibraryEngine engine;
  EXPECT_EQ(engine.eval("return cjson.encode({1, 'x', {a = 1.5}, true})"),
            "\"[1,\"x\",{\"a\":1.5},true]\"");
  EXPECT_EQ(engine.eval("return cjson.encode({1/3, 1e20, 123456789012345678})"),
            "\"[0.33333333333333,1e+20,1.2345678901235e+17]\"");
  EXPECT_EQ(engine.eval("return cjson.decode('{\"a\":[1,null]}').a[2] == cjson.null"), "1");
}

}  // namespace
}  // namespace ouro
