# SPDX-License-Identifier: BSD-3-Clause
"""Requests a second and CPU time of the server's process an operation: redis-benchmark's tests and some commands more for the
servers that it can talk to, and GET and SET by ouro_load for all."""
import random
import re
import subprocess
import sys

from rivals import LOAD_CORES, REDIS_LIKE, Figure, in_turn, run_load, started

TESTS = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP", "SADD", "HSET", "SPOP", "ZADD",
         "ZPOPMIN", "LRANGE_100", "LRANGE_300", "LRANGE_500", "LRANGE_600", "MSET", "EVAL", "XADD", "BITCOUNT", "PFCOUNT",
         "GEOSEARCH"]
# What redis-benchmark has no test of, or another than is meant: the words that it is to send.
LRANGE_SIZES = (100, 300, 500, 600)
COMMANDS = {
    # As a test of redis-benchmark's, LRANGE would first push as many elements as it then asks ranges.
    **{f"LRANGE_{size}": ["LRANGE", "mylist", "0", str(size - 1)] for size in LRANGE_SIZES},
    "EVAL": ["EVAL", "return redis.call('GET', KEYS[1])", "1", "key:__rand_int__"],
    "XADD": ["XADD", "mystream", "*", "field", "x" * 64],
    "BITCOUNT": ["BITCOUNT", "mybits"],
    "PFCOUNT": ["PFCOUNT", "hll:0", "hll:1", "hll:2"],
    "GEOSEARCH": ["GEOSEARCH", "places", "FROMLONLAT", "13.4", "52.5", "BYRADIUS", "5", "km", "ASC"],
}
SLOW_TESTS = ("MSET",)
SLOWER_TESTS = ("BITCOUNT", "PFCOUNT", "GEOSEARCH")
BIT_BYTES = 1 << 20
HLL_ELEMENTS = 10_000
PLACES = 10_000
QUICK_TESTS = ["SET", "GET", "INCR", "LPUSH", "SADD", "HSET", "ZADD", "LRANGE_100"]
LOAD_TESTS = ["GET", "SET"]
PIPELINES = (1, 16)
CONNECTIONS = 50
KEY_SPACE = 100_000
VALUE_BYTES = 64


def operations_of(test, pipeline, quick):
    """How many operations take about a second or two."""
    slow = test.startswith("LRANGE") or test in SLOW_TESTS
    count = 10_000 if test in SLOWER_TESTS else 60_000 if slow else 150_000 if pipeline == 1 else 1_200_000
    return count // 2 if quick else count


def run_speed_test(server, test, pipeline, count):
    """One run of one test: (operations a second, CPU microseconds an operation)."""
    prepare(server, test, count)
    command = ["taskset", "-c", LOAD_CORES, "redis-benchmark", "-p", str(server.port), "-n", str(count), "-P", str(pipeline),
               "-c", str(CONNECTIONS), "-r", str(KEY_SPACE), "-d", str(VALUE_BYTES), "--csv"]
    command += COMMANDS.get(test, ["-t", test])
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
    if test in ("GET", "EVAL"):
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
    prepare_command(client, test)
    client.close()


def prepare_command(client, test):
    dice = random.Random(1)
    if test == "BITCOUNT":
        client.call("SET", "mybits", dice.randbytes(BIT_BYTES))
    elif test == "PFCOUNT":
        for key in range(3):
            for start in range(0, HLL_ELEMENTS, 500):
                client.call("PFADD", f"hll:{key}", *[b"%d:%d" % (key, n) for n in range(start, start + 500)])
    elif test == "GEOSEARCH":
        # A square of some fifty kilometres about what is asked for.
        for n in range(PLACES):
            longitude, latitude = 13.4 + dice.uniform(-.37, .37), 52.5 + dice.uniform(-.22, .22)
            client.call("GEOADD", "places", f"{longitude:.6f}", f"{latitude:.6f}", f"place:{n}")


def measure_tests(args):
    """redis-benchmark's rows: test, pipeline, and for each server Figures of its rate and its CPU time."""
    samples = {}
    with started(args, REDIS_LIKE) as servers:
        for number in range(args.rounds):
            for pipeline in PIPELINES:
                for test in args.tests:
                    count = operations_of(test, pipeline, args.quick)
                    for name in in_turn(servers, number):
                        sample = run_speed_test(servers[name], test, pipeline, count)
                        samples.setdefault((pipeline, test), {}).setdefault(name, []).append(sample)
            print(f"round {number + 1} of {args.rounds} done", file=sys.stderr, flush=True)
    return rows_of(samples)


def measure_load(args):
    """ouro_load's rows, of the same form."""
    samples = {}
    with started(args) as servers:
        for server in servers.values():
            run_load(server, args, "fill", KEY_SPACE, keys=KEY_SPACE, value_bytes=VALUE_BYTES, pipeline=16)
        for number in range(args.rounds):
            for pipeline in PIPELINES:
                for test in LOAD_TESTS:
                    count = operations_of(test, pipeline, args.quick)
                    for name in in_turn(servers, number):
                        load = run_load(servers[name], args, test.lower(), count, connections=CONNECTIONS, pipeline=pipeline,
                                        keys=KEY_SPACE, value_bytes=VALUE_BYTES, seed=number)
                        samples.setdefault((pipeline, test), {}).setdefault(name, []).append((load.rate, load.cpu))
    return rows_of(samples)


def rows_of(samples):
    rows = []
    for (pipeline, test), by_name in samples.items():
        row = {"test": test, "pipeline": pipeline}
        for name, measured in by_name.items():
            rates, cpus = zip(*measured)
            row |= {f"{name}_rate": Figure.of(rates), f"{name}_cpu": Figure.of(cpus)}
        for name in by_name:
            if name != "ouro":
                row[f"rate_to_{name}"] = row["ouro_rate"].middle / row[f"{name}_rate"].middle
                row[f"cpu_to_{name}"] = row["ouro_cpu"].middle / row[f"{name}_cpu"].middle
        rows.append(row)
    return rows


def table(title, rows, names):
    """Rates as medians, CPU times with their spread; ouro's share of the others' behind them."""
    others = [name for name in names if name != "ouro"]
    # redis-benchmark's rows have slow tests among them, whose figures are longer.
    cpu_width = 22 if len(names) == 2 else 18
    ratios = "".join(f"{'/' + {'memcached': 'mcd'}.get(name, name):>7}" for name in others)
    lines = [f"{title:<15}{'P':>3}" + "".join(f"{name:>10}" for name in names) + ratios +
             "".join(f"{name:>{cpu_width}}" for name in names) + ratios,
             f"{'':<18}" + f"{'requests a second':>{10 * len(names)}}" + " " * len(ratios) +
             f"{'CPU us an operation, median (low-high)':>{cpu_width * len(names)}}"]
    for row in rows:
        lines.append(f"{row['test']:<15}{row['pipeline']:>3}" +
                     "".join(f"{row[f'{name}_rate'].middle:>10.0f}" for name in names) +
                     "".join(f"{row[f'rate_to_{name}']:>7.2f}" for name in others) +
                     "".join(f"{row[f'{name}_cpu'].text(2):>{cpu_width}}" for name in names) +
                     "".join(f"{row[f'cpu_to_{name}']:>7.2f}" for name in others))
    return "\n".join(lines)
