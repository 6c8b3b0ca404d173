#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Few open files allowed: fewer clients are, the rest is told so, and the server keeps some files for itself.

    descriptor_limit_test.py BUILD
"""
import pathlib
import subprocess
import sys
import tempfile

from servers import Server

FULL = ("-", b"ERR max number of clients reached")


def limited(count):
    """What starts a program with so few, hard and soft."""
    return ["prlimit", f"--nofile={count}:{count}"]


def first_reply(connection):
    """A stranger that is refused may find its socket closed before it has asked."""
    try:
        return connection.call("PING")
    except OSError:
        return FULL


def touched(folder):
    path = pathlib.Path(folder) / "users.acl"
    path.touch()
    return str(path)


def check_backend(program, backend):
    with tempfile.TemporaryDirectory() as folder, \
            Server(program, "--io-backend", backend, "--aclfile", touched(folder), prefix=limited(64)) as server:
        client = server.connect()
        most = int(client.call("CONFIG", "GET", "maxclients")[1][1][1])
        if most > 1000:
            return [("root may raise the limit here", True)]
        others = [server.connect() for _ in range(150)]
        replies = [first_reply(other) for other in others]
        return [("maxclients is lowered", most == 32),
                ("the log says so", "maxclients has been reduced to 32" in server.log_tail()),
                ("so many are served, the rest is told", replies == [("+", b"PONG")] * 31 + [FULL] * 119),
                ("files can be opened", client.call("ACL", "SAVE") == ("+", b"OK")),
                ("no more can be asked for", client.call("CONFIG", "SET", "maxclients", "33")[0] == "-")]


def check_none(program):
    run = subprocess.run([*limited(32), program, "--port", "0"], capture_output=True, text=True, timeout=20, check=False)
    return [("without room for a client it does not start", run.returncode == 1 and "33 open files" in run.stdout)]


def main():
    program = str(pathlib.Path(sys.argv[1]) / "ouro-server")
    checks = check_backend(program, "uring") + check_backend(program, "epoll") + check_none(program)
    for what, holds in checks:
        if not holds:
            print(f"FAILED {what}")
    failed = sum(not holds for _, holds in checks)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
