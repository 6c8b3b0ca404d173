# SPDX-License-Identifier: BSD-3-Clause
"""Latency under a fixed rate of requests that fall due whatever the server does: GET 90 %, SET 10 %, 50 connections."""
from rivals import NAMES, Figure, in_turn, run_load, started

CONNECTIONS = 50
# In flight on a connection at most: enough that a stall of some 10 ms holds nothing back.
PIPELINE = 16
KEY_SPACE = 100_000
SECONDS = 4
QUICK_SECONDS = 2
PARTS = {"p50": "p50", "p99": "p99", "p99.9": "p999", "longest": "longest"}


def measure(args):
    """Rows: server, a Figure for each percentile and the CPU time."""
    samples = {name: [] for name in NAMES}
    count = args.rate * (QUICK_SECONDS if args.quick else SECONDS)
    with started(args) as servers:
        for server in servers.values():
            run_load(server, args, "fill", KEY_SPACE, keys=KEY_SPACE, pipeline=16)
        for number in range(args.rounds):
            for name in in_turn(servers, number):
                load = run_load(servers[name], args, "mixed", count, keys=KEY_SPACE, connections=CONNECTIONS, pipeline=PIPELINE,
                                rate=args.rate, seed=number)
                samples[name].append(load)
    rows = []
    for name in NAMES:
        row = {"server": name, "rate": Figure.of([load.rate for load in samples[name]])}
        row |= {part: Figure.of([getattr(load, field) for load in samples[name]]) for part, field in PARTS.items()}
        rows.append(row | {"cpu": Figure.of([load.cpu for load in samples[name]])})
    return rows


def table(rows, rate):
    lines = [f"{f'latency us at {rate:,}/s':<24}{'reached/s':>10}" + "".join(f"{part:>20}" for part in PARTS) +
             f"{'CPU us':>8}"]
    for row in rows:
        lines.append(f"{row['server']:<24}{row['rate'].middle:>10.0f}" +
                     "".join(f"{row[part].text(0):>20}" for part in PARTS) + f"{row['cpu'].middle:>8.2f}")
    return "\n".join(lines)
