#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ACL: the same random users and questions to ouro and to redis-server.

    acl_differential.py --server build/release/ouro-server [--commands N] [--seed N]

Every reply is compared. Redis words a user's commands by the categories that fit the commands it has best, and ouro has
others: so ACL LIST and GETUSER are held against a plain model of that wording, each server's with its own commands, and
everything else of them against each other. Users also log in and run commands; ACL LOG tells what was denied. The last line
is `N passed, N failed`; the parts are the table of commands, the random run, and the orderly end of ouro-server.
"""
import argparse
import random
import sys
import time

import servers
from compare import pairs_of
from families import NEWER_FORMS
from resp import show

CATEGORIES = ("keyspace read write set sortedset list hash string bitmap hyperloglog geo stream pubsub admin fast slow "
              "blocking dangerous connection transaction scripting").split()
USERS = ["a", "b", "c", "default"]
KEYS = ["k", "key", "key:1", "r", "r1", "w", "w1", "rw", "x", "", "*"]
GLOBS = ["*", "k*", "key:?", "r*", "w*", "rw", "[a-k]*", "", "x", "\\*", "k"]
CHANNELS = ["c", "c1", "news.a", "n", "*", "c*", ""]
CHANNEL_GLOBS = ["c*", "c", "c1", "news.*", "*", "n?", ""]
PASSWORDS = ["p", "q", "two words", ""]
HASH = "148de9c5a7a44d19e56cd9ae1a554bf67847afb0c58f6e12fa29ac7ddfca9940"
BROKEN = ["+nosuch", "-nosuch", "+@nosuch", "-@", "+", "-", "~a b", "%~x", "%RR~x", "%", "%Q~x", "nosuch", "+get|", "+config|",
          "+config|get|x", "-select|0", "+config|nosuch", "-config|nosuch", "#12", "!12", "<never", "(", ")", "( )", "()",
          "(on)", "(+get", "(+nosuch)", "(~x allkeys ~y)", "+get|a|b", "&a b", "", "\"", "(\"", "(+get \")", "~\tx", "onn"]


class Commands:
    """The commands of one server: full names with their categories, containers with their subcommands."""

    def __init__(self, client):
        self.categories, self.subcommands = {}, {}
        for entry in client.call("COMMAND")[1]:
            self.add(entry[1])
        self.members = {category: {name for name, categories in self.categories.items() if category in categories}
                        for category in CATEGORIES}
        self.reach_of = {category: set().union(*map(self.reach, members)) for category, members in self.members.items()}
        self.looked_at = {}

    def add(self, fields):
        name = fields[0][1].decode()
        self.categories[name] = frozenset(item[1].decode()[1:] for item in fields[6][1])
        subcommands = fields[9][1]
        self.subcommands[name] = {sub[1][0][1].decode() for sub in subcommands}
        for sub in subcommands:
            self.add(sub[1])

    def reach(self, name):
        """What +name and -name mean."""
        return {name} | self.subcommands[name]

    def meaning(self, rules):
        """The commands that rules of ACL GETUSER allow, first arguments, and whether new commands are."""
        allowed, first, later = set(), set(), False
        for rule in rules.split():
            sign, name = rule[0], rule[1:]
            if name == "@all":
                allowed, later = (set(self.categories) if sign == "+" else set()), sign == "+"
                continue
            if name.startswith("@"):
                reach = self.reach_of[name[1:]]
            elif name in self.categories:
                reach = self.reach(name)
            else:
                first.add(name)
                continue
            allowed = allowed | reach if sign == "+" else allowed - reach
        return allowed, first, later

    def words(self, allowed, first, later):
        """The rules that a server has to print, single commands in a defined order."""
        text, base = (["+@all"], set(self.categories)) if later else (["-@all"], set())
        wrong, reached, unused = base ^ allowed, set(base), list(CATEGORIES)
        while True:
            best = None
            for category in unused:
                members = self.members[category]
                inside, outside = len(members & wrong), len(members - wrong)
                if inside > outside and (best is None or (outside, -inside) < best[:2]):
                    best = outside, -inside, category
            if best is None:
                break
            unused.remove(best[2])
            reach = self.reach_of[best[2]]
            text.append(("-@" if later else "+@") + best[2])
            reached, wrong = (reached - reach if later else reached | reach), wrong - reach
        single = []
        for name in sorted(self.categories):
            if (name in allowed) != (name in reached):
                single.append(("+" if name in allowed else "-") + name)
                reached = reached | self.reach(name) if name in allowed else reached - self.reach(name)
        single += ["+" + name for name in first]
        return text, sorted(single)


def rule(draw, names):
    """One random rule; names are commands that both servers have."""
    kind = draw.random()
    if kind < 0.22:
        return draw.choice("+-") + draw.choice(names).upper() if draw.random() < 0.1 else draw.choice("+-") + draw.choice(names)
    if kind < 0.34:
        return draw.choice(["+@", "-@"]) + draw.choice(CATEGORIES + ["all"] * 3)
    if kind < 0.40:
        return draw.choice(["allcommands", "nocommands", "allkeys", "resetkeys", "allchannels", "resetchannels", "ALLKEYS"])
    if kind < 0.52:
        return draw.choice(["~", "%R~", "%W~", "%RW~", "%wr~"]) + draw.choice(GLOBS)
    if kind < 0.60:
        return "&" + draw.choice(CHANNEL_GLOBS)
    if kind < 0.66:
        return "+" + draw.choice(["select|0", "select|1", "SELECT|0", "get|k", "debug|object", "debug|x", "set|K", "del|k"])
    if kind < 0.72:
        return draw.choice([">", "<"]) + draw.choice(PASSWORDS)
    if kind < 0.75:
        return draw.choice(["#", "!"]) + HASH
    if kind < 0.83:
        return draw.choice(["on", "off", "nopass", "resetpass", "On", "sanitize-payload", "skip-sanitize-payload"])
    if kind < 0.86:
        return "reset"
    if kind < 0.88:
        return "clearselectors"
    if kind < 0.95:
        inner = [rule(draw, names) for _ in range(draw.randrange(4))]
        return "(" + " ".join(word for word in inner if not word.startswith("(")) + ")"
    return draw.choice(BROKEN)


def use_of(draw):
    """A command with keys or channels, right or wrong."""
    key, channel = (lambda: draw.choice(KEYS)), (lambda: draw.choice(CHANNELS))
    return draw.choice([
        ["GET", key()], ["SET", key(), "v"], ["SET", key(), "v", "GET"], ["MGET", key(), key()], ["COPY", key(), key()],
        ["DEL", key(), key()], ["EXISTS", key()], ["LPUSH", key(), "v"], ["LMOVE", key(), key(), "LEFT", "LEFT"],
        ["SCARD", key()],
        ["SORT", key(), "STORE", key()], ["SORT", key()], ["SORT", key(), "BY", "w*"],
        ["SORT", key(), "GET", "#", "GET", "w*"],
        ["BITFIELD", key(), "GET", "u8", "0"], ["BITFIELD", key(), "SET", "u8", "0", "1"], ["GETDEL", key()],
        ["XREAD", "STREAMS", key(), key(), "0", "0"], ["EVAL", "return redis.call('GET', KEYS[1])", "1", key()],
        ["EVAL", "return redis.pcall('SET', '" + key() + "', 1)", "0"],
        ["EVAL", "return redis.call('PUBLISH', 'c1', 'm')", "0"],
        ["ZUNIONSTORE", key(), draw.choice(["1", "2", "x", "9"]), key(), key()],
        ["SUNIONSTORE", key(), key(), key()], ["BLPOP", key(), key(), "0.001"], ["LMPOP", "2", key(), key(), "LEFT"],
        ["PUBLISH", channel(), "m"], ["SPUBLISH", channel(), "m"], ["SUBSCRIBE", channel(), channel()],
        ["PSUBSCRIBE", channel(), channel()], ["SSUBSCRIBE", channel()], ["UNSUBSCRIBE", channel()],
        ["SELECT", draw.choice("01")],
        ["CONFIG", "GET", "x"], ["CONFIG", "nosuch"], ["CONFIG"], ["DEBUG", "object", key()], ["AUTH", "x"], ["PING"], ["NOSUCH"],
        ["GET"], ["RENAME", key(), key()], ["GETEX", key()], ["OBJECT", "REFCOUNT", key(), "x"], ["CLIENT", "GETNAME"],
        ["MSET", key(), "1", key(), "2"], ["HGET", key(), "f"], ["ZADD", key(), "1", "m"], ["EXEC"], ["MULTI"], ["WATCH", key()],
    ])


def question(draw, names, user):
    """A DRYRUN of such a command, or of any."""
    command = use_of(draw)
    if draw.random() < 0.05:
        command = draw.choice(names).split("|") + draw.choices(KEYS, k=draw.randrange(4))
    if command[0] == "pfmerge" and len(command) == 2:  # Redis 7.0 finds no key in it, and asks for no permission
        command.append(draw.choice(KEYS))
    if command[0].upper().encode() in NEWER_FORMS:  # any number of words is refused otherwise than in Redis 7.0
        command = ["GET", draw.choice(KEYS)]
    return ["ACL", "DRYRUN", user, *command]


def command(draw, names):
    """(kind, arguments) of the next command."""
    user, kind = draw.choice(USERS[:3]), draw.random()
    if kind < 0.38:
        return "plain", ["ACL", "SETUSER", user, *[rule(draw, names) for _ in range(1 + draw.randrange(5))]]
    if kind < 0.56:
        return "getuser", ["ACL", "GETUSER", draw.choice(USERS)]
    if kind < 0.62:
        return "list", ["ACL", "LIST"]
    if kind < 0.78:
        return "plain", question(draw, names, user)
    if kind < 0.91:
        return "session", session(draw, user)
    if kind < 0.93:
        return "log", ["ACL", "LOG", *draw.choice([[], ["1"], ["3"], ["100"], ["0"], ["-1"], ["x"], ["RESET"]])]
    return "plain", draw.choice([["ACL", "DELUSER", user], ["ACL", "USERS"], ["ACL", "WHOAMI"], ["ACL", "CAT"],
                                 ["ACL", "CAT", "x"], ["ACL", "LOAD"], ["ACL", "nosuch"],
                                 ["ACL", "GENPASS", draw.choice(["0", "x", "-1", "4097"])],
                                 ["ACL", "GETUSER", "nobody"], ["ACL", "DELUSER", "default", "a"], ["ACL", "SETUSER", "a b"],
                                 ["ACL", "DRYRUN", "nobody", "GET"], ["ACL", "SETUSER"], ["ACL", "SAVE"],
                                 ["CONFIG", "SET", "acl-pubsub-default", draw.choice(["allchannels", "resetchannels"])]])


def session(draw, user):
    """What a user does from AUTH to RESET: commands, some of them in a transaction."""
    login = draw.choice([["AUTH"], ["AUTH"], ["HELLO", "3", "AUTH"]]) + [user, draw.choice(PASSWORDS)]
    used = [use_of(draw) for _ in range(1 + draw.randrange(3))]
    if draw.random() < 0.2:
        used = [["MULTI"], *used, ["EXEC"]]
    return [login, *used, ["RESET"]]


def logged(reply):
    """The entries of ACL LOG by name, without times, addresses and what later versions tell."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    mine = (b"reason", b"context", b"object", b"username", b"count")
    return kind, [[(name[1], value) for name, value in pairs_of(entry) if name[1] in mine] for entry in value]


