#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hit ratio over memory: traces of requests, replayed against ouro-server, redis-server and memcached in front of a database that
has every key.

    trace.py TRACE... [--shares 0.05,0.1,0.2,0.4] [--requests N] [--server PROGRAM] [--rival PROGRAM] [--memcached PROGRAM]

Each request is a GET; what is missing is SET with a value of the size that the trace gives it. Memory is a share of what all keys
of the trace take (16 bytes of key, and the value), beyond what the empty server uses: the same for all. memcached counts by the
megabyte, so it is left out of what is smaller. A CSV and a plot a trace go to build/bench/.

A trace is a file, or one compressed by zstd, of little-endian 32-bit numbers: the letters OTR1, how many requests, how many keys,
a number to come; then the size of each key's value, then the key of each request.
"""
import argparse
import array
import csv
import pathlib
import socket
import subprocess
import sys
import typing

from plot import curves
from rivals import ROOT, require_built, start

BATCH = 64
KEY_BYTES = 16
VALUE_BYTES_MAX = 1 << 20
POOL = bytes(range(33, 127)) * (VALUE_BYTES_MAX // 94 + 1)
# What is drawn: the server, and under which policy it runs.
LINES = {"ouro": ("ouro", "allkeys-ouro"), "redis lru": ("redis", "allkeys-lru"), "redis lfu": ("redis", "allkeys-lfu"),
         "memcached": ("memcached", None)}


class Trace(typing.NamedTuple):
    name: str
    sizes: array.array
    requests: array.array

    def footprint(self):
        return sum(self.sizes) + KEY_BYTES * len(self.sizes)


def read_trace(path, requests_max):
    raw = subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout if path.suffix == ".zst" \
        else path.read_bytes()
    words = array.array("I", raw[4:])
    if raw[:4] != b"OTR1" or len(words) < 3 or len(words) < 3 + words[0] + words[1]:
        sys.exit(f"{path} is no trace")
    requests, keys = words[0], words[1]
    sizes = array.array("I", (min(max(size, 1), VALUE_BYTES_MAX) for size in words[3:3 + keys]))
    return Trace(path.name.split(".")[0], sizes, words[3 + keys:3 + keys + min(requests, requests_max)])


class Replay:
    """One client. A subclass knows how its server is spoken to."""

    def __init__(self, port, trace):
        self.socket = socket.create_connection(("127.0.0.1", port), 30)
        self.file = self.socket.makefile("rb", 1 << 20)
        self.trace = trace
        self.hits = self.hit_bytes = 0

    def key(self, number):
        return b"t:%014x" % number

    def run(self):
        """The requests in batches that name no key twice, each with the values that the one before has missed."""
        missed, batch, named = [], [], set()
        for number in self.trace.requests:
            if len(batch) == BATCH or number in named:
                missed = self.exchange(missed, batch)
                batch, named = [], set()
            batch.append(number)
            named.add(number)
        self.exchange(self.exchange(missed, batch), [])
        self.socket.close()

    def exchange(self, missed, batch):
        """Sends values and questions; returns what was not there."""
        sizes = self.trace.sizes
        out = [self.put(self.key(number), POOL[:sizes[number]]) for number in missed]
        out += [self.ask(self.key(number)) for number in batch]
        self.socket.sendall(b"".join(out))
        for number in missed:
            line = self.file.readline()
            if not line.startswith(self.STORED):
                raise RuntimeError(f"key {number}: {line}")
        absent = []
        for number in batch:
            if self.is_hit(sizes[number]):
                self.hits += 1
                self.hit_bytes += sizes[number]
            else:
                absent.append(number)
        return absent

    def expect(self, size, rest):
        """The value that was announced, and what follows it."""
        if self.file.read(size + len(rest)) != POOL[:size] + rest:
            raise RuntimeError("a value is another than was stored")
        return True


class RespReplay(Replay):
    STORED = b"+OK"

    def put(self, key, value):
        return b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n" % (len(key), key, len(value), value)

    def ask(self, key):
        return b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key)

    def is_hit(self, size):
        line = self.file.readline()
        if line == b"$-1\r\n":
            return False
        if line != b"$%d\r\n" % size:
            raise RuntimeError(f"a reply to GET: {line}")
        return self.expect(size, b"\r\n")


class MemcachedReplay(Replay):
    STORED = b"STORED"

    def put(self, key, value):
        return b"set %s 0 0 %d\r\n%s\r\n" % (key, len(value), value)

    def ask(self, key):
        return b"get %s\r\n" % key

    def is_hit(self, size):
        line = self.file.readline()
        if line == b"END\r\n":
            return False
        if not line.startswith(b"VALUE ") or int(line.split()[3]) != size:
            raise RuntimeError(f"a reply to get: {line}")
        return self.expect(size, b"\r\nEND\r\n")


def measure(args, name, policy, trace, memory):
    """Hits and bytes of hits, as shares of all."""
    options = ("-m", str(memory >> 20)) if name == "memcached" else ()
    with start(name, args, *options, pinned=False) as server:
        if name == "memcached":
            replay = MemcachedReplay(server.port, trace)
        else:
            control = server.connect()
            info = control.call("INFO", "memory")[1].decode()
            empty = int(info.split("used_memory:")[1].split()[0])
            for option, value in (("maxmemory-policy", policy), ("maxmemory", str(empty + memory))):
                if control.call("CONFIG", "SET", option, value)[0] != "+":
                    raise RuntimeError(f"{name} refuses {option} {value}")
            replay = RespReplay(server.port, trace)
        replay.run()
    asked = sum(trace.sizes[number] for number in trace.requests)
    return replay.hits / len(trace.requests), replay.hit_bytes / asked


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("traces", nargs="+", type=pathlib.Path)
    parser.add_argument("--shares", default="0.05,0.1,0.2,0.4")
    parser.add_argument("--requests", type=int, default=1 << 32, help="at most so many of each trace")
    parser.add_argument("--server", default=str(ROOT / "build/release/ouro-server"))
    parser.add_argument("--rival", default="redis-server")
    parser.add_argument("--memcached", default="memcached")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench")
    args = parser.parse_args()
    require_built(args.server)
    args.out.mkdir(parents=True, exist_ok=True)
    shares = [float(share) for share in args.shares.split(",")]
    with open(args.out / "trace.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["trace", "share", "server", "hit ratio", "byte hit ratio"])
        for path in args.traces:
            trace = read_trace(path, args.requests)
            series = {line: [None] * len(shares) for line in LINES}
            for at, share in enumerate(shares):
                memory = int(share * trace.footprint())
                for line, (name, policy) in LINES.items():
                    if name == "memcached" and memory < 2 << 20:
                        continue
                    hits, hit_bytes = measure(args, name, policy, trace, memory)
                    series[line][at] = hits
                    table.writerow([trace.name, share, line, f"{hits:.4f}", f"{hit_bytes:.4f}"])
                    print(f"{trace.name:<14} {share:<5} {line:<10} hits {100 * hits:6.2f} %  bytes {100 * hit_bytes:6.2f} %",
                          flush=True)
            title = f"{trace.name}: hit ratio over memory (share of all keys)"
            curves(args.out / f"trace-{trace.name}.svg", title, shares, series)


if __name__ == "__main__":
    main()
