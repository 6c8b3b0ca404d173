#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""INFO and the other reports have the sections and fields of redis-server, in its order:

    info_test.py BUILD [--redis redis-server]

What ouro tells beyond that is listed here, and nothing else may differ. The values are each server's own; of some it is
looked whether they are true.
"""
import argparse
import difflib
import pathlib
import pprint
import sys
import time

from resp import show
from servers import Server

# By section: fields that Redis 7.0 does not have. ouro's own, but for those of later Redis versions.
TURNS = {f"turn_{clock}_us_{rank}".encode() for clock in ("cpu", "wall") for rank in ("p50", "p99", "p99_99", "max")}
OURS = {
    b"Server": {b"server_name", b"ouro_version", b"io_backend_reason", b"availability_zone"},
    b"Persistence": {b"redis7_readable"},
    b"Replication": {b"semi_sync_" + name for name in (b"state", b"acks", b"unacknowledged_turns", b"lapses",
                                                       b"degradations", b"calls_waiting", b"call_timeouts")},
    b"Stats": {b"expired_subkeys", b"client_query_buffer_limit_disconnections", b"client_output_buffer_limit_disconnections",
               b"acl_access_denied_auth", b"acl_access_denied_cmd", b"acl_access_denied_key", b"acl_access_denied_channel",
               b"acl_access_denied_db", b"rm_deleted_keys", b"evicted_scripts", b"turns", *TURNS},
}
# Commands that are run first, so that each section has something to tell.
BEFORE = (["SET", "key", "value"], ["GET", "key"], ["LPUSH", "key", "x"], ["RPUSH", "list", "a", "b"])
SECTIONS = (["INFO"], ["INFO", "all"], ["INFO", "everything"], ["INFO", "default"], ["INFO", "server", "cpu"],
            ["INFO", "commandstats"], ["INFO", "latencystats"], ["INFO", "errorstats"], ["INFO", "keyspace"],
            ["INFO", "nothing"], ["INFO", "modules"], ["INFO", "KEYSPACE", "default"])


def fields_of(text):
    """INFO's text as an ordered list of (section, names of its fields); subfields of a value belong to its name."""
    sections = []
    for line in text.removeprefix(b"txt:").split(b"\r\n"):
        if line.startswith(b"# "):
            sections.append((line[2:], []))
        elif line:
            name, _, value = line.partition(b":")
            parts = [part.partition(b"=")[0] for part in value.split(b",") if b"=" in part]
            sections[-1][1].append(name if not parts else name + b":" + b",".join(parts))
    return sections


def without_ours(sections):
    return [(title, [name for name in names if name not in OURS.get(title, ())])
            for title, names in sections if title != b"Cache"]


def sorted_fields(sections):
    """Commands stand in the order of each server's own table."""
    return [(title, sorted(names) if title in (b"Commandstats", b"Latencystats") else names) for title, names in sections]


def names_of_map(reply):
    """The names in a map, at any depth, with the kinds of its values."""
    kind, value = reply
    if not isinstance(value, list):
        return kind
    return kind, [(name[1], names_of_map(part)) for name, part in zip(value[::2], value[1::2])]


def shape(reply):
    kind, value = reply
    return (kind, [shape(item) for item in value]) if isinstance(value, list) else kind


class Check:
    def __init__(self, ours, theirs):
        self.clients = [server.connect() for server in (ours, theirs)]
        self.passed = self.failed = 0

    def holds(self, what, condition, seen=""):
        self.passed += bool(condition)
        self.failed += not condition
        if not condition:
            print(f"FAILED {what}: {seen}")

    def wait(self, what, condition, seconds=30):
        """That comes to hold."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.holds(what, condition())

    def same(self, what, view, *commands):
        """The view of the last command's reply must be the same on both."""
        seen = []
        for client in self.clients:
            for command in commands:
                reply = client.call(*command)
            seen.append(view(reply))
        holds = seen[0] == seen[1]
        self.passed += holds
        self.failed += not holds
        if not holds:
            print(f"FAILED {what}")
            lines = [pprint.pformat(view, width=120).splitlines() for view in seen]
            print("\n".join(difflib.unified_diff(*lines, "ouro", "redis", lineterm="", n=1)))

    def known(self):
        """Each field that is said to be ouro's own is there, and Redis does not have it."""
        ours, theirs = (dict(fields_of(client.call("INFO", "everything")[1])) for client in self.clients)
        for title, names in OURS.items():
            holds = names <= set(ours[title]) and not names & set(theirs[title])
            self.passed += holds
            self.failed += not holds
            if not holds:
                print(f"FAILED the list of ouro's own fields in {title}: {names - set(ours[title])}")


