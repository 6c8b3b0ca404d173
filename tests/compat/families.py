# SPDX-License-Identifier: BSD-3-Clause
"""What the differential test sends: for each family of commands, templates with a weight and how replies compare.

`N template -> mode`. Modes: exact (the default); set: any order; pairs: field and value together, any order; shape: only
types and counts, for random picks; kind: only the type; ttl: nearly equal numbers; others mask what is each server's own
(compare.py). A leading `!` keeps the command from being damaged; the other marks: Step.

Not here, since ouro does not have them yet: DUMP and RESTORE, persistence, replication, cluster.
Not here, since Redis 7.0 does not have them: BITOP DIFF, DIFF1, ANDOR and ONE, GEOSEARCH BYPOLYGON.
"""
import dataclasses

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


STRINGS = """
10 SET {string} {value}
6 SET {string} {value} [NX|XX] [GET] [EX {ttl}|PX {ttl_ms}|EXAT {at}|PXAT {at_ms}|KEEPTTL]
2 SET {string} {value} [GET] [KEEPTTL] [XX] [EX {ttl}]
8 GET {string}
2 GETSET {string} {value}
2 GETDEL {string}
3 GETEX {string} [EX {ttl}|PX {ttl_ms}|EXAT {at}|PXAT {at_ms}|PERSIST]
2 SETNX {string} {value}
2 SETEX {string} {ttl} {value}
2 PSETEX {string} {ttl_ms} {value}
4 APPEND {string} {value}
3 STRLEN {string}
4 SETRANGE {string} {offset} {value}
4 GETRANGE {string} {index} {index}
1 SUBSTR {string} {index} {index}
4 INCR {string}
4 DECR {string}
4 INCRBY {string} {number}
4 DECRBY {string} {number}
5 INCRBYFLOAT {string} {real}
3 MGET <{string}>+
3 MSET <{string} {value}>+
2 MSETNX <{string} {value}>+
3 LCS {string} {string} [LEN] [IDX] [MINMATCHLEN {count}] [WITHMATCHLEN]
1 LCS {string} {string} {junk}
1 SET {string} {value} {junk}
1 GETEX {string} {junk} [{junk}]
1 DEL {string}
2 OBJECT ENCODING {string}
1 TTL {string} -> ttl
1 TYPE {string}
"""

LISTS = """
6 LPUSH {list} <{value}>+
10 RPUSH {list} <{value}>+
2 LPUSHX {list} <{value}>+
2 RPUSHX {list} <{value}>+
4 LPOP {list} [{count}]
4 RPOP {list} [{count}]
3 LLEN {list}
6 LRANGE {list} {index} {index}
4 LINDEX {list} {index}
4 LSET {list} {index} {value}
4 LINSERT {list} (BEFORE|AFTER) {value} {value}
4 LREM {list} {index} {value}
3 LTRIM {list} {index} {index}
4 LPOS {list} {value} [RANK {index}] [COUNT {count}] [MAXLEN {count}]
3 RPOPLPUSH {list} {list}
4 LMOVE {list} {list} (LEFT|RIGHT) (LEFT|RIGHT)
3 LMPOP (1 {list}|2 {list} {list}|3 {list} {list} {list}|{number} {list}) (LEFT|RIGHT) [COUNT {count}]
1 DEL {list}
1 OBJECT ENCODING {list}
1 !MULTI ; !BLPOP {list} {list} 0 ; !BRPOP {list} {junk} ; !EXEC
1 !MULTI ; !BLMOVE {list} {list} LEFT RIGHT 0 ; !BRPOPLPUSH {list} {list} 0 ; !BLMPOP 0 2 {list} {list} LEFT ; !EXEC
"""

HASHES = """
10 HSET {hash} <{field} {value}>+
2 HMSET {hash} <{field} {value}>+
3 HSETNX {hash} {field} {value}
6 HGET {hash} {field}
4 HMGET {hash} <{field}>+
4 HGETALL {hash} -> pairs
3 HKEYS {hash} -> set
3 HVALS {hash} -> set
3 HLEN {hash}
3 HSTRLEN {hash} {field}
3 HEXISTS {hash} {field}
4 HDEL {hash} <{field}>+
4 HINCRBY {hash} {field} {number}
4 HINCRBYFLOAT {hash} {field} {real}
1 HRANDFIELD {hash} -> shape
2 HRANDFIELD {hash} {count} [WITHVALUES] -> shape
1 HRANDFIELD {hash} -5 [WITHVALUES] -> shape
1 HRANDFIELD {hash} 1000000 -> set
1 HRANDFIELD {hash} 1000000 WITHVALUES -> pairs
1 DEL {hash}
2 OBJECT ENCODING {hash}
"""

