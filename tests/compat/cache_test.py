#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a cache knows of its keys beside their values outlives a restart, from each kind of file, and reaches a replica: stale
windows, keys known to be absent, versions, and how far tokens have gone.

    cache_test.py BUILD
"""
import pathlib
import sys
import time

from check import Check
from servers import Server

LONG_MS = "600000"


def state(answer):
    """CACHE.GET's answer as (state, value), without the number."""
    kind, parts = answer
    if kind != "*":
        return answer
    return parts[0][1].decode(), parts[1][1]


def fill(client):
    for line in (
        f"SET fresh v EX 1000 STALE {LONG_MS} VERSION 7",
        f"SET stale old PX 1 STALE {LONG_MS}",
        f"SET large {'x' * 200000} PX 1 STALE {LONG_MS}",
        f"SET soft v EX 1000",
        f"CACHE.STALE soft PX {LONG_MS}",
        "SET removed v VERSION 9",
        "DEL removed",
        "RPUSH list a b c",
        "SET plain v",
    ):
        answer = client.call(*line.split())
        assert answer[0] != "-", (line, answer)
    token = client.call("CACHE.GET", "absent")[1][2][1]
    client.call("CACHE.NIL", "absent", token, "PX", LONG_MS)
    time.sleep(0.05)
    client.call("GET", "stale")
    return int(token)


def look(check, what, client, replica=False):
    """All is as fill() left it; loads nothing on a primary but what is told."""
    other = "STALE" if replica else "LOAD"
    check.holds(f"{what}: a fresh value", state(client.call("CACHE.GET", "fresh")) == ("HIT", b"v"))
    check.holds(f"{what}: an absent key", state(client.call("CACHE.GET", "absent"))[0] == "ABSENT")
    for key, value in (("stale", b"old"), ("large", b"x" * 200000), ("soft", b"v")):
        seen = state(client.call("CACHE.GET", key))
        check.holds(f"{what}: a stale value of {key}", seen == (other, value), str(seen)[:80])
        check.holds(f"{what}: {key} is gone for GET", client.call("GET", key)[1] is None)
    check.holds(f"{what}: keys", client.call("DBSIZE")[1] in (b"3", 3), client.call("DBSIZE"))
    if not replica:
        check.holds(f"{what}: the version of a key", client.call("SET", "fresh", "w", "VERSION", "7")[1] is None)
        check.holds(f"{what}: of a removed one", client.call("SET", "removed", "w", "VERSION", "9")[1] is None)


def restart(server):
    server.stop()
    server.start()
    return server.connect()


def check_snapshot(check, program):
    with Server(program) as server:
        client = server.connect()
        token = fill(client)
        client.call("SAVE")
        client = restart(server)
        look(check, "snapshot", client)
        later = int(client.call("CACHE.GET", "another")[1][2][1])
        check.holds("snapshot: tokens go on", later > token, (later, token))


def check_log(check, program, *options):
    what = "log " + " ".join(options)
    with Server(program, "--appendonly", "yes", *options) as server:
        fill(server.connect())
        look(check, what + ", increment", restart(server))
    with Server(program, "--appendonly", "yes", *options) as server:
        client = server.connect()
        fill(client)
        client.call("BGREWRITEAOF")
        deadline = time.monotonic() + 20
        while b"aof_rewrite_in_progress:0" not in client.call("INFO", "persistence")[1] or \
                b"aof_rewrite_scheduled:0" not in client.call("INFO", "persistence")[1]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        look(check, what + ", base", restart(server))


def wait_for_sync(client):
    deadline = time.monotonic() + 20
    while b"master_link_status:up" not in client.call("INFO", "replication")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check_replica(check, program):
    with Server(program, "--repl-diskless-sync-delay", "0") as primary, Server(program) as replica:
        client, other = primary.connect(), replica.connect()
        fill(client)
        other.call("REPLICAOF", "127.0.0.1", str(primary.port))
        wait_for_sync(other)
        look(check, "full sync", other, replica=True)
        client.call("FLUSHALL")
        fill(client)
        client.call("WAIT", "1", "5000")
        look(check, "stream", other, replica=True)
        other.call("REPLICAOF", "NO", "ONE")
        look(check, "promoted", other)


def main():
    program = str(pathlib.Path(sys.argv[1]) / "ouro-server")
    check = Check()
    check_snapshot(check, program)
    check_log(check, program)
    check_log(check, program, "--aof-use-rdb-preamble", "no")
    check_replica(check, program)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
