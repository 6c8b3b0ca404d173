#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""MIGRATE between ouro and redis-server:

    migrate_test.py BUILD [--seed N] [--redis redis-server]

Values of every type and encoding go from ouro to redis-server, from redis-server to ouro, and from ouro to ouro; they must
arrive with their time to live, and be gone where they came from. Then each of ouro and redis-server goes through one
dialogue with a target that is well, refuses, is full, wants a password, stands still or is not there: all answers must
be the same, and so must be what is left where.
"""
import argparse
import pathlib
import signal
import sys
import time

from dump_test import FAMILIES, may_wait, read
from families import Generator
from resp import show
from servers import Server, free_port
from templates import Draw

DEBUG = ("--enable-debug-command", "yes")


class Checks:
    """What was compared, counted."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, what, *details):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        if not good:
            print(f"FAILED {what}", *[show(item) if isinstance(item, tuple) else repr(item)[:1000] for item in details],
                  flush=True)


def fill(client, family, seed):
    """Values of one family, some with a time to live; their keys."""
    client.call("FLUSHALL")
    draw = Draw(f"{seed}:{family}", keys_a_kind=8)
    draw.large = 0.1
    for group in Generator(family, draw).take(300):
        for command in group:
            if not may_wait(command.args):
                client.call(*command.args)
    client.call("SELECT", 0)
    keys = sorted(item[1] for item in client.call("KEYS", "*")[1])
    for key in keys[::3]:
        client.call("PEXPIRE", key, 86_400_000)
    return keys


def exchange(checks, source, target, seed):
    """Every type from one server to the other, key by key and all at once."""
    for family in FAMILIES:
        here, there = source.connect(), target.connect()
        keys = fill(here, family, seed)
        values = {key: (read(here, key), int(here.call("PTTL", key)[1])) for key in keys}
        there.call("FLUSHALL")
        words = ["MIGRATE", "127.0.0.1", target.port]
        for key in keys[:5]:
            checks.check(here.call(*words, key, 0, 10_000) == ("+", b"OK"), "MIGRATE", family, key)
        if keys[5:]:
            checks.check(here.call(*words, "", 0, 10_000, "KEYS", *keys[5:]) == ("+", b"OK"), "MIGRATE KEYS", family)
        checks.check(here.call("DBSIZE") == (":", b"0"), "all have left", family)
        for key, (value, left) in values.items():
            mine, its = read(there, key), int(there.call("PTTL", key)[1])
            checks.check(mine == value, "value", family, key, value[1], mine[1])
            checks.check(its == left if left < 0 else left - 60_000 < its <= left, "time to live", family, key, left, its)
        here.close()
        there.close()


