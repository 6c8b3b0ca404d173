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
import subprocess
import sys

import large
import memory
import plot
import speed
from rivals import ROOT


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
    args.tests = args.tests.upper().split(",") if args.tests else speed.QUICK_TESTS if args.quick else speed.TESTS
    args.keys = args.keys or (200_000 if args.quick else 1_000_000)
    args.out.mkdir(parents=True, exist_ok=True)

    report = [machine()]
    if args.only in (None, "speed"):
        rows = speed.measure(args)
        save(args.out, "speed", rows)
        report.append(speed.table(rows))
        for pipeline in (1, 16):
            part = [row for row in rows if row["pipeline"] == pipeline]
            plot.bars(args.out / f"cpu-pipeline-{pipeline}.svg", f"Server CPU, microseconds an operation, pipeline {pipeline}",
                      [row["test"] for row in part],
                      {name: [(row[f"{name}_cpu"], row[f"{name}_cpu_low"], row[f"{name}_cpu_high"]) for row in part]
                       for name in ("ouro", "redis")})
    if args.only in (None, "memory"):
        rows = memory.measure(args)
        save(args.out, "memory", rows)
        report.append(memory.table(rows))
        small = [row for row in rows if row["case"] != "list of 100"]
        plot.bars(args.out / "memory.svg", "Resident bytes a key or element", [row["case"] for row in small],
                  {name: [(row[name], row[name], row[name]) for row in small] for name in ("ouro", "redis")})
    if args.only in (None, "large"):
        rows = large.measure(args)
        save(args.out, "large", rows)
        report.append(large.table(rows))
    text = "\n\n".join(report) + "\n"
    (args.out / "report.txt").write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
