#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The debugger of scripts (SCRIPT DEBUG): the same dialogs with ouro and with redis-server, and what becomes of the data, of
others, and of a session whose client goes.

    debugger_test.py BUILD [--redis redis-server]
"""
import argparse
import contextlib
import pathlib
import re
import subprocess
import tempfile
import time

from check import Check
from debugger_dialogs import DIALOGS, ENDLESS
from resp import encode
from servers import Server

BUSY = ("-", b"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.")
OK = ("+", b"OK")


@contextlib.contextmanager
def serving(check, program, *options):
    """A server that has to end in order."""
    with Server(program, *options) as server:
        yield server
        check.holds(f"{program} ends in order", server.stop() == 0, server.log_tail())


def wait_until(holds):
    """Or until it has taken so long that what follows may as well fail."""
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)


def text_of(reply):
    """All lines of a debugger's answer as one text; addresses are each process's own."""
    kind, value = reply
    is_lines = kind == "*" and all(of == "+" for of, _ in value)
    lines = [line for _, line in value] if is_lines else [repr(reply).encode()]
    return re.sub(rb"@0x[0-9a-f]+", b"@ADDRESS", b"\n".join(lines)).decode(errors="backslashreplace")


def rest_of(client):
    """What comes until the connection ends."""
    replies = []
    try:
        while True:
            replies.append(client.read())
    except ConnectionError:
        return replies


class Dialog:
    """A client that debugs one script."""

    def __init__(self, server, script, mode, keys=(), arguments=(), before=()):
        self.client = server.connect(timeout_s=20)
        for words in before:
            self.client.call(*words)
        self.id = self.client.call("CLIENT", "ID")[1]
        assert self.client.call("SCRIPT", "DEBUG", mode) == OK
        self.first = self.client.call("EVAL", script, len(keys), *keys, *arguments)

    def say(self, *words):
        """Words, or one string of them; the answer as a text."""
        return text_of(self.client.call(*(words[0].split(" ") if len(words) == 1 else words)))

    def rest(self):
        return rest_of(self.client)

    def run_out(self):
        """Lets it run: all that is still answered."""
        self.client.send(["c"])
        return self.rest()


def transcript(server, script, says, mode):
    """All that is answered; with the end of the connection, if the script came to its own."""
    dialog = Dialog(server, script, mode, ["k"], ["v", "w"])
    heard = [text_of(dialog.first)]
    for said in says:
        if heard[-1].endswith("<endsession>"):
            break
        dialog.client.send_bytes(said if isinstance(said, bytes) else encode(said.split(" ")))
        heard.append(f"{said}: {text_of(dialog.client.read())}")
    if heard[-1].endswith("<endsession>"):
        heard += [text_of(reply) for reply in dialog.rest()] + ["closed"]
    dialog.client.close()
    return heard


def check_dialogs(check, program, redis):
    options = ("--lua-time-limit", "100")
    with serving(check, program, *options) as ours, Server(redis, *options) as theirs:
        for number, (script, says) in enumerate(DIALOGS):
            for mode in ("yes", "sync"):
                seen, wanted = transcript(ours, script, says, mode), transcript(theirs, script, says, mode)
                check.holds(f"dialog {number} ({mode}) of {script.splitlines()[:1]}", seen == wanted,
                            [pair for pair in zip(seen, wanted) if pair[0] != pair[1]][:1] or (seen[-2:], wanted[-2:]))
                for server in (ours, theirs):
                    server.connect().call("FLUSHALL")


def check_words(check, program, redis):
    """What switches the debugger, and whom it is not for."""
    said = [["SCRIPT", "DEBUG"], ["SCRIPT", "DEBUG", "x"], ["SCRIPT", "DEBUG", "no"], ["EVAL", "return redis.breakpoint()", "0"],
            ["EVAL", "return redis.debug(1)", "0"], ["EVAL", "return redis.pcall('script', 'debug', 'yes')", "0"], ["MULTI"],
            ["SCRIPT", "DEBUG", "yes"], ["EXEC"], ["EVAL", "return 1", "0"], ["SCRIPT", "DEBUG", "SYNC"],
            ["EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0"], ["EVALSHA", "x", "0"], ["SCRIPT", "DEBUG", "No"],
            ["EVAL", "return 1", "0"],
            ["FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('f', function() return 1 end)"],
            ["SCRIPT", "DEBUG", "Yes"], ["FCALL", "f", "0"], ["GET", "a"], ["EVAL", "return 1", "x"]]
    with serving(check, program) as ours, Server(redis) as theirs:
        answers = []
        for server in (ours, theirs):
            client = server.connect()
            answers.append([client.call(*words) for words in said] + [client.read()])
            client = server.connect()
            client.send(["SET", "a", "1"], ["SCRIPT", "DEBUG", "yes"])
            answers[-1] += [client.read(), client.read()]
            for mode in ("OFF", "SKIP"):
                client = server.connect(timeout_s=20)
                client.send(["SCRIPT", "DEBUG", "yes"], ["CLIENT", "REPLY", mode])
                answers[-1].append(client.read())
                client.send(["EVAL", "local a = 1\nreturn a", "0"])
                answers[-1].append(client.read())
                client.send(["s"])
                answers[-1].append(client.read())
                client.send(["c"])
                answers[-1] += [client.read(), rest_of(client)]
        behind = ["its end", "SET", "behind SET", *["a dialog that answers no command"] * 10]
        for words, seen, wanted in zip(said + behind, *answers, strict=True):
            check.holds(f"{words} is answered", seen == wanted, (seen, wanted))
        client = ours.connect()
        for words in (["SCRIPT", "DEBUG", "yes"], ["MULTI"], ["EVAL", "return 1", "0"]):
            client.call(*words)
        check.holds("nothing is debugged inside a transaction", b"transaction" in client.call("EXEC")[1][0][1])
        client.call("RESET")
        check.holds("after RESET nothing is debugged", client.call("EVAL", "return 1", "0") == (":", b"1"))
        dialog = Dialog(ours, "return 1", "yes")
        dialog.client.send(["p"], ["l"], ["e", "1+1"], ["c"], ["p"])
        answers = [text_of(reply) for reply in dialog.rest()]
        check.holds("a pipeline is answered whole", [answer.split(" ")[0] for answer in answers]
                    == ["No", "->", "<retval>", "<endsession>", "(':',"], answers)
        dialog = Dialog(ours, "return 1", "yes")
        dialog.client.send_bytes(b"*1\r\n$" + b"1" * ((1 << 20) - 4))
        check.holds("too much input ends it", b"max client buffer reached" in dialog.rest()[-1][1])


WRITES = """redis.call('set','k','mine')
redis.call('lpush','queue','a')
redis.call('del','l')
redis.call('rename','ttl','ttl2')
redis.call('set','new','1')
redis.call('publish','channel','hello')
redis.call('sadd','s','one more')
redis.call('move','h',3)
redis.call('copy','k','k','db',2)
redis.call('expire','k2',1)
local f=redis.pcall('flushall')
local g=redis.call('get','due')
redis.call('set','due','again')
redis.call('pfcount','hll')
return {redis.call('get','k'),redis.call('lrange','queue',0,-1),redis.call('scard','s'),redis.call('get','due'),
  redis.call('ttl','ttl2'),f}"""
KEYS = [["SET", "k", "theirs"], ["SET", "k2", "x"], ["RPUSH", "l", "1", "2"], ["SET", "ttl", "x", "EX", "3000"],
        ["SADD", "s", *map(str, range(1000))], ["HSET", "h", "f", "v"], ["PFADD", "hll", "a", "b"],
        ["HSET", "timed", "a", "1", "b", "2"], ["HEXPIRE", "timed", "1000", "FIELDS", "1", "a"]]
LOOKS = [["GET", "k"], ["LRANGE", "l", "0", "-1"], ["DBSIZE"], ["SCARD", "s"], ["EXISTS", "queue", "new", "ttl2"], ["TTL", "k2"],
         ["HGET", "h", "f"], ["HTTL", "timed", "FIELDS", "1", "a"]]


def look(client):
    return [client.call(*words) for words in LOOKS]


def log_of(server):
    return b"".join(path.read_bytes() for path in sorted(pathlib.Path(server.folder.name).glob("appendonlydir/*.incr.aof")))


def stream_end(client):
    return re.search(rb"master_repl_offset:(\d+)", client.call("INFO", "replication")[1])[1]


def check_no_trace(check, program):
    """After YES nobody ever sees anything: in the data, the log, the stream, in messages, and waits for keys."""
    with serving(check, program, "--notify-keyspace-events", "KEAn", "--appendonly", "yes", "--appendfsync", "always",
                "--repl-ping-replica-period", "3600", "--repl-diskless-sync-delay", "0") as ours, \
            serving(check, program, "--replicaof", f"127.0.0.1 {ours.port}") as replica:
        client = ours.connect()
        for words in KEYS:
            client.call(*words)
        client.call("SET", "due", "x", "PX", "1")
        follower = replica.connect()
        wait_until(lambda: follower.call("GET", "k") == ("$", b"theirs"))
        watcher, waiter, listener = ours.connect(), ours.connect(), ours.connect()
        wait_until(lambda: client.call("EXISTS", "due") == (":", b"0"))
        watcher.call("WATCH", "k", "new", "queue")
        waiter.send(["BLPOP", "queue", "0"])
        listener.call("PSUBSCRIBE", "*")
        before, log, offset = look(client), log_of(ours), stream_end(client)
        dialog = Dialog(ours, WRITES, "yes")
        for _ in range(15):
            dialog.say("s")
            check.holds("others see their own", look(client) == before, (look(client), before))
        check.holds("the session sees its own", dialog.say("e", "redis.call('get','k')") == '<retval> "mine"')
        answer = dialog.run_out()[-1][1]
        check.holds("and so does its answer", [answer[0], answer[1], answer[2], answer[3]]
                    == [("$", b"mine"), ("*", [("$", b"a")]), (":", b"1001"), ("$", b"again")], answer)
        check.holds("what names no keys is refused", b"cannot be taken back" in answer[5][1], answer[5])
        check.holds("nothing is left", look(client) == before)
        check.holds("nor in the log", log_of(ours) == log)
        check.holds("nor in the stream, which is followed", stream_end(client) == offset
                    and replica.connect().call("GET", "k") == ("$", b"theirs") and offset != b"0")
        watcher.call("MULTI")
        check.holds("no watched key has changed", watcher.call("EXEC") == ("*", []))
        check.holds("nobody was told", not listener.has_input() and not waiter.has_input())
        client.call("RPUSH", "queue", "real")
        check.holds("who waits gets what is real", waiter.read()[1][1] == ("$", b"real"))


def check_snapshot(check, program):
    """A snapshot that is written meanwhile has what others see, wherever in its walk it meets the session."""
    with serving(check, program, "--enable-debug-command", "yes", "--rdb-key-save-delay", "300") as ours:
        client = ours.connect()
        client.call("EVAL", "for i=1,2000 do redis.call('set','k'..i,i) redis.call('rpush','l'..i,i,i) end", "0")
        before = client.call("DEBUG", "DIGEST")
        script = """for i=1,2000,4 do
  redis.call('incr','k'..i) redis.call('rename','l'..i,'m'..i) redis.call('rpush','m'..i,'x')
  if i%50<4 then redis.breakpoint() end
