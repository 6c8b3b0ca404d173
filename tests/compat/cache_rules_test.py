#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules of CACHE.RULE over a restart: CONFIG REWRITE writes them as lines, the next start reads them, and a line that says
what no rule may say keeps the server from starting. Their filters come back with the data: from a snapshot, from a log with
either base and from one without, and to a replica.

    cache_rules_test.py BUILD
"""
import pathlib
import subprocess
import sys
import tempfile
import time

from check import Check
from resp import Connection
from servers import free_port


class Node:
    """A server with a configuration file, which is started on it again."""

    def __init__(self, program, folder):
        self.program, self.folder, self.process = program, pathlib.Path(folder), None
        self.folder.mkdir(exist_ok=True)
        self.file = self.folder / "ouro.conf"
        self.port = free_port()
        self.file.write_text(f"port {self.port}\nbind 127.0.0.1\nsave \"\"\ndir {folder}\n# rules\n")

    def start(self):
        self.process = subprocess.Popen([self.program, str(self.file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        deadline = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                client = Connection(self.port)
                if client.call("PING")[0] == "+":
                    return client
            except OSError:
                pass
            time.sleep(0.02)
        return None

    def stop(self):
        """What it said."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[0]


def rules_of(client):
    return [tuple(field.decode() for _, field in rule) for _, rule in client.call("CACHE.RULE", "LIST")[1]]


KEYS = 30_000


def fill(client):
    """A rule with a filter of KEYS keys, one of them by SET."""
    client.call("CACHE.RULE", "SET", "f:", "NEG", 100)
    for at in range(0, KEYS - 1, 1000):
        client.call("CACHE.KNOW", *(f"f:{i}" for i in range(at, min(at + 1000, KEYS - 1))))
    client.call("CACHE.RULE", "SET", "f:", "FILTER", "ON")
    client.call("SET", f"f:{KEYS - 1}", "x")
    client.call("CONFIG", "REWRITE")


def judged(client):
    """The rules, how many of the keys are denied, and how many others."""
    def denied(numbers):
        states = client.call("CACHE.MGET", *(f"f:{i}" for i in numbers))[1]
        return sum(fields[1][0][1] == b"ABSENT" for fields in states)
    return rules_of(client), denied(range(0, KEYS, 7)), denied(range(KEYS, KEYS + 1000))


def wait_for(holds):
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return holds()


def log_is_whole(client):
    info = client.call("INFO", "persistence")[1]
    return b"aof_rewrite_in_progress:0" in info and b"aof_rewrite_scheduled:0" in info


def check_filters(equal, program, folder):
    whole = [("f:", "NEG 100 FILTER ON")], 0, 1000
    for name, options, before in (("snapshot", "", ["SAVE"]),
                                  ("log", "appendonly yes", None),
                                  ("base", "appendonly yes", ["BGREWRITEAOF"]),
                                  ("commands", "appendonly yes\naof-use-rdb-preamble no", ["BGREWRITEAOF"])):
        node = Node(program, f"{folder}/{name}")
        with open(node.file, "a", encoding="utf-8") as out:
            out.write(options + "\n")
        client = node.start()
        fill(client)
        if before:
            client.call(*before)
            wait_for(lambda: log_is_whole(client))
        if name != "snapshot":
            # What comes behind the base is taken in, too.
            client.call("SET", f"f:{KEYS}", "x")
            client.call("CACHE.KNOW", f"f:{KEYS + 1}")
            client.call("CACHE.FORGET", "f:0")
        expected = whole if name == "snapshot" else (whole[0], 1, 998)
        equal(f"{name}: the filter before", judged(client), expected)
        node.stop()
        client = node.start()
        equal(f"{name}: the filter is back", judged(client), expected)
        client.call("DEBUG", "LOADAOF" if name != "snapshot" else "RELOAD")
        equal(f"{name}: it is back in the same process", judged(client), expected)
        node.stop()


def check_replica(check, equal, program, folder):
    primary, replica = Node(program, f"{folder}/primary"), Node(program, f"{folder}/replica")
    client, follower = primary.start(), replica.start()
    fill(client)
    follower.call("CACHE.RULE", "SET", "f:", "FILTER", "ON", "NEG", 100)
    follower.call("REPLICAOF", "127.0.0.1", primary.port)
    check.holds("the replica has synced",
                wait_for(lambda: b"master_link_status:up" in follower.call("INFO", "replication")[1]))
    client.call("CACHE.KNOW", f"f:{KEYS}")
    client.call("WAIT", 1, 5000)
    equal("the replica has the filter", judged(follower), ([("f:", "NEG 100 FILTER ON")], 0, 999))
    for node in (replica, primary):
        node.stop()


def main():
    check = Check()

    def equal(what, seen, wanted):
        check.holds(what, seen == wanted, f"{seen}, not {wanted}")

    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(sys.argv[1]) / "ouro-server"
        check_filters(equal, program, folder)
        check_replica(check, equal, program, folder)
    with tempfile.TemporaryDirectory() as folder:
        node = Node(pathlib.Path(sys.argv[1]) / "ouro-server", folder)
        client = node.start()
        client.call("CACHE.RULE", "SET", "user:", "JITTER", 20, "RATE", 100, 1000)
        client.call("CACHE.RULE", "SET", 'two words "', "LOADS", 7)
        client.call("CACHE.RULE", "SET", "", "LEASE", 500)
        client.call("CACHE.KNOW", "f:1")
        client.call("CACHE.RULE", "SET", "f:", "FILTER", "ON", "NEG", 100)
        before = rules_of(client)
        equal("a rule for each prefix", len(before), 4)
        equal("CONFIG REWRITE", client.call("CONFIG", "REWRITE"), ("+", b"OK"))
        node.stop()
        lines = [line for line in node.file.read_text().splitlines() if line.startswith("cache-rule")]
        equal("a line for each rule", len(lines), 4)
        client = node.start()
        # The filter was in memory alone: without what it knew it must not deny anything.
        after = [(prefix, text.replace(" FILTER ON", "")) for prefix, text in before]
        equal("the rules are back", rules_of(client), after)
        client.call("CACHE.RULE", "DEL", "user:")
        client.call("CONFIG", "REWRITE")
        said = node.stop()
        check.holds("the log tells of the filter", 'cache rule "f:" was not saved' in said, said)
        client = node.start()
        equal("a removed rule stays away", rules_of(client), [rule for rule in after if rule[0] != "user:"])
        node.stop()
        node.file.write_text(node.file.read_text() + "cache-rule x: JITTER 101\n")
        check.holds("a bad line keeps it from starting", node.start() is None)
        said = node.process.communicate(timeout=30)[0]
        check.holds("which is told", "JITTER must be 0 or between 1 and 100" in said, said)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
