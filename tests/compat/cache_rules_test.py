#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Rules of CACHE.RULE over a restart: CONFIG REWRITE writes them as lines, the next start reads them, and a line that says
what no rule may say keeps the server from starting.

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
        self.file = self.folder / "ouro.conf"
        self.port = free_port()
        self.file.write_text(f"port {self.port}\nbind 127.0.0.1\nsave \"\"\ndir {folder}\n# rules\n")

    def start(self):
        self.process = subprocess.Popen([self.program, str(self.file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)
        deadline = time.monotonic() + 20
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                return Connection(self.port)
            except OSError:
                time.sleep(0.02)
        return None

    def stop(self):
        """What it said."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[0]


def rules_of(client):
    return [tuple(field.decode() for _, field in rule) for _, rule in client.call("CACHE.RULE", "LIST")[1]]


def main():
    check = Check()

    def equal(what, seen, wanted):
        check.holds(what, seen == wanted, f"{seen}, not {wanted}")

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
