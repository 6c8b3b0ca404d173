# SPDX-License-Identifier: BSD-3-Clause
"""What the differential test sends: for each family of commands, templates with a weight and how replies compare.

`N template -> mode`. Modes: exact (the default); set: any order; pairs: field and value together, any order; shape: only
types and counts, for random picks; kind: only the type; ttl: nearly equal numbers; others mask what is each server's own
(compare.py). A leading `!` keeps the command from being damaged; the other marks: Step.

Not here, since ouro does not have them yet: persistence, replication, cluster.
Not here, since Redis 7.0 does not have them: BITOP DIFF, DIFF1, ANDOR and ONE, GEOSEARCH BYPOLYGON.
"""
import dataclasses

from data_families import (BITS, DUMPS, GEOS, HASHES, HLLS, KEYS, LISTS, SETS, STREAM_CHANGES, STREAMS, STRINGS, ZSETS)
from templates import Draw, compile_template


@dataclasses.dataclass
class Command:
    """One step of a run. `connection` is 0 or 1; connection 1 is the other client, who may wait blocked."""
    args: list
    mode: object = "exact"
    connection: int = 0
    # Sent without awaiting its reply; `collect` later ends the wait and reads it.
    blocks: bool = False
    collect: bool = False
    # All that the connection is told up to the answer of a PING sent behind it is one reply.
    drains: bool = False
    # Sent without awaiting a reply: there is none, or a later step drains it.
    silent: bool = False
    # The server ends the connection: all that it still says is one reply, and a new connection follows.
    ends: bool = False
    # The arguments are bytes for the wire as they are; the client's side ends behind them.
    raw: bool = False


# No two places are the same: with COUNT Redis takes those of one distance in no order. A center and a shape of GEOSEARCH.
GEO_MACROS = {"spot": compile_template("({near_longitude} {latitude}|{longitude} {near_latitude})"),
              "from": compile_template("(FROMMEMBER {place}|FROMLONLAT {longitude} {latitude})"),
              "by": compile_template("(BYRADIUS {radius} {unit}|BYBOX {radius} {radius} {unit})")}

TRANSACTIONS = """
4 !MULTI ; SET {string} {value} ; INCR {string} ; LPUSH {list} <{value}>+ ; GET {string} ; !EXEC
3 !MULTI ; HSET {hash} <{field} {value}>+ ; ZADD {zset} <{score} {member}>+ ; SADD {set} <{member}>+ ; !EXEC
3 !MULTI ; {junk} ; INCRBY {string} {number} ; !EXEC
2 !MULTI ; GET ; SET {string} {value} ; !EXEC
3 !MULTI ; {plain} ; {plain} ; {plain} ; !EXEC
2 {plain}
2 !MULTI ; SET {string} {value} ; LPOP {string} ; LRANGE {list} 0 -1 ; !DISCARD
3 !MULTI ; RENAME {key} {key} ; COPY {key} {key} ; DEL {key} ; EXISTS {key} ; !EXEC
2 !MULTI ; !MULTI ; GET {string} ; !EXEC
1 !EXEC
1 !DISCARD
2 !WATCH {string} {list} ; @{write} ; !MULTI ; SET {string} {value} ; GET {string} ; !EXEC
3 !WATCH <{key}>+ ; @{write} ; @{write} ; !MULTI ; APPEND {string} {value} ; !EXEC
2 !WATCH {key} ; {write} ; !MULTI ; {write} ; !EXEC
2 !WATCH {key} ; @{write} ; !UNWATCH ; !MULTI ; {write} ; !EXEC
1 !MULTI ; !WATCH {key} ; {write} ; !EXEC
1 !WATCH {key} ; @!FLUSHALL ; !MULTI ; {write} ; !EXEC
1 !WATCH {key} ; @!SWAPDB 0 1 ; !MULTI ; {write} ; !EXEC
1 !WATCH {key} ; @EXPIREAT {key} {at} ; !MULTI ; {write} ; !EXEC
4 {write}
2 @{write}
2 GET {string}
1 !MULTI ; KEYS * -> set ; SMEMBERS {set} -> set ; HGETALL {hash} -> pairs ; DBSIZE ; !EXEC
1 !MULTI ; !SELECT 1 ; {write} ; !SELECT 0 ; {write} ; !EXEC
1 !MULTI ; PING ; ECHO {value} ; TYPE {key} ; OBJECT ENCODING {key} ; !EXEC
"""

