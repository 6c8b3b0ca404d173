// SPDX-License-Identifier: BSD-3-Clause
#include <gtest/gtest.h>

#include "script_engine.h"
#include "test_client.h"

namespace ouro {
namespace {

TEST(Eval, ValuesOfLuaAreReplies) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return 'x'"), "\"x\"");
  EXPECT_EQ(engine.eval("return 3.99"), "3");
  EXPECT_EQ(engine.eval("return -3.99"), "-3");
  EXPECT_EQ(engine.eval("return 1e300"), "-9223372036854775808");
  EXPECT_EQ(engine.eval("return true"), "1");
  EXPECT_EQ(engine.eval("return false"), "_");
  EXPECT_EQ(engine.eval("return nil"), "_");
  EXPECT_EQ(engine.eval("return {1, {2, 'x'}, nil, 4}"), "[1 [2 \"x\"]]");
  EXPECT_EQ(engine.eval("return {ok = 'fine'}"), "fine");
  EXPECT_EQ(engine.eval("return {err = 'BAD thing'}"), "(BAD thing)");
  EXPECT_EQ(engine.eval("return {double = 1.5}"), ",1.5");
  EXPECT_EQ(engine.eval("return {map = {a = 1}}"), "{\"a\" 1}");
  EXPECT_EQ(engine.eval("return {set = {a = true}}"), "<\"a\">");
  EXPECT_EQ(engine.eval("return {big_number = '12'}"), "12n");
  EXPECT_EQ(engine.eval("return {verbatim_string = {format = 'md', string = 'v'}}"), "md \"v\"");
  EXPECT_EQ(engine.eval("return redis.call"), "_");
  EXPECT_EQ(engine.eval("redis.setresp(3) return {true, false}"), "[#t #f]");
}

TEST(Eval, RepliesAreValuesOfLua) {
  ScriptEngine engine;
  engine.run_all({"SET s v", "RPUSH l a b", "HSET h f v", "SADD z m"});
  EXPECT_EQ(engine.eval("return redis.call('GET', 's')"), "\"v\"");
  EXPECT_EQ(engine.eval("return redis.call('GET', 'none') == false"), "1");
  EXPECT_EQ(engine.eval("return redis.call('SET', 's', 'w').ok"), "\"OK\"");
  EXPECT_EQ(engine.eval("return #redis.call('LRANGE', 'l', 0, -1)"), "2");
  EXPECT_EQ(engine.eval("return redis.call('HGETALL', 'h')"), "[\"f\" \"v\"]");
  EXPECT_EQ(engine.eval("return redis.pcall('INCR', 'l').err"),
            "\"WRONGTYPE Operation against a key holding the wrong kind of value\"");
  EXPECT_EQ(engine.eval("redis.setresp(3) return redis.call('HGETALL', 'h').map.f"), "\"v\"");
  EXPECT_EQ(engine.eval("redis.setresp(3) return redis.call('SMEMBERS', 'z').set.m"), "#t");
  EXPECT_EQ(engine.eval("redis.setresp(3) return redis.call('GET', 'none') == nil"), "#t");
}

TEST(Eval, NumbersArePassedExactly) {
  ScriptEngine engine;
  engine.eval(
      "redis.call('SET', 'a', 9007199254740991) redis.call('SET', 'b', 1/3)"
      "redis.call('SET', 'c', 3e20) redis.call('SET', 'd', -0.0)");
  EXPECT_EQ(engine.run("GET a"), "\"9007199254740991\"");
  EXPECT_EQ(engine.run("GET b"), "\"0.33333333333333331\"");
  EXPECT_EQ(engine.run("GET c"), "\"3e+20\"");
  EXPECT_EQ(engine.run("GET d"), "\"-0\"");
}

TEST(Eval, KeysAndArgumentsAreGlobals) {
  ScriptEngine engine;
  EXPECT_EQ(engine.run("EVAL \"return {KEYS[1], KEYS[2], ARGV[1], #ARGV}\" 2 a b c d"),
            "[\"a\" \"b\" \"c\" 2]");
  EXPECT_EQ(engine.run("EVAL \"return 1\" 3 a b"),
            "(ERR Number of keys can't be greater than number of args)");
  EXPECT_EQ(engine.run("EVAL \"return 1\" -1"), "(ERR Number of keys can't be negative)");
  EXPECT_EQ(engine.run("EVAL \"return 1\" x"), "(ERR value is not an integer or out of range)");
}

std::string numbered(size_t number) { return "return " + std::to_string(number); }

