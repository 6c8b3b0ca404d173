#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""semi-sync-members over real sockets: three members elect who leads, by hand, by FAILOVER and by a real redis-sentinel.

    election_test.py BUILD

While somebody writes, the leader is killed, comes back without data, or hands over. What was acknowledged is there, and a
leader that comes back empty does not empty its replicas.
"""
import pathlib
import signal
import subprocess
import sys
import threading
import time

from check import Check
from follow_test import info, until
from servers import Process, Server, free_port
from resp import Connection

NOBODY_LEADS = b"This node waits to lead, or to be told whom to follow (semi-sync-members)."
SENTINEL_DOWN_MS = 500


class Member(Server):
    """A server that comes back where it was."""

    def __init__(self, program, port, names, *options):
        self.own_port = port
        super().__init__(program, "--semi-sync-acks", "1", "--semi-sync-timeout", "300", "--repl-diskless-sync-delay", "0",
                         "--semi-sync-members", names, "--enable-protected-configs", "yes", *options)

    def start(self):
        self.port = self.own_port
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen([*self.command(), *self.options], stdout=out, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL)
        if not until(self.is_there, 20):
            raise RuntimeError(f"does not start:\n{self.log_tail()}")

    def is_there(self):
        try:
            return self.answers()
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def lose_data(self):
        for name in pathlib.Path(self.folder.name).iterdir():
            if name != self.log:
                name.unlink()


class Group:
    """Members, of which the first is made the leader."""

    def __init__(self, program, check, size=3, *options, host="127.0.0.1"):
        self.check, self.host = check, host
        self.ports = [free_port() for _ in range(size)]
        self.names = " ".join(f"{host}:{port}" for port in self.ports)
        self.members = [Member(program, port, self.names, *options) for port in self.ports]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.stop()

    def ask(self, number, *words):
        client = self.members[number].connect(timeout_s=10)
        try:
            return client.call(*words)
        finally:
            client.close()

    def found(self):
        for words in ("CONFIG", "SET", "semi-sync-members", ""), ("REPLICAOF", "NO", "ONE"), \
                ("CONFIG", "SET", "semi-sync-members", self.names):
            self.check.holds(f"founding: {words}", self.ask(0, *words) == ("+", b"OK"))
        for number in range(1, len(self.ports)):
            self.ask(number, "REPLICAOF", self.host, str(self.ports[0]))
        return self.leads(0)

    def fields(self, number):
        if not self.members[number].alive():
            return {}
        client = self.members[number].connect(timeout_s=10)
        try:
            return info(client)
        finally:
            client.close()

    def is_leader(self, number):
        fields = self.fields(number)
        return fields.get("role") == "master" and fields.get("semi_sync_state") == "on"

    def leads(self, number, seconds=15):
        return until(lambda: self.is_leader(number), seconds)

    def leader(self):
        return next((number for number in range(len(self.ports)) if self.is_leader(number)), None)

    def follow(self, number):
        fields = [self.fields(other) for other in range(len(self.ports)) if other != number]
        return all(each.get("master_link_status") == "up" and each.get("master_port") == str(self.ports[number])
                   for each in fields)

    def all_follow(self, number):
        return until(lambda: self.follow(number), 20)

    def is_settled(self):
        number = self.leader()
        return number is not None and self.follow(number)


class Writer(threading.Thread):
    """Counts up in one key wherever that is taken; knows what it was last told, and how long nobody took it."""

    def __init__(self, ports):
        super().__init__(daemon=True)
        self.ports, self.stopped = ports, False
        self.told = self.count = 0
        self.longest = 0.0
        self.start()

    def run(self):
        client, at, last = None, 0, time.monotonic()
        while not self.stopped:
            try:
                client = client or Connection(self.ports[at % len(self.ports)], timeout_s=2)
                self.count += 1
                kind, _ = client.call("ZADD", "z", "GT", str(self.count), "m")
                if kind == ":":
                    self.told = self.count
                    self.longest = max(self.longest, time.monotonic() - last)
                    last = time.monotonic()
                    continue
            except (OSError, EOFError):
                pass
            if client:
                client.close()
            client, at = None, at + 1
            time.sleep(0.002)

    def end(self):
        self.stopped = True
        self.join()


def found_score(group, number):
    kind, score = group.ask(number, "ZSCORE", "z", "m")
    return int(score) if kind == "$" and score else -1


def check_by_hand(check, program):
    with Group(program, check) as group:
        for number in range(3):
            check.holds("it starts closed: no reads", group.ask(number, "GET", "k") == ("-", b"MASTERDOWN " + NOBODY_LEADS))
            check.holds("it starts closed: no writes", group.ask(number, "SET", "k", "1") == ("-", b"READONLY " + NOBODY_LEADS))
            check.holds("it starts closed: no primary", group.fields(number)["role"] == "slave")
            check.holds("ROLE says so", group.ask(number, "ROLE")[1][0] == ("$", b"slave"))
        check.holds("founded", group.found() and group.all_follow(0))
        check.holds("whom it does not know it does not follow",
                    group.ask(1, "REPLICAOF", "127.0.0.1", "1")[1].startswith(b"ERR semi-sync-members does not name"))
        check.holds("nor itself", group.ask(1, "REPLICAOF", "127.0.0.1", str(group.ports[1]))[0] == "-")

        writer = Writer(group.ports)
        until(lambda: writer.told > 100)
        # Who leads is not led by another, as long as it is there.
        group.ask(1, "REPLICAOF", "NO", "ONE")
        check.holds("it is a candidate", until(lambda: group.fields(1)["semi_sync_is_candidate"] == "1"))
        check.holds("and does not lead", not group.leads(1, 2) and group.is_leader(0))
        group.ask(1, "REPLICAOF", "127.0.0.1", str(group.ports[0]))
        told = writer.told
        until(lambda: writer.told > told + 100)

        group.members[0].kill()
        group.ask(1, "REPLICAOF", "NO", "ONE")
        check.holds("after a kill a replica leads", group.leads(1))
        group.members[0].start()
        group.ask(0, "REPLICAOF", "127.0.0.1", str(group.ports[1]))
        check.holds("the first follows", group.all_follow(1))
        until(lambda: group.fields(0)["semi_sync_is_whole"] == "1")

        group.members[1].kill()
        group.ask(2, "REPLICAOF", "NO", "ONE")
        check.holds("after a kill another leads", group.leads(2))
        told = writer.told
        until(lambda: writer.told > told + 100)
        group.members[1].lose_data()
        group.members[1].start()
        check.holds("nobody was emptied by it", found_score(group, 0) >= told and found_score(group, 2) >= told)
        # Who leads has told it by itself, or does not any more.
        if group.fields(1).get("master_port") != str(group.ports[2]):
            group.ask(1, "REPLICAOF", "127.0.0.1", str(group.ports[2]))
        check.holds("it follows who leads", group.all_follow(2))

        # The leader itself comes back without anything, before anybody else was asked to lead.
        until(lambda: group.leads(2) and group.fields(2).get("connected_slaves") == "2")
        group.members[2].kill()
        group.members[2].lose_data()
        group.members[2].start()
        time.sleep(1.5)
        check.holds("an empty one promises nothing", group.ask(
            2, "REPLCONF", "ouro-promise", f"ouro:99:127.0.0.1:{group.ports[0]}")[1].startswith(b"NOTWHOLE"))
        check.holds("and shows nothing", group.ask(2, "ZSCORE", "z", "m") == ("-", b"MASTERDOWN " + NOBODY_LEADS))
        told = writer.told
        check.holds("an empty primary empties nobody", found_score(group, 0) >= told and found_score(group, 1) >= told)
        group.ask(2, "REPLICAOF", "NO", "ONE")
        check.holds("it leads with what the others have", group.leads(2) and found_score(group, 2) >= told)
        writer.end()
        check.holds("nothing that was told is lost", until(lambda: found_score(group, 2) >= writer.told))


def check_names(check, program):
    """Members whose names are looked up: what the C library takes for this host, and is no address to us."""
    with Group(program, check, host="127.1") as group:
        check.holds("by name: founded", group.found() and group.all_follow(0))
        until(lambda: group.fields(1)["semi_sync_is_whole"] == group.fields(2)["semi_sync_is_whole"] == "1")
        group.ask(0, "SET", "k", "1")
        group.members[0].kill()
        group.ask(1, "REPLICAOF", "NO", "ONE")
        check.holds("by name: another leads", group.leads(1) and group.ask(1, "GET", "k") == ("$", b"1"))
        check.holds("by name: it is followed", until(lambda: group.fields(2).get("master_port") == str(group.ports[1])))
        group.members[0].start()
        group.ask(0, "REPLICAOF", "127.1", str(group.ports[1]))
        check.holds("by name: the first follows", group.all_follow(1))
    with Server(program) as server:
        client = server.connect()
        client.call("REPLICAOF", "nobody.invalid", "1")
        unknown = b"Unable to connect to MASTER: nobody.invalid is not known"
        check.holds("a name that nobody knows", until(lambda: unknown in server.log.read_bytes()))


def check_failover(check, program, size, acks):
    with Group(program, check, size, "--semi-sync-acks", str(acks)) as group:
        check.holds("founded", group.found() and group.all_follow(0))
        writer = Writer(group.ports)
        until(lambda: writer.told > 100)
        writer.longest = 0.0
        for to in [*range(1, size), 0]:
            at = group.leader()
            check.holds("FAILOVER is taken", group.ask(at, "FAILOVER", "TO", "127.0.0.1", str(group.ports[to])) == ("+", b"OK"))
            check.holds(f"{to} leads", group.leads(to) and group.all_follow(to))
            told = writer.told
            until(lambda: writer.told > told + 50)
        writer.end()
        check.holds("nothing that was told is lost", found_score(group, 0) >= writer.told)
        check.holds("nobody waited for a lease to end", writer.longest < 0.3, writer.longest)
        print(f"of {size} members a switch took at most {writer.longest * 1000:.0f} ms")


class Sentinel(Process):
    """redis-sentinel, which watches one primary."""

    def __init__(self, watched):
        self.watched = watched
        super().__init__("redis-server")

    def command(self):
        path = pathlib.Path(self.folder.name) / "sentinel.conf"
        path.write_text(f"port {self.port}\nbind 127.0.0.1\ndir {self.folder.name}\n"
                        f"sentinel monitor it 127.0.0.1 {self.watched} 1\n"
                        f"sentinel down-after-milliseconds it {SENTINEL_DOWN_MS}\nsentinel failover-timeout it 3000\n")
        return [self.program, str(path), "--sentinel"]

    def answers(self):
        client = Connection(self.port, timeout_s=5)
        try:
            return client.call("PING")[0] == "+"
        finally:
            client.close()

    def is_done_with(self, port):
        """Its failover is over: what it has of the primary is that one's, and all is well."""
        client = Connection(self.port, timeout_s=5)
        try:
            words = [word for _, word in client.call("SENTINEL", "MASTER", "it")[1]]
            fields = dict(zip(words[::2], words[1::2]))
            return fields[b"port"] == str(port).encode() and fields[b"flags"] == b"master"
        finally:
            client.close()

    def told_leader(self):
        client = Connection(self.port, timeout_s=5)
        try:
            return int(client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "it")[1][1][1])
        finally:
            client.close()


