# SPDX-License-Identifier: BSD-3-Clause
"""The lead goes from one server to another by FAILOVER, and back, under a fixed rate of writes by a client that follows it: what
of the acknowledged is lost, and how long nothing is acknowledged. The first that leads is on core 0, the other on the load's."""
import os
import threading
import time

from rivals import LOAD_CORES, SERVER_CORE, Figure, start_on
from snapshot import info

RATE = 20_000
QUICK_RATE = 5_000
# What falls due in so long is sent together, and its replies are waited for.
STEP_SECONDS = 0.001
# Writes go on for so long before each switch, which tells the longest gap without one, and behind it.
CONTROL_SECONDS = 2
QUICK_CONTROL_SECONDS = 1
CHECKED_AT_ONCE = 1000
PAIRS = (("redis", "ouro"), ("redis", "redis"), ("ouro", "ouro"))
OPTIONS = ("--repl-diskless-sync-delay", "0", "--save", "")


class Writer(threading.Thread):
    """Sets a key of its own with each write; what is not acknowledged is sent again, to whoever leads by then."""

    def __init__(self, servers, rate):
        super().__init__()
        self.servers, self.rate = servers, rate
        self.ends = threading.Event()
        self.written = 0  # the keys below this were sent
        self.refused = []
        self.acknowledged_at = time.monotonic()
        self.longest_gap = 0.0
        self.client = None

    def find_leader(self):
        while True:
            for server in self.servers:
                client = server.connect()
                if client.call("ROLE")[1][0][1] == b"master":
                    self.client = client
                    return
                client.close()

    def send(self, numbers):
        """Those that were not acknowledged."""
        try:
            self.client.send(*[("SET", f"w:{number}", str(number)) for number in numbers])
            replies = [self.client.read() for _ in numbers]
        except ConnectionError:
            return numbers
        refused = [number for number, reply in zip(numbers, replies) if reply != ("+", b"OK")]
        if len(refused) < len(numbers):
            now = time.monotonic()
            self.longest_gap = max(self.longest_gap, now - self.acknowledged_at)
            self.acknowledged_at = now
        return refused

    def run(self):
        os.sched_setaffinity(0, {int(LOAD_CORES.split("-", maxsplit=1)[0])})
        self.find_leader()
        step = max(1, int(self.rate * STEP_SECONDS))
        self.acknowledged_at = due = time.monotonic()
        while self.refused or not self.ends.is_set():
            time.sleep(max(0.0, due - time.monotonic()))
            due += STEP_SECONDS
            fresh = [] if self.ends.is_set() else range(self.written, self.written + step)
            self.written += len(fresh)
            self.refused = self.send([*self.refused, *fresh])
            if self.refused:
                self.client.close()
                self.find_leader()

    def longest_gap_of(self, seconds):
        """Of the next seconds."""
        self.longest_gap = 0.0
        time.sleep(seconds)
        return self.longest_gap


def wait_until_follows(leader, follower):
    while True:
        ours, theirs = info(leader, "replication"), info(follower, "replication")
        if theirs.get("master_link_status") == "up" and "state=online" in ours.get("slave0", ""):
            return
        time.sleep(0.01)


def switch(writer, leader, follower, seconds):
    """(longest gap before, longest gap of the switch), in milliseconds."""
    control = writer.longest_gap_of(seconds)
    writer.longest_gap = 0.0
    if leader.call("FAILOVER") != ("+", b"OK"):
        raise RuntimeError("FAILOVER is refused")
    while follower.call("ROLE")[1][0][1] != b"master" or info(leader, "replication")["master_failover_state"] != "no-failover":
        time.sleep(0.001)
    time.sleep(seconds)  # the client is there by then, and the one that led follows
    gap = writer.longest_gap
    wait_until_follows(follower, leader)
    return control * 1000, gap * 1000


def count_missing(client, written):
    """Of the keys that were written, all of them acknowledged."""
    missing = 0
    for first in range(0, written, CHECKED_AT_ONCE):
        keys = [f"w:{number}" for number in range(first, min(first + CHECKED_AT_ONCE, written))]
        missing += len(keys) - int(client.call("EXISTS", *keys)[1])
    return missing


def measure_pair(args, names):
    rate, seconds = (QUICK_RATE, QUICK_CONTROL_SECONDS) if args.quick else (RATE, CONTROL_SECONDS)
    with start_on(SERVER_CORE, names[0], args, *OPTIONS) as one, start_on(LOAD_CORES, names[1], args, *OPTIONS) as other:
        clients = one.connect(timeout_s=300), other.connect(timeout_s=300)
        writer = Writer((one, other), rate)
        writer.start()
        try:
            clients[1].call("REPLICAOF", "127.0.0.1", one.port)
            wait_until_follows(*clients)
            gaps = {0: [], 1: []}  # by who hands over
            for number in range(2 * args.rounds):
                leader = number % 2
                gaps[leader].append(switch(writer, clients[leader], clients[1 - leader], seconds))
        finally:
            writer.ends.set()
            writer.join(60)
        lost = count_missing(clients[0], writer.written)
    for leader, samples in gaps.items():
        yield {"switch": f"{names[leader]} to {names[1 - leader]}", "rate": rate, "writes": writer.written, "lost": lost,
               "gap before": Figure.of([sample[0] for sample in samples]),
               "pause": Figure.of([sample[1] for sample in samples])}


def measure(args):
    """A row for each direction; the writes and what is lost are those of both."""
    return [row for names in PAIRS for row in measure_pair(args, names)]


def table(rows):
    lines = [f"{'FAILOVER under load':<24}{'writes/s':>10}{'writes':>12}{'lost':>8}{'gap before ms':>20}{'pause ms':>20}"]
    for row in rows:
        lines.append(f"{row['switch']:<24}{row['rate']:>10,}{row['writes']:>12,}{row['lost']:>8}"
                     f"{row['gap before'].text(1):>20}{row['pause'].text(1):>20}")
    lines.append("gap, pause: the longest time in which nothing was acknowledged; writes, lost: of a pair, there and back")
    return "\n".join(lines)
