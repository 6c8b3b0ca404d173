# SPDX-License-Identifier: BSD-3-Clause
"""Resident bytes a key or element: what a process grew by when it was filled, over the count."""
import socket
import sys
import time

from rivals import NAMES, start
from resp import encode


def key(n):
    return b"key:%012d" % n


def text16(n):
    return b"value%011d" % n


def score(n):
    """A scattered number with many digits, the same for all servers."""
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


def fill_resp(server, case, count):
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


def memcached_set(command):
    """A SET as memcached wants it; it keeps numbers as text."""
    _, name, value, *deadline = command
    return b"set %s 0 %s %d\r\n%s\r\n" % (name, deadline[1] if deadline else b"0", len(value), value)


def fill_memcached(server, case, count):
    make, sent = MEMORY_CASES[case][0], 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=300) as client:
        while sent < count:
            step = min(500, count - sent)
            client.sendall(b"".join(memcached_set(make(n)) for n in range(sent, sent + step)))
            wanted, got = b"STORED\r\n" * step, b""
            while len(got) < len(wanted):
                part = client.recv(1 << 16)
                got += part
                if not part or not wanted.startswith(got):
                    raise RuntimeError(f"{case}: {got[-100:]!r}")
            sent += step


def has_case(name, case):
    """memcached knows strings alone."""
    return name != "memcached" or MEMORY_CASES[case][0](0)[0] == b"SET"


def resident_a_key(name, args, case, count):
    """(resident bytes after - before) / count, in a fresh server."""
    with start(name, args, pinned=False) as server:
        time.sleep(0.3)
        before = server.resident_bytes()
        (fill_memcached if name == "memcached" else fill_resp)(server, case, count)
        time.sleep(1.2)  # growing and rehashing come to rest
        return (server.resident_bytes() - before) / count


def measure(args):
    """Rows: case, count, bytes for each server that has the case (else None), ratios, what is promised."""
    rows = []
    for case, (_, elements) in MEMORY_CASES.items():
        count = args.keys // (10 if elements == 100 else 4 if elements == 10 and args.quick else 1)
        row = {"case": case, "count": count}
        row |= {name: resident_a_key(name, args, case, count) if has_case(name, case) else None for name in NAMES}
        for name in NAMES[1:]:
            row[f"to_{name}"] = row["ouro"] / row[name] if row[name] else None
        row["limit"] = LIMITS.get(case, "")
        rows.append(row)
        print(f"{case}: {', '.join(f'{row[name]:.1f}' for name in NAMES if row[name])} bytes", file=sys.stderr, flush=True)
    return rows


def table(rows):
    def cell(value, width, digits):
        return f"{'-' if value is None else f'{value:.{digits}f}':>{width}}"

    lines = [f"{'resident bytes a key (element)':<32}{'count':>9}" + "".join(f"{name:>11}" for name in NAMES) +
             f"{'to redis':>10}{'to memcached':>14}{'promised':>10}"]
    for row in rows:
        lines.append(f"{row['case']:<32}{row['count']:>9}" + "".join(cell(row[name], 11, 1) for name in NAMES) +
                     cell(row["to_redis"], 10, 2) + cell(row["to_memcached"], 14, 2) + f"{row['limit']:>10}")
    return "\n".join(lines)