# What {write} stands for as a whole command: any change of a small data set.
WRITES = """
3 SET {string} {value}
2 APPEND {string} {value}
2 INCR {string}
2 DEL <{key}>+
3 RPUSH {list} <{value}>+
2 LPOP {list}
3 HSET {hash} <{field} {value}>+
2 HDEL {hash} <{field}>+
3 SADD {set} <{member}>+
2 SREM {set} <{member}>+
3 ZADD {zset} <{score} {member}>+
2 ZREM {zset} <{member}>+
1 RENAME {key} {key}
1 EXPIRE {key} {ttl}
1 PERSIST {key}
1 SUNIONSTORE {set} {set} {set}
1 ZUNIONSTORE {zset} 2 {zset} {zset}
1 LMOVE {list} {list} LEFT RIGHT
"""

SORT = """
3 RPUSH {list} <{integer_member}>+
2 RPUSH {list} <{value}>+
3 SADD {set} <{integer_member}>+
3 ZADD {zset} <{score} {integer_member}>+
3 SET {weight_key} {number}
2 HSET {weight_key} <{field} {integer_member}>+
3 SORT {list} [LIMIT {index} {index}] [ASC|DESC] [ALPHA]
3 SORT {set} [LIMIT {index} {index}] [ASC|DESC] [ALPHA]
3 SORT {zset} [LIMIT {index} {index}] [ASC|DESC] [ALPHA]
3 SORT_RO {list} [LIMIT {index} {index}] [ASC|DESC] [ALPHA]
3 SORT (LIST|{list}|{set}|{zset}) BY (weight_*|weight_*->f1) [LIMIT {count} {count}] [DESC] [GET #] [GET weight_*->f2]
1 SORT ({list}|{zset}|{set}) BY nosort [GET #] -> set
1 !DEL zset:9 ; !ZADD zset:9 <{score} {integer_member}>+ ; !SORT zset:9 BY nosort [LIMIT {index} {index}] [DESC] [GET weight_*]
1 !DEL list:9 ; !RPUSH list:9 <{value}>+ ; !SORT list:9 BY nosort [LIMIT {index} {index}] [DESC] [GET weight_*]
3 SORT ({list}|{set}|{zset}) (BY weight_*|BY weight_*->f1|ALPHA) STORE {list}
3 SORT ({list}|{set}|{zset}) [DESC] [LIMIT {index} {index}] STORE {list}
1 SORT_RO {list} STORE {list}
2 SORT ({list}|{set}|{zset}) BY (weight_*->|*|*->f1|x*y|->*) [DESC] [LIMIT {index} {index}] [GET weight_*->] [GET (*|none)]
3 SORT_RO ({list}|{set}|{zset}) BY (weight_*|weight_*->f1) [LIMIT {count} {count}] [GET #] [GET weight_*->f2]
1 SORT ({list}|{set}|{zset}) {junk}
1 DEL {list}
1 DEL {set}
1 DEL {weight_key}
1 LRANGE {list} 0 -1
"""

# Redis looks for waits that are over ten times a second, so few of them are drawn.
BLOCKING = """
3 @?BLPOP list:1 list:2 0 ; {push} ; {push} ; @. ; LRANGE list:1 0 -1
3 @?BRPOP list:2 list:1 list:3 0 ; {push} ; @.
2 @?BLMOVE list:1 list:2 (LEFT|RIGHT) (LEFT|RIGHT) 0 ; {push} ; @. ; LRANGE list:2 0 -1
2 @?BRPOPLPUSH list:1 list:3 0 ; {push} ; @.
3 @?BLMPOP 0 2 list:1 list:2 (LEFT|RIGHT) [COUNT {few}] ; {push} ; @.
3 @?BZPOPMIN zset:1 zset:2 0 ; {push} ; {push} ; @.
2 @?BZPOPMAX zset:1 zset:2 0 ; {push} ; @.
2 @?BZMPOP 0 2 zset:1 zset:2 (MIN|MAX) [COUNT {few}] ; {push} ; @.
2 @?BLPOP list:1 0 ; !MULTI ; !LPUSH list:1 a b ; !DEL list:1 ; !EXEC ; {push} ; @.
1 @?BLPOP list:1 0 ; !SELECT 1 ; !RPUSH list:1 other ; !SELECT 0 ; !SWAPDB 0 1 ; @.
1 @?BLPOP list:1 list:2 0 ; {push} ; !CLIENT UNBLOCK {other} (ERROR|TIMEOUT|{junk}) ; {push} ; @.
1 @?(BLMOVE list:1 list:2 LEFT LEFT 5000|BZPOPMAX zset:1 10000.5) ; !CLIENT LIST ID {other} -> clients ; {push} ; @.
0.1 @!(BLPOP none none|BRPOP none|BLMOVE none list:2 LEFT RIGHT|BRPOPLPUSH none list:1|BZPOPMIN none|BZPOPMAX none none) 0.001
0.1 @!(BLMPOP 0.001 2 none none LEFT|BZMPOP 0.001 1 none MAX|XREAD BLOCK 1 STREAMS none $)
1 @?BLPOP list:1 0 ; !RPUSH list:9 {value} ; !RENAME list:9 list:1 ; @.
1 @?BLPOP list:1 0 ; !SET list:1 {value} ; !DEL list:1 ; {push} ; @.
1 @?BLPOP list:1 0 ; !RPUSH list:9 c a b ; !SORT list:9 ALPHA STORE list:1 ; @.
1 @?BZPOPMIN zset:1 0 ; !ZADD zset:9 3 c ; !ZUNIONSTORE zset:1 1 zset:9 ; @.
2 !DEL list:1 list:2 list:3 zset:1 zset:2
1 !BLPOP {list} {list} (abc|-1|nan|1x)
1 !BLMPOP 0 (abc|0|-1) {list} LEFT
1 !BZMPOP abc 1 {zset} MIN
1 !BLMOVE {list} {list} LEFT (abc 1|RIGHT abc|RIGHT -1)
"""

