#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A server is killed and started again on its port at once: it must come up, however late the system closes what the
killed one had open. A port that another process holds is refused soon, and by name.

    restart_test.py BUILD [--rounds N]
"""
import argparse
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from resp import Connection
from servers import free_port

# Far more than the server waits for a port, for a machine that is busy.
SOON_S = 10


def start(program, backend, port, folder):
    return subprocess.Popen([program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder,
                             "--io-backend", backend], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def connect(process, port):
    """A connection to a server that comes up, None if it has ended."""
    deadline = time.monotonic() + SOON_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            client = Connection(port, timeout_s=SOON_S)
            client.call("PING")
            return client
        except OSError:
            time.sleep(0.005)
    return None


def end(process):
    """Kills it; returns what it said."""
    process.kill()
    return process.communicate(timeout=SOON_S)[0]


def check_restarts(program, backend, rounds):
    """How many of so many restarts came up. The clients stay connected over the kill: their sockets are closed late, too."""
    port, up, said = free_port(), 0, ""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            process = start(program, backend, port, folder)
            first = connect(process, port)
            clients = [first] + [Connection(port) for _ in range(20)] if first else []
            up += first is not None
            said = end(process)
            for client in clients:
                client.close()
            if not clients:
                break
    return [(f"{backend}: {rounds} restarts after a kill, {up} came up:\n{said}", up == rounds)]


def check_taken(program, backend):
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as stranger:
        holder = start(program, backend, port, folder)
        client = connect(holder, port)
        begun = time.monotonic()
        second = start(program, backend, port, folder)
        said = second.communicate(timeout=SOON_S)[0]
        took_s = time.monotonic() - begun
        checks = [(f"{backend}: a taken port is refused soon, after {took_s:.1f} s", second.returncode == 1 and took_s < SOON_S),
                  (f"{backend}: and by name: {said}", f"Failed listening on port {port} of 127.0.0.1" in said),
                  (f"{backend}: who holds it goes on", client.call("PING") == ("+", b"PONG")),
                  (f"{backend}: a running server does not wait",
                   client.call("CONFIG", "SET", "port", str(stranger.getsockname()[1]))[0] == "-")]
        client.close()
        checks.append((f"{backend}: nor says that it does", "trying again" not in end(holder)))
        return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    program = str(pathlib.Path(args.build) / "ouro-server")
    checks = []
    for backend in ("uring", "epoll"):
        checks += check_restarts(program, backend, args.rounds) + check_taken(program, backend)
    for what, holds in checks:
        if not holds:
            print(f"FAILED {what}")
    failed = sum(not holds for _, holds in checks)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
