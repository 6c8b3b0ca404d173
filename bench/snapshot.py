# SPDX-License-Identifier: BSD-3-Clause
"""BGSAVE under a fixed rate of requests, half of them writes: latency before and during the save, its time, the peak of memory,
and the time to load the file; and the same with one large sorted set beside the keys, whose scores are changed meanwhile. Server
and its children share one core, each server has it to itself. The peak is another save's: to count the pages of a gigabyte takes
the kernel 15 to 60 ms each time, which requests would wait for."""
import contextlib
import os
import pathlib
import random
import subprocess
import threading
import time

from rivals import LOAD_CORES, REDIS_LIKE, Load, start

CONNECTIONS = 50
PIPELINE = 64
KEYS = 10_000_000
QUICK_KEYS = 1_000_000
VALUE_BYTES = 64
CONTROL_SECONDS = 5
# The load goes on for at least so long; a save that takes longer prolongs it.
SAVE_SECONDS = 10
QUICK_SAVE_SECONDS = 4
MEMBERS = 5_000_000
QUICK_MEMBERS = 500_000
FILL_STEP = 1000
# So many scores are changed together, a hundred times a second.
CHANGES = 50
CHANGE_PAUSE_SECONDS = 0.01


def group_bytes(process):
    """Bytes that the process and its children have in memory, shared pages counted once."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    total = 0
    for pid in [process.pid, *children]:
        try:
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
        except OSError:
            pass  # it has ended meanwhile
    return total


def info(client, section):
    lines = client.call("INFO", section)[1].decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def load_command(server, args, operation, count, **options):
    command = ["taskset", "-c", LOAD_CORES, args.load, "--port", str(server.port), "--operation", operation,
               "--count", str(count), "--value-bytes", str(VALUE_BYTES)]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    return command


def run_mixed(server, args, keys, seconds):
    """Starts a run at the fixed rate."""
    command = load_command(server, args, "mixed", args.rate * seconds, keys=keys, connections=CONNECTIONS, pipeline=PIPELINE,
                           rate=args.rate, gets_of_ten=5)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_of(run):
    out, error = run.communicate(timeout=600)
    if run.returncode != 0:
        raise RuntimeError(f"ouro_load: {out}{error}")
    return Load(*map(float, out.split(",")[3:8]), cpu=0)


def save_under_load(server, client, args, keys, look=lambda: None):
    """(Load, seconds of the save); look() is called again and again meanwhile."""
    seconds = QUICK_SAVE_SECONDS if args.quick else SAVE_SECONDS
    run = run_mixed(server, args, keys, seconds)
    time.sleep(0.5)
    started, took = time.monotonic(), None
    client.call("BGSAVE")
    while run.poll() is None:
        time.sleep(0.05)
        look()
        if took is None and info(client, "persistence")["rdb_bgsave_in_progress"] == "0":
            took = time.monotonic() - started
    while took is None:
        time.sleep(0.05)
        if info(client, "persistence")["rdb_bgsave_in_progress"] == "0":
            took = time.monotonic() - started
    if info(client, "persistence")["rdb_last_bgsave_status"] != "ok":
        raise RuntimeError(f"BGSAVE failed:\n{server.log_tail()}")
    return end_of(run), took


def peak_of_save(server, client, args, keys):
    """Memory at its peak while it saves, as a multiple of before."""
    sizes = [group_bytes(server.process)]
    save_under_load(server, client, args, keys, look=lambda: sizes.append(group_bytes(server.process)))
    return max(sizes) / sizes[0]


def load_seconds(server):
    """Starts the server again; how long until it serves."""
    server.process.kill()
    server.process.wait()
    started = time.monotonic()
    server.start()
    client = server.connect(timeout_s=300)
    while info(client, "persistence")["loading"] == "1":
        time.sleep(0.02)
    took = time.monotonic() - started
    keys = int(client.call("DBSIZE")[1])
    client.close()
    return took, keys


def fill_sorted_set(client, members):
    for first in range(0, members, FILL_STEP):
        pairs = [str(word) for member in range(first, first + FILL_STEP) for word in (member, f"member:{member}")]
        client.call("ZADD", "board", *pairs)


@contextlib.contextmanager
def changing_scores(server, members):
    """Members of the sorted set move to other places, until the end."""
    ends = threading.Event()

    def change():
        os.sched_setaffinity(0, {int(LOAD_CORES.split("-", maxsplit=1)[0])})
        with contextlib.closing(server.connect(timeout_s=300)) as client:
            while not ends.wait(CHANGE_PAUSE_SECONDS):
                client.send(*[("ZADD", "board", str(random.randrange(members)), f"member:{random.randrange(members)}")
                              for _ in range(CHANGES)])
                for _ in range(CHANGES):
                    client.read()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def measure_one(name, args, keys, members):
    with start(name, args) as server, contextlib.ExitStack() as stack:
        client = server.connect(timeout_s=300)
        subprocess.run(load_command(server, args, "fill", keys, keys=keys, pipeline=64), capture_output=True, check=True,
                       timeout=600)
        if members:
            fill_sorted_set(client, members)
            stack.enter_context(changing_scores(server, members))
        control = end_of(run_mixed(server, args, keys, CONTROL_SECONDS))
        client.call("CONFIG", "RESETSTAT")
        during, took = save_under_load(server, client, args, keys)
        slowest_turn = info(client, "stats").get("turn_cpu_us_max")
        peak = peak_of_save(server, client, args, keys)
        client.close()
        stack.close()
        seconds, loaded = load_seconds(server)
        if loaded != keys + bool(members):
            raise RuntimeError(f"{name} loaded {loaded} of {keys} keys")
    return {"server": name, "keys": keys, "members": members, "rate": args.rate, "p99.9 before": control.p999, "p50": during.p50,
            "p99": during.p99, "p99.9": during.p999, "longest": during.longest, "save s": took, "peak memory": peak,
            "load s": seconds, "slowest turn": None if slowest_turn is None else int(slowest_turn)}


def measure(args):
    """A row for each server, first without the sorted set."""
    keys, members = (QUICK_KEYS, QUICK_MEMBERS) if args.quick else (KEYS, MEMBERS)
    return [measure_one(name, args, keys, count) for count in (0, members) for name in REDIS_LIKE]


def case_of(row):
    return " and a sorted set" if row["members"] else ""


def by_case(rows):
    cases = {}
    for row in rows:
        cases.setdefault(case_of(row), []).append(row)
    return cases


def table(rows):
    lines = [f"{'BGSAVE under load':<24}{'p99.9 before':>14}" +
             "".join(f"{part:>12}" for part in ("p50", "p99", "p99.9", "longest", "save s", "load s", "peak memory",
                                                "slowest turn"))]
    for row in rows:
        turn = "-" if row["slowest turn"] is None else f"{row['slowest turn']:,}"
        lines.append(f"{row['server'] + case_of(row):<24}{row['p99.9 before']:>14,.0f}{row['p50']:>12,.0f}{row['p99']:>12,.0f}"
                     f"{row['p99.9']:>12,.0f}{row['longest']:>12,.0f}{row['save s']:>12.1f}{row['load s']:>12.1f}"
                     f"{row['peak memory']:>12.2f}{turn:>12}")
    lines.append("latency and turn in microseconds, memory as a multiple of before")
    return "\n".join(lines)
