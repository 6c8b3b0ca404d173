#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A server that crashes leaves in its log by which signal and where, and ends by that signal. Those crashes that DEBUG brings
say in the log what they are; memory that it leaks counts as used.

    crash_test.py BUILD
"""
import argparse
import contextlib
import pathlib
import signal
import sys

from check import Check
from servers import Server

# What DEBUG crashes by, and what the log says of it beside its name.
WISHES = {"ASSERT": "check failed: holds", "OOM": "Out of memory: 9223372036854775807 bytes",
          "PANIC": "check failed: DEBUG PANIC"}


def ask_for(server, wish):
    with contextlib.suppress(OSError, EOFError, ConnectionError):
        server.connect().call("DEBUG", wish)


def crash(server, number):
    if number == signal.SIGSEGV:
        ask_for(server, "SEGFAULT")
    else:
        server.process.send_signal(number)
    return server.process.wait(20)


def used_memory(client):
    info = client.call("INFO", "memory")[1]
    return int(info.partition(b"used_memory:")[2].partition(b"\r")[0])


def check_wishes(program, check):
    for wish, reason in WISHES.items():
        with Server(program, "--enable-debug-command", "yes") as server:
            ask_for(server, wish)
            check.holds(f"DEBUG {wish} aborts", server.process.wait(20) == -signal.SIGABRT, server.process.returncode)
            log = server.log_tail()
            check.holds(f"DEBUG {wish} says so", f"DEBUG {wish}" in log and reason in log, log)
            check.holds(f"DEBUG {wish}: where is in the log", "STACK TRACE" in log, log)
    with Server(program, "--enable-debug-command", "yes") as server:
        client = server.connect()
        before = used_memory(client)
        check.holds("DEBUG LEAK answers", client.call("DEBUG", "LEAK", "x" * 1_000_000) == ("+", b"OK"))
        check.holds("DEBUG LEAK takes memory", used_memory(client) > before + 1_000_000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    check = Check()
    program = str(parser.parse_args().build.resolve() / "ouro-server")
    for number in (signal.SIGSEGV, signal.SIGABRT):
        for to_file in (False, True):
            with Server(program, "--enable-debug-command", "yes", *(["--logfile", "crash.log"] if to_file else [])) as server:
                code = crash(server, number)
                log = pathlib.Path(server.folder.name) / "crash.log" if to_file else server.log
                text = log.read_text()
                check.holds(f"signal {number} ends it", code == -number, code)
                check.holds(f"signal {number} is in the log", f"crashed by signal: {int(number)}," in text, text[-300:])
                trace = text.partition("STACK TRACE")[2].partition("BUG REPORT END")[0]
                check.holds(f"signal {number}: so is where", trace.count("ouro-server") > 3, trace)
    check_wishes(program, check)
    with Server(program, "--enable-debug-command", "yes", "--crash-log-enabled", "no") as server:
        check.holds("without a report it ends, too", crash(server, signal.SIGSEGV) == -signal.SIGSEGV)
        check.holds("and says nothing", "STACK TRACE" not in server.log_tail())
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
