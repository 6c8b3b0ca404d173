# SPDX-License-Identifier: BSD-3-Clause
"""Dialogs with the debugger of scripts: a script, and what its client says at each stop, as words or as bytes.

Not here: what LuaJIT compiles otherwise than Lua 5.1, so that its lines are others. A `repeat` alone on its line is one, a
local without a value and a constant in a table's line are none; a function that another has ended with is called by its name;
`arg` is no local. Nor what ends redis-server, an `eval` that raises a table, or what it does wrong: a breakpoint that is removed
ahead of many others takes some of them with it.
"""
STEPS = ["s"] * 60

CALLS = """local a=1
local function f(x)
  local y=x+1
  return y
end
local b=f(a)
redis.call('set','k',b)
return redis.call('get','k')"""

LOOPS = """local s=0
for i=1,3 do
  s=s+i
end
while s>4 do s=s-1 end
for k,v in ipairs({1,2}) do s=s+v end
if s>5 then
  s=1
else
  s=2
end
do local z=1 end
return s"""

NESTED = """local function a(n)
  if n==0 then
    return 1
  end
  local r=a(n-1)
  return r+1
end
local t={}
t.x=a(2)
local up='seen'
local u=function(z)
  local q=a(z)
  return q..up
end
return u(1)..u(0)"""

CALLBACKS = """local function up(c)
  local d=c
  return d..'!'
end
local s=string.gsub('ab','.',up)
local t={3,1,2}
table.sort(t,function(x,y)
  return x<y
end)
local co=coroutine.wrap(function()
  coroutine.yield(1)
  coroutine.yield(2)
end)
local p=co()
local q=co()
local ok,e=pcall(function()
  error({err='My error'})
end)
local ok2=pcall(redis.call,'nosuch')
return s..p..q"""

VALUES = """local a={1,2,'x',{k={true,false}}}
local e={}
local c={} c.me=c
local s='q\\n\\t"\\0\\255'
local n=1.5
local big=1e20
local l=string.rep('x',1000)
local m=string.rep('y',260)
local i=1/0
local f=function() return s end
local d={{{{{{{{{{{{1}}}}}}}}}}}}
local h={[2]='b'}
return 1"""

REPLIES = """redis.call('rpush','l',1,2,3)
redis.call('lrange','l',0,-1)
redis.call('hset','h','f','v')
redis.call('hgetall','h')
redis.call('get','none')
redis.call('zadd','z',1.5,'m')
redis.call('zscore','z','m')
redis.setresp(3)
redis.call('hgetall','h')
redis.call('zscore','z','m')
redis.call('sadd','set','m')
redis.call('smembers','set')
redis.call('get','none')
redis.call('mset','a',1,'b',2,'c',3,'d',4,'e',5,'f',6)
redis.pcall('get')
redis.pcall({})
redis.pcall('lpush','h','x')
redis.error_reply('ERR hi')
redis.error_reply('hi')
redis.status_reply(1)
redis.status_reply('x')
redis.pcall()
redis.call('set','x',string.rep('y',400))
redis.call('get','x')
redis.call('get','x')
return redis.call('get','x')"""

FUNCTIONS = """redis.debug('a',1,{2})
redis.breakpoint()
local x=1
local y=2
if redis.breakpoint() then
  x=3
end
redis.debug()
return {x,y}"""

ENDLESS = "local n=0\nwhile true do n=n+1 end"


def array(*lines):
    return b"".join(line + b"\r\n" for line in lines)