SETS = """
8 SADD {set} <{member}>+
6 SADD {set} <{integer_member}>+
5 SREM {set} <{member}>+
3 SREM {set} <{integer_member}>+
3 SCARD {set}
4 SISMEMBER {set} {member}
3 SMISMEMBER {set} <{member}>+
4 SMEMBERS {set} -> set
4 SMOVE {set} {set} {member}
4 SINTER <{set}>+ -> set
4 SUNION <{set}>+ -> set
4 SDIFF <{set}>+ -> set
3 SINTERSTORE {set} <{set}>+
3 SUNIONSTORE {set} <{set}>+
3 SDIFFSTORE {set} <{set}>+
4 SINTERCARD ({few}|1|2) {set} [{set}] [LIMIT {count}]
1 SRANDMEMBER {set} -> shape
2 SRANDMEMBER {set} {count} -> shape
1 SRANDMEMBER {set} -6 -> shape
1 SRANDMEMBER {set} 1000000 -> set
1 !SPOP set:1 -> shape ; !DEL set:1 ; !SPOP set:2 3 -> shape ; !DEL set:2
1 !MULTI ; !SPOP set:1 2 -> shape ; !SCARD set:1 ; !DEL set:1 ; !EXEC
1 !SPOP {set} 100000 -> set
1 !SPOP {set} (abc|-1|0|1 1)
2 DEL {set}
2 OBJECT ENCODING {set}
"""

ZSETS = """
10 ZADD {zset} <{score} {member}>+
3 !ZADD {lex} <0 {member}>+
6 ZADD {zset} [NX|XX] [GT|LT] [CH] <{score} {member}>+
2 ZADD {zset} [NX|XX|GT|LT] [CH] INCR {score} {member}
4 ZINCRBY {zset} {score} {member}
4 ZREM {zset} <{member}>+
3 ZCARD {zset}
4 ZSCORE {zset} {member}
3 ZMSCORE {zset} <{member}>+
3 !ZRANK {zset} {member}
3 !ZREVRANK {zset} {member}
4 ZCOUNT {zset} {score_bound} {score_bound}
3 ZLEXCOUNT {lex} {lex_bound} {lex_bound}
6 ZRANGE {zset} {index} {index} [REV] [WITHSCORES]
4 ZRANGE {zset} {score_bound} {score_bound} BYSCORE [REV] [LIMIT {index} {index}] [WITHSCORES]
3 ZRANGE {lex} {lex_bound} {lex_bound} BYLEX [REV] [LIMIT {index} {index}] [WITHSCORES]
3 ZREVRANGE {zset} {index} {index} [WITHSCORES]
3 ZRANGEBYSCORE {zset} {score_bound} {score_bound} [WITHSCORES] [LIMIT {index} {index}]
3 ZREVRANGEBYSCORE {zset} {score_bound} {score_bound} [WITHSCORES] [LIMIT {index} {index}]
2 ZRANGEBYLEX {lex} {lex_bound} {lex_bound} [LIMIT {index} {index}]
2 ZREVRANGEBYLEX {lex} {lex_bound} {lex_bound} [LIMIT {index} {index}]
3 ZRANGESTORE {zset} {zset} {index} {index} [REV]
2 ZRANGESTORE {zset} {zset} {score_bound} {score_bound} BYSCORE [REV] [LIMIT {index} {index}]
2 ZRANGESTORE {zset} {lex} {lex_bound} {lex_bound} BYLEX [REV] [LIMIT {index} {index}]
2 ZREMRANGEBYRANK {zset} {index} {index}
2 ZREMRANGEBYSCORE {zset} {score_bound} {score_bound}
2 ZREMRANGEBYLEX {lex} {lex_bound} {lex_bound}
3 ZPOPMIN {zset} [{count}]
3 ZPOPMAX {zset} [{count}]
3 ZMPOP (1 {zset}|2 {zset} {zset}|{number} {zset}) (MIN|MAX) [COUNT {count}]
3 ZUNION 2 {zset} {zset} [WEIGHTS {real} {real}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
3 ZINTER 2 {zset} {zset} [WEIGHTS {real} {real}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
3 ZDIFF (1 {zset}|2 {zset} {zset}|3 {zset} {zset} {zset}) [WITHSCORES]
3 ZUNIONSTORE {zset} 2 {zset} {zset} [WEIGHTS {real} {real}] [AGGREGATE (SUM|MIN|MAX)]
3 ZINTERSTORE {zset} 2 {zset} {zset} [WEIGHTS {real} {real}] [AGGREGATE (SUM|MIN|MAX)]
1 ZUNIONSTORE {zset} 2 {zset} {set} [WEIGHTS {real} {real}] [AGGREGATE (SUM|MIN|MAX)]
1 ZINTERSTORE {zset} 2 {set} {zset} [WEIGHTS {real} {real}] [AGGREGATE (SUM|MIN|MAX)]
2 ZDIFFSTORE {zset} 2 {zset} {zset}
2 (ZUNION|ZINTER) 3 {zset} {set} {zset} [WEIGHTS {real} {real} {real}] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]
1 (ZUNION|ZINTER) (1 {zset}|{number} {zset} {zset}) [WEIGHTS {real}] [AGGREGATE (MIN|avg|{number})] [WITHSCORES]
2 (ZUNIONSTORE|ZINTERSTORE) {zset} 3 {zset} {set} {zset} [WEIGHTS {real} {real} {real}] [AGGREGATE (SUM|MIN|MAX)]
1 (ZUNIONSTORE|ZINTERSTORE) {zset} (1 {zset}|{number} {zset} {zset}) [WEIGHTS {real}] [AGGREGATE (MAX|avg|{number})]
1 ZINTERCARD 3 {zset} {set} {zset} [LIMIT {count}]
1 ZDIFFSTORE {zset} 3 {zset} {set} {zset}
2 ZINTERCARD ({few}|1|2) {zset} [{zset}] [LIMIT {count}]
1 SADD {set} <{member}>+
1 ZRANDMEMBER {zset} -> shape
2 ZRANDMEMBER {zset} {count} [WITHSCORES] -> shape
1 ZRANDMEMBER {zset} -5 [WITHSCORES] -> shape
1 !MULTI ; !BZPOPMIN {zset} {zset} 0 ; !BZPOPMAX {zset} {junk} ; !BZMPOP 0 2 {zset} {zset} MIN COUNT 2 ; !EXEC
2 DEL {zset}
2 OBJECT ENCODING {zset}
"""

