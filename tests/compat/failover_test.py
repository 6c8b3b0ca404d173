#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""FAILOVER between ouro and redis-server, each in both roles:

    failover_test.py BUILD

What is refused is refused in the same words. The lead goes from one to the other and back while somebody writes, and what
was acknowledged is there; by time over, by force, and not at all when it is aborted or the target refuses.
"""
import argparse
import pathlib
import signal
import sys
import threading

from check import Check
from follow_test import info, until
from resp import show
from servers import Server

OPTIONS = ("--repl-diskless-sync-delay", "0", "--repl-timeout", "10")
# Asked of a primary that has a replica at {port}, in this order.
REFUSED = """failover abort|failover abort x|failover timeout 5 abort|failover to|failover to 127.0.0.1|failover to 127.0.0.1 x|
failover to 127.0.0.1 99999|failover to 127.0.0.1 -1|failover to nobody.invalid {port}|failover to 127.0.0.1 1|failover force|
failover force x|failover force force timeout 10|failover force timeout 100|failover to 127.0.0.1 {port} force|
failover timeout|failover timeout 0|failover timeout -1|failover timeout x|failover timeout 1 timeout 1|
failover to 127.0.0.1 {port} to 127.0.0.1 {port}|failover bogus|failover to 127.0.0.1 {port} bogus|
eval return(redis.call('failover')) 0|psync ? -1 failover|psync 0123456789012345678901234567890123456789 1 failover"""


class Pair:
    """A primary and its replica."""

    def __init__(self, leader, follower):
        self.leader, self.follower = Server(leader, *OPTIONS), Server(follower, *OPTIONS)
        self.a, self.b = self.leader.connect(), self.follower.connect()
        self.b.call("REPLICAOF", "127.0.0.1", self.leader.port)
        self.until_synced(self.a, self.b)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self.leader, self.follower:
            server.process.send_signal(signal.SIGCONT)
            server.stop()

    @staticmethod
    def until_synced(leader, follower):
        def is_synced():
            ours, theirs = info(leader), info(follower)
            return theirs.get("master_link_status") == "up" and "state=online" in ours.get("slave0", "") and \
                ours["master_repl_offset"] == theirs["master_repl_offset"]
        return until(is_synced, 20)

    def stop_follower(self):
        self.follower.process.send_signal(signal.SIGSTOP)

    def wake_follower(self):
        self.follower.process.send_signal(signal.SIGCONT)

    def log(self):
        return "\n".join((self.leader.log_tail(15), self.follower.log_tail(15)))


def state(client):
    return info(client)["master_failover_state"]


def role(client):
    return client.call("ROLE")[1][0][1]


def test_refusals(check, ours):
    with Pair(ours, "redis-server") as one, Pair("redis-server", ours) as other:
        for command in REFUSED.replace("\n", "").split("|"):
            mine, theirs = (pair.leader.connect().call(*command.format(port=pair.follower.port).split(" "))
                            for pair in (one, other))
            check.holds(command, mine == theirs, (show(mine), show(theirs)))
        for command in ("failover", "failover abort", "failover timeout x"):
            mine, theirs = (client.call(*command.split()) for client in (other.b, one.b))
            check.holds(f"a replica: {command}", mine == theirs, (show(mine), show(theirs)))
        for pair in one, other:
            pair.b.call("REPLICAOF", "no", "one")
            until(lambda: info(pair.a)["connected_slaves"] == "0")
        for command in ("failover", "failover force", "failover to 127.0.0.1 1"):
            mine, theirs = (client.call(*command.split()) for client in (one.a, other.a))
            check.holds(f"alone: {command}", mine == theirs, (show(mine), show(theirs)))


def write_until_refused(server, acknowledged):
    """Counts up; ends when the server leads no more."""
    client = server.connect()
    while client.call("INCR", "counter")[0] == ":":
        acknowledged.append(1)


def hand_over(check, what, pair, leader, follower, *words):
    """`leader` hands over to `follower` while somebody writes; both are servers."""
    before = int(leader.connect().call("GET", "counter")[1] or 0)
    acknowledged = []
    writer = threading.Thread(target=write_until_refused, args=(leader, acknowledged))
    writer.start()
    until(lambda: len(acknowledged) > 100)
    a, b = leader.connect(), follower.connect()
    fulls = int(info(b, "stats")["sync_full"])
    reply = a.call("FAILOVER", *words)
    check.holds(f"{what}: begins", reply == ("+", b"OK"), show(reply))
    check.holds(f"{what}: ends", until(lambda: state(a) == "no-failover" and role(b) == b"master"), pair.log())
    writer.join(20)
    check.holds(f"{what}: roles", (role(a), role(b)) == (b"slave", b"master"), (role(a), role(b)))
    check.holds(f"{what}: synced again", pair.until_synced(b, a), pair.log())
    counts = [int(client.call("GET", "counter")[1]) for client in (a, b)]
    check.holds(f"{what}: nothing is lost", counts == [before + len(acknowledged)] * 2, (counts, before + len(acknowledged)))
    check.holds(f"{what}: by a partial sync", int(info(b, "stats")["sync_full"]) == fulls, pair.log())


def test_hand_over(check, leader, follower):
    what = f"{pathlib.Path(leader).name} to {pathlib.Path(follower).name}"
    with Pair(leader, follower) as pair:
        one, other = pair.leader, pair.follower
        hand_over(check, what, pair, one, other)
        hand_over(check, f"{what} and back", pair, other, one, "TO", "127.0.0.1", str(one.port), "TIMEOUT", "20000")
        hand_over(check, f"{what} once more", pair, one, other, "TO", "127.0.0.1", str(other.port))


def test_ends(check, leader, follower):
    """What ends otherwise: by the clock, by hand, and by a target that refuses."""
    what = f"{pathlib.Path(leader).name} to {pathlib.Path(follower).name}"
    with Pair(leader, follower) as pair:
        target = ("TO", "127.0.0.1", str(pair.follower.port))
        pair.stop_follower()
        pair.a.call("SET", "a", "1")
        pair.a.call("FAILOVER", *target, "TIMEOUT", "60000")
        check.holds(f"{what}: waits", state(pair.a) == "waiting-for-sync", state(pair.a))
        check.holds(f"{what}: once", pair.a.call("FAILOVER")[1] == b"ERR FAILOVER already in progress.")
        check.holds(f"{what}: and nothing else", pair.a.call("REPLICAOF", "no", "one")[1] ==
                    b"ERR REPLICAOF not allowed while failing over.")
        check.holds(f"{what}: reads go on", pair.a.call("GET", "a") == ("$", b"1"))
        waiting = pair.leader.connect()
        waiting.send(["SET", "a", "2"])
        pair.a.call("CLIENT", "UNPAUSE")
        check.holds(f"{what}: CLIENT UNPAUSE is not its end", pair.a.call("GET", "a") == ("$", b"1"))
        check.holds(f"{what}: aborted", pair.a.call("FAILOVER", "ABORT") == ("+", b"OK") and
                    state(pair.a) == "no-failover" and role(pair.a) == b"master", state(pair.a))
        check.holds(f"{what}: who waited goes on", waiting.read() == ("+", b"OK"))
        pair.a.call("FAILOVER", "TIMEOUT", "100")
        check.holds(f"{what}: time is over", until(lambda: state(pair.a) == "no-failover") and
                    role(pair.a) == b"master", state(pair.a))
        pair.a.call("FAILOVER", *target, "TIMEOUT", "100", "FORCE")
        check.holds(f"{what}: by force", until(lambda: state(pair.a) == "failover-in-progress") and
                    role(pair.a) == b"slave", state(pair.a))
        pair.wake_follower()
        check.holds(f"{what}: the target leads", until(lambda: role(pair.b) == b"master" and state(pair.a) ==
                                                       "no-failover", 20) and pair.until_synced(pair.b, pair.a), pair.log())
    with Pair(leader, follower) as pair:
        pair.b.call("ACL", "SETUSER", "default", "-psync")
        pair.a.call("FAILOVER")
        check.holds(f"{what}: refused", until(lambda: state(pair.a) == "no-failover") and role(pair.a) == b"master",
                    pair.log())
        check.holds(f"{what}: goes on as before", pair.until_synced(pair.a, pair.b) and role(pair.b) == b"slave", pair.log())


def transaction(client, *commands):
    client.call("MULTI")
    for words in commands:
        client.call(*words)
    return client.call("EXEC")


def test_roles_in_transactions(check, ours, other):
    """Who leads changes within a transaction, which then is of one node alone: both have the same in the end."""
    what = f"EXEC, ours and {pathlib.Path(other).name}"
    data = ("MGET", "a", "b")
    with Pair(ours, other) as pair:
        fulls = info(pair.b, "stats")["sync_full"]
        reply = transaction(pair.a, ["SET", "a", "1"], ["REPLICAOF", "127.0.0.1", pair.follower.port], ["SET", "b", "1"],
                            ["GET", "b"])[1]
        check.holds(f"{what}: REPLICAOF: all is done", reply == [("+", b"OK")] * 3 + [("$", b"1")], show(("*", reply)))
        pair.b.call("REPLICAOF", "NO", "ONE")
        check.holds(f"{what}: REPLICAOF: the same", pair.until_synced(pair.b, pair.a) and
                    pair.a.call(*data) == pair.b.call(*data), show(pair.a.call(*data)))
        check.holds(f"{what}: REPLICAOF: by a full sync", info(pair.b, "stats")["sync_full"] > fulls)
    with Pair(ours, other) as pair:
        reply = transaction(pair.a, ["SET", "a", "1"], ["FAILOVER"], ["SET", "b", "1"])[1]
        check.holds(f"{what}: FAILOVER comes behind it", reply == [("+", b"OK")] * 3, reply)
        check.holds(f"{what}: FAILOVER: the target leads", until(lambda: role(pair.b) == b"master", 20))
        check.holds(f"{what}: FAILOVER: the same", pair.until_synced(pair.b, pair.a) and
                    pair.a.call(*data) == pair.b.call(*data) == ("*", [("$", b"1")] * 2))


def test_log_of_roles_in_transactions(check, ours):
    """A replica that may be written takes the lead within a transaction: its log has all of it."""
    options = ("--appendonly", "yes", "--replica-read-only", "no")
    with Server(ours, *OPTIONS) as primary, Server(ours, *options) as replica:
        client = replica.connect()
        client.call("REPLICAOF", "127.0.0.1", primary.port)
        # What a sync brings is in the log when the rewrite of that is done.
        until(lambda: info(client).get("master_link_status") == "up" and
              info(client, "persistence").get("aof_rewrite_in_progress") == "0")
        reply = transaction(client, ["SET", "a", "1"], ["REPLICAOF", "NO", "ONE"], ["SET", "b", "1"])
        check.holds("a replica's log: both are done", reply == ("*", [("+", b"OK")] * 3), reply)
        replica.process.kill()
        replica.process.wait()
        replica.start()
        check.holds("a replica's log: both are there", replica.connect().call("MGET", "a", "b") == ("*", [("$", b"1")] * 2))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    ours = str(parser.parse_args().build / "ouro-server")
    check = Check()
    test_refusals(check, ours)
    for leader, follower in ((ours, "redis-server"), ("redis-server", ours), (ours, ours)):
        test_hand_over(check, leader, follower)
        test_ends(check, leader, follower)
    for other in "redis-server", ours:
        test_roles_in_transactions(check, ours, other)
    test_log_of_roles_in_transactions(check, ours)
    print(f"{check.passed} passed, {check.failed} failed")
    return int(check.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