end
return redis.call('dbsize')"""
        dialog = Dialog(ours, script, "yes")
        check.holds("it is being saved", client.call("BGSAVE")[0] == "+")
        stops, during = 0, 0
        while "Stopped" in dialog.say("c"):
            stops += 1
            during += b"rdb_bgsave_in_progress:1" in client.call("INFO", "persistence")[1]
        check.holds("with stops in between", during > 5 and stops == 40, (during, stops))
        wait_until(lambda: b"rdb_bgsave_in_progress:0" in client.call("INFO", "persistence")[1])
        check.holds("the data are as before", client.call("DEBUG", "DIGEST") == before)
        check.holds("and so is the snapshot", client.call("DEBUG", "RELOAD", "NOSAVE") == OK and
                    client.call("DEBUG", "DIGEST") == before)


def check_side_by_side(check, program):
    """Sessions that change the same keys, while others do."""
    with serving(check, program) as ours:
        client = ours.connect()
        client.call("SET", "n", "10")
        script = "for i=1,3 do\n  redis.call('incrby','n',ARGV[1])\nend\nreturn redis.call('get','n')"
        dialogs = [Dialog(ours, script, "yes", [], [str(step)]) for step in (1, 100)]
        for _ in range(4):
            for dialog in dialogs:
                dialog.say("s")
            client.call("INCR", "n")
        seen = [dialog.say("r get n").split()[-1] for dialog in dialogs]
        check.holds("each sees its own", seen == ['"13"', '"211"'], seen)
        check.holds("others theirs", client.call("GET", "n") == ("$", b"14"))
        client.call("DEL", "n")
        seen = [dialog.run_out()[-1] for dialog in dialogs]
        check.holds("to the end", seen == [("$", b"14"), ("$", b"311")], seen)
        check.holds("and after it", client.call("GET", "n") == ("$", None))
        client.call("EVAL", "for i=1,2001 do redis.call('set',i,i) end", "0")
        dialog = Dialog(ours, "for i=1,2001 do redis.call('incr',i) end", "yes")
        check.holds("it may not change too many keys", b"too much is changed" in dialog.run_out()[-1][1])
        dialog = Dialog(ours, "for i=1,100 do redis.call('append','k',string.rep('x',1000000)) end", "yes")
        check.holds("nor too much", b"too much is changed" in dialog.run_out()[-1][1])
        client.call("SET", "large", "x" * (65 << 20))
        dialog = Dialog(ours, "redis.call('append','large','x')", "yes")
        check.holds("nor what is too large", b"too much is changed" in dialog.run_out()[-1][1])
        script = "for i=1,9 do redis.pcall('setrange','wide'..i,70000000,'x') end\nreturn 1"
        for said in (["c"], ["r", "setrange", "wide", "70000000", "x"]):
            dialog = Dialog(ours, script, "yes")
            dialog.client.send(said)
            check.holds("nor go on with what has grown too much", b"too much is changed" in dialog.rest()[-1][1])
        check.holds("all is as it was", client.call("GET", "2001") == ("$", b"2001") and
                    client.call("EXISTS", "k") == (":", b"0") and client.call("STRLEN", "large") == (":", b"%d" % (65 << 20)))
        migrate = "return redis.pcall('migrate','127.0.0.1',ARGV[1],'n',0,1000)"
        client.call("SET", "n", "1")
        dialog = Dialog(ours, migrate, "yes", [], [str(ours.port)])
        check.holds("what goes elsewhere is refused", b"cannot be taken back" in dialog.run_out()[-1][1])
        dialogs = [Dialog(ours, "return 1", "yes") for _ in range(17)]
        check.holds("there may be 16", [dialog.first[0] for dialog in dialogs] == ["*"] * 16 + ["-"])


def facts_of(client, *names):
    """Numbers of INFO."""
    text = client.call("INFO", "everything")[1].decode()
    return [int(re.search(rf"^{name}:(\d+)", text, re.MULTILINE)[1]) for name in names]


def check_memory(check, program, redis):
    """What sessions hold costs nobody a key, and nobody is refused for it."""
    script = "for i=1,50 do redis.call('set','n'..i,string.rep('y',1000000)) end\nreturn redis.call('dbsize')"
    with serving(check, program, "--maxmemory-policy", "allkeys-lru", "--repl-diskless-sync-delay", "0") as ours, \
            serving(check, program, "--replicaof", f"127.0.0.1 {ours.port}") as replica:
        client, follower = ours.connect(), replica.connect()
        client.call("EVAL", "for i=1,2000 do redis.call('set','k'..i,string.rep('x',10000)) end", "0")
        wait_until(lambda: follower.call("DBSIZE") == (":", b"2000"))
        used, = facts_of(client, "used_memory")
        client.call("CONFIG", "SET", "maxmemory", used + (8 << 20))
        dialogs = [Dialog(ours, script, "yes") for _ in range(3)]
        for dialog in dialogs:
            dialog.say("b 2")
            dialog.say("c")
        client.call("SET", "one", "more")
        held, evicted = facts_of(client, "mem_not_counted_for_evict", "evicted_keys")
        check.holds("what they hold is known", 3 * 50_000_000 < held < 3 * 60_000_000, held)
        check.holds("nobody's keys go for it", evicted == 0 and client.call("DBSIZE") == (":", b"2001"), evicted)
        for policy in ("noeviction", "allkeys-lru"):
            client.call("CONFIG", "SET", "maxmemory-policy", policy)
            check.holds(f"{policy}: nobody is refused", client.call("SET", "another", policy) == OK)
        dialogs[2].client.close()
        check.holds("they have it all", [dialog.run_out()[-1] for dialog in dialogs[:2]] == [(":", b"2052")] * 2)
        wait_until(lambda: facts_of(client, "mem_not_counted_for_evict")[0] < 1 << 20)
        client.call("SET", "yet another", "one")
        wait_until(lambda: follower.call("DBSIZE") == client.call("DBSIZE"))
        check.holds("and all is there in the end", client.call("DBSIZE") == (":", b"2003") == follower.call("DBSIZE"))
    answers = []
    for server in (Server(program), Server(redis)):
        with server:
            client = server.connect()
            client.call("SET", "large", "x" * (4 << 20))
            client.call("CONFIG", "SET", "maxmemory", "1mb")
            answers.append(Dialog(server, "return redis.pcall('set','k',string.rep('x',1000))", "yes").run_out()[-1])
    check.holds("where no room is left none is made for a session", answers[0] == answers[1] and
                answers[0][1].startswith(b"OOM"), answers)


def check_sync(check, program):
    with serving(check, program, "--appendonly", "yes", "--appendfsync", "always") as ours:
        client, waiter = ours.connect(), ours.connect()
        waiter.send(["BLPOP", "queue", "0"])
        script = "redis.call('rpush','queue','a')\nredis.call('rpush','queue','b')\nreturn redis.call('llen','queue')"
        dialog = Dialog(ours, script, "sync")
        check.holds("others hear that it is busy", client.call("GET", "k") == BUSY)
        dialog.say("s")
        check.holds("what may run does", client.call("MULTI") == OK and client.call("DISCARD") == OK)
        check.holds("it has written", client.call("SCRIPT", "KILL")[1].startswith(b"UNKILLABLE"))
        check.holds("nobody is woken in the middle", not waiter.has_input())
        check.holds("what it has done is in the log at each stop", log_of(ours).count(b"queue") == 1)
        check.holds("it sees both", dialog.run_out()[-1] == (":", b"2"))
        check.holds("then it is all theirs", waiter.read()[1][1] == ("$", b"a") and client.call("LLEN", "queue") == (":", b"1"))
        dialog = Dialog(ours, "return 1", "sync")
        check.holds("one that has not written is killed", client.call("SCRIPT", "KILL") == OK)
        check.holds("and says so", b"killed by user" in dialog.rest()[-1][1])
        dialog = Dialog(ours, "redis.call('set','k','1')\nredis.call('set','k','2')", "sync")
        dialog.say("s")
        dialog.client.close()
        wait_until(lambda: client.call("PING") != BUSY)
        check.holds("what was done stays when its client goes", client.call("GET", "k") == ("$", b"1"))
        dialog = Dialog(ours, "redis.call('set','k','3')\nreturn 1", "sync")
        dialog.say("s")
        dialog.client.send(["a"])
        check.holds("it is aborted", b"aborted" in dialog.rest()[-1][1])
        check.holds("and what was done stays", client.call("GET", "k") == ("$", b"3"))
        dialog = Dialog(ours, "redis.call('set','k','half')\nredis.call('set','l','whole')", "sync")
        dialog.say("s")
        check.holds("half of what it does is not saved", [client.call("SHUTDOWN", *how) for how in ([], ["SAVE"], ["NOW"])]
                    == [BUSY] * 3)
        client.send(["SHUTDOWN", "NOSAVE"])
        check.holds("the server may end", ours.process.wait(20) == 0)


def check_endless(check, program):
    """What does not stop keeps nobody waiting."""
    with serving(check, program, "--lua-time-limit", "300") as ours:
        client = ours.connect()
        running, evaluating = Dialog(ours, ENDLESS, "yes"), Dialog(ours, "return 1", "yes")
        running.client.send(["c"])
        evaluating.client.send(["e", "while true do end"])
        answers = [client.call("ECHO", str(number)) for number in range(100)]
        check.holds("others are answered", [value for _, value in answers] == [str(number).encode() for number in range(100)])
        check.holds("it stops", "timeout reached" in text_of(running.client.read()))
        check.holds("what is evaluated ends", "too long" in text_of(evaluating.client.read()))
        check.holds("and the session goes on", evaluating.say("e", "1+1") == "<retval> 2")
        running.client.send(["c"])
        running.client.close()
        evaluating.client.send(["e", "while true do pcall(function() while true do end end) end"])
        evaluating.client.close()
        wait_until(lambda: client.call("CLIENT", "LIST")[1].count(b"\n") == 1)
        recursion = Dialog(ours, "local function f(n)\n  return f(n+1)+1\nend\nreturn f(1)", "yes")
        check.holds("endless recursion is an error", b"stack overflow" in recursion.run_out()[-1][1])
        nested = Dialog(ours, "local function f(s)\n  return (string.gsub(s,'.',f))\nend\nreturn f('x')", "yes")
        check.holds("through C too", nested.run_out()[-1][0] == "-")
        shown = Dialog(ours, "local t={}\nfor i=1,30 do t[i]=t end\nreturn 1", "yes")
        shown.say("b 3")
        shown.say("c")
        shown.say("m 0")
        check.holds("a table that contains itself has an end", len(shown.say("p t")) < 2 << 20)


def check_size(check, program):
    """What sessions take for themselves."""
    script = """local t={}