BITS = """
6 SET {string} {value}
2 SETRANGE {string} {offset} {value}
10 SETBIT {string} {bit_at} {bit}
6 GETBIT {string} {bit_at}
3 !BITCOUNT {string}
6 !BITCOUNT {string} {index} {index} [BYTE|BIT|{junk}]
2 !BITCOUNT {string} {number} {number} (BIT|BYTE)
1 !BITCOUNT {string} 0 -1 BIT {junk}
3 BITPOS {string} {bit}
3 BITPOS {string} {bit} {index}
6 BITPOS {string} {bit} {index} {index} [BYTE|BIT|{junk}]
2 BITPOS {string} {bit} {number} {number} BIT
5 BITOP (AND|OR|XOR) {string} <{string}>+
2 BITOP NOT {string} {string}
1 BITOP ({junk}|NOT|AND|or) {string} {string} {string}
6 BITFIELD {string} <SET {field_type} {field_at} {number}>+
6 BITFIELD {string} <GET {field_type} {field_at}>+
6 BITFIELD {string} <INCRBY {field_type} {field_at} {number}>+
8 BITFIELD {string} <[OVERFLOW (WRAP|SAT|FAIL|{junk})] (SET|INCRBY|incrby) {field_type} {field_at} {number}>+
6 BITFIELD {string} [GET u8 0] <OVERFLOW (SAT|FAIL) (SET|INCRBY) (u8|i8|i5|u63|i64) #{few} {number}>+ [GET i8 #1]
3 BITFIELD_RO {string} <GET {field_type} {field_at}>+
1 BITFIELD_RO {string} [OVERFLOW SAT] [SET u8 0 1]
1 COMMAND GETKEYSANDFLAGS (BITFIELD {string} <(GET u8 0|SET u8 0 1|OVERFLOW SAT|{junk})>+|BITOP AND <{string}>+)
2 GET {string}
1 INCR {string}
1 APPEND {string} {value}
2 OBJECT ENCODING {string}
1 DEL {string}
"""

