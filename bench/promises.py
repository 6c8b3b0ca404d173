#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What ouro-server promises beside speed, each measured and held against its bound:

    promises.py [--server PROGRAM] [--only turns|expiry|idle|readers|process] [--keys N] [--rounds N]

turns    CPU time of the slowest turn while --keys keys are added.
expiry   CPU time of the slowest turn while 1,000,000 keys fall due within one second.
idle     resident bytes of each of 10,000 connections that say nothing.
readers  1,000 clients that ask for 100 MB each and never read: each is closed at its output limit, the memory comes back,
         and another client's PINGs are answered meanwhile.
process  GETs a second by the in-process library (bench/micro/embed_bench beside the server, 1M keys) against redis-benchmark
         without a pipeline; the sharded cache with two threads against one.
The last line is `N passed, N failed`.
"""
import argparse
import json
import mmap
import os
import pathlib
import re
import resource
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/compat"))
from resp import Connection, encode  # noqa: E402
from rivals import require_built  # noqa: E402
from servers import Server  # noqa: E402

# The server has a core of its own where there is more than one.
PREFIX = ["taskset", "-c", "0"] if os.cpu_count() > 1 else []
TURN_CPU_MAX_US = 2000
EXPIRY_TURN_CPU_MAX_US = 1000
IDLE_CONNECTIONS = 10_000
IDLE_BYTES_MAX = 12 * 1024
READERS = 1000
READER_LIMIT_MB = 50
PING_MAX_MS = 50
PROCESS_TIMES_MIN = 10
SHARED_TIMES_MIN = 1.2
# Memory that a key which is added takes, its share of the table included: more than enough.
TOUCHED_BYTES_A_KEY = 160


class Report:
    """Lines of what was measured, and how many bounds held."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, measured, bound, unit, at_least=False):
        holds = measured >= bound if at_least else measured <= bound
        self.passed += holds
        self.failed += not holds
        print(f"{'holds' if holds else 'FAILS':<6} {what:<58} {measured:>12,.1f} {unit} (bound {bound:,})", flush=True)


def stats_of(client, section="stats"):
    lines = client.call("INFO", section)[1].decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def send_pipelined(client, commands, step=500):
    """Sends commands, `step` at a time, each answered by +OK."""
    batch = []

    def flush():
        client.socket.sendall(b"".join(batch))
        left = 5 * len(batch)
        while left > 0:
            left -= len(client.socket.recv(65536))
        batch.clear()

    for command in commands:
        batch.append(command)
        if len(batch) == step:
            flush()
    flush()


def touch_memory(size):
    """Makes a virtual machine own so much memory. The first touch of a page is its hypervisor's work, which stops the
    processor for milliseconds and is charged to whoever runs: a thread that only naps was charged 6 ms at once while a
    server grew into untouched memory, and 1 ms after this."""
    with mmap.mmap(-1, size) as memory:
        for at in range(0, size, mmap.PAGESIZE):
            memory[at] = 1


def turns(args, report):
    for number in range(args.rounds):
        touch_memory(args.keys * TOUCHED_BYTES_A_KEY)
        with Server(args.server, prefix=PREFIX) as server:
            client = server.connect(timeout_s=300)
            client.call("CONFIG", "RESETSTAT")
            send_pipelined(client, (b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$16\r\nvalue%011d\r\n" % (n, n)
                                    for n in range(args.keys)))
            stats = stats_of(client)
            client.close()
        report.check(f"slowest turn while adding {args.keys:,} keys, run {number + 1}", int(stats["turn_cpu_us_max"]),
                     TURN_CPU_MAX_US, "us of CPU")
        print(f"       wall: p99.99 {stats['turn_wall_us_p99_99']} us, slowest {stats['turn_wall_us_max']} us")


