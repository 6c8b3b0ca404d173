#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same random commands to ouro and to redis-server: replies and what is left in the databases must be equal.

    differential.py --server build/release/ouro-server [--commands N] [--seed N] [--family NAME] [--protocol 2|3]

Each family runs in RESP2 and in RESP3, in blocks that begin with empty databases. A block that differs is run again with
fewer and fewer commands until none can be left out, and is printed. The last line is `N passed, N failed`; a count is one
family in one protocol, and the orderly end of ouro-server.
"""
import argparse
import dataclasses
import os
import random
import sys
import time

import servers
from compare import Comparer, ordered, paired, stream_facts
from families import FAMILIES, Generator, names_of
from resp import show
from templates import PARAMETERS, ClientId, Draw

DATABASES = 3
# Parameters that the templates change by name; each block begins with these and with those that are drawn as the servers
# came up.
OWN_PARAMETERS = ("maxmemory*", "slowlog-log-slower-than", "stream-node-max-bytes", "rdbcompression", "min-replicas-to-write")


class Peer:
    """One server, with the two clients that talk to it and one that looks on."""

    def __init__(self, name, program, options=()):
        self.name = name
        # How long a command takes decides nothing but in the rows that set this.
        self.server = servers.Server(program, "--slowlog-log-slower-than", "-1", "--enable-debug-command", "yes", *options)
        self.clients = []
        self.ids = []
        self.replies = []
        self.protocol = 2
        client = self.server.connect()
        self.commands = {item[1] for item in client.call("COMMAND", "LIST")[1]}
        self.parameters = [item[1] for item in client.call("CONFIG", "GET", *OWN_PARAMETERS, *PARAMETERS)[1]]
        client.close()

    def connect(self):
        return self.server.connect(timeout_s=15)

    def begin(self, protocol):
        """Empty databases and fresh clients."""
        if not self.server.alive():
            self.server.start()
        for client in self.clients:
            client.close()
        self.clients = [self.connect() for _ in range(3)]
        self.protocol = protocol
        was_set = self.clients[2].call("CONFIG", "SET", *self.parameters)
        if was_set != ("+", b"OK"):
            raise RuntimeError(f"{self.name}: {show(was_set)}")
        for forget in (["CONFIG", "RESETSTAT"], ["SLOWLOG", "RESET"], ["FLUSHALL"]):
            self.clients[2].call(*forget)
        self.ids = [client.call("CLIENT", "ID")[1] for client in self.clients]
        for client in self.clients[:2]:
            self.greet(client)

    def greet(self, client):
        if self.protocol == 3:
            client.call("HELLO", "3")

    def args_of(self, command):
        """The arguments, with this server's ids of clients."""
        return [self.ids[arg.connection] if isinstance(arg, ClientId) else arg for arg in command.args]

    def drain(self, command):
        """All that comes back from one connection, up to the answer of a PING that follows the command."""
        client, marker, replies = self.clients[command.connection], b"all of it", []
        client.send(self.args_of(command), [b"PING", marker])
        while True:
            reply = client.read()
            # A subscribed RESP2 client is answered with an array.
            if reply in (("$", marker), ("*", [("$", b"pong"), ("$", marker)])):
                return "*", replies
            replies.append(reply)

    def last_words(self, command):
        """All that comes back from a connection until the server ends it; a new one takes its place."""
        client, replies = self.clients[command.connection], []
        try:
            if command.raw:
                client.send_bytes(b"".join(command.args))
                client.end_sending()
            elif command.args:
                client.send(self.args_of(command))
            while True:
                replies.append(client.read())
        except ConnectionError:
            pass
        client.close()
        successor = self.clients[command.connection] = self.connect()
        self.ids[command.connection] = successor.call("CLIENT", "ID")[1]
        self.greet(successor)
        return "*", replies

    def run_blocked(self, command):
        """Sends a command that may wait, and returns once it waits or has answered."""
        client = self.clients[command.connection]
        client.send(self.args_of(command))
        deadline = time.monotonic() + 20
        while not client.has_input() and time.monotonic() < deadline:
            info = self.clients[2].call("INFO", "clients")[1]
            if b"blocked_clients:0" not in info:
                break
        # CLIENT LIST shows the last command of each client: how often this one had to ask must not show.
        self.clients[2].call("PING")

    def collect(self, command):
        """Ends the wait of the other client; its reply."""
        unblocked = self.clients[2].call("CLIENT", "UNBLOCK", self.ids[command.connection])
        return "*", [unblocked, self.clients[command.connection].read()]

    def walk(self, command):
        """A whole SCAN, HSCAN, SSCAN or ZSCAN: all that it gave, once each, as a set."""
        args, found, pages = list(command.args), set(), 0
        cursor = 1 if args[0].upper() == b"SCAN" else 2
        pairs = args[0].upper() in (b"HSCAN", b"ZSCAN")
        while True:
            reply = self.clients[command.connection].call(*args)
            if reply[0] != "*" or len(reply[1]) != 2:
                return reply
            items = reply[1][1][1]
            found.update(zip(items[::2], items[1::2]) if pairs else items)
            args[cursor], pages = reply[1][0][1], pages + 1
            if args[cursor] == b"0" or pages > 100_000:
                return "*", sorted(found, key=repr)

    def run(self, commands):
        """Replies of all commands, which go out in pipelines; None where a command gives none."""
        replies = self.replies = []
        ahead = []  # sent by one connection, not yet answered

        def catch_up():
            if ahead:
                client = self.clients[ahead[0].connection]
                client.send(*[self.args_of(command) for command in ahead])
                replies.extend(client.read() for _ in ahead)
                ahead.clear()

        for command in commands:
            if ahead and (command.connection != ahead[0].connection or len(ahead) >= 100):
                catch_up()
            if (command.blocks or command.collect or command.drains or command.silent or command.ends
                    or command.mode == "walk"):
                catch_up()
                if command.silent:
                    self.clients[command.connection].send(self.args_of(command))
                    replies.append(None)
                elif command.ends:
                    replies.append(self.last_words(command))
                elif command.drains:
                    replies.append(self.drain(command))
                elif command.blocks:
                    self.run_blocked(command)
                    replies.append(None)
                elif command.collect:
                    replies.append(self.collect(command))
                else:
                    replies.append(self.walk(command))
            else:
                ahead.append(command)
        catch_up()
        return replies

    def dump(self):
        """All that is stored: (db, key) -> (type, encoding, deadline in ms or less, value)."""
        client, stored = self.clients[2], {}
        for db in range(DATABASES):
            client.call("SELECT", db)
            keys = sorted(item[1] for item in client.call("KEYS", "*")[1])
            for key in keys:
                client.send(["TYPE", key], ["OBJECT", "ENCODING", key], ["PEXPIRETIME", key])
            facts = [(client.read()[1], client.read()[1], int(client.read()[1])) for _ in keys]
            for key, (kind, _, _) in zip(keys, facts):
                client.send({b"string": ["GET", key], b"list": ["LRANGE", key, 0, -1], b"hash": ["HGETALL", key],
                             b"set": ["SMEMBERS", key], b"zset": ["ZRANGE", key, 0, -1, "WITHSCORES"],
                             b"stream": ["XINFO", "STREAM", key, "FULL", "COUNT", 0]}.get(kind, ["TYPE", key]))
            for key, (kind, encoding, deadline) in zip(keys, facts):
                value = client.read()
                value = (paired(value) if kind == b"hash" else ordered(value) if kind == b"set"
                         else stream_facts(value) if kind == b"stream" else value)
                stored[db, key] = (kind, encoding, deadline, value)
        client.call("SELECT", 0)
        return stored


