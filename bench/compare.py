#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Speed and memory of ouro-server beside redis-server: interleaved rounds, medians with their spread.

Speed: redis-benchmark's tests at pipeline 1 and 16. The server runs on core 0, the load on the other cores. Beside throughput
stands the CPU time of the server process an operation (schedstat of all its threads, in nanoseconds), which a busy machine
disturbs least. Memory: (resident bytes after filling - before) / count, in a fresh process for each case. Large: CPU seconds a
gigabyte for GET and SET of 10 MB values.
"""
import argparse
import csv
import os
import pathlib
import platform
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/compat"))
import plot  # noqa: E402
from resp import Connection, encode  # noqa: E402
from servers import Server  # noqa: E402

TESTS = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP", "ZADD",
         "ZPOPMIN", "LRANGE_100", "LRANGE_300", "LRANGE_500", "LRANGE_600", "MSET"]
QUICK_TESTS = ["SET", "GET", "INCR", "LPUSH", "SADD", "HSET", "ZADD", "LRANGE_100"]
KEY_SPACE = 100_000
VALUE_BYTES = 64
SERVER_CORE = "0"
LOAD_CORES = f"1-{os.cpu_count() - 1}" if os.cpu_count() > 2 else "1" if os.cpu_count() == 2 else "0"


def pinned_server(program):
    return Server(program, prefix=["taskset", "-c", SERVER_CORE])


# ---- speed

def operations_of(test, pipeline, quick):
    """How many operations take about a second or two."""
    slow = test.startswith("LRANGE") or test == "MSET"
    count = 60_000 if slow else 150_000 if pipeline == 1 else 1_200_000
    return count // 2 if quick else count


def run_speed_test(server, test, pipeline, count):
    """One run of one test: (operations a second, CPU microseconds an operation)."""
    prepare(server, test, count)
    command = ["taskset", "-c", LOAD_CORES, "redis-benchmark", "-p", str(server.port), "-n", str(count), "-P", str(pipeline),
               "-c", "50", "-r", str(KEY_SPACE), "-d", str(VALUE_BYTES), "--csv"]
    # As a test of redis-benchmark's, LRANGE would first push as many elements as it then asks ranges.
    command += ["LRANGE", "mylist", "0", str(int(test[7:]) - 1)] if test.startswith("LRANGE_") else ["-t", test]
    cpu_before = server.cpu_ns()
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    cpu = server.cpu_ns() - cpu_before
    rates = re.findall(r'^"[^"]+","([\d.]+)"', result.stdout, re.M)
    if result.returncode != 0 or len(rates) != 1:
        raise RuntimeError(f"redis-benchmark {test}: {result.stdout}{result.stderr}")
    return float(rates[0]), cpu / 1000 / count


def prepare(server, test, count):
    """Empties the server and stores what the test takes from."""
    client = server.connect()
    client.call("FLUSHALL")
    if test == "GET":
        for start in range(0, KEY_SPACE, 500):
            client.call("MSET", *[word for n in range(start, start + 500) for word in (b"key:%012d" % n, b"x" * VALUE_BYTES)])
    size = int(test[7:]) if test.startswith("LRANGE_") else count if test in ("LPOP", "RPOP", "SPOP", "ZPOPMIN") else 0
    for start in range(0, size, 500):
        members = [b"element:%012d" % n for n in range(start, min(start + 500, size))]
        if test == "SPOP":
            client.call("SADD", "myset", *members)
        elif test == "ZPOPMIN":
            client.call("ZADD", "myzset", *[word for n, member in enumerate(members) for word in (b"%d" % n, member)])
        else:
            client.call("RPUSH", "mylist", *[b"x" * VALUE_BYTES for _ in members])
    client.close()


def measure_speed(args):
    """Rows: test, pipeline, server, median rate and CPU with their spread."""
    programs = {"ouro": args.server, "redis": args.rival}
    samples = {}
    servers = {name: pinned_server(program) for name, program in programs.items()}
    try:
        for number in range(args.rounds):
            for pipeline in (1, 16):
                for test in args.tests:
                    count = operations_of(test, pipeline, args.quick)
                    # The one that begins changes from round to round.
                    for name in sorted(servers, reverse=bool(number % 2)):
                        rate, cpu = run_speed_test(servers[name], test, pipeline, count)
                        samples.setdefault((test, pipeline, name), []).append((rate, cpu))
            print(f"round {number + 1} of {args.rounds} done", file=sys.stderr, flush=True)
    finally:
        for server in servers.values():
            server.stop()
    rows = []
    for pipeline in (1, 16):
        for test in args.tests:
            row = {"test": test, "pipeline": pipeline}
            for name in programs:
                rates, cpus = zip(*samples[test, pipeline, name])
                row |= {f"{name}_rate": statistics.median(rates), f"{name}_cpu": statistics.median(cpus),
                        f"{name}_cpu_low": min(cpus), f"{name}_cpu_high": max(cpus)}
            row["cpu_ratio"] = row["ouro_cpu"] / row["redis_cpu"]
            row["rate_ratio"] = row["ouro_rate"] / row["redis_rate"]
            rows.append(row)
    return rows


def speed_table(rows):
    lines = [f"{'test':<14}{'P':>3} {'requests/s':>22} {'ratio':>6}   {'CPU us/op, median (low-high)':>43} {'ratio':>6}",
             f"{'':<14}{'':>3} {'ouro':>11}{'redis':>11} {'':>6}   {'ouro':>21} {'redis':>21} {'':>6}"]
    for row in rows:
        cpus = [f"{row[name + '_cpu']:.3f} ({row[name + '_cpu_low']:.3f}-{row[name + '_cpu_high']:.3f})"
                for name in ("ouro", "redis")]
        lines.append(f"{row['test']:<14}{row['pipeline']:>3} {row['ouro_rate']:>11.0f}{row['redis_rate']:>11.0f} "
                     f"{row['rate_ratio']:>6.2f}   {cpus[0]:>21} {cpus[1]:>21} {row['cpu_ratio']:>6.2f}")
    return "\n".join(lines)


# ---- memory

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


def measure_memory(args):
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


def memory_table(rows):
    lines = [f"{'resident bytes a key (element)':<32}{'count':>9}{'ouro':>9}{'redis':>9}{'ratio':>7}{'limit':>7}"]
    for row in rows:
        lines.append(f"{row['case']:<32}{row['count']:>9}{row['ouro']:>9.1f}{row['redis']:>9.1f}{row['ratio']:>7.2f}"
                     f"{row['limit']:>7}")
    return "\n".join(lines)


# ---- large values

def stream_large(server, operation, size, count, clients=4):
    """CPU seconds a gigabyte for GET or SET of `size` bytes by a few connections."""
    value = b"v" * size

    def work(number):
        connection = Connection(server.port, timeout_s=120)
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        name = b"large:%d" % number
        request = encode([b"SET", name, value] if operation == "SET" else [b"GET", name])
        sink = bytearray(1 << 20)
        for _ in range(count):
            connection.socket.sendall(request)
            left = 5 if operation == "SET" else size + len(b"$%d\r\n\r\n" % size)
            while left > 0:
                left -= connection.socket.recv_into(sink)
        connection.close()

    before = server.cpu_ns()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (server.cpu_ns() - before) / 1e9 / (size * count * clients / 1e9)


def measure_large(args):
    rows = []
    size, count = 10_000_000, 10 if args.quick else 40
    samples = {}
    os.sched_setaffinity(0, {1} if os.cpu_count() == 2 else set(range(os.cpu_count())) - {0} or {0})
    servers = {"ouro": pinned_server(args.server), "redis": pinned_server(args.rival)}
    try:
        for _ in range(min(3, args.rounds) if args.quick else args.rounds):
            for operation in ("SET", "GET"):
                for name, server in servers.items():
                    samples.setdefault((operation, name), []).append(stream_large(server, operation, size, count))
    finally:
        for server in servers.values():
            server.stop()
        os.sched_setaffinity(0, set(range(os.cpu_count())))
    for operation in ("GET", "SET"):
        row = {"operation": f"{operation} of 10 MB"}
        for name in servers:
            row[name] = statistics.median(samples[operation, name])
        row["ratio"] = row["ouro"] / row["redis"]
        rows.append(row)
    return rows


def large_table(rows):
    lines = [f"{'CPU seconds a gigabyte':<32}{'ouro':>9}{'redis':>9}{'ratio':>7}"]
    lines += [f"{row['operation']:<32}{row['ouro']:>9.3f}{row['redis']:>9.3f}{row['ratio']:>7.2f}" for row in rows]
    return "\n".join(lines)


# ---- all

def machine():
    """One line that says where the figures come from."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    command = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return (f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, "
            f"commit {commit.strip() or 'unknown'}, {' '.join(sys.argv[1:]) or 'no options'}")