def expiry(args, report):
    for number in range(args.rounds):
        with Server(args.server, prefix=PREFIX) as server:
            client = server.connect(timeout_s=300)
            due = int(time.time() * 1000) + 12_000
            send_pipelined(client, (encode([b"SET", b"key:%012d" % n, b"value", b"PXAT", b"%d" % (due + n // 1000)])
                                    for n in range(1_000_000)))
            client.call("CONFIG", "RESETSTAT")
            if time.time() * 1000 > due:
                raise RuntimeError("filling took longer than the keys live")
            while int(stats_of(client)["expired_keys"]) < 1_000_000:
                time.sleep(0.02)
            late = time.time() * 1000 - due - 1000
            stats = stats_of(client)
            client.close()
        report.check(f"slowest turn while 1,000,000 keys expire, run {number + 1}", int(stats["turn_cpu_us_max"]),
                     EXPIRY_TURN_CPU_MAX_US, "us of CPU")
        print(f"       the last was gone {late:.0f} ms after it was due")


def idle(args, report):
    with Server(args.server, "--maxclients", str(IDLE_CONNECTIONS + 100), prefix=PREFIX) as server:
        client = server.connect()
        client.call("PING")
        before = server.resident_bytes()
        sockets = []
        for _ in range(IDLE_CONNECTIONS):
            sockets.append(socket.create_connection(("127.0.0.1", server.port)))
            sockets[-1].sendall(b"PING\r\n")
        for connection in sockets:
            connection.recv(16)
        time.sleep(1.5)
        after = server.resident_bytes()
        report.check(f"resident bytes of each of {IDLE_CONNECTIONS:,} idle connections", (after - before) / IDLE_CONNECTIONS,
                     IDLE_BYTES_MAX, "bytes")
        for connection in sockets:
            connection.close()
        client.close()


def readers(args, report):
    with Server(args.server, "--client-output-buffer-limit", "normal", f"{READER_LIMIT_MB}mb", "0", "0", prefix=PREFIX) as server:
        client = server.connect(timeout_s=60)
        client.call("SET", "large", b"v" * 100_000_000)
        before = int(stats_of(client, "memory")["used_memory"])
        sockets, slowest = [], 0.0
        for number in range(READERS):
            sockets.append(socket.create_connection(("127.0.0.1", server.port)))
            sockets[-1].sendall(encode([b"GET", b"large"]))
            if number % 10 == 0:
                started = time.monotonic()
                client.call("PING")
                slowest = max(slowest, (time.monotonic() - started) * 1000)
        deadline = time.monotonic() + 20
        while stats_of(client, "clients")["connected_clients"] != "1" and time.monotonic() < deadline:
            time.sleep(0.05)
        left = int(stats_of(client, "clients")["connected_clients"]) - 1
        closed = int(stats_of(client)["client_output_buffer_limit_disconnections"])
        after = int(stats_of(client, "memory")["used_memory"])
        report.check(f"slow readers of {READERS:,} that are still connected", left, 0, "clients")
        report.check("slow readers that were not closed by their limit", READERS - closed, 0, "clients")
        report.check("memory that did not come back", max(0, after - before), 100_000, "bytes")
        report.check("slowest PING of another client meanwhile", slowest, PING_MAX_MS, "ms")
        for connection in sockets:
            connection.close()
        client.close()


def embed_bench(args):
    return pathlib.Path(args.server).parent / "bench/embed_bench"


def process(args, report):
    command = [embed_bench(args), "--benchmark_format=json", "--benchmark_filter=^(get|shared_.et)/1000000",
               f"--benchmark_repetitions={args.rounds}", "--benchmark_report_aggregates_only=true"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, preexec_fn=use_all_cores).stdout
    rates = {row["run_name"]: row["items_per_second"] for row in json.loads(listed)["benchmarks"]
             if row["aggregate_name"] == "median"}
    with Server(args.server, prefix=PREFIX) as server:
        command = ["redis-benchmark", "-p", str(server.port), "-t", "set,get", "-n", "300000", "-r", "1000000", "-d", "16",
                   "--csv"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        loopback = float(re.findall(r'^"GET","([\d.]+)"', printed, re.M)[0])
    report.check("GETs in process for each over loopback", rates["get/1000000"] / loopback, PROCESS_TIMES_MIN, "times",
                 at_least=True)
    for operation in ("get", "set"):
        one, two = (rates[f"shared_{operation}/1000000/real_time/threads:{threads}"] for threads in (1, 2))
        report.check(f"shared {operation} by two threads for each by one", two / one, SHARED_TIMES_MIN, "times", at_least=True)


def use_all_cores():
    os.sched_setaffinity(0, set(range(os.cpu_count())))


PARTS = {"turns": turns, "expiry": expiry, "idle": idle, "readers": readers, "process": process}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default=str(ROOT / "build/release/ouro-server"))
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--keys", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    require_built(args.server, *([embed_bench(args)] if args.only in (None, "process") else []))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, set(range(1, os.cpu_count())))
    report = Report()
    for name, part in PARTS.items():
        if args.only in (None, name):
            part(args, report)
    print(f"{report.passed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