TEST(Eval, TheLastScriptsByUseStay) {
  ScriptEngine engine;
  const auto is_cached = [&](const std::string& text) {
    return engine.run({"SCRIPT", "EXISTS", view_of(sha1_hex(text))}) == "[1]";
  };
  for (size_t i = 0; i < ScriptCache::kEvictableMax; ++i) engine.eval(numbered(i));
  engine.eval(numbered(0));
  engine.run({"EVALSHA", view_of(sha1_hex(numbered(1))), "0"});
  engine.run({"SCRIPT", "LOAD", numbered(2)});
  EXPECT_EQ(engine.engine.stats.evicted_scripts, 0u);
  // What was loaded has left its place to another, then the oldest by use goes.
  engine.eval("return 'one more'");
  EXPECT_EQ(engine.engine.stats.evicted_scripts, 0u);
  engine.eval("return 'another'");
  EXPECT_EQ(engine.engine.stats.evicted_scripts, 1u);
  EXPECT_FALSE(is_cached(numbered(3)));
  for (const size_t stays : {0u, 1u, 2u, 4u}) EXPECT_TRUE(is_cached(numbered(stays))) << stays;
  EXPECT_TRUE(
      engine.run({"EVALSHA", view_of(sha1_hex(numbered(3))), "0"}).starts_with("(NOSCRIPT"));
  EXPECT_EQ(engine.eval(numbered(3)), "3");
  // Nothing of EVAL takes the place of what was loaded.
  for (size_t i = 1000; i < 2000; ++i) engine.eval(numbered(i));
  EXPECT_EQ(Scripts::of(engine.engine).facts().scripts, ScriptCache::kEvictableMax + 1);
  EXPECT_TRUE(is_cached(numbered(2)));
  EXPECT_FALSE(is_cached(numbered(0)));
}

TEST(Eval, ScriptsThatGoLeaveTheirMemory) {
  ScriptEngine engine;
  const auto run_scripts = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      std::string text = "local t = {} ";
      for (size_t n = 0; n < 100; ++n)
        text += "t['" + std::to_string(i) + " " + std::to_string(n) + "'] = 1 ";
      EXPECT_EQ(engine.eval(text + "return 1"), "1");
    }
    return Scripts::of(engine.engine).facts();
  };
  const auto full = run_scripts(0, ScriptCache::kEvictableMax);
  const auto after = run_scripts(ScriptCache::kEvictableMax, 6 * ScriptCache::kEvictableMax);
  EXPECT_LT(after.eval_machine_bytes, 2 * full.eval_machine_bytes);
  EXPECT_LT(after.script_bytes, full.script_bytes * 11 / 10);
  // Large ones are bounded by their bytes as well; the last one is kept, however large.
  for (char c = 'a'; c < 'd'; ++c)
    engine.eval("return 1 --" + std::string(ScriptCache::kEvictableBytesMax / 2, c));
  EXPECT_EQ(Scripts::of(engine.engine).facts().scripts, 1u);
}

TEST(Eval, ErrorsTellTheScriptAndTheLine) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("error('x')"),
            "(ERR user_script:1: x script: 9851144f39f03a0d597a980c5aa79c80cb696891, on "
            "@user_script:1.)");
  EXPECT_EQ(engine.error_of("error('x')"), "(ERR user_script:1: x");
  EXPECT_TRUE(engine.eval("\n\nredis.call('nosuch')").ends_with(", on @user_script:3.)"));
  EXPECT_TRUE(engine.eval("\nreturn redis.call('nosuch')").ends_with(", on @user_script:2.)"));
  EXPECT_EQ(engine.error_of("redis.call('nosuch')"),
            "(ERR Unknown Redis command called from script");
  EXPECT_EQ(engine.error_of("redis.call('GET')"),
            "(ERR Wrong number of args calling Redis command from script");
  EXPECT_EQ(engine.error_of("redis.call('EVAL', 'return 1', 0)"),
            "(ERR This Redis command is not allowed from script");
  EXPECT_EQ(engine.error_of("redis.call('GET', {})"),
            "(ERR Lua redis lib command arguments must be strings or integers");
  EXPECT_EQ(engine.error_of("error({err = 'MY code'})"), "(MY code");
  EXPECT_EQ(engine.error_of("error({1})"), "(ERR unknown error");
  EXPECT_EQ(engine.error_of("error(nil)"), "(ERR nil");
  EXPECT_EQ(engine.eval("return 1 +"),
            "(ERR Error compiling script (new function): user_script:1: unexpected symbol near "
            "'<eof>')");
  EXPECT_EQ(engine.eval("local ok, e = pcall(redis.call, 'nosuch') return e"),
            "\"ERR Unknown Redis command called from script\"");
}

