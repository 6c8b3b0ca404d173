#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The load generator of bench/load counts what it should, against ouro-server and, where it is installed, memcached:

    ouro_load_test.py BUILD
"""
import pathlib
import shutil
import subprocess
import sys

from servers import Memcached, Server


class Check:
    def __init__(self, program):
        self.program = program
        self.passed = self.failed = 0

    def run(self, what, code, fields, *options):
        """Runs the generator; its exit code and, unless None, the named fields of its line must be these."""
        run = subprocess.run([self.program, *map(str, options)], capture_output=True, text=True, timeout=60, check=False)
        names = ("operation", "connections", "pipeline", "rate", "p50", "p99", "p99.9", "max", "errors")
        values = dict(zip(names, run.stdout.strip().split(",")))
        holds = run.returncode == code and (fields is None) == (run.stdout == "")
        holds = holds and all(values.get(name) == str(value) for name, value in (fields or {}).items())
        if code == 0:
            ordered = [int(values.get(name, -1)) for name in ("p50", "p99", "p99.9", "max")]
            holds = holds and ordered == sorted(ordered) and ordered[0] >= 0 and float(values["rate"]) > 0
        self.passed += holds
        self.failed += not holds
        if not holds:
            print(f"FAILED {what}: exit code {run.returncode}, {run.stdout!r} {run.stderr!r}")


def check_protocol(check, protocol, port):
    common = ("--protocol", protocol, "--port", port, "--keys", 500, "--connections", 5)
    small = (*common, "--value-bytes", 30)
    check.run("misses are errors", 1, {"operation": "get", "errors": 100}, *small, "--operation", "get", "--count", 100)
    check.run("fill", 0, {"operation": "fill", "errors": 0}, *small, "--operation", "fill", "--count", 500)
    for operation, pipeline, rate in (("get", 1, ()), ("set", 16, ()), ("mixed", 16, ()), ("mixed", 4, ("--rate", 20000))):
        expected = {"operation": operation, "connections": 5, "pipeline": pipeline, "errors": 0}
        check.run(f"{protocol} {operation} {pipeline} {rate}", 0, expected, *small, "--operation", operation,
                  "--pipeline", pipeline, "--count", 2000, *rate)
    check.run("values of another size are errors", 1, {"errors": 1}, *common, "--value-bytes", 31, "--operation", "get",
              "--connections", 1, "--count", 1)
    large = (*common, "--value-bytes", 3_000_000, "--keys", 2, "--connections", 2, "--count", 6)
    check.run("large set", 0, {"errors": 0}, *large, "--operation", "fill")
    check.run("large get", 0, {"errors": 0}, *large, "--operation", "get")


def main():
    build = pathlib.Path(sys.argv[1])
    check = Check(str(build / "bench/ouro_load"))
    with Server(str(build / "ouro-server")) as server:
        check_protocol(check, "resp", server.port)
        check.run("nobody speaks memcached's protocol here", 1, {"errors": 10}, "--port", server.port, "--protocol", "memcached",
                  "--count", 10, "--connections", 10)
        gone = server.port
    check.run("nobody listens", 1, None, "--port", gone)
    if shutil.which("memcached"):
        with Memcached("memcached", "-I", "4m") as server:
            check_protocol(check, "memcached", server.port)
    for words in ((), ("--port", "x"), ("--port", "0"), ("--port", "1", "--pipeline", "0"), ("--port", "1", "--protocol", "http"),
                  ("--port", "1", "--operation", "del"), ("--port", "1", "--speed", "9"), ("--port",)):
        check.run(f"bad arguments {words}", 2, None, *words)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