PUSHES = """
3 RPUSH list:1 <{value}>+
2 LPUSH list:2 <{value}>+
1 RPUSH list:3 <{value}>+
3 ZADD zset:1 <{score} {member}>+
2 ZADD zset:2 <{score} {member}>+
1 SET string:1 {value}
"""

CONNECTION = """
3 PING [{value}]
2 ECHO {value}
2 !SELECT {db}
2 CLIENT (SETNAME {value}|GETNAME)
1 CLIENT (REPLY ON|REPLY {junk}|NO-EVICT (ON|OFF|{junk}))
1 !CLIENT ID -> shape
1 !CLIENT INFO -> clients
1 !CLIENT LIST [ID {client}|ID {client} {client}|ID {junk}|{junk}] -> clients
1 CLIENT LIST [TYPE (NORMAL|MASTER|REPLICA|SLAVE|PUBSUB|{junk})] -> clients
1 !CLIENT UNBLOCK {client} [TIMEOUT|ERROR|{junk}]
1 CLIENT UNBLOCK (999999999|-1|{junk}) [TIMEOUT|ERROR]
0.1 !CLIENT PAUSE 1 [ALL|WRITE] ; {write} ; GET {string} ; !CLIENT UNPAUSE
0.2 !CLIENT PAUSE 100000 WRITE ; GET {string} ; LRANGE {list} 0 -1 ; !CLIENT UNPAUSE ; {write}
1 !CLIENT PAUSE (abc|-1|{junk}) [ALL|WRITE|{junk}]
1 CLIENT UNPAUSE
1 CLIENT KILL (1.2.3.4:5|{junk}|ID (999999999|0|-1|{junk})|TYPE (MASTER|REPLICA|SLAVE|PUBSUB|{junk})|ADDR 1.2.3.4:5|LADDR {value})
1 !CLIENT KILL (USER {value}|ID 999999999 SKIPME (yes|no|{junk})|USER default TYPE master|ADDR|SKIPME yes ID|TYPE master ID)
2 -!CLIENT REPLY OFF ; -{write} ; -{junk} ; -CLIENT REPLY {junk} ; *!CLIENT REPLY ON
2 -!CLIENT REPLY SKIP ; -{write} ; GET {string}
1 -!CLIENT REPLY SKIP ; -!CLIENT REPLY SKIP ; -{junk} ; ECHO {value}
1 !OBJECT (FREQ|{junk}|REFCOUNT {junk}|HELP {junk})
1 OBJECT (IDLETIME|REFCOUNT) {key} -> kind
1 DBSIZE
1 !DEBUG ({junk}|SLEEP 0|ERROR {value}|LOG [{value}]|SET-ACTIVE-EXPIRE 1|PAUSE-CRON 0|(DIGEST-VALUE|OBJECT) no-such-key)
1 !DEBUG (REPLYBUFFER PEAK-RESET-TIME ({junk}|never)|QUICKLIST-PACKED-THRESHOLD (10b|0)|POPULATE {few} [{word} [{few}]])
1 !DEBUG (SDSLEN|LISTPACK|QUICKLIST|HTSTATS-KEY) no-such-key
1 !DEBUG (STRUCTSIZE [x]|HTSTATS [0|1|99|{junk}]|CLIENT-EVICTION [x]|LEAK|SDSLEN|LISTPACK|QUICKLIST|CHANGE-REPL-ID x) -> kind
1 *!DEBUG PROTOCOL (string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false|{junk})
2 HELLO ({junk}|4|2 {junk}|3 SETNAME|2 AUTH {value}) -> hello
2 HELLO [2|3] [AUTH (default|{value}) {value}] [SETNAME {channel}] -> hello
1 HELLO (2|3) [SETNAME {value}] [AUTH default {value}] -> hello
1 *!RESET
1 AUTH [{value}] {value}
1 AUTH default {value}
1 TIME -> shape
1 !CLIENT KILL ID {other} [SKIPME (yes|no)] [USER default] [TYPE NORMAL] ; @~!
1 @!MULTI ; @!LPUSH list:1 a ; @!{write} ; !CLIENT KILL ID {other} ; @~!
1 @?(BLPOP none 0|BZMPOP 0 1 none MIN|XREAD BLOCK 0 STREAMS none $) ; !CLIENT LIST -> clients ; !CLIENT KILL ID {other} ; @~!
0.5 ~!(QUIT|QUIT {value}|CLIENT KILL ID {mine} SKIPME no|POST|HOST: {value})
0.5 @!SELECT 1 ; @-!MULTI ; @-{write} ; @~!QUIT
1 CLIENT (GETREDIR|TRACKINGINFO|CACHING YES)
1 ({junk}|{value}) {value} {value}
1 (CLIENT|CONFIG|OBJECT|PUBSUB|FUNCTION|MEMORY) {value}
1 SET {string} {value}
1 GET {string}
1 {write}
"""