def check_sentinel(check, program):
    with Group(program, check) as group:
        check.holds("founded", group.found() and group.all_follow(0))
        with Sentinel(group.ports[0]) as sentinel:
            client = Connection(sentinel.port)
            check.holds("sentinel sees both replicas",
                        until(lambda: len(client.call("SENTINEL", "REPLICAS", "it")[1]) == 2, 20))
            writer = Writer(group.ports)
            until(lambda: writer.told > 100)
            group.members[0].kill()
            check.holds("sentinel has another lead", until(lambda: sentinel.told_leader() != group.ports[0], 30))
            leader = group.ports.index(sentinel.told_leader())
            check.holds("which does", group.leads(leader))
            told = writer.told
            check.holds("it takes writes", until(lambda: writer.told > told + 100))
            group.members[0].lose_data()
            group.members[0].start()
            check.holds("what comes back is told whom to follow", until(
                lambda: group.fields(0).get("master_link_status") == "up", 40), group.fields(0))
            check.holds("sentinel is done", until(lambda: sentinel.is_done_with(group.ports[leader]), 40))
            # A leader that stands still does not lead when it goes on.
            leader = group.ports.index(sentinel.told_leader())
            at = group.members[leader].process
            at.send_signal(signal.SIGSTOP)
            check.holds("sentinel has a third lead", until(lambda: sentinel.told_leader() != group.ports[leader], 40))
            at.send_signal(signal.SIGCONT)
            check.holds("one leads and all others follow, the one before, too", until(group.is_settled, 30),
                        [group.fields(number) for number in range(3)])
            writer.end()
            check.holds("nothing that was told is lost", found_score(group, group.leader()) >= writer.told)
            print(f"with sentinel nobody took a write for at most {writer.longest:.1f} s")
            client.close()


