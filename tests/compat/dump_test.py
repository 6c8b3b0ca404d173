#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""DUMP and RESTORE between ouro and redis-server, in both directions:

    dump_test.py --server build/release/ouro-server [--rounds N] [--seed N] [--redis redis-server]

Each round fills both with the same values, of every type and encoding. Then each value is given from one server to the
other, which must hold the same data (both tell by DEBUG DIGEST-VALUE and by what is read), and, where nothing has an order
of its own, the same bytes, compressed or not. At last bytes are changed: with a wrong checksum both refuse with the
same words; with a right one ouro never dies, and what both accept is the same value.
"""
import argparse
import random
import struct
import sys

from compare import ordered, paired, stream_facts
from families import Generator
from resp import show
from servers import Server
from templates import Draw

FAMILIES = ("strings", "lists", "hashes", "sets", "zsets", "streams", "bits", "hlls", "geo")
# What Redis keeps in a table comes in the order of that table.
ORDERED = {b"string": True, b"list": True, b"set": False, b"zset": True, b"hash": False, b"stream": True}
TTL = "86400000"


def make_crc_table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x95AC9329AC4BC9B5 if crc & 1 else 0)
        table.append(crc)
    return table


CRC_TABLE = make_crc_table()


def sealed(body):
    """A payload of these bytes, version 10, with a right checksum."""
    body += struct.pack("<H", 10)
    crc = 0
    for byte in body:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return body + struct.pack("<Q", crc)


def reading(kind, key):
    """The command that reads a value of this kind."""
    return {b"string": ["GET", key], b"list": ["LRANGE", key, 0, -1], b"hash": ["HGETALL", key], b"set": ["SMEMBERS", key],
            b"zset": ["ZRANGE", key, 0, -1, "WITHSCORES"],
            b"stream": ["XINFO", "STREAM", key, "FULL", "COUNT", 0]}.get(kind, ["TYPE", key])


def comparable(kind, reply):
    """What reading() is answered, the same on all servers."""
    return paired(reply) if kind == b"hash" else ordered(reply) if kind == b"set" else \
        stream_facts(reply) if kind == b"stream" else reply


def read(client, key):
    """The value at a key, comparable between servers."""
    kind = client.call("TYPE", key)[1]
    return kind, comparable(kind, client.call(*reading(kind, key)))


def read_damaged(client, key):
    """The same where a stream's payload may tell a wrong first id: Redis believes it, ouro looks it up."""
    kind, value = read(client, key)
    return kind, client.call("XRANGE", key, "-", "+") if kind == b"stream" else value


def may_wait(args):
    words = [arg.upper() for arg in args]
    return not words or words[0].startswith((b"BL", b"BR", b"BZ")) or b"BLOCK" in words


