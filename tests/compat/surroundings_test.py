#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the server does to the process that it is, and tells the system around it, beside redis-server:

    surroundings_test.py BUILD [--redis redis-server]

The score by which the kernel ends processes, CPUs, systemd's socket, the address that links come from, the title in ps;
and parameters that ask for what there is not are refused or told of.
"""
import argparse
import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from check import Check
from servers import Server

# Applied to both servers in turn: the score is then the same.
OOM_STEPS = (
    ["CONFIG", "SET", "oom-score-adj-values", "10 20 30"],
    ["CONFIG", "SET", "oom-score-adj", "yes"],
    ["CONFIG", "SET", "oom-score-adj-values", "15 20 30"],
    ["REPLICAOF", "127.0.0.1", "1"],
    ["REPLICAOF", "NO", "ONE"],
    ["CONFIG", "SET", "oom-score-adj", "absolute"],
    ["CONFIG", "SET", "oom-score-adj", "relative"],
    ["CONFIG", "SET", "oom-score-adj-values", "2000 2000 2000"],
    ["CONFIG", "SET", "oom-score-adj-values", "2001 0 0"],
    ["CONFIG", "SET", "oom-score-adj-values", "1 2"],
    ["CONFIG", "SET", "oom-score-adj", "no"],
    ["CONFIG", "SET", "oom-score-adj-values", "9 9 9", "oom-score-adj", "yes"],
    ["CONFIG", "SET", "oom-score-adj", "no", "maxclients", "none"],
)
REFUSED = (["--bio_cpulist", "0"], ["--bgsave_cpulist", "0"], ["--aof_rewrite_cpulist", "0"], ["--watchdog-period", "500"],
           ["--lua-enable-deprecated-api", "yes"], ["--tls-replication", "yes"], ["--sentinel"], ["--use-exit-on-panic", "yes"],
           ["--socket-mark-id", "7"], ["--supervised", "upstart"], ["--server_cpulist", "3-1"], ["--bind-source-addr", "here"])
OK = ("+", b"OK")
TITLES = ("  A {title} {listen-addr} {port} {tls-port} {unixsocket} {config-file} {server-mode} ", "{title}", "{listen-addr}",
          "{unixsocket}", "{server-mode}", "", "  ", "{", "a}b", "a}b {title", "{{title}}", "{title}}", "{Title}", "{title} {",
          "%s %n", "x" * 5000)


def oom_score(server):
    return int(pathlib.Path(f"/proc/{server.process.pid}/oom_score_adj").read_text())


def wait_for(condition, seconds=20):
    """Whether the condition has come to hold in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def check_oom_score(check, programs):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(program)) for program in programs]
        clients = [server.connect() for server in servers]
        base = oom_score(servers[0])
        for step in OOM_STEPS:
            seen = [(client.call(*step), oom_score(server)) for client, server in zip(clients, servers)]
            check.holds(f"{' '.join(step)}", seen[0] == seen[1], seen)
        start = ["--oom-score-adj", "yes", "--oom-score-adj-values", "33", "44", "55"]
        scores = [oom_score(stack.enter_context(Server(program, *start))) for program in programs]
        check.holds("oom-score-adj at the start", scores[0] == scores[1] == base + 33, scores)


def check_cpus(check, programs):
    last = max(os.sched_getaffinity(0))
    for cpus in (f"{last}", f"0-{last}:1", f"0,{last}"):
        seen = []
        for program in programs:
            with Server(program, "--server_cpulist", cpus) as server:
                seen.append(os.sched_getaffinity(server.process.pid))
        check.holds(f"server_cpulist {cpus}", seen[0] == seen[1], seen)


def check_systemd(check, programs):
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        path = f"{folder}/notify"
        listener.bind(path)
        listener.settimeout(20)
        # Read by the program alone.
        prefix = ("env", f"NOTIFY_SOCKET={path}")
        for how in ("systemd", "auto"):
            for program in programs:
                with Server(program, "--supervised", how, prefix=prefix):
                    text = b""
                    while b"READY=1" not in text:
                        text += listener.recv(1000)
                    check.holds(f"{program}: supervised {how}", b"Ready to accept connections" in text or program != programs[0],
                                text)
        with Server(programs[0], prefix=prefix):
            listener.setblocking(False)
            # What redis-server said when it ended may still be there.
            with contextlib.suppress(BlockingIOError):
                text = b""
                while True:
                    text = listener.recv(1000)
                    check.holds("who is not supervised tells nobody", b"READY" not in text, text)


def check_source(check, programs):
    for program in programs:
        with Server(programs[0]) as primary, Server(program, "--bind-source-addr", "127.0.0.2") as replica:
            client, at = primary.connect(), replica.connect()

            def comes_from(address):
                at.call("REPLICAOF", "127.0.0.1", primary.port)
                found = wait_for(lambda: f"ip={address},".encode() in client.call("INFO", "replication")[1])
                at.call("REPLICAOF", "NO", "ONE")
                return found

            check.holds(f"{program}: a replica comes from bind-source-addr", comes_from("127.0.0.2"))
            # Nobody has this one (RFC 5737): the link is made all the same.
            at.call("CONFIG", "SET", "bind-source-addr", "192.0.2.1")
            check.holds(f"{program}: a source that cannot be had", comes_from("127.0.0.1"))


