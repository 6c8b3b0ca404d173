// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "script_engine.h"

namespace ouro {
namespace {

constexpr const char* kReadOnly = "(ERR user_script:1: Attempt to modify a readonly table";

std::string missing(const std::string& name) {
  return "(ERR user_script:1: Script attempted to access nonexistent global variable '" + name +
         "'";
}

TEST(Sandbox, GlobalsAreThoseOfRedis) {
  ScriptEngine engine;
  EXPECT_EQ(
      engine.eval("local t = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) "
                  "return table.concat(t, ' ')"),
      "\"ARGV KEYS _G _VERSION assert bit cjson cmsgpack collectgarbage coroutine error gcinfo "
      "getmetatable ipairs load loadstring math next pairs pcall rawequal rawget rawset redis "
      "select setmetatable string struct table tonumber tostring type unpack xpcall\"");
  for (const char* name : {"a", "io", "os", "package", "debug", "jit", "ffi", "require", "print",
                           "dofile", "loadfile", "getfenv", "setfenv", "newproxy", "module"}) {
    EXPECT_EQ(engine.error_of("return " + std::string(name)), missing(name));
  }
}

TEST(Sandbox, HandlersOfErrorsGiveOneValue) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return {xpcall(function() return 1, 2, 3 end, 1)}"), "[1 1 2 3]");
  EXPECT_EQ(engine.eval("return {select('#', xpcall(error, function() return 1, 2 end))}"), "[2]");
  const auto second = [&](const std::string& arguments) {
    return engine.eval("return (select(2, xpcall(" + arguments + ")))");
  };
  EXPECT_EQ(second("function() error('x') end, function(e) return 'h:' .. e end"),
            "\"h:user_script:1: x\"");
  EXPECT_EQ(second("1, function(e) return 'h:' .. e end"), "\"h:attempt to call a number value\"");
  EXPECT_EQ(second("function() redis.call('nope') end, type"), "\"table\"");
  for (const char* handler : {"nil", "function() error('y') end"})
    EXPECT_EQ(second("error, " + std::string(handler)), "\"error in error handling\"");
  EXPECT_EQ(engine.error_of("xpcall(error)"),
            "(ERR user_script:1: bad argument #2 to 'xpcall' (value expected)");
}

TEST(Sandbox, SharedTablesCannotBeChanged) {
  ScriptEngine engine;
  for (const char* script :
       {"a = 1", "redis = 1", "_G = {}", "_G.a = 1", "redis.call = 1", "cjson.encode = 1",
        "cmsgpack.pack = 1", "bit.lshift = 1", "string.len = 1", "math.x = 1", "table.x = 1",
        "getmetatable(_G).__index = {}", "getmetatable('').__index = {}", "KEYS = {}"}) {
    EXPECT_EQ(engine.error_of(script), kReadOnly) << script;
  }
  // Functions that do not ask a metatable, and do not tell a place in Redis either.
  for (const char* script :
       {"rawset(_G, 'a', 1)", "rawset(redis, 'a', 1)", "table.insert(redis, 1)",
        "table.remove(redis)", "table.sort(redis)", "setmetatable(_G, {})",
        "setmetatable(redis, nil)", "setmetatable(string, {})"}) {
    EXPECT_EQ(engine.error_of(script), "(ERR Attempt to modify a readonly table") << script;
  }
  EXPECT_EQ(engine.eval("KEYS[1] = 'mine' return KEYS[1]"), "\"mine\"");
  EXPECT_EQ(engine.eval("return KEYS[1]"), "_");
}

// Whatever way a script takes, it never holds the table behind a proxy.
TEST(Sandbox, TheTablesBehindCannotBeHad) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return getmetatable(redis)"), "_");
  EXPECT_EQ(engine.eval("return type(getmetatable(setmetatable({}, redis)).call)"), "\"function\"");
  EXPECT_EQ(engine.error_of("getmetatable(setmetatable({}, redis)).x = 1"), kReadOnly);
  EXPECT_EQ(engine.error_of("for k, v in pairs(_G) do if k == 'redis' then v.x = 1 end end"),
            kReadOnly);
  EXPECT_EQ(engine.error_of("local f, t = pairs(redis) t.x = 1"), kReadOnly);
  EXPECT_EQ(engine.error_of("rawget(_G, 'redis').x = 1"), kReadOnly);
  EXPECT_EQ(engine.error_of("getmetatable('').__index.x = 1"), kReadOnly);
  EXPECT_EQ(engine.eval("return ('x').dump"), "_");
  EXPECT_EQ(engine.eval("return next(redis) ~= nil"), "1");
  EXPECT_EQ(engine.eval("local n = 0 for k in pairs(bit) do n = n + 1 end return n"), "12");
  EXPECT_EQ(engine.eval("local n = 0 for k in next, bit do n = n + 1 end return n"), "12");
}

