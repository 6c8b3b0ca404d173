#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What a server does at its start with an append-only log that it finds, beside redis-server on a copy of the same files.

    log_start_test.py BUILD
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from check import Check
from resp import encode
from servers import Server, free_port

LOG = "appendonlydir"
STEM = "appendonly.aof"


class Logged(Server):
    """A server whose folder is given, and lives longer than the server."""

    def __init__(self, program, home, *options):
        self.home = home
        super().__init__(program, "--appendonly", "yes", *options)

    def command(self):
        return [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.home), "--save", ""]


def make_log(home, manifest, **files):
    (home / LOG).mkdir(parents=True)
    (home / LOG / f"{STEM}.manifest").write_text(manifest)
    for name, bytes_ in files.items():
        (home / LOG / f"{STEM}.{name.replace('_', '.')}.aof").write_bytes(bytes_)


def commands(*lines):
    return b"".join(encode(line.split()) for line in lines)


def refused(program, home, *options):
    """A start that is to fail: the exit code and the lines of the log."""
    run = subprocess.run([program, "--port", str(free_port()), "--bind", "127.0.0.1", "--dir", str(home), "--save", "",
                          "--appendonly", "yes", *options], capture_output=True, timeout=60, check=False)
    return run.returncode, [line for line in run.stdout.decode(errors="replace").splitlines() if line]


FIRST = f"file {STEM}.1.incr.aof seq 1 type i\n"
# A manifest, files, options, and what the last line of the log says in both.
REFUSED = {
    "a file is missing": (FIRST, {}, (), "No such file or directory"),
    "an empty manifest": ("", {}, (), "Found an empty AOF manifest"),
    "a blank line": (FIRST + "\n", {"1_incr": commands("SET a 1")}, (), "Invalid AOF manifest file format"),
    "no order": (f"file {STEM}.2.incr.aof seq 2 type i\n" + FIRST, {"1_incr": b"", "2_incr": b""}, (),
                 "Found a non-monotonic sequence number"),
    "bad format": (FIRST, {"1_incr": commands("SET a 1") + b"!!!" + commands("SET a 1")}, (),
                   "Bad file format reading the append only file"),
    "an unfinished MULTI": (FIRST, {"1_incr": commands("SET a 1", "MULTI", "SET b 2")}, ("--aof-load-truncated", "no"),
                            "Unexpected end of file reading the append only file"),
    "an unfinished command": (FIRST, {"1_incr": commands("SET a 1")[:-1]}, ("--aof-load-truncated", "no"),
                              "Unexpected end of file reading the append only file"),
    "an unknown command": (FIRST, {"1_incr": commands("BLA a 1")}, (),
                           "Unknown command 'BLA' reading the append only file"),
    "a file that is torn and not the last": (FIRST + FIRST.replace("1", "2"),
                                             {"1_incr": commands("SET a 1")[:-1], "2_incr": b""}, (),
                                             "Fatal error: the truncated file is not the last file"),
}


def refusals(check, ours, folder):
    for name, (manifest, files, options, words) in REFUSED.items():
        last = []
        for number, program in enumerate((ours, "redis-server")):
            home = folder / f"{name} {number}"
            make_log(home, manifest, **files)
            code, lines = refused(program, home, *options)
            check.holds(f"{name}: {program} ends", code == 1, code)
            if program == ours:
                check.holds(f"{name}: ouro has told its PID", any("PID: " in line for line in lines), lines)
            last.append(lines[-1])
        check.holds(f"{name}: both say why at the end", all(words in line for line in last), last)