DIALOGS = [
    (CALLS, STEPS), (CALLS, ["p", "s", "p", "s", "t", "p a", "c"]), (LOOPS, STEPS), (NESTED, ["s", "p"] * 60),
    (NESTED, ["b 3", "c", "t", "p", "p n", "p t", "p zz", "p up", "p KEYS", "p ARGV", "b 3 0", "c"]),
    (NESTED, ["b 13", "c", "p", "p up", "p z", "t", "c", "c"]),
    (CALLBACKS, STEPS), (CALLBACKS, ["b 2 8", "c", "t", "p", "c", "t", "c", "t", "c", "c", "c", "c"]),
    (VALUES, ["s"] * 12 + ["p", "p l", "p m", "m 10", "p l", "m", "m 0", "p l", "m -5", "m 300", "p l", "m x", "p d", "p c",
                           "c"]),
    (VALUES, ["b 10", "c", "m 0", "p l", "c"]),
    (REPLIES, STEPS), (FUNCTIONS, ["c"] * 4), (FUNCTIONS, STEPS), (ENDLESS, ["c", "b", "s", "s", "c", "a"]),
    (CALLS, ["l", "l 3", "l 3 1", "l 0", "l x", "l 100", "l -1", "l 1 0", "l 2 -1", "w", "b", "b 3 5", "b", "b -3", "b 99", "b x",
             "b 5", "b -9", "b 0", "b", "b 1 2 3", "l", "h", "H", "Step", "help me", "p a b", "list 1 2 3", "x", "r", "redis",
             "e", "t x", "m 1 2", "b 9223372036854775807", "WHOLE", "Continue"]),
    ("return 1", ["e 1+1", "e error('x')", "e )", "e 1 2", "e return KEYS", "e ARGV[1]", "e a=1", "e xx", "e nil",
                  "e redis.breakpoint()", "e 1,2", "e redis.call('set','a',1)", "e return 5 -- x", "e local a=3; return a", "s"]),
    ("return 1", ["r ping", "r get", "r nosuch x", "r set a b", "r lpush a b", "r mget a b c d e f g h i j k l", "r eval",
                  "r subscribe x", "r get a", "redis hset h f v", "R hgetall h", "c"]),
    ("return 1", ["a"]), ("local ok=pcall(function()\n  return 1\nend)\nreturn 2", ["s", "s", "s", "s"]),
    ("error('boom')", ["c"]), ("error({err='boom'})", ["s"]), ("local x=1\nreturn KEYS.y.z", ["s", "s"]),
    ("local x=ARGV[1]\nreturn x.y.z", ["s", "s"]), ("return redis.call('nosuch')", ["c"]), ("return redis.call('nosuch')", ["s"]),
    ("return )", []), ("#!lua name=x\nreturn 1", ["s"]), ("#!lua flags=no-writes\nredis.call('set','a',1)", ["s", "s"]),
    ("return 1", [array(b"*1", b"$0", b"")]), ("return 1", [array(b"*1", b"$x")]), ("return 1", [b"hello\r\n"]),
    ("return 1", [array(b"*0")]), ("return 1", [array(b"*-1")]), ("return 1", [array(b"*1025")]),
    ("return 1", [array(b"xx*1", b"$1", b"l"), "c"]), ("return 1", [array(b"*1", b"$1", b"lx")]),
    ("return 1", [array(b"*1", b"$1025", b"x" * 1025)]), ("return 1", [array(b"*1", b"$1024", b"x" * 1024), "c"]),
    ("return 1", [array(b"*101", b"$5", b"redis", *[b"$4", b"test"] * 100), "c"]), ("return 1", [array(b"*1", b":1")]),
    ("\n\nreturn 1\n\n\n", ["w", "s"]), ("", ["s"]), ("return 1 -- x\r\n", ["w", "c"]),
    ("local function f() error('deep') end\nlocal function g()\n  f()\nend\ng()", STEPS),
    ("local x=1; local y=2; x=y\nreturn function() end", STEPS), ("return {1,2,{3,'x'}}", ["s"]), ("return {ok='fine'}", ["s"]),
    ("if KEYS[1]=='k' then\n  return ARGV[1]\nend\nreturn 0", ["p KEYS", "p ARGV", "s", "s"]),
    ("local a=1\n" * 70 + "return 1", ["b " + " ".join(map(str, range(1, 67))), "b 1", "b", "b -64 70", "w", "c"]),
    ("local n=0\nfor i=1,5 do\n  n=n+i\nend\nreturn n", ["b 3", "c", "p", "c", "c", "b 0", "c"]),
]
