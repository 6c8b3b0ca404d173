# SPDX-License-Identifier: BSD-3-Clause
"""redis-benchmark's tests: requests a second, and CPU time of the server's process an operation."""
import re
import statistics
import subprocess
import sys

from rivals import LOAD_CORES, pinned_server

TESTS = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP", "ZADD",
         "ZPOPMIN", "LRANGE_100", "LRANGE_300", "LRANGE_500", "LRANGE_600", "MSET"]
QUICK_TESTS = ["SET", "GET", "INCR", "LPUSH", "SADD", "HSET", "ZADD", "LRANGE_100"]
KEY_SPACE = 100_000
VALUE_BYTES = 64


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


def measure(args):
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


def table(rows):
    lines = [f"{'test':<14}{'P':>3} {'requests/s':>22} {'ratio':>6}   {'CPU us/op, median (low-high)':>43} {'ratio':>6}",
             f"{'':<14}{'':>3} {'ouro':>11}{'redis':>11} {'':>6}   {'ouro':>21} {'redis':>21} {'':>6}"]
    for row in rows:
        cpus = [f"{row[name + '_cpu']:.3f} ({row[name + '_cpu_low']:.3f}-{row[name + '_cpu_high']:.3f})"
                for name in ("ouro", "redis")]
        lines.append(f"{row['test']:<14}{row['pipeline']:>3} {row['ouro_rate']:>11.0f}{row['redis_rate']:>11.0f} "
                     f"{row['rate_ratio']:>6.2f}   {cpus[0]:>21} {cpus[1]:>21} {row['cpu_ratio']:>6.2f}")
    return "\n".join(lines)