HLLS = """
12 PFADD {hll} <{element}>+
1 PFADD {hll}
8 PFCOUNT {hll}
5 PFCOUNT <{hll}>+
4 PFMERGE {hll} {hll} [{hll}]
1 PFCOUNT {hll} ; !PFMERGE {hll}
4 GET {hll}
2 STRLEN {hll}
2 OBJECT ENCODING {hll}
1 !PFADD {hll} {element} ; PFDEBUG (ENCODING|TODENSE|DECODE|GETREG|{junk}) {hll}
1 PFDEBUG (ENCODING|TODENSE|DECODE|GETREG) none
1 !PFDEBUG (ENCODING|decode|{junk}) hll:1
1 !CONFIG SET hll-sparse-max-bytes (0|18|30|100|1000|3000|16000)
1 SET {hll} {value}
1 !SETRANGE {hll} (0|1|4|5) (H|YLL|x|12)
1 !PFADD hll:x <{element}>+ ; !(APPEND hll:x|SETRANGE hll:x 16) (0|12|99) ; !PFADD hll:x {element} ; !DEL hll:x
3 !SET hll:x {sketch} ; !PFADD hll:x {element} ; !PFCOUNT hll:x ; !PFCOUNT {hll} hll:x ; !PFMERGE {hll} hll:x ; !DEL hll:x
1 DEL {hll}
1 COPY {hll} {hll} REPLACE
1 PFADD {list} {element}
1 PFCOUNT {hll} {list}
1 RPUSH {list} {value}
"""

GEOS = """
20 GEOADD {geo} [NX|XX] [CH] <{spot} {place}>+
6 GEOADD {geo} <{near_longitude} 35.5 {place}>+
4 GEOADD {geo} <12.5 {near_latitude} {place}>+
1 GEOADD {geo} NX (XX|CH) CH {spot} {place}
5 GEODIST {geo} {place} {place} [{unit}]
4 GEOHASH {geo} <{place}>+
5 GEOPOS {geo} <{place}>+
8 GEOSEARCH {geo} {from} {by} [ASC|DESC] [COUNT {count} [ANY]] [WITHDIST] [WITHHASH] [WITHCOORD]
8 GEOSEARCH {geo} [ASC|DESC] {from} [WITHDIST] {by}
3 GEOSEARCH {geo} {by} {from} [COUNT {few} ANY]
1 GEOSEARCH {geo} {from} {from} {by}
1 GEOSEARCH {geo} {from} {by} {by}
1 GEOSEARCH {geo} {from} ASC ASC ASC [COUNT 1] [ANY]
1 geosearch {geo} {by} ASC ASC [{junk}]
4 GEOSEARCHSTORE {geo} {geo} {from} {by} [ASC|DESC] [COUNT {few} [ANY]] [WITHDIST]
3 GEOSEARCHSTORE {zset} {geo} {from} {by} [ASC|DESC] [COUNT {few} [ANY]] STOREDIST
4 GEORADIUS {geo} {longitude} {latitude} {radius} {unit} [ASC|DESC] [COUNT {count} [ANY]] [WITHDIST] [WITHHASH] [WITHCOORD]
2 GEORADIUS_RO {geo} {longitude} {latitude} {radius} {unit} [ASC|DESC] [WITHDIST] [STORE {geo}]
4 GEORADIUSBYMEMBER {geo} {place} {radius} {unit} [ASC|DESC] [COUNT {count} [ANY]] [WITHDIST] [WITHHASH] [WITHCOORD]
2 GEORADIUSBYMEMBER_RO {geo} {place} {radius} {unit} [ASC|DESC] [WITHDIST] [STORE {geo}]
3 GEORADIUS {geo} {spot} {radius} {unit} [WITHHASH] [COUNT {few}] (STORE {geo}|STOREDIST {zset}) [STORE {geo}|STOREDIST {zset}]
3 GEORADIUSBYMEMBER {geo} {place} {radius} {unit} [DESC] (STORE {geo}|STOREDIST {zset}) [STOREDIST {zset}]
1 COMMAND GETKEYSANDFLAGS GEORADIUS {geo} 1 2 3 km [STORE {geo}] [STOREDIST {geo}] [STORE]
1 COMMAND GETKEYS GEORADIUSBYMEMBER {geo} a 3 km [STORE {geo}] [STOREDIST {geo}]
2 !ZADD {geo} {score} any
2 ZREM {geo} <{place}>+
2 ZSCORE {geo} {place}
1 ZRANGE {geo} 0 -1 WITHSCORES
1 DEL {geo}
1 SET {geo} {value}
1 OBJECT ENCODING {geo}
"""
# No two places are the same: with COUNT Redis takes those of one distance in no order. A center and a shape of GEOSEARCH.
GEO_MACROS = {"spot": compile_template("({near_longitude} {latitude}|{longitude} {near_latitude})"),
              "from": compile_template("(FROMMEMBER {place}|FROMLONLAT {longitude} {latitude})"),
              "by": compile_template("(BYRADIUS {radius} {unit}|BYBOX {radius} {radius} {unit})")}

