#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ACL: the same random users and questions to ouro and to redis-server.

    acl_differential.py --server build/release/ouro-server [--commands N] [--seed N]

Every reply is compared. Redis 7.0 words a user's commands by the categories that fit the commands it has best; that gives a
user more when a category grows, so ouro tells the rules as they were given, as Redis does since 7.2. In ACL LIST and GETUSER
what the words mean is compared therefore, and the words themselves are held against a plain model. redis-server, told ouro's
words, must say the same as when it is told the rules, and ouro, told its own, must say them again. Users also log in and run
commands; ACL LOG tells what was denied. The last line is `N passed, N failed`; the parts are the table of commands, the words
(half as many sequences of rules as commands), the random run, and the orderly end of ouro-server.
"""
import argparse
import itertools
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
# Commands and parts of them that meet each other in rules of commands.
OFTEN = ["client", "client|id", "client|list", "config", "config|get", "get", "set", "select", "debug", "del", "xinfo",
         "xinfo|help", "memory|usage"]
PMESSAGE = ("$", b"pmessage")
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
        self.reach_of = {category: set().union(*(self.reach(name) for name, categories in self.categories.items()
                                                 if category in categories)) for category in CATEGORIES}
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
        if rules not in self.looked_at:
            user = Permissions(self)
            for rule in rules.split():
                user.apply(rule)
            first = {name for name in user.first if name.split("|")[0] not in user.allowed}
            self.looked_at[rules] = user.allowed, first, user.all == "+"
        return self.looked_at[rules]


class Permissions:
    """The model: what rules of commands permit, and how ouro tells them."""

    def __init__(self, commands):
        self.commands = commands
        self.begin("-")

    def begin(self, sign):
        """Everything, or nothing."""
        self.all, self.kept, self.first = sign, [], set()
        self.allowed = set(self.commands.categories) if sign == "+" else set()

    def apply(self, rule):
        rule = {"allcommands": "+@all", "nocommands": "-@all"}.get(rule.lower(), rule)
        sign, name = rule[0], rule[1:].lower()
        if name == "@all":
            self.begin(sign)
            return
        if name.startswith("@") or name in self.commands.categories:
            reach = self.commands.reach_of[name[1:]] if name.startswith("@") else self.commands.reach(name)
            self.allowed = self.allowed | reach if sign == "+" else self.allowed - reach
            self.first = {word for word in self.first if word.split("|")[0] not in reach}
        else:
            self.first.add(name)
        self.keep(sign + name)

    def keep(self, rule):
        """A rule makes those of the same name or of parts of it void; in front, what is so anyway says nothing."""
        name = rule[1:]
        self.kept = [old for old in self.kept if old[1:] != name and not old[1:].startswith(name + "|")]
        self.kept.append(rule)
        while self.kept and self.kept[0][0] == self.all:
            del self.kept[0]

    def text(self):
        return " ".join([self.all + "@all", *self.kept])


def command_rule(draw, names):
    """One random rule of commands; the same few come often, so that they meet."""
    kind = draw.random()
    if kind < 0.4:
        rule = draw.choice("+-") + draw.choice(names)
    elif kind < 0.65:
        rule = draw.choice("+-") + draw.choice(OFTEN)
    elif kind < 0.85:
        rule = draw.choice(["+@", "-@"]) + draw.choice(CATEGORIES)
    elif kind < 0.95:
        rule = "+" + draw.choice(["select|0", "select|1", "get|k", "debug|object", "debug|x", "set|K", "del|k"])
    else:
        rule = draw.choice(["allcommands", "nocommands", "+@all", "-@all"])
    return rule.upper() if draw.random() < 0.1 else rule


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
    """The entries of ACL LOG, without the values of times and addresses, and without what Redis 7.2 added."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    masked, later = (b"age-seconds", b"client-info"), (b"entry-id", b"timestamp-created", b"timestamp-last-updated")
    return kind, [[(name[1], name[1] in masked or value) for name, value in pairs_of(entry) if name[1] not in later]
                  for entry in value]


def without_databases(items):
    """Fields of GETUSER without the one of Valkey 9.1."""
    at = next((i for i, item in enumerate(items) if item == ("$", b"databases")), len(items))
    return items[:at] + items[at + 2:]


