#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tests of tidy: each rule catches a bad snippet, and leaves its harmless neighbour alone."""
import sys

import tidy

SPDX = "// SPDX-License-Identifier: BSD-3-Clause\n"

# (rule, path, code that breaks it)
BAD = [
    ("clock", "server/engine/a.cc", "auto t = std::chrono::steady_clock::now();"),
    ("clock", "datastructs/a.cc", "seed = time(nullptr);"),
    ("clock", "cluster/a.cc", "clock_gettime(CLOCK_MONOTONIC, &t);"),
    ("cycle counter", "server/engine/a.cc", "return __rdtsc();"),
    ("dice", "datastructs/a.cc", "int n = rand() % 6;"),
    ("dice", "server/commands/a.cc", "std::mt19937 dice(1);"),
    ("environment", "server/app/a.cc", 'if (getenv("HOME")) return;'),
    ("end of the process", "server/app/main.cc", "  exit(1);"),
    ("end of the process", "datastructs/a.cc", "std::abort();"),
    ("standard output", "server/engine/a.cc", 'printf("%d", 1);'),
    ("raw allocation", "datastructs/a.cc", "char* p = new char[10];"),
    ("raw allocation", "server/engine/a.cc", "void* p = malloc(10);"),
    ("unordered_map", "server/engine/a.h", "std::unordered_map<int, int> m_;"),
    ("std::function", "server/net/a.h", "std::function<void()> f_;"),
    ("iostream", "server/net/a.cc", "#include <iostream>"),
    ("regex", "server/commands/a.cc", "#include <regex>"),
    ("shared_ptr", "server/net/a.h", "std::shared_ptr<int> p_;"),
    ("exceptions", "server/engine/a.cc", "throw 1;"),
    ("exceptions", "server/engine/a.cc", "  try {"),
    ("threads", "server/app/a.cc", "#include <mutex>"),
    ("system header", "server/app/a.cc", "#include <unistd.h>"),
    ("system header", "server/net/a.cc", "#include <sys/socket.h>"),
    ("system header", "server/net/a.cc", "#include <liburing.h>"),
    ("thread_local", "server/io/a.cc", "thread_local int depth = 0;"),
    ("mutable static", "server/engine/a.cc", "  static int calls = 0;"),
    ("mutable static", "server/engine/a.cc", "static std::vector<int> all;"),
    ("mutable global", "server/engine/a.cc", "int counter = 0;"),
    ("mutable global", "server/engine/a.cc", "std::string name;"),
    ("mutable global", "server/engine/a.h", "inline Engine* current = nullptr;"),
    ("sleep", "tests/unit/server_io/a_test.cc", "usleep(1000);"),
    ("upward include", "server/engine/a.cc", '#include "../io/loop.h"'),
    ("columns", "server/engine/a.cc", "int f() { return 1; }" + " " * 90 + ";"),
    ("columns", "tests/a.py", "x = 1  # " + "x" * 130),
    ("layer order", "datastructs/a.cc", '#include "server/io/loop.h"'),
    ("layer order", "server/engine/a.cc", '#include "server/net/connection.h"'),
    ("layer order", "server/net/a.cc", '#include "server/engine/command.h"'),
    ("layer order", "server/embed/a.cc", '#include "server/io/loop.h"'),
    ("layer order", "persistence/a.h", '#include "replication/feed.h"'),
    ("layer order", "server/engine/a.h", '#include "command.h"'),
    ("file length", "server/engine/a.cc", "\n" * 801),
    ("unfinished", "server/engine/a.cc", "// TO" + "DO: later"),
    ("trailing blanks", "server/engine/a.cc", "int f(); "),
    ("readme length", "server/engine/README.md", "line\n" * 41),
]

# (path, code that no rule may complain about)
GOOD = [
    ("server/io/clock.cc", "return std::chrono::steady_clock::now();"),
    ("server/io/uring.cc", "#include <liburing.h>"),
    ("datastructs/base/check.cc", "  std::abort();"),
    ("datastructs/a.cc", "// rand() and time(nullptr) in a comment, throw"),
    ("datastructs/a.cc", 'log("exit(1) in a string");'),
    ("datastructs/a.cc", "const auto t = expiry.time();"),
    ("server/engine/a.cc", "constinit const std::span<const int> kRows = kTable;"),
    ("server/engine/a.cc", "static constexpr int kMax = 3;"),
    ("server/engine/a.h", "  static Result<int> parse(ByteView text);"),
    ("server/engine/a.cc", "static_assert(sizeof(int) == 4);"),
    ("server/engine/a.cc", "using Table = int;"),
    ("server/engine/a.cc", "  int counter = 0;"),
    ("server/app/a.cc", '#include "server/net/connection.h"'),
    ("server/embed/a.cc", '#include "server/io/clock.h"'),
    ("server/engine/a.cc", '#include "datastructs/dict.h"'),
    ("tests/unit/a_test.cc", '#include "server/engine/engine.h"'),
    ("server/engine/a.cc", "const char quote = '\"'; int n = 1'000'000;"),
]


def main():
    passed = failed = 0

    def expect(good, what):
        nonlocal passed, failed
        if good:
            passed += 1
        else:
            failed += 1
            print(f"FAILED {what}")

    for rule, path, code in BAD:
        text = code if path.endswith(".md") else SPDX + code + "\n"
        found = {name for name, _, _ in tidy.check_file(path, text)}
        expect(rule in found, f"{rule} misses: {code[:60]!r} in {path} (found {found})")
    for path, code in GOOD:
        found = list(tidy.check_file(path, SPDX + code + "\n"))
        expect(not found, f"{path}: {code!r} is harmless but found {found}")
    unlicensed = [finding[0] for finding in tidy.check_file("server/a.cc", "int f();\n")]
    expect(unlicensed == ["licence"], "a file without its licence line")
    beside = [finding[0] for finding in tidy.check_top(["src/a.cc", "server/a.cc", ".ci/run"])]
    expect(beside == ["top level"], "a new folder at the top")
    missing = list(tidy.check_readmes({"server/net/a.cc", "server/README.md"}))
    expect([f[1] for f in missing] == ["server/net"], "a folder without a README")
    stale = list(tidy.check_readme_names("server/README.md", "see `gone.h`, `tick.cc`", ["server/app/tick.cc"]))
    expect([f[3].split()[0] for f in stale] == ["gone.h"], "a README that names a file that is gone")
    tested = {rule for rule, _, _ in BAD} | {"licence", "top level", "readme missing", "readme names", "format"}
    expect(tested == set(tidy.RULES), f"rules without a test: {set(tidy.RULES) ^ tested}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