SERVER = """
2 COMMAND (GETKEYS|GETKEYSANDFLAGS) {data}
1 COMMAND (GETKEYS|GETKEYSANDFLAGS) (ZUNIONSTORE {zset} {number} {zset} {zset}|ZDIFF {number} {zset}|SINTERCARD {number} {set})
1 COMMAND (GETKEYS|GETKEYSANDFLAGS) (LMPOP {number} {list} {list} LEFT|BLMPOP 0 {number} {list} LEFT|BZMPOP 0 {number} {zset} MIN)
1 COMMAND (GETKEYS|GETKEYSANDFLAGS) PFMERGE <{hll}>+
1 COMMAND (GETKEYS|GETKEYSANDFLAGS) (SORT {list} [BY x] [GET STORE] STORE {list}|{junk}|GET|{junk} {value}|CLIENT ID)
1 !COMMAND LIST [FILTERBY PATTERN (z*|*pop*|incr*|[x]|*|c*|nothing)] -> names
1 !COMMAND LIST FILTERBY (ACLCAT ({junk}|set|READ|@all|dangerous)|MODULE {junk}) -> names
1 !COMMAND LIST (FILTERBY|{junk}|FILTERBY {junk} {junk}) -> names
2 !COMMAND INFO <{command}>+ -> info
2 !COMMAND DOCS <{command}>+ -> docs
1 !COMMAND (COUNT|COUNT {junk}|INFO|DOCS) -> kind
1 (ACL|COMMAND|CONFIG|CLIENT|DEBUG|PUBSUB|OBJECT|MEMORY|LATENCY|SLOWLOG|FUNCTION|SCRIPT|XGROUP|XINFO) HELP -> kind
1 CONFIG (GET hash-max-listpack-entries|GET nothing|SET {junk} {value}|SET hash-max-listpack-entries {junk}|{junk})
1 CONFIG GET *max-listpack* -> pairs
1 CONFIG GET (nothing|list-compress-depth|hash-max-*-value) -> pairs
1 !CONFIG GET <{parameter}>+ -> pairs
4 CONFIG SET <{parameter} {setting}>+
2 CONFIG SET {parameter} {setting} ; !CONFIG GET {parameter} -> pairs
1 !CONFIG SET notify-keyspace-events (KEA|Egnm$|mxK|Azz|yes|foo|KE%) ; !CONFIG GET notify-keyspace-events -> pairs
1 CONFIG (GET|SET|RESETSTAT {junk}|REWRITE|REWRITE {junk})
0.5 !CONFIG HELP {junk}
0.5 CONFIG RESETSTAT
2 !{full} 1 ; {plain} ; {write} ; !MULTI ; {write} ; {write} ; !EXEC ; {write} ; !{full} 0
1 OBJECT IDLETIME {key} -> kind
2 MEMORY USAGE {key} [SAMPLES {count}] -> kind
1 MEMORY (USAGE no-such-key|{junk}|USAGE no-such-key SAMPLES {junk}|USAGE {key} {junk})
1 MEMORY (DOCTOR|STATS|MALLOC-STATS) -> kind
1 MEMORY PURGE
1 LATENCY (RESET [{value}]|{junk}|HISTORY {value}|GRAPH {value}|LATEST)
1 LATENCY DOCTOR -> kind
1 !LATENCY HISTOGRAM <{command}>+ -> histogram
1 SLOWLOG (GET abc|GET -2|RESET|LEN x|{junk}|LEN) -> slowlog
2 !{slow} 0 ; {write} ; {plain} ; !SLOWLOG GET [{few}|-1] -> slowlog ; !{slow} -1
1 !SLOWLOG RESET ; !SLOWLOG LEN
1 INFO [nothing|server|<{junk}>+] -> kind
1 FUNCTION (LIST [LIBRARYNAME {value}] [WITHCODE] [WITHCODE] [LIBRARYNAME {value}]|LIST {junk}|FLUSH [ASYNC|SYNC|{junk}])
1 !SHUTDOWN (ABORT|NOSAVE SAVE|ABORT NOW|FORCE ABORT|{junk})
1 LOLWUT [VERSION [{number}]] -> kind
0.02 !CONFIG SET hll-sparse-max-bytes 3000 ; !PFSELFTEST
2 {write}
1 GET {string}
1 @*!MONITOR ; {write} ; {plain} ; !SELECT {db} ; {write} ; @*!PING -> monitor ; @*!RESET -> monitor
"""

