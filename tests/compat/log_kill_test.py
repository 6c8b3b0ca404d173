#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A server with an append-only log is killed under load, again and again, and loses nothing that it has acknowledged.

Each client counts a key of its own, several commands ahead. When the server is started again a key must be at least
what its client was told, and at most what it asked for. Now and then a rewrite is under way. At the end redis-server
loads the same files.

    log_kill_test.py BUILD [--rounds N] [--seed N]
"""
import argparse
import pathlib
import random
import select
import shutil
import sys
import time

from resp import encode
from servers import Server

CLIENTS = 30
AHEAD_MAX = 8


class Client:
    """Counts one key."""

    def __init__(self, number):
        self.key = f"n:{number}"
        self.asked = self.told = 0
        self.connection = None

    def connect(self, server):
        self.connection = server.connect()
        self.asked = self.told

    def ask(self, count):
        self.asked += count
        self.connection.send_bytes(encode(("INCR", self.key)) * count)

    def hear(self):
        """Takes what has come; False when the server has gone."""
        try:
            data = self.connection.socket.recv(65536)
        except OSError:
            return False
        self.connection.buffer += data
        *lines, self.connection.buffer = self.connection.buffer.split(b"\r\n")
        for line in lines:
            assert line[:1] == b":", line
            assert int(line[1:]) == self.told + 1, (self.key, line, self.told)
            self.told += 1
        return bool(data)


def load_until_killed(server, clients, rng):
    end = time.monotonic() + rng.uniform(0.05, 0.3)
    by_socket = {client.connection.socket: client for client in clients}
    rewrite_at = time.monotonic() + rng.uniform(0, 0.3)
    while time.monotonic() < end:
        for client in clients:
            if client.asked == client.told:
                client.ask(rng.randint(1, AHEAD_MAX))
        if time.monotonic() > rewrite_at:
            server.connect().send(["BGREWRITEAOF"])
            rewrite_at = end
        for ready in select.select(list(by_socket), [], [], 0.01)[0]:
            by_socket[ready].hear()
    server.process.kill()
    server.process.wait()
    for client in clients:
        while client.hear():
            pass
        client.connection.close()


def check(server, clients):
    connection = server.connect()
    for client in clients:
        value = int(connection.call("GET", client.key)[1] or 0)
        assert client.told <= value <= client.asked, f"{client.key}: told {client.told}, found {value}, asked {client.asked}"
        client.told = value
    connection.close()


def check_redis(folder, clients):
    with Server(shutil.which("redis-server"), "--appendonly", "yes", "--dir", folder) as redis:
        connection = redis.connect()
        while connection.call("PING")[0] == "-":
            time.sleep(0.01)
        for client in clients:
            assert int(connection.call("GET", client.key)[1] or 0) == client.told, client.key


def run(build, fsync, rounds, rng):
    clients = [Client(i) for i in range(CLIENTS)]
    options = ("--appendonly", "yes", "--appendfsync", fsync, "--enable-debug-command", "yes")
    with Server(str(build / "ouro-server"), *options) as server:
        for _ in range(rounds):
            for client in clients:
                client.connect(server)
            load_until_killed(server, clients, rng)
            server.start()
            check(server, clients)
        assert server.stop() == 0, server.log_tail()
        check_redis(server.folder.name, clients)
    print(f"{fsync}: {rounds} rounds, {sum(client.told for client in clients)} changes kept")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    args = parser.parse_args()
    print(f"--seed {args.seed}")
    rng = random.Random(args.seed)
    modes = ("always", "everysec")
    for fsync in modes:
        run(args.build.resolve(), fsync, args.rounds, rng)
    # What is lost ends the program.
    print(f"{len(modes) * args.rounds} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
