# SPDX-License-Identifier: BSD-3-Clause
"""How replies of two servers compare: the modes that the templates of families.py name.

What two servers can never share is masked, and nothing else: ids, addresses, ages, sizes, words of documentation.
"""
import re

# What later versions append to a line of CLIENT LIST.
LATER_CLIENT_FIELDS = re.compile(rb" lib-name=\S* lib-ver=\S* watch=\d+ io-thread=0$")
# And to a consumer in XINFO.
LATER_CONSUMER_FIELDS = (b"active-time", b"inactive")
# Fields of CLIENT LIST that tell of sockets, time and memory.
OWN_CLIENT_FIELDS = re.compile(rb"\b(id|l?addr|fd|age|idle|qbuf(?:-free)?|(?:argv|multi|o|tot-)-?mem|rb[sp]|o[bl]l|events)=\S*")
MONITOR_LINE = re.compile(rb"^\d+\.\d{6} \[(\d+) \S+\] ")
# Redis documents its key specs and its past in its own words.
OWN_DOCS = (b"summary", b"complexity", b"history")
# Commands of Redis 7.0 that take one argument more today: "exactly so many" has become "at least".
LONGER = frozenset((b"exec", b"move", b"persist", b"pttl", b"sismember", b"ttl", b"zrank", b"zrevrank"))
# Commands that take keys since a later version, and what COMMAND says of them therefore.
KEYED_LATER = frozenset((b"exec",))
KEYED_FLAGS = frozenset((b"movablekeys", b"no_mandatory_keys"))
# An argument of KeyDB's, which no version of Redis dates.
UNDATED_ARGUMENTS = (b"subkey",)
# Words that an error enumerates and that Redis 7.0 does not know.
NEWER_WORDS = re.compile(rb"(?:volatile|allkeys)-(?:lrm|ouro), |(?<=KEtmdn)ocSTIVL(?='\.)")
# XADD MS-* behind the last number of MS: Redis gives the reason of its last refusal, whichever that was of; ours is the true one.
STALE_REASON = b"Elements are too large to be stored"
TRUE_REASON = b"The ID specified in XADD is equal or smaller than the target stream top item"


def shape(reply):
    """Types and counts, without the bytes: what is certain of a random pick."""
    kind, value = reply
    return (kind, [shape(item) for item in value]) if isinstance(value, list) else (kind, value is None)


def ordered(reply):
    kind, value = reply
    return (kind, sorted(value, key=repr)) if isinstance(value, list) else reply


def paired(reply):
    """Field and value together, in a defined order; RESP3 gives some pairs as arrays of two."""
    kind, value = reply
    if not isinstance(value, list) or (value and isinstance(value[0][1], list)):
        return ordered(reply)
    return kind, sorted(pairs_of(reply), key=repr)


def pairs_of(reply):
    """A map, which RESP2 gives as an array."""
    return list(zip(reply[1][::2], reply[1][1::2]))


def masked(reply, *names):
    """A map without the values of some of its fields, at any depth."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    items, hide = [], False
    for item in value:
        items.append(("", b"") if hide else masked(item, *names))
        hide = not hide and item[1] in names
    return kind, items


def without(reply, *names):
    """A map that lacks some of its fields, at any depth."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    items, is_left_out = [], False
    for item in value:
        if is_left_out or item[1] in names:  # the value behind such a name, or the name
            is_left_out = not is_left_out
        else:
            items.append(without(item, *names))
    return kind, items


def without_times(reply):
    """Integers that are times of day of our years do not count."""
    kind, value = reply
    if isinstance(value, list):
        return kind, [without_times(item) for item in value]
    return (kind, b"time") if kind == ":" and 10**12 < int(value) < 10**14 else reply


def stream_facts(reply):
    """XINFO, without times and the shape of the index."""
    reply = without(reply, *LATER_CONSUMER_FIELDS)
    return without_times(masked(reply, b"radix-tree-keys", b"radix-tree-nodes", b"seen-time", b"idle"))


def stream_nodes(reply):
    """How many nodes XINFO STREAM counts. Redis's may be more: it keeps a node without entries where MINID trimmed all that
    were left in one whose last, deleted one is not below the id."""
    value = reply[1] if isinstance(reply[1], list) else []
    return next((int(nodes[1]) for name, nodes in zip(value[::2], value[1::2]) if name[1] == b"radix-tree-keys"), 0)


def pending_entries(reply):
    """XPENDING's entries without how long they were idle."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    return kind, [(item[0], [*item[1][:2], *item[1][3:]]) if isinstance(item[1], list) else item for item in value]


def client_lines(reply):
    """CLIENT LIST, in any order, without what is each server's own."""
    kind, value = reply
    if not isinstance(value, bytes):
        return reply
    return kind, sorted(OWN_CLIENT_FIELDS.sub(rb"\1", LATER_CLIENT_FIELDS.sub(b"", line)) for line in value.split(b"\n"))


def invalidated(reply):
    """The keys of all broadcasts: how many turns they came in is each server's own."""
    kind, value = reply
    if not isinstance(value, list):
        return set()
    if value[:1] == [("$", b"invalidate")] or value[:2] == [("$", b"message"), ("$", b"__redis__:invalidate")]:
        keys = value[-1][1]
        return {None} if keys is None else set(keys)
    return set().union(*(invalidated(item) for item in value))


def monitor_lines(reply):
    """What a MONITOR has seen, without times and addresses."""
    kind, value = reply
    if isinstance(value, list):
        return kind, [monitor_lines(item) for item in value]
    return kind, MONITOR_LINE.sub(rb"[\1] ", value) if value is not None else None