// LuaJIT drops the frame of who returns a call.
TEST(Eval, ReturnedCallsTellTheirPlaceToo) {
  ScriptEngine engine;
  EXPECT_EQ(engine.error_of("return math.random(0)"),
            "(ERR user_script:1: bad argument #1 to 'random' (interval is empty)");
  EXPECT_EQ(engine.error_of("if true then\nreturn error('x') end return 2"),
            "(ERR user_script:2: x");
  EXPECT_EQ(without_tail_calls("return f()"), "return nil, f()");
  EXPECT_EQ(without_tail_calls("do return end if a then return else return 1, 2 end return;"),
            "do return end if a then return else return nil, 1, 2 end return;");
  EXPECT_EQ(without_tail_calls("local f = function() if a then return g() end return h() end "
                               "for i = 1, 2 do return -- x\n'return' end return --[[ y ]]"),
            "local f = function() if a then return g() end return h() end "
            "for i = 1, 2 do return nil, -- x\n'return' end return --[[ y ]]");
  EXPECT_EQ(without_tail_calls("end end return x"), "end end return nil, x");
}

TEST(Eval, AnErrorIsCountedOnce) {
  ScriptEngine engine;
  engine.run("SET s v");
  engine.eval("return redis.call('LPUSH', 's', 'x')");
  EXPECT_EQ(engine.engine.stats.error_replies, 1U);
  EXPECT_EQ(engine.engine.registry.stats(*engine.engine.registry.find("LPUSH")).failed, 1U);
  EXPECT_EQ(engine.engine.registry.stats(*engine.engine.registry.find("EVAL")).failed, 1U);
  engine.eval("redis.pcall('LPUSH', 's', 'x') return 1");
  EXPECT_EQ(engine.engine.stats.error_replies, 2U);
  EXPECT_EQ(engine.engine.registry.stats(*engine.engine.registry.find("EVAL")).failed, 1U);
  engine.eval("return {err = 'MINE x'}");
  EXPECT_EQ(engine.engine.stats.errors.at("MINE"), 1U);
}

TEST(Eval, NothingWaitsInAScript) {
  ScriptEngine engine;
  EXPECT_EQ(engine.error_of("redis.call('xread', 'BLOCK', 0, 'STREAMS', 's', '$')"),
            "(ERR xread command is not allowed with BLOCK option from scripts");
  EXPECT_EQ(engine.error_of("redis.call('XREADGROUP', 'GROUP', 'g', 'c', 'BLOCK', 0, 'STREAMS', "
                            "'s', '>')"),
            "(ERR XREADGROUP command is not allowed with BLOCK option from scripts");
}

// min-replicas-to-write; there are none.
TEST(Eval, AScriptThatMayWriteNeedsReplicasToo) {
  ScriptEngine engine;
  engine.engine.options.replication.min_replicas_to_write = 1;
  engine.engine.replication.apply_gate();
  TestTurns turns(engine.engine);
  TestClient client(turns);
  const std::string refused = "-NOREPLICAS Not enough good replicas to write.";
  EXPECT_EQ(client.ask("EVAL \"return redis.call('GET', 'k')\" 0"), "$-1");
  EXPECT_TRUE(
      client.ask("EVAL \"redis.call('SET', 'k', 1)\" 0").starts_with(refused.substr(0, 11)));
  EXPECT_EQ(client.ask("EVAL \"#!lua\\nreturn 1\" 0"), refused);
  EXPECT_EQ(client.ask("EVAL \"#!lua flags=no-writes\\nreturn 1\" 0"), ":1");
}

TEST(Eval, AScriptAsksWhatItsCallerMayDo) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("return redis.acl_check_cmd('set', 'yy', 1)"), "1");
  const std::vector<ByteView> rules = {"on", "nopass", "+eval", "+set", "~x*"};
  std::string error;
  ASSERT_TRUE(engine.engine.acl.set_user("bob", rules, nullptr, error));
  TestTurns turns(engine.engine);
  TestClient bob(turns);
  const auto ask = [&](const std::string& words) {
    return bob.ask("EVAL \"return redis.acl_check_cmd(" + words + ")\" 0");
  };
  EXPECT_EQ(bob.ask("AUTH bob x"), "+OK");
  EXPECT_EQ(ask("'set', 'xx', 1"), ":1");
  EXPECT_EQ(ask("'set', 'yy', 1"), "$-1");
  EXPECT_EQ(ask("'hset', 'xx', 'f', 1"), "$-1");
  // The arguments are the command's own affair.
  EXPECT_EQ(ask("'set'"), ":1");
  EXPECT_TRUE(ask("'nosuch'").starts_with("-ERR Invalid command passed to redis.acl_check_cmd()"));
  EXPECT_TRUE(ask("").starts_with("-ERR Please specify at least one argument"));
}

