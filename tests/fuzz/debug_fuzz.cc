// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what the client of the debugger of scripts sends, up to the end of its session: nothing
// crashes, the data are as before, and no session or memory stays.
#include <iterator>
#include <string>

#include "fuzz_program.h"
#include "script_engine.h"
#include "test_client.h"

namespace {

using ouro::ByteView;
using ouro::Prng;

constexpr ByteView kScript =
    "EVAL \"local t={1,{x='y'}} t.t=t\\nlocal function f(a)\\n  redis.call('set',KEYS[1],a)\\n"
    "  return a\\nend\\nstring.gsub('ab','.',f)\\npcall(f,nil)\\nredis.breakpoint()\\n"
    "for i=1,3 do\\n  redis.debug(i,t)\\nend\\nreturn redis.call('get',KEYS[1])\" 1 k v";
constexpr int kTurnsMax = 100'000;

class Target {
 public:
  Target() {
    // What is evaluated comes to its time soon.
    engine_.stopwatch.step = 1000;
    engine_.run("SET k mine");
  }

  // The first byte says in which pieces the rest comes.
  void check(ByteView input) {
    if (input.empty()) return;
    const size_t piece = 1 + static_cast<unsigned char>(input[0]);
    input.remove_prefix(1);
    {
      ouro::TestTurns turns(engine_.engine);
      ouro::TestClient client(turns);
      client.ask("SCRIPT DEBUG YES");
      client.ask(kScript);
      for (; !input.empty(); input.remove_prefix(std::min(piece, input.size()))) {
        client.session().on_bytes(input.substr(0, piece));
        run(turns);
      }
      client.disconnect();
      run(turns);
    }
    CHECK(!engine_.engine.scripting->has_more());
    CHECK(engine_.engine.blocking.session_count() == 0);
    CHECK(engine_.run("GET k") == "\"mine\"");
    CHECK(engine_.engine.dbs.size() == 1);
    CHECK(engine_.engine.script_facts().eval_machine_bytes == 0);
  }

 private:
  void run(ouro::TestTurns& turns) {
    int count = 0;
    do {
      turns.run_one();
      CHECK(++count < kTurnsMax);
    } while (engine_.engine.scripting->has_more());
  }

  ouro::ScriptEngine engine_;
};

void check(ByteView input) {
  static Target target;
  target.check(input);
}

std::string fragment(Prng& prng) {
  static constexpr const char* kFragments[] = {"*1\r\n$1\r\ns\r\n", "*1\r\n$1\r\nc\r\n",
                                               "*1\r\n$1\r\np\r\n", "*2\r\n$1\r\np\r\n$1\r\nt\r\n",
                                               "*1\r\n$1\r\nt\r\n", "*1\r\n$1\r\nl\r\n",
                                               "*1\r\n$1\r\nw\r\n", "*2\r\n$1\r\nb\r\n$1\r\n3\r\n",
                                               "*1\r\n$1\r\na\r\n", "*1\r\n$1\r\nb\r\n",
                                               "*1\r\n$1\r\nm\r\n", "*2\r\n$1\r\nm\r\n$1\r\n0\r\n",
                                               "*2\r\n$1\r\ne\r\n", "*2\r\n$1\r\nr\r\n",
                                               "$4\r\nping\r\n",    "$13\r\nwhile 1 do end\r\n",
                                               "$7\r\nKEYS[1]\r\n", "$1\r\n",
                                               "*3\r\n$1\r\nr\r\n", "$6\r\nreturn\r\n"};
  return kFragments[prng.below(std::size(kFragments))];
}

}  // namespace

constinit const ouro::FuzzTarget ouro::kFuzzTarget = {
    .name = "debug_fuzz", .check = check, .fragment = fragment};
