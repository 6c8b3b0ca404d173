#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Memory that is used no more goes back to the system: of a flush at once, else with MEMORY PURGE, and when nobody comes
for a second, though clients that sent nothing whole have left.

    memory_return_test.py BUILD
"""
import pathlib
import resource
import socket
import sys
import time

from servers import Server

KEYS = 300_000
CLIENTS = 3_000
VALUE_BYTES = 500
DELETE_ALL = "for i = 0, ARGV[1] - 1 do redis.call('DEL', 'key:' .. i) end"


def fill(client):
    client.call("DEBUG", "POPULATE", str(KEYS), "key", str(VALUE_BYTES))


def is_back_within(seconds, server, empty, meanwhile=lambda: None):
    """Some small part stays with the allocator."""
    bound = empty + KEYS * VALUE_BYTES * 2 / 3
    end = time.monotonic() + seconds
    while server.resident_bytes() >= bound and time.monotonic() < end:
        meanwhile()
        time.sleep(0.1)
    return server.resident_bytes() < bound


def flush_returns_it(server, client, empty):
    fill(client)
    client.call("FLUSHALL")
    return is_back_within(0, server, empty)


def purge_returns_it(server, client, empty):
    fill(client)
    client.call("EVAL", DELETE_ALL, "0", str(KEYS))
    # What was freed just now is kept for half a second. Asked so often, the server is never idle.
    return is_back_within(2, server, empty, lambda: client.call("MEMORY", "PURGE"))


def idle_time_returns_it(server, client, empty):
    fill(client)
    client.call("EVAL", DELETE_ALL, "0", str(KEYS))
    return is_back_within(10, server, empty)


def clients_that_leave_return_it(server, _client, empty):
    """Each has sent half of a command, so nobody has run one."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CLIENTS)]
    for each in clients:
        each.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$200000\r\n" + b"x" * 100_000)
    end = time.monotonic() + 10
    while server.resident_bytes() < empty + CLIENTS * 90_000 and time.monotonic() < end:
        time.sleep(0.1)
    held = server.resident_bytes()
    for each in clients:
        each.close()
    return held > empty + CLIENTS * 90_000 and is_back_within(10, server, empty)


def main():
    passed, checks = 0, (flush_returns_it, purge_returns_it, idle_time_returns_it, clients_that_leave_return_it)
    with Server(str(pathlib.Path(sys.argv[1]) / "ouro-server"), "--enable-debug-command", "yes") as server:
        client = server.connect(timeout_s=60)
        empty = server.resident_bytes()
        for check in checks:
            if check(server, client, empty):
                passed += 1
            else:
                print(f"FAILED {check.__name__}: {empty} bytes while empty, {server.resident_bytes()} after")
    print(f"{passed} passed, {len(checks) - passed} failed")
    return 0 if passed == len(checks) else 1


if __name__ == "__main__":
    sys.exit(main())