def fails_to_start(member):
    """What a member says that does not start; empty if it does."""
    run = subprocess.Popen([*member.command(), *member.options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           stdin=subprocess.DEVNULL)
    try:
        said = run.communicate(timeout=5)[0]
        return said if run.returncode else b""
    except subprocess.TimeoutExpired:
        run.kill()
        run.communicate()
        return b""


def check_votes(check, program):
    """What a member has promised: a file that is damaged, or another's, is not taken for none."""
    with Group(program, check) as group:
        check.holds("founded", group.found() and group.all_follow(0))
        check.holds("it is whole", until(lambda: group.fields(2)["semi_sync_is_whole"] == "1"))
        one, two = (pathlib.Path(group.members[number].folder.name) / "semi-sync.votes" for number in (1, 2))
        refused = group.ask(2, "CONFIG", "SET", "dir", "/")
        check.holds("its folder stays", refused[0] == "-" and b"stays in the folder" in refused[1], refused)
        promised = group.fields(2)["semi_sync_promised"]
        group.members[2].stop()
        good = two.read_bytes()
        lines = good.decode().splitlines()
        check.holds("it says whose it is", lines[:2] == [f"member 127.0.0.1:{group.ports[2]}", f"promised {promised}"], lines)
        for bad in good[:-1], good[1:], b"", good.replace(b"ouro:1", b"ouro:2"), good * 2:
            two.write_bytes(bad)
            said = fails_to_start(group.members[2])
            check.holds(f"damaged: {bad}", b"semi-sync.votes is damaged" in said and b"Remove it to have" in said, said)
            check.holds("and left as it is", two.read_bytes() == bad)
        two.write_bytes(one.read_bytes())
        said = fails_to_start(group.members[2])
        check.holds("another's", f"what 127.0.0.1:{group.ports[1]} has promised".encode() in said, said)
        two.unlink()
        two.mkdir()
        check.holds("unreadable", b"Cannot read semi-sync.votes" in fails_to_start(group.members[2]))
        two.rmdir()
        for text in f"promised {promised}\n".encode(), None:
            if text:
                two.write_bytes(text)
            group.members[2].start()
            check.holds("it starts", not text or group.fields(2)["semi_sync_promised"] == promised)
            group.ask(2, "REPLICAOF", "127.0.0.1", str(group.ports[0]))
            check.holds("it is whole again", until(lambda: group.fields(2)["semi_sync_is_whole"] == "1"))
            check.holds("and has its votes again", until(lambda: two.exists() and two.read_bytes() == good, 5))
            group.members[2].stop()
            two.unlink()


def check_configuration(check, program):
    port = free_port()
    names = f"127.0.0.1:{port} 127.0.0.1:{port + 1} 127.0.0.1:{port + 2}"
    for words, says in ((["--semi-sync-members", "127.0.0.1:1 127.0.0.1:2"], b"does not name this node"),
                        (["--semi-sync-members", f"a:{port} b:{port}"], b"set replica-announce-ip"),
                        (["--semi-sync-members", names, "--semi-sync-acks", "3"], b"must be less than the number"),
                        (["--semi-sync-members", "nowhere"], b"a member is 'host:port'"),
                        (["--semi-sync-members", "a:1 a:1"], b"a member is named twice")):
        run = subprocess.run([program, "--port", str(port), "--save", "", *words], capture_output=True, timeout=20, cwd="/tmp",
                             check=False)
        check.holds(f"refused: {words}", run.returncode != 0 and says in run.stdout + run.stderr, run.stdout + run.stderr)
    with Server(program) as server, Server("redis-server") as redis:
        client = server.connect()
        own = f"127.0.0.1:{server.port}"
        wrong = client.call("CONFIG", "SET", "semi-sync-members", "127.0.0.1:1 127.0.0.1:2")
        check.holds("CONFIG SET: not this node", wrong[0] == "-" and b"does not name this node" in wrong[1], wrong)
        check.holds("and nothing has changed", client.call("SET", "k", "1") == ("+", b"OK"))
        client.call("CONFIG", "SET", "semi-sync-members", f"{own} 127.0.0.1:{redis.port}")
        client.call("REPLICAOF", "127.0.0.1", str(redis.port))
        check.holds("redis-server is no member", not until(lambda: info(client).get("master_link_status") == "up", 1.5))
        check.holds("REPLCONF: no member", client.call("REPLCONF", "ouro-promise", "ouro:9:1.2.3.4:5")[0] == "-")
        check.holds("REPLCONF: no ballot", client.call("REPLCONF", "ouro-follow", "x")[0] == "-")


def main():
    check = Check()
    program = str(pathlib.Path(sys.argv[1]).resolve() / "ouro-server")
    check_configuration(check, program)
    check_votes(check, program)
    check_by_hand(check, program)
    check_names(check, program)
    check_failover(check, program, 3, 1)
    check_failover(check, program, 5, 2)
    check_sentinel(check, program)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