for i=1,12 do t[i]=string.rep(string.char(64+i),50000000) end
return #t"""
    with serving(check, program) as ours:
        dialogs = [Dialog(ours, script, "yes") for _ in range(2)]
        dialogs[0].say("b 3")
        check.holds("one session may take much", "Stopped at 3" in dialogs[0].say("c"))
        check.holds("all together not much more", b"not enough memory" in dialogs[1].run_out()[-1][1])
        check.holds("the first has it", dialogs[0].run_out()[-1] == (":", b"12"))
        check.holds("then the next may", Dialog(ours, script, "yes").run_out()[-1] == (":", b"12"))
    with serving(check, program) as ours:
        lines, before = 5_000_000, ours.resident_bytes()
        dialog = Dialog(ours, "\n" * lines + "return 1", "yes")
        taken = ours.resident_bytes() - before
        check.holds("a line costs little", taken < 30 * lines, taken)
        check.holds("and is known", f"-> {lines + 1} return 1" in dialog.say("l"))


def check_shown(check, program):
    """Values that take long to look through, and the time of others."""
    script = """local h,t={},{}
for i=1,300000 do h[i..'x']=1 end
for i=1,299999 do h[i..'x']=nil end
for i=1,20000 do t[i]=h end
redis.breakpoint()
redis.debug(t)"""
    with serving(check, program, "--lua-time-limit", "300") as ours:
        client, dialog = ours.connect(), Dialog(ours, script, "yes")
        while "timeout" in dialog.say("c"):
            pass
        dialog.say("m 0")
        for said in (["p", "t"], ["s"]):
            dialog.client.send(said)
            longest, deadline = 0, time.monotonic() + 20
            while not dialog.client.has_input() and time.monotonic() < deadline:
                began = time.monotonic()
                client.call("PING")
                longest = max(longest, time.monotonic() - began)
            check.holds(f"{said}: nobody waits for a walk", longest < 0.5, longest)
            answer = text_of(dialog.client.read())
            check.holds(f"{said}: it is cut", "]=1}" in answer and " ..." in answer, answer[-100:])
        dialog.client.send(["p", "t"])
        dialog.client.close()
        wait_until(lambda: client.call("CLIENT", "LIST")[1].count(b"\n") == 1)
        check.holds("who goes takes the walk along", client.call("INFO", "clients")[1].count(b"blocked_clients:0") == 1)
        # Under way for longer than a turn, sanitized in good time.
        dialog = Dialog(ours, "for i=1,1000000 do end\nreturn 'done'", "yes")
        dialog.client.send(["c"])
        client.call("EVAL", "local s=redis.call('time') repeat local t=redis.call('time') until t[1]-s[1]>=2", "0")
        check.holds("the time of others is not its own", dialog.rest()[-1] == ("$", b"done"))