// As in Redis 7.0: what counts is that it reads, and what its caller declared.
TEST(Eval, AScriptThatReadsHasReadTheDeclaredKeys) {
  ScriptEngine engine;
  TestTurns turns(engine.engine);
  TestClient reader(turns), writer(turns);
  reader.ask("HELLO 3");
  reader.ask("CLIENT TRACKING ON");
  const auto told = [&](ByteView command) {
    reader.ask(command);
    writer.ask("MSET a 1 b 1 other 1");
    return reader.take();
  };
  const std::string both = ">2 $10 invalidate *1 $1 a >2 $10 invalidate *1 $1 b";
  EXPECT_EQ(told("EVAL \"redis.call('SET', 'other', 1)\" 2 a b"), "");
  EXPECT_EQ(told("EVAL \"redis.call('GET', 'other')\" 2 a b"), both);
  EXPECT_EQ(told("EVAL_RO \"redis.call('PING')\" 2 a b"), "");
  EXPECT_EQ(told("EVAL_RO \"redis.call('GET', 'a')\" 2 a b"), both);
  EXPECT_EQ(told("EVAL \"redis.call('GET', 'other')\" 0"), "");
}

TEST(Eval, ScriptsAreFoundByTheirSha1) {
  ScriptEngine engine;
  EXPECT_EQ(engine.run("EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0"),
            "(NOSCRIPT No matching script. Please use EVAL.)");
  EXPECT_EQ(engine.run("SCRIPT LOAD \"return 1\""), "\"e0e1f9fabfc9d4800c877a703b823ac0578ff8db\"");
  EXPECT_EQ(engine.run("EVALSHA E0E1F9FABFC9D4800C877A703B823AC0578FF8DB 0"), "1");
  EXPECT_EQ(engine.run("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db x"), "[1 0]");
  EXPECT_EQ(engine.engine.script_facts().scripts, 1U);
  EXPECT_EQ(engine.run("SCRIPT SHOW E0E1F9FABFC9D4800C877A703B823AC0578FF8DB"), "\"return 1\"");
  EXPECT_EQ(engine.run("SCRIPT SHOW x"), "(NOSCRIPT No matching script. Please use EVAL.)");
  EXPECT_EQ(engine.run("SCRIPT FLUSH"), "OK");
  EXPECT_EQ(engine.run("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db"), "[0]");
  EXPECT_EQ(engine.engine.script_facts().eval_machine_bytes, 0U);
}

// Nothing of scripts is made before one is run, and all of it goes.
TEST(Eval, ACacheWithoutScriptsPaysNothing) {
  ScriptEngine engine;
  const size_t before = engine.engine.heap.used_bytes();
  engine.run("SCRIPT EXISTS x");
  engine.run("SCRIPT FLUSH");
  engine.run("FUNCTION LIST");
  engine.run("FUNCTION FLUSH");
  EXPECT_EQ(engine.engine.heap.used_bytes(), before);
  EXPECT_EQ(engine.engine.scripting, nullptr);
}

TEST(Eval, EffectsAreOneGroup) {
  ScriptEngine engine;
  engine.eval(
      "redis.call('SET', 'a', 1) redis.call('GET', 'a') redis.call('RPUSH', 'l', 'x', 'y')");
  EXPECT_EQ(engine.effects(), "(; 0: SET a 1; 0: RPUSH l x y; )");
  engine.eval("redis.call('SET', 'a', 1)");
  EXPECT_EQ(engine.effects(), "0: SET a 1");
  engine.eval("return redis.call('GET', 'a')");
  EXPECT_EQ(engine.effects(), "");
  engine.eval("redis.call('SET', 'a', 2) error('x')");
  EXPECT_EQ(engine.effects(), "0: SET a 2");
  engine.eval("redis.call('SELECT', 2) redis.call('SET', 'a', 3)");
  EXPECT_EQ(engine.effects(), "2: SET a 3");
  EXPECT_EQ(engine.caller.db, 0U);
  engine.eval(
      "redis.set_repl(redis.REPL_NONE) redis.call('SET', 'a', 4)"
      "redis.set_repl(redis.REPL_ALL) redis.call('SET', 'b', 5)");
  EXPECT_EQ(engine.effects(), "0: SET b 5");
  engine.run_all({"MULTI", "SET c 1", "EVAL \"redis.call('SET', 'd', 1)\" 0", "EXEC"});
  EXPECT_EQ(engine.effects(), "(; 0: SET c 1; 0: SET d 1; )");
}

