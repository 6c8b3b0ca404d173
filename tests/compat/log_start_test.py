#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a server does at its start with an append-only log that it finds, beside redis-server on a copy of the same files.

    log_start_test.py BUILD
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

from resp import encode
from servers import Server, free_port

LOG = "appendonlydir"
STEM = "appendonly.aof"


class Check:
    def __init__(self):
        self.passed = self.failed = 0

    def holds(self, what, condition, seen=""):
        self.passed += bool(condition)
        self.failed += not condition
        if not condition:
            print(f"FAILED {what}: {seen}")


class Logged(Server):
    """A server whose folder is given, and lives longer than the server."""

    def __init__(self, program, home, *options):
        self.home = home
        super().__init__(program, "--appendonly", "yes", *options)

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home), "--save", ""]


def make_log(home, manifest, **files):
    (home / LOG).mkdir(parents=True)
    (home / LOG / f"{STEM}.manifest").write_text(manifest)
    for name, bytes_ in files.items():
        (home / LOG / f"{STEM}.{name.replace('_', '.')}.aof").write_bytes(bytes_)


def commands(*lines):
    return b"".join(encode(line.split()) for line in lines)


def refused(program, home, *options):
    """A start that is to fail: the exit code and the lines of the log."""
    run = subprocess.run([program, "--port", str(free_port()), "--bind", "127.0.0.1", "--dir", str(home), "--save", "",
                          "--appendonly", "yes", *options], capture_output=True, timeout=60, check=False)
    return run.returncode, [line for line in run.stdout.decode(errors="replace").splitlines() if line]


FIRST = f"file {STEM}.1.incr.aof seq 1 type i\n"
# A manifest, files, options, and what the last line of the log says in both.
REFUSED = {
    "a file is missing": (FIRST, {}, (), "No such file or directory"),
    "an empty manifest": ("", {}, (), "Found an empty AOF manifest"),
    "a blank line": (FIRST + "\n", {"1_incr": commands("SET a 1")}, (), "Invalid AOF manifest file format"),
    "no order": (f"file {STEM}.2.incr.aof seq 2 type i\n" + FIRST, {"1_incr": b"", "2_incr": b""}, (),
                 "Found a non-monotonic sequence number"),
    "bad format": (FIRST, {"1_incr": commands("SET a 1") + b"!!!" + commands("SET a 1")}, (),
                   "Bad file format reading the append only file"),
    "an unfinished MULTI": (FIRST, {"1_incr": commands("SET a 1", "MULTI", "SET b 2")}, ("--aof-load-truncated", "no"),
                            "Unexpected end of file reading the append only file"),
    "an unfinished command": (FIRST, {"1_incr": commands("SET a 1")[:-1]}, ("--aof-load-truncated", "no"),
                              "Unexpected end of file reading the append only file"),
    "an unknown command": (FIRST, {"1_incr": commands("BLA a 1")}, (),
                           "Unknown command 'BLA' reading the append only file"),
    "a file that is torn and not the last": (FIRST + FIRST.replace("1", "2"),
                                             {"1_incr": commands("SET a 1")[:-1], "2_incr": b""}, (),
                                             "Fatal error: the truncated file is not the last file"),
}


def refusals(check, ours, folder):
    for name, (manifest, files, options, words) in REFUSED.items():
        last = []
        for number, program in enumerate((ours, "redis-server")):
            home = folder / f"{name} {number}"
            make_log(home, manifest, **files)
            code, lines = refused(program, home, *options)
            check.holds(f"{name}: {program} ends", code == 1, code)
            if program == ours:
                check.holds(f"{name}: ouro has told its PID", any("PID: " in line for line in lines), lines)
            last.append(lines[-1])
        check.holds(f"{name}: both say why at the end", all(words in line for line in last), last)


def shared_folder(check, ours, folder):
    """Two servers with the same folder, as long as their files have other names."""
    home = folder / "shared"
    home.mkdir()
    with Logged(ours, home) as first:
        code, lines = refused(ours, home)
        check.holds("the same log is refused", code == 1 and "Another server keeps its data in" in lines[-1], lines)
        # The snapshot, which would be the same one's, is held when it is written.
        with Logged(ours, home, "--appendfilename", "other.aof", "--save", "900 1") as second:
            second.connect().call("SET", "k", "second")
        first.connect().call("SET", "k", "first")
    with Logged(ours, home) as first, Logged(ours, home, "--appendfilename", "other.aof") as second:
        found = [server.connect().call("GET", "k")[1] for server in (first, second)]
        check.holds("each finds its own", found == [b"first", b"second"], found)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    args = parser.parse_args()
    check = Check()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ouro-log-start-"))
    ours = str(args.build.resolve() / "ouro-server")
    try:
        refusals(check, ours, folder)
        shared_folder(check, ours, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
