# SPDX-License-Identifier: BSD-3-Clause
"""Random commands from one-line templates.

    SET {string} {value} [NX|XX] [EX {ttl}|KEEPTTL]        {name} draws a value; [a|b] is one of them or none
    LINSERT {list} (BEFORE|AFTER) {value} {value}          (a|b) is one of them
    ZADD {zset} <{score} {member}>+                        <...>+ repeats it one to four times, now and then far more

A template compiles to a function of the Draw that appends arguments to a list.
"""
import random
import re

import lua_scripts
import wire

TOKEN = re.compile(r"\{\w+\}|>\+|[\[\]()<>|]|[^\s\[\]()<>|{}]+")

WORDS = [b"a", b"b", b"c", b"foo", b"bar", b"hello", b"x", b"y", b"field", b"member", b"A", b"zz", b"01"]
NUMBERS = [b"0", b"1", b"-1", b"2", b"10", b"127", b"128", b"-128", b"255", b"4095", b"4096", b"32767", b"32768", b"65536",
           b"8388607", b"8388608", b"2147483647", b"2147483648", b"-2147483649", b"9223372036854775807",
           b"-9223372036854775808", b"100", b"9999", b"10000"]
FLOATS = [b"0.5", b"1.5", b"-2.25", b"3.0", b"3.14159", b"1e3", b"1e-5", b"100.001", b"0.1", b"1.1", b"5.0e3", b"17179869184.5",
          b"12345678.9", b"1e15"]
JUNK = [b"", b" 1", b"1 ", b"01", b"+1", b"-0", b"abc", b"9223372036854775808", b"-9223372036854775809", b"1.5", b"1e400",
        b"0x10", b"nan", b"inf", b"-inf", b"+inf", b"(1", b"[a", b"-", b"+", b"*", b"WITHSCORES", b"LIMIT", b"COUNT",
        b"GET", b"NX", b"18446744073709551616", b"99999999999999999999", b"1.", b".5", b"1.0e"]
# Parameters that a run may set without changing what the server can do for the test. Not maxmemory-samples: Redis takes as many
# from its stack. Not proto-max-bulk-len: ours has a bound that Redis's has not (options_test). Not what asks the system, or what
# this build of Redis has or has not: addresses, files, TLS, defragmentation. Not notify-keyspace-events: Redis 7.0 knows fewer
# of its letters.
PARAMETERS = [word.encode() for word in """
hash-max-listpack-entries hash-max-ziplist-value list-max-listpack-size list-compress-depth set-max-intset-entries
zset-max-listpack-entries zset-max-listpack-value maxmemory-policy maxmemory-eviction-tenacity
lfu-log-factor lfu-decay-time lazyfree-lazy-expire lazyfree-lazy-user-del lazyfree-lazy-eviction lazyfree-lazy-server-del
lazyfree-lazy-user-flush slowlog-max-len latency-tracking client-output-buffer-limit HASH-MAX-LISTPACK-VALUE
hash-max-ziplist-entries list-max-ziplist-size zset-max-ziplist-entries zset-max-ziplist-value hll-sparse-max-bytes
stream-node-max-entries acllog-max-len acl-pubsub-default active-defrag-cycle-max active-defrag-cycle-min
active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower active-defrag-threshold-upper
active-expire-effort activerehashing aof-load-truncated aof-rewrite-incremental-fsync aof-timestamp-enabled
aof-use-rdb-preamble appendfsync auto-aof-rewrite-min-size auto-aof-rewrite-percentage busy-reply-threshold
client-query-buffer-limit cluster-allow-reads-when-down cluster-migration-barrier cluster-node-timeout
cluster-replica-no-failover cluster-replica-validity-factor cluster-require-full-coverage crash-log-enabled dynamic-hz hz
latency-tracking-info-percentiles loglevel lua-time-limit masterauth masteruser min-replicas-max-lag min-slaves-max-lag
no-appendfsync-on-rewrite propagation-error-behavior rdb-del-sync-files rdb-save-incremental-fsync
rdbcompression repl-backlog-size repl-backlog-ttl repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync
repl-diskless-sync-delay repl-diskless-sync-max-replicas repl-ping-replica-period repl-ping-slave-period repl-timeout
replica-announce-ip replica-announce-port replica-announced replica-ignore-maxmemory replica-lazy-flush replica-priority
replica-read-only replica-serve-stale-data slave-announce-ip slave-priority sanitize-dump-payload save shutdown-on-sigint
shutdown-timeout stop-writes-on-bgsave-error tcp-keepalive tracking-table-max-keys
""".split()]
# What CONFIG SET refuses.
FIXED_PARAMETERS = [word.encode() for word in """
aclfile always-show-logo aof-disable-auto-gc appenddirname appendfilename cluster-config-file cluster-enabled cluster-port
daemonize databases disable-thp enable-debug-command enable-protected-configs io-threads io-threads-do-reads logfile pidfile
rdbchecksum replicaof slaveof supervised syslog-enabled syslog-facility syslog-ident tcp-backlog unixsocket unixsocketperm
""".split()]
KINDS = ("string", "list", "hash", "set", "zset", "stream")
STREAM_IDS = [b"-", b"+", b"0", b"0-0", b"0-1", b"0-*", b"5-*", b"18446744073709551615", b"18446744073709551615-*",
              b"18446744073709551615-18446744073709551615", b"18446744073709551616", b"1-", b"-1", b"1--1", b" 7", b"+7-+1",
              b"007-01", b"1-2-3", b"(1", b"$", b">", b"1-18446744073709551615", b"7" * 127, b"7" * 128, b"3\x00x"]
