#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""INFO's redis7_readable is true: what redis-server 7.0 cannot read, and nothing else, makes it `no`.

    redis7_test.py BUILD

Each case below runs on an empty server; then redis-server is started on a copy of the log. It has the same data, or INFO said
no. There must be a case for every command that writes and that redis-server does not have, and for every option of one that it
has. Then who may follow, and what makes it `yes` again.
"""
import argparse
import pathlib
import re
import shutil
import sys
import tempfile
import time

from check import Check
from command_table_test import as_map, plain
from differential import Peer
from follow_test import info, until
from log_replay_test import Replay
from lua_scripts import crc64
from resp import show
from servers import Server

LOG = ("--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
# Commands that change nothing that is kept, though they are flagged as if.
KEEPS_NOTHING = {"himport|prepare"}
GROUP = "XADD s 1-1 f v; XADD s 2-1 f v; XGROUP CREATE s g 0; XREADGROUP GROUP g c STREAMS s >; "
FAR, FAR_MS = "4102444800", "4102444800000"
CASES = f"""
SET a v; SET a w IFEQ v; SET b v IFNE w; SET a x IFDEQ {{digest:w}}; SET a y IFDNE {{digest:w}} EX 9000
MSETEX 2 a 1 b 2 EX 9000; MSETEX 2 a 3 c 4 NX; MSETEX 2 a 5 b 6 KEEPTTL
INCREX a; INCREX a UBOUND 5 BYINT 10 SATURATE EX 9000; INCREX a PERSIST; INCREX a BYFLOAT 0.5 EX 9000
SET a v; SET b v; DELEX a IFEQ v; DELIFEQ b v; SET c v
SET a v STALE 5000; SET b v EX 9000 STALE 5000
SET a v EX 9000 JITTER 50; SET b v LEASE {{token:b}}; SET c v LEASE 7
SET a v VERSION 5; SET a w VERSION 4
SET a v; CACHE.STALE a none; SET a w
SET a v EX 9000 STALE 9000; CACHE.STALE a PX 9000
CACHE.NIL a {{token:a}}; CACHE.NIL b 7
CACHE.LOADCHUNK known: 0 {{empty-filter}}
CACHE.RULE SET known: FILTER ON; CACHE.KNOW known:1; CACHE.FORGET known:1; CACHE.RULE DEL known:
CL.THROTTLE a 15 30 6000; CL.THROTTLE a 15 30 6000 3
SET a:1 v; SET a:2 v; SET b v; RM 0 MATCH a:*
SELECT 1; SET a old; SELECT 0; SET a new EX 9000; SET b v; MOVE a 1 REPLACE; MOVE b 1 REPLACE
SETRANGE x 0 abc; SETRANGE y 0 zz; BITOP DIFF d x y; BITOP DIFF1 e x y; BITOP ANDOR f x y; BITOP ONE g x y; BITOP DIFF g none none
RPUSH a 1 2 3 4 5; EXPIRE a 9000; LMOVEM a b LEFT LEFT COUNT 2 OBO; LMOVEM a b RIGHT RIGHT EXACTLY 2 BULK; LMOVEM b b LEFT RIGHT
RPUSH a 1 2 3; EXPIRE a 9000; LMOVEM a a LEFT LEFT COUNT 3 OBO
RPUSH a 1 2 3 4 5; BLMOVEM a b LEFT RIGHT 0 COUNT 3 BULK; BLMOVEM a c RIGHT LEFT 0 EXACTLY 2 OBO
ZADD a 1 x 2 y; ZADD b 5 y; ZUNIONSTORE u 2 a b AGGREGATE COUNT; ZINTERSTORE i 2 a b WEIGHTS 0.1 3 AGGREGATE COUNT
ZADD a 1 x; ZUNIONSTORE u 1 a; ZINTERSTORE u 1 none AGGREGATE COUNT
GEOADD g 13.4 38.1 p 15.1 37.5 c; GEOSEARCHSTORE d g BYPOLYGON 3 13 38 14 38 14 39; GEOSEARCHSTORE e g BYPOLYGON 3 1 1 2 2 3 1
HIMPORT PREPARE fs n m; HIMPORT SET h fs 1 2; HIMPORT SET h fs 3 4; HIMPORT DISCARD fs
HSET h a 1 b 2 c 3; HGETDEL h FIELDS 2 a none; HSETEX h FIELDS 1 d 4; HSETEX h KEEPTTL FNX FIELDS 1 e 5
HSET h b 2 e 5; HGETEX h FIELDS 1 e; HGETEX h PXAT 1 FIELDS 1 b
HSET h a 1; HPEXPIREAT h 1 FIELDS 1 a; HSET i a 1 b 2; HEXPIREAT i 1 FIELDS 1 a
HSET h a 1; HEXPIRE h 9000 FIELDS 1 a
HSET h a 1; HPEXPIRE h 9000000 FIELDS 1 a
HSET h a 1; HEXPIREAT h {FAR} FIELDS 1 a
HSET h a 1; HPEXPIREAT h {FAR_MS} FIELDS 1 a; HPERSIST h FIELDS 1 a
HSET h a 1; HGETEX h EX 9000 FIELDS 1 a; HGETEX h PERSIST FIELDS 1 a
HSETEX h EX 9000 FIELDS 1 a 1; HSETEX h KEEPTTL FIELDS 1 a 2
SADD s a b; EXPIREMEMBER s a 9000; PERSIST s a
SADD s a b; EXPIREMEMBER s a -1
ZADD z 1 a 2 b; EXPIREMEMBERAT z a {FAR}
HSET h a 1 b 2; PEXPIREMEMBERAT h a {FAR_MS}; PERSIST h a
{GROUP}XACKDEL s g DELREF IDS 1 1-1; XDELEX s ACKED IDS 1 2-1; XADD s 3-1 f v
{GROUP}XADD s DELREF MAXLEN 1 3-1 f v; XADD s KEEPREF 4-1 f v; XTRIM s MAXLEN 1 ACKED; XTRIM s MINID 4 KEEPREF
{GROUP}XREADGROUP GROUP g d CLAIM 0 MAXCOUNT 1 MAXSIZE 100 STREAMS s >; XREADGROUP GROUP g c COUNT 5 STREAMS s 0
{GROUP}XNACK s g FAIL IDS 1 1-1
{GROUP}XNACK s g FAIL IDS 1 9-9
XADD s IDMP p i * f v
XADD s IDMPAUTO p * f v; XADD s IDMPAUTO p * f v
XADD s 1-1 f v; XCFGSET s IDMP-DURATION 77
XADD s 1-1 f v; XIDMPRECORD s p i 1-1
BF.RESERVE a 0.01 100
BF.ADD a x
BF.MADD a x y
BF.INSERT a ITEMS x
BF.RESERVE a 0.01 100; BF.LOADCHUNK b {{chunk:BF:a}}
CF.RESERVE a 100
CF.ADD a x
CF.ADDNX a x
CF.INSERT a ITEMS x
CF.INSERTNX a ITEMS x
CF.ADD a x; CF.DEL a x; CF.COMPACT a
CF.ADD a x; CF.LOADCHUNK b {{chunk:CF:a}}
CMS.INITBYDIM a 10 2; CMS.INCRBY a x 1; CMS.INITBYPROB b 0.1 0.1; CMS.INITBYDIM c 10 2; CMS.MERGE c 1 a
TOPK.RESERVE a 2; TOPK.ADD a x; TOPK.INCRBY a x 2
TDIGEST.CREATE a; TDIGEST.ADD a 1 2; TDIGEST.MERGE b 1 a; TDIGEST.RESET a
SET a v; RESTORE b 9000000 {{later:a}}; RESTORE c 0 {{later:a}} REPLACE
FUNCTION LOAD {{library}}; FUNCTION RESTORE {{later-functions}} FLUSH
BF.ADD a x; COPY a b; DEL a
SET k v; EVAL {{script}} 1 k
""".strip().splitlines()
SCRIPT = "redis.call('RPUSH', 'a', 1, 2, 3) redis.call('LMOVEM', 'a', 'b', 'LEFT', 'RIGHT', 'COUNT', 2, 'BULK') return 1"
LIBRARY = "#!lua name=l\nredis.register_function('f', function() return 1 end)"

EMPTY_FILTER = bytes(16) + b"\x01\0" + b"\0"  # seed and keys, one layer, not full


def of_later_version(payload):
    """What DUMP gave, as if by a Redis of version 11."""
    body = payload[:-10] + (11).to_bytes(2, "little")
    return body + crc64(body).to_bytes(8, "little")


class Cases:
    def __init__(self, check, build):
        self.check = check
        self.program = str(build.resolve() / "ouro-server")
        self.ouro = Peer("ouro", self.program, LOG)
        self.ouro.begin(2)
        self.client = self.ouro.clients[2]
        self.answers = {"yes": 0, "no": 0}

    def readable(self):
        return info(self.client, "persistence")["redis7_readable"]

    def rewrite(self):
        self.client.call("BGREWRITEAOF")
        until(lambda: info(self.client, "persistence")["aof_rewrite_in_progress"] == "0")

    def word(self, word):
        """The argument that a word of a case stands for."""
        what, *of = word.strip("{}").split(":") if word.startswith("{") else [""]
        if what == "digest":
            self.client.call("SET", "scratch", of[0])
            digest = self.client.call("DIGEST", "scratch")[1]
            self.client.call("DEL", "scratch")
            return [digest]
        if what == "token":
            return [self.client.call("CACHE.GET", of[0])[1][2][1]]
        if what == "chunk":
            found = self.client.call(f"{of[0]}.SCANDUMP", of[1], 0)[1]
            return [found[0][1], found[1][1]]
        if what == "later":
            return [of_later_version(self.client.call("DUMP", of[0])[1])]
        if what == "later-functions":
            return [of_later_version(self.client.call("FUNCTION", "DUMP")[1])]
        return [{"script": SCRIPT, "library": LIBRARY, "empty-filter": EMPTY_FILTER}.get(what, word)]

    def loaded_by_redis(self):
        """What redis-server has that starts on the log; None if it does not start."""
        with tempfile.TemporaryDirectory(prefix="ouro-test-") as folder:
            shutil.copytree(pathlib.Path(self.ouro.server.folder.name) / "appendonlydir", f"{folder}/appendonlydir")
            try:
                redis = Peer("redis", "redis-server", (*LOG, "--dir", folder))
            except RuntimeError:
                return None
            redis.clients = [redis.connect() for _ in range(3)]
            found = self.stored(redis)
            redis.server.stop()
            return found

    @staticmethod
    def stored(peer):
        found = {place: (kind, Replay.meant(kind, value), deadline) for place, (kind, _, deadline, value) in peer.dump().items()}
        return found, peer.clients[2].call("FUNCTION", "DUMP")

    def run(self, case):
        for forget in (["FLUSHALL"], ["FUNCTION", "FLUSH"]):
            self.client.call(*forget)
        self.rewrite()
        self.check.holds(f"{case}: readable before", self.readable() == "yes")
        for command in case.split("; "):
            answer = self.client.call(*[arg for word in command.split() for arg in self.word(word)])
            self.check.holds(f"{case}: {command}", answer[0] != "-", show(answer))
        said, here, there = self.readable(), self.stored(self.ouro), self.loaded_by_redis()
        self.answers[said] += 1
        self.check.holds(f"{case}: redis7_readable:{said}", (said == "yes") == (here == there), f"{here} {there}")


class Words:
    """Of one server: the commands that write, by full name, with the words of their options."""

    def __init__(self, server):
        client = server.connect()
        self.write, self.options = set(), {}
        self.add_rows(plain(client.call("COMMAND")))
        self.add_docs(plain(client.call("COMMAND", "DOCS")))

    def add_rows(self, rows):
        for row in rows:
            self.write |= {row[0].decode()} if b"write" in row[2] else set()
            self.add_rows(row[9])

    def add_docs(self, flat):
        for name, fields in as_map(flat).items():
            fields = as_map(fields)
            self.options[name.decode()] = set(self.tokens(fields.get(b"arguments", [])))
            self.add_docs(fields.get(b"subcommands", []))

    def tokens(self, arguments):
        for argument in map(as_map, arguments):
            if argument.get(b"token"):
                yield argument[b"token"].decode().upper()
            yield from self.tokens(argument.get(b"arguments", []))


def check_that_all_are_there(check, program):
    """Nothing of ours is forgotten among the cases."""
    with Server(program) as ouro, Server("redis-server") as redis:
        ours, theirs = Words(ouro), Words(redis)
    commands = [command.upper().split() for case in CASES for command in case.split("; ")]
    for name in sorted(ours.write - KEEPS_NOTHING):
        words = name.upper().split("|")
        here = [command for command in commands if command[:len(words)] == words]
        if name not in theirs.options:
            check.holds(f"a case for {name}", here)
        for option in ours.options[name] - theirs.options.get(name, ours.options[name]):
            check.holds(f"a case for {name} {option}", any(option in command for command in here))


def test_replicas(check, program):
    """Redis's replica goes when it could not follow any more, and comes again; ouro's stays."""
    soon = ("--repl-diskless-sync-delay", "0")
    with Server(program, *soon) as primary, Server("redis-server") as redis, Server(program) as ouro:
        client = primary.connect()
        client.call("SET", "a", "v")
        for replica in (redis, ouro):
            replica.connect().call("REPLICAOF", "127.0.0.1", primary.port)
        both = until(lambda: info(client)["connected_slaves"] == "2" and client.call("WAIT", 2, 1000) == (":", b"2"))
        check.holds("both follow", both)
        offset = int(info(client)["master_repl_offset"])
        client.call("BF.ADD", "filter", "x")
        check.holds("Redis's replica is closed", until(lambda: info(client)["connected_slaves"] == "1"))
        check.holds("the log says what is closed", "it has not said REPLCONF capa ouro" in primary.log_tail(200))
        check.holds("and why", re.search("cannot read what is written from here on, because of BF.ADD", primary.log_tail(200)))
        refused = until(lambda: "has not said REPLCONF capa ouro" in redis.log_tail(200))
        check.holds("Redis's replica is told", refused, redis.log_tail(5))
        check.holds("ouro's follows", client.call("WAIT", 1, 20000) == (":", b"1"))
        check.holds("ouro's says no, too", info(ouro.connect(), "persistence")["redis7_readable"] == "no")
        file = primary.connect()
        file.call("REPLCONF", "capa", "eof", "rdb-only", "1")
        file.send(["SYNC"])
        # Line ends keep the connection alive meanwhile.
        check.holds("a file is given to anybody", until(lambda: file.socket.recv(1) == b"$"))
        client.call("BGREWRITEAOF")
        until(lambda: info(client, "persistence")["aof_rewrite_in_progress"] == "0")
        check.holds("no rewrite helps while there is a filter", info(client, "persistence")["redis7_readable"] == "no")
        client.call("DEL", "filter")
        client.call("BGREWRITEAOF")
        check.holds("one does when there is none", until(lambda: info(client, "persistence")["redis7_readable"] == "yes"))
        check.holds("Redis's replica is there again", until(lambda: info(client)["connected_slaves"] == "2", 40))
        for words, answer in ((["eof"], b"FULLRESYNC"), (["eof", "capa", "ouro"], b"CONTINUE")):
            asks = primary.connect()
            asks.call("REPLCONF", "capa", *words)
            line = asks.call("PSYNC", info(client)["master_replid"], offset + 1)[1]
            check.holds(f"the stream of before for capa {words}", line.startswith(answer), line)


def test_loading(check, program):
    """What is loaded says the same: a log, with a base of either kind, and a snapshot."""
    for preamble in ("yes", "no"):
        with Server(program, *LOG, "--aof-use-rdb-preamble", preamble) as server:
            client = server.connect()
            for value, readable in (("SADD s a", "yes"), ("EXPIREMEMBER s a 9000", "no")):
                client.call(*value.split())
                for how in ("the increment", "the base"):
                    server.stop()
                    server.start()
                    client = server.connect()
                    seen = info(client, "persistence")["redis7_readable"]
                    check.holds(f"{value} in {how}, preamble {preamble}", seen == readable, seen)
                    client.call("BGREWRITEAOF")
                    until(lambda: info(client, "persistence")["aof_rewrite_in_progress"] == "0")
    with Server(program) as server:
        server.connect().call("HSETEX", "h", "EX", "9000", "FIELDS", "1", "a", "1")
        server.connect().call("SAVE")
        server.stop()
        server.start()
        seen = info(server.connect(), "persistence")["redis7_readable"]
        check.holds("a snapshot", seen == "no", seen)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    args = parser.parse_args()
    check, started = Check(), time.monotonic()
    cases = Cases(check, args.build)
    check_that_all_are_there(check, cases.program)
    for case in CASES:
        cases.run(case)
    check.holds("orderly end", cases.ouro.server.stop() == 0)
    test_replicas(check, cases.program)
    test_loading(check, cases.program)
    print(f"{cases.answers} in {time.monotonic() - started:.0f} s")
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