TEST(Eval, ReadOnlyScriptsDoNotWrite) {
  ScriptEngine engine;
  const std::string refused = "Write commands are not allowed from read-only scripts.";
  EXPECT_NE(engine.run({"EVAL_RO", "return redis.call('SET', 'a', 1)", "0"}).find(refused),
            std::string::npos);
  EXPECT_NE(engine.eval("#!lua flags=no-writes\nreturn redis.call('SET', 'a', 1)").find(refused),
            std::string::npos);
  EXPECT_EQ(engine.run({"EVAL_RO", "#!lua\nreturn 1", "0"}),
            "(ERR Can not execute a script with write flag using *_ro command.)");
  EXPECT_EQ(engine.run("EXISTS a"), "0");
}

TEST(Eval, TheFirstLineIsRead) {
  ScriptEngine engine;
  EXPECT_EQ(engine.eval("#!lua flags=no-writes,allow-oom,allow-stale,no-cluster\nreturn 1"), "1");
  EXPECT_EQ(engine.eval("#!lua"), "(ERR Invalid script shebang)");
  EXPECT_EQ(engine.eval("#!python\nreturn 1"),
            "(ERR Unexpected engine in script shebang: #!python)");
  EXPECT_EQ(engine.eval("#!lua flags=x\nreturn 1"), "(ERR Unexpected flag in script shebang: x)");
  EXPECT_EQ(engine.eval("#!lua flags=no-writes,\nreturn 1"),
            "(ERR Unexpected flag in script shebang: )");
  EXPECT_EQ(engine.eval("#!lua name=x\nreturn 1"), "(ERR Unknown lua shebang option: name=x)");
  EXPECT_EQ(engine.eval("#!lua flags=\"a\nreturn 1"), "(ERR Invalid engine in script shebang)");
}

TEST(Eval, ShortMemoryIsJudgedAtTheStart) {
  ScriptEngine engine;
  engine.run("SET a 1");
  engine.options.maxmemory = 1;
  std::string error;
  ASSERT_TRUE(apply_engine_option(engine.engine, "maxmemory", error));
  EXPECT_NE(engine.eval("return redis.call('SET', 'a', 2)").find("(OOM command not allowed"),
            std::string::npos);
  EXPECT_EQ(engine.eval("return redis.call('GET', 'a')"), "\"1\"");
  EXPECT_EQ(engine.eval("#!lua flags=allow-oom\nreturn redis.call('SET', 'a', 2)"), "OK");
  // DEL needs no memory; what has begun to write goes on.
  EXPECT_EQ(engine.eval("redis.call('DEL', 'a') return redis.call('SET', 'a', 3)"), "OK");
  EXPECT_EQ(engine.eval("#!lua\nreturn 1"),
            "(OOM command not allowed when used memory > 'maxmemory'.)");
  EXPECT_EQ(engine.eval("#!lua flags=no-writes\nreturn 1"), "1");
}