def shared_folder(check, ours, folder):
    """Two servers with the same folder, as long as their files have other names."""
    home = folder / "shared"
    home.mkdir()
    with Logged(ours, home) as first:
        code, lines = refused(ours, home)
        check.holds("the same log is refused", code == 1 and "Another server keeps its data in" in lines[-1], lines)
        # The snapshot, which would be the same one's, is held when it is written.
        with Logged(ours, home, "--appendfilename", "other.aof", "--save", "900 1") as second:
            second.connect().call("SET", "k", "second")
        first.connect().call("SET", "k", "first")
    with Logged(ours, home) as first, Logged(ours, home, "--appendfilename", "other.aof") as second:
        found = [server.connect().call("GET", "k")[1] for server in (first, second)]
        check.holds("each finds its own", found == [b"first", b"second"], found)


def contents(server):
    """What each key holds, as commands tell it, whatever the order that a table has."""
    connection = server.connect()
    found = {}
    for db in range(4):
        connection.call("SELECT", str(db))
        for key in sorted(connection.call("KEYS", "*")[1], key=lambda item: item[1]):
            key = key[1]
            kind = connection.call("TYPE", key)[1].decode()
            asked = {"string": [["GET", key]], "list": [["LRANGE", key, "0", "-1"]], "set": [["SMEMBERS", key]],
                     "zset": [["ZRANGE", key, "0", "-1", "WITHSCORES"]], "hash": [["HGETALL", key]],
                     "stream": [["XRANGE", key, "-", "+"], ["XINFO", "GROUPS", key], ["XPENDING", key, "group"]]}[kind]
            answers = [connection.call(*command) for command in asked]
            if kind in ("set", "hash"):
                step = 1 if kind == "set" else 2
                items = answers[0][1]
                answers = sorted(items[i:i + step] for i in range(0, len(items), step))
            found[db, key] = kind, answers, connection.call("PEXPIRETIME", key)
    connection.close()
    return found


def fill_all(connection):
    """Of each type a small value and one that is written in pieces."""
    big = 3000
    for db, count in (("0", 3), ("3", big)):
        connection.call("SELECT", db)
        connection.call("SET", "string", "v" * count * 100)
        connection.call("SET", "number", "12345")
        connection.call("SET", "ends", "v", "PX", "10000000")
        for i in range(count):
            text = f"element {i} \r\n$5" + "x" * 40
            connection.send(["RPUSH", "list", text], ["SADD", "set", text], ["SADD", "ints", str(i * 7)],
                            ["ZADD", "zset", str(i / 3), text], ["HSET", "hash", text, str(i)],
                            ["XADD", "stream", f"{i + 1}-1", "field", text])
            for _ in range(6):
                connection.read()
        connection.call("XGROUP", "CREATE", "stream", "group", "0")
        connection.call("XREADGROUP", "GROUP", "group", "reader", "COUNT", "200", "STREAMS", "stream", ">")
        connection.call("XADD", "empty", "5-5", "f", "v")
        connection.call("XDEL", "empty", "5-5")
        connection.call("XGROUP", "CREATE", "empty", "group", "$")
    connection.call("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 7 end)")


def base_of_commands(check, ours, folder):
    """A rewrite without aof-use-rdb-preamble, loaded by both."""
    home = folder / "commands"
    home.mkdir()
    options = ("--aof-use-rdb-preamble", "no", "--enable-debug-command", "yes")
    with Logged(ours, home, *options) as server:
        names = sorted(path.name for path in (home / LOG).iterdir())
        check.holds("a new log has such a base", f"{STEM}.1.base.aof" in names, names)
        connection = server.connect()
        fill_all(connection)
        connection.call("BGREWRITEAOF")
        for i in range(2000):
            connection.send(["SADD", "set", f"later {i}"], ["RPOP", "list"], ["DEL", f"key {i}"])
        for _ in range(6000):
            connection.read()
        while b"aof_rewrite_in_progress:1" in connection.call("INFO", "persistence")[1]:
            pass
        names = sorted(path.name for path in (home / LOG).iterdir())
        check.holds("a rewrite makes one", f"{STEM}.2.base.aof" in names, names)
        before = contents(server)
        check.holds("there is something", len(before) >= 20, len(before))
    for program in (ours, "redis-server"):
        with Logged(program, home, *options) as server:
            after = contents(server)
            different = [key for key in before.keys() | after.keys() if before.get(key) != after.get(key)]
            check.holds(f"{program} loads it", not different,
                        [(key, str(before.get(key))[:300], str(after.get(key))[:300]) for key in different[:2]])
            check.holds(f"{program} has the function", server.connect().call("FCALL", "f", "0") == (":", b"7"))
            facts = server.connect().call("INFO", "persistence")[1]
            size = (home / LOG / f"{STEM}.2.base.aof").stat().st_size
            check.holds(f"{program} counts growth beyond the base", f"aof_base_size:{size}\r\n".encode() in facts, size)
    valid = subprocess.run(["redis-check-aof", str(home / LOG / f"{STEM}.manifest")], capture_output=True, timeout=60,
                           check=False)
    check.holds("redis-check-aof finds it valid", b"All AOF files and manifest are valid" in valid.stdout, valid.stdout[-300:])