def without_commands(commands, reply, problems):
    """A reply of GETUSER with each wording of commands as what it means in names, after a look at the wording."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    items, is_rules = [], False
    for item in value:
        if is_rules:
            items.append(("rules", check_words(commands, item[1].decode(), problems)))
        else:
            items.append(without_commands(commands, item, problems))
        is_rules = item == ("$", b"commands")
    return kind, items


def check_words(commands, text, problems):
    if text in commands.looked_at:
        return commands.looked_at[text]
    allowed, first, later = commands.meaning(text)
    words = text.split()
    head = [word for word in words if word[1] == "@"]
    single = sorted(word for word in words if word[1] != "@")
    if (head, single) != commands.words(allowed, first, later):
        problems.append(f"worded {text!r}, the model says {commands.words(allowed, first, later)}")
    commands.looked_at[text] = allowed, first, later
    return commands.looked_at[text]


def line_parts(commands, line, problems):
    """A line of ACL LIST: what stands beside the commands, and what they mean."""
    plain, meanings, run = [], [], []

    def end():
        if run:
            meanings.append(check_words(commands, " ".join(run), problems))
            run.clear()

    for word in line.replace("(", "( ").replace(")", " )").split():
        if word[0] in "+-":
            run.append(word)
        else:
            end()
            plain.append(word)
    end()
    return plain, meanings


class Run:
    def __init__(self, ouro, redis):
        self.peers = {"ouro": ouro.connect(), "redis": redis.connect()}
        self.users = {"ouro": ouro.connect(), "redis": redis.connect()}
        self.commands = {name: Commands(client) for name, client in self.peers.items()}
        self.shared = sorted(set(self.commands["ouro"].categories) & set(self.commands["redis"].categories))

    def table(self):
        """Categories of all commands that both have."""
        ours, theirs = (self.commands[name].categories for name in ("ouro", "redis"))
        wrong = [f"{name}: {sorted(ours[name])}, Redis {sorted(theirs[name])}" for name in self.shared
                 if ours[name] != theirs[name]]
        for line in wrong:
            print(line)
        print(f"categories of {len(self.shared)} commands and subcommands compared")
        return not wrong

    def common(self, meanings):
        """What rules mean for the commands that both have."""
        return [(allowed & set(self.shared), first, later) for allowed, first, later in meanings]

    def comparable(self, name, kind, reply, problems):
        commands = self.commands[name]
        if kind == "list":
            lines = [line_parts(commands, item[1].decode(), problems) for item in reply[1]]
            return [(plain, self.common(meanings)) for plain, meanings in lines]
        if kind == "log":
            return logged(reply)
        if kind == "getuser":
            return self.cut(without_commands(commands, reply, problems))
        return reply

    def cut(self, reply):
        if reply[0] == "rules":
            return reply[0], self.common([reply[1]])
        return (reply[0], [self.cut(item) for item in reply[1]]) if isinstance(reply[1], list) else reply

    def ask(self, kind, args):
        """Runs a command on both; what is wrong, or nothing."""
        problems, seen, replies = [], {}, {}
        for name, client in self.peers.items():
            replies[name] = self.act(name, args) if kind == "session" else client.call(*args)
            seen[name] = self.comparable(name, kind, replies[name], problems)
        if seen["ouro"] != seen["redis"]:
            problems.append(f"ouro {show(replies['ouro'])}\nredis {show(replies['redis'])}")
        return problems

    def act(self, name, commands):
        """All that a user is told up to the answer of the RESET at the end."""
        client, replies = self.users[name], []
        client.send(*commands)
        while not replies or replies[-1] != ("+", b"RESET"):
            replies.append(client.read())
        return "*", [reply for reply in replies if reply[0] != "%"]  # HELLO's has an id

    def random(self, draw, count):
        """Users begin anew now and then, so that they do not all end with every permission."""
        history = []
        for number in range(count):
            if number % 500 == 0:
                history = []
                for user in USERS[:3]:
                    self.ask("plain", ["ACL", "DELUSER", user])
                # An entry counts what comes again within a minute, so none may become so old.
                self.ask("plain", ["ACL", "LOG", "RESET"])
            kind, args = command(draw, self.shared)
            history.append(args)
            problems = self.ask(kind, args)
            if problems:
                print(f"command {number}: {args}", *problems, sep="\n")
                for line in [entry for entry in history if entry[:2] == ["ACL", "SETUSER"]][-6:]:
                    print("  after", line)
                return False
        print(f"{count} commands compared")
        return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--server", required=True)
    parser.add_argument("--redis", default="redis-server")
    parser.add_argument("--commands", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    args = parser.parse_args()
    print(f"--seed {args.seed}")
    ouro, redis = servers.Server(args.server), servers.Server(args.redis)
    run = Run(ouro, redis)
    outcomes = [run.table(), run.random(random.Random(args.seed), args.commands), ouro.stop() == 0]
    redis.stop()
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
