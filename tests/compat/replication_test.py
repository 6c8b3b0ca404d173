#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ouro as the primary of redis-server:

    replication_test.py BUILD [--seed N]

Random commands of all families go to ouro before its replicas come, while they take in a snapshot, and while they follow;
then every replica must have the same data, but for what is due within
a minute and what streams know of their consumers (not every change of that is told to replicas), and go on where it was
when its connection is lost. Then what replicas and clients ask of a primary: WAIT, ROLE, INFO, snapshots alone,
min-replicas-to-write, an end that waits.
"""
import argparse
import contextlib
import pathlib
import re
import signal
import subprocess
import sys
import time

from check import Check, side_by_side
from dump_test import FAMILIES, comparable, may_wait, reading
from families import Generator
from follow_test import info, until
from resp import encode, show
from servers import Server
from templates import Draw

DEBUG = ("--enable-debug-command", "yes")
SOON = ("--repl-diskless-sync-delay", "0")
WAIT_MS = 20_000


def write(client, seed, blocks=200):
    """Random changes of every kind of value; options, which replicas have their own of, stay."""
    for family in FAMILIES:
        draw = Draw(f"{seed}:{family}", keys_a_kind=8)
        for group in Generator(family, draw).take(blocks):
            for command in group:
                if not may_wait(command.args) and command.args[0].upper() != b"CONFIG":
                    client.call(*command.args)
    client.call("SELECT", "0")


def ask_all(client, commands):
    """The replies to many commands, sent some hundred at a time."""
    for at in range(0, len(commands), 500):
        part = commands[at:at + 500]
        client.send(*part)
        for _ in part:
            yield client.read()


def stored(server):
    """What there is in all databases."""
    client = server.connect()
    found = {}
    for db in range(16):
        client.call("SELECT", db)
        keys = [key for _, key in client.call("KEYS", "*")[1]]
        deadlines = [int(reply[1]) for reply in ask_all(client, [["PEXPIRETIME", key] for key in keys])]
        soon = (time.time() + 60) * 1000
        lasting = {key: deadline for key, deadline in zip(keys, deadlines) if deadline < 0 or deadline > soon}
        kinds = [reply[1] for reply in ask_all(client, [["TYPE", key] for key in lasting])]
        reads = [["XRANGE", key, "-", "+"] if kind == b"stream" else reading(kind, key) for key, kind in zip(lasting, kinds)]
        for (key, deadline), kind, reply in zip(lasting.items(), kinds, ask_all(client, reads)):
            found[db, key] = kind, deadline, comparable(kind, reply) if kind != b"stream" else reply
    return found


def differing(a, b):
    """The first things that two servers have not in common, of what is stored in them."""
    return [(place, show(a.get(place, (0, 0, ("+", b"")))[2]), show(b.get(place, (0, 0, ("+", b"")))[2]))
            for place in sorted(set(a) | set(b)) if a.get(place) != b.get(place)][:3]


def is_online(primary, replicas):
    facts = info(primary.connect())
    return sum("state=online" in facts.get(f"slave{i}", "") for i in range(10)) == replicas


def follow(replica, primary):
    replica.connect().call("REPLICAOF", "127.0.0.1", primary.port)


def have_same(check, what, primary, replicas):
    """Replicas have taken in all, and it is the same."""
    client = primary.connect()
    client.call("INCR", "written last")
    reply = client.call("WAIT", len(replicas), WAIT_MS)
    check.holds(f"{what}: acknowledged", reply == (":", b"%d" % len(replicas)), reply)
    expected = stored(primary)
    for replica in replicas:
        differs = differing(expected, stored(replica))
        check.holds(f"{what}: same data", not differs, differs)


def drop_replicas(primary):
    primary.connect().call("CLIENT", "KILL", "TYPE", "replica")


def stats(primary):
    facts = info(primary.connect(), "stats")
    return int(facts["sync_full"]), int(facts["sync_partial_ok"])


def test_full_sync(check, program, seed, *options):
    """Three replicas, one walk, while data change."""
    with Server(program, *DEBUG, *options) as primary, Server("redis-server", *DEBUG) as a, \
            Server("redis-server", *DEBUG) as b, Server("redis-server", *DEBUG) as c:
        client = primary.connect()
        write(client, f"{seed}:before")
        client.call("DEBUG", "POPULATE", "20000", "key", "200")
        client.call("CONFIG", "SET", "rdb-key-save-delay", "20")
        for replica in a, b, c:
            follow(replica, primary)
        write(client, f"{seed}:meanwhile")
        check.holds("replicas come", until(lambda: is_online(primary, 3), 60), primary.log_tail(20))
        write(client, f"{seed}:after")
        have_same(check, f"full sync {options}", primary, (a, b, c))
        walks = primary.log.read_text().count("Starting BGSAVE for SYNC")
        check.holds("one walk serves those who wait", walks <= 2, walks)
        before = stats(primary)
        drop_replicas(primary)
        write(client, f"{seed}:away")
        check.holds("replicas come back", until(lambda: is_online(primary, 3), 20), primary.log_tail(20))
        have_same(check, "after a lost connection", primary, (a, b, c))
        check.holds("by partial syncs", stats(primary) == (before[0], before[1] + 3), (before, stats(primary)))


def begin_slow_sync(check, what, primary, replicas):
    """Replicas are sent 40 MB, more than sockets hold, as slowly as the delay of each key says."""
    client = primary.connect()
    client.call("CONFIG", "SET", "rdbcompression", "no")
    client.call("DEBUG", "POPULATE", "4000", "key", "10000")
    client.call("CONFIG", "SET", "rdb-key-save-delay", "500")
    for replica in replicas:
        follow(replica, primary)
    taken = [replica.connect() for replica in replicas]
    check.holds(f"{what}: all take it",
                until(lambda: all(info(replica)["master_sync_in_progress"] == "1" for replica in taken)))
    return client


def saves(client):
    return info(client, "persistence")["rdb_bgsave_in_progress"] == "1"


def test_replicas_leave(check, program):
    """While a snapshot is sent to three, one dies and one stands still: the third has it all the same."""
    # One walk begins when all are there.
    together = ("--repl-diskless-sync-delay", "60", "--repl-diskless-sync-max-replicas")
    with Server(program, *DEBUG, *together, "3", "--repl-timeout", "3") as primary, \
            Server("redis-server", *DEBUG) as dies, Server("redis-server", *DEBUG) as stands, \
            Server("redis-server", *DEBUG) as stays:
        client = begin_slow_sync(check, "one dies", primary, (dies, stands, stays))
        dies.process.kill()
        stands.process.send_signal(signal.SIGSTOP)
        client.call("CONFIG", "SET", "rdb-key-save-delay", "0", "repl-diskless-sync-max-replicas", "1")
        check.holds("one is there", until(lambda: is_online(primary, 1), 20), primary.log_tail(20))
        check.holds("one is waited for no longer", "Disconnecting timedout replica (full sync)" in primary.log.read_text())
        have_same(check, "who stays", primary, (stays,))
        stands.process.send_signal(signal.SIGCONT)
        check.holds("who stood still comes back", until(lambda: is_online(primary, 2), 20), primary.log_tail(20))
        have_same(check, "both", primary, (stays, stands))
    with Server(program, *DEBUG, *together, "2") as primary, Server("redis-server", *DEBUG) as one, \
            Server("redis-server", *DEBUG) as other:
        client = begin_slow_sync(check, "all leave", primary, (one, other))
        for replica in one, other:
            check.holds("it leaves", replica.connect().call("REPLICAOF", "NO", "ONE") == ("+", b"OK"))
        check.holds("nothing is made for nobody", until(lambda: not saves(client)), primary.log_tail(20))
        client.call("CONFIG", "SET", "repl-diskless-sync-max-replicas", "1")
        follow(one, primary)
        check.holds("another is", until(lambda: saves(client)))
        client.call("FLUSHALL")
        client.call("SET", "behind", "it")
        client.call("CONFIG", "SET", "rdb-key-save-delay", "0")
        check.holds("it is sent", until(lambda: is_online(primary, 1), 20), primary.log_tail(20))
        have_same(check, "all was removed meanwhile", primary, (one,))


def test_removed_keys_stay_away(check, program):
    """What is removed while the file of a sync is written does not come back when the primary starts again."""
    with Server(program, *DEBUG, *SOON, "--repl-diskless-sync", "no") as primary, Server("redis-server", *DEBUG) as replica:
        client = primary.connect()
        client.call("DEBUG", "POPULATE", "1000")
        client.call("CONFIG", "SET", "rdb-key-save-delay", "1000")
        follow(replica, primary)
        check.holds("a file is written", until(lambda: saves(client)))
        client.call("FLUSHALL")
        client.call("CONFIG", "SET", "rdb-key-save-delay", "0")
        check.holds("it is sent", until(lambda: is_online(primary, 1)), primary.log_tail(20))
        have_same(check, "all was removed", primary, (replica,))
        replica.connect().call("REPLICAOF", "NO", "ONE")
        check.holds("a file is not left", until(lambda: not list(pathlib.Path(primary.folder.name).glob("*rdb"))))
        primary.stop()
        primary.start()
        check.holds("nothing is back", primary.connect().call("DBSIZE") == (":", b"0"))


def test_backlog_too_small(check, program, seed):
    with Server(program, *DEBUG, *SOON, "--repl-backlog-size", "16kb") as primary, \
            Server("redis-server", *DEBUG) as replica:
        follow(replica, primary)
        check.holds("it comes", until(lambda: is_online(primary, 1)))
        before = stats(primary)
        client = primary.connect()
        client.send(["MULTI"], ["CLIENT", "KILL", "TYPE", "replica"], ["SET", "large", "x" * 100_000], ["EXEC"])
        for _ in range(4):
            client.read()
        write(client, seed, blocks=20)
        check.holds("it comes back", until(lambda: is_online(primary, 1)))
        have_same(check, "backlog too small", primary, (replica,))
        check.holds("by a full sync", stats(primary)[0] == before[0] + 1, (before, stats(primary)))


def test_restart(check, program, seed):
    """A primary that was saved goes on in its stream."""
    with Server(program, *DEBUG, *SOON) as primary, Server("redis-server", *DEBUG) as replica:
        follow(replica, primary)
        check.holds("it comes", until(lambda: is_online(primary, 1)))
        client = primary.connect()
        write(client, seed, blocks=50)
        client.call("SET", "goes", "x", "PX", "300")
        client.call("WAIT", "1", WAIT_MS)
        client.send(["SHUTDOWN", "SAVE"])
        primary.process.wait(30)
        # What is due by then has to go from the replica, too.
        reader = replica.connect()
        check.holds("it is due", until(lambda: reader.call("GET", "goes") == ("$", None)))
        primary.process = subprocess.Popen([*primary.command(), *primary.options], stdout=subprocess.DEVNULL)
        check.holds("it comes back", until(lambda: until_answers(primary) and is_online(primary, 1), 30))
        write(primary.connect(), f"{seed}:again", blocks=50)
        have_same(check, "after a restart", primary, (replica,))
        check.holds("by a partial sync", stats(primary) == (0, 1), stats(primary))


def until_answers(server):
    try:
        return server.answers()
    except OSError:
        return False


def test_chain(check, program, seed):
    """redis-server <- ouro <- redis-server: one stream."""
    with Server("redis-server", *DEBUG, *SOON) as top, Server(program, *DEBUG, *SOON) as middle, \
            Server("redis-server", *DEBUG) as bottom:
        write(top.connect(), seed, blocks=50)
        follow(middle, top)
        check.holds("the middle comes", until(lambda: is_online(top, 1)))
        follow(bottom, middle)
        check.holds("the end comes", until(lambda: is_online(middle, 1)), middle.log_tail(20))
        write(top.connect(), f"{seed}:more", blocks=50)

        def same():
            facts = [info(server.connect()) for server in (top, middle, bottom)]
            return len({fact["master_repl_offset"] for fact in facts}) == 1
        check.holds("all have the same offset", until(same))
        ids = {info(server.connect())["master_replid"] for server in (top, middle, bottom)}
        check.holds("and the same stream", len(ids) == 1, ids)
        # Those who were told the same: a BITFIELD that fails makes redis-server's string longer, and it tells nobody.
        differs = differing(stored(middle), stored(bottom))
        check.holds("and data", not differs, differs)
        # The middle leads: who follows it goes on.
        before = stats(middle)
        middle.connect().call("REPLICAOF", "NO", "ONE")
        check.holds("the end comes back", until(lambda: is_online(middle, 1)))
        check.holds("by a partial sync", stats(middle) == (before[0], before[1] + 1), (before, stats(middle)))
        write(middle.connect(), f"{seed}:led", blocks=20)
        have_same(check, "after a promotion", middle, (bottom,))


def test_what_is_asked(check, program):
    with Server(program, *SOON) as primary, Server("redis-server") as replica:
        client = primary.connect()
        client.call("CONFIG", "SET", "min-replicas-to-write", "1")
        check.holds("no replica, no write", client.call("SET", "k", "v")[1].startswith(b"NOREPLICAS"))
        follow(replica, primary)
        check.holds("it comes", until(lambda: is_online(primary, 1)))
        check.holds("one is enough", client.call("SET", "k", "v") == ("+", b"OK"))
        role = client.call("ROLE")[1]
        check.holds("ROLE", role[0] == ("$", b"master") and role[2][1][0][1][1] == ("$", b"%d" % replica.port), role)
        check.holds("CLIENT LIST", b"flags=S " in client.call("CLIENT", "LIST", "TYPE", "replica")[1])
        replica.process.send_signal(signal.SIGSTOP)
        client.call("SET", "k", "w")
        check.holds("WAIT ends by the clock", client.call("WAIT", "1", "200") == (":", b"0"))
        ended = primary.connect()
        ended.send(["SHUTDOWN"])
        check.holds("an end that waits shows",
                    until(lambda: "shutdown_in_milliseconds" in info(primary.connect(), "server")))
        client.call("SHUTDOWN", "ABORT")
        check.holds("and can be stopped", ended.read()[0] == "-")
        ended.send(["SHUTDOWN"])
        replica.process.send_signal(signal.SIGCONT)
        primary.process.wait(20)
        check.holds("all have it at the end", "1 of 1 replicas are in sync" in primary.log.read_text())


def client_line(client, *words):
    """The fields of the only client of a kind."""
    return dict(field.split("=", 1) for field in client.call("CLIENT", "LIST", *words)[1].decode().split())


def test_what_waits_for_it(check, program):
    """CLIENT LIST tells what a replica that stands still has not been sent, as redis-server does."""
    for name in "redis-server", program:
        with Server(name, *SOON) as primary, Server("redis-server") as replica:
            what, client = pathlib.Path(name).name, primary.connect()
            follow(replica, primary)
            check.holds(f"{what}: it comes", until(lambda: is_online(primary, 1)))
            replica.process.send_signal(signal.SIGSTOP)
            for _ in range(40):
                client.call("SET", "k", "x" * 1_000_000)
            seen = client_line(client, "TYPE", "replica")
            replica.process.send_signal(signal.SIGCONT)
            # Some of it stands in the sockets.
            check.holds(f"{what}: omem", 25_000_000 < int(seen["omem"]) < 41_000_000, seen)
            check.holds(f"{what}: tot-mem", int(seen["omem"]) < int(seen["tot-mem"]) < 42_000_000, seen)
            check.holds(f"{what}: it has all", client.call("WAIT", "1", WAIT_MS) == (":", b"1"))
            seen = client_line(client, "TYPE", "replica")
            check.holds(f"{what}: nothing waits", int(seen["omem"]) < 1_100_000, seen)


def test_output_limit(check, program):
    """What a replica misses while it takes in a snapshot is not held against it, up to what a new one would bring; what it leaves
    lying later is."""
    limit = ("--client-output-buffer-limit", "replica 1mb 0 0", "--repl-backlog-size", "16kb")
    with Server(program, *DEBUG, *SOON, *limit) as primary, Server("redis-server", *DEBUG) as replica:
        client = primary.connect()
        client.call("DEBUG", "POPULATE", "2000", "key", "100")
        client.call("SET", "largest", "x" * 25_000_000)
        client.call("CONFIG", "SET", "rdb-key-save-delay", "1000")
        follow(replica, primary)
        check.holds("it begins", until(lambda: info(client, "persistence")["rdb_bgsave_in_progress"] == "1"))
        for number in range(200):
            client.call("SET", f"large {number}", "x" * 100_000)
        check.holds("it is not there yet", not is_online(primary, 1))
        have_same(check, "caught up", primary, (replica,))
        check.holds("by one sync", stats(primary) == (1, 0), (stats(primary), primary.log_tail(10)))
        replica.process.send_signal(signal.SIGSTOP)
        for number in range(200):
            client.call("SET", f"large {number}", "y" * 100_000)
        check.holds("one that stands still is let go of", until(lambda: "overcoming of output" in primary.log.read_text()))
        client.call("CONFIG", "SET", "rdb-key-save-delay", "0")
        replica.process.send_signal(signal.SIGCONT)
        check.holds("it comes back", until(lambda: is_online(primary, 1) and stats(primary)[0] == 2))
        have_same(check, "after that", primary, (replica,))


# What a replica may say besides what belongs to the stream; * stands for what is no command at all.
SAID = """PING|GET k|SET k v|REPLCONF ACK 0|REPLCONF listening-port 1|NONSENSE|SUBSCRIBE c|CLIENT REPLY OFF,PING|MULTI|WAIT 1 50
|CLIENT REPLY SKIP,PING|PSYNC ? -1|SYNC|QUIT|RESET|REPLCONF GETACK *|*|SELECT 1|EVAL return 0|INFO|WATCH a|ACL WHOAMI|SLOWLOG GET
|XINFO HELP"""


def say_as_replica(server, said, before=()):
    """Whether the link ends because of what a replica says behind PSYNC, what the log has to say to that, and whether it
    was answered."""
    start = server.log.stat().st_size
    client, other = server.connect(), server.connect()
    number = client.call("CLIENT", "ID")[1]
    for command in before:
        client.call(*command)
    client.send(["PSYNC", "?", "-1"])
    client.send_bytes(b"*x\r\n" if said == "*" else b"".join(encode(part.split()) for part in said.split(",")))
    last = said.split(",")[-1].split()[0].lower()

    def line():
        return other.call("CLIENT", "LIST", "ID", number)[1].decode()

    def was_heard():
        seen = line()
        return not seen or (f" cmd={last} " in seen and not re.search(r" flags=\w*[bA]", seen))
    until(was_heard)
    if before:
        other.call("PUBLISH", "c", "message")
        until(lambda: not line())
    ends = not line()
    client.socket.settimeout(20 if ends else 0.05)
    received = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while data := client.socket.recv(1 << 18):
            received += data
    client.close()
    lines = server.log.read_bytes()[start:].decode(errors="replace").splitlines()
    told = re.findall(r"(Replica generated a reply to command '.*?', disconnecting it|== CRITICAL == .*)", "\n".join(lines))
    # Redis leaves the error's code out.
    return ends, sorted(line.replace("'ERR ", "'") for line in told), b"+OK" in received or b"PONG" in received


def test_what_a_replica_says(check, program):
    """A replica that is answered is let go of, and the answer does not stand in its stream."""
    with Server("redis-server", *SOON) as theirs, Server(program, *SOON) as ours:
        for said in SAID.replace("\n", "").split("|"):
            expected, seen = (say_as_replica(server, said) for server in (theirs, ours))
            check.holds(f"a replica says {said}", expected == seen, (expected, seen))
        subscribed = (["HELLO", "3"], ["SUBSCRIBE", "c"])
        expected, seen = (say_as_replica(server, "REPLCONF ACK 0", subscribed) for server in (theirs, ours))
        check.holds("a message ends it", expected[0], expected)
        check.holds("a replica is sent a message", expected == seen, (expected, seen))


def test_snapshots_alone(check, program):
    with Server(program, *SOON) as primary:
        client = primary.connect()
        client.call("SET", "a", "1")
        client.call("FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)")
        for option, keys in ("--rdb", 1), ("--functions-rdb", 0):
            path = pathlib.Path(primary.folder.name) / "copy.rdb"
            subprocess.run(["redis-cli", "-p", str(primary.port), option, str(path)], check=True, capture_output=True)
            seen = subprocess.run(["redis-check-rdb", str(path)], check=False, capture_output=True, text=True).stdout
            check.holds(option, f"{keys} keys read" in seen and "RDB looks OK" in seen, seen)
            check.holds(f"{option} has functions", b"register_function" in path.read_bytes())
        check.holds("nobody is left", until(lambda: is_online(primary, 0)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seed", default=str(time.time_ns() % 1000))
    parser.add_argument("--only", default="")
    args = parser.parse_args()
    program = str(args.build / "ouro-server")
    print(f"--seed={args.seed}")
    check = Check()
    tests = {
        "diskless": lambda: test_full_sync(check, program, args.seed, "--repl-diskless-sync-delay", "1"),
        "file": lambda: test_full_sync(check, program, args.seed, "--repl-diskless-sync", "no"),
        "backlog": lambda: test_backlog_too_small(check, program, args.seed),
        "leave": lambda: test_replicas_leave(check, program),
        "removed": lambda: test_removed_keys_stay_away(check, program),
        "restart": lambda: test_restart(check, program, args.seed),
        "chain": lambda: test_chain(check, program, args.seed),
        "asked": lambda: test_what_is_asked(check, program),
        "waits": lambda: test_what_waits_for_it(check, program),
        "limit": lambda: test_output_limit(check, program),
        "says": lambda: test_what_a_replica_says(check, program),
        "snapshots": lambda: test_snapshots_alone(check, program),
    }
    side_by_side([test for name, test in tests.items() if args.only in name])
    print(f"{check.passed} passed, {check.failed} failed")
    return int(check.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
