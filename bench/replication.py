# SPDX-License-Identifier: BSD-3-Clause
"""What a replica costs its primary, a full sync under load, and how fast a replica that is far behind catches up. A primary has
core 0, its replica shares the others with the load: on two cores what it takes is the generator's loss."""
import contextlib
import os
import signal
import subprocess
import time

from rivals import LOAD_CORES, REDIS_LIKE, SERVER_CORE, Figure, in_turn, run_load, start_on
from snapshot import end_of, group_bytes, info, load_command

CONNECTIONS = 50
PIPELINE = 16
KEY_SPACE = 100_000
COUNT = 2_000_000
QUICK_COUNT = 300_000
# One connection, no pipeline: what a round trip takes.
SINGLE_COUNT = 50_000
QUICK_SINGLE_COUNT = 10_000
# Of the cost: name, options of the primary, whether there is a replica.
CASES = {
    "ouro alone": ("ouro", (), False),
    "ouro, one replica": ("ouro", (), True),
    "ouro, semi-sync 1": ("ouro", ("--semi-sync-acks", "1"), True),
    "redis alone": ("redis", (), False),
    "redis, one replica": ("redis", (), True),
}
SYNC_KEYS = 5_000_000
QUICK_SYNC_KEYS = 300_000
# The load of a sync goes on for at least so long.
SYNC_SECONDS = 15
QUICK_SYNC_SECONDS = 5
CONTROL_SECONDS = 5
OPEN_PIPELINE = 64
BEHIND_BYTES = 1 << 30
QUICK_BEHIND_BYTES = 64 << 20
# A replica is there again when no more than so much of a stream that goes on is missing.
CAUGHT_UP_BYTES = 256 << 10
TIME_MAX_SECONDS = 600
AT_ONCE = ("--repl-diskless-sync-delay", "0")
PATIENT = ("--repl-backlog-size", "4gb", "--client-output-buffer-limit", "replica 0 0 0", "--repl-timeout", "3600")


@contextlib.contextmanager
def pair(name, args, *options):
    """(primary, replica): servers that do not know each other yet."""
    with start_on(SERVER_CORE, name, args, *AT_ONCE, *options) as primary, start_on(LOAD_CORES, name, args) as replica:
        yield primary, replica


def offset(client, role):
    return int(info(client, "replication")["master_repl_offset" if role == "primary" else "slave_repl_offset"])


def wait_until(holds):
    deadline = time.monotonic() + TIME_MAX_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("it takes too long")
        time.sleep(0.01)


def follow(replica, primary):
    """Returns when the replica is up; clients of both."""
    replica.call("REPLICAOF", "127.0.0.1", primary.port)
    client = primary.connect(timeout_s=300)
    wait_until(lambda: info(replica, "replication")["master_link_status"] == "up" and
               "state=online" in info(client, "replication").get("slave0", ""))
    return client


def wait_until_same(primary, replica):
    wait_until(lambda: offset(primary, "primary") == offset(replica, "replica"))


# ---- the cost

def start_case(stack, args, case):
    """The primary, and what waits until its replica has all."""
    name, options, has_replica = CASES[case]
    if not has_replica:
        return stack.enter_context(start_on(SERVER_CORE, name, args, *options)), lambda: None
    primary, replica = stack.enter_context(pair(name, args, *options))
    follower = replica.connect(timeout_s=300)
    client = follow(follower, primary)
    return primary, lambda: wait_until_same(client, follower)


def measure_cost(args):
    """Rows: case, a Figure for the rate and CPU time at a pipeline, and for the round trip of a single client."""
    count, single_count = (QUICK_COUNT, QUICK_SINGLE_COUNT) if args.quick else (COUNT, SINGLE_COUNT)
    samples = {case: [] for case in CASES}
    with contextlib.ExitStack() as stack:
        started = {case: start_case(stack, args, case) for case in CASES}
        for number in range(args.rounds):
            for case in in_turn(started, number):
                primary, settle = started[case]
                many = run_load(primary, args, "set", count, keys=KEY_SPACE, connections=CONNECTIONS, pipeline=PIPELINE)
                settle()
                single = run_load(primary, args, "set", single_count, keys=KEY_SPACE, connections=1, pipeline=1)
                settle()
                samples[case].append((many.rate, many.cpu, single.p50))
    return [{"case": case} | {part: Figure.of([sample[i] for sample in samples[case]])
                              for i, part in enumerate(("rate", "cpu", "single p50"))} for case in CASES]


def cost_table(rows):
    lines = [f"{f'SET, pipeline {PIPELINE}':<24}{'requests/s':>30}{'of alone':>10}{'CPU us':>24}{'p50 us, one at a time':>24}"]
    alone = {CASES[row["case"]][0]: row for row in rows if not CASES[row["case"]][2]}
    for row in rows:
        share = row["rate"].middle / alone[CASES[row["case"]][0]]["rate"].middle
        lines.append(f"{row['case']:<24}{row['rate'].text(0):>30}{share:>10.2f}{row['cpu'].text(2):>24}"
                     f"{row['single p50'].text(0):>24}")
    return "\n".join(lines)


