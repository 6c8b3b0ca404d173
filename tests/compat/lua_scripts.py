# SPDX-License-Identifier: BSD-3-Clause
"""Random small scripts in Lua, of what must answer alike on ouro and on redis-server.

Left out is what depends on the Lua: the order in which a table with several names is walked, the text of a table's address,
how tostring prints not-a-number and minus zero, strings with a zero byte as numbers, bytes above 127 in names, and the place of
an error in a call that an inner function returns.
"""
import hashlib


def choices(text):
    """The pieces of a text between ` ; ` and line ends."""
    return [piece.strip() for line in text.strip().splitlines() for piece in line.split(" ; ")]


# {k} is a key, {v} a value, {n} a number.
COMMANDS = choices("""
'GET', {k} ; 'SET', {k}, {v} ; 'SET', {k}, {v}, 'NX' ; 'APPEND', {k}, {v} ; 'INCRBY', {k}, {v} ; 'INCRBYFLOAT', {k}, {n}
'STRLEN', {k} ; 'MGET', {k}, {k} ; 'GETEX', {k} ; 'SETRANGE', {k}, 2, {v} ; 'GETRANGE', {k}, 0, {n}
'LPUSH', {k}, {v} ; 'RPUSH', {k}, {v}, {v} ; 'LRANGE', {k}, 0, -1 ; 'LPOP', {k} ; 'LLEN', {k} ; 'LPOS', {k}, {v}
'HSET', {k}, 'f', {v} ; 'HGET', {k}, 'f' ; 'HMGET', {k}, 'f', 'none' ; 'HDEL', {k}, 'f' ; 'HINCRBYFLOAT', {k}, 'n', {n}
'ZADD', {k}, {n}, 'm' ; 'ZADD', {k}, 'INCR', {n}, 'm' ; 'ZSCORE', {k}, 'm' ; 'ZRANGE', {k}, 0, 0, 'WITHSCORES'
'ZMSCORE', {k}, 'm', 'none' ; 'SADD', {k}, {v} ; 'SISMEMBER', {k}, {v} ; 'SCARD', {k}
'TYPE', {k} ; 'EXISTS', {k}, {k} ; 'DEL', {k} ; 'EXPIRE', {k}, 5000 ; 'PERSIST', {k} ; 'OBJECT', 'ENCODING', {k}
'COPY', {k}, {k} ; 'RENAME', {k}, {k} ; 'PING' ; 'ECHO', {v} ; 'SELECT', 1 ; 'DBSIZE' ; 'PUBLISH', 'c', {v}
'NOSUCH', {v} ; 'GET' ; 'SET', {k} ; 'BLPOP', {k}, 0 ; 'MULTI' ; 'CONFIG', 'GET', 'x' ; 'EVAL', 'return 1', 0
'CLIENT', 'NOSUCH' ; 'GET', {} ; 'GET', nil
""") + [""]
KEYS = choices("KEYS[1] ; KEYS[2] ; 'string:1' ; 'list:1' ; 'hash:1' ; 'zset:1'")
LITERALS = choices(r"""'' ; 'a' ; 'hello' ; '10' ; '-5' ; '3.5' ; 'a b' ; 'x\0y' ; '\r\n' ; '\255' ; 'zz'""")
STRINGS = LITERALS + ["ARGV[1]", "ARGV[2]"]
SMALL_NUMBERS = choices("0 ; 1 ; -1 ; 42 ; 3.25 ; -0.5 ; 1e15 ; 2^31 ; 2^53 ; -2^53 ; 1e100")
NUMBERS = SMALL_NUMBERS + choices("1/3 ; 0.1 ; 123456789012 ; 1/0 ; -1/0")
JSON = choices(r"""
[1,2,3] ; {"a":1} ; {"a":[1,{"b":null}]} ; "x" ; 1.5 ; -1e3 ; true ; null ; [] ; {} ; [[[]]] ; "\u00e9\n" ; [1, ; {"a"}
nul ; [1]x ; " ; [1e400] ; {"a":1,} ; 0x10 ; [-] ; "\ud800" ; "\x"
""") + [""]
# {w} is a string, {n} a number.
CALLS = choices("""
redis.sha1hex({w}) ; string.upper({w}) ; #{w} ; string.rep({w}, 3) ; string.byte({w}, 1)
({w}):reverse() ; string.find({w}, 'l') ; string.gsub({w}, '.', 'x') ; tonumber({w}) ; {w} .. {w}
math.floor({n}) ; math.max({n}, {n}) ; math.fmod(7, 3) ; tostring({n}) ; string.format('%d', 42.0) ; {n} + {n} ; {n} * {n}
string.format('%5.2f', {n}) ; ({n} < {n}) ; ({n} == {n}) ; type({n}) ; select('#', 1, nil, 3)
""")
ODD_CALLS = choices("""
unknown_name ; redis.nothing ; type(redis.call) ; rawget(_G, 'x') ; math.random(0) ; error('x') ; error({err = 'MY err'})
redis.sha1hex() ; redis.setresp(9) ; redis.log() ; tostring(nil) ; pcall(error, 'y') ; next({}) ; unpack({1, 2})
table.concat({1, 'a', 2}, ',') ; #table ; redis.REDIS_VERSION ; loadstring('return 5')() ; loadstring('x x')
(function(...) return select(2, ...) end)(1, 2, 3) ; string.upper() ; ('x'):nosuch() ; math.floor('a') ; redis.x == nil
setmetatable(_G, {}) ; redis.acl_check_cmd('get', 'x') ; redis.acl_check_cmd() ; redis.acl_check_cmd('none', 1)
redis.acl_check_cmd({}) ; redis.acl_check_cmd('config', 'x') ; redis.acl_check_cmd('client|id') ; redis.acl_check_cmd('set')
""")
STATEMENTS = choices("""
x = 1 ; KEYS[3] = 'a' ; redis.call = nil ; local s = string.rep('a', 100) ; if ARGV[1] == 'a' then return 'early' end
local t = {} t.x = t ; rawset(_G, 'a', 1) ; goodbye() ; redis.setresp(3) ; redis.setresp(2) ; redis.set_repl(redis.REPL_ALL)
""")
PATTERN_ITEMS = choices(r"""
a ; b ; . ; %a ; %d ; %S ; %x ; %z ; %g ; %1 ; %2 ; %% ; %. ; [ab] ; [^ab] ; [a-c%d] ; []] ; [^]x] ; [%]-] ; %b() ; %bab ; %f[%a]
%f[b] ; ( ; ) ; ( ; ) ; () ; ^ ; $ ; [ ; % ; %b ; %f ; [a- ; (a) ; (.-) ; (%w*) ; \000
""")
FORMAT_TEXTS = choices(r"""x ; %% ; \000 ; \255 ; a b ; %s ; %d""")
FORMAT_FLAGS = ["", "", "", "-", "+", " ", "#", "0", "-+ #0", "-----", "------"]
FORMAT_SIZES = ["", "", "", "5", "99", "100", ".3", ".", "12.", ".99", ".100", "20.20"]
FORMAT_VALUES = choices(r"""
{} ; nil ; true ; -(0/0) ; 2^63 ; 2^64 ; 65 ; 0 ; 321 ; '0x10' ; ' 12 ' ; 'a"b\\c\r\n\0d'
('y'):rep(99) ; ('y'):rep(60) .. '\0' .. ('z'):rep(60)
""")
SUBJECT_PIECES = choices("a ; b ; aab ; 1 ; ( ; ) ; (ab) ; ] ; - ; % ; ^ ; x y ; \\000 ; \\255")
REPLACEMENTS = choices("""
'x' ; '%0%0' ; '<%1>' ; '%2' ; '%' ; '%a' ; function(...) return select('#', ...) end ; function() end ; 5 ; true
function() return {} end ; {a = 'z', b = false}
""")
HEADS = ["#!lua\n", "#!lua flags=no-writes\n", "#!lua flags=allow-oom,no-cluster\n", "#!lua flags=\n", "#!lua flags=what\n",
         "#!lua name=x\n", "#!lua", "#!js\n", "#!lua flags=no-writes,allow-stale\n"]