def save(folder, name, rows):
    with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--tests", help="names of redis-benchmark's tests, with commas between")
    parser.add_argument("--keys", type=int, help="keys or elements in a memory case")
    parser.add_argument("--only", choices=("speed", "memory", "large"))
    parser.add_argument("--server", default=str(ROOT / "build/release/ouro-server"))
    parser.add_argument("--rival", default="redis-server")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench")
    args = parser.parse_args()
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.tests = args.tests.upper().split(",") if args.tests else QUICK_TESTS if args.quick else TESTS
    args.keys = args.keys or (200_000 if args.quick else 1_000_000)
    args.out.mkdir(parents=True, exist_ok=True)

    report = [machine()]
    if args.only in (None, "speed"):
        rows = measure_speed(args)
        save(args.out, "speed", rows)
        report.append(speed_table(rows))
        for pipeline in (1, 16):
            part = [row for row in rows if row["pipeline"] == pipeline]
            plot.bars(args.out / f"cpu-pipeline-{pipeline}.svg", f"Server CPU, microseconds an operation, pipeline {pipeline}",
                      [row["test"] for row in part],
                      {name: [(row[f"{name}_cpu"], row[f"{name}_cpu_low"], row[f"{name}_cpu_high"]) for row in part]
                       for name in ("ouro", "redis")})
    if args.only in (None, "memory"):
        rows = measure_memory(args)
        save(args.out, "memory", rows)
        report.append(memory_table(rows))
        small = [row for row in rows if row["case"] != "list of 100"]
        plot.bars(args.out / "memory.svg", "Resident bytes a key or element", [row["case"] for row in small],
                  {name: [(row[name], row[name], row[name]) for row in small] for name in ("ouro", "redis")})
    if args.only in (None, "large"):
        rows = measure_large(args)
        save(args.out, "large", rows)
        report.append(large_table(rows))
    text = "\n\n".join(report) + "\n"
    (args.out / "report.txt").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