TEST(Sandbox, OrdinaryTablesWorkAsEver) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("local t = {3, 1, 2} table.sort(t) table.insert(t, 4) table.remove(t, 1) "
                        "return t"),
            "[2 3 4]");
  EXPECT_EQ(
      engine.eval("local t = setmetatable({}, {__index = function(_, k) return k .. '!' end}) "
                  "return {t.a, rawget(t, 'a') == nil}"),
      "[\"a!\" 1]");
  EXPECT_EQ(engine.eval("local m = {} return getmetatable(setmetatable({}, m)) == m"), "1");
  EXPECT_EQ(engine.eval("return getmetatable(setmetatable({}, {__metatable = 'no'}))"), "\"no\"");
  EXPECT_EQ(engine.error_of("setmetatable(setmetatable({}, {__metatable = 1}), {})"),
            "(ERR user_script:1: cannot change a protected metatable");
  EXPECT_EQ(engine.eval("local t = {} rawset(t, 'a', 1) local k, v = next(t) return {k, v}"),
            "[\"a\" 1]");
  EXPECT_EQ(
      engine.eval("local t = {} for k, v in pairs({a = 1}) do t[1] = k t[2] = v end return t"),
      "[\"a\" 1]");
}

TEST(Sandbox, OnlyTextIsCompiled) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return loadstring('return 1 + 1')()"), "2");
  EXPECT_EQ(engine.eval("local parts = {'return', ' 7'} local i = 0 "
                        "return load(function() i = i + 1 return parts[i] end)()"),
            "7");
  EXPECT_EQ(
      engine.error_of("return loadstring('return x')()"),
      "(ERR [string \"return x\"]:1: Script attempted to access nonexistent global variable 'x'");
  EXPECT_EQ(engine.eval("local f, e = loadstring('x x') return e"),
            "\"[string \"x x\"]:1: '=' expected near 'x'\"");
  EXPECT_EQ(engine.eval("return string.dump == nil"), "1");
  EXPECT_EQ(engine.eval("return loadstring('\\27LJ\\2') == nil"), "1");
}

// They would open ffi.
TEST(Sandbox, LiteralsOfLuaJitAloneAreRefused) {
  ScriptEngine engine;
  for (const char* script :
       {"return 1LL", "return 1ull", "return 0x1LL", "return 3i", "return 1.5I", "return 0b11",
        "return 0x1.8p1", "return 0x1p-1", "return 1 ..0b1", "return '\\'' .. 1LL",
        "--[[ ]] return 1LL", "return [[]] .. 1LL", "return '\\\r\n' .. 1LL, '"}) {
    EXPECT_NE(engine.eval(script).find("malformed number near"), std::string::npos) << script;
  }
  EXPECT_EQ(engine.eval("return loadstring('return 1LL') == nil"), "1");
  EXPECT_EQ(engine.eval("return '1LL' .. \"2LL\" .. [[3LL]] .. [==[4LL]==] -- 5LL"),
            "\"1LL2LL3LL4LL\"");
  EXPECT_EQ(engine.error_of("local a =\n0b11.. b b b"),
            "(ERR Error compiling script (new function): user_script:2: malformed number near "
            "'0b11')");
  EXPECT_EQ(engine.eval("local xLL, i = 1, 0x1F return xLL + i + 1e2"), "132");
  EXPECT_EQ(engine.eval("--[==[ 1LL ]] 2LL ]==] return 1"), "1");
}

TEST(Sandbox, TextsMeanWhatTheyMeanInLua51) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return '\\z \\x41\\u{41}\\q\\-\\\\z\\065'"), "\"z x41u{41}q-\\zA\"");
  for (const char* end : {"\n", "\r", "\r\n", "\n\r"})
    EXPECT_EQ(engine.eval("return {'a\\" + std::string(end) + "b' == 'a\\nb', 2}"), "[1 2]");
  EXPECT_EQ(engine.eval("return {0x1p4, 0xA, 1e2, .5e1, 5., 08, 0x1e+1, 1 ..2, 0xA..1e1..''}"),
            "[16 10 100 5 5 8 31 \"12\" \"1010\"]");
  // The compiler's and our reading part at none of these, so what is behind them is seen.
  for (const char* script :
       {"local a = '\\z\n' return nil, tostring(1LL) --'", "# '\\\nreturn nil, tostring(1LL) --'",
        "\xEF\xBB\xBF# '\\\nreturn nil, tostring(1LL) --'",
        "local a = '\\z\t\n' return tostring(1LL) --'"}) {
    EXPECT_TRUE(engine.eval(script).starts_with("(ERR Error compiling script")) << script;
  }
}

