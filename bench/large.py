# SPDX-License-Identifier: BSD-3-Clause
"""CPU seconds of the server's process for each gigabyte of large values, by four connections that check every byte."""
from rivals import NAMES, Figure, in_turn, run_load, started

SIZES = {"100 KB": 100_000, "1 MB": 1_000_000, "10 MB": 10_000_000}
CONNECTIONS = 4
# Each run moves about so many bytes.
RUN_BYTES = 1_600_000_000
QUICK_RUN_BYTES = 400_000_000


def measure(args):
    """Rows: what was done, a Figure for each server."""
    samples = {}
    with started(args) as servers:
        for number in range(args.rounds):
            for size_name, size in SIZES.items():
                count = (QUICK_RUN_BYTES if args.quick else RUN_BYTES) // size
                for name in in_turn(servers, number):
                    # Storing goes first: it is what GET then reads.
                    for label, operation in (("SET", "fill"), ("GET", "get")):
                        load = run_load(servers[name], args, operation, count, connections=CONNECTIONS, keys=CONNECTIONS,
                                        value_bytes=size)
                        samples.setdefault((label, size_name, name), []).append(load.cpu * 1000 / size)
    return [{"operation": f"{operation} of {size}", **{name: Figure.of(samples[operation, size, name]) for name in NAMES}}
            for operation in ("GET", "SET") for size in SIZES]


def table(rows):
    lines = [f"{'CPU seconds a gigabyte':<24}" + "".join(f"{name:>22}" for name in NAMES) +
             f"{'to redis':>10}{'to memcached':>14}"]
    for row in rows:
        ratios = [row["ouro"].middle / row[name].middle for name in NAMES[1:]]
        lines.append(f"{row['operation']:<24}" + "".join(f"{row[name].text(3):>22}" for name in NAMES) +
                     f"{ratios[0]:>10.2f}{ratios[1]:>14.2f}")
    return "\n".join(lines)