STREAM_ID_PARTS = [b"", b"0", b"1", b"5", b"*", b"**", b"a", b"-1", b"+1", b" 1", b"1 ", b"\t1", b"01", b"(1", b"$", b">", b"1*",
                   b"-", b"9223372036854775808", b"18446744073709551615", b"18446744073709551616", b"1\x00x"]
# What redis-server 7.0.15 gives for DUMP: values of every type and encoding.
PAYLOADS = [bytes.fromhex(text) for text in (
    "000568656c6c6f0a006372df766534200a",
    "00c290eefeff0a002875de7b13eb2800",
    "00c30b405a0361626361e04b020162630a00238036f9e2d0c780",
    "120102141400000004008161020101d06002f270110104ff0a00cb2e14cd8a6ab9ac",
    "0b1404000000030000000100000003000000701101000a00499340ed54ef4afa",
    "0201036f6e650a007c346b0591e5d20c",
    "111414000000040081610283312e35048162020201ff0a00fa02b425af188763",
    "1012120000000400816602817602816e020c01ff0a0001369481d35b8974",
    "0401016601760a00adf24356b1860efc",
    "0502016d000000000000f83f016e000000000000f0bf0a00c97cdbfb4c40c195",
    "130110000000000000000500000000000000012c2c000000110002010001010181660200010201000100018176020401"
    "000101010201010181670201010601ff0206030501000002010367727005010101000000000000000500000000000000"
    "0123f66514a2010000010103626f6223f66514a201000001000000000000000500000000000000010a00410fa3cd4719"
    "72d0",
)]
FAR_FUTURE_S = 4102444800


class ClientId(bytes):
    """Stands for a server's id of one of the clients."""
    connection = 0