// LuaJIT sets no limit to calls that nest through C, and the processor's stack ends somewhere.
TEST(Sandbox, CallsThatNestThroughCAreBounded) {
  ScriptEngine engine;
  for (const char* script : {"local function f() return (('x'):gsub('.', f)) end f()",
                             "local function f() table.sort({1, 2}, f) return false end f()",
                             "local function f() return load(f) end f()",
                             "local function f() return coroutine.wrap(f)() end f()",
                             "local function f() return f() + 1 end f()"}) {
    EXPECT_NE(engine.eval(script).find("stack overflow"), std::string::npos) << script;
  }
  EXPECT_EQ(engine.eval("local function f() return pcall(f) end f() return 1"), "1");
  EXPECT_EQ(engine.eval(
                "local function f() return coroutine.resume(coroutine.create(f)) end f() return 1"),
            "1");
}

TEST(Sandbox, Coroutines) {
  ScriptEngine engine;
  EXPECT_EQ(
      engine.eval("local c = coroutine.create(function(a) local b = coroutine.yield(a + 1) "
                  "error('x' .. b) end) "
                  "local t = {} for i = 1, 3 do local ok, v = coroutine.resume(c, i) t[i] = "
                  "tostring(ok) .. v end "
                  "t[4] = coroutine.status(c) return t"),
      "[\"true2\" \"falseuser_script:1: x2\" \"falsecannot resume dead coroutine\" \"dead\"]");
  EXPECT_EQ(engine.eval("local f = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i) "
                        "end return 3 end) "
                        "return {f(), f(), f()}"),
            "[1 2 3]");
  EXPECT_EQ(engine.error_of("local f = coroutine.wrap(function() end) f() f()"),
            "(ERR user_script:1: cannot resume dead coroutine");
  EXPECT_EQ(engine.eval("local ok, e = coroutine.resume(coroutine.running() or "
                        "coroutine.create(function() return 5 end)) return e"),
            "5");
  EXPECT_EQ(engine.eval("local c c = coroutine.create(function() return coroutine.resume(c) end) "
                        "local _, _, e = coroutine.resume(c) return e"),
            "\"cannot resume running coroutine\"");
}

TEST(Sandbox, TheCollectorIsNotAScriptsToStop) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return collectgarbage('stop')"), "0");
  EXPECT_EQ(engine.eval("return collectgarbage('count') > 10"), "1");
  EXPECT_EQ(engine.error_of("collectgarbage('x')"),
            "(ERR user_script:1: bad argument #1 to 'collectgarbage' (invalid option 'x')");
}

// The sequence that Redis draws from this seed.
TEST(Sandbox, RandomNumbersAreThoseOfRedis) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("math.randomseed(10) return {tostring(math.random()), math.random(100), "
                        "math.random(5, 10)}"),
            "[\"0.87885112309775\" 80 7]");
  EXPECT_EQ(engine.error_of("math.random(0)"),
            "(ERR user_script:1: bad argument #1 to 'random' (interval is empty)");
}

TEST(Sandbox, TheRedisTable) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return {redis.REDIS_VERSION, redis.REDIS_VERSION_NUM}"),
            "[\"7.0.15\" 458767]");
  EXPECT_EQ(engine.eval("return redis.sha1hex('abc')"),
            "\"a9993e364706816aba3e25717850c26c9cd0d89d\"");
  EXPECT_EQ(engine.eval("return redis.error_reply('x')"), "(ERR x)");
  EXPECT_EQ(engine.eval("return redis.error_reply('-MY x')"), "(MY x)");
  EXPECT_EQ(engine.eval("return redis.error_reply(1)"), "(ERR wrong number or type of arguments)");
  EXPECT_EQ(engine.eval("return redis.status_reply('x')"), "x");
  EXPECT_EQ(engine.eval("return redis.replicate_commands()"), "1");
  EXPECT_EQ(engine.error_of("redis.log(9, 'x')"), "(ERR Invalid debug level.");
  EXPECT_EQ(engine.error_of("redis.log(0/0, 'x')"), "(ERR Invalid debug level.");
  EXPECT_EQ(engine.error_of("redis.setresp(0/0)"), "(ERR RESP version must be 2 or 3.");
  EXPECT_EQ(engine.error_of("redis.setresp(4)"), "(ERR RESP version must be 2 or 3.");
  EXPECT_EQ(engine.error_of("redis.set_repl(4)"),
            "(ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
}

}  // namespace
}  // namespace ouro