def command_line(server):
    return pathlib.Path(f"/proc/{server.process.pid}/cmdline").read_bytes().split(b"\0")


def title(server):
    """The first word there is what ps shows; without what is the server's own. Behind it may be remains."""
    return command_line(server)[0].decode().replace(server.program, "PROGRAM").replace(str(server.port), "PORT")


def check_title(check, programs):
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server(program)) for program in programs]
        shown = [title(server) for server in servers]
        check.holds("the title at the start", shown[0] == shown[1] == "PROGRAM 127.0.0.1:PORT", shown)
        clients = [server.connect() for server in servers]
        for text in TITLES:
            seen = [(client.call("CONFIG", "SET", "proc-title-template", text), title(server)[:20])
                    for client, server in zip(clients, servers)]
            check.holds(f"proc-title-template {text[:80]}", seen[0] == seen[1], seen)
        plain = stack.enter_context(Server(programs[0], "--set-proc-title", "no"))
        plain.connect().call("CONFIG", "SET", "proc-title-template", "not shown")
        check.holds("set-proc-title no keeps the command line", b"--set-proc-title" in command_line(plain), command_line(plain))


def check_redirect(check, ours):
    """Valkey's: a client that takes redirects is sent to the primary, and says READONLY to read here."""
    with Server(ours) as primary, Server(ours) as replica:
        at, plain = replica.connect(), replica.connect()
        plain.call("REPLICAOF", "127.0.0.1", primary.port)
        primary.connect().call("SET", "k", "v")
        check.holds("the replica has the key", wait_for(lambda: plain.call("GET", "k") == ("$", b"v")))
        away = ("-", b"REDIRECT 127.0.0.1:%d" % primary.port)
        steps = ((["READONLY"], ("-", b"ERR This instance has cluster support disabled")), (["CLIENT", "CAPA", "redirect"], OK),
                 (["GET", "k"], away), (["SET", "k", "w"], away), (["PING"], ("+", b"PONG")), (["READONLY"], OK),
                 (["GET", "k"], ("$", b"v")), (["SET", "k", "w"], away), (["READWRITE"], OK), (["GET", "k"], away),
                 (["REPLICAOF", "NO", "ONE"], OK), (["SET", "k", "w"], OK))
        for words, wanted in steps:
            reply = at.call(*words)
            check.holds(f"CAPA redirect: {' '.join(words)}", reply == wanted, reply)


def check_propagation_errors(check, ours):
    """A command that fails at a replica ends it, if it is told so."""
    for behavior, ends in (("ignore", False), ("panic", True), ("panic-on-replicas", True)):
        options = ["--replica-read-only", "no", "--propagation-error-behavior", behavior]
        with Server(ours) as primary, Server(ours, *options) as replica:
            at, client = replica.connect(), primary.connect()
            at.call("REPLICAOF", "127.0.0.1", primary.port)
            client.call("SET", "there", "v")
            wait_for(lambda: at.call("GET", "there") == ("$", b"v"))
            at.call("SET", "k", "a string")
            client.call("LPUSH", "k", "v")
            told = wait_for(lambda: "== CRITICAL ==" in replica.log_tail())
            check.holds(f"propagation-error-behavior {behavior}: it is logged", told, replica.log_tail())
            if ends:
                code = replica.process.wait(20)
                check.holds(f"propagation-error-behavior {behavior}: the replica ends", code == 1, code)
            else:
                check.holds("propagation-error-behavior ignore: it goes on", at.call("PING") == ("+", b"PONG"))


def check_refusals(check, ours):
    for words in REFUSED:
        run = subprocess.run([ours, "--port", "0", *words], capture_output=True, text=True, timeout=20, check=False)
        check.holds(f"{' '.join(words)} is refused", run.returncode != 0 and words[0].strip("-") in run.stdout + run.stderr,
                    run.stdout + run.stderr)
    with Server(ours, "--io-threads", "4") as server:
        check.holds("io-threads 4 is told of", "one thread does all I/O" in server.log_tail(), server.log_tail())
        check.holds("io-threads 4 is read", server.connect().call("CONFIG", "GET", "io-threads")[1][1][1] == b"4")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--redis", default="redis-server")
    args = parser.parse_args()
    programs = [str(args.build / "ouro-server"), args.redis]
    check = Check()
    check_oom_score(check, programs)
    check_cpus(check, programs)
    check_systemd(check, programs)
    check_source(check, programs)
    check_title(check, programs)
    check_redirect(check, programs[0])
    check_propagation_errors(check, programs[0])
    check_refusals(check, programs[0])
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