PUBSUB = """
4 @*SUBSCRIBE <{channel}>+ -> messages
3 @*PSUBSCRIBE <{glob}>+ -> messages
3 @*SSUBSCRIBE <{channel}>+ -> messages
2 @*!UNSUBSCRIBE <{channel}>+ -> messages
2 @*!PUNSUBSCRIBE <{glob}>+ -> messages
2 @*!SUNSUBSCRIBE <{channel}>+ -> messages
1 @*!UNSUBSCRIBE -> shape
1 @*!PUNSUBSCRIBE -> shape
1 @*!SUNSUBSCRIBE -> shape
6 PUBLISH {channel} {value}
3 SPUBLISH {channel} {value}
1 @*PUBLISH {channel} {value} -> messages
1 @*SPUBLISH {channel} {value} -> messages
2 PUBSUB (CHANNELS|SHARDCHANNELS) [{glob}] -> set
3 PUBSUB (NUMPAT|NUMSUB|NUMSUB <{channel}>+|SHARDNUMSUB|SHARDNUMSUB <{channel}>+|{junk})
2 !MULTI ; PUBLISH {channel} {value} ; SPUBLISH {channel} {value} ; {write} ; !EXEC
1 @-!MULTI ; @-SUBSCRIBE <{channel}>+ ; @-(PSUBSCRIBE {glob}|SSUBSCRIBE {channel}) ; @-PUBLISH {channel} x ; @*!EXEC -> messages
4 @*!PING [{value}] -> messages
1 @*{write} -> messages
1 @*!(SUBSCRIBE|SSUBSCRIBE|PSUBSCRIBE|ECHO|SELECT|HELLO x) -> messages
0.3 @*!RESET -> messages
1 !CLIENT LIST [ID {other}|TYPE (PUBSUB|NORMAL)] -> clients
1 @*!CLIENT INFO -> kind
"""

# What comes over the wire by itself: commands in both forms, halves of them, and what is no command at all.
WIRE = """
3 ~=!{wire} -> hello
1 @~=!{wire} -> hello
2 GET wire:1
2 STRLEN wire:2
2 LRANGE wire:3 0 9
1 DEL wire:3
1 CLIENT GETNAME
"""

# Of streams, what no clock and no second client take part in.
STREAM_EVENTS = "\n".join(line for line in STREAMS.splitlines()
                          if not any(word in line for word in ("@", "BLOCK", "CONFIG", " * ", "xinfo", "pending", "MULTI")))

SCRIPTS = """
30 !EVAL {script} 2 {key} {key} {value} {value}
6 !EVAL_RO {script} 2 {key} {key} {value} {value}
2 !EVAL {script} {few} {key} {value}
1 !EVAL {script} {number} {key}
1 !SCRIPT LOAD {script}
3 SCRIPT EXISTS <{sha1}>+
2 (EVALSHA|EVALSHA_RO) ({sha1}|{junk}) 0
2 !(SCRIPT LOAD {small_script}|EVAL {small_script} 0|EVALSHA {sha1} 0)
0.5 *!SCRIPT DEBUG (NO|{junk})
1 SCRIPT (FLUSH|FLUSH ASYNC|FLUSH SYNC|FLUSH {junk}|KILL)
4 !FUNCTION LOAD REPLACE {library}
2 !FUNCTION LOAD [{junk}] {library}
8 (FCALL|FCALL_RO) (f1|f2|f3|F1|none) 2 {key} {key} {value} {value}
1 (FCALL|FCALL_RO) (f1|f2|none) ({number}|{junk}) {key} {value}
1 FUNCTION DELETE (l1|l2|l3|none)
2 FUNCTION LIST LIBRARYNAME (l1|l2|l3) [WITHCODE]
1 FUNCTION (STATS|KILL|FLUSH|FLUSH ASYNC|FLUSH {junk}|LIST {junk}|LIST LIBRARYNAME|RESTORE {value}|RESTORE {value} {junk}|{junk})
3 !FUNCTION RESTORE {payload} [FLUSH|APPEND|REPLACE|{junk}]
1 !FUNCTION RESTORE {payload_of_two} FLUSH
1 FUNCTION DUMP -> kind
1 COMMAND (GETKEYS|GETKEYSANDFLAGS) (EVAL|EVALSHA_RO|FCALL) {value} {number} {key} {key} {value}
2 !MULTI ; !EVAL {script} 2 {key} {key} {value} {value} ; {write} ; FCALL f1 1 {key} ; !EXEC
2 !WATCH {key} ; @!EVAL {script} 2 {key} {key} {value} {value} ; !MULTI ; {write} ; !EXEC
0.5 !{full} 1 ; !EVAL {script} 1 {key} {value} ; !FCALL f1 1 {key} ; !MULTI ; !EVAL {script} 1 {key} a ; !EXEC ; !{full} 0
3 {write}
"""