class Draw:
    """Draws keys, values and numbers from one seeded generator."""

    commands = ()  # names to draw from

    def __init__(self, seed, keys_a_kind=6):
        self.random = random.Random(seed)
        self.keys_a_kind = keys_a_kind
        # Some blocks of commands fill large collections, so that every encoding comes up; most keep them small.
        self.large = 0.02
        # SORT compares by strtod and strcoll: a zero byte ends a text there, and an overflow is remembered by errno. Redis's
        # SORT also turns a sorted set into its large form, which from then on keeps the signs of zeros.
        self.for_sort = False
        # A key that is stored with a time gone by goes when a server notices, which DBSIZE and events tell.
        self.only_future = False
        self.stream_ms = 1

    def chance(self, probability):
        return self.random.random() < probability

    def pick(self, choices):
        return choices[int(self.random.random() * len(choices))]

    def between(self, low, high):
        return self.random.randint(low, high)

    def repeats(self):
        """How often <...>+ repeats."""
        if self.chance(self.large):
            return self.pick((20, 60, 140, 300))
        return self.between(1, 4)

    # ---- keys
    def key(self):
        return f"{self.pick(KINDS)}:{self.between(1, self.keys_a_kind)}".encode()

    def key_of(self, kind):
        if self.chance(0.03):
            return self.key()
        if self.chance(0.01):
            return self.pick((b"", b"\xff\x00\r\n", b"{tag}x", b"none", b"k" * 300))
        return f"{kind}:{self.between(1, self.keys_a_kind)}".encode()

    def string(self):
        return self.key_of("string")

    def list(self):
        return self.key_of("list")

    def hash(self):
        return self.key_of("hash")

    def set(self):
        return self.key_of("set")

    def zset(self):
        return self.key_of("zset")

    def stream(self):
        return self.key_of("stream")

    def lex(self):
        """A sorted set whose members all have one score."""
        return f"lex:{self.between(1, self.keys_a_kind)}".encode()

    def weight_key(self):
        return f"weight_{self.between(1, 20)}".encode()

    # ---- streams: ids in a small range, so that they meet; new ones mostly grow
    def new_id(self):
        self.stream_ms += self.pick((0, 0, 0, 1, 1, 3))
        if self.chance(0.03):
            return self.stream_id()
        return b"%d-%s" % (self.stream_ms, b"*" if self.chance(0.7) else str(self.between(0, 9)).encode())

    def stream_id(self):
        if self.chance(0.05):
            if self.chance(0.5):
                return self.pick(STREAM_IDS)
            return b"-".join((self.pick(STREAM_ID_PARTS), self.pick(STREAM_ID_PARTS)))
        ms = max(0, self.stream_ms - int(self.random.expovariate(0.05))) + self.pick((0, 0, 0, 0, 1, 5))
        return b"%d-%d" % (ms, self.between(0, 3)) if self.chance(0.7) else b"%d" % ms

    def top_id(self):
        """An id that is hardly below any of its stream."""
        return b"%d-%d" % (self.stream_ms + self.between(0, 5), self.between(0, 9))

    def plenty(self):
        return b"%d" % self.between(50, 2000)

    def id_bound(self):
        form = self.random.random()
        if form < 0.4:
            return self.pick((b"-", b"+", b"0"))
        return b"(" + self.stream_id() if form < 0.6 else self.stream_id()

    def group(self):
        return self.pick((b"g1", b"g1", b"g1", b"g2", b"g2", b"a group", b""))

    def consumer(self):
        return self.pick((b"Alice", b"Alice", b"Bob", b"Bob", b"Carol", b"\xff\r\n"))

    # ---- values
    def value(self):
        form = self.random.random()
        if form < 0.30:
            return self.pick(WORDS)
        if form < 0.45:
            return str(self.between(-50, 300)).encode()
        if form < 0.55:
            return self.pick(NUMBERS)
        if form < 0.63:
            return self.pick(FLOATS)
        if form < 0.67:
            return self.junk()
        if form < 0.72:
            data = self.random.randbytes(self.between(1, 12))
            return data.replace(b"\0", b"\1") if self.for_sort else data
        if form < 0.90:
            return b"value:%d" % self.between(1, 400)
        if form < 0.97:
            return b"%d" % self.between(0, 9) * self.pick((11, 12, 43, 44, 45, 63, 64, 65, 100, 252, 300))
        return b"long" * self.pick((200, 1000, 2048, 5000))

    def member(self):
        form = self.random.random()
        if form < 0.60:
            return b"m%d" % self.between(1, 40)
        if form < 0.75:
            return str(self.between(-20, 60)).encode()
        if form < 0.85:
            return b"member:%d" % self.between(1, 600)
        return self.value()

    def integer_member(self):
        return str(self.between(-100, 700)).encode() if self.chance(0.98) else self.pick(NUMBERS)

    def field(self):
        return b"f%d" % self.between(1, 30) if self.chance(0.7) else self.member()

    def number(self):
        form = self.random.random()
        if form < 0.75:
            return str(self.between(-20, 100)).encode()
        return self.pick(NUMBERS) if form < 0.93 else self.junk()

    def index(self):
        if self.chance(0.9):
            return str(self.between(-12, 12)).encode()
        return self.pick((b"0", b"-1", b"100", b"-100", b"1000000", b"abc", b"9223372036854775807", b"-9223372036854775808"))

    def count(self):
        return str(self.between(0, 8)).encode() if self.chance(0.92) else self.pick((b"-1", b"-3", b"100", b"abc", b"1.5"))

    def few(self):
        return str(self.between(1, 4)).encode()

    def real(self):
        if self.chance(0.05):
            return self.zero()
        if self.chance(0.9):
            return self.pick(FLOATS) if self.chance(0.6) else str(self.between(-30, 30)).encode()
        return self.junk()

    def zero(self):
        return b"0" if self.for_sort else self.pick((b"-0", b"-0.0", b"0"))

    def score(self):
        form = self.random.random()
        if form < 0.6:
            return str(self.between(-10, 20)).encode()
        if form < 0.65:
            return self.zero()
        if form < 0.85:
            return self.pick(FLOATS)
        return self.pick((b"inf", b"-inf", b"+inf", b"nan", b"abc", b"", b"1e308", b"-1e308", b"9007199254740993"))

    def score_bound(self):
        form = self.random.random()
        if form < 0.3:
            return self.pick((b"-inf", b"+inf", b"inf"))
        bound = str(self.between(-12, 22)).encode()
        if form < 0.35:
            return self.pick((b"-0", b"-0.0", b"(-0"))
        if form < 0.6:
            return b"(" + bound
        return bound if form < 0.96 else self.pick((b"(", b"abc", b"((1", b"(inf", b"1.5", b"[1"))

    def lex_bound(self):
        form = self.random.random()
        if form < 0.3:
            return self.pick((b"-", b"+"))
        return self.pick((b"[", b"(")) + self.member() if form < 0.95 else self.pick((b"", b"a", b"++", b"abc"))

    def offset(self):
        return str(self.between(0, 200)).encode() if self.chance(0.95) else self.pick((b"-1", b"536870912", b"abc", b"20000"))

    # ---- bits
    def bit(self):
        return self.pick((b"0", b"1")) if self.chance(0.97) else self.junk()

    def bit_at(self):
        form = self.random.random()
        if form < 0.85:
            return str(self.between(0, 200)).encode()
        if form < 0.95:
            return str(self.between(0, 70_000)).encode()
        return self.pick((b"-1", b"4294967296", b"9223372036854775807", b"#1")) if form < 0.98 else self.junk()

    def field_type(self):
        if self.chance(0.95):
            return self.pick((b"i", b"u")) + str(self.between(1, 63)).encode()
        return self.pick((b"i64", b"u64", b"i65", b"i0", b"u", b"I8", b"f8", b"u08", b""))

    def field_at(self):
        form = self.random.random()
        if form < 0.5:
            return str(self.between(0, 300)).encode()
        return b"#" + str(self.between(0, 40)).encode() if form < 0.95 else self.bit_at()

    # ---- HyperLogLogs
    def hll(self):
        return self.key_of("hll")

    def element(self):
        form = self.random.random()
        if form < 0.2:
            return self.value()
        return b"%d" % self.between(1, 1_000_000 if form < 0.7 else 300)

    def sketch(self):
        """A HyperLogLog as a client could make it: other runs than a server would, a few bytes wrong."""
        header = b"HYLL" + self.pick((b"\1", b"\1", b"\1", b"\0", b"\2")) + b"\0\0\0" + self.random.randbytes(7)
        header += self.pick((b"\0", b"\x80"))
        if header[4] == 0:
            return header + self.random.randbytes(self.pick((12288, 12288, 12287, 0)))
        runs, left = b"", 16384
        while left > 0:
            form = self.random.random()
            length = min(left, self.between(1, 4 if form < 0.5 else 64 if form < 0.8 else 16384))
            if form < 0.5:
                runs += bytes([0x80 | self.between(0, 31) << 2 | length - 1])
            elif form < 0.8:
                runs += bytes([length - 1])
            else:
                runs += bytes([0x40 | length - 1 >> 8, length - 1 & 0xff])
            left -= length
        if self.chance(0.3):
            # Too few registers, or too many. Not half a run: Redis reads on behind the string's end.
            runs = b"\0" if self.chance(0.5) else runs + b"\0"
        return header + runs

    # ---- places
    def geo(self):
        # Other scores than those of places are the same place again and again, which has no order (families.py).
        key = self.key_of("geo")
        return self.string() if key.startswith(b"zset:") else key

    def place(self):
        return b"p%d" % self.between(1, 150) if self.chance(0.97) else self.member()

    def near_longitude(self):
        return b"%.6f" % self.random.uniform(10, 20)

    def near_latitude(self):
        return b"%.6f" % self.random.uniform(30, 40)

    def longitude(self):
        form = self.random.random()
        if form < 0.5:
            return self.near_longitude()
        if form < 0.95:
            return b"%.6f" % self.random.uniform(-180, 180)
        return self.pick((b"-180", b"180", b"180.1", b"-181", b"179.999999", b"0", b"1e2", b"-0", b"abc", b"inf", b""))

    def latitude(self):
        form = self.random.random()
        if form < 0.5:
            return self.near_latitude()
        if form < 0.9:
            return b"%.6f" % self.random.uniform(-85, 85)
        return self.pick((b"-85.05112878", b"85.05112878", b"85.06", b"-90", b"84.999999", b"0", b"66", b"-80.5", b"1e1", b"abc"))

    def radius(self):
        form = self.random.random()
        if form < 0.8:
            return b"%.3f" % (10 ** self.random.uniform(0, 4)) if form < 0.4 else b"%d" % self.between(1, 3000)
        if form < 0.95:
            return b"%d" % (10 ** self.between(3, 8))
        return self.pick((b"0", b"-1", b"inf", b"1e300", b"abc", b"-0", b"1e-300", b"nan"))

    def unit(self):
        if self.chance(0.97):
            return self.pick((b"m", b"km", b"ft", b"mi", b"KM", b"Mi"))
        return self.pick((b"k", b"", b"meters", b"10"))

    # ---- time: nothing falls due during a run
    def ttl(self):
        if self.chance(0.93):
            return str(self.between(10_000, 10_000_000)).encode()
        return self.pick((b"0", b"-1", b"abc", b"9223372036854775807", b"-9223372036854775808", b"9223372036854775", b"1.5"))

    def ttl_ms(self):
        if self.chance(0.93):
            return str(self.between(10_000_000, 10_000_000_000)).encode()
        return self.pick((b"0", b"-1", b"abc", b"9223372036854775807", b"-9223372036854775808", b""))

    def at(self):
        if self.chance(0.93):
            return str(FAR_FUTURE_S + self.between(0, 1000)).encode()
        if self.only_future:
            return self.pick((b"0", b"-1", b"abc", b"9223372036854775807"))
        return self.pick((b"1", b"0", b"-1", b"abc", b"9223372036854775807", b"1600000000"))

    def at_ms(self):
        if self.chance(0.93):
            return str(FAR_FUTURE_S * 1000 + self.between(0, 1000)).encode()
        if self.only_future:
            return self.pick((b"0", b"-1", b"abc", b"9223372036854775807"))
        return self.pick((b"1", b"0", b"-1", b"abc", b"9223372036854775807", b"1600000000000"))

    def future_ms(self):
        return str(FAR_FUTURE_S * 1000 + self.between(0, 1000)).encode()

    def pattern(self):
        return self.pick((b"*", b"string:*", b"*:1", b"*:[1-3]", b"h?sh:*", b"m[1-4]*", b"f*", b"[^s]*", b"\\*", b"set:\\1",
                          b"nothing", b"value:*", b"*a*", b"", b"[", b"m?"))

    def kind(self):
        return self.pick(KINDS + ("STRING", "nothing")).encode()

    def db(self):
        if self.chance(0.95):
            return str(self.between(0, 2)).encode()
        return self.pick((b"16", b"-1", b"abc", b"99999999999999999999"))

    def junk(self):
        word = self.pick(JUNK)
        return b"abc" if self.for_sort and word in (b"1e400", b"-0") else word

    # ---- clients and channels
    def client(self):
        """The id of any client; what reads replies as they come may not be the one that looks on."""
        return self.client_of(self.between(0, 1))

    def other(self):
        return self.client_of(1)

    def mine(self):
        return self.client_of(0)

    def client_of(self, connection):
        made = ClientId(b"<id of client %d>" % connection)
        made.connection = connection
        return made

    def channel(self):
        return self.pick((b"a", b"b", b"news", b"news.1", b"{x}1", b"", b"\xff\0"))

    def glob(self):
        return self.pick((b"*", b"news*", b"[ab]", b"?", b"a", b"news.\\1", b"{x}*", b""))

    def parameter(self):
        return self.pick(PARAMETERS if self.chance(0.95) else FIXED_PARAMETERS)

    def setting(self):
        form = self.random.random()
        if form < 0.5:
            return self.number()
        return self.pick((b"yes", b"no", b"1mb", b"2kb", b"50%", b"KEA", b"Kg$", b"noeviction", b"allkeys-lru", b"volatile-lfu",
                          b"", b"normal 0 0 0", b"pubsub 32mb 8mb 60", b"normal 0 0", b"nope 0 0 0", b"abc", b"YES",
                          b"3mb", b"1gb", b"2GB", b"1k", b"always", b"warning", b"verbose", b"50 99", b"99.99 101",
                          b"clients", b"ignore", b"swapdb",
                          b"save now", b"default", b"3600 100000 60 200000", b"resetchannels", b"panic-on-replicas"))

    def command(self):
        """The name of a command, as COMMAND INFO takes it."""
        if self.chance(0.9):
            return self.pick(self.commands).encode()
        return self.pick((b"client|id", b"CLIENT|LIST", b"slowlog|get", b"memory|usage", b"pubsub|numsub", b"object|freq",
                          b"command|docs", b"latency|histogram", b"config|get|x", b"get|x", b"|", b"none", b"config|none"))

    # ---- what DUMP gives
    def whole_dump(self):
        return self.pick(PAYLOADS)

    def dumped(self):
        payload = self.whole_dump()
        if self.chance(0.85):
            return payload
        damaged = bytearray(payload)
        form = self.random.random()
        if form < 0.6:
            damaged[self.between(0, len(damaged) - 1)] ^= 1 << self.between(0, 7)
        elif form < 0.8:
            del damaged[self.between(0, len(damaged) - 1):]
        else:
            damaged += self.value()
        return bytes(damaged)

    # ---- scripts
    def script(self):
        return lua_scripts.Scripts(self).script()

    def sha1(self):
        return lua_scripts.Scripts(self).sha1()

    def small_script(self):
        return lua_scripts.Scripts(self).small_script()

    def library(self):
        return lua_scripts.Scripts(self).library()

    def payload(self):
        """What FUNCTION DUMP gives, or nearly."""
        made = lua_scripts.payload([self.library()] if self.chance(0.95) else [])
        return wire.damaged(self, made) if self.chance(0.1) else made

    def payload_of_two(self):
        return lua_scripts.payload([self.library(), self.library()])

    # ---- bytes for a connection
    def word(self):
        return self.pick(WORDS)

    def wire(self):
        return wire.Bytes(self).draw_some()

    # ---- whole commands
    def damage(self, args):
        """A command as a careless client would send it."""
        args = list(args)
        where = self.between(1, len(args)) - 1
        form = self.random.random()
        if form < 0.25 and len(args) > 1:
            del args[max(1, where)]
        elif form < 0.5:
            args.append(self.junk())
        elif form < 0.75 and where > 0:
            args[where] = self.junk()
        elif form < 0.85 and where > 0:
            args.insert(where, args[where])
        elif form < 0.95:
            args[where] = args[where].swapcase() if where == 0 else self.value()
        else:
            # Not the name of a command with a zero byte behind it: Redis hashes the whole name but compares the part in front
            # of the zero, so that it finds the command when both hashes happen to share a cell.
            args[0] = self.pick((b"NOSUCH", b"GETT", args[0] + b"x", b"get\r\nx", b"NOSUCH\0x", b"\0"))
        # An entry with an id of the server's clock would be another one in each server.
        return [b"0-*" if arg == b"*" and args[0].upper() == b"XADD" else arg for arg in args]


