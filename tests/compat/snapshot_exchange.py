#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Snapshots of running servers, ouro's and redis-server's, in both directions, and what a kill leaves of them:

    snapshot_exchange.py BUILD [--rounds N] [--kills N] [--seed N] [--redis redis-server]

A round fills redis-server with values of every type (snapshot_test.py). ouro-server loads its file, saves it again, and
reloads it; redis-server loads what ouro saved: data, times, functions and what eviction goes by must be the same. Then
ouro is killed again and again while it saves under load: the file that is there is whole, and holds one moment.
"""
import argparse
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

from servers import Server
from snapshot_test import Test


class Exchange(Test):
    def __init__(self, args):
        super().__init__(args)
        self.ouro = args.build / "ouro-server"

    def through_ouro(self, file, options):
        """The same data as ouro saves it."""
        with Server(self.ouro, "--enable-debug-command", "yes", *options) as server:
            restart_with(server, file)
            client = server.connect(timeout_s=60)
            digest = client.call("DEBUG", "DIGEST")
            self.check(client.call("DEBUG", "RELOAD") == ("+", b"OK"), "DEBUG RELOAD")
            self.check(client.call("DEBUG", "DIGEST") == digest, "DEBUG DIGEST after DEBUG RELOAD")
            self.check(client.call("SAVE") == ("+", b"OK"), "SAVE")
            path = pathlib.Path(server.folder.name, "dump.rdb")
            checked = subprocess.run([self.ouro, "--check-rdb", path], capture_output=True, check=False)
            self.check(checked.returncode == 0, "--check-rdb", checked.stdout + checked.stderr)
            return path.read_bytes()

    def exchanged(self, number):
        policy = ("noeviction", "allkeys-lru", "allkeys-lfu")[number % 3]
        options = ("--enable-debug-command", "yes", "--maxmemory-policy", policy)
        with Server(self.redis, *options) as server:
            client = server.connect(timeout_s=60)
            self.fill(client, number)
            self.check(client.call("SAVE") == ("+", b"OK"), "SAVE of redis-server")
            file = pathlib.Path(server.folder.name, "dump.rdb").read_bytes()
        ours = self.through_ouro(file, options[2:])
        self.bytes += len(ours)
        wanted, told = self.loaded(file, options), self.loaded(ours, options)
        self.check(len(wanted) == len(told), "number of facts", len(told), len(wanted))
        for (what, mine), (_, theirs) in zip(told, wanted):
            self.check(mine == theirs, what, mine, theirs)

    def killed(self, kills):
        """All keys always change in one transaction, so a moment has one value in all of them."""
        keys = [f"key:{i}" for i in range(500)]
        with Server(self.ouro) as server:
            for kill in range(kills):
                stop = threading.Event()
                writer = threading.Thread(target=write_until, args=(server, keys, kill, stop))
                writer.start()
                client = server.connect(timeout_s=60)
                client.call("BGSAVE")
                time.sleep(self.random.uniform(0, 0.03))
                server.process.send_signal(signal.SIGKILL)
                server.process.wait()
                stop.set()
                writer.join()
                server.start()
                values = server.connect(timeout_s=60).call("MGET", *keys)[1]
                self.check(len(set(values)) == 1, f"one moment after kill {kill}", set(values))


def restart_with(server, file):
    server.stop()
    pathlib.Path(server.folder.name, "dump.rdb").write_bytes(file)
    server.start()


def write_until(server, keys, kill, stop):
    try:
        client = server.connect(timeout_s=10)
        count = 0
        while not stop.is_set():
            count += 1
            client.call("MSET", *(word for key in keys for word in (key, f"{kill}:{count}")))
    except OSError:
        pass  # killed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    args.seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"--seed={args.seed}", flush=True)
    test = Exchange(args)
    for number in range(args.rounds):
        test.exchanged(number)
    test.killed(args.kills)
    print(f"{test.keys // 2} keys in files of {test.bytes} bytes, {args.kills} kills")
    print(f"{test.passed} passed, {test.failed} failed")
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