def check_ends(check, program):
    """Clients that go, or are sent away, in the middle."""
    with serving(check, program, "--enable-debug-command", "yes") as ours:
        client = ours.connect()
        script = "local ok=pcall(function()\n  redis.call('set','k',1)\n  redis.call('set','k',2)\nend)\nreturn 5"
        for mode in ("yes", "sync"):
            dialogs = [Dialog(ours, script, mode) for _ in range(1 if mode == "sync" else 4)]
            for dialog in dialogs:
                dialog.say("b 3")
                dialog.say("c")
            if mode == "yes":
                check.holds("CLIENT KILL", client.call("CLIENT", "KILL", "ID", dialogs[0].id) == (":", b"1"))
                check.holds("closes it", dialogs[0].rest() == [])
                check.holds("CLIENT UNBLOCK", client.call("CLIENT", "UNBLOCK", dialogs[1].id) == (":", b"1"))
                check.holds("ends it with an error", [reply[0] for reply in dialogs[1].rest()] == ["-"])
                check.holds("FLUSHALL, SCRIPT FLUSH and FUNCTION FLUSH", [client.call(*words) for words in
                            (["FLUSHALL"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"], ["SWAPDB", "0", "1"])] == [OK] * 4)
                check.holds("do not touch it", dialogs[2].run_out()[-1] == (":", b"5"))
                check.holds("nor does DEBUG RELOAD", client.call("DEBUG", "RELOAD") == OK)
            dialogs[-1].client.send(["quit"])
            dialogs[-1].client.end_sending()
            check.holds(f"{mode}: QUIT is no command of it", "Unknown" in text_of(dialogs[-1].client.read()))
            check.holds(f"{mode}: its script goes with it", dialogs[-1].rest() == [])
            wait_until(lambda: client.call("GET", "k") != BUSY)
            check.holds(f"{mode}: and what it has done", client.call("GET", "k") == ("$", None if mode == "yes" else b"1"))
        check.holds("no session is left", client.call("INFO", "clients")[1].count(b"blocked_clients:0") == 1)
        Dialog(ours, script, "yes").say("s")
        held = Dialog(ours, script, "yes")
        check.holds("a server ends with sessions open", ours.stop() == 0 and held.rest() == [])


def check_rights(check, program):
    with serving(check, program) as ours:
        client = ours.connect()
        client.call("ACL", "SETUSER", "u", "on", "nopass", "~a*", "+@all")
        dialog = Dialog(ours, "return 1", "yes", before=[["AUTH", "u", "x"]])
        check.holds("the user's rights count", "<error>" in dialog.say("r set b 1") and "+OK" in dialog.say("r set a 1"))
        client.call("ACL", "SETUSER", "u", "-set")
        check.holds("also those that are changed", "<error>" in dialog.say("r set a 1"))
        client.call("ACL", "DELUSER", "u")
        check.holds("who is no user any more is sent away", dialog.rest() == [])
        client.call("CONFIG", "SET", "client-output-buffer-limit", "normal 1mb 0 0")
        dialog = Dialog(ours, "local s=string.rep('x',2000000)\nreturn s", "yes")
        dialog.say("s")
        dialog.say("m 0")
        dialog.client.send(["e", "string.rep('x',2000000)"])
        check.holds("the limit of output holds", dialog.rest() == [] and client.call("PING") == ("+", b"PONG"))


def check_cli(check, program, redis):
    """redis-cli says the same of both."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script, serving(check, program) as ours, Server(redis) as theirs:
        script.write("local a = KEYS[1]\nredis.call('set', a, ARGV[1])\nreturn redis.call('get', a)\n")
        script.flush()
        for mode in ("--ldb", "--ldb-sync-mode"):
            for said in (b"s\ns\np a\nw\nhelp\nt\nc\n", b"n\nrestart\nn\nn\nquit\n", b"e 1+1\nr get k\nabort\n", b"s\n"):
                runs = [subprocess.run(["redis-cli", "-p", str(server.port), mode, "--eval", script.name, "k", ",", "v"],
                                       input=said, capture_output=True, timeout=30, check=False) for server in (ours, theirs)]
                check.holds(f"redis-cli {mode} {said}", runs[0].stdout == runs[1].stdout and b"Stopped at 1" in runs[0].stdout
                            and runs[0].returncode == runs[1].returncode, runs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--redis", default="redis-server")
    args = parser.parse_args()
    program = str(pathlib.Path(args.build) / "ouro-server")
    check = Check()
    check_dialogs(check, program, args.redis)
    check_words(check, program, args.redis)
    check_no_trace(check, program)
    check_snapshot(check, program)
    check_side_by_side(check, program)
    check_memory(check, program, args.redis)
    check_sync(check, program)
    check_endless(check, program)
    check_size(check, program)
    check_shown(check, program)
    check_ends(check, program)
    check_rights(check, program)
    check_cli(check, program, args.redis)
    print(f"{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