# What every family of data does to keys is told to a client who subscribed to it all.
DATA = STRINGS + LISTS + HASHES + SETS + ZSETS + STREAM_EVENTS + BITS + HLLS + GEOS + KEYS
EVENTS = DATA + """
30 @*!PING
"""

# The first client's reads are tracked; the other one is told. It may read nothing itself in RESP2, being subscribed. What its own
# command invalidates for the first one ouro tells behind the reply, Redis in front or in the midst of it.
TRACKING = DATA + """
40 @*!PING
2 !CLIENT TRACKING OFF ; !CLIENT TRACKING ON REDIRECT {other} [NOLOOP] [OPTIN|OPTOUT]
6 !CLIENT CACHING (YES|NO) ; {plain} ; {plain}
2 !CLIENT CACHING (YES|NO) ; CLIENT GETNAME ; {plain} ; {plain}
2 !CLIENT CACHING (YES|NO) ; !MULTI ; {write} ; {plain} ; !EXEC ; {plain}
4 !MULTI ; {plain} ; {plain} ; {write} ; {write} ; !EXEC
2 !CLIENT TRACKINGINFO -> trackinginfo
1 !CLIENT GETREDIR -> kind
1 !CLIENT TRACKING (ON BCAST OPTIN|ON OPTIN OPTOUT|ON PREFIX x|ON REDIRECT 999999999|ON REDIRECT {junk}|{junk}|ON {junk})
1 !CLIENT CACHING {junk}
1 @*{plain} -> messages
8 !EVAL {script} 2 {key} {key} {value} {value}
4 !EVAL_RO {script} 2 {key} {key} {value} {value}
2 !(ZUNION|ZDIFF|SINTERCARD|ZINTERCARD) (01|+1|1x|x|2|0) {key}
"""
BROADCASTS = DATA + """
40 @*!PING -> keys
2 @*!PING -> keys ; !CLIENT TRACKING OFF ; !CLIENT TRACKING ON REDIRECT {other} BCAST [NOLOOP] [PREFIX (s|list:1)] [PREFIX h]
2 @*!PING -> keys ; !CLIENT TRACKING ON REDIRECT {other} BCAST PREFIX (set|s|hash|list:2|) [PREFIX (s|list:1)]
4 !MULTI ; {plain} ; {write} ; {write} ; {write} ; !EXEC
2 !CLIENT TRACKINGINFO -> trackinginfo
1 !CLIENT TRACKING ON [BCAST OPTIN|OPTIN|PREFIX x]
"""


@dataclasses.dataclass
class Step:
    """One command of a row: `@` the other client sends it, `?` and waits blocked, `@.` ends that wait, `*` all that comes back
    is its reply, `-` no reply is awaited, `~` the connection ends with it, `=` it is bytes as they are."""
    run: object
    template: str
    mode: str
    connection: int
    blocks: bool
    collect: bool
    drains: bool
    silent: bool
    ends: bool
    raw: bool
    damageable: bool


def parse(text, macros=None):
    """The rows of a family, as (weight, steps)."""
    rows = []
    for line in filter(None, text.splitlines()):
        weight, rest = line.split(" ", 1)
        steps = []
        for step in rest.split(" ; "):
            template, _, mode = step.partition(" -> ")
            marks = template[:len(template) - len(template.lstrip("@?!*-~="))]
            template = template[len(marks):]
            blocks, collect = "?" in marks, template == "."
            damageable = not (blocks or collect or "!" in marks)
            run = compile_template(template, macros)
            steps.append(Step(run, template, mode or "exact", int("@" in marks), blocks, collect, "*" in marks, "-" in marks,
                              "~" in marks, "=" in marks, damageable))
        rows.append((float(weight), steps))
    return rows