@dataclasses.dataclass
class Difference:
    """The first thing that differs: the command at `index`, or, at the end, what is stored."""
    index: int
    what: str
    ours: str
    theirs: str
    group: str


def compare_dumps(ours, theirs, count, apart_ms, without_encoding):
    """The first difference between what is stored: deadlines by no more than the servers ran apart; the encodings of some types
    may be left out."""
    for place in sorted(set(ours) | set(theirs)):
        mine, redis = ours.get(place), theirs.get(place)
        if mine is None or redis is None:
            return Difference(count, f"stored key {place}", str(mine)[:300], str(redis)[:300], "stored: key")
        for part, name in ((0, "type"), (3, "value"), (1, "encoding")):
            if mine[part] != redis[part] and (name != "encoding" or redis[0] not in without_encoding):
                said = [show(side[part]) if part == 3 and isinstance(side[part][1], bytes) else str(side[part])[:300]
                        for side in (mine, redis)]
                return Difference(count, f"stored {name} of {place}", *said, f"stored: {name} of {redis[0].decode()}")
        if abs(mine[2] - redis[2]) > apart_ms:
            return Difference(count, f"deadline of {place}", str(mine[2]), str(redis[2]), "stored: deadline")
    return None


class Run:
    """The two servers and the settings."""

    def __init__(self, args):
        self.args = args
        self.ours = Peer("ouro", args.server, args.server_option)
        self.theirs = Peer("redis", args.redis)
        self.peers = (self.ours, self.theirs)
        self.executed = 0
        self.comparer = Comparer(self.ours.commands & self.theirs.commands)
        self.missing = self.unknown_commands() if args.skip_missing else ()

    def unknown_commands(self):
        """Commands of the families that ouro does not know (yet)."""
        client = self.ours.server.connect()
        names = sorted(set().union(*(names_of(row) for rows in FAMILIES.values() for row in rows)))
        reply = client.call("COMMAND", "INFO", *names)[1]
        missing = [name for name, info in zip(names, reply) if info[1] is None]
        client.close()
        print(f"left out, since ouro does not know them: {' '.join(missing) or 'none'}")
        return missing

    def difference(self, commands, protocol):
        """Runs commands on both from nothing; the first difference, or None."""
        results, started = [], time.monotonic()
        for peer in self.peers:
            try:
                peer.begin(protocol)
                replies = peer.run(commands)
                results.append((replies, peer.dump()))
            except (ConnectionError, OSError, ValueError) as error:
                if peer is self.theirs:
                    raise
                time.sleep(0.3)  # a dying process writes its last words
                fate = f"{error}" + ("" if peer.server.alive() else f"; it died:\n{peer.server.log_tail(30)}")
                reached = min(len(peer.replies), len(commands) - 1)
                return Difference(reached, "the connection broke", fate, "", "broken connection")
        (mine, my_dump), (redis, redis_dump) = results
        self.executed += len(commands)
        # Times to live are told in whole seconds, too.
        self.comparer.apart_ms = 1000 + int((time.monotonic() - started) * 1000)
        for index, command in enumerate(commands):
            mode = "exact" if command.mode == "walk" else command.mode
            if not self.comparer.equal(mode, mine[index] or ("", b""), redis[index] or ("", b"")):
                return Difference(index, "reply", show(mine[index]), show(redis[index]),
                                  "reply: " + repr(b" ".join(command.args[:1]).upper())[2:-1])
        # Redis's SORT leaves a sorted set in its large form, which nobody can need.
        sorts = any(command.args and command.args[0].upper().startswith(b"SORT") for command in commands)
        return compare_dumps(my_dump, redis_dump, len(commands), self.comparer.apart_ms, (b"zset",) if sorts else ())

    def shrink(self, groups, found, protocol, seconds=20):
        """The groups of commands without those that are not needed for the difference; what differs then."""
        deadline = time.monotonic() + seconds
        groups = upto(groups, found.index)
        size = max(1, len(groups) // 2)
        while True:
            at, removed = 0, False
            while at < len(groups) and time.monotonic() < deadline:
                fewer = groups[:at] + groups[at + size:]
                still = self.difference(flat(fewer), protocol)
                if still is not None and still.group == found.group:
                    groups, found, removed = upto(fewer, still.index), still, True
                else:
                    at += size
            if time.monotonic() >= deadline or (size == 1 and not removed):
                return flat(groups), found
            size = max(1, size // 2)


def flat(groups):
    return [command for group in groups for command in group]


def upto(groups, index):
    """The groups up to the one that has the command of this index."""
    kept, count = [], 0
    for group in groups:
        kept.append(group)
        count += len(group)
        if count > index:
            break
    return kept


def quoted(args):
    """A command as redis-cli takes it."""
    words = []
    for arg in args:
        text = repr(arg)[2:-1]
        words.append(text if arg and text.isprintable() and not set(text) & set(" \"'\\") else f'"{text}"')
    text = " ".join(words)
    return text if len(text) < 400 else text[:400] + f"... ({len(args)} words)"


def report(family, protocol, seed, commands, found):
    print(f"DIFFERS {family} RESP{protocol} block seed {seed}: {found.what}")
    for command in commands[-25:]:
        who = "  other> " if command.connection else "  > "
        print(who + ("(its reply)" if command.collect else quoted(command.args)))
    print(f"    ouro:  {found.ours}\n    redis: {found.theirs}", flush=True)


def run_family(run, family, protocol, seed, commands, block):
    """Runs one family in one protocol; how many of its blocks differ."""
    groups, blocks, failed = {}, max(1, commands // block), 0
    for number in range(blocks):
        block_seed = f"{seed}:{family}:{protocol}:{number}"
        draw = Draw(block_seed, keys_a_kind=random.Random(block_seed).choice((2, 6, 20)))
        draw.for_sort = family == "sort"
        draw.only_future = family in ("events", "tracking", "broadcasts")
        draw.large = 0.15 if number % 8 == 7 else 0.02
        sent = Generator(family, draw, run.missing).take(block)
        found = run.difference(flat(sent), protocol)
        if found is None:
            continue
        failed += 1
        groups[found.group] = groups.get(found.group, 0) + 1
        if groups[found.group] <= run.args.examples:
            few, found = run.shrink(sent, found, protocol)
            report(family, protocol, block_seed, few, found)
        if failed >= run.args.give_up:
            print(f"{family} RESP{protocol}: giving up after {number + 1} of {blocks} blocks")
            break
    for group, count in sorted(groups.items(), key=lambda item: -item[1]):
        print(f"  {family} RESP{protocol}: {count} blocks differ at {group}")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--server-option", action="append", default=[])
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--commands", type=int, default=200_000)
    parser.add_argument("--block", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES))
    parser.add_argument("--protocol", type=int, action="append", choices=(2, 3))
    parser.add_argument("--examples", type=int, default=2, help="how many blocks of one kind of difference to shrink and print")
    parser.add_argument("--give-up", type=int, default=20, help="differing blocks after which a family ends")
    parser.add_argument("--skip-missing", action="store_true", help="leave out commands that ouro does not know")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(1_000_000)
    os.environ["LC_ALL"] = "C"  # SORT ALPHA asks the locale
    print(f"--seed={seed}", flush=True)

    families, protocols = args.family or list(FAMILIES), args.protocol or [2, 3]
    run, passed, failed = Run(args), 0, 0
    share = args.commands // (len(families) * len(protocols)) + 1
    try:
        for family in families:
            for protocol in protocols:
                started = time.monotonic()
                block = min(args.block, 300) if family == "blocking" else args.block
                bad = run_family(run, family, protocol, seed, share, block)
                passed, failed = passed + (bad == 0), failed + (bad != 0)
                verdict, seconds = "ok" if bad == 0 else "DIFFERS", time.monotonic() - started
                print(f"{family:<14} RESP{protocol}  {verdict:<8}{seconds:6.1f} s", flush=True)
    finally:
        codes = [peer.server.stop() for peer in run.peers]
    if codes[0] != 0:
        print(f"ouro-server ended with {codes[0]}:\n{run.ours.server.log_tail()}")
    passed, failed = passed + (codes[0] == 0), failed + (codes[0] != 0)
    print(f"{run.executed} commands to both servers, seed {seed}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
