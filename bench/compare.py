#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ouro-server beside redis-server and memcached: interleaved rounds, medians with their spread.

Servers run on core 0, the load on the other cores. CPU is the time of all threads of the server's process (schedstat, in
nanoseconds), which a busy machine disturbs least. What is measured stands at the head of each part: speed.py, latency.py,
memory.py, large.py, snapshot.py, durability.py, replication.py, migration.py. memcached takes part where its protocol has the
operation.
"""
import argparse
import csv
import os
import pathlib
import platform
import re
import subprocess
import sys

import durability
import large
import latency
import memory
import migration
import plot
import replication
import snapshot
import speed
from rivals import LOAD_CORES, MEMCACHED_OPTIONS, NAMES, REDIS_LIKE, ROOT, Figure, require_built


def first_line(*command):
    """What a program says first, for versions; empty if it says nothing."""
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return (result.stdout.splitlines() or [""])[0].strip()


def machine(args):
    """Where the figures come from."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    redis = re.search(r"v=(\S+)", first_line(args.rival, "--version"))
    return (f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}\n"
            f"commit {first_line('git', 'describe', '--always', '--dirty') or 'unknown'}, "
            f"{' '.join(sys.argv[1:]) or 'no options'}, {args.rounds} rounds\n"
            f"redis {redis[1] if redis else 'unknown'}; "
            f"{first_line(args.memcached, '-V')} -t 1 {' '.join(MEMCACHED_OPTIONS)}")


def flat(row):
    """A row for a CSV: a Figure becomes three columns."""
    cells = {}
    for name, value in row.items():
        if isinstance(value, Figure):
            cells |= {name: value.middle, f"{name}_low": value.low, f"{name}_high": value.high}
        else:
            cells[name] = value
    return cells


def save(folder, name, rows):
    rows = [flat(row) for row in rows]
    with open(folder / f"{name}.csv", "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def report_speed(args):
    rows = speed.measure_tests(args)
    save(args.out, "speed", rows)
    for pipeline in speed.PIPELINES:
        part = [row for row in rows if row["pipeline"] == pipeline]
        plot.bars(args.out / f"cpu-pipeline-{pipeline}.svg", f"Server CPU, microseconds an operation, pipeline {pipeline}",
                  [row["test"] for row in part], {name: [row[f"{name}_cpu"] for row in part] for name in REDIS_LIKE})
    loads = speed.measure_load(args)
    save(args.out, "load", loads)
    for what, title in (("cpu", "Server CPU, microseconds an operation"), ("rate", "Requests a second")):
        plot.bars(args.out / f"load-{what}.svg", f"{title}, by ouro_load",
                  [f"{row['test']}, pipeline {row['pipeline']}" for row in loads],
                  {name: [row[f"{name}_{what}"] for row in loads] for name in NAMES}, each_its_scale=True)
    return speed.table("redis-benchmark", rows, REDIS_LIKE) + "\n\n" + speed.table("ouro_load", loads, NAMES)


def report_latency(args):
    rows = latency.measure(args)
    save(args.out, "latency", rows)
    plot.bars(args.out / "latency.svg", f"Latency in microseconds at {args.rate:,} requests a second", list(latency.PARTS),
              {row["server"]: [row[part] for part in latency.PARTS] for row in rows}, each_its_scale=True)
    return latency.table(rows, args.rate)


def report_memory(args):
    rows = memory.measure(args)
    save(args.out, "memory", rows)
    small = [row for row in rows if row["case"] != "list of 100"]
    plot.bars(args.out / "memory.svg", "Resident bytes a key or element", [row["case"] for row in small],
              {name: [None if row[name] is None else (row[name],) * 3 for row in small] for name in NAMES})
    return memory.table(rows)


def report_large(args):
    rows = large.measure(args)
    save(args.out, "large", rows)
    plot.bars(args.out / "large.svg", "Server CPU, seconds a gigabyte", [row["operation"] for row in rows],
              {name: [row[name] for row in rows] for name in NAMES})
    return large.table(rows)


def report_snapshot(args):
    rows = snapshot.measure(args)
    save(args.out, "snapshot", rows)
    latencies = ("p50", "p99", "p99.9", "longest")
    for case, shown in snapshot.by_case(rows).items():
        plot.bars(args.out / f"snapshot{case.replace(' ', '-')}.svg",
                  f"Latency in microseconds during BGSAVE of {rows[0]['keys']:,} keys{case}", list(latencies),
                  {row["server"]: [(row[part],) * 3 for part in latencies] for row in shown}, each_its_scale=True)
    return snapshot.table(rows)


def report_durability(args):
    costs, latencies = durability.measure_cost(args), durability.measure_latency(args)
    save(args.out, "durability", costs)
    save(args.out, "durability-latency", latencies)
    return durability.cost_table(costs) + "\n\n" + durability.latency_table(latencies, args.rate)


def report_replication(args):
    tables = [f"on {os.cpu_count()} cores: the primary on core 0, replicas, clients and the load on {LOAD_CORES}"]
    for name, measure, table in (("cost", replication.measure_cost, replication.cost_table),
                                 ("sync", replication.measure_sync, replication.sync_table),
                                 ("behind", replication.measure_lag, replication.lag_table),
                                 ("failover", migration.measure, migration.table)):
        rows = measure(args)
        save(args.out, f"replication-{name}", rows)
        tables.append(table(rows))
    return "\n\n".join(tables)


PARTS = {"speed": report_speed, "latency": report_latency, "memory": report_memory, "large": report_large,
         "snapshot": report_snapshot, "durability": report_durability, "replication": report_replication}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--tests", help="names of redis-benchmark's tests, with commas between")
    parser.add_argument("--keys", type=int, help="keys or elements in a memory case")
    parser.add_argument("--only", choices=tuple(PARTS))
    parser.add_argument("--server", default=str(ROOT / "build/release/ouro-server"))
    parser.add_argument("--rival", default="redis-server")
    parser.add_argument("--memcached", default="memcached")
    parser.add_argument("--load", default=str(ROOT / "build/release/bench/ouro_load"))
    parser.add_argument("--rate", type=int, default=50_000, help="requests a second of the latency part")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build/bench")
    args = parser.parse_args()
    require_built(args.server, args.load)
    args.rounds = args.rounds or (3 if args.quick else 5)
    args.tests = args.tests.upper().split(",") if args.tests else speed.QUICK_TESTS if args.quick else speed.TESTS
    args.keys = args.keys or (200_000 if args.quick else 1_000_000)
    args.out.mkdir(parents=True, exist_ok=True)

    report = [machine(args)]
    for name, part in PARTS.items():
        if args.only in (None, name):
            report.append(part(args))
    text = "\n\n".join(report) + "\n"
    (args.out / "report.txt").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