def one_of(text, macros=None, exact=False):
    """A compiled template that is one of a family's commands; on demand of those that have one right answer, damaged too."""
    rows = [row for row in parse(text, macros)
            if not exact or (len(row[1]) == 1 and row[1][0].mode == "exact" and row[1][0].damageable)]
    weights = [weight for weight, _ in rows]
    return lambda draw, out: draw.random.choices(rows, weights)[0][1][0].run(draw, out)


MACROS = {"write": one_of(WRITES), "data": one_of(DATA + SORT, GEO_MACROS), "plain": one_of(DATA, GEO_MACROS, exact=True),
          "full": compile_template("CONFIG SET maxmemory-policy noeviction maxmemory"),
          "slow": compile_template("CONFIG SET slowlog-log-slower-than")}
FAMILIES = {
    "strings": parse(STRINGS),
    "lists": parse(LISTS),
    "hashes": parse(HASHES),
    "sets": parse(SETS),
    "zsets": parse(ZSETS),
    "bits": parse(BITS),
    "hlls": parse(HLLS),
    "geo": parse(GEOS, GEO_MACROS),
    "streams": parse(STREAMS, {"stream_change": one_of(STREAM_CHANGES)}),
    "keys": parse(KEYS),
    "dumps": parse(DUMPS),
    "transactions": parse(TRANSACTIONS, MACROS),
    "sort": parse(SORT),
    "connection": parse(CONNECTION, MACROS),
    "server": parse(SERVER, MACROS),
    "pubsub": parse(PUBSUB, MACROS),
    "events": parse(EVENTS, GEO_MACROS),
    "tracking": parse(TRACKING, MACROS | GEO_MACROS),
    "broadcasts": parse(BROADCASTS, MACROS | GEO_MACROS),
    "scripts": parse(SCRIPTS, MACROS),
    "wire": parse(WIRE, MACROS),
    "blocking": parse(BLOCKING, {"push": one_of(PUSHES)}),
}


# What a block of commands of a family begins with.
OPENINGS = {
    "events": parse("1 !CONFIG SET notify-keyspace-events (AKEnm|AKEnm|AKEnm|EKgnm$|Kxlsh|Ezt|An) ; @*!PSUBSCRIBE *"),
    "tracking": parse("1 !CLIENT TRACKING ON REDIRECT {other} ; @*!CLIENT TRACKING ON ; @*!SUBSCRIBE __redis__:invalidate"),
    "scripts": parse("1 !FUNCTION FLUSH ; !SCRIPT FLUSH"),
    "broadcasts": parse("1 !CLIENT TRACKING ON REDIRECT {other} BCAST ; @*!SUBSCRIBE __redis__:invalidate"),
}


# A stream's node is full by its entries alone: bytes are each server's own.
EVERY_OPENING = parse("1 !CONFIG SET stream-node-max-bytes 0")


def names_of(row):
    """The commands of a row."""
    return {step.template.split()[0] for step in row[1] if step.template[:1] not in "{(."}


Draw.commands = sorted(set().union(*(names_of(row) for rows in FAMILIES.values() for row in rows)))


def is_each_its_own(args):
    """Whether a damaged command asks for what no two servers tell alike: all commands, all parameters, sizes, help."""
    words = [arg.upper() for arg in args[:2]]
    return (words[-1] == b"HELP" or words == [b"COMMAND"] or words == [b"COMMAND", b"COUNT"]
            or words == [b"MEMORY", b"USAGE"] or (words == [b"FUNCTION", b"LIST"] and (len(args) < 4 or b"*" in args[3]))
            or (words == [b"CONFIG", b"GET"] and b"*" in args))


def mode_of_damaged(args, mode):
    """How the replies to a damaged command compare, whose mode was this one."""
    if is_each_its_own(args):
        return "kind"
    if [arg.upper() for arg in args[:2]] == [b"CONFIG", b"GET"]:
        return "pairs"  # it may have been a SET
    return "shape" if mode in ("set", "pairs") else mode  # a walk in any order may have become a random pick


# Commands that read, and name a count of keys first.
COUNTED = (b"SINTERCARD", b"ZDIFF", b"ZINTER", b"ZINTERCARD", b"ZUNION")
# How many words the commands that have grown since Redis 7.0 have in their new form.
NEWER_FORMS = {b"BITCOUNT": 3, b"EXEC": 2, b"MOVE": 4, b"PERSIST": 3, b"PTTL": 3, b"SISMEMBER": 4, b"TTL": 3, b"ZRANK": 4,
               b"ZREVRANK": 4}
# And those of them that find no number of words too many by itself.
ENDLESS_FORMS = (b"EXEC", b"SISMEMBER")