BAD_LIBRARIES = choices("""
redis.register_function() ; redis.register_function('f1', 1) ; redis.register_function{callback = 1} ; x x ; return 1 ; a = 1
redis.call('PING') ; error('x') ; redis.register_function('a b', function() end) ; redis.register_function(1) ; redis.x = 1
redis.register_function{function_name = 'f1', callback = function() end, flags = {'x'}} ; redis.log(redis.LOG_DEBUG, 'x')
""")
FUNCTION_FLAGS = ["{}", "{'no-writes'}", "{'allow-oom'}", "{'no-writes', 'allow-stale'}"]
STRUCT_ITEMS = ["b", "B", "h", "H", "i", "I3", "l", "L", "f", "d", ">", "<", "!4", "x", "i8", "i16", " "]
STRUCT_FORMATS = ["bb", "i", "s", "c0", "Bc0", "c3", "I8", "!8bd", "zz", "i33", "c"]


def crc64(data):
    """The checksum of Redis's dumps (Jones's polynomial, lowest bit first)."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95ac9329ac4bc9b5 if crc & 1 else 0)
    return crc


def payload(libraries):
    """What FUNCTION DUMP gives for these libraries, without compression."""
    parts = []
    for text in libraries:
        size = bytes([len(text)]) if len(text) < 64 else b"\x80" + len(text).to_bytes(4, "big")
        parts.append(b"\xf5" + size + text)
    data = b"".join(parts) + (10).to_bytes(2, "little")
    return data + crc64(data).to_bytes(8, "little")


def lua_string(text):
    raw = text.encode() if isinstance(text, str) else text
    return "'" + "".join(f"\\{byte:03d}" for byte in raw) + "'"


class Scripts:
    """Draws scripts from a generator of random numbers."""

    def __init__(self, draw):
        self.draw = draw
        self.pick, self.chance, self.between = draw.pick, draw.chance, draw.between

    def fill(self, text, **words):
        """Each mark in the text becomes one of its words."""
        for mark, known in words.items():
            while "{" + mark + "}" in text:
                text = text.replace("{" + mark + "}", self.pick(known), 1)
        return text

    def call(self):
        words = self.fill(self.pick(COMMANDS), k=KEYS, v=STRINGS + SMALL_NUMBERS[:6], n=SMALL_NUMBERS)
        return f"redis.{'call' if self.chance(0.35) else 'pcall'}({words})"

    def list(self, element):
        return "{" + ", ".join(element() for _ in range(self.between(0, 3))) + "}"

    # ---- values that may be returned
    def value(self, depth=0):
        form = self.draw.random.random()
        if form < 0.15:
            return self.pick(STRINGS)
        if form < 0.3:
            return self.pick(NUMBERS)
        if form < 0.37:
            return self.pick(["true", "false", "nil", "KEYS[1]", "#KEYS", "#ARGV", "KEYS", "ARGV"])
        if form < 0.62 and depth < 3:
            return self.table(depth)
        return self.call() if form < 0.8 else self.library_call()

    def table(self, depth):
        if self.chance(0.4):
            return self.list(lambda: self.value(depth + 1))
        word, inner = self.pick(LITERALS), self.value(depth + 1)
        return self.pick([
            f"{{ok = {word}}}", "{err = %s}" % self.pick(["'ONE'", "'MY err'", "'ERR a\\nb'", "1", "'-x'"]),
            "{double = %s}" % self.pick(NUMBERS), f"{{map = {{[{word}] = {inner}}}}}", f"{{set = {{[{word}] = true}}}}",
            "{big_number = '%d'}" % self.between(0, 10 ** 18), f"{{verbatim_string = {{format = 'txt', string = {word}}}}}",
            "redis.error_reply(%s)" % self.pick(["'x'", "'MY x'", "'-MY x'", "''", "1"]), f"redis.status_reply({word})"])

    def plain(self, depth=0):
        """A value that the libraries take: no table with more than one name."""
        form = self.draw.random.random()
        if form < 0.6 or depth > 2:
            return self.pick(LITERALS + NUMBERS[:12] + ["true", "false"])
        if form < 0.85:
            return self.list(lambda: self.plain(depth + 1))
        return "{[%s] = %s}" % (self.pick(["'a'", "'b'", "1", "2", "'1'"]), self.plain(depth + 1))

    def library_call(self):
        return self.pick([self.json, self.msgpack, self.struct, self.bits, self.pattern, self.sort, self.formatted,
                          self.ordinary, self.ordinary, self.odd])()

    def ordinary(self):
        return self.fill(self.pick(CALLS), w=[f"tostring({word})" for word in STRINGS], n=[f"({n})" for n in NUMBERS[:15]])

    def odd(self):
        return self.pick(ODD_CALLS)

    def json(self):
        return self.pick([f"cjson.encode({self.plain()})", f"cjson.decode(cjson.encode({self.plain()}))",
                          f"cjson.decode({lua_string(self.pick(JSON))})"])

    def msgpack(self):
        raw = lua_string(self.draw.random.randbytes(self.between(0, 6)))
        return self.pick([f"cmsgpack.pack({self.plain()}, {self.plain()})", f"cmsgpack.unpack(cmsgpack.pack({self.plain()}))",
                          f"{{cmsgpack.unpack({raw})}}", f"{{cmsgpack.unpack_one({raw})}}"])

    def struct(self):
        form = "".join(self.pick(STRUCT_ITEMS) for _ in range(self.between(1, 4)))
        values = ", ".join(self.pick(["0", "1", "-1", "300", "2.5", "65536"]) for _ in range(5))
        raw = lua_string(self.draw.random.randbytes(self.between(0, 9)))
        return self.pick([f"struct.pack('{form}', {values})", f"struct.size('{form}')",
                          f"{{struct.unpack('{form}', struct.pack('{form}', {values}))}}",
                          f"{{struct.unpack('{self.pick(STRUCT_FORMATS)}', {raw})}}"])

    def pattern(self):
        """In a list of its own: what a function returns at its end tells no place."""
        subject = "'" + "".join(self.pick(SUBJECT_PIECES) for _ in range(self.between(0, 5))) + "'"
        items = (self.pick(PATTERN_ITEMS) + self.pick(["", "", "", "*", "+", "-", "?"]) for _ in range(self.between(0, 5)))
        pattern = "'" + "".join(items) + "'"
        start = self.pick(["", "", f", {self.between(-6, 8)}"])
        each = f"for a, b in string.gmatch({subject}, {pattern}) do r[#r + 1] = a r[#r + 1] = b end"
        return self.pick([
            f"{{string.find({subject}, {pattern}{start})}}", f"{{string.match({subject}, {pattern}{start})}}",
            f"{{({subject}):gsub({pattern}, {self.pick(REPLACEMENTS)}{start})}}",
            f"{{pcall(function() local r = {{}} {each} return r end)}}"])

    def formatted(self):
        """In a list, as patterns. Numbers, and strings that may be none, for any option."""
        items = (self.pick(FORMAT_TEXTS) if self.chance(0.3) else
                 "%" + self.pick(FORMAT_FLAGS) + self.pick(FORMAT_SIZES) + self.pick("cdiouxXeEfgGqssa%pF\\")
                 for _ in range(self.between(0, 4)))
        form = "".join(item + ("000" if item.endswith("\\") else "") for item in items)
        values = "".join(", " + self.pick(FORMAT_VALUES + NUMBERS + LITERALS) for _ in range(self.between(0, 4)))
        return f"{{string.format('{form}'{values})}}"

    def sort(self):
        """Pairs, by their first elements: the order of those that are alike shows."""
        pairs = ", ".join(f"{{{self.between(0, 3)}, {i}}}" for i in range(self.between(0, 12)))
        less = self.pick(["a[1] < b[1]", "a[1] > b[1]", "a[1] <= b[1]", "a[1]", "false"])
        return self.pick([
            f"(function() local t = {{{pairs}}} table.sort(t, function(a, b) return {less} end) return cjson.encode(t) end)()",
            f"(function() local t = {self.list(lambda: self.pick(LITERALS))} table.sort(t) return t end)()"])

    def bits(self):
        number, count = self.between(-2 ** 33, 2 ** 33), self.between(-3, 40)
        two = self.pick(["band", "bor", "bxor", "lshift", "rshift", "arshift", "rol", "ror"])
        one = self.pick(["tohex", "bnot", "bswap", "tobit"])
        return self.pick([f"bit.{two}({number}, {count})", f"bit.{one}({number})", f"bit.tohex({number}, {count - 20})"])

    # ---- whole scripts
    def statement(self):
        form = self.between(0, 9)
        if form < 3:
            return f"local r = {self.value()}"
        if form < 6:
            return self.call() + ";"
        if form == 6:
            return f"for i = 1, {self.between(1, 4)} do {self.call()}; end"
        if form == 7:
            caught = f"local ok, e = pcall(function() return ({self.value()}) end)"
            return caught + " if not ok then return {'failed', type(e), e} end"
        return self.pick(STATEMENTS)

    def body(self, separator, answer="{}"):
        lines = [self.statement() for _ in range(self.between(0, 3))]
        return separator.join(lines + ["return " + answer.format(self.value())])

    def script(self):
        head = self.pick(HEADS) if self.chance(0.12) else ""
        return (head + self.body(self.pick(["\n", " "]))).encode("latin1")

    def small_script(self):
        return b"return %d" % self.between(1, 5)

    def sha1(self):
        return hashlib.sha1(self.small_script()).hexdigest().encode()

    def library(self):
        name, function = self.pick(["l1", "l2", "l3"]), self.pick(["f1", "f2", "f3"])
        head = f"#!lua name={name}\n"
        if self.chance(0.05):
            head = self.pick(["#!lua\n", "#!js name=l1\n", "return 1", "#!lua name=a-b\n", "#!lua name=l1 x=y\n"])
        # In parentheses it is one value, and no call whose place is lost.
        callback = f"function(KEYS, ARGV) {self.body(' ', '({})')} end"
        flags = self.pick(FUNCTION_FLAGS)
        named = f"{{function_name = '{function}', callback = {callback}, flags = {flags}, description = 'd'}}"
        form = self.draw.random.random()
        text = f"('{function}', {callback})" if form < 0.45 else named
        return (head + (self.pick(BAD_LIBRARIES) if form > 0.9 else "redis.register_function" + text)).encode("latin1")
