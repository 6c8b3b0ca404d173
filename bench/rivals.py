# SPDX-License-Identifier: BSD-3-Clause
"""The servers that are compared, where they run, what loads them, and how figures of several rounds are told."""
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import typing

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/compat"))
from servers import Memcached, Server  # noqa: E402

NAMES = ("ouro", "redis", "memcached")
REDIS_LIKE = ("ouro", "redis")
# Room for all that is stored in one run, and for the largest values with their overhead.
MEMCACHED_OPTIONS = ("-m", "4096", "-I", "128m")
SERVER_CORE = "0"
LOAD_CORES = f"1-{os.cpu_count() - 1}" if os.cpu_count() > 2 else "1" if os.cpu_count() == 2 else "0"


def require_built(*programs):
    """Ends the run with what to do if one of ouro's programs is not there."""
    for program in programs:
        if not os.access(program, os.X_OK):
            sys.exit(f"{program} is missing: bench/run.sh builds what is measured, and passes its arguments on")


def start(name, args, *options, pinned=True):
    """A fresh server of that name, with options."""
    prefix = ["taskset", "-c", SERVER_CORE] if pinned else []
    if name == "memcached":
        return Memcached(args.memcached, *(options or MEMCACHED_OPTIONS), prefix=prefix)
    return Server(args.server if name == "ouro" else args.rival, *options, prefix=prefix)


def start_on(cores, name, args, *options):
    """A fresh ouro or redis-server on other cores than usual, with options."""
    return Server(args.server if name == "ouro" else args.rival, *options, prefix=["taskset", "-c", cores])


@contextlib.contextmanager
def started(args, names=NAMES):
    """One server of each name, all on the same core; ended at the end."""
    with contextlib.ExitStack() as stack:
        yield {name: stack.enter_context(start(name, args)) for name in names}


def in_turn(servers, number):
    """The names in the order of round `number`: another one begins each time."""
    names = list(servers)
    return names[number % len(names):] + names[:number % len(names)]


class Figure(typing.NamedTuple):
    """The median of several rounds, and their least and largest."""
    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, samples):
        return cls(statistics.median(samples), min(samples), max(samples))

    def text(self, digits):
        return f"{self.middle:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


class Load(typing.NamedTuple):
    """What one run of the load generator told; latencies and CPU time an operation in microseconds."""
    rate: float
    p50: float
    p99: float
    p999: float
    longest: float
    cpu: float


def run_load(server, args, operation, count, **options):
    """Runs ouro_load, which checks every reply; its options are named as there, with _ for -."""
    protocol = "memcached" if isinstance(server, Memcached) else "resp"
    command = ["taskset", "-c", LOAD_CORES, args.load, "--port", str(server.port), "--protocol", protocol,
               "--operation", operation, "--count", str(count)]
    for name, value in options.items():
        command += ["--" + name.replace("_", "-"), str(value)]
    cpu_before = server.cpu_ns()
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    cpu = server.cpu_ns() - cpu_before
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {result.stdout}{result.stderr}")
    return Load(*map(float, result.stdout.split(",")[3:8]), cpu / 1000 / count)
