#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ouro as a replica of redis-server: it has what another redis-server has that follows the same.

    follow_test.py BUILD [--rounds N] [--seed N] [--only NAME]

Rounds are blocks of random commands of one family of the differential test, sent to redis-server before its replicas come
and while they follow; then everything stored in them is compared, but for what is due within a minute. (The primary may have
more: not every change of a stream's groups is told to replicas.) The other tests are told by their names.
"""
import argparse
import contextlib
import functools
import itertools
import pathlib
import random
import sys
import time

import servers
from check import Check, side_by_side
from differential import Peer
from families import FAMILIES, Generator, names_of
from resp import show
from templates import Draw

COMMANDS = 200
# Rounds that run side by side: each one waits a second for the clock by which Redis begins a sync.
LANES = 4
SOON_S = 15
LOAD_MODES = ("disabled", "on-empty-db", "swapdb")
# Families whose commands change data.
DATA = ("bits", "blocking", "dumps", "geo", "hashes", "hlls", "keys", "lists", "scripts", "sets", "sort", "streams", "strings",
        "transactions", "zsets")
# Of a redis-server that is to be followed at once.
PRIMARY = ("--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes")


def until(true, seconds=SOON_S):
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def info(client, section="replication"):
    lines = client.call("INFO", section)[1].decode(errors="replace").split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line)


def value(client, *args):
    return client.call(*args)[1]


class Following:
    """A redis-server and an ouro-server, which follows it when it is told to."""

    def __init__(self, program, *options):
        self.redis = servers.Server("redis-server", *PRIMARY)
        self.ouro = servers.Server(program, "--enable-debug-command", "yes", *options)
        self.primary, self.replica = self.redis.connect(), self.ouro.connect()

    def follow(self):
        return self.replica.call("REPLICAOF", "127.0.0.1", self.redis.port)

    def syncs(self):
        stats = info(self.primary, "stats")
        return int(stats["sync_full"]), int(stats["sync_partial_ok"])

    def is_up(self):
        return "state=online" in info(self.primary).get("slave0", "")

    def has_caught_up(self):
        """The replica has applied all that its primary's client has written by now."""
        self.primary.call("INCR", "caught up")
        return until(self.is_up) and self.primary.call("WAIT", "1", SOON_S * 1000) == (":", b"1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.redis.__exit__()
        self.ouro.__exit__()


class Rounds:
    """Blocks of random commands."""

    def __init__(self, check, program, seed):
        self.check, self.seed, self.rng = check, seed, random.Random(seed)
        self.primary = Peer("redis", "redis-server", PRIMARY)
        self.replicas = Peer("redis", "redis-server", PRIMARY), Peer("ouro", program)
        self.keys = 0
        # What redis-server does not know, or is not the same for it.
        self.unknown = {name for family in DATA for row in FAMILIES[family] for name in names_of(row)
                        if name.lower().encode() not in self.primary.commands}

    @staticmethod
    def meant(kind, value):
        """A score of minus zero is so in the large form of a sorted set alone, and parameters choose the form."""
        if kind != b"zset":
            return value
        return value[0], [("$", b"0") if item == ("$", b"-0") else item for item in value[1]]

    def stored(self, peer):
        soon = (time.time() + 60) * 1000
        return {place: (kind, self.meant(kind, value), deadline) for place, (kind, _, deadline, value) in peer.dump().items()
                if not 0 < deadline < soon}

    def commands(self, family, block):
        draw = Draw(block, keys_a_kind=self.rng.choice((2, 6, 20)))
        return [command for group in Generator(family, draw, self.unknown).take(COMMANDS) for command in group]

    def round(self, number, family):
        primary, ouro = self.primary, self.replicas[1]
        block, mode = f"{self.seed}:{number}", self.rng.choice(LOAD_MODES)
        for replica in self.replicas:
            replica.clients = replica.clients or [replica.connect() for _ in range(3)]
            replica.clients[2].call("REPLICAOF", "NO", "ONE")
            replica.clients[2].call("FLUSHALL")
            replica.clients[2].call("CONFIG", "SET", "repl-diskless-load", mode)
        primary.begin(2)
        primary.run(self.commands(family, block))
        for replica in self.replicas:
            replica.clients[2].call("REPLICAOF", "127.0.0.1", primary.server.port)
        came = until(lambda: value(primary.clients[2], "INFO", "replication").count(b"state=online") == 2)
        primary.run(self.commands(family, block + "s"))
        primary.clients[2].call("SET", "caught up", "1")
        acked = primary.clients[2].call("WAIT", "2", SOON_S * 1000)
        expected, found = map(self.stored, self.replicas)
        self.keys += len(expected)
        differs = [place for place in sorted(set(expected) | set(found)) if expected.get(place) != found.get(place)]
        # What one of them cannot apply (a damaged sketch, say), the other cannot.
        refused = [[line for line in replica.server.log.read_text(errors="replace").splitlines() if "CRITICAL" in line]
                   for replica in self.replicas]
        errors = refused[1] if len(refused[0]) != len(refused[1]) else []
        self.check.holds(f"{family} block {block}, {mode}", came and acked == (":", b"2") and not differs and not errors,
                         (came, acked, errors, ouro.server.log_tail(8)))
        for place in differs[:3]:
            print(f"  {place}\n    redis: {show_of(expected.get(place), found.get(place))}\n"
                  f"    ouro:  {show_of(found.get(place), expected.get(place))}")

    def end(self):
        self.check.holds("the replica ends in order", self.replicas[1].server.stop() == 0, self.replicas[1].server.log_tail())
        for peer in (self.primary, self.replicas[0]):
            peer.server.stop()


def show_of(side, other):
    """What is stored, from where it begins to be another."""
    if side is None or other is None:
        return None if side is None else (side[0], show(side[1])[:300], side[2])
    text, of_other = show(side[1]), show(other[1])
    same = next((at for at, (a, b) in enumerate(zip(text, of_other)) if a != b), 0)
    return side[0], text[max(same - 80, 0):same + 100], side[2]


# ---- tests by name

def test_goes_on_after_a_break(check, program):
    with Following(program) as pair:
        pair.primary.call("SET", "a", "1")
        pair.follow()
        check.holds("it follows", pair.has_caught_up(), pair.ouro.log_tail())
        before = pair.syncs()
        killed = pair.replica.call("CLIENT", "KILL", "TYPE", "master")
        check.holds("the primary is a client", killed == (":", b"1"), killed)
        pair.primary.call("SET", "b", "2")
        check.holds("it follows again", pair.has_caught_up(), pair.ouro.log_tail())
        check.holds("in part", pair.syncs() == (before[0], before[1] + 1), pair.syncs())
        pair.primary.call("CLIENT", "KILL", "TYPE", "replica")
        check.holds("it comes back", until(lambda: pair.syncs()[1] == before[1] + 2), pair.syncs())
        check.holds("and has all", pair.has_caught_up() and value(pair.replica, "GET", "b") == b"2")


def test_logs_in(check, program):
    with Following(program) as pair:
        pair.primary.call("CONFIG", "SET", "requirepass", "secret")
        pair.follow()
        check.holds("not without a password", until(lambda: b"Unable to AUTH to MASTER" in pair.ouro.log.read_bytes()
                                                    or b"NOAUTH" in pair.ouro.log.read_bytes()), pair.ouro.log_tail())
        pair.replica.call("CONFIG", "SET", "masterauth", "wrong")
        check.holds("nor with a wrong one", until(lambda: b"Unable to AUTH to MASTER" in pair.ouro.log.read_bytes()),
                    pair.ouro.log_tail())
        pair.replica.call("CONFIG", "SET", "masterauth", "secret")
        check.holds("but with the right one", pair.has_caught_up(), pair.ouro.log_tail())


def test_is_read_only(check, program):
    with Following(program) as pair:
        pair.follow()
        check.holds("it follows", pair.has_caught_up())
        for args in (["SET", "k", "v"], ["EVAL", "return redis.call('set', 'k', 'v')", "0"],
                     ["EVAL", "#!lua\nreturn 1", "0"]):
            reply = pair.replica.call(*args)
            check.holds(f"READONLY for {args}", reply[0] == "-" and b"READONLY" in reply[1], reply)
        for args in (["GET", "k"], ["EVAL", "return 1", "0"], ["EVAL", "#!lua flags=no-writes\nreturn 1", "0"]):
            reply = pair.replica.call(*args)
            check.holds(f"no refusal for {args}", reply[0] != "-", reply)
        pair.replica.call("CONFIG", "SET", "replica-read-only", "no")
        check.holds("unless it need not be", pair.replica.call("SET", "k", "v") == ("+", b"OK"))
        pair.replica.call("REPLICAOF", "NO", "ONE")
        pair.replica.call("CONFIG", "SET", "replica-read-only", "yes")
        check.holds("nor who leads", pair.replica.call("SET", "k", "v") == ("+", b"OK"))


def test_is_paused(check, program):
    """CLIENT PAUSE holds back what the primary says, too: it has come, and is not applied."""
    with Following(program) as pair:
        pair.follow()
        check.holds("it follows", pair.has_caught_up())
        pair.replica.call("CLIENT", "PAUSE", "100000", "WRITE")
        before = int(info(pair.replica)["slave_repl_offset"])
        pair.primary.call("SET", "k", "v")
        check.holds("it hears", until(lambda: int(info(pair.replica)["slave_read_repl_offset"]) > before))
        check.holds("it applies nothing", int(info(pair.replica)["slave_repl_offset"]) == before and
                    pair.replica.call("GET", "k")[1] is None)
        pair.replica.call("CLIENT", "UNPAUSE")
        check.holds("it goes on", until(lambda: pair.replica.call("GET", "k") == ("$", b"v"), 1))


def test_serves_what_is_stale_or_not(check, program):
    with Following(program, "--replica-serve-stale-data", "no") as pair:
        pair.follow()
        check.holds("it follows", pair.has_caught_up())
        check.holds("it answers", pair.replica.call("GET", "caught up")[0] == "$")
        pair.redis.stop()
        check.holds("it does not any more", until(lambda: pair.replica.call("GET", "k")[0] == "-"))
        for args in (["GET", "k"], ["EVAL", "return 1", "0"], ["EVAL", "#!lua flags=no-writes\nreturn 1", "0"]):
            reply = pair.replica.call(*args)
            check.holds(f"MASTERDOWN for {args}", reply[0] == "-" and b"MASTERDOWN" in reply[1], reply)
        for args in (["PING"], ["INFO"], ["EVAL", "#!lua flags=allow-stale,no-writes\nreturn 1", "0"]):
            reply = pair.replica.call(*args)
            check.holds(f"{args} is answered", reply[0] != "-" or args == ["PING"], reply)
        reply = pair.replica.call("EVAL", "#!lua flags=allow-stale,no-writes\nreturn redis.call('get', 'k')", "0")
        check.holds("a script sees nothing", reply[0] == "-" and b"stale replica" in reply[1], reply)
        pair.replica.call("CONFIG", "SET", "replica-serve-stale-data", "yes")
        check.holds("and does when it may", pair.replica.call("GET", "k")[0] == "$")


def test_hides_what_is_due(check, program):
    with Following(program) as pair:
        pair.follow()
        check.holds("it follows", pair.has_caught_up())
        pair.primary.call("DEBUG", "SET-ACTIVE-EXPIRE", "0")
        pair.primary.call("SET", "k", "v", "PX", "1500")
        check.holds("it comes", pair.has_caught_up() and value(pair.replica, "GET", "k") == b"v")
        check.holds("it is hidden", until(lambda: value(pair.replica, "GET", "k") is None))
        check.holds("and there", int(value(pair.replica, "DBSIZE")) == 2)
        # To Redis it is due a millisecond later.
        check.holds("the primary finds it due", until(lambda: value(pair.primary, "GET", "k") is None))
        check.holds("until it is removed", pair.has_caught_up() and int(value(pair.replica, "DBSIZE")) == 1)


def library(name, answer):
    return (f"#!lua name={name}\nredis.register_function{{function_name='{name}', flags={{'no-writes'}}, "
            f"callback=function() return {answer} end}}")


def test_keeps_what_it_has_until_more_is_whole(check, program):
    for mode in LOAD_MODES:
        with Following(program, "--repl-diskless-load", mode) as pair:
            pair.replica.call("SET", "mine", "1")
            pair.replica.call("FUNCTION", "LOAD", library("mine", 1))
            pair.primary.call("FUNCTION", "LOAD", library("other", 2))
            pair.primary.call("DEBUG", "POPULATE", "20000", "key", "100")
            pair.primary.call("CONFIG", "SET", "rdb-key-save-delay", "200")
            pair.follow()
            check.holds(f"{mode}: others come", until(lambda: info(pair.replica)["master_sync_in_progress"] == "1"))
            # Data of another history are not shown meanwhile.
            is_shown = not value(pair.replica, "GET", "mine").startswith(b"LOADING")
            check.holds(f"{mode}: it is loading", is_shown == (mode == "disabled" or mode == "on-empty-db"))
            check.holds(f"{mode}: it is kept", not is_shown or value(pair.replica, "GET", "mine") == b"1",
                        pair.ouro.log_tail(5))
            check.holds(f"{mode}: functions too", not is_shown or value(pair.replica, "FCALL", "mine", "0") == b"1")
            pair.primary.call("CLIENT", "KILL", "TYPE", "replica")
            check.holds(f"{mode}: it breaks off", until(lambda: info(pair.replica)["master_sync_in_progress"] == "0"))
            check.holds(f"{mode}: though it was no good", value(pair.replica, "GET", "mine") == b"1", pair.ouro.log_tail(5))
            pair.primary.call("CONFIG", "SET", "rdb-key-save-delay", "0")
            check.holds(f"{mode}: it follows", pair.has_caught_up(), pair.ouro.log_tail(10))
            check.holds(f"{mode}: what was is gone", value(pair.replica, "GET", "mine") is None)
            check.holds(f"{mode}: functions came", value(pair.replica, "FCALL", "other", "0") == b"2")
            check.holds(f"{mode}: all came", int(value(pair.replica, "DBSIZE")) == 20001)


def test_its_log_begins_anew(check, program):
    with Following(program, "--appendonly", "yes", "--appendfsync", "always") as pair:
        pair.replica.call("SET", "mine", "1")
        pair.primary.call("SET", "a", "1")
        pair.follow()
        check.holds("it follows", pair.has_caught_up())
        pair.primary.call("SELECT", "2")
        pair.primary.send(["MULTI"], ["SET", "b", "2"], ["INCR", "n"], ["EXEC"])
        for _ in range(4):
            pair.primary.read()
        pair.primary.call("SELECT", "0")
        check.holds("it has all", pair.has_caught_up())
        check.holds("its log is whole", until(lambda: info(pair.replica, "persistence")["aof_rewrite_in_progress"] == "0"))
        pair.replica.call("REPLICAOF", "NO", "ONE")
        pair.ouro.process.kill()
        pair.ouro.process.wait()
        pair.ouro.start()
        client = pair.ouro.connect()
        check.holds("what was is gone", value(client, "GET", "mine") is None)
        check.holds("what came is there", value(client, "GET", "a") == b"1")
        client.call("SELECT", "2")
        check.holds("what followed, too", value(client, "GET", "b") == b"2" and value(client, "GET", "n") == b"1")


def test_keeps_what_it_was_sent(check, program):
    """The file of a full sync is the replica's snapshot, and the primary's if that has sent one, unless nothing is to stay."""
    for name, deletes in itertools.product(("redis-server", program), ("no", "yes")):
        options = ("--repl-diskless-sync", "no", "--repl-diskless-sync-delay", "0", "--rdb-del-sync-files", deletes)
        with servers.Server(name, *options) as primary, servers.Server(name, *options) as replica:
            what = f"{pathlib.Path(name).name}, rdb-del-sync-files {deletes}"
            primary.connect().call("SET", "k", "v")
            follows(replica.connect(), primary.port)
            has_all(check, what, primary.connect(), [replica.connect()])
            for server in primary, replica:
                def files(folder=pathlib.Path(server.folder.name)):
                    return sorted(path.name for path in folder.glob("*rdb"))
                wanted = ["dump.rdb"] if deletes == "no" else []
                check.holds(f"{what}: {files()}", until(lambda: files() == wanted), server.log_tail())
            replica.stop()
            replica.start()
            seen = value(replica.connect(), "GET", "k")
            check.holds(f"{what}: after a restart", seen == (b"v" if deletes == "no" else None), seen)


def test_ends_if_it_cannot_write(check, program):
    """A snapshot has failed, and none can be made: a write of the primary is then the end, or told."""
    for name, goes_on in itertools.product(("redis-server", program), ("no", "yes")):
        options = ("--repl-diskless-load", "swapdb", "--replica-ignore-disk-write-errors", goes_on)
        with servers.Server("redis-server", *PRIMARY) as primary, servers.Server(name, *options) as replica:
            what, client = f"{pathlib.Path(name).name}, {goes_on}", replica.connect()
            follows(client, primary.port)
            has_all(check, what, primary.connect(), [client])
            client.call("CONFIG", "SET", "save", "3600 1")
            pathlib.Path(replica.folder.name, "dump.rdb").mkdir()
            client.call("BGSAVE")
            check.holds(f"{what}: the snapshot fails",
                        until(lambda: info(client, "persistence")["rdb_last_bgsave_status"] == "err"), replica.log_tail())
            primary.connect().call("SET", "k", "v")
            if goes_on == "yes":
                check.holds(f"{what}: it is there", until(lambda: value(client, "GET", "k") == b"v"), replica.log_tail())
                check.holds(f"{what}: and told of", "applying a command even though" in replica.log.read_text())
                client.call("CONFIG", "SET", "save", "")  # else it does not end before it can save
            else:
                check.holds(f"{what}: it ends", until(lambda: not replica.alive()) and replica.process.returncode != 0)
                check.holds(f"{what}: and says why", "unable to write command to disk" in replica.log.read_text())


def test_is_configured_so(check, program):
    with servers.Server("redis-server", *PRIMARY) as redis:
        with servers.Server(program, "--replicaof", f"127.0.0.1 {redis.port}") as ouro:
            client, primary = ouro.connect(), redis.connect()
            primary.call("SET", "k", "v")
            check.holds("it follows", until(lambda: value(client, "GET", "k") == b"v"), ouro.log_tail())
            check.holds("and says so", value(client, "CONFIG", "GET", "replicaof")[1][1] == f"127.0.0.1 {redis.port}".encode())


def test_ends_waits(check, program):
    with Following(program) as pair:
        waiting = pair.ouro.connect()
        waiting.send(["BLPOP", "nothing", "0"])
        until(lambda: info(pair.replica, "clients")["blocked_clients"] == "1")
        pair.follow()
        reply = waiting.read()
        check.holds("a wait ends", reply[0] == "-" and reply[1].startswith(b"UNBLOCKED force unblock"), reply)
        reading = pair.ouro.connect()
        check.holds("it follows", pair.has_caught_up())
        reading.send(["XREAD", "BLOCK", "0", "STREAMS", "s", "$"])
        until(lambda: info(pair.replica, "clients")["blocked_clients"] == "1")
        pair.primary.call("XADD", "s", "1-1", "a", "b")
        check.holds("a wait for the primary's words does not", reading.read()[0] == "*")


def test_goes_on_after_a_restart(check, program):
    with Following(program) as pair:
        pair.primary.call("SELECT", "3")
        pair.primary.call("SET", "a", "1")
        pair.follow()
        check.holds("it follows", pair.has_caught_up(), pair.ouro.log_tail())
        pair.replica.call("CONFIG", "SET", "save", "3600 1")
        before = pair.syncs()
        options, port = pair.ouro.options, pair.redis.port
        pair.ouro.stop()
        pair.primary.call("SET", "b", "2")
        pair.ouro.options = (*options, "--replicaof", f"127.0.0.1 {port}")
        pair.ouro.start()
        pair.replica = pair.ouro.connect()
        check.holds("it follows again", pair.has_caught_up(), pair.ouro.log_tail())
        check.holds("in part", pair.syncs() == (before[0], before[1] + 1), pair.syncs())
        pair.replica.call("SELECT", "3")
        check.holds("and has all", value(pair.replica, "GET", "b") == b"2")


def follows(replica, port):
    replica.call("REPLICAOF", "127.0.0.1", port)


def has_all(check, what, writer, replicas):
    """Whoever follows the writer, however far away, has what it writes."""
    mark = str(time.monotonic())
    writer.call("SET", "mark", mark)
    for number, replica in enumerate(replicas):
        check.holds(f"{what}: replica {number} has all", until(lambda: value(replica, "GET", "mark") == mark.encode()),
                    info(replica))


def test_chains(check, program):
    """redis-server, ouro, redis-server and ouro, each follows the one before."""
    programs = ["redis-server", program, "redis-server", program]
    delay = ("--repl-diskless-sync-delay", "0")
    with contextlib.ExitStack() as stack:
        chain = [stack.enter_context(servers.Server(name, *delay)) for name in programs]
        clients = [server.connect() for server in chain]
        for client, before in zip(clients[1:], chain):
            follows(client, before.port)
        has_all(check, "in a row", clients[0], clients[1:])
        offsets = lambda: {info(client)["master_repl_offset"] for client in clients}
        check.holds("offsets agree", until(lambda: len(offsets()) == 1), offsets())
        check.holds("one stream", len({info(client)["master_replid"] for client in clients}) == 1)
        # The last one is told to follow another of the chain, which has the same stream.
        full = info(clients[0], "stats")["sync_full"]
        follows(clients[3], chain[0].port)
        has_all(check, "elsewhere", clients[0], clients[1:])
        check.holds("in part", info(clients[0], "stats")["sync_full"] == full)
        # The second one leads; the first follows it, and the others go on.
        clients[1].call("REPLICAOF", "NO", "ONE")
        follows(clients[0], chain[1].port)
        follows(clients[3], chain[1].port)
        has_all(check, "promoted", clients[1], [clients[0], clients[2], clients[3]])
        check.holds("nobody needed all", info(clients[1], "stats")["sync_full"] == "1", info(clients[1], "stats")["sync_full"])
        # And back.
        clients[0].call("REPLICAOF", "NO", "ONE")
        follows(clients[1], chain[0].port)
        has_all(check, "back", clients[0], clients[1:])
        check.holds("in part", info(clients[0], "stats")["sync_full"] == full, (full, info(clients[0], "stats")))


def test_ouro_follows_ouro(check, program):
    with contextlib.ExitStack() as stack:
        leader, follower = (stack.enter_context(servers.Server(program, "--repl-diskless-sync-delay", "0",
                                                               "--enable-debug-command", "yes")) for _ in range(2))
        first, second = leader.connect(), follower.connect()
        for args in (["BF.ADD", "filter", "a"], ["TOPK.RESERVE", "top", "3"], ["HSET", "h", "f", "v"],
                     ["HEXPIRE", "h", "100", "FIELDS", "1", "f"], ["SADD", "s", "a", "b"], ["DEBUG", "POPULATE", "1000"]):
            reply = first.call(*args)
            check.holds(f"{args} is done", reply[0] != "-", reply)
        for mode in LOAD_MODES:
            second.call("REPLICAOF", "NO", "ONE")
            second.call("FLUSHALL")
            second.call("CONFIG", "SET", "repl-diskless-load", mode)
            follows(second, leader.port)
            has_all(check, mode, first, [second])
            digests = [value(client, "DEBUG", "DIGEST") for client in (first, second)]
            check.holds(f"{mode}: the same data", digests[0] == digests[1], digests)


def main():
    tests = {name[5:]: test for name, test in globals().items() if name.startswith("test_")}
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--only", choices=[*tests, "rounds"])
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES))
    args = parser.parse_args()
    print(f"--seed {args.seed}")
    check, program = Check(), str(args.build.resolve() / "ouro-server")

    def run(name):
        tests[name](check, program)
        print(f"{name}: over", flush=True)

    def run_rounds(lane):
        rounds, families = Rounds(check, program, f"{args.seed}:{lane}"), args.family or DATA
        for number in range(lane, args.rounds, LANES):
            rounds.round(number, families[number % len(families)])
        rounds.end()
        print(f"lane {lane}: {rounds.keys} keys", flush=True)

    jobs = [functools.partial(run, name) for name in tests if args.only in (None, name)]
    if args.only in (None, "rounds"):
        jobs += [functools.partial(run_rounds, lane) for lane in range(LANES)]
    side_by_side(jobs, at_once=2 * LANES)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
