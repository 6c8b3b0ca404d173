#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Snapshot files between redis-server and ouro, in both directions:

    snapshot_test.py BUILD [--rounds N] [--seed N] [--redis redis-server]

Each round fills redis-server with values of every type and encoding, in two databases, and saves. ouro reads the file into
its databases and writes them again (snapshot_copy.cc); another redis-server, and redis-check-rdb, take that file: data,
times, functions and what eviction goes by must be the same.
"""
import argparse
import pathlib
import random
import subprocess
import sys

from dump_test import FAMILIES, may_wait, read
from families import Generator
from servers import Server
from templates import Draw


class Test:
    def __init__(self, args):
        self.copy, self.redis, self.seed = args.build / "tests/snapshot_copy", args.redis, args.seed
        self.random = random.Random(args.seed)
        self.passed = self.failed = self.keys = self.bytes = 0

    def check(self, good, what, *details):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        if not good:
            print(f"FAILED {what}", *(repr(item)[:2000] for item in details), flush=True)

    def fill(self, client, number):
        limits = {"hash-max-listpack-entries": (0, 3, 512), "zset-max-listpack-entries": (0, 3, 128),
                  "set-max-intset-entries": (0, 3, 512), "list-max-listpack-size": (-2, 4), "rdbcompression": ("yes", "no")}
        client.call("CONFIG", "SET", *(word for name, values in limits.items()
                                       for word in (name, self.random.choice(values))))
        for db in (0, 7):
            client.call("SELECT", db)
            for family in FAMILIES:
                draw = Draw(f"{self.seed}:{number}:{db}:{family}", keys_a_kind=8)
                draw.large = 0.2 if number % 3 == 0 else 0.05
                for group in Generator(family, draw).take(300):
                    for command in group:
                        if not may_wait(command.args) and command.args[0].upper() not in (b"SELECT", "SELECT"):
                            client.call(*command.args)
        client.call("SELECT", 7)
        for i in range(3000):
            client.call("RPUSH", "large:list", f"element:{i * 7919}")
            client.call("SADD", "large:set", f"member:{i * 7919}")
            client.call("ZADD", "large:zset", i * 0.37, f"member:{i * 7919}")
            client.call("HSET", "large:hash", f"field:{i * 7919}", f"value of {i}")
        client.call("SET", "large:string", "some text " * 30_000, "PXAT", 4102444800123)
        client.call("FUNCTION", "LOAD", "REPLACE", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")

    def copied(self, number):
        """A round: what redis-server has after loading its own file and ours."""
        policy = ("noeviction", "allkeys-lru", "allkeys-lfu")[number % 3]
        options = ("--enable-debug-command", "yes", "--maxmemory-policy", policy)
        with Server(self.redis, *options) as server:
            client = server.connect(timeout_s=60)
            self.fill(client, number)
            self.check(client.call("SAVE") == ("+", b"OK"), "SAVE")
            file = pathlib.Path(server.folder.name, "dump.rdb").read_bytes()
        result = subprocess.run([self.copy], input=file, capture_output=True, check=False)
        self.check(result.returncode == 0, "snapshot_copy", result.stderr)
        self.bytes += len(result.stdout)
        wanted, told = self.loaded(file, options), self.loaded(result.stdout, options)
        self.check(len(wanted) == len(told), "number of facts", len(told), len(wanted))
        for (what, mine), (_, theirs) in zip(told, wanted):
            self.check(mine == theirs, what, mine, theirs)

    def loaded(self, file, options):
        """What redis-server tells of this file."""
        with Server(self.redis, *options) as server:
            path = pathlib.Path(server.folder.name, "dump.rdb")
            path.write_bytes(file)
            checked = subprocess.run(["redis-check-rdb", path], capture_output=True, check=False)
            self.check(checked.returncode == 0, "redis-check-rdb", checked.stdout)
            server.process.kill()
            server.process.wait()
            server.start()
            return self.told(server.connect(timeout_s=60), options[-1])

    def told(self, client, policy):
        """All that a server tells of its data."""
        facts = [("DIGEST", client.call("DEBUG", "DIGEST")), ("FUNCTION LIST", client.call("FUNCTION", "LIST", "WITHCODE"))]
        for db in (0, 7):
            client.call("SELECT", db)
            keys = sorted(item[1] for item in client.call("KEYS", "*")[1])
            self.keys += len(keys)
            for key in keys:
                # Redis keeps small integers once, with the use of whichever key was loaded last.
                if policy == "allkeys-lfu" and client.call("OBJECT", "ENCODING", key) != ("$", b"int"):
                    facts.append((f"OBJECT FREQ {key}", client.call("OBJECT", "FREQ", key)))
                elif policy == "allkeys-lru" and not key.startswith(b"large"):
                    facts.append((f"OBJECT IDLETIME {key}", int(client.call("OBJECT", "IDLETIME", key)[1]) // 600))
                facts.append((f"PEXPIRETIME {key}", client.call("PEXPIRETIME", key)))
                facts.append((f"value of {key}", read(client, key)))
        return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    args.seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"--seed={args.seed}", flush=True)
    test = Test(args)
    for number in range(args.rounds):
        test.copied(number)
    print(f"{test.keys // 2} keys in files of {test.bytes} bytes")
    print(f"{test.passed} passed, {test.failed} failed")
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