def ended_while_loading(check, ours, folder):
    """Who is told to end while it loads has not failed."""
    home = folder / "long"
    make_log(home, FIRST, **{"1_incr": commands("SET a 1") * 100000})
    for program in (ours, "redis-server"):
        process = subprocess.Popen([program, "--port", str(free_port()), "--bind", "127.0.0.1", "--dir", str(home), "--save",
                                    "", "--appendonly", "yes", "--key-load-delay", "1000",
                                    "--loading-process-events-interval-bytes", "1024"],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        time.sleep(1)
        process.terminate()
        said = process.communicate(timeout=60)[0].decode(errors="replace")
        check.holds(f"{program} ends with 0 while it loads", process.returncode == 0, (process.returncode, said[-300:]))


def busy_script(check, ours, folder):
    """A script in the log that is over its time: others are answered that it is loaded."""
    home = folder / "busy"
    home.mkdir()
    with Logged(ours, home, "--enable-debug-command", "yes", "--lua-time-limit", "1") as server:
        script = b"redis.call('set', KEYS[1], 'y') for i = 1, 3000000 do redis.call('ping') end"
        with open(home / LOG / f"{STEM}.1.incr.aof", "wb") as log:
            log.write(encode(["SELECT", "0"]) + encode(["EVAL", script, "1", "x"]))
        first, second = server.connect(), server.connect()
        first.send(["DEBUG", "LOADAOF"])
        time.sleep(0.2)
        answer = second.call("PING")
        check.holds("others are told of loading", answer[1].startswith(b"LOADING"), answer)
        answer = second.call("SCRIPT", "KILL")
        check.holds("it cannot be killed", answer[1].startswith(b"LOADING"), answer)
        check.holds("it is loaded", first.read() == ("+", b"OK"))
        check.holds("and has run", second.call("GET", "x") == ("$", b"y"))
        check.holds("the log tells of it", "Slow script detected" in server.log_tail())


def script_of_a_replica(check, ours, folder):
    """What a script in the log does has happened, whoever leads."""
    log = b"".join(encode(words) for words in (["SELECT", "0"], ["EVAL", "redis.call('set', KEYS[1], '100')", "1", "x"],
                                               ["EVAL", "redis.call('incr', KEYS[1])", "1", "x"]))
    for number, program in enumerate((ours, "redis-server")):
        home = folder / f"replica-{number}"
        make_log(home, FIRST, **{"1_incr": log})
        with Logged(program, home, "--replicaof", "127.0.0.1 0") as server:
            check.holds(f"{program}: a script in a replica's log has run", server.connect().call("GET", "x") == ("$", b"101"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    args = parser.parse_args()
    check = Check()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ouro-log-start-"))
    ours = str(args.build.resolve() / "ouro-server")
    try:
        refusals(check, ours, folder)
        shared_folder(check, ours, folder)
        base_of_commands(check, ours, folder)
        ended_while_loading(check, ours, folder)
        busy_script(check, ours, folder)
        script_of_a_replica(check, ours, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
