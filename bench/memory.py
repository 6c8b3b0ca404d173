# SPDX-License-Identifier: BSD-3-Clause
"""Resident bytes a key or element: what a process grew by when it was filled, over the count."""
import sys
import time

from rivals import Server
from resp import encode


def key(n):
    return b"key:%012d" % n


def text16(n):
    return b"value%011d" % n


def score(n):
    """A scattered number with many digits, the same for both servers."""
    return b"%.17g" % (n * 2654435761 % 4294967291 / 4294.967291)


def fill_hashes(n):
    args = [b"HSET", key(n)]
    for field in range(10):
        args += [b"field:%d" % field, text16(n * 10 + field)]
    return args


def fill_zsets(n):
    args = [b"ZADD", key(n)]
    for member in range(10):
        args += [score(n * 10 + member), text16(member)]
    return args


# name -> (what one step sends, steps of `count`, elements a step)
MEMORY_CASES = {
    "16-byte string": (lambda n: [b"SET", key(n), text16(n)], 1),
    "64-byte string": (lambda n: [b"SET", key(n), text16(n) * 4], 1),
    "16-byte string, TTL": (lambda n: [b"SET", key(n), text16(n), b"EX", b"100000"], 1),
    "integer": (lambda n: [b"SET", key(n), b"%d" % (n + 100_000)], 1),
    "hash of 10": (fill_hashes, 10),
    "zset of 10": (fill_zsets, 10),
    "list of 100": (lambda n: [b"RPUSH", key(n)] + [text16(n * 100 + i) for i in range(100)], 100),
    "one set": (lambda n: [b"SADD", b"set", text16(n)], 1),
    "one sorted set": (lambda n: [b"ZADD", b"zset", score(n), text16(n)], 1),
    "one hash": (lambda n: [b"HSET", b"hash", text16(n), text16(n + 1)], 1),
}
# What we promise; the others are there to know.
LIMITS = {"16-byte string": 70, "16-byte string, TTL": 78, "integer": 60, "hash of 10": 330, "one set": 50, "one sorted set": 75,
          "one hash": 75}


def fill(server, case, count):
    """Sends `count` commands in pipelines and checks that none failed."""
    make = MEMORY_CASES[case][0]
    client, sent = server.connect(timeout_s=300), 0
    while sent < count:
        step = min(500, count - sent)
        client.socket.sendall(b"".join(encode(make(n)) for n in range(sent, sent + step)))
        for _ in range(step):
            reply = client.read()
            if reply[0] == "-":
                raise RuntimeError(f"{case}: {reply}")
        sent += step
    client.close()


def resident_a_key(program, case, count):
    """(resident bytes after - before) / count, in a fresh server."""
    with Server(program) as server:
        fill_one = server.connect()
        fill_one.call("PING")
        time.sleep(0.3)
        before = server.resident_bytes()
        fill(server, case, count)
        time.sleep(1.2)  # growing and rehashing come to rest
        after = server.resident_bytes()
        fill_one.close()
        return (after - before) / count


def measure(args):
    rows = []
    for case, (_, elements) in MEMORY_CASES.items():
        count = args.keys // (10 if elements == 100 else 4 if elements == 10 and args.quick else 1)
        row = {"case": case, "count": count}
        for name, program in (("ouro", args.server), ("redis", args.rival)):
            row[name] = resident_a_key(program, case, count)
        row["ratio"] = row["ouro"] / row["redis"]
        row["limit"] = LIMITS.get(case, "")
        rows.append(row)
        print(f"{case}: {row['ouro']:.1f} and {row['redis']:.1f} bytes", file=sys.stderr, flush=True)
    return rows


def table(rows):
    lines = [f"{'resident bytes a key (element)':<32}{'count':>9}{'ouro':>9}{'redis':>9}{'ratio':>7}{'limit':>7}"]
    for row in rows:
        lines.append(f"{row['case']:<32}{row['count']:>9}{row['ouro']:>9.1f}{row['redis']:>9.1f}{row['ratio']:>7.2f}"
                     f"{row['limit']:>7}")
    return "\n".join(lines)
