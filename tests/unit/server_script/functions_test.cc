// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "persistence/dump_payload.h"
#include "script_engine.h"
#include "server/script/function_payload.h"

namespace ouro {
namespace {

struct FunctionEngine : ScriptEngine {
  std::string load(ByteView source) { return run({"FUNCTION", "LOAD", source}); }
  std::string replace(ByteView source) { return run({"FUNCTION", "LOAD", "REPLACE", source}); }
  std::string list() { return run("FUNCTION LIST"); }
};

constexpr const char* kAdder =
    "#!lua name=lib\nlocal function add(a) return a + 1 end\n"
    "redis.register_function('f', function(keys, args) return add(#keys) end)\n"
    "redis.register_function{function_name = 'g', callback = function(keys, args) return args "
    "end,\n"
    "  description = 'gives', flags = {'no-writes'}}";
constexpr const char* kAdderListed =
    "[{\"library_name\" \"lib\" \"engine\" \"LUA\" \"functions\" [{\"name\" \"f\" \"description\" "
    "_ "
    "\"flags\" <>} {\"name\" \"g\" \"description\" \"gives\" \"flags\" <no-writes>}]}]";

TEST(Functions, AreLoadedCalledAndRemoved) {
  FunctionEngine engine;
  EXPECT_EQ(engine.load(kAdder), "\"lib\"");
  EXPECT_EQ(engine.effects().substr(0, 19), "0: FUNCTION LOAD #!");
  EXPECT_EQ(engine.run("FCALL f 2 a b"), "3");
  EXPECT_EQ(engine.run("FCALL F 0"), "1");
  EXPECT_EQ(engine.run("FCALL_RO g 1 k x y"), "[\"x\" \"y\"]");
  EXPECT_EQ(engine.list(), kAdderListed);
  EXPECT_EQ(engine.run("FUNCTION LIST LIBRARYNAME x*"), "[]");
  EXPECT_EQ(
      engine.run("FUNCTION STATS"),
      "{\"running_script\" _ \"engines\" {\"LUA\" {\"libraries_count\" 1 \"functions_count\" 2}}}");
  EXPECT_EQ(engine.load(kAdder), "(ERR Library 'lib' already exists)");
  EXPECT_EQ(engine.replace(kAdder), "\"lib\"");
  EXPECT_EQ(engine.run("FUNCTION DELETE lib"), "OK");
  EXPECT_EQ(engine.run("FCALL f 0"), "(ERR Function not found)");
  EXPECT_EQ(engine.run("FUNCTION DELETE lib"), "(ERR Library not found)");
  EXPECT_EQ(engine.list(), "[]");
}

// It has no lines of its own that an error could name.
TEST(Functions, OneMayBeAFunctionOfTheLibrary) {
  FunctionEngine engine;
  EXPECT_EQ(engine.load("#!lua name=lib\nredis.register_function('f', redis.log)"), "\"lib\"");
  EXPECT_EQ(engine.run("FCALL f 0"), "(ERR First argument must be a number (log level).)");
}

TEST(Functions, AFailedLoadChangesNothing) {
  FunctionEngine engine;
  engine.load(kAdder);
  const ByteView head = "#!lua name=other\n";
  const auto load = [&](ByteView body) { return engine.replace(std::string(head).append(body)); };
  EXPECT_EQ(load("redis.register_function('f', function() end)"),
            "(ERR Function f already exists)");
  EXPECT_EQ(load("redis.register_function('a', function() end) redis.register_function('A', "
                 "function() end)"),
            "(ERR Error registering functions: ERR Function already exists in the library)");
  EXPECT_EQ(load("x x"), "(ERR Error compiling function: user_function:2: '=' expected near 'x')");
  EXPECT_EQ(load("return 1"), "(ERR No functions registered)");
  EXPECT_EQ(load("redis.register_function('h', function() end) redis.call('PING')"),
            "(ERR Error registering functions: ERR user_function:2: Script attempted to access "
            "nonexistent global variable 'call')");
  EXPECT_EQ(load("math.random()"),
            "(ERR Error registering functions: ERR user_function:2: Script attempted to access "
            "nonexistent global variable 'math')");
  EXPECT_EQ(
      load("a = 1"),
      "(ERR Error registering functions: ERR user_function:2: Attempt to modify a readonly table)");
  EXPECT_EQ(load("redis.register_function()"),
            "(ERR Error registering functions: ERR wrong number of arguments to "
            "redis.register_function)");
  EXPECT_EQ(
      load("redis.register_function('h', 1)"),
      "(ERR Error registering functions: ERR second argument to redis.register_function must be "
      "a function)");
  EXPECT_EQ(
      load(
          "redis.register_function{function_name = 'h', callback = function() end, flags = {'x'}}"),
      "(ERR Error registering functions: ERR unknown flag given)");
  EXPECT_EQ(
      load("redis.register_function{function_name = 'h', callback = function() end, x = 1}"),
      "(ERR Error registering functions: ERR unknown argument given to redis.register_function)");
  EXPECT_EQ(
      load("redis.register_function{callback = function() end}"),
      "(ERR Error registering functions: ERR redis.register_function must get a function name "
      "argument)");
  EXPECT_EQ(
      load("redis.register_function('a b', function() end)"),
      "(ERR Error registering functions: ERR Library names can only contain letters, numbers, or "
      "underscores(_) and must be at least one character long)");
  EXPECT_EQ(engine.load("return 1"), "(ERR Missing library metadata)");
  EXPECT_EQ(engine.load("#!lua name=x"), "(ERR Invalid library metadata)");
  EXPECT_EQ(engine.load("#!lua\nx"), "(ERR Library name was not given)");
  EXPECT_EQ(engine.load("#!js name=x\nx"), "(ERR Engine 'js' not found)");
  EXPECT_EQ(engine.load("#!lua name=x name=y\nx"),
            "(ERR Invalid metadata value, name argument was given multiple times)");
  EXPECT_EQ(engine.load("#!lua name=x y=z\nx"), "(ERR Invalid metadata value given: y=z)");
  EXPECT_EQ(engine.list(), kAdderListed);
  EXPECT_EQ(engine.run("FCALL f 2 a b"), "3");
}

TEST(Functions, TheLibrarysApiEndsWithItsLoading) {
  FunctionEngine engine;
  engine.load(
      "#!lua name=l\nlocal lib = redis\n"
      "redis.register_function('a', function() lib.math = 1 end)\n"
      "redis.register_function('b', function() lib.register_function('c', function() end) end)\n"
      "redis.register_function('d', function() return redis.register_function end)\n"
      "redis.register_function('e', function() return KEYS end)");
  EXPECT_NE(engine.run("FCALL a 0").find("Attempt to modify a readonly table"), std::string::npos);
  EXPECT_NE(engine.run("FCALL b 0").find("can only be called on FUNCTION LOAD command"),
            std::string::npos);
  EXPECT_EQ(engine.run("FCALL d 0"), "_");
  EXPECT_EQ(engine.run("FCALL e 0"),
            "(ERR user_function:6: Script attempted to access nonexistent global variable 'KEYS' "
            "script: e, on @user_function:6.)");
}

TEST(Functions, ALoadThatTakesTooLongEnds) {
  FunctionEngine engine;
  engine.stopwatch.step = 2'000'000;
  EXPECT_EQ(engine.load("#!lua name=l\nwhile true do end"),
            "(ERR Error registering functions: ERR FUNCTION LOAD timeout)");
  EXPECT_EQ(engine.list(), "[]");
  const std::string payload = write_function_payload({"#!lua name=l\nwhile true do end"});
  EXPECT_EQ(engine.run({"FUNCTION", "RESTORE", payload}),
            "(ERR Error registering functions: ERR FUNCTION LOAD timeout)");
  EXPECT_EQ(engine.list(), "[]");
}

TEST(Functions, ABusyFunctionIsKilledByItsOwnCommand) {
  FunctionEngine engine;
  engine.load("#!lua name=l\nredis.register_function('f', function() while true do end end)");
  engine.stopwatch.step = 2'000'000;
  Caller other(Origin::kClient);
  std::string answers;
  engine.host.on_pump = [&](FakeHost&) {
    for (const char* line : {"SCRIPT KILL", "FUNCTION STATS", "FUNCTION KILL"}) {
      ReplyLine reply;
      const std::vector<std::string> words = words_of(line);
      const std::vector<ByteView> argv(words.begin(), words.end());
      engine.engine.executor.execute(other, argv, reply);
      answers += reply.take() + "\n";
    }
    return true;
  };
  EXPECT_EQ(engine.run("FCALL f 1 k"),
            "(ERR Script killed by user with SCRIPT KILL... script: f, on @user_function:2.)");
  EXPECT_TRUE(
      answers.starts_with("(BUSY Redis is busy running a script. You can only call FUNCTION "
                          "KILL or SHUTDOWN NOSAVE.)\n{\"running_script\" {\"name\" \"f\" "
                          "\"command\" [\"FCALL\" \"f\" \"1\" \"k\"] \"duration_ms\" "))
      << answers;
  EXPECT_TRUE(answers.ends_with("OK\n"));
}

TEST(Functions, DumpAndRestore) {
  FunctionEngine engine;
  engine.load(kAdder);
  const std::string payload = write_function_payload({kAdder});
  const auto restore = [&](ByteView bytes, ByteView policy) {
    return engine.run({"FUNCTION", "RESTORE", bytes, policy});
  };
  EXPECT_EQ(restore(payload, "APPEND"), "(ERR Library lib already exists)");
  EXPECT_EQ(restore(payload, "REPLACE"), "OK");
  engine.effects();
  // Redis 7.0 would refuse what a later one has dumped, though it is the same.
  std::string later(*open_payload(payload));
  seal_payload(11, later);
  EXPECT_EQ(restore(later, "REPLACE"), "OK");
  EXPECT_EQ(engine.effects(), "0: FUNCTION RESTORE " + printable(payload) + " REPLACE");
  engine.run("FUNCTION FLUSH");
  EXPECT_EQ(engine.run({"FUNCTION", "RESTORE", payload}), "OK");
  EXPECT_EQ(engine.list(), kAdderListed);
  engine.load("#!lua name=other\nredis.register_function('x', function() end)");
  EXPECT_EQ(restore(payload, "FLUSH"), "OK");
  EXPECT_EQ(engine.list(), kAdderListed);
  engine.run("FUNCTION FLUSH");
  engine.load("#!lua name=other\nredis.register_function('f', function() return 'mine' end)");
  EXPECT_EQ(restore(payload, "REPLACE"), "(ERR Function f already exists)");
  EXPECT_EQ(engine.run("FCALL f 0"), "\"mine\"");
  EXPECT_EQ(restore(payload, "x"),
            "(ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.)");
  EXPECT_EQ(restore("bad", "FLUSH"), "(ERR DUMP payload version or checksum are wrong)");
  EXPECT_EQ(engine.run("FCALL f 0"), "\"mine\"");
}

TEST(Functions, LoadingLeavesNothingBehind) {
  FunctionEngine engine;
  const auto settle = [&] {
    Scripts::of(engine.engine).function_state().collect_all();
    return static_cast<int64_t>(engine.engine.heap.used_bytes());
  };
  for (int i = 0; i < 200; ++i) engine.replace(kAdder);
  const int64_t before = settle();
  for (int i = 0; i < 2000; ++i) {
    engine.replace(kAdder);
    engine.replace("#!lua name=lib\nredis.register_function('f', function() end) x()");
  }
  EXPECT_LT(settle() - before, 2'000);
}

// ---- the payload

TEST(FunctionPayload, IsRedissLayout) {
  const std::string text(100, 'x');
  const std::string payload = write_function_payload({text, "y"});
  EXPECT_EQ(payload.substr(0, 3 + 100 + 3), "\xF5\x40\x64" + text + "\xF5\x01y");
  EXPECT_EQ(payload.size(), 3 + 100 + 3 + 10U);
  std::vector<std::string> sources;
  std::string error;
  ASSERT_TRUE(read_function_payload(payload, sources, error)) << error;
  EXPECT_EQ(sources, (std::vector<std::string>{text, "y"}));
}

// What redis-server 7.0.15 dumps of two functions, compressed.
TEST(FunctionPayload, TextsOfRedisAreRead) {
  constexpr ByteView kHex =
      "f5c3404e40781f23216c7561206e616d653d610a72656469732e72656769737465725f66756e630974696f6e2827"
      "66"
      "272c20e0000d0e292072657475726e203120656e6429e011350067e00c35003220350164290a0021a26447407211"
      "99";
  std::string payload;
  for (size_t at = 0; at < kHex.size(); at += 2)
    payload += static_cast<char>(std::stoi(std::string(kHex.substr(at, 2)), nullptr, 16));
  std::vector<std::string> sources;
  std::string error;
  ASSERT_TRUE(read_function_payload(payload, sources, error)) << error;
  EXPECT_EQ(sources, std::vector<std::string>{
                         "#!lua name=a\nredis.register_function('f', function() return 1 end)\n"
                         "redis.register_function('g', function() return 2 end)"});
}

TEST(FunctionPayload, EveryCutAndEveryChangeIsFound) {
  const std::string payload = write_function_payload({kAdder, std::string(20'000, 'x')});
  std::vector<std::string> sources;
  std::string error;
  for (size_t size = 0; size < 100; ++size)
    EXPECT_FALSE(read_function_payload(ByteView(payload).substr(0, size), sources, error));
  for (size_t at = 0; at < 50; ++at) {
    std::string changed = payload;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(read_function_payload(changed, sources, error));
  }
}

}  // namespace
}  // namespace ouro
