#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A script that is over its time, over real sockets and both back ends: who else is answered, and what comes after it.

    busy_script_test.py BUILD
"""
import pathlib
import sys
import time

from check import Check
from servers import Server

ENDLESS = "while true do end"
BUSY = ("-", b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")


def raises(error, call):
    try:
        call()
    except error:
        return True
    return False


def micros_of(client, command):
    """What COMMAND took in all."""
    for line in client.call("INFO", "commandstats")[1].decode().splitlines():
        if line.startswith(f"cmdstat_{command}:"):
            return int(line.split("usec=")[1].split(",")[0])
    return None


def wait_until_busy(client):
    """The answers end with BUSY, or the time is over."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if client.call("PING") == BUSY:
            return True
    return False


def check_backend(check, program, backend):
    with Server(program, "--io-backend", backend, "--lua-time-limit", "10") as server:
        runner, other, gone = server.connect(), server.connect(), server.connect()

        runner.send(["SET", "a", "1"], ["EVAL", ENDLESS, "0"], ["ECHO", "behind"])
        check.holds(f"{backend}: others hear that it is busy", wait_until_busy(other))
        runner.send(["ECHO", "sent meanwhile"])
        check.holds(f"{backend}: MULTI is answered, GET is not",
                    [other.call(*words) for words in (["MULTI"], ["GET", "a"], ["DISCARD"])]
                    == [("+", b"OK"), BUSY, ("+", b"OK")])
        time.sleep(0.5)
        check.holds(f"{backend}: AUTH is answered", other.call("AUTH", "default", "any") == ("+", b"OK"))
        # Far more bytes than the buffers of one turn hold.
        for _ in range(300):
            other.send(*[["ECHO", "x" * 100]] * 500)
            check.failed += any(other.read() != BUSY for _ in range(500))
        check.holds(f"{backend}: a new client is served", server.connect().call("GET", "a") == BUSY)
        check.holds(f"{backend}: it is killed", other.call("SCRIPT", "KILL") == ("+", b"OK"))
        replies = [runner.read() for _ in range(4)]
        check.holds(f"{backend}: its client is answered in order",
                    replies[0] == ("+", b"OK") and b"killed by user" in replies[1][1]
                    and replies[2:] == [("$", b"behind"), ("$", b"sent meanwhile")])
        check.holds(f"{backend}: its time is its own",
                    micros_of(other, "auth") < 250_000 < 500_000 < micros_of(other, "eval"))

        # The last of a batch that is full.
        runner.send(*[["ECHO", "x"]] * 511, ["EVAL", ENDLESS, "0"], ["ECHO", "behind"])
        check.holds(f"{backend}: busy at the end of a full batch", wait_until_busy(other))
        check.holds(f"{backend}: which ends, too", other.call("SCRIPT", "KILL") == ("+", b"OK"))
        check.holds(f"{backend}: with all replies", [runner.read() for _ in range(513)][-1] == ("$", b"behind"))

        gone.send(["EVAL", ENDLESS, "0"])
        check.holds(f"{backend}: the next one is busy, too", wait_until_busy(other))
        gone.close()
        time.sleep(0.05)
        check.holds(f"{backend}: its client has gone", other.call("SCRIPT", "KILL") == ("+", b"OK"))
        check.holds(f"{backend}: all goes on", other.call("GET", "a") == ("$", b"1"))

        runner.send(["EVAL", "redis.call('SET', 'a', 2) " + ENDLESS, "0"])
        check.holds(f"{backend}: the one that writes is busy", wait_until_busy(other))
        check.holds(f"{backend}: and is not killed", other.call("SCRIPT", "KILL")[1].startswith(b"UNKILLABLE"))
        other.send(["SHUTDOWN", "NOSAVE"])
        check.holds(f"{backend}: who sees the end finds nobody listening",
                    raises(ConnectionError, other.read) and raises(ConnectionRefusedError, server.connect))
        server.process.wait(20)
        check.holds(f"{backend}: the server ends", server.process.returncode == 0)


def check_first_log(check, program, backend):
    """The first log becomes whole beside a script that never ends, so that the server can be ended."""
    with Server(program, "--io-backend", backend, "--lua-time-limit", "10", "--rdb-key-save-delay", "2000") as server:
        runner, other = server.connect(), server.connect()
        for i in range(200):
            other.call("SET", f"key:{i}", i)
        other.call("CONFIG", "SET", "appendonly", "yes")
        deadline = time.monotonic() + 20
        while b"current_save_keys_total:200" not in other.call("INFO", "persistence")[1] \
                and time.monotonic() < deadline:
            time.sleep(0.01)
        runner.send(["EVAL", "redis.call('SET', 'a', 2) " + ENDLESS, "0"])
        check.holds(f"{backend}: a script that writes never ends", wait_until_busy(other))
        answer = other.call("SHUTDOWN", "NOSAVE")
        check.holds(f"{backend}: the first log is not whole", answer[0] == "-" and b"SHUTDOWN" in answer[1])

        def ask():
            while time.monotonic() < deadline:
                other.call("SHUTDOWN", "NOSAVE")
                time.sleep(0.05)
        check.holds(f"{backend}: it becomes whole, and the server ends", raises(ConnectionError, ask))
        server.process.wait(20)


def main():
    check = Check()
    for backend in ("uring", "epoll"):
        program = str(pathlib.Path(sys.argv[1]) / "ouro-server")
        check_backend(check, program, backend)
        check_first_log(check, program, backend)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
