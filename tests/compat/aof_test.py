#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Append-only logs change hands between ouro's reader and writer (aof_files) and redis-server with its redis-check-aof:
what one has written the other reads, in both directions; both see the same end of a torn file, the same in a manifest,
and an old file moves in the same way.

    aof_test.py BUILD [--seed N] [--flips N]
"""
import argparse
import functools
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

from check import Check, side_by_side
from servers import Server, free_port

LOG = "appendonlydir"
STEM = "appendonly.aof"
ANALYZED = re.compile(rb"filename=([^,]+), size=(\d+), ok_up_to=(\d+),")


class Tool:
    """aof_files, and redis-check-aof, each as a run with an exit code, an output and what was told."""

    def __init__(self, build):
        self.program = str(build / "tests" / "aof_files")

    def run(self, verb, folder, *options, lines=b""):
        return subprocess.run([self.program, verb, str(folder), *options], input=lines, capture_output=True, timeout=120,
                              check=False)

    @staticmethod
    def redis_check(path, *options, answer=b""):
        return subprocess.run(["redis-check-aof", *options, str(path)], input=answer, capture_output=True, timeout=60,
                              check=False)


class Redis(Server):
    """A redis-server whose folder is given, with an append-only log there."""

    def __init__(self, folder, *options):
        self.home = folder
        super().__init__("redis-server", "--appendonly", "yes", "--enable-debug-command", "yes",
                         "--auto-aof-rewrite-percentage", "0", *options)

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home), "--save", ""]

    def digest(self):
        connection = self.connect()
        try:
            return connection.call("DEBUG", "DIGEST")
        finally:
            connection.close()

    def rewrite(self, connection):
        connection.call("BGREWRITEAOF")
        while b"aof_rewrite_in_progress:1" in connection.call("INFO", "persistence")[1] or \
                b"aof_rewrite_scheduled:1" in connection.call("INFO", "persistence")[1]:
            pass


def random_bytes(rng):
    return bytes(rng.choice(b"\r\n*$#\0\"'\\ abc\xff012") for _ in range(rng.choice([0, 1, 5, 40])))


def random_command(rng):
    """A command that may be run twice on the same data and gives the same both times."""
    key = f"k{rng.randrange(8)}"
    value = random_bytes(rng)
    return rng.choice([
        ["SET", "s" + key, value], ["APPEND", "s" + key, value], ["INCRBYFLOAT", "n" + key, "0.25"],
        ["SETRANGE", "s" + key, str(rng.randrange(50)), value], ["RPUSH", "l" + key, value, b"x"], ["LPOP", "l" + key],
        ["SADD", "u" + key, value, str(rng.randrange(20))], ["SPOP", "u" + key], ["HSET", "h" + key, value, value],
        ["ZADD", "z" + key, str(rng.random()), value], ["ZPOPMIN", "z" + key], ["XADD", "x" + key, "*", "f", value],
        ["SET", "e" + key, value, "EX", "1000"], ["EXPIRE", "s" + key, "5000"], ["DEL", "h" + key],
        ["EVAL", "redis.call('set', KEYS[1], ARGV[1]) redis.call('rpush', KEYS[2], 'y')", "2", "s" + key, "l" + key, value],
        ["FLUSHDB"] if rng.randrange(40) == 0 else ["PFADD", "p" + key, value],
    ])


def fill(connection, rng, count):
    """Random commands, also in transactions, over several databases."""
    for _ in range(count):
        if rng.randrange(8) == 0:
            connection.call("SELECT", str(rng.randrange(4)))
        if rng.randrange(6) == 0:
            connection.call("MULTI")
            for _ in range(rng.randrange(4)):
                connection.call(*random_command(rng))
            if rng.randrange(3) == 0:
                connection.call("SELECT", str(rng.randrange(4)))
                connection.call(*random_command(rng))
            connection.call("EXEC")
        else:
            connection.call(*random_command(rng))


def regrouped(rng, lines, rewrite_at):
    """Commands as the tool wants them: in random groups, writes and increments, and one rewrite."""
    out, at = [], 0
    while at < len(lines):
        count = rng.choice([1, 1, 1, 2, 5])
        group = lines[at:at + count]
        out += [b"(", *group, b")"] if len(group) > 1 else group
        at += count
        out += [b"write"] if rng.randrange(4) == 0 else [b"increment"] if rng.randrange(30) == 0 else []
        if at - count < rewrite_at <= at:
            out.append(b"rewrite")
    return b"\n".join(out) + b"\n"


def log_files(folder):
    """Names of the files in the manifest, in reading order."""
    manifest = (folder / LOG / f"{STEM}.manifest").read_text()
    return [line.split()[1] for line in manifest.splitlines() if not line.endswith("type h")]


def exchange(check, tool, folder, rng, options, tool_options):
    """Redis writes, ouro reads and writes, Redis reads and goes on, ouro reads that."""
    what = f"{' '.join(options)} -> {' '.join(tool_options) or 'checksums'}"
    first, second = folder / "first", folder / "second"
    first.mkdir()
    second.mkdir()
    with Redis(first, *options) as redis:
        connection = redis.connect()
        fill(connection, rng, 300)
        if rng.randrange(2):
            redis.rewrite(connection)
            fill(connection, rng, 100)
        written = redis.digest()
    read = tool.run("read", first)
    lines = read.stdout.splitlines()
    check.holds(f"{what}: ouro reads what Redis wrote", read.returncode == 0 and len(lines) > 100, read.stderr[-500:])
    tool.run("write", second, *tool_options, lines=regrouped(rng, lines, rng.randrange(len(lines))))
    again = tool.run("read", second)
    check.holds(f"{what}: ouro reads what it wrote", again.stdout == read.stdout and not again.stderr, again.stderr[-500:])
    valid = tool.redis_check(second / LOG / f"{STEM}.manifest")
    check.holds(f"{what}: redis-check-aof finds it valid", b"All AOF files and manifest are valid" in valid.stdout,
                valid.stdout[-500:])
    # An increment that nothing has been written to says nothing of checksums.
    has_checksums = (second / LOG / log_files(second)[-1]).stat().st_size > 0
    with Redis(second) as redis:
        check.holds(f"{what}: Redis reads what ouro wrote", redis.digest() == written, redis.log_tail(5))
        connection = redis.connect()
        connection.call("SELECT", "2")
        connection.call("RPUSH", "more", "1", "2")
        connection.call("MULTI")
        connection.call("INCR", "even more")
        connection.call("SELECT", "0")
        connection.call("INCR", "even more")
        connection.call("EXEC")
    more = tool.run("read", second)
    check.holds(f"{what}: ouro reads what Redis added",
                more.stdout == read.stdout + b'2 "RPUSH" "more" "1" "2"\n2 "INCR" "even more"\n0 "INCR" "even more"\n',
                more.stderr[-500:])
    if not tool_options:
        check.holds(f"{what}: and says whether nobody vouches for it",
                    (b"has 3 commands" in more.stderr) == has_checksums, more.stderr)
    with Redis(second) as redis:
        redis.rewrite(redis.connect())
    manifest = [name for name in log_files(second) if ".base." in name]
    check.holds(f"{what}: ouro reads a Redis's rewrite", tool.run("read", second).returncode == 0 and len(manifest) == 1)


def torn_files(check, tool, folder, rng, kind, options):
    """Wherever the last file ends, both see the same end of it."""
    home = folder / f"torn {kind}"
    home.mkdir()
    lines = [b'0 "SET" "k" "v"', b'1 "INCR" "n"', b"(", b'1 "INCR" "n"', b'0 "RPUSH" "l" "#C:\\r\\n*1"', b")", b"write",
             b'2 "SET" "k" "' + b"x" * 300 + b'"', b"write", b"(", b'2 "INCR" "n"', b'3 "DEL" "n"', b")"]
    tool.run("write", home, *options, lines=b"\n".join(lines))
    path = home / LOG / log_files(home)[-1]
    whole = path.read_bytes()
    differences = []
    for cut in range(1, len(whole)):
        # Redis takes a line that begins with '#' for whole wherever it ends, and would go on behind it.
        if whole[whole.rfind(b"\n", 0, cut) + 1:cut].startswith(b"#"):
            continue
        path.write_bytes(whole[:cut])
        ours = int(ANALYZED.search(tool.run("check", home).stderr)[3])
        theirs = int(ANALYZED.search(tool.redis_check(path).stdout)[3])
        if ours != theirs:
            differences.append((cut, ours, theirs))
    check.holds(f"{kind}: redis-check-aof and ouro see the same end of {len(whole)} torn files", not differences,
                differences[:3])
    for cut in rng.sample(range(1, len(whole)), 12):
        if whole[whole.rfind(b"\n", 0, cut) + 1:cut].startswith(b"#"):
            continue
        path.write_bytes(whole[:cut])
        before = tool.run("read", home)
        check.holds(f"{kind}: ouro cuts at {cut}", before.returncode == 0, before.stderr)
        kept = path.stat().st_size
        path.write_bytes(whole[:cut])
        with Redis(home) as redis:
            said = re.search(r"Truncating the AOF \S+ at offset (\d+)", redis.log_tail())
        after = tool.run("read", home)
        theirs = int(said[1]) if said else cut
        # Redis cuts off lines behind the last command, and leaves the front of a transaction in the file, where what
        # it writes next is never executed.
        agree = all(line.startswith(b"#") for line in whole[theirs:kept].splitlines()) and (
            kept >= theirs or b"within a transaction" in before.stderr or kind == "ouro's")
        check.holds(f"{kind}: Redis cuts where ouro does, at {cut}", agree and after.stdout == before.stdout,
                    (theirs, kept))
    path.write_bytes(whole[:-3])
    strict = tool.run("read", home, "--strict")
    check.holds(f"{kind}: without aof-load-truncated it is refused",
                strict.returncode == 1 and b"Unexpected end of file reading the append only file" in strict.stderr)
    fixed = tool.run("check", home, "--fix")
    check.holds(f"{kind}: redis-check-aof finds valid what ouro cut", fixed.returncode == 0
                and b"is valid" in tool.redis_check(path).stdout, fixed.stderr)


def bad_files(check, tool, folder):
    """What both refuse, with the same words."""
    for number, (bytes_, words) in enumerate((
            (b"*1\r\n$4\r\nPING\r\n!!!", b"Bad file format reading the append only file"),
            (b"*1\r\n$3\r\nBLA\r\n", None), (b"*0\r\n", b"Bad file format"), (b"*1\r\n:4\r\nPING\r\n", b"Bad file format"))):
        home = folder / f"bad {number}"
        (home / LOG).mkdir(parents=True)
        (home / LOG / f"{STEM}.manifest").write_text(f"file {STEM}.1.incr.aof seq 1 type i\n")
        (home / LOG / f"{STEM}.1.incr.aof").write_bytes(bytes_)
        ours = tool.run("read", home)
        if words is None:
            check.holds("a name of a command is the caller's", ours.returncode == 0)
            continue
        run = subprocess.run(["redis-server", "--port", str(free_port()), "--bind", "127.0.0.1", "--dir", str(home), "--save",
                              "", "--appendonly", "yes"], capture_output=True, timeout=60, check=False)
        last = ours.stderr.splitlines()[-1]
        check.holds(f"both refuse {bytes_!r} in the same words", ours.returncode == 1 and words in last
                    and last in run.stdout, (last, run.stdout[-300:]))


def manifest_of(rng):
    def line():
        words = [("file", rng.choice([f"{STEM}.{n}.incr.aof" for n in range(1, 5)] + ['"a b"', "a/b", "x'y", '"x\\"y"'])),
                 ("seq", rng.choice(["1", "2", "3", "4", "0", "77"])), ("type", rng.choice("iiibbbhx"))]
        if rng.randrange(8) == 0:
            words.append(("new", "thing"))
        if rng.randrange(12) == 0:
            words.pop()
        if rng.randrange(4) == 0:
            rng.shuffle(words)
        text = " ".join(" ".join(pair) for pair in words)
        # A word of its own: Redis takes a number for what it begins with, ouro refuses one that goes on otherwise.
        long = text + " " + "x" * 1000
        return rng.choice([text] * 12 + [text.upper(), "  " + text + "\t", "", "# " + text, text + " x", long])

    text = "\n".join(line() for _ in range(rng.randrange(4))) + rng.choice(["\n"] * 9 + [""])
    return text if rng.randrange(30) else ""


def manifests(check, tool, folder, rng):
    """Random manifests: what redis-check-aof says of them, ouro says."""
    home = folder / "manifests"
    (home / LOG).mkdir(parents=True)
    path = home / LOG / f"{STEM}.manifest"
    reasons = [b"Invalid AOF manifest file format", b"Unknown AOF file type", b"File can't be a path, just a filename",
               b"Found duplicate base file information",
               b"Found a non-monotonic sequence number", b"The AOF manifest file contains too long line"]
    seen, differences = set(), []
    for _ in range(1000):
        # A file that does not begin like this is no manifest for redis-check-aof.
        text = manifest_of(rng)
        path.write_text(text if text.startswith("file") else f"file {STEM}.1.incr.aof seq 1 type h\n{text}")
        ours, theirs = tool.run("check", home).stderr, tool.redis_check(path)
        if b"Found a file name twice" in ours:
            continue
        reason = [[reason for reason in reasons if reason in said] for said in (ours, theirs.stdout + theirs.stderr)]
        seen.update(reason[1])
        if reason[0] != reason[1]:
            differences.append((path.read_text(), *reason))
    check.holds("1,000 manifests are read alike", not differences, differences[:3])
    check.holds("all reasons came up", seen == set(reasons), set(reasons) - seen)


def upgrades(check, tool, folder, rng):
    """A single file of an older Redis, with and without a snapshot at its front."""
    for with_snapshot in (False, True):
        source, ours, theirs = (folder / f"{name} {with_snapshot}" for name in ("source", "ours", "theirs"))
        source.mkdir()
        with Redis(source, "--aof-use-rdb-preamble", "yes" if with_snapshot else "no") as redis:
            connection = redis.connect()
            fill(connection, rng, 60)
            redis.rewrite(connection)
            fill(connection, rng, 60)
            digest = redis.digest()
        base, increment = (source / LOG / name for name in log_files(source))
        for home in (ours, theirs):
            home.mkdir()
            (home / STEM).write_bytes(base.read_bytes() + increment.read_bytes())
        read = tool.run("read", ours)
        check.holds("ouro reads an old file", read.returncode == 0 and b"Successfully migrated" in read.stderr, read.stderr)
        with Redis(theirs):
            pass
        manifests_ = [(home / LOG / f"{STEM}.manifest").read_text() for home in (ours, theirs)]
        check.holds("and moves it in as Redis does", manifests_[1].startswith(manifests_[0]) and not (ours / STEM).exists(),
                    manifests_)
        with Redis(ours) as redis:
            check.holds("where Redis reads it", redis.digest() == digest)


def flips(check, tool, folder, rng, count):
    """One bit of a file with checksums, again and again: found, and named by file and offset."""
    home = folder / "flips"
    home.mkdir()
    lines = []
    for number in range(60):
        lines += [f'{number % 3} "SET" "key {number}" "{"x" * rng.randrange(60)}"'.encode(), b"write"]
    tool.run("write", home, lines=b"\n".join(lines))
    name = log_files(home)[-1]
    path = home / LOG / name
    whole = path.read_bytes()
    missed = []
    for _ in range(count):
        at = rng.randrange(len(whole))
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:])
        said = tool.run("check", home)
        between = re.search(rb"is damaged between offset (\d+) and (\d+)", said.stderr)
        torn = re.search(rb"is (?:torn|damaged) at offset (\d+)", said.stderr)
        ok_up_to = int(ANALYZED.search(said.stderr)[3])
        named = int(between[1]) <= at < int(between[2]) if between else bool(torn)
        # Without its header a file has no checksums to go by, until the first of them comes.
        if said.returncode != 1 or name.encode() not in said.stderr or not named or ok_up_to > at >= len("#OURO:1\r\n"):
            missed.append((at, said.stderr))
    check.holds(f"{count} flipped bits are found and named", not missed, missed[:2])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--flips", type=int, default=1000)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    check, tool = Check(), Tool(args.build)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ouro-aof-"))
    plain = ("--aof-use-rdb-preamble", "no")
    # Each part in a folder of its own.
    parts = {
        "torn by Redis": lambda *made: torn_files(check, tool, *made, "Redis's", ["--plain", "--timestamps"]),
        "torn by ouro": lambda *made: torn_files(check, tool, *made, "ouro's", []),
        "manifests": lambda *made: manifests(check, tool, *made),
        "flips": lambda *made: flips(check, tool, *made, args.flips),
        "checksums": lambda *made: exchange(check, tool, *made, plain, []),
        "plain": lambda *made: exchange(check, tool, *made, [*plain, "--aof-timestamp-enabled", "yes"], ["--plain"]),
        "timestamps": lambda *made: exchange(check, tool, *made, plain, ["--timestamps"]),
        "upgrades": lambda *made: upgrades(check, tool, *made),
        "bad": lambda home, _: bad_files(check, tool, home),
    }

    def run(name):
        (folder / name).mkdir()
        parts[name](folder / name, random.Random(f"{args.seed}:{name}"))

    try:
        # They keep the machine busy with the starts of programs.
        side_by_side([functools.partial(run, name) for name in parts], at_once=os.cpu_count())
    finally:
        shutil.rmtree(folder)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