class Test:
    """Two servers, with what was counted."""

    def __init__(self, args):
        options = ("--enable-debug-command", "yes")
        self.ours = Server(args.server, *options)
        self.theirs = Server(args.redis, *options, "--sanitize-dump-payload", "yes")
        self.random = random.Random(args.seed)
        self.seed = args.seed
        self.exchanged = self.equal_bytes = self.changed = self.both = self.strict = 0
        self.passed = self.failed = 0
        self.by_form = {}

    def check(self, good, what, *details):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        if not good and self.failed < 20:
            print(f"FAILED {what}", *[show(item) if isinstance(item, tuple) else repr(item)[:3000] for item in details],
                  flush=True)

    def fill(self, number):
        """The same commands to both; the keys."""
        draw = Draw(f"{self.seed}:{number}", keys_a_kind=8)
        draw.large = 0.2 if number % 3 == 0 else 0.05
        commands = [command.args for group in Generator(FAMILIES[number % len(FAMILIES)], draw).take(300)
                    for command in group if not may_wait(command.args)]
        limits = {"hash-max-listpack-entries": (0, 3, 512), "zset-max-listpack-entries": (0, 3, 128),
                  "set-max-intset-entries": (0, 3, 512), "list-max-listpack-size": (-2, 4), "stream-node-max-entries": (5, 100),
                  "rdbcompression": ("yes", "no")}
        settings = [word for name, values in limits.items() for word in (name, self.random.choice(values))]
        for client in self.clients:
            client.call("FLUSHALL")
            client.call("CONFIG", "SET", *settings)
            for command in commands:
                client.call(*command)
            client.call("SELECT", 0)
            self.drop_negative_zeros(client)
        return sorted(item[1] for item in self.clients[1].call("KEYS", "*")[1])

    @staticmethod
    def drop_negative_zeros(client):
        """A table holds a score of -0, a listpack makes it 0: a table that has shrunk would come back as another value."""
        for _, key in client.call("KEYS", "*")[1]:
            if client.call("TYPE", key)[1] == b"zset":
                reply = [item[1] for item in client.call("ZRANGEBYSCORE", key, 0, 0, "WITHSCORES")[1]]
                for member in (member for member, score in zip(reply[::2], reply[1::2]) if score == b"-0"):
                    client.call("ZREM", key, member)

    def exchange(self, key):
        """Gives the value at a key from each to the other."""
        ours, theirs = self.clients
        payloads = [client.call("DUMP", key)[1] for client in self.clients]
        self.check(None not in payloads, "DUMP", key, *payloads)
        if None in payloads:
            return
        kind, encoding = ours.call("TYPE", key)[1], ours.call("OBJECT", "ENCODING", key)[1]
        for source, client, payload in ((theirs, ours, payloads[1]), (ours, theirs, payloads[0])):
            reply = client.call("RESTORE", "twin", self.random.choice((b"0", TTL)), payload, "REPLACE")
            self.check(reply == ("+", b"OK"), "RESTORE", key, reply, payload)
            # The digest tells of an expiry, which a payload has none of.
            client.call("COPY", key, "untimed", "REPLACE")
            client.call("PERSIST", "untimed")
            client.call("PERSIST", "twin")
            digests = client.call("DEBUG", "DIGEST-VALUE", "untimed", "twin")[1]
            self.check(digests[0] == digests[1], "digest", key, kind, encoding)
            twin, value = read(client, "twin"), read(source, key)
            self.check(twin == value, "value", key, *twin, *value)
            client.call("DEL", "twin", "untimed")
        self.exchanged += 1
        equal = payloads[0] == payloads[1]
        self.equal_bytes += equal
        have = self.by_form.setdefault((kind, encoding), [0, 0])
        have[0] += equal
        have[1] += 1
        if ORDERED[kind] or encoding in (b"listpack", b"intset"):
            # Nodes of lists and streams end where each server counts them full, and streams keep what has gone.
            same = equal or kind in (b"list", b"stream")
            self.check(same, "bytes", key, kind, encoding, payloads[0].hex(), payloads[1].hex())

    def damage(self, key):
        """Changes bytes of what Redis gives."""
        payload = self.clients[1].call("DUMP", key)[1]
        if payload is None or len(payload) > 3000:
            return
        for _ in range(12):
            body = bytearray(payload[:-10])
            for _ in range(self.random.randint(1, 3)):
                at = self.random.randrange(len(body))
                body[at] = self.random.choice((body[at] ^ (1 << self.random.randrange(8)), self.random.randrange(256)))
            if self.random.random() < 0.2:
                del body[self.random.randrange(len(body)):]
            wrong = bytes(body) + payload[-10:]
            if bytes(body) != payload[:-10]:
                replies = [client.call("RESTORE", "bad", 0, wrong) for client in self.clients]
                self.check(replies[0] == replies[1], "wrong checksum", wrong.hex(), *replies)
            self.changed += 1
            if not body or body[0] in (6, 7):  # no module answers for a module's value there
                continue
            replies = [self.restore_bad(index, sealed(bytes(body))) for index in range(2)]
            if replies[1] is None:
                continue  # it died of it
            accepted = [reply[0] == "+" for reply in replies]
            self.check(accepted[1] or not accepted[0] or body[0] in (20, 21, 22, 23, 24, 25), "accepted", bytes(body).hex(),
                       *replies)
            if all(accepted):
                self.both += 1
                values = [read_damaged(client, "bad") for client in self.clients]
                self.check(values[0] == values[1], "accepted value", bytes(body).hex(), *values[0][1:], *values[1][1:])
            elif accepted[1]:
                self.strict += 1
            else:
                self.check(replies[0] == replies[1] or accepted[0], "refusal", bytes(body).hex(), *replies)
            for client in self.clients:
                client.call("DEL", "bad")

    def restore_bad(self, index, payload):
        """The reply; None from a redis-server that died of it."""
        try:
            return self.clients[index].call("RESTORE", "bad", 0, payload)
        except (ConnectionError, OSError):
            self.check(index == 1, "ouro died", payload.hex())
            server = (self.ours, self.theirs)[index]
            server.stop()
            server.start()
            self.clients[index] = server.connect()
            return None

    def run(self, rounds):
        self.clients = [self.ours.connect(), self.theirs.connect()]
        for number in range(rounds):
            for key in self.fill(number):
                self.exchange(key)
                self.damage(key)
        codes = [server.stop() for server in (self.ours, self.theirs)]
        self.check(codes[0] == 0, "ouro-server ends well", codes[0], self.ours.log_tail())
        for (kind, encoding), (equal, count) in sorted(self.by_form.items()):
            print(f"{kind.decode():<7} {encoding.decode():<11} {count:>6} values, {equal} of them with equal bytes")
        print(f"{self.exchanged} values exchanged, {self.equal_bytes} with equal bytes; {self.changed} changed payloads, "
              f"{self.both} accepted by both, {self.strict} by redis-server alone")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True)
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--rounds", type=int, default=90)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    args.seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"--seed={args.seed}", flush=True)
    test = Test(args)
    test.run(args.rounds)
    print(f"{test.passed} passed, {test.failed} failed")
    return 1 if test.failed else 0


if __name__ == "__main__":
    sys.exit(main())
