#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Replies that wait for replicas, over real sockets: ouro with two replicas that may stand still, and a redis-server as one.

    semi_sync_test.py BUILD
"""
import pathlib
import signal
import sys
import time

from check import Check
from servers import Server

REFUSED = b"READONLY Too few replicas acknowledge"
HIDDEN = b"MASTERDOWN Too few replicas acknowledge"
OK = ("+", b"OK")


def fields(client, section="replication"):
    return dict(line.split(":", 1) for line in client.call("INFO", section)[1].decode().split("\r\n") if ":" in line)


def until(holds, seconds=20):
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds()


def follow(replica, primary):
    client = replica.connect()
    client.call("REPLICAOF", "127.0.0.1", str(primary.port))
    return until(lambda: fields(client).get("master_link_status") == "up")


def stop(*servers):
    for server in servers:
        server.process.send_signal(signal.SIGSTOP)


def go_on(*servers):
    for server in servers:
        server.process.send_signal(signal.SIGCONT)


def answer(client):
    """The next reply; none if the connection is closed."""
    try:
        return client.read()
    except (ConnectionError, EOFError):
        return None


def check_refusal(check, primary, replicas, name):
    client, other = primary.connect(), primary.connect()
    check.holds(f"{name}: acknowledged", client.call("SET", "k", "1") == OK and fields(client)["semi_sync_state"] == "on")
    stop(*replicas)
    client.send(["SET", "k", "2"])
    other.send(["GET", "k"])
    check.holds(f"{name}: who waits in vain is told nothing", answer(client) is None and answer(other) is None)
    client = primary.connect()
    check.holds(f"{name}: writes are refused", client.call("SET", "k", "3")[1].startswith(REFUSED))
    check.holds(f"{name}: so are reads of what nobody acknowledged", client.call("GET", "k")[1].startswith(HIDDEN))
    check.holds(f"{name}: INFO says so", fields(client)["semi_sync_state"] == "refusing")
    go_on(*replicas)
    check.holds(f"{name}: it goes on by itself", until(lambda: client.call("SET", "k", "4") == OK))
    check.holds(f"{name}: the replica has it", until(lambda: replicas[0].connect().call("GET", "k") == ("$", b"4")))


def check_two_replicas(check, program):
    options = ("--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes")
    with Server(program, *options, "--semi-sync-timeout", "400") as primary, Server(program) as one, Server(program) as two:
        client = primary.connect()
        check.holds("off at first", fields(client)["semi_sync_state"] == "off")
        client.call("CONFIG", "SET", "semi-sync-acks", "1")
        check.holds("none without replicas", client.call("SET", "k", "0")[1].startswith(REFUSED))
        check.holds("but what is there is read", client.call("GET", "k") == ("$", None))
        check.holds("both follow", follow(one, primary) and follow(two, primary))
        check.holds("with them writes are taken", until(lambda: client.call("SET", "k", "0") == OK))
        stop(one)
        check.holds("one of the two is enough", [client.call("INCR", "n") for _ in range(100)][-1] == (":", b"100"))
        go_on(one)
        check_refusal(check, primary, [one, two], "two replicas")

        client.call("CONFIG", "SET", "semi-sync-visibility", "relaxed")
        stop(one, two)
        other = primary.connect()
        other.send(["SET", "k", "5"])
        check.holds("relaxed: a read does not wait", until(lambda: client.call("GET", "k") == ("$", b"5")))
        go_on(one, two)
        check.holds("relaxed: the write does", answer(other) in (OK, None))
        client.call("CONFIG", "SET", "semi-sync-visibility", "lossless")

        client.call("CONFIG", "SET", "semi-sync-timeout-policy", "degrade")
        stop(one, two)
        check.holds("degrade: the answer comes without them", client.call("SET", "k", "6") == OK)
        check.holds("degrade: INFO says so", fields(client)["semi_sync_state"] == "degraded")
        go_on(one, two)
        check.holds("degrade: and is over when they are back", until(lambda: fields(client)["semi_sync_state"] == "on"))


def check_redis_replica(check, program):
    with Server(program, "--repl-diskless-sync-delay", "0", "--semi-sync-acks", "1", "--semi-sync-timeout", "400") as primary, \
            Server("redis-server") as replica:
        check.holds("redis-server follows", follow(replica, primary))
        client = primary.connect()
        check.holds("redis-server acknowledges", until(lambda: client.call("SET", "k", "0") == OK))
        check_refusal(check, primary, [replica], "redis-server")


def check_acks_of_one_call(check, program):
    """CLIENT ACKS: another number for one call."""
    options = ("--repl-diskless-sync-delay", "0", "--semi-sync-timeout", "2000")
    with Server(program, *options) as primary, Server(program) as one, Server("redis-server") as two:
        check.holds("both follow", follow(one, primary) and follow(two, primary))
        client, other = primary.connect(), primary.connect()
        check.holds("ACKS 2: answered", client.call("CLIENT", "ACKS", "2") == OK and client.call("SET", "k", "0") == OK)
        for acks in ("0", "1"):
            other.call("CONFIG", "SET", "semi-sync-acks", acks)
            check.holds("writes are taken", until(lambda: other.call("SET", "k", "0") == OK))
            stop(two)
            for words in (["CLIENT", "ACKS", "1"], ["SET", "k", "1"], ["CLIENT", "ACKS", "2"], ["INCR", "k"], ["INCR", "k"]):
                client.send(words)
            check.holds("ACKS 1: one is enough", [client.read() for _ in range(3)] == [OK] * 3)
            check.holds("ACKS 2: what stands behind it has not run", other.call("GET", "k") == ("$", b"2"))
            check.holds("ACKS 2: it waits", fields(other)["semi_sync_calls_waiting"] == "1")
            check.holds("ACKS 2: CLIENT UNBLOCK is no answer", other.call(
                "CLIENT", "UNBLOCK", id_of(other, "incr")) == (":", b"0"))
            go_on(two)
            check.holds("ACKS 2: answered when both have it", [client.read() for _ in range(2)] == [(":", b"2"), (":", b"3")])
        stop(one, two)
        client.send(["CLIENT", "ACKS", "0"])
        client.send(["SET", "k", "9"])
        check.holds("ACKS 0: nobody is waited for", client.read() == OK and client.read() == OK)
        go_on(one, two)
        check.holds("it goes on", until(lambda: primary.connect().call("SET", "k", "0") == OK))
        client, other = primary.connect(), primary.connect()
        stop(two)
        client.call("CLIENT", "ACKS", "2")
        client.send(["INCR", "k"])
        check.holds("ACKS 2: in vain it is told nothing", answer(client) is None)
        check.holds("ACKS 2: it has happened", other.call("GET", "k") == ("$", b"1"))
        go_on(two)


def id_of(client, command):
    """The id of the connection whose last command was this."""
    lines = client.call("CLIENT", "LIST")[1].decode().splitlines()
    return next(line.split()[0][3:] for line in lines if f" cmd={command} " in line)


def check_disk(check, program):
    """What is on disk, here and at a replica."""
    logged = ("--appendonly", "yes", "--appendfsync", "always")
    with Server(program, "--repl-diskless-sync-delay", "0", *logged) as primary, Server(program, *logged) as replica:
        client = primary.connect()
        check.holds("WAITAOF: out of range", client.call("WAITAOF", "2", "0", "0")[0] == "-")
        client.call("SET", "k", "1")
        check.holds("WAITAOF: here", client.call("WAITAOF", "1", "0", "0") == ("*", [(":", b"1"), (":", b"0")]))
        check.holds("WAITAOF: nobody else", client.call("WAITAOF", "1", "1", "50") == ("*", [(":", b"1"), (":", b"0")]))
        check.holds("it follows", follow(replica, primary))
        client.call("SET", "k", "2")
        check.holds("WAITAOF: at the replica", client.call("WAITAOF", "1", "1", "5000") == ("*", [(":", b"1"), (":", b"1")]))
        client.call("CONFIG", "SET", "semi-sync-durability", "disk", "semi-sync-acks", "1")
        check.holds("a write waits for the replica's disk", until(lambda: client.call("SET", "k", "3") == OK))
        replica.connect().call("CONFIG", "SET", "appendonly", "no")
        client.send(["SET", "k", "4"])
        check.holds("without a log there it waits in vain", answer(client) is None)
        refused = replica.connect().call("WAITAOF", "0", "0", "0")
        check.holds("WAITAOF: not on a replica", refused[1].startswith(b"ERR WAITAOF cannot be used with replica"))
    with Server(program) as server:
        refused = server.connect().call("WAITAOF", "1", "0", "0")
        check.holds("WAITAOF: no log", refused[1].startswith(b"ERR WAITAOF cannot be used when numlocal is set"))


def check_offsets(check, program):
    """Where a node is in the stream is what it has applied, after a start and after a change of roles."""
    with Server(program, "--repl-diskless-sync-delay", "0") as primary, Server(program, "--semi-sync-acks", "1") as replica:
        check.holds("it follows", follow(replica, primary))
        writer = primary.connect()
        for _ in range(300):
            writer.call("INCR", "n")
        until(lambda: fields(replica.connect())["slave_repl_offset"] == fields(writer)["master_repl_offset"])
        replica.connect().send(["SHUTDOWN", "SAVE"])
        replica.stop()
        replica.start()
        check.holds("it follows after a start", follow(replica, primary))
        for _ in range(5):
            writer.call("INCR", "n")
            writer.call("CLIENT", "KILL", "TYPE", "replica")
            check.holds("nothing is applied twice",
                        until(lambda: replica.connect().call("GET", "n") == writer.call("GET", "n"), 5))
    with Server(program, "--repl-diskless-sync-delay", "0") as one, Server(program) as two:
        check.holds("it follows", follow(two, one))
        a, b, waiting = one.connect(), two.connect(), one.connect()
        a.call("CLIENT", "PAUSE", "60000", "WRITE")
        waiting.send(["WAIT", "1", "100"])
        b.call("REPLICAOF", "NO", "ONE")
        a.call("REPLICAOF", "127.0.0.1", str(two.port))
        a.call("CLIENT", "UNPAUSE")
        check.holds("roles have changed", until(lambda: fields(a).get("master_link_status") == "up"))
        b.call("CLIENT", "KILL", "TYPE", "replica")
        b.call("SET", "abcdef", "123456")
        check.holds("the next command is there", until(lambda: a.call("GET", "abcdef") == ("$", b"123456"), 5))
        check.holds("the offsets are one", until(
            lambda: fields(a)["master_repl_offset"] == fields(b)["master_repl_offset"], 5))


def check_replica_wait(check, program):
    """A read on a replica that is no older than a write."""
    with Server(program, "--repl-diskless-sync-delay", "0") as primary, Server(program) as replica:
        check.holds("it follows", follow(replica, primary))
        writer, reader, other = primary.connect(), replica.connect(), replica.connect()

        def written(value):
            writer.call("SET", "k", value)
            return writer.call("ROLE")[1][1][1]
        for number in range(50):
            offset = written(str(number))
            reader.send(["REPLICA.WAIT", offset, "5000"])
            reader.send(["GET", "k"])
            check.holds("REPLICA.WAIT: it has come so far", int(reader.read()[1]) >= int(offset))
            check.holds("REPLICA.WAIT: a read behind it is no older", reader.read() == ("$", str(number).encode()))
        check.holds("REPLICA.WAIT: here", int(writer.call("REPLICA.WAIT", offset, "0")[1]) >= int(offset))
        check.holds("REPLICA.WAIT: a primary is where it is", writer.call("REPLICA.WAIT", "999999999", "0")[0] == "-")
        later = str(int(offset) + 200)
        where = b"TRYPRIMARY 127.0.0.1:%d This replica is at " % primary.port
        check.holds("REPLICA.WAIT: in vain", reader.call("REPLICA.WAIT", later, "30")[1].startswith(where))
        reader.call("MULTI")
        reader.call("REPLICA.WAIT", later, "0")
        check.holds("REPLICA.WAIT: not in MULTI", reader.call("EXEC")[1][0][1].startswith(where))
        reader.send(["REPLICA.WAIT", later, "0"])
        check.holds("REPLICA.WAIT: others go on", other.call("GET", "k") == ("$", b"49"))
        writer.call("SET", "k", "x" * 300)
        check.holds("REPLICA.WAIT: it comes", int(reader.read()[1]) >= int(later))
        for words in (["x", "0"], ["-1", "0"], ["1", "x"], ["1", "-1"]):
            check.holds(f"REPLICA.WAIT: {words}", reader.call("REPLICA.WAIT", *words)[0] == "-")
        reader.send(["REPLICA.WAIT", "99999999", "0"])
        until(lambda: fields(other, "clients")["blocked_clients"] == "1")
        other.call("REPLICAOF", "NO", "ONE")
        check.holds("REPLICA.WAIT: another role ends it", reader.read()[1].startswith(b"UNBLOCKED"))


def main():
    check = Check()
    program = str(pathlib.Path(sys.argv[1]) / "ouro-server")
    check_two_replicas(check, program)
    check_redis_replica(check, program)
    check_acks_of_one_call(check, program)
    check_disk(check, program)
    check_replica_wait(check, program)
    check_offsets(check, program)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