TEST(Eval, WaitsAreOverAtOnce) {
  ScriptEngine engine;
  EXPECT_EQ(engine.error_of("return redis.call('BLPOP', 'l', 0)"),
            "(ERR This Redis command is not allowed from script");
  engine.run("DEBUG SET-DISABLE-DENY-SCRIPTS 1");
  EXPECT_EQ(engine.eval("return redis.call('BLPOP', 'l', 0)"), "_");
  EXPECT_EQ(engine.eval("return redis.call('DEBUG', 'SLEEP', '0.01')"), "OK");
  EXPECT_EQ(engine.host.stood_still, 10'000);
}

// ---- the clock

TEST(Eval, AScriptOverItsTimeLetsTurnsHappenAndIsKilled) {
  ScriptEngine engine;
  engine.stopwatch.step = 2'000'000;  // the second look finds the limit exceeded
  Caller other(Origin::kClient);
  std::string answers;
  engine.host.on_pump = [&](FakeHost& host) {
    const auto ask = [&](ByteView line) {
      ReplyLine reply;
      const std::vector<std::string> words = words_of(line);
      const std::vector<ByteView> argv(words.begin(), words.end());
      engine.engine.executor.execute(other, argv, reply);
      answers += reply.take() + "\n";
    };
    if (host.pumps == 1) {
      ask("GET x");
      ask("FUNCTION KILL");
      ask("FUNCTION STATS");
    }
    if (host.pumps == 3) ask("SCRIPT KILL");
    return true;
  };
  EXPECT_EQ(engine.error_of("while true do pcall(function() while true do end end) end"),
            "(ERR Script killed by user with SCRIPT KILL...");
  const std::string busy =
      "(BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.)\n";
  EXPECT_EQ(answers, busy + busy + busy + "OK\n");
  EXPECT_EQ(engine.run("GET x"), "_");
  EXPECT_EQ(engine.eval("return 1"), "1");
  EXPECT_EQ(engine.run("SCRIPT KILL"), "(NOTBUSY No scripts in execution right now.)");
}

TEST(Eval, AScriptThatHasWrittenIsNotKilled) {
  ScriptEngine engine;
  engine.stopwatch.step = 2'000'000;
  Caller other(Origin::kClient);
  std::string answer;
  engine.host.on_pump = [&](FakeHost& host) {
    if (host.pumps == 1) {
      ReplyLine reply;
      const ByteView argv[] = {"SCRIPT", "KILL"};
      engine.engine.executor.execute(other, argv, reply);
      answer = reply.take();
    }
    return host.pumps < 5;  // then the program ends
  };
  engine.eval("redis.call('SET', 'a', 1) while true do end");
  EXPECT_TRUE(answer.starts_with("(UNKILLABLE")) << answer;
  EXPECT_EQ(engine.host.pumps, 5);
  EXPECT_EQ(engine.effects(), "0: SET a 1");
}

TEST(Eval, AScriptThatHasWrittenMayGoOnWritingWithoutReplicas) {
  for (const bool has_written : {false, true}) {
    ScriptEngine engine;
    engine.stopwatch.step = 2'000'000;
    engine.host.on_pump = [&](FakeHost&) {
      engine.engine.options.replication.min_replicas_to_write = 1;
      engine.engine.replication.apply_gate();
      return true;
    };
    const std::string first = has_written ? "redis.call('SET', 'a', 1) " : "";
    engine.eval(first + "for i = 1, 1000000 do end redis.call('SET', 'b', 2)");
    EXPECT_GT(engine.host.pumps, 0);
    EXPECT_EQ(engine.run("EXISTS b"), has_written ? "1" : "0");
  }
}

TEST(Eval, ACoroutineIsKilledToo) {
  ScriptEngine engine;
  engine.stopwatch.step = 2'000'000;
  engine.host.on_pump = [](FakeHost&) { return false; };
  EXPECT_EQ(engine.error_of("while true do local c = coroutine.create(function() while true do end "
                            "end) coroutine.resume(c) end"),
            "(ERR Script killed by user with SCRIPT KILL...");
}

// ---- memory

TEST(Eval, AScriptThatWantsTooMuchMemoryFails) {
  ScriptEngine engine;
  Runner runner(engine.engine);
  const size_t before = engine.engine.heap.used_bytes();
  {
    LuaState state(engine.engine.heap, LuaState::Kind::kEval, runner, 1, 1_MiB);
    std::string error;
    const int script =
        state.compile("local t = {} for i = 1, 1e7 do t[i] = 'x' .. i end", "@user_script", error);
    ASSERT_NE(script, LUA_NOREF) << error;
    state.push_kept(script);
    EXPECT_EQ(lua_pcall(state.lua(), 0, 0, 0), LUA_ERRMEM);
    EXPECT_LE(state.memory_bytes(), 1_MiB);
    lua_settop(state.lua(), 0);
    state.collect_all();
    EXPECT_LT(state.memory_bytes(), 200'000U);
  }
  EXPECT_EQ(engine.engine.heap.used_bytes(), before);
}

// The heap asks the allocator what a block takes, the machine is told what Lua asked for.
TEST(Eval, AMachineCountsEachOfItsBytesOnce) {
  for (const char* fill :
       {"t[i] = ('x'):rep(1000) .. i", "t[i] = {i}", "t['k' .. i] = i", "t[i] = t[i - 1]"}) {
    ScriptEngine engine;
    Runner runner(engine.engine);
    Heap heap;
    LuaState state(heap, LuaState::Kind::kEval, runner, 1);
    std::string error;
    const int script =
        state.compile("local t = {} for i = 1, 20000 do " + std::string(fill) + " end return t",
                      "@user_script", error);
    state.push_kept(script);
    ASSERT_EQ(lua_pcall(state.lua(), 0, 1, 0), 0);
    EXPECT_LE(state.memory_bytes(), heap.used_bytes()) << fill;
    EXPECT_GE(state.memory_bytes(), heap.used_bytes() / 2) << fill;
    EXPECT_EQ(state.memory_bytes() / 1024, static_cast<size_t>(lua_gc(state.lua(), LUA_GCCOUNT, 0)))
        << fill;
  }
}

TEST(Eval, CallsThatFailLeaveNothing) {
  ScriptEngine engine;
  engine.run("SET s v");
  EXPECT_LT(engine.growth("return redis.call('LPUSH', 's', 'x')", 100'000), 2'000);
  EXPECT_LT(engine.growth("redis.pcall('nosuch', 'with', 'arguments') error('x')", 20'000), 2'000);
  EXPECT_LT(engine.growth("return {1, {err = 'x'}, {map = {a = {}}}}", 20'000), 2'000);
  EXPECT_LT(engine.growth("return cjson.decode('[1,')", 20'000), 2'000);
  EXPECT_LT(engine.growth("return cmsgpack.unpack('\\147\\1')", 20'000), 2'000);
  EXPECT_LT(engine.growth("return struct.unpack('i', 'a')", 20'000), 2'000);
  EXPECT_LT(engine.growth("local function f() return f() + 1 end return f()", 500), 2'000);
}

TEST(Eval, TheClockOfTimeGoesOn) {
  ScriptEngine engine;
  EXPECT_EQ(
      engine.eval(
          "local function now() local t = redis.call('TIME') return t[1] * 1000000 + t[2] end "
          "local began, asked = now(), 0 "
          "repeat asked = asked + 1 until now() - began >= 500 or asked == 1000 "
          "return asked < 1000"),
      "1");
}

// As in Redis: it evicts nothing and refuses no write.
TEST(Eval, WhatAMachineAllocatesIsNoMemoryOfTheCache) {
  ScriptEngine engine;
  engine.eval("return 1");
  const size_t before = engine.engine.heap.used_bytes();
  engine.eval("return #string.rep('x', 5000000)");
  EXPECT_LT(engine.engine.heap.used_bytes(), before + 100'000);
  EXPECT_GT(engine.engine.script_facts().eval_machine_bytes, 1'000'000U);
}

// Else the keys of a cache with a limit would go for it.
TEST(Eval, WhatALargeReplyTookIsGivenBackWithIt) {
  ScriptEngine engine;
  engine.run({"SET", "s", std::string(1'000'000, 'x')});
  const char* const kNine = "redis.call('MGET', 's', 's', 's', 's', 's', 's', 's', 's', 's')";
  engine.run({"FUNCTION", "LOAD",
              std::string("#!lua name=lib\nredis.register_function('nine', function() return #") +
                  kNine + " end)"});
  engine.eval("return 1");
  engine.run("FCALL nine 0");
  const size_t before = engine.engine.heap.used_bytes();
  EXPECT_EQ(engine.eval(std::string("return #") + kNine), "9");
  EXPECT_LT(engine.engine.heap.used_bytes(), before + 100'000);
  EXPECT_EQ(engine.run("FCALL nine 0"), "9");
  EXPECT_LT(engine.engine.heap.used_bytes(), before + 100'000);
  // Its value is too large for the machine.
  Scripts::of(engine.engine).eval().state.set_bytes_max(2'000'000);
  engine.eval("local room = ('x'):rep(700000) return redis.call('GET', 's')");
  EXPECT_LT(engine.engine.heap.used_bytes(), before + 100'000);
}

TEST(Eval, AReplyIsNoLargerThanTheMemoryThatIsLeft) {
  ScriptEngine engine;
  engine.run({"SET", "s", std::string(1'000'000, 'x')});
  engine.eval("return 1");
  Scripts::of(engine.engine).eval().state.set_bytes_max(2'000'000);
  engine.run("RPUSH l a b");
  const size_t before = engine.engine.heap.used_bytes();
  engine.engine.heap.reset_peak();
  EXPECT_EQ(engine.error_of("return redis.call('MGET', 's', 's', 's', 's', 's', 's')"),
            "(ERR The reply is larger than the memory that the script has left");
  EXPECT_EQ(engine.eval("return redis.pcall('MGET', 's', 's', 's', 's', 's', 's').err"),
            "\"ERR The reply is larger than the memory that the script has left\"");
  EXPECT_LT(engine.engine.heap.peak_bytes(), before + 4'000'000);
  // Whatever has been dropped, the next reply is whole.
  EXPECT_EQ(
      engine.eval("redis.pcall('MGET', 's', 's', 's') return redis.call('LRANGE', 'l', 0, 1)"),
      "[\"a\" \"b\"]");
}

TEST(Eval, AScriptMayAskWhatItsUserMayDo) {
  ScriptEngine engine;
  const auto ask = [&](const char* words) {
    return engine.eval(std::string("return tostring(redis.acl_check_cmd(") + words + "))");
  };
  EXPECT_EQ(ask("'GET', 'x'"), "\"true\"");
  EXPECT_EQ(engine.error_of("redis.acl_check_cmd()"),
            "(ERR Please specify at least one argument for this redis lib call");
  EXPECT_EQ(engine.error_of("redis.acl_check_cmd({})"),
            "(ERR Lua redis lib command arguments must be strings or integers");
  for (const char* unknown : {"'none'", "'config|get', 'x'", "'config', 'none'"}) {
    EXPECT_EQ(engine.error_of(std::string("redis.acl_check_cmd(") + unknown + ")"),
              "(ERR Invalid command passed to redis.acl_check_cmd()");
  }
  TestTurns turns{engine.engine};
  TestClient client{turns};
  client.ask("ACL SETUSER u on nopass +eval +get ~x* %R~r* +set +config|get; AUTH u p");
  const auto may = [&](const char* words) {
    return client.ask("EVAL \"return tostring(redis.acl_check_cmd(unpack(ARGV)))\" 0 " +
                      std::string(words));
  };
  for (const char* words :
       {"get x", "set x 1", "get r", "get", "set", "config get x", "eval a zz y"}) {
    EXPECT_EQ(may(words), "$4 true") << words;
  }
  for (const char* words : {"get y", "set r 1", "del x", "config set x y", "eval a 1 y",
                            "eval a 1z y", "multi", "config"}) {
    EXPECT_EQ(may(words), "$5 false") << words;
  }
}

TEST(Eval, WhatAScriptThatReadsWasGivenIsTracked) {
  ScriptEngine engine;
  TestTurns turns{engine.engine};
  TestClient reader{turns}, writer{turns};
  reader.ask("HELLO 3; CLIENT TRACKING ON");
  reader.take();
  const auto told = [&](const std::string& command) {
    reader.ask(command);
    reader.take();
    writer.ask("SET a 1; SET b 1; SET c 1");
    return reader.take();
  };
  const std::string both = ">2 $10 invalidate *1 $1 a >2 $10 invalidate *1 $1 b";
  EXPECT_EQ(told("EVAL \"return redis.call('GET', KEYS[1])\" 2 a b"), both);
  EXPECT_EQ(told("EVAL_RO \"return redis.call('GET', 'c')\" 2 a b"), both);
  EXPECT_EQ(told("EVAL \"return redis.pcall('LLEN', 'c')\" 2 a b"), both);
  EXPECT_EQ(told("EVAL_RO \"return 1\" 2 a b"), "");
  EXPECT_EQ(told("EVAL \"return redis.pcall('GET')\" 2 a b"), "");
  EXPECT_EQ(told("EVAL \"return redis.call('SET', 'c', 1)\" 2 a b"), "");
  EXPECT_EQ(told("EVAL \"return redis.call('GET', 'c')\" 0"), "");
}

TEST(Eval, AScriptHasTheFieldsThatItsClientHasPrepared) {
  ScriptEngine engine;
  engine.run("HIMPORT PREPARE u name");
  EXPECT_EQ(engine.eval("return redis.call('HIMPORT', 'SET', 'k', 'u', 'ann')"), "OK");
  EXPECT_EQ(engine.run("HGET k name"), "\"ann\"");
  EXPECT_EQ(engine.error_of("redis.call('HIMPORT', 'PREPARE', 'v', 'name')"),
            "(ERR This Redis command is not allowed from script");
}

TEST(Eval, NestingIsBounded) {
  ScriptEngine engine;
  EXPECT_NE(engine.eval("local t = {} for i = 1, 5000 do t = {t} end return cjson.encode(t)")
                .find("excessive nesting"),
            std::string::npos);
  EXPECT_NE(engine.eval("return cjson.decode(string.rep('[', 100000))").find("nested"),
            std::string::npos);
  EXPECT_EQ(engine.error_of("return cmsgpack.unpack(string.rep('\\145', 100000))"),
            "(ERR user_script:1: Input is nested too deeply.");
  const std::string answer = engine.eval("local a = {} a[1] = a return a");
  EXPECT_NE(answer.find("(ERR reached lua stack limit)"), std::string::npos);
}

}  // namespace
}  // namespace ouro