# Ids with a time of the templates' own: `*` alone takes the server's clock. MINID is not trimmed by whole nodes here: whether
# a node is below the id is told by entries that have gone from its end in Redis, and by those that are there in ouro.
STREAMS = """
12 XADD {stream} {new_id} <{field} {value}>+
6 XADD {stream} {new_id} f1 {value} f2 {value}
3 XADD {stream} [NOMKSTREAM] [MAXLEN|MINID =] [=|~] {count} [LIMIT {count}] {new_id} {field} {value}
3 XADD {stream} [NOMKSTREAM] [MAXLEN [=] {count}|MINID [=] {stream_id}] {new_id} {field} {value}
1 !XADD stream:clock * f v -> kind ; !DEL stream:clock
4 XLEN {stream}
8 XRANGE {stream} {id_bound} {id_bound} [COUNT {count}]
6 XREVRANGE {stream} {id_bound} {id_bound} [COUNT {count}]
5 XDEL {stream} <{stream_id}>+
3 XTRIM {stream} (MAXLEN|MINID) [=] ({count}|{stream_id})
2 XTRIM {stream} MAXLEN ~ {count} [LIMIT {count}]
2 XSETID {stream} {stream_id} [ENTRIESADDED {count}] [MAXDELETEDID {stream_id}]
5 XREAD [COUNT {count}] STREAMS {stream} {stream_id}
3 XREAD [COUNT {count}] STREAMS {stream} {stream} {stream_id} ({stream_id}|$)
1 XREAD [COUNT {few}] [BLOCK (abc|-1|{junk})] [NOACK|{junk}] STREAMS {stream} {stream} ({stream_id}|>) [{stream_id}]
6 XGROUP CREATE {stream} {group} ({stream_id}|$|0) [MKSTREAM] [ENTRIESREAD {index}]
3 XGROUP SETID {stream} {group} ({stream_id}|$|-|+) [ENTRIESREAD {index}]
1 XGROUP (CREATE|SETID) {stream} {group} {junk} [MKSTREAM] [MKSTREAM] [ENTRIESREAD {junk}]
0.5 XGROUP DESTROY {stream} {group}
2 XGROUP CREATECONSUMER {stream} {group} {consumer}
1 XGROUP DELCONSUMER {stream} {group} {consumer}
12 XREADGROUP GROUP {group} {consumer} [COUNT {count}] [NOACK] STREAMS {stream} >
5 XREADGROUP GROUP {group} {consumer} [COUNT {count}] STREAMS {stream} {stream_id}
2 XREADGROUP GROUP {group} {consumer} [COUNT {few}] STREAMS {stream} {stream} > (>|{stream_id})
1 XREADGROUP GROUP {group} {consumer} [BLOCK {junk}] [NOACK] STREAMS {stream} (>|$|{junk})
6 XACK {stream} {group} <{stream_id}>+
4 XPENDING {stream} {group}
5 XPENDING {stream} {group} [IDLE 0] {id_bound} {id_bound} {count} [{consumer}] -> pending
1 XPENDING {stream} {group} [IDLE (0|-1|99999999|{junk})] {id_bound} {id_bound} [{count}] [{consumer}] [{junk}] -> pending
5 XCLAIM {stream} {group} {consumer} 0 <{stream_id}>+ [FORCE] [JUSTID] [RETRYCOUNT {count}] [LASTID {stream_id}]
2 XCLAIM {stream} {group} {consumer} (0|-5|99999999|{junk}) <{stream_id}>+ [IDLE {number}] [TIME {at_ms}] [FORCE] [{junk}]
4 XAUTOCLAIM {stream} {group} {consumer} 0 {id_bound} [COUNT {few}] [JUSTID]
1 XAUTOCLAIM {stream} {group} {consumer} (-3|0|99999999|{junk}) {id_bound} [COUNT {number}] [{junk}]
4 XINFO STREAM {stream} -> xinfo
3 XINFO STREAM {stream} FULL [COUNT {count}] -> xinfo
1 XINFO STREAM {stream} (FULL {junk}|FULL COUNT|{junk}|FULL COUNT {junk}) -> xinfo
4 XINFO GROUPS {stream}
2 XINFO CONSUMERS {stream} {group} -> xinfo
0.5 (XGROUP|XINFO) {junk} {stream}
1 !MULTI ; XADD {stream} {new_id} f {value} ; XREADGROUP GROUP {group} {consumer} STREAMS {stream} > ; XLEN {stream} ; !EXEC
1 !MULTI ; !XREAD BLOCK 0 STREAMS {stream} $ ; !XREADGROUP GROUP {group} {consumer} BLOCK 0 STREAMS {stream} > ; !EXEC
1 COPY {stream} {stream} [REPLACE]
0.5 RENAME {stream} {stream}
1 DEL {stream}
1 OBJECT ENCODING {stream}
1 TYPE {stream}
0.3 CONFIG SET stream-node-max-entries (0|1|2|5|100)
3 !WATCH {stream} ; @{stream_change} ; !MULTI ; XLEN {stream} ; !EXEC
3 @?XREAD [COUNT {few}] BLOCK 0 STREAMS {stream} {stream} $ $ ; {stream_change} ; {stream_change} ; {stream_change} ; @.
4 @?XREADGROUP GROUP {group} {consumer} [COUNT {few}] BLOCK 0 [NOACK] STREAMS {stream} > ; {stream_change} ; {stream_change} ; @.
1 @?XREADGROUP GROUP {group} {consumer} BLOCK 0 STREAMS {stream} > ; !SWAPDB 0 1 ; {stream_change} ; @.
1 @?XREAD BLOCK 0 STREAMS {stream} $ ; !SWAPDB 0 1 ; {stream_change} ; @.
1 @?XREAD BLOCK 0 STREAMS {stream} $ ; !MULTI ; XADD stream:1 {new_id} f v ; XDEL stream:1 {stream_id} ; !EXEC ; @.
"""