class Dialogue:
    """What a source says of MIGRATE to a target of its own."""

    def __init__(self, source, redis):
        self.source, self.target = source, Server(redis, *DEBUG)
        self.here, self.there = source.connect(), self.target.connect()
        self.port = self.target.port
        self.said = []

    def note(self, what, reply):
        """Ports differ from one dialogue to the other."""
        self.said.append((what, show(reply).replace(str(self.port), "PORT")))

    def migrate(self, what, *words, port=None, host="127.0.0.1", key="k", db=0, timeout=1000):
        self.here.call("MSET", "k", "v", "a", "1", "b", "2", "c", "3")
        self.note(what, self.here.call("MIGRATE", host, port or self.port, key, db, timeout, *words))
        self.note(f"{what}: what is left", self.here.call("EXISTS", "k", "a", "b", "c"))
        self.note(f"{what}: what is there", self.there.call("EXISTS", "k", "a", "b", "c"))

    def cached(self):
        text = self.here.call("INFO", "stats")[1].decode()
        return [line for line in text.splitlines() if line.startswith("migrate_cached_sockets")]

    def run(self):
        self.words()
        self.outcomes()
        self.refusals()
        self.together()
        self.failures()
        self.shown()
        self.target.stop()
        return self.said

    def words(self):
        self.migrate("wrong option", "FOO")
        self.migrate("AUTH without word", "AUTH")
        self.migrate("AUTH2 with one word", "AUTH2", "x")
        self.migrate("KEYS beside a key", "KEYS", "a")
        self.migrate("KEYS without keys", "KEYS", key="")
        self.migrate("timeout", timeout="x")
        self.migrate("database", db="x")
        self.migrate("both", db="x", timeout="y")
        self.migrate("no such key", key="none")
        for words in (["h", 1, "k", 0, 9], ["h", 1, "", 0, 9, "KEYS", "a", "b"], ["h", 1, "x", 0, 9, "KEYS", "a"],
                      ["h", 1, "x", 0, 9, "KEYS"], ["h", 1, "", 0, 9, "AUTH", "KEYS", "KEYS", "a"],
                      ["h", 1, "", 0, 9, "AUTH2", "KEYS", "KEYS", "a"], ["h", 1, "", 0, 9, "FOO", "KEYS", "a"]):
            self.note(f"GETKEYS {words}", self.here.call("COMMAND", "GETKEYSANDFLAGS", "MIGRATE", *words))

    def outcomes(self):
        self.migrate("a key")
        self.migrate("it is there", )
        self.migrate("REPLACE", "replace")
        self.migrate("COPY", "copy", "Replace")
        self.migrate("another database", db=3)
        self.migrate("timeout 0", "REPLACE", timeout=0)
        self.migrate("timeout below", "REPLACE", timeout=-5)
        self.migrate("a database too many", "REPLACE", db=99)
        self.migrate("several, one is there", "KEYS", "a", "k", "none", "b", key="")
        self.migrate("a name twice", "REPLACE", "KEYS", "a", "a", key="")
        self.note("cached", ("+", str(self.cached()).encode()))

    def refusals(self):
        self.there.call("CONFIG", "SET", "requirepass", "right")
        self.here.call("CONFIG", "RESETSTAT")
        self.there.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.migrate("no password", "REPLACE")
        self.migrate("wrong password", "REPLACE", "AUTH", "wrong")
        self.migrate("wrong user", "REPLACE", "AUTH2", "me", "right")
        self.migrate("password", "REPLACE", "AUTH", "right")
        self.migrate("user", "REPLACE", "AUTH2", "default", "right", "KEYS", "a", "b", key="")
        self.there.call("CONFIG", "SET", "requirepass", "")
        self.migrate("a password too many", "REPLACE", "AUTH", "right")
        self.there.call("CONFIG", "SET", "maxmemory", "1")
        self.migrate("full", "REPLACE")
        self.there.call("CONFIG", "SET", "maxmemory", "0")

    def together(self):
        self.there.call("FLUSHALL")
        self.here.call("MSET", "k", "v", "a", "1")
        words = ["MIGRATE", "127.0.0.1", self.port, "k", 0, 1000]
        for command in (["MULTI"], ["SET", "a", "x"], words, ["EXISTS", "k"], words, ["EXEC"]):
            self.note(f"transaction {command[0]}", self.here.call(*command))
        self.here.call("MSET", "k", "v", "a", "1")
        script = "return redis.pcall('MIGRATE', '127.0.0.1', ARGV[1], KEYS[1], 0, 1000)"
        for key in ("a", "k", "none"):
            self.note(f"script {key}", self.here.call("EVAL", script, 1, key, self.port))
        self.note("after it", self.here.call("EXISTS", "a", "k"))
        self.here.call("CONFIG", "SET", "notify-keyspace-events", "KA")
        listener = self.source.connect()
        listener.call("PSUBSCRIBE", "__keyspace@0__:*")
        self.migrate("events", "REPLACE", "KEYS", "a", "b", key="")
        time.sleep(0.2)
        while listener.has_input():
            self.note("event", listener.read())
        self.here.call("CONFIG", "SET", "notify-keyspace-events", "")
        listener.close()
        other = self.source.connect()
        for words, watched in ((["COPY", "REPLACE"], "a"), (["REPLACE"], "a"), (["REPLACE"], "k")):
            self.here.call("MSET", "a", "1", "k", "1")
            other.call("WATCH", watched)
            self.note("watched", self.here.call("MIGRATE", "127.0.0.1", self.port, "a", 0, 1000, *words))
            other.call("MULTI")
            self.note("EXEC of who watches", other.call("EXEC"))
        other.close()

    def failures(self):
        self.migrate("nobody listens", port=free_port())
        self.migrate("no port", port="abc")
        self.migrate("no such host", host="host.invalid")
        self.there.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        self.migrate("its connection was closed", "REPLACE")
        self.target.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        self.here.call("MSET", "k", "v", "a", "1")
        self.note("stopped", self.here.call("MIGRATE", "127.0.0.1", self.port, "k", 0, 300, "REPLACE"))
        self.note("after 300 ms", ("+", str(0.29 < time.monotonic() - began < 3).encode()))
        self.note("stopped, a new connection", self.here.call("MIGRATE", "127.0.0.1", self.port, "k", 0, 300, "REPLACE"))
        self.here.call("SET", "large", "x" * 30_000_000)
        self.here.call("CONFIG", "SET", "rdbcompression", "no")
        self.note("stopped, full", self.here.call("MIGRATE", "127.0.0.1", self.port, "large", 0, 300, "REPLACE"))
        self.note("what is left", self.here.call("EXISTS", "k", "large"))
        self.target.process.send_signal(signal.SIGCONT)
        self.migrate("it goes on", "REPLACE")
        self.here.call("DEL", "large")

    def shown(self):
        watcher = self.source.connect()
        watcher.call("MONITOR")
        self.here.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
        self.here.call("SLOWLOG", "RESET")
        for words in (["AUTH", "secret"], ["AUTH2", "me", "secret"], ["COPY", "AUTH", "secret", "AUTH"],
                      ["AUTH2", "me", "secret", "KEYS", "AUTH", "k"]):
            self.here.call("MIGRATE", "127.0.0.1", self.port, "", 0, 100, *words)
        entries = self.here.call("SLOWLOG", "GET", "10")[1]
        for entry in entries:
            self.note("slow log", entry[1][3])
        time.sleep(0.2)
        while watcher.has_input():
            line = watcher.read()[1].decode()
            if "MIGRATE" in line:
                self.note("MONITOR", ("+", line.split("] ", 1)[1].encode()))
        text = self.here.call("INFO", "commandstats")[1].decode()
        self.note("counted", ("+", str([line.split(",")[0] for line in text.splitlines() if "migrate" in line]).encode()))
        watcher.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(f"--seed={args.seed}", flush=True)
    checks = Checks()
    program = str(args.build / "ouro-server")
    with Server(program, *DEBUG) as ours, Server(program, *DEBUG) as second, Server(args.redis, *DEBUG) as theirs:
        for source, target in ((ours, theirs), (theirs, ours), (ours, second)):
            exchange(checks, source, target, args.seed)
        for server in (ours, second):
            checks.check(server.stop() == 0, "ouro ends well", server.log_tail())
    with Server(program, *DEBUG) as ours, Server(args.redis, *DEBUG) as theirs:
        mine, wanted = Dialogue(ours, args.redis).run(), Dialogue(theirs, args.redis).run()
        for (what, reply), (_, right) in zip(mine, wanted):
            checks.check(reply == right, what, reply, right)
        checks.check(len(mine) == len(wanted), "as much was said", mine[-1], wanted[-1])
        checks.check(ours.stop() == 0, "ouro ends well", ours.log_tail())
    print(f"{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
