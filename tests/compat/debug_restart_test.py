#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""DEBUG RESTART and CRASH-AND-RECOVER: the same process begins anew with its own arguments, in both servers the same:

    debug_restart_test.py BUILD [--redis redis-server]

In order the configuration is rewritten and the data are saved, as a crash it is not; what a log has is there in either case.
"""
import argparse
import contextlib
import pathlib
import shutil
import sys
import time

from check import Check
from servers import Server

SOON_S = 20


class Configured(Server):
    """With a configuration file that is named from the folder where it is started; the data are in another."""

    def __init__(self, program, data):
        self.data = data
        super().__init__(program)

    def command(self):
        folder = pathlib.Path(self.folder.name)
        (folder / "data").mkdir(exist_ok=True)
        lines = [f"port {self.port}", "bind 127.0.0.1", f"dir {self.data.format(folder)}", "save 3600 1",
                 "enable-debug-command yes"]
        (folder / "server.conf").write_text("\n".join(lines) + "\n")
        return ["env", "-C", str(folder), self.program, "server.conf"]


def run_id(client):
    return client.call("INFO", "server")[1].partition(b"run_id:")[2][:40]


def restart(server, *words):
    """Asks for it; (what the asker read, how long nobody answered, a client of the new life, the run ids)."""
    client = server.connect(timeout_s=SOON_S)
    before, begun, reply = run_id(client), time.monotonic(), None
    with contextlib.suppress(OSError, EOFError, ConnectionError):
        reply = client.call("DEBUG", *words)
    if reply is not None and reply[0] == "-":
        return reply, 0, client, (before, before)
    while time.monotonic() < begun + SOON_S and server.alive():
        with contextlib.suppress(OSError, EOFError, ConnectionError):
            fresh = server.connect(timeout_s=SOON_S)
            if fresh.call("PING") == ("+", b"PONG") and run_id(fresh) != before:
                return reply, time.monotonic() - begun, fresh, (before, run_id(fresh))
        time.sleep(0.02)
    raise RuntimeError(f"{server.program} does not come back:\n{server.log_tail()}")


def check_order(program, check, data):
    """With save points a restart keeps data and configuration, a crash neither."""
    with Configured(program, data) as server:
        client = server.connect()
        client.call("SET", "k", "kept")
        client.call("CONFIG", "SET", "maxmemory-samples", "7")
        reply, _, client, (before, after) = restart(server, "RESTART")
        check.holds(f"{program}: no answer to RESTART", reply is None, reply)
        check.holds(f"{program}: RESTART begins anew", before != after)
        check.holds(f"{program}: RESTART keeps data", client.call("GET", "k") == ("$", b"kept"))
        check.holds(f"{program}: and what was configured",
                    client.call("CONFIG", "GET", "maxmemory-samples")[1][1] == ("$", b"7"))
        client.call("SET", "k", "lost")
        client.call("CONFIG", "SET", "maxmemory-samples", "8")
        reply, took_s, client, _ = restart(server, "crash-and-recover", "700")
        check.holds(f"{program}: no answer to CRASH-AND-RECOVER", reply is None, reply)
        check.holds(f"{program}: it takes as long as it was told", took_s >= 0.7, took_s)
        check.holds(f"{program}: a crash saves nothing", client.call("GET", "k") == ("$", b"kept"))
        check.holds(f"{program}: neither what was configured",
                    client.call("CONFIG", "GET", "maxmemory-samples")[1][1] == ("$", b"7"))
        for words in (("RESTART", "x"), ("CRASH-AND-RECOVER", "1.5")):
            reply = client.call("DEBUG", *words)
            check.holds(f"{program}: {words} is refused", reply == ("-", b"ERR value is not an integer or out of range"), reply)
        check.holds(f"{program}: it ends in order", server.stop() == 0, server.log_tail())


def check_log(program, check, *options):
    """What a client was told is in the log, whatever comes."""
    with Server(program, "--appendonly", "yes", "--enable-debug-command", "yes", *options) as server:
        client = server.connect()
        for round_number, words in enumerate((("CRASH-AND-RECOVER",), ("RESTART", "-1"), ("CRASH-AND-RECOVER", "1"))):
            for i in range(100):
                client.call("INCR", "n")
            _, _, client, _ = restart(server, *words)
            check.holds(f"{program} {options}: {words} loses nothing",
                        client.call("GET", "n") == ("$", b"%d" % (100 * (round_number + 1))), client.call("GET", "n"))
        check.holds(f"{program} {options}: it ends in order", server.stop() == 0, server.log_tail())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    # By its path: Redis looks for itself in the folder where it was started.
    parser.add_argument("--redis", default=shutil.which("redis-server"))
    args = parser.parse_args()
    ouro = str((args.build / "ouro-server").resolve())
    check = Check()
    # Redis, started anew, looks for a relative folder of data in that folder.
    check_order(ouro, check, "data")
    check_order(args.redis, check, "{}/data")
    check_log(args.redis, check)
    for backend in ("uring", "epoll"):
        check_log(ouro, check, "--io-backend", backend)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