# ---- a full sync

def run_sets(primary, args, keys, seconds):
    command = load_command(primary, args, "set", args.rate * seconds, keys=keys, connections=CONNECTIONS, pipeline=OPEN_PIPELINE,
                           rate=args.rate)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def measure_sync_of(name, args):
    keys, seconds = (QUICK_SYNC_KEYS, QUICK_SYNC_SECONDS) if args.quick else (SYNC_KEYS, SYNC_SECONDS)
    with pair(name, args) as (primary, replica):
        client, follower = primary.connect(timeout_s=300), replica.connect(timeout_s=300)
        run_load(primary, args, "fill", keys, keys=keys, pipeline=OPEN_PIPELINE)
        control = end_of(run_sets(primary, args, keys, CONTROL_SECONDS))
        before = peak = group_bytes(primary.process)
        run = run_sets(primary, args, keys, seconds)
        time.sleep(0.5)
        started, took = time.monotonic(), None
        follower.call("REPLICAOF", "127.0.0.1", primary.port)
        while took is None or run.poll() is None:
            time.sleep(0.02)
            peak = max(peak, group_bytes(primary.process))
            if took is None and "state=online" in info(client, "replication").get("slave0", "") and \
                    info(follower, "replication")["master_link_status"] == "up":
                took = time.monotonic() - started
            if time.monotonic() - started > TIME_MAX_SECONDS:
                raise RuntimeError(f"{name} does not sync:\n{primary.log_tail()}")
        during = end_of(run)
        wait_until_same(client, follower)
        if client.call("DBSIZE") != follower.call("DBSIZE"):
            raise RuntimeError(f"{name}: the replica has other keys")
        stats = info(client, "stats")
        return {"server": name, "keys": keys, "rate": args.rate, "seconds": took, "p99.9 before": control.p999,
                "p99.9": during.p999, "longest": during.longest, "peak memory": peak / before, "syncs": int(stats["sync_full"])}


def measure_sync(args):
    return [measure_sync_of(name, args) for name in REDIS_LIKE]


def sync_table(rows):
    head = f"full sync, {rows[0]['rate']:,} SET/s"
    lines = [f"{head:<28}{'seconds':>10}{'p99.9 before us':>18}{'p99.9 us':>12}{'longest us':>12}{'peak memory':>14}"
             f"{'syncs':>8}"]
    for row in rows:
        case = f"{row['server']}, {row['keys']:,} keys"
        lines.append(f"{case:<28}{row['seconds']:>10.1f}{row['p99.9 before']:>18,.0f}"
                     f"{row['p99.9']:>12,.0f}{row['longest']:>12,.0f}{row['peak memory']:>14.2f}{row['syncs']:>8}")
    lines.append("peak memory of the primary and its children, as a multiple of before")
    return "\n".join(lines)


# ---- far behind

def measure_lag_of(name, args):
    wanted = QUICK_BEHIND_BYTES if args.quick else BEHIND_BYTES
    with pair(name, args, *PATIENT) as (primary, replica):
        follower = replica.connect(timeout_s=300)
        client = follow(follower, primary)
        wait_until_same(client, follower)
        behind_from = offset(follower, "replica")
        os.kill(replica.process.pid, signal.SIGSTOP)
        try:
            commands = 0
            while offset(client, "primary") - behind_from < wanted:
                run_load(primary, args, "set", QUICK_COUNT, keys=KEY_SPACE, connections=CONNECTIONS, pipeline=PIPELINE)
                commands += QUICK_COUNT
            behind = offset(client, "primary") - behind_from
            run = run_sets(primary, args, KEY_SPACE, QUICK_SYNC_SECONDS if args.quick else SYNC_SECONDS)
        finally:
            os.kill(replica.process.pid, signal.SIGCONT)
        started = time.monotonic()
        wait_until(lambda: offset(client, "primary") - offset(follower, "replica") < CAUGHT_UP_BYTES)
        took = time.monotonic() - started
        applied = offset(follower, "replica") - behind_from
        was_loaded = run.poll() is None
        end_of(run)
        if info(client, "stats")["sync_full"] != "1":
            raise RuntimeError(f"{name}: it took a full sync")
    return {"server": name, "behind": behind, "rate": args.rate, "seconds": took, "applied": applied * commands / behind / took,
            "load lasted": was_loaded}


def measure_lag(args):
    return [measure_lag_of(name, args) for name in REDIS_LIKE]


def lag_table(rows):
    head = f"behind, {rows[0]['rate']:,} SET/s"
    lines = [f"{head:<28}{'MB behind':>12}{'seconds':>10}{'commands/s applied':>22}"]
    for row in rows:
        lines.append(f"{row['server']:<28}{row['behind'] / 1e6:>12,.0f}{row['seconds']:>10.1f}{row['applied']:>22,.0f}" +
                     ("" if row["load lasted"] else "  (the load had ended)"))
    return "\n".join(lines)
