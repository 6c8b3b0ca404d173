# SPDX-License-Identifier: BSD-3-Clause
"""What an append-only file costs: SET of 64 bytes by 50 connections without one, with one that is synced every second, and with
one that is synced before each reply; and latency under a fixed rate while every second a sync is in flight."""
import contextlib

from rivals import REDIS_LIKE, SERVER_CORE, Figure, in_turn, run_load, start_on

CONNECTIONS = 50
KEY_SPACE = 100_000
MODES = {"none": ("--appendonly", "no"), "everysec": ("--appendonly", "yes", "--appendfsync", "everysec"),
         "always": ("--appendonly", "yes", "--appendfsync", "always")}
# A run: at least two or three seconds, so that syncs of everysec fall into each.
COUNTS = {("none", 1): 400_000, ("everysec", 1): 400_000, ("always", 1): 200_000,
          ("none", 16): 3_000_000, ("everysec", 16): 3_000_000, ("always", 16): 1_500_000}


def measure_cost(args):
    """Rows: mode, pipeline, and for each server Figures of its rate and of CPU us an operation."""
    samples = {}
    with contextlib.ExitStack() as stack:
        servers = {(name, mode): stack.enter_context(start_on(SERVER_CORE, name, args, "--save", "", *options))
                   for name in REDIS_LIKE for mode, options in MODES.items()}
        for number in range(args.rounds):
            for (mode, pipeline), count in COUNTS.items():
                for name in in_turn(REDIS_LIKE, number):
                    load = run_load(servers[name, mode], args, "set", count // 4 if args.quick else count, keys=KEY_SPACE,
                                    connections=CONNECTIONS, pipeline=pipeline, seed=number)
                    samples.setdefault((mode, pipeline), {}).setdefault(name, []).append(load)
    rows = []
    for (mode, pipeline), by_name in samples.items():
        row = {"log": mode, "pipeline": pipeline}
        for name, loads in by_name.items():
            row[f"{name}_rate"] = Figure.of([load.rate for load in loads])
            row[f"{name}_share"] = row[f"{name}_rate"].middle / Figure.of(
                [load.rate for load in samples["none", pipeline][name]]).middle
            row[f"{name}_cpu"] = Figure.of([load.cpu for load in loads])
        row["rate_to_redis"] = row["ouro_rate"].middle / row["redis_rate"].middle
        rows.append(row)
    return rows


def measure_latency(args):
    """Rows: server, Figures of percentiles in microseconds at args.rate SETs a second, with `everysec`."""
    samples = {name: [] for name in REDIS_LIKE}
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(start_on(SERVER_CORE, name, args, "--save", "", *MODES["everysec"]))
                   for name in REDIS_LIKE}
        for number in range(args.rounds):
            for name in in_turn(REDIS_LIKE, number):
                samples[name].append(run_load(servers[name], args, "set", args.rate * (2 if args.quick else 4), keys=KEY_SPACE,
                                              connections=CONNECTIONS, pipeline=16, rate=args.rate, seed=number))
    return [{"server": name} | {part: Figure.of([getattr(load, part) for load in loads])
                                for part in ("rate", "p50", "p99", "p999", "longest")}
            for name, loads in samples.items()]


def cost_table(rows):
    lines = [f"{'SET, log':<12}{'P':>3}" + "".join(f"{f'{name} a second':>26}{'of none':>9}" for name in REDIS_LIKE) +
             f"{'/redis':>8}" + "".join(f"{f'{name} CPU us':>18}" for name in REDIS_LIKE)]
    for row in rows:
        lines.append(f"{row['log']:<12}{row['pipeline']:>3}" +
                     "".join(f"{row[f'{name}_rate'].text(0):>26}{row[f'{name}_share']:>9.3f}" for name in REDIS_LIKE) +
                     f"{row['rate_to_redis']:>8.2f}" +
                     "".join(f"{row[f'{name}_cpu'].text(2):>18}" for name in REDIS_LIKE))
    return "\n".join(lines)


def latency_table(rows, rate):
    lines = [f"{f'everysec, us at {rate:,}/s':<26}{'reached/s':>10}" +
             "".join(f"{part:>22}" for part in ("p50", "p99", "p99.9", "longest"))]
    for row in rows:
        lines.append(f"{row['server']:<26}{row['rate'].middle:>10.0f}" +
                     "".join(f"{row[part].text(0):>22}" for part in ("p50", "p99", "p999", "longest")))
    return "\n".join(lines)
