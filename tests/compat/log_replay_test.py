#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a server has after random commands it has again when its append-only log is replayed, and redis-server has it, too.

    log_replay_test.py BUILD [--rounds N] [--seed N]

A round is a block of one family of the differential test; then the server is killed or stopped, now and then after a
rewrite, and started again, or redis-server is started on its files. Keys that are due within a minute are left out.
"""
import argparse
import pathlib
import random
import sys
import time

import servers
from differential import Peer, quoted
from families import FAMILIES, Generator
from resp import show
from templates import Draw

COMMANDS = 300
# What the one stores is in no log, here and in Redis; the other decides about bytes of values, and is in no log either.
NOT_REPLAYED = (b"POPULATE", b"HLL-SPARSE-MAX-BYTES")
FSYNC = ("always", "everysec", "no")
WAYS = ("kill", "stop", "rewrite", "redis")


class Replay:
    def __init__(self, args):
        self.options = ("--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
        self.rng = random.Random(args.seed)
        self.seed = args.seed
        self.peer = Peer("ouro", str(args.build.resolve() / "ouro-server"), self.options)
        self.passed = self.failed = self.keys = 0

    def stored(self, peer):
        """What is stored, but for what may be gone a moment later."""
        soon = (time.time() + 60) * 1000
        return {place: (kind, self.meant(kind, value), deadline) for place, (kind, _, deadline, value) in peer.dump().items()
                if not 0 < deadline < soon}

    @staticmethod
    def meant(kind, value):
        """A score of minus zero is so in the large form of a sorted set alone, and parameters choose the form."""
        if kind != b"zset":
            return value
        return value[0], [("$", b"0") if item == ("$", b"-0") else item for item in value[1]]

    def rewrite(self):
        client = self.peer.clients[2]
        client.call("BGREWRITEAOF")
        while b"aof_rewrite_in_progress:0" not in client.call("INFO", "persistence")[1]:
            time.sleep(0.01)

    def replayed(self, way):
        """What whoever starts on the files has."""
        server = self.peer.server
        if way == "kill":
            server.process.kill()
            server.process.wait()
        else:
            server.stop()
        if way == "redis":
            with_redis = Peer("redis", "redis-server", (*self.options, "--dir", server.folder.name))
            with_redis.clients = [with_redis.connect() for _ in range(3)]
            found = self.stored(with_redis)
            with_redis.server.stop()
            server.start()
            return found
        server.start()
        self.peer.clients = [self.peer.connect() for _ in range(3)]
        return self.stored(self.peer)

    def round(self, number, family):
        block = f"{self.seed}:{number}"
        draw = Draw(block, keys_a_kind=self.rng.choice((2, 6, 20)))
        commands = [command for group in Generator(family, draw, ()).take(COMMANDS) for command in group
                    if not any(isinstance(arg, bytes) and arg.upper() in NOT_REPLAYED for arg in command.args)]
        peer, way, fsync = self.peer, self.rng.choice(WAYS), self.rng.choice(FSYNC)
        peer.begin(2)
        peer.clients[2].call("CONFIG", "SET", "appendfsync", fsync)
        peer.run(commands)
        peer.clients[2].call("CONFIG", "SET", *peer.parameters)
        if way == "rewrite":
            self.rewrite()
        before = self.stored(peer)
        after = self.replayed(way)
        self.keys += len(before)
        differs = [place for place in sorted(set(before) | set(after)) if before.get(place) != after.get(place)]
        self.passed, self.failed = self.passed + (not differs), self.failed + bool(differs)
        if not differs:
            return
        print(f"DIFFERS {family} block {block}, {fsync}, {way}: {len(differs)} keys")
        for place in differs[:3]:
            had, has = (None if side is None else (side[0], show(side[1])[:300], side[2])
                        for side in (before.get(place), after.get(place)))
            print(f"  {place}\n    before: {had}\n    after:  {has}")
            for command in [each for each in commands if place[1] in each.args][-8:]:
                print(f"      > {quoted(command.args)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES))
    args = parser.parse_args()
    print(f"--seed {args.seed}")
    test, families = Replay(args), args.family or sorted(FAMILIES)
    for number in range(args.rounds):
        try:
            test.round(number, families[number % len(families)])
        except (ConnectionError, RuntimeError) as error:
            print(f"round {number}, {families[number % len(families)]}: {error}\n{test.peer.server.log_tail(15)}")
            test.failed += 1
            break
    ended = test.peer.server.stop() == 0
    print(f"{test.keys} keys")
    print(f"{test.passed + ended} passed, {test.failed + (not ended)} failed")
    return 1 if test.failed or not ended else 0


if __name__ == "__main__":
    sys.exit(main())