# What {stream_change} stands for: what a client that waits or watches may be told of, or not.
STREAM_CHANGES = """
8 XADD {stream} {new_id} {field} {value}
2 XDEL {stream} {stream_id}
2 XTRIM {stream} MAXLEN {count}
1 XSETID {stream} {stream_id}
2 XGROUP DESTROY {stream} {group}
2 XGROUP CREATE {stream} {group} 0
1 XGROUP CREATECONSUMER {stream} {group} {consumer}
1 XGROUP DELCONSUMER {stream} {group} {consumer}
1 XGROUP SETID {stream} {group} 0
1 XACK {stream} {group} {stream_id}
1 XREADGROUP GROUP {group} {consumer} STREAMS {stream} >
2 XCLAIM {stream} {group} {consumer} 0 {stream_id}
2 DEL {stream}
1 SET {stream} {value}
1 RENAME {stream} {stream}
0.2 FLUSHALL
"""

KEYS = """
5 !SET {key} {value} [EX {ttl}|PXAT {future_ms}]
3 RPUSH {list} <{value}>+
3 HSET {hash} <{field} {value}>+
3 SADD {set} <{member}>+
3 ZADD {zset} <{score} {member}>+
4 DEL <{key}>+
2 UNLINK <{key}>+
3 EXISTS <{key}>+
2 TOUCH <{key}>+
3 TYPE {key}
4 RENAME {key} {key}
3 RENAMENX {key} {key}
5 COPY {key} {key} [DB {db}] [REPLACE]
3 MOVE {key} {db}
3 EXPIRE {key} {ttl} [NX|XX|GT|LT]
1 (EXPIRE {key} {ttl}|PEXPIRE {key} {ttl_ms}|PEXPIREAT {key} {at_ms}) [NX|XX] [GT|LT] [NX|XX|GT|LT]
3 PEXPIRE {key} {ttl_ms} [NX|XX|GT|LT]
4 EXPIREAT {key} {at} [NX|XX|GT|LT]
4 PEXPIREAT {key} {at_ms} [NX|XX|GT|LT]
1 EXPIREAT {key} {at} {junk} [NX|GT]
3 PERSIST {key}
3 TTL {key} -> ttl
3 PTTL {key} -> ttl
3 EXPIRETIME {key} -> ttl
3 PEXPIRETIME {key} -> ttl
2 KEYS {pattern} -> set
2 DBSIZE
2 RANDOMKEY -> shape
4 OBJECT ENCODING {key}
1 OBJECT {junk} {key}
2 !SELECT {db}
1 SWAPDB {db} {db}
0.1 !FLUSHDB [SYNC|ASYNC]
0.05 !FLUSHALL [SYNC|ASYNC]
0.1 FLUSHALL {junk} {junk}
1 PING [{value}]
1 ECHO {value}
1 !SCAN (abc|0 COUNT (0|{junk})|0 MATCH|0 TYPE|0 {junk}|0 NOVALUES)
1 !(HSCAN {hash}|SSCAN {set}|ZSCAN {zset}) (abc|0 COUNT (0|{junk})|0 MATCH|0 {junk}|0 TYPE string|0 NOVALUES)
"""

