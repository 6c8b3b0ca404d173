// SPDX-License-Identifier: BSD-3-Clause
// Functions in C that scripts call: each ends when its script is killed, or meets the limit of
// memory. tests/compat compares what the replaced ones answer with redis-server.
#include <gtest/gtest.h>

#include "script_engine.h"

namespace ouro {
namespace {

// At its second look at the clock a script is over its time, and killed.
struct ImpatientEngine : ScriptEngine {
  ImpatientEngine() {
    stopwatch.step = 2'000'000;
    host.on_pump = [](FakeHost&) { return false; };
  }
};

TEST(Bounded, WhatWouldNotEndInOneCallIsKilled) {
  for (const char* script : {
           "return string.find(('a'):rep(100000), ('.-'):rep(12) .. 'b')",
           "return string.match(('a'):rep(100000), ('a*'):rep(12) .. 'b')",
           "for word in string.gmatch(('a'):rep(100000), ('.-'):rep(12) .. 'b') do end",
           "return string.gsub(('a'):rep(100000), ('(.+)'):rep(12) .. 'b', '')",
           "return string.find(('a'):rep(50000), '(a*)(a*)%1%2%1b')",
           "return string.find(('('):rep(200000), '%b()')",
           "return string.find(('a'):rep(10000), '[' .. ('b'):rep(10000) .. ']')",
           "return string.gsub(('a'):rep(100000), 'a', ('%0'):rep(100000))",
           "local t = {} for i = 1, 40 do t = {t, t} end cjson.encode(t)",
           "local t = {} for i = 1, 40 do t = {t, t} end cjson.new().new().encode(t)",
           "local t = {} for i = 1, 3000 do t[i] = i end while true do table.concat(t) end",
           "table.insert({1}, -2^31, 5)",
           "local t = {} for i = 1, 12 do t = {t, t, t, t, t, t, t, t, t} end cmsgpack.pack(t)",
           "local t = {} for i = 1, 5000 do t[i] = i * 7919 % 10007 end table.sort(t)",
           "xpcall(function() while true do end end, function() while true do end end)",
           "while true do xpcall(error, function() while true do end end) end",
           "local a, t = ('a'):rep(100000), {} for i = 1, 99 do t[i] = a .. i end table.sort(t)",
       }) {
    ImpatientEngine engine;
    EXPECT_EQ(engine.error_of(script), "(ERR Script killed by user with SCRIPT KILL...") << script;
    EXPECT_EQ(engine.host.pumps, 1) << script;
    EXPECT_EQ(engine.eval("return 1"), "1");
  }
}

// Others are let in behind each, not behind 1,000 instructions.
TEST(Bounded, CallsThatHandleManyBytesAreManySteps) {
  constexpr int kCalls = 50;
  for (const char* call : {"redis.sha1hex(text)", "cjson.decode(json)", "text:find('b', 1, true)",
                           "text:reverse()", "text:upper() .. i", "text .. i", "text:rep(2) .. i",
                           "text:sub(i)", "table.concat({text, i})", "redis.call('ECHO', text)",
                           "cmsgpack.pack(text)", "cjson.encode(text)"}) {
    ScriptEngine engine;
    engine.stopwatch.step = 2'000'000;
    engine.eval(
        "local text = ('a'):rep(300000) local json = '[' .. (' '):rep(300000) .. ']' for i = 1, " +
        std::to_string(kCalls) + " do local _ = " + call + " end");
    EXPECT_GE(engine.host.pumps, kCalls) << call;
  }
}

// cjson's own buffer is not the machine's.
TEST(Bounded, WhatIsTooLargeToEncodeIsRefused) {
  ScriptEngine engine;
  EXPECT_EQ(engine.error_of("local t = ('x'):rep(1000000) for i = 1, 8 do t = {t, t} end "
                            "return cjson.encode(t)"),
            "(ERR user_script:1: not enough memory");
  EXPECT_EQ(engine.error_of("cjson.encode_sparse_array(false, 0) return cjson.encode({[1e9] = 1})"),
            "(ERR user_script:1: Cannot serialise table: excessively sparse array");
  EXPECT_EQ(engine.error_of("local t = {} t[1] = t return cjson.encode(t)"),
            "(ERR user_script:1: Cannot serialise, excessive nesting (1001)");
  EXPECT_EQ(engine.error_of("return cjson.encode()"),
            "(ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument)");
  EXPECT_EQ(engine.eval("return cjson.new().encode({1, {a = 'b'}, cjson.null})"),
            "\"[1,{\"a\":\"b\"},null]\"");
}

TEST(Bounded, TextsThatAreTooLongAreRefused) {
  ScriptEngine engine;
  for (const char* times : {"1e10", "2^31", "1e300", "1/0"}) {
    EXPECT_EQ(engine.error_of("return #string.rep('x', " + std::string(times) + ")"),
              "(ERR user_script:1: resulting string too large");
  }
  EXPECT_EQ(engine.eval("return {('ab'):rep(3), ('ab'):rep(0), ('ab'):rep(-1e10), (''):rep(1e10), "
                        "('x'):rep(2.9), ('x'):rep('2'), ('x'):rep(0/0)}"),
            "[\"ababab\" \"\" \"\" \"\" \"xx\" \"xx\" \"\"]");
}

TEST(Bounded, AnswersThatAreTooLargeHaveErrorsInThem) {
  ScriptEngine engine;
  const std::string large = "local t = {} for i = 1, 2^24 + 1 do t[i] = 1 end ";
  const std::string refusal = "(ERR the answer of the script is too large)";
  EXPECT_EQ(engine.eval(large + "return t"), refusal);
  EXPECT_EQ(
      engine.eval(large + "return {'a', t, {t, 'b'}, {map = {c = t}}, {set = t}}"),
      "[\"a\" " + refusal + " [" + refusal + " \"b\"] {\"c\" " + refusal + "} " + refusal + "]");
}

// Nor is a long text that is met many times written, or copied, as often.
TEST(Bounded, LongTextsInAnAnswerAreReckoned) {
  for (const char* value : {"text", "{verbatim_string = {format = text, string = text}}"}) {
    ScriptEngine engine;
    NullReply reply;
    const std::string script = "local text = ('x'):rep(1e6) local t, value = {}, " +
                               std::string(value) +
                               " for i = 1, 10000 do t[i] = value end return t";
    const ByteView argv[] = {"EVAL", script, "0"};
    engine.engine.executor.execute(engine.caller, argv, reply);
    const Registry& registry = engine.engine.registry;
    EXPECT_GT(registry.stats(*registry.find("EVAL")).failed, 7'000U) << value;
  }
}

// It holds itself 2^40 times.
TEST(Bounded, AnswersWithoutEndAreNotWrittenForEver) {
  ScriptEngine engine;
  NullReply reply;
  const ByteView argv[] = {"EVAL", "local t = {1} for i = 1, 40 do t = {t, t} end return t", "0"};
  engine.engine.executor.execute(engine.caller, argv, reply);
  const Registry& registry = engine.engine.registry;
  EXPECT_GT(registry.stats(*registry.find("EVAL")).failed, 0U);
}

// ---- patterns as Lua 5.1 has them

TEST(Patterns, FindWhereLuaFinds) {
  ScriptEngine engine;
  const auto found = [&](const std::string& arguments) {
    return engine.error_of("return {string.find(" + arguments + ")}");
  };
  EXPECT_EQ(found("'hello', 'l+'"), "[3 4]");
  EXPECT_EQ(found("'hello', '(l)(l)(.)'"), "[3 5 \"l\" \"l\" \"o\"]");
  EXPECT_EQ(found("'hello', '()ll()'"), "[3 4 3 5]");
  EXPECT_EQ(found("'hello', 'l', -1"), "[]");
  EXPECT_EQ(found("'hello', '', 10"), "[6 5]");
  EXPECT_EQ(found("'a.b', '.', 2, true"), "[2 2]");
  EXPECT_EQ(found("'f(a(b)c)d', '%b()'"), "[2 8]");
  EXPECT_EQ(found("'THE (quick) fox', '%f[%a]%a+%f[%A]', 3"), "[6 10]");
  EXPECT_EQ(found("'say \"it\\'s\"', '([\"\\'])(.-)%1'"), "[5 10 \"\"\" \"it's\"]");
  EXPECT_EQ(found("'ab]c', '[]]'"), "[3 3]");
  EXPECT_EQ(found("'a-b', '[a%-]+'"), "[1 2]");
  EXPECT_EQ(found("'a\\0b', '%z'"), "[2 2]");
  EXPECT_EQ(found("'a\\0b', '.\\0x'"), "[1 1]");  // it ends at the zero byte
  EXPECT_EQ(found("'agb', '%g'"), "[2 2]");
  EXPECT_EQ(found("'abc', ('(a?)'):rep(32)").substr(0, 6), "[1 1 \"");
  for (const auto& [pattern, text] :
       {std::pair<const char*, const char*>{"'%'", "malformed pattern (ends with '%')"},
        {"'[a'", "malformed pattern (missing ']')"},
        {"'%f'", "missing '[' after '%f' in pattern"},
        {"'%b'", "unbalanced pattern"},
        {"'%1'", "invalid capture index"},
        {"'a*)'", "invalid pattern capture"},
        {"'(a'", "unfinished capture"},
        {"('()'):rep(33)", "too many captures"}}) {
    EXPECT_EQ(found("'abc', " + std::string(pattern)), "(ERR user_script:1: " + std::string(text));
  }
}

TEST(Patterns, ThatNestTooDeeplyAreRefused) {
  ScriptEngine engine;
  EXPECT_EQ(engine.error_of("return string.find(('a'):rep(100000), ('a?'):rep(100000))"),
            "(ERR user_script:1: pattern too complex (C stack overflow)");
  EXPECT_EQ(engine.eval("return {string.find(('a'):rep(300), ('a?'):rep(300))}"), "[1 300]");
}

TEST(Patterns, ReplaceAsLuaDoes) {
  ScriptEngine engine;
  const auto replaced = [&](const std::string& arguments) {
    return engine.error_of("return {string.gsub(" + arguments + ")}");
  };
  EXPECT_EQ(replaced("'hello world', '(%w+)', '<%1>'"), "[\"<hello> <world>\" 2]");
  EXPECT_EQ(replaced("'abc', '', '-'"), "[\"-a-b-c-\" 4]");
  EXPECT_EQ(replaced("'aaa', '^a', 'b'"), "[\"baa\" 1]");
  EXPECT_EQ(replaced("'aaa', 'a', 'b', 2"), "[\"bba\" 2]");
  EXPECT_EQ(replaced("'abc', '%w', {a = 1, b = false}"), "[\"1bc\" 3]");
  EXPECT_EQ(replaced("'abc', '%w', function(c) if c == 'b' then return c .. c end end"),
            "[\"abbc\" 3]");
  EXPECT_EQ(replaced("'abc', '()', '%1'"), "[\"1a2b3c4\" 4]");
  EXPECT_EQ(replaced("'abc', 'b', '%2'"), "(ERR user_script:1: invalid capture index");
  EXPECT_EQ(replaced("'abc', 'b', function() return {} end"),
            "(ERR user_script:1: invalid replacement value (a table)");
  EXPECT_EQ(engine.error_of("return ('abc'):gsub('b', true) .. ''"),
            "(ERR user_script:1: bad argument #2 to 'gsub' (string/function/table expected)");
  EXPECT_EQ(engine.eval("local t = {} for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do "
                        "t[#t + 1] = k .. v end return t"),
            "[\"a1\" \"b2\"]");
  EXPECT_EQ(engine.eval("local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end return n"), "4");
}

// As Lua's own.
TEST(Tables, ConcatAndInsert) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return table.concat({1, 'b', 3.5}, ', ')"), "\"1, b, 3.5\"");
  EXPECT_EQ(engine.eval("return table.concat({'a', 'b', 'c', 'd'}, '-', 2, 3)"), "\"b-c\"");
  EXPECT_EQ(engine.eval("return table.concat({}) .. table.concat({'a'}, 'x', 2)"), "\"\"");
  EXPECT_EQ(engine.error_of("table.concat({'a', {}}, '-')"),
            "(ERR user_script:1: invalid value (table) at index 2 in table for 'concat'");
  EXPECT_EQ(engine.error_of("table.concat({'a'}, '-', 1, 2)"),
            "(ERR user_script:1: invalid value (nil) at index 2 in table for 'concat'");
  EXPECT_EQ(engine.error_of("table.concat(1)"),
            "(ERR user_script:1: bad argument #1 to 'concat' (table expected, got number)");
  EXPECT_EQ(engine.eval("local t = {1, 2} table.insert(t, 3) table.insert(t, 1, 0) "
                        "table.insert(t, 3, 9) return t"),
            "[0 1 9 2 3]");
  EXPECT_EQ(engine.eval("local t = {} table.insert(t, 3, 'x') return {t[1] == nil, t[3]}"),
            "[1 \"x\"]");
  EXPECT_EQ(engine.error_of("table.insert({})"),
            "(ERR user_script:1: wrong number of arguments to 'insert'");
  EXPECT_EQ(engine.error_of("table.insert({}, 1, 2, 3)"),
            "(ERR user_script:1: wrong number of arguments to 'insert'");
  EXPECT_EQ(engine.error_of("table.insert({}, 'x', 2)"),
            "(ERR user_script:1: bad argument #2 to 'insert' (number expected, got string)");
}

TEST(Sort, SortsWhateverTheOrderWas) {
  ScriptEngine engine;
  for (const char* element : {"i", "-i", "i % 7", "i * 7919 % 10007", "tostring(i)", "1"}) {
    for (const char* less : {"nil", "function(a, b) return a > b end"}) {
      const std::string script =
          "local less = " + std::string(less) +
          " for n = 0, 200 do local t = {} for i = 1, n do t[i] = " + element +
          " end table.sort(t, less) for i = 2, n do "
          "if (less or function(a, b) return a < b end)(t[i], t[i - 1]) "
          "then return n end end end return 'sorted'";
      EXPECT_EQ(engine.eval(script), "\"sorted\"") << script;
    }
  }
  EXPECT_EQ(engine.error_of("table.sort({1, 'x'})"), "(ERR attempt to compare string with number");
  EXPECT_EQ(engine.error_of("table.sort({3, 2, 1, 4}, function() return true end)"),
            "(ERR user_script:1: invalid order function for sorting");
}

}  // namespace
}  // namespace ouro
