# SPDX-License-Identifier: BSD-3-Clause
"""The commands of the data types, a weight and a template a line: families.py says how they are read and used."""

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
1 (ZUNION|ZINTER) (1 {zset}|{number} {zset} {zset}) [WEIGHTS {real}] [AGGREGATE (MIN|avg|{few})] [WITHSCORES]
2 (ZUNIONSTORE|ZINTERSTORE) {zset} 3 {zset} {set} {zset} [WEIGHTS {real} {real} {real}] [AGGREGATE (SUM|MIN|MAX)]
1 (ZUNIONSTORE|ZINTERSTORE) {zset} (1 {zset}|{number} {zset} {zset}) [WEIGHTS {real}] [AGGREGATE (MAX|avg|{few})]
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
3 GEORADIUS_RO {geo} {longitude} {latitude} {radius} {unit} [ASC|DESC] [COUNT {count} [ANY]] [WITHDIST] [WITHHASH] [WITHCOORD]
1 GEORADIUS_RO {geo} {longitude} {latitude} {radius} {unit} [WITHDIST] [STORE {geo}]
4 GEORADIUSBYMEMBER {geo} {place} {radius} {unit} [ASC|DESC] [COUNT {count} [ANY]] [WITHDIST] [WITHHASH] [WITHCOORD]
3 GEORADIUSBYMEMBER_RO {geo} {place} {radius} {unit} [ASC|DESC] [COUNT {count} [ANY]] [WITHDIST] [WITHHASH] [WITHCOORD]
1 GEORADIUSBYMEMBER_RO {geo} {place} {radius} {unit} [WITHDIST] [STORE {geo}]
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
# Ids with a time of the templates' own: `*` alone takes the server's clock. MINID is not trimmed by whole nodes here: whether
# a node is below the id is told by entries that have gone from its end in Redis, and by those that are there in ouro.
STREAMS = """
12 XADD {stream} {new_id} <{field} {value}>+
6 XADD {stream} {new_id} f1 {value} f2 {value}
3 XADD {stream} [NOMKSTREAM] [MAXLEN|MINID =] [=|~] {count} [LIMIT {count}] {new_id} {field} {value}
3 XADD {stream} [NOMKSTREAM] [MAXLEN [=] {count}|MINID [=] {stream_id}] {new_id} {field} {value}
2 XADD {stream} [NOMKSTREAM] MAXLEN ~ {count} [LIMIT {count}] {new_id} {field} {value}
1 !XADD stream:clock * f v -> kind ; !DEL stream:clock
4 XLEN {stream}
8 XRANGE {stream} {id_bound} {id_bound} [COUNT {count}]
6 XREVRANGE {stream} {id_bound} {id_bound} [COUNT {count}]
5 XDEL {stream} <{stream_id}>+
3 XTRIM {stream} (MAXLEN|MINID) [=] ({count}|{stream_id})
2 XTRIM {stream} MAXLEN ~ {count} [LIMIT {count}]
2 XSETID {stream} {top_id} [ENTRIESADDED {plenty}] [MAXDELETEDID {stream_id}]
1 XSETID {stream} {stream_id} [ENTRIESADDED {count}] [MAXDELETEDID {stream_id}]
5 XREAD [COUNT {count}] STREAMS {stream} {stream_id}
3 XREAD [COUNT {count}] STREAMS {stream} {stream} {stream_id} ({stream_id}|$)
1 XREAD [COUNT {few}] [BLOCK (abc|-1|{junk})] [NOACK|{junk}] STREAMS {stream} {stream} ({stream_id}|>) [{stream_id}]
6 XGROUP CREATE {stream} {group} ({stream_id}|$|0) [MKSTREAM] [ENTRIESREAD {index}]
3 XGROUP SETID {stream} {group} ({stream_id}|$) [ENTRIESREAD ({few}|{plenty})]
1 XGROUP SETID {stream} {group} ({stream_id}|$|-|+) [ENTRIESREAD {index}]
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
3 XPENDING {stream} {group} IDLE 0 - + {few} [{consumer}] -> pending
4 XPENDING {stream} {group} [IDLE 0] {id_bound} {id_bound} {count} [{consumer}] -> pending
1 XPENDING {stream} {group} [IDLE (0|-1|99999999|{junk})] {id_bound} {id_bound} [{count}] [{consumer}] [{junk}] -> pending
5 XCLAIM {stream} {group} {consumer} 0 <{stream_id}>+ [FORCE] [JUSTID] [RETRYCOUNT {count}] [LASTID {stream_id}]
1 XCLAIM {stream} {group} {consumer} 0 <{stream_id}>+ [IDLE {few}] [RETRYCOUNT {few}] [FORCE] [JUSTID] [LASTID {top_id}]
1 XCLAIM {stream} {group} {consumer} 0 <{stream_id}>+ [TIME {at_ms}] [RETRYCOUNT {few}] [FORCE] [LASTID {top_id}]
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

DUMPS = """
6 !RESTORE {key} (0|10000000|{junk}) {dumped} [REPLACE]
6 !RESTORE {key} {at_ms} {dumped} [REPLACE] ABSTTL [REPLACE]
3 !RESTORE {key} (0|1000000) {dumped} [REPLACE] [ABSTTL] [IDLETIME (0|1000|-1|{junk})] [FREQ (0|100|255|256|-1|{junk})]
1 !RESTORE {key} 0 {dumped} {junk} [REPLACE]
1 !RESTORE {key} 0 {dumped} [REPLACE] IDLETIME
1 !RESTORE-ASKING {key} 0 {dumped} REPLACE
1 !RESTORE {key} 0 [{junk}]
5 DUMP {key} -> kind
2 DUMP {string} -> kind
4 SET {string} {value}
3 RPUSH {list} <{value}>+
2 HSET {hash} <{field} {value}>+
2 SADD {set} <{member}>+
2 ZADD {zset} <{score} {member}>+
2 DEL <{key}>+
1 TTL {key} -> ttl
1 OBJECT IDLETIME {key} -> kind
1 !CONFIG SET maxmemory-policy allkeys-lfu ; OBJECT FREQ {key} -> kind
1 !CONFIG SET maxmemory-policy noeviction ; !RESTORE x 0 {whole_dump} REPLACE IDLETIME (9|1000|9999999) ; OBJECT IDLETIME x -> ttl
1 !CONFIG SET maxmemory-policy allkeys-lfu ; !RESTORE x 0 {whole_dump} REPLACE FREQ (1|100|255) ; OBJECT FREQ x -> ttl
1 !CONFIG SET rdbcompression (yes|no)
1 !CONFIG SET sanitize-dump-payload (no|yes|clients)
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
1 !(HSCAN {hash}|SSCAN {set}|ZSCAN {zset}) (abc|0 COUNT (0|{junk})|0 MATCH|0 {junk}|0 TYPE string)
1 !(SSCAN {set}|ZSCAN {zset}) 0 NOVALUES
"""