def check_reports(check):
    info = lambda reply: sorted_fields(without_ours(fields_of(reply[1])))
    for command in SECTIONS:
        check.same(" ".join(command), info, command)
    check.known()
    check.same("MEMORY STATS", names_of_map, ["MEMORY", "STATS"])
    check.same("LATENCY LATEST", shape, ["LATENCY", "RESET"], ["CONFIG", "SET", "latency-monitor-threshold", "20"],
               ["DEBUG", "SLEEP", "0.05"], ["LATENCY", "LATEST"])
    check.same("LATENCY HISTORY", shape, ["LATENCY", "HISTORY", "command"])
    check.same("LATENCY GRAPH", lambda reply: (reply[0], reply[1].split(b"\n")[1:6]), ["LATENCY", "GRAPH", "command"])
    for command in (["LATENCY", "DOCTOR"], ["MEMORY", "DOCTOR"], ["MEMORY", "MALLOC-STATS"], ["MEMORY", "PURGE"]):
        check.same(" ".join(command), shape, command)


def number(client, *command, field):
    """A field of INFO or of a report that is a map."""
    kind, value = client.call(*command)
    if kind == "$" or kind == "=":
        return int(next(line for line in value.split(b"\r\n") if line.startswith(field + b":")).partition(b":")[2])
    names = [name for _, name in value[::2]]
    return int(value[2 * names.index(field) + 1][1])


def check_traffic(check, client, follower):
    """Bytes are counted where they go, and those of the stream once more by themselves."""
    value = b"v" * 100_000
    grown = lambda of, field, before: number(of, "INFO", "stats", field=field) >= before + len(value)
    client.call("SET", "large", value)
    check.wait("the primary's input", lambda: grown(client, b"total_net_input_bytes", 0))
    for field in (b"total_net_repl_input_bytes", b"total_net_input_bytes"):
        check.wait(f"a replica's {field}", lambda field=field: grown(follower, field, 0))
    for field in (b"total_net_repl_output_bytes", b"total_net_output_bytes"):
        check.wait(f"the primary's {field}", lambda field=field: grown(client, field, 0))
    before = number(client, "INFO", "stats", field=b"total_net_output_bytes")
    client.call("GET", "large")
    check.wait("what a client got", lambda: grown(client, b"total_net_output_bytes", before))


def check_values(check, build):
    """What both reports tell is the same, and moves when what it tells of does."""
    log = ("--appendonly", "yes", "--appendfsync", "no")
    with Server(str(build / "ouro-server"), *log) as primary, \
            Server(str(build / "ouro-server"), "--replicaof", "127.0.0.1", str(primary.port)) as replica:
        client = primary.connect()
        twins = ((b"mem_replication_backlog", b"replication.backlog"), (b"mem_clients_slaves", b"clients.slaves"),
                 (b"mem_aof_buffer", b"aof.buffer"))
        check.wait("a replica", lambda: b"slave0:" in client.call("INFO", "replication")[1])
        client.call("SET", "key", "value")
        check.wait("a backlog takes memory", lambda: number(client, "MEMORY", "STATS", field=twins[0][1]) > 0)
        check.holds("so does what goes to the log", number(client, "INFO", "memory", field=b"mem_aof_buffer") > 0)
        for of_info, of_stats in twins:
            seen = number(client, "INFO", "memory", field=of_info), number(client, "MEMORY", "STATS", field=of_stats)
            check.holds(f"{of_info} is MEMORY STATS' {of_stats}", seen[0] == seen[1], seen)
        check_traffic(check, client, replica.connect())
        waiting = lambda: number(client, "INFO", "clients", field=b"clients_in_timeout_table")
        before = waiting()
        sleeper = primary.connect()
        sleeper.send(["BLPOP", "none", "600"])
        check.wait("a wait with a timeout is counted", lambda: waiting() == before + 1)
        for_ever = primary.connect()
        for_ever.send(["BLPOP", "none", "0"])
        check.wait("two wait", lambda: number(client, "INFO", "clients", field=b"blocked_clients") == 2)
        check.holds("a wait without one is not", waiting() == before + 1, waiting())
        spent = lambda: number(client, "INFO", "stats", field=b"expire_cycle_cpu_milliseconds")
        for round_ in range(200):
            client.call("EVAL", "for i = 1, 2000 do redis.call('SET', ARGV[1] .. i, '', 'PX', 1) end", "0", f"k{round_}:")
            if spent() > 0:
                break
        check.wait("expiry takes time", lambda: spent() > 0)
        check.holds("the replica is there", replica.alive())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--redis", default="redis-server")
    args = parser.parse_args()
    debug = ("--enable-debug-command", "yes")
    with Server(str(args.build / "ouro-server"), *debug) as ours, Server(args.redis, *debug) as theirs:
        check = Check(ours, theirs)
        for version in ("2", "3"):
            for client in check.clients:
                for command in (["FLUSHALL"], ["CONFIG", "RESETSTAT"], ["HELLO", version], *BEFORE):
                    reply = client.call(*command)
                    if reply[0] == "-" and command[0] != "LPUSH":
                        raise RuntimeError(f"{command}: {show(reply)}")
            check_reports(check)
        check_values(check, args.build)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