TRANSACTIONS = """
4 !MULTI ; SET {string} {value} ; INCR {string} ; LPUSH {list} <{value}>+ ; GET {string} ; !EXEC
3 !MULTI ; HSET {hash} <{field} {value}>+ ; ZADD {zset} <{score} {member}>+ ; SADD {set} <{member}>+ ; !EXEC
3 !MULTI ; {junk} ; INCRBY {string} {number} ; !EXEC
2 !MULTI ; GET ; SET {string} {value} ; !EXEC
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
3 SORT_RO ({list}|{set}|{zset}) BY (weight_*|weight_*->f1) [LIMIT {count} {count}] [GET #] [GET weight_*->f2]
1 SORT ({list}|{set}|{zset}) {junk}
1 DEL {list}
1 DEL {set}
1 DEL {weight_key}
1 LRANGE {list} 0 -1
"""

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
1 !OBJECT (FREQ {key}|FREQ|{junk}|REFCOUNT {junk}|HELP {junk})
1 OBJECT (IDLETIME|REFCOUNT) {key} -> kind
1 DBSIZE
1 !DEBUG {junk}
2 HELLO ({junk}|4|2 {junk}|3 SETNAME|2 AUTH {value}) -> hello
2 HELLO [2|3] [AUTH (default|{value}) {value}] [SETNAME {channel}] -> hello
1 HELLO (2|3) [SETNAME {value}] [AUTH default {value}] -> hello
1 *!RESET
1 AUTH [{value}] {value}
1 AUTH default {value}
1 TIME -> shape
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
1 COMMAND (GETKEYS|GETKEYSANDFLAGS) (SORT {list} [BY x] [GET STORE] STORE {list}|{junk}|GET|{junk} {value}|CLIENT ID)
1 !COMMAND LIST [FILTERBY PATTERN (z*|*pop*|incr*|[x]|*|c*|nothing)] -> names
1 !COMMAND LIST FILTERBY (ACLCAT ({junk}|set|READ|@all|dangerous)|MODULE {junk}) -> names
1 !COMMAND LIST (FILTERBY|{junk}|FILTERBY {junk} {junk}) -> names
2 !COMMAND INFO <{command}>+ -> info
2 !COMMAND DOCS <{command}>+ -> docs
1 !COMMAND (COUNT|COUNT {junk}|INFO|DOCS) -> kind
1 (COMMAND|CONFIG|CLIENT|PUBSUB|OBJECT|MEMORY|LATENCY|SLOWLOG|FUNCTION) HELP -> kind
1 CONFIG (GET hash-max-listpack-entries|GET nothing|SET {junk} {value}|SET hash-max-listpack-entries {junk}|{junk})
1 CONFIG GET *max-listpack* -> pairs
1 CONFIG GET (nothing|list-compress-depth|hash-max-*-value) -> pairs
1 !CONFIG GET <{parameter}>+ -> pairs
4 CONFIG SET <{parameter} {setting}>+
2 CONFIG SET {parameter} {setting} ; !CONFIG GET {parameter} -> pairs
1 CONFIG (GET|SET|RESETSTAT {junk}|REWRITE|REWRITE {junk})
0.5 !CONFIG HELP {junk}
0.5 CONFIG RESETSTAT
2 !{full} 1 ; {plain} ; {write} ; !MULTI ; {write} ; {write} ; !EXEC ; {write} ; !{full} 0
1 OBJECT (FREQ|IDLETIME) {key} -> kind
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
1 LOLWUT -> kind
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
1 @-!MULTI ; @-SUBSCRIBE <{channel}>+ ; @-PSUBSCRIBE {glob} ; @-PUBLISH {channel} {value} ; @*!EXEC -> messages
4 @*!PING [{value}] -> messages
1 @*{write} -> messages
1 @*!(SUBSCRIBE|SSUBSCRIBE|PSUBSCRIBE|ECHO|SELECT|HELLO x) -> messages
0.3 @*!RESET -> messages
1 !CLIENT LIST [ID {other}|TYPE (PUBSUB|NORMAL)] -> clients
1 @*!CLIENT INFO -> kind
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
1 SCRIPT (FLUSH|FLUSH ASYNC|FLUSH SYNC|FLUSH {junk}|KILL)
4 !FUNCTION LOAD REPLACE {library}
2 !FUNCTION LOAD [{junk}] {library}
8 (FCALL|FCALL_RO) (f1|f2|f3|F1|none) 2 {key} {key} {value} {value}
1 (FCALL|FCALL_RO) (f1|f2|none) ({number}|{junk}) {key} {value}
1 FUNCTION DELETE (l1|l2|l3|none)
2 FUNCTION LIST LIBRARYNAME (l1|l2|l3) [WITHCODE]
1 FUNCTION (STATS|KILL|FLUSH|FLUSH ASYNC|FLUSH {junk}|LIST {junk}|LIST LIBRARYNAME|RESTORE {value}|RESTORE {value} {junk}|{junk})
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
    is its reply, `-` no reply is awaited."""
    run: object
    template: str
    mode: str
    connection: int
    blocks: bool
    collect: bool
    drains: bool
    silent: bool
    damageable: bool


def parse(text, macros=None):
    """The rows of a family, as (weight, steps)."""
    rows = []
    for line in filter(None, text.splitlines()):
        weight, rest = line.split(" ", 1)
        steps = []
        for step in rest.split(" ; "):
            template, _, mode = step.partition(" -> ")
            marks = template[:len(template) - len(template.lstrip("@?!*-"))]
            template = template[len(marks):]
            blocks, collect = "?" in marks, template == "."
            damageable = not (blocks or collect or "!" in marks)
            run = compile_template(template, macros)
            steps.append(Step(run, template, mode or "exact", int("@" in marks), blocks, collect, "*" in marks, "-" in marks,
                              damageable))
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
    "transactions": parse(TRANSACTIONS, MACROS),
    "sort": parse(SORT),
    "connection": parse(CONNECTION, MACROS),
    "server": parse(SERVER, MACROS),
    "pubsub": parse(PUBSUB, MACROS),
    "events": parse(EVENTS, GEO_MACROS),
    "tracking": parse(TRACKING, MACROS),
    "broadcasts": parse(BROADCASTS, MACROS),
    "scripts": parse(SCRIPTS, MACROS),
    "blocking": parse(BLOCKING, {"push": one_of(PUSHES)}),
}


# What a block of commands of a family begins with.
OPENINGS = {
    # A node is full by its entries alone: bytes are each server's own.
    "streams": parse("1 !CONFIG SET stream-node-max-bytes 0"),
    "events": parse("1 !CONFIG SET stream-node-max-bytes 0 notify-keyspace-events AKEnm ; @*!PSUBSCRIBE *"),
    "tracking": parse("1 !CLIENT TRACKING ON REDIRECT {other} ; @*!CLIENT TRACKING ON ; @*!SUBSCRIBE __redis__:invalidate"),
    "scripts": parse("1 !FUNCTION FLUSH ; !SCRIPT FLUSH"),
    "broadcasts": parse("1 !CLIENT TRACKING ON REDIRECT {other} BCAST ; @*!SUBSCRIBE __redis__:invalidate"),
}


def names_of(row):
    """The commands of a row."""
    return {step.template.split()[0] for step in row[1] if step.template[0] not in "{(."}


Draw.commands = sorted(set().union(*(names_of(row) for rows in FAMILIES.values() for row in rows)))


def is_each_its_own(args):
    """Whether a damaged command asks for what no two servers tell alike: all commands, all parameters, sizes, help."""
    words = [arg.upper() for arg in args[:2]]
    return (words[-1] == b"HELP" or words == [b"COMMAND"] or words == [b"COMMAND", b"COUNT"]
            or words == [b"MEMORY", b"USAGE"]
            or (words == [b"CONFIG", b"GET"] and b"*" in args))


# How many words the commands that have grown since Redis 7.0 have in their new form.
NEWER_FORMS = {b"PERSIST": 3, b"PTTL": 3, b"TTL": 3, b"ZRANK": 4, b"ZREVRANK": 4}


def is_newer(args):
    """Whether a damaged command is one that Redis 7.0 refuses for one of its words, and later servers do not."""
    words = [arg.upper() for arg in args]
    return bool(words) and (NEWER_FORMS.get(words[0]) == len(words) or (b"AGGREGATE", b"COUNT") in zip(words, words[1:]))


class Generator:
    """Draws runs of commands of one family."""

    def __init__(self, family, draw, without=()):
        """`without` names commands that are left out, with the rows that have them."""
        self.draw = draw
        self.rows = [row for row in FAMILIES[family] if not names_of(row) & set(without)]
        self.weights = [weight for weight, _ in self.rows]
        self.opening = OPENINGS.get(family, [])
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
            if damaged is not args and not is_newer(damaged):
                args = damaged
                # A walk in any order may have become a random pick.
                mode = "kind" if is_each_its_own(args) else "shape" if mode in ("set", "pairs") else mode
            if step.connection == 0:
                if step.template == "EXEC" and queued is not None:
                    mode, queued = ("each", queued), None
                elif step.template == "MULTI":
                    queued = queued or []
                elif queued is not None and step.template not in ("DISCARD", "WATCH"):
                    queued.append(mode)
                    mode = "exact"
            commands.append(Command(args, mode, step.connection, step.blocks, step.collect, step.drains, step.silent))
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
