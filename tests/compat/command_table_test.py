#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""COMMAND, COMMAND COUNT, LIST and DOCS tell of every command of redis-server and each of its subcommands the same: arity,
flags, keys, categories, tips, and in DOCS the version, the group and the arguments.

    command_table_test.py BUILD [--redis redis-server]

Not compared are sentences (summary, complexity, notes, what changed by the history), which are each server's own, and what
says that it came after Redis 7.0. What is listed below, and nothing else, may differ. A count is one command or subcommand.
"""
import argparse
import pathlib
import sys

from compare import is_later_version, known_arity, known_flags, known_keys, without_later
from servers import Server

OWN_WORDS = {b"summary", b"complexity", b"subcommands"}


def plain(reply):
    """A reply as values of Python; maps (RESP2: flat arrays) stay arrays."""
    kind, value = reply
    return [plain(item) for item in value] if isinstance(value, list) else value


def as_map(flat):
    return dict(zip(flat[::2], flat[1::2]))


def without_later_arguments(docs):
    """COMMAND DOCS as Redis 7.0 could say it, subcommands too."""
    kind, value = docs
    if not isinstance(value, list):
        return docs
    items = []
    for at, item in enumerate(value):
        is_arguments = at % 2 == 1 and value[at - 1][1] == b"arguments"
        items.append(without_later(item) if is_arguments else without_later_arguments(item))
    return kind, items


class Table:
    """What one server tells of its commands, by full name."""

    def __init__(self, server):
        self.rows, self.docs = {}, {}
        client = server.connect(timeout_s=20)
        self.count = client.call("COMMAND", "COUNT")[1]
        self.names = {name.decode() for name in plain(client.call("COMMAND", "LIST"))}
        self.add_rows(plain(client.call("COMMAND")))
        self.add_docs(plain(without_later_arguments(client.call("COMMAND", "DOCS"))))
        self.commands = {name for name in self.rows if "|" not in name}
        client.close()

    def add_rows(self, rows):
        for name, arity, flags, first, last, step, categories, tips, keys, subcommands in rows:
            keys = [[(field, value) for field, value in as_map(spec).items() if field != b"notes"]
                    for spec in known_keys(name, keys)]
            self.rows[name.decode()] = {
                "arity": known_arity(name, int(arity)), "flags": set(known_flags(name, flags)), "keys": (first, last, step, keys),
                "categories": set(categories), "tips": tips}
            self.add_rows(subcommands)

    def add_docs(self, flat):
        for name, fields in as_map(flat).items():
            fields = as_map(fields)
            fields[b"history"] = {version for version, _ in fields.get(b"history", []) if not is_later_version(version)}
            # EXEC had no arguments at all.
            if not fields.get(b"arguments"):
                fields.pop(b"arguments", None)
            self.docs[name.decode()] = {field: value for field, value in fields.items() if field not in OWN_WORDS}
            self.add_docs(fields.get(b"subcommands", []))


def differences(name, ours, theirs):
    """What is not the same of one command."""
    if name not in ours.rows:
        return ["it is missing"]
    found = []
    for field, wanted in theirs.rows[name].items():
        mine = ours.rows[name][field]
        if mine != wanted:
            found.append(f"{field}: {mine}, redis-server {wanted}")
    mine, wanted = ours.docs[name], theirs.docs[name]
    if mine != wanted:
        found.append(f"documentation: {mine}, redis-server {wanted}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--redis", default="redis-server")
    args = parser.parse_args()
    with Server(str(args.build / "ouro-server")) as our_server, Server(args.redis) as their_server:
        ours, theirs = Table(our_server), Table(their_server)
    passed = failed = 0

    def check(name, found):
        nonlocal passed, failed
        passed, failed = passed + (not found), failed + bool(found)
        for text in found:
            print(f"FAILED {name}: {text}")

    for name in sorted(theirs.rows):
        check(name, differences(name, ours, theirs))
    check("COMMAND COUNT", [] if int(ours.count) == len(ours.commands) else [f"{ours.count}, {len(ours.commands)} in COMMAND"])
    check("COMMAND LIST", [f"{name} is in one of COMMAND and LIST" for name in ours.names ^ set(ours.rows)])
    check("COMMAND DOCS", [f"{name} is in one of COMMAND and DOCS" for name in set(ours.docs) ^ set(ours.rows)])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
