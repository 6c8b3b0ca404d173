#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""House rules that a search can check. Each finding names what to use instead.

    tidy.py [--root DIR] [--no-format]     the last line is `N passed, N failed`, one count a rule

Comments and the insides of strings are blanked before the rules about code look at a line.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys

PRODUCT = ("datastructs", "persistence", "replication", "cluster", "server")

# What each layer may include: itself, and the layers below it. A second check of the order that CMake's roots enforce.
BELOW = {
    "datastructs": [],
    "persistence": ["datastructs"],
    "replication": ["persistence"],
    "cluster": ["replication"],
    "server/protect": ["datastructs"],
    "server/engine": ["server/protect", "cluster"],
    "server/commands": ["server/engine"],
    "server/script": ["server/commands"],
    "server/io": ["datastructs"],
    "server/net": ["server/io"],
    "server/embed": ["server/script", "server/io"],
    "server/app": ["server/script", "server/net"],
}

FILE_LINES_MAX = 800
README_LINES_MAX = 39
CPP_COLUMNS_MAX = 100
SCRIPT_COLUMNS_MAX = 130


class Ban:
    """A pattern that must not stand in code: where, where it is right after all, what to use instead."""

    def __init__(self, name, pattern, instead, where=PRODUCT, but=()):
        self.name = name
        self.pattern = re.compile(pattern)
        self.instead = instead
        self.where = where
        self.but = but

    def covers(self, path):
        return within(path, self.where) and not within(path, self.but) and "/examples/" not in path