def is_newer(args):
    """Whether a damaged command is one that Redis 7.0 refuses for one of its words, and later servers do not."""
    words = [arg.upper() for arg in args]
    if words[:1] == [b"COMMAND"] and len(words) > 2:
        words = words[2:]
    if words[:3] == [b"CLIENT", b"KILL", b"ID"] and len(words) > 4 and words[4].isdigit():
        return True  # several ids
    if b"NOTIFY-KEYSPACE-EVENTS" in words:
        return True
    if words and words[0] in ENDLESS_FORMS and len(words) > NEWER_FORMS[words[0]]:
        return True
    return bool(words) and (NEWER_FORMS.get(words[0]) == len(words) or (b"AGGREGATE", b"COUNT") in zip(words, words[1:]))


def is_endless(args):
    """Whether a damaged command asks for more random picks than we give, and Redis in good time."""
    count = args[2] if len(args) > 2 else b""
    return args[0].upper().endswith((b"RANDFIELD", b"RANDMEMBER")) and count.startswith(b"-") and len(count) > 7


def is_tracked_in_two_ways(args):
    """Whether Redis 7.0 tracks other keys than it tells by COMMAND GETKEYS. It has a second reader of keys, for tracking, and on
    some commands that are refused the two disagree: XREAD with a key too much or too few or an unknown word before STREAMS,
    counts of keys as atoi reads them."""
    words = [arg.upper() for arg in args]
    if words[0] == b"XREAD" and b"STREAMS" in words:
        at = words.index(b"STREAMS")
        return at % 2 == 0 or (len(words) - at) % 2 == 0 or not {b"COUNT", b"BLOCK"}.issuperset(words[1:at:2])
    return words[0] in COUNTED and len(words) > 1 and words[1] != b"%d" % int_or_zero(words[1])


def int_or_zero(text):
    try:
        return int(text)
    except ValueError:
        return 0


class Generator:
    """Draws runs of commands of one family."""

    def __init__(self, family, draw, without=()):
        """`without` names commands that are left out, with the rows that have them."""
        self.draw = draw
        self.rows = [row for row in FAMILIES[family] if not names_of(row) & set(without)]
        self.weights = [weight for weight, _ in self.rows]
        self.opening = EVERY_OPENING + OPENINGS.get(family, [])
        self.tracks = family == "tracking"
        self.walks = {"keys": b"", "hashes": b"hash", "sets": b"set", "zsets": b"zset"}.get(family)

    def take(self, count):
        """About `count` commands in groups that belong together: a transaction, a wait and what ends it."""
        groups, taken = [self.draw_row(steps) for _, steps in self.opening], 0
        while taken < count:
            groups.append(self.draw_row(self.draw.random.choices(self.rows, self.weights)[0][1]))
            taken += len(groups[-1])
            if self.walks is not None and self.draw.chance(0.01):
                groups.append([self.draw_scan()])
        return groups

    def draw_row(self, steps):
        """The commands of one row."""
        commands, queued = [], None
        for step in steps:
            args, mode = [], step.mode
            if not step.collect:
                step.run(self.draw, args)
            damaged = self.draw.damage(args) if step.damageable and self.draw.chance(0.03) else args
            if damaged is not args and not is_newer(damaged) and not is_endless(damaged):
                args, mode = damaged, mode_of_damaged(damaged, mode)
            if self.tracks and is_tracked_in_two_ways(args):
                args = [b"DBSIZE"]
            if step.connection == 0:
                if step.template == "EXEC" and queued is not None:
                    mode, queued = ("each", queued), None
                elif step.template == "MULTI":
                    queued = queued or []
                elif queued is not None and step.template not in ("DISCARD", "WATCH"):
                    queued.append(mode)
                    mode = "exact"
            commands.append(Command(args, mode, step.connection, step.blocks, step.collect, step.drains, step.silent,
                                    step.ends, step.raw))
        return commands

    def draw_scan(self):
        """A whole walk over the keys or the elements of one; its pages come in any order."""
        kind = self.draw.pick((b"", self.walks))
        args = {b"": [b"SCAN"], b"hash": [b"HSCAN", self.draw.hash()], b"set": [b"SSCAN", self.draw.set()],
                b"zset": [b"ZSCAN", self.draw.zset()]}[kind]
        args.append(b"0")
        if self.draw.chance(0.5):
            args += [b"MATCH", self.draw.pattern()]
        if self.draw.chance(0.5):
            args += [b"COUNT", self.draw.pick((b"1", b"3", b"10", b"1000"))]
        if kind == b"" and self.draw.chance(0.4):
            args += [b"TYPE", self.draw.kind()]
        return Command(args, "walk")