def with_meanings(commands, reply):
    """A reply of GETUSER with each wording of commands as what it means in names."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    items, is_rules = [], False
    for item in without_databases(value):
        items.append(("rules", commands.meaning(item[1].decode())) if is_rules else with_meanings(commands, item))
        is_rules = item == ("$", b"commands")
    return kind, items


def line_parts(commands, line):
    """A line of ACL LIST: what stands beside the commands, and what they mean."""
    plain, meanings, run = [], [], []

    def end():
        if run:
            meanings.append(commands.meaning(" ".join(run)))
            run.clear()

    for word in line.replace("(", "( ").replace(")", " )").split():
        if word[0] in "+-":
            run.append(word)
        else:
            end()
            plain.append(word)
    end()
    return plain, meanings


def commands_of(reply):
    """The rules of commands in a reply of GETUSER."""
    return next(value[1].decode() for name, value in pairs_of(reply) if name[1] == b"commands")


def in_order(replies):
    """Messages of several patterns in a defined order: which is served first is nowhere said."""
    ordered = []
    for is_message, run in itertools.groupby(replies, lambda reply: isinstance(reply[1], list) and reply[1][:1] == [PMESSAGE]):
        ordered += sorted(run, key=repr) if is_message else run
    return ordered


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

    def comparable(self, name, kind, reply):
        commands = self.commands[name]
        if kind == "list":
            lines = [line_parts(commands, item[1].decode()) for item in reply[1]]
            return [(plain, self.common(meanings)) for plain, meanings in lines]
        if kind == "log":
            return logged(reply)
        if kind == "getuser":
            return self.cut(with_meanings(commands, reply))
        return reply

    def cut(self, reply):
        if reply[0] == "rules":
            return reply[0], self.common([reply[1]])
        return (reply[0], [self.cut(item) for item in reply[1]]) if isinstance(reply[1], list) else reply

    def ask(self, kind, args):
        """Runs a command on both; what is wrong, or nothing."""
        seen, replies = {}, {}
        for name, client in self.peers.items():
            replies[name] = self.act(name, args) if kind == "session" else client.call(*args)
            seen[name] = self.comparable(name, kind, replies[name])
        if seen["ouro"] != seen["redis"]:
            return [f"ouro {show(replies['ouro'])}", f"redis {show(replies['redis'])}"]
        return []

    def act(self, name, commands):
        """All that a user is told up to the answer of the RESET at the end."""
        client, replies = self.users[name], []
        client.send(*commands)
        while not replies or replies[-1] != ("+", b"RESET"):
            replies.append(client.read())
        return "*", in_order(reply for reply in replies if reply[0] != "%")  # HELLO's has an id

    def words(self, draw, count):
        """How the commands of a user are told, in batches of so many users."""
        for begin in range(0, count, 100):
            batch = [[command_rule(draw, self.shared) for _ in range(1 + draw.randrange(10))]
                     for _ in range(min(100, count - begin))]
            told = self.told("ouro", batch)
            again = self.told("ouro", [text.split() for text in told])
            theirs, theirs_again = self.told("redis", batch), self.told("redis", [text.split() for text in told])
            for i, rules in enumerate(batch):
                model = Permissions(self.commands["ouro"])
                for rule in rules:
                    model.apply(rule)
                # Redis tells single commands in no order, and first arguments as they were given.
                words, words_again = (sorted(text.lower().split()) for text in (theirs[i], theirs_again[i]))
                if not told[i] == again[i] == model.text() or words != words_again:
                    print(f"{rules}\n    ouro  {told[i]}\n    again {again[i]}\n    model {model.text()}\n"
                          f"    redis {theirs[i]}\n    told ouro's {theirs_again[i]}")
                    return False
        print(f"{count} sequences of rules told and told again")
        return True

    def told(self, name, batch):
        """What a server tells of a new user with these rules, for each of the batch."""
        client = self.peers[name]
        client.send(*(command for rules in batch for command in
                      (["ACL", "SETUSER", "t", "reset", *rules], ["ACL", "GETUSER", "t"], ["ACL", "DELUSER", "t"])))
        replies = [client.read() for _ in range(3 * len(batch))]
        return [commands_of(reply) for reply in replies[1::3]]

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
    draw = random.Random(args.seed)
    outcomes = [run.table(), run.words(draw, args.commands // 2), run.random(draw, args.commands), ouro.stop() == 0]
    redis.stop()
    print(f"{sum(outcomes)} passed, {len(outcomes) - sum(outcomes)} failed")
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