IO = ("server/io",)
BANS = [
    Ban("clock", r"\bstd::chrono\b|\bclock_gettime\b|\bgettimeofday\b|"
        r"(?<![\w.:>])(?:std::)?(?:time|clock)\((?:nullptr|NULL|0|&|\))", "ctx.now, or the Loop's now()", but=IO),
    Ban("cycle counter", r"\b__rdtscp?\b|\b__builtin_ia32_rdtscp?\b", "the Stopwatch that is passed in", but=IO),
    Ban("dice", r"(?<![\w.>])(?:std::)?s?rand\(|\brandom\(\)|\bstd::(?:mt19937|random_device|default_random_engine)\b",
        "the Prng that is passed in", but=IO),
    Ban("environment", r"\bgetenv\b|\bsetenv\b", "an option row", but=IO),
    Ban("end of the process", r"(?<![\w.>])(?:std::)?(?:_?[eE]xit|quick_exit|abort|terminate|raise)\(",
        "a Status, or CHECK for a bug", but=("datastructs/base/check.cc", "server/io")),
    Ban("standard output", r"(?<!\w)(?:std::)?(?:printf|puts|putchar)\(|\bstd::(?:cout|cerr|clog)\b",
        "the Logger that is passed in", but=("server/app", "datastructs/base/check.cc")),
    Ban("raw allocation", r"\bnew\s+[\w:<>]+\s*\[|\bdelete\s*\[|"
        r"(?<![\w.>])(?:std::)?(?:malloc|calloc|realloc|strdup)\(",
        "Heap, which counts what it hands out", but=("datastructs/base/memory.cc",)),
    Ban("unordered_map", r"\bstd::unordered_(?:multi)?(?:map|set)\b|<unordered_(?:map|set)>", "Dict or StringMap"),
    Ban("std::function", r"\bstd::(?:move_only_)?function\s*<", "FunctionRef, or an interface",
        but=("server/embed", "server/app")),
    Ban("iostream", r"#\s*include\s*<(?:iostream|sstream|fstream|iomanip|ostream|istream)>",
        "the Logger, or snprintf into a buffer"),
    Ban("regex", r"#\s*include\s*<regex>", "glob_matches, or a few lines by hand"),
    Ban("shared_ptr", r"\bstd::(?:shared|weak)_ptr\b", "a value or unique_ptr that owns, a reference that borrows"),
    Ban("exceptions", r"\bthrow\b|\btry\s*\{|\bcatch\s*\(", "Status or Result", but=("server/embed/ouro.h",)),
    Ban("threads", r"#\s*include\s*<(?:thread|mutex|shared_mutex|condition_variable|future|atomic)>",
        "nothing: a node is one thread", but=("server/io", "server/embed")),
    Ban("system header",
        r"#\s*include\s*<(?:unistd\.h|sys/[^>]*|liburing\.h|linux/[^>]*|fcntl\.h|netinet/[^>]*|arpa/[^>]*|netdb\.h|"
        r"poll\.h|signal\.h|csignal|pthread\.h|dirent\.h|filesystem|chrono)>", "what server/io offers", but=IO),
    Ban("thread_local", r"\bthread_local\b", "a member of the object that needs it"),
    Ban("mutable static", r"^\s*(?:inline\s+|thread_local\s+)*static\s+(?:inline\s+)?"
        r"(?!const\b|constexpr\b|constinit const\b|_?assert)"
        r"[\w:<>,*& ]*?[\w>*&]\s+\w+(?:\[[^\]]*\])?\s*(?:=[^=].*|\{.*|;)\s*$", "a member, or a constant"),
    Ban("mutable global", r"^(?:inline\s+)?"
        r"(?!(?:using|typedef|return|const|constexpr|consteval|constinit const|extern|class|struct|enum|union|"
        r"namespace|friend|template|static_assert|goto|case|default|public|private|else|static|requires|concept)\b)"
        r"[A-Za-z_][\w:]*(?:<[^;()]*>)?[*&]?\s+[*&]?[a-z_]\w*(?:\[[^\]]*\])?\s*(?:=\s*[^=;]*|\{[^;]*\})?;\s*$",
        "a member of the object that is passed in"),
    Ban("sleep", r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\b|(?<![\w.>])sleep\(",
        "a virtual clock, or a wait for the event",
        where=("tests/unit", "tests/model", "tests/sim", "tests/fuzz") + PRODUCT),
    Ban("upward include", r"#\s*include\s*[\"<][^\">]*\.\./", "a path from the top of the tree",
        where=PRODUCT + ("tests", "bench")),
]

UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


def within(path, places):
    """Whether the path is one of the places or lies in one of them."""
    return any(path == place or path.startswith(place + "/") for place in places)


def blank(text):
    """The text with comments, and what stands inside string and character literals, replaced by blanks; same lines."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^(\s]*)\(.*?\)(?P=d)"|'
        r'"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])*\'', re.S)

    def replace(match):
        found = match[0]
        if found.startswith("/"):
            return re.sub(r"[^\n]", " ", found)
        # An include's path stays: the rules about includes need it.
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start:match.start()].strip().startswith("#"):
            return found
        return found[0] + re.sub(r"[^\n]", " ", found[1:-1]) + found[-1]

    return token.sub(replace, text)


def layer_of(path):
    """The layer that a path belongs to, or None."""
    return next((layer for layer in BELOW if within(path, (layer,))), None)


def reachable(layer):
    """The layer and all below it."""
    seen, todo = set(), [layer]
    while todo:
        here = todo.pop()
        if here not in seen:
            seen.add(here)
            todo += BELOW[here]
    return seen


def forbidden_include(path, line):
    """What is wrong with the include in this line of this file, or None."""
    match = re.match(r'\s*#\s*include\s*"([^"]+)"', line)
    layer = layer_of(path)
    if not match or layer is None or "/examples/" in path:
        return None
    target = layer_of(match[1])
    if target is None:
        return f'"{match[1]}" is in no layer: write includes from the top of the tree'
    if target not in reachable(layer):
        return f"{layer} may not see {target}: move the code down, or pass it in as an argument"
    loop_free = re.search(r"/(?:clock|blocking_file|random_bytes)\.h$", match[1])
    if layer == "server/embed" and target == "server/io" and not loop_free:
        return "server/embed may use server/io's clock, blocking file and random bytes only"
    return None


def check_cpp(path, text):
    """Yields (rule, line number, message) for one C++ file."""
    lines, code = text.split("\n"), blank(text).split("\n")
    bans = [ban for ban in BANS if ban.covers(path)]
    for number, (line, bare) in enumerate(zip(lines, code), 1):
        for ban in bans:
            if ban.pattern.search(bare):
                yield ban.name, number, f"{line.strip()[:60]} -> {ban.instead}"
        if len(line) > CPP_COLUMNS_MAX:
            yield "columns", number, f"{len(line)} columns -> at most {CPP_COLUMNS_MAX}"
        wrong = forbidden_include(path, bare)
        if wrong:
            yield "layer order", number, wrong


def check_file(path, text):
    """Yields (rule, line number, message) for one file of the tree."""
    lines = text.split("\n")
    cpp = path.endswith((".cc", ".h", ".c"))
    script = path.endswith((".py", ".sh", ".js", ".mjs", ".cjs")) or path == ".ci/run"
    if cpp:
        yield from check_cpp(path, text)
    if script:
        for number, line in enumerate(lines, 1):
            if len(line) > SCRIPT_COLUMNS_MAX:
                yield "columns", number, f"{len(line)} columns -> at most {SCRIPT_COLUMNS_MAX}"
    if cpp or script:
        if not any("SPDX-License-Identifier: BSD-3-Clause" in line for line in lines[:2]):
            yield "licence", 1, "-> SPDX-License-Identifier: BSD-3-Clause in the first two lines"
        if len(lines) - 1 > FILE_LINES_MAX:
            yield "file length", FILE_LINES_MAX, f"{len(lines) - 1} lines are two roles -> split by role"
        for number, line in enumerate(lines, 1):
            if UNFINISHED.search(line) and "tests/tidy/" not in path:
                yield "unfinished", number, "-> finish it, or open an issue and cite its number"
            if line.rstrip("\r ") != line and not path.endswith(".md"):
                yield "trailing blanks", number, "-> none"
    if path.endswith("README.md") and path != "README.md" and len(lines) - 1 > README_LINES_MAX:
        message = f"{len(lines) - 1} lines -> at most {README_LINES_MAX}; a format has its own page"
        yield "readme length", README_LINES_MAX, message


def check_readmes(paths):
    """Each folder that holds code of a layer says in a README what it is for."""
    for layer in list(BELOW) + ["server", "tests", "bench"]:
        has_code = any(within(path, (layer,)) and path.endswith((".cc", ".py")) for path in paths)
        if has_code and f"{layer}/README.md" not in paths:
            yield ("readme missing", layer, 1,
                   "-> what it is for, its files in reading order, what it may use, what it must never know")


def check_readme_names(path, text, paths):
    """A README names files that exist, in its folder or from the top of the tree."""
    folder = os.path.dirname(path)
    for number, line in enumerate(text.split("\n"), 1):
        for name in re.findall(r"`([\w./-]+\.(?:h|cc|py|sh|mjs|txt|md))`", line):
            if not any(there == name or there.startswith(folder) and there.endswith("/" + name) for there in paths):
                yield "readme names", path, number, f"{name} is not there -> name what stands"


def check_top(paths):
    """The top level of the tree is fixed."""
    allowed = set(PRODUCT) | {"tests", "bench", "CMakeLists.txt", "CMakePresets.json", "README.md", "LICENSE"}
    for name in sorted({path.split("/")[0] for path in paths}):
        if name not in allowed and not name.startswith("."):
            yield "top level", name, 1, "-> in one of the folders that stand"


def check_format(root, paths):
    """What clang-format would change."""
    sources = [path for path in paths if path.endswith((".cc", ".h", ".c"))]
    half = len(sources) // 2
    runs = [subprocess.Popen(["clang-format", "--dry-run", *part], cwd=root, stderr=subprocess.PIPE, text=True)
            for part in (sources[:half], sources[half:]) if part]
    seen = set()
    for run in runs:
        complaint = r"^(\S+?):(\d+):\d+: warning: code should be clang-formatted"
        for match in re.finditer(complaint, run.communicate()[1], re.M):
            if match[1] not in seen:
                seen.add(match[1])
                yield "format", match[1], int(match[2]), "-> clang-format -i"
        if run.returncode != 0:
            yield "format", ".clang-format", 1, "clang-format failed"


RULES = [ban.name for ban in BANS] + [
    "columns", "layer order", "licence", "file length", "unfinished", "trailing blanks", "readme length", "readme names",
    "readme missing", "top level", "format"]


def files_of(root):
    """The files that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [path for path in listing.splitlines() if os.path.isfile(root / path) and "/corpus/" not in path]


def findings_of(root, with_format):
    """Yields (rule, path, line number, message) for the whole tree."""
    paths = files_of(root)
    for path in paths:
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        for rule, number, message in check_file(path, text):
            yield rule, path, number, message
        if path.endswith("README.md"):
            yield from check_readme_names(path, text, paths)
    yield from check_readmes(set(paths))
    yield from check_top(paths)
    if with_format:
        yield from check_format(root, paths)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parents[2], type=pathlib.Path)
    parser.add_argument("--no-format", action="store_true")
    args = parser.parse_args()
    broken = set()
    for rule, path, number, message in findings_of(args.root, not args.no_format):
        broken.add(rule)
        print(f"{path}:{number}: {rule}: {message}")
    count = len(RULES) - args.no_format
    print(f"{count - len(broken)} passed, {len(broken)} failed")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