def compile_template(text, macros=None):
    """The function of a template. A macro is a name that stands for a whole compiled template."""
    macros = macros or {}
    tokens = TOKEN.findall(text)
    at = 0

    def sequence(stops):
        nonlocal at
        parts = []
        while at < len(tokens) and tokens[at] not in stops:
            token = tokens[at]
            at += 1
            if token in "[(":
                parts.append(choice("]" if token == "[" else ")", optional=token == "["))
            elif token == "<":
                body = sequence((">+",))
                at += 1
                parts.append(lambda draw, out, body=body: [body(draw, out) for _ in range(draw.repeats())])
            elif token[0] == "{":
                name = token[1:-1]
                if name in macros:
                    parts.append(macros[name])
                    continue
                if not hasattr(Draw, name):
                    raise ValueError(f"{text}: no {token}")
                parts.append(lambda draw, out, name=name: out.append(getattr(draw, name)()))
            else:
                parts.append(lambda draw, out, word=token.encode(): out.append(word))

        def run(draw, out):
            for part in parts:
                part(draw, out)
        return run

    def choice(end, optional):
        nonlocal at
        options = [sequence(("|", end))]
        while tokens[at] == "|":
            at += 1
            options.append(sequence(("|", end)))
        at += 1

        def run(draw, out):
            if not optional or draw.chance(0.4):
                draw.pick(options)(draw, out)
        return run

    return sequence(())