def messages(reply):
    """All messages and replies in any order: which of several patterns is served first is nowhere said."""
    kind, value = reply
    if not isinstance(value, list) or not any(isinstance(item[1], list) for item in value):
        return [reply]
    return sorted((leaf for item in value for leaf in messages(item)), key=repr)


def slow_entries(reply):
    """SLOWLOG GET: what ran and by whom, without id, times and address."""
    kind, value = reply
    if not isinstance(value, list):
        return reply
    return kind, [(item[0], item[1][3], item[1][5], len(item[1])) if isinstance(item[1], list) else item for item in value]


def is_later_version(version):
    """Whether it came after Redis 7.0, or with ouro itself, whose versions begin with 0."""
    return version.startswith(b"0.") or tuple(map(int, version.split(b".")[:2])) > (7, 0)


def is_later(argument):
    """Whether an argument of COMMAND DOCS came after Redis 7.0."""
    fields = {name[1]: value[1] for name, value in pairs_of(argument)}
    return fields[b"name"] in UNDATED_ARGUMENTS or is_later_version(fields.get(b"since", b"0"))


def without_later(arguments):
    """Those of COMMAND DOCS without the ones that came after Redis 7.0, at any depth."""
    kept = []
    for argument in arguments[1]:
        if not is_later(argument):
            fields = [(name, without_later(value) if name[1] == b"arguments" else value) for name, value in pairs_of(argument)]
            kept.append((argument[0], [item for field in fields for item in field]))
    return arguments[0], kept


def known_arity(name, arity):
    """An arity as it was in Redis 7.0."""
    return abs(arity) if name in LONGER else arity


def known_flags(name, flags):
    """Those of a command that has the keys it had in Redis 7.0."""
    return [flag for flag in flags if name not in KEYED_LATER or flag not in KEYED_FLAGS]


def known_keys(name, specs):
    return [] if name in KEYED_LATER else specs


class Comparer:
    """Knows which commands both servers have: the others may not make a difference."""

    def __init__(self, common=()):
        self.common = frozenset(common)
        # Between when the first server got its first command and the second its last. Times to live may differ by so much.
        self.apart_ms = 0

    def common_names(self, reply):
        kind, value = reply
        return (kind, sorted(item for item in value if item[1] in self.common)) if isinstance(value, list) else reply

    def info(self, reply):
        """COMMAND INFO's rows, with the subcommands that both servers have."""
        kind, value = reply
        if not isinstance(value, list):
            return reply
        return kind, [self.info_row(row) for row in value]

    def info_row(self, row):
        kind, parts = row
        if not isinstance(parts, list):
            return row
        subcommands = [self.info_row(part) for part in parts[9][1] if part[1][0][1] in self.common]
        # Notes are words about a key spec.
        name = parts[0][1]
        specs = [(spec[0], [pair for pair in pairs_of(spec) if pair[0][1] != b"notes"]) for spec in known_keys(name, parts[8][1])]
        flags = known_flags(name, [flag for _, flag in parts[2][1]])
        return kind, [parts[0], known_arity(name, int(parts[1][1])), flags, *parts[3:8], (parts[8][0], specs),
                      (parts[9][0], sorted(subcommands, key=repr))]

    def docs(self, reply):
        """COMMAND DOCS, without words, with the subcommands that both servers have."""
        if not isinstance(reply[1], list):
            return reply
        return reply[0], sorted(((name, self.doc(doc)) for name, doc in pairs_of(reply)), key=repr)

    def doc(self, doc):
        fields = []
        for name, value in pairs_of(doc):
            if name[1] == b"subcommands":
                known = ((sub, self.doc(its)) for sub, its in pairs_of(value) if sub[1] in self.common)
                value = value[0], sorted(known, key=repr)
            if name[1] == b"arguments":
                value = without_later(value)
                if not value[1]:
                    continue
            if name[1] not in OWN_DOCS:
                fields.append((name, value))
        return doc[0], fields

    def equal(self, mode, ours, theirs):
        """Whether two replies to one command agree."""
        if ours[0] == "-":
            ours = ours[0], NEWER_WORDS.sub(b"", ours[1])
        if ours[0] == theirs[0] == "-" and TRUE_REASON in ours[1]:
            theirs = theirs[0], theirs[1].replace(STALE_REASON, TRUE_REASON)
        if ours == theirs:
            return True
        if isinstance(mode, tuple):  # ("each", modes): EXEC's array, or what it says instead
            if ours[0] != "*" or theirs[0] != "*" or ours[1] is None or theirs[1] is None or len(ours[1]) != len(theirs[1]):
                return False
            modes = mode[1] if len(mode[1]) == len(ours[1]) else ["exact"] * len(ours[1])
            return all(map(self.equal, modes, ours[1], theirs[1]))
        if ours[0] == "-" or theirs[0] == "-":
            return False
        if mode == "ttl":
            return ours[0] == theirs[0] == ":" and int(ours[1]) > 0 and abs(int(ours[1]) - int(theirs[1])) <= self.apart_ms
        if mode == "xinfo" and stream_nodes(ours) > stream_nodes(theirs):
            return False
        view = {
            "set": ordered,
            "pairs": paired,
            "shape": shape,
            "kind": lambda reply: (reply[0], reply[1] is None),
            "hello": lambda reply: masked(reply, b"id"),
            "histogram": lambda reply: paired(masked(reply, b"histogram_usec")),
            "clients": client_lines,
            "messages": messages,
            "keys": invalidated,
            "trackinginfo": lambda reply: masked(reply, b"redirect"),
            "monitor": monitor_lines,
            "slowlog": slow_entries,
            "xinfo": stream_facts,
            "pending": pending_entries,
            "names": self.common_names,
            "info": self.info,
            "docs": self.docs,
        }.get(mode)
        return view is not None and view(ours) == view(theirs)
