#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""redis-py, with hiredis's parser where it is installed: what an application does with its library."""
import sys
import threading
import time
import traceback

import redis

PORT = int(sys.argv[-1])


def connect(**options):
    return redis.Redis(host="127.0.0.1", port=PORT, decode_responses=True, socket_timeout=20, **options)


def strings(r):
    assert r.set("greeting", "hello", ex=100) is True
    assert r.get("greeting") == "hello" and 90 < r.ttl("greeting") <= 100
    assert r.set("greeting", "other", nx=True) is None
    assert r.set("greeting", "new", get=True) == "hello"
    assert r.mset({"a": 1, "b": 2}) and r.mget("a", "b", "missing") == ["1", "2", None]
    assert r.incrby("counter", 5) == 5 and r.incrbyfloat("real", 0.5) == 0.5
    assert r.append("greeting", "!") == 4 and r.getrange("greeting", 1, 2) == "ew" and r.strlen("greeting") == 4
    assert r.getdel("greeting") == "new!" and r.exists("greeting") == 0


def binary(_):
    raw = redis.Redis(host="127.0.0.1", port=PORT)
    value = bytes(range(256)) * 4
    raw.set(b"\x00\r\nkey", value)
    assert raw.get(b"\x00\r\nkey") == value
    large = b"x" * 5_000_000
    raw.set("large", large)
    assert raw.get("large") == large and raw.strlen("large") == 5_000_000


def collections(r):
    assert r.rpush("list", *range(10)) == 10 and r.lrange("list", 2, 4) == ["2", "3", "4"]
    assert r.lpop("list", 2) == ["0", "1"] and r.lmove("list", "other", "LEFT", "RIGHT") == "2"
    assert r.lpos("list", "5") == 2 and r.linsert("list", "BEFORE", "5", "4.5") == 8
    assert r.hset("hash", mapping={"f1": "v1", "f2": "v2"}) == 2
    assert r.hgetall("hash") == {"f1": "v1", "f2": "v2"} and r.hincrby("hash", "n", 3) == 3
    assert r.sadd("set1", "a", "b", "c") == 3 and r.sadd("set2", "b", "c", "d") == 3
    assert r.sinter("set1", "set2") == {"b", "c"} and r.sdiff("set1", "set2") == {"a"}
    assert r.smismember("set1", ["a", "z"]) == [1, 0]
    assert r.zadd("zset", {"one": 1, "two": 2, "three": 3}) == 3
    assert r.zrange("zset", 0, -1, withscores=True) == [("one", 1.0), ("two", 2.0), ("three", 3.0)]
    assert r.zrangebyscore("zset", "(1", "+inf") == ["two", "three"] and r.zincrby("zset", 5, "one") == 6.0
    assert r.zpopmin("zset") == [("two", 2.0)] and r.zscore("zset", "one") == 6.0
    assert r.sort("list", desc=True, start=0, num=2) == ["9", "8"]


def pipelines(r):
    pipe = r.pipeline(transaction=False)
    for n in range(1000):
        pipe.set(f"p:{n}", n)
    assert pipe.execute() == [True] * 1000
    pipe = r.pipeline(transaction=True)
    pipe.incr("tx").incr("tx").get("tx")
    assert pipe.execute() == [1, 2, "2"]
    pipe = r.pipeline()
    pipe.set("text", "abc").incr("text").get("text")
    results = pipe.execute(raise_on_error=False)
    assert results[0] is True and isinstance(results[1], redis.ResponseError) and results[2] == "abc"


def optimistic_locking(r):
    r.set("stock", 10)
    other = connect()
    with r.pipeline() as pipe:
        pipe.watch("stock")
        left = int(pipe.get("stock"))
        other.set("stock", 5)
        pipe.multi()
        pipe.set("stock", left - 1)
        try:
            pipe.execute()
            raise AssertionError("the transaction must not run")
        except redis.WatchError:
            pass
    assert r.get("stock") == "5"
    assert r.transaction(lambda pipe: pipe.multi() or pipe.decr("stock"), "stock") == [4]


def two_writers(_):
    """Two threads count under WATCH; no count is lost."""
    connect().set("total", 0)

    def count():
        r = connect()
        for _ in range(50):
            def add(pipe):
                value = int(pipe.get("total"))
                pipe.multi()
                pipe.set("total", value + 1)
            r.transaction(add, "total")

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connect().get("total") == "100"


def publish_subscribe(r):
    listener = connect().pubsub()
    listener.subscribe("news")
    listener.psubscribe("weather.*")
    assert {listener.get_message(timeout=5)["type"] for _ in range(2)} == {"subscribe", "psubscribe"}
    assert r.publish("news", "one") == 1 and r.publish("weather.oslo", "snow") == 1 and r.publish("none", "x") == 0
    first, second = listener.get_message(timeout=5), listener.get_message(timeout=5)
    assert (first["channel"], first["data"]) == ("news", "one")
    assert (second["pattern"], second["channel"], second["data"]) == ("weather.*", "weather.oslo", "snow")
    assert r.pubsub_channels() == ["news"] and r.pubsub_numsub("news") == [("news", 1)] and r.pubsub_numpat() == 1
    listener.unsubscribe("news")
    assert listener.get_message(timeout=5)["type"] == "unsubscribe"


def blocking_pops(r):
    got = []
    worker = threading.Thread(target=lambda: got.append(connect().blpop(["jobs", "other_jobs"], timeout=10)))
    worker.start()
    while r.info("clients")["blocked_clients"] == 0:
        pass
    r.rpush("jobs", "work")
    worker.join(10)
    assert got == [("jobs", "work")] and r.llen("jobs") == 0
    started = time.monotonic()
    assert r.blpop(["nothing"], timeout=1) is None and 0.9 < time.monotonic() - started < 5
    r.zadd("queue", {"low": 1, "high": 9})
    assert r.bzpopmax("queue", timeout=1) == ("queue", "high", 9.0)
    assert r.bzpopmin("queue", timeout=1) == ("queue", "low", 1.0)


def scans(r):
    r.flushdb()
    r.mset({f"scan:{n}": n for n in range(3000)})
    r.sadd("members", *range(2000))
    r.hset("fields", mapping={f"f{n}": n for n in range(2000)})
    r.zadd("scores", {f"m{n}": n for n in range(2000)})
    assert len(set(r.scan_iter(match="scan:*", count=100))) == 3000
    assert set(r.scan_iter(_type="hash")) == {"fields"}
    assert len(set(r.sscan_iter("members"))) == 2000
    assert dict(r.hscan_iter("fields", match="f19*")) == {f"f{n}": str(n) for n in range(2000) if str(n).startswith("19")}
    assert len(dict(r.zscan_iter("scores"))) == 2000


def expiry(r):
    r.set("soon", 1, px=60)
    assert r.pttl("soon") <= 60
    deadline = time.monotonic() + 5
    while r.exists("soon") and time.monotonic() < deadline:
        pass
    assert r.get("soon") is None
    r.set("kept", 1, ex=100)
    assert r.persist("kept") and r.ttl("kept") == -1


def errors(r):
    r.set("text", "abc")
    for call, text in ((lambda: r.incr("text"), "value is not an integer or out of range"),
                       (lambda: r.lpush("text", 1), "Operation against a key holding the wrong kind of value"),
                       (lambda: r.execute_command("NOSUCH"), "unknown command"),
                       (lambda: r.execute_command("GET"), "wrong number of arguments")):
        try:
            call()
            raise AssertionError("no error")
        except redis.ResponseError as error:
            assert text in str(error), error


def administration(r):
    assert r.ping() and r.echo("x") == "x" and r.dbsize() >= 0
    assert r.info()["redis_version"].startswith("7.") and "used_memory" in r.info("memory")
    assert r.config_get("maxmemory") == {"maxmemory": "0"}
    assert r.client_setname("tester") and r.client_getname() == "tester"
    assert any(client["name"] == "tester" for client in r.client_list())
    assert r.time()[0] > 1_600_000_000
    r.set("text", "abc")
    assert r.command_count() > 150 and r.object("encoding", "text") == "embstr"
    second = connect(db=3)
    second.set("elsewhere", 1)
    assert r.exists("elsewhere") == 0 and second.dbsize() == 1
    assert r.slowlog_reset() and isinstance(r.slowlog_get(), list)


def many_connections(_):
    clients = [connect() for _ in range(200)]
    for number, client in enumerate(clients):
        client.set(f"conn:{number}", number)
    assert [client.get(f"conn:{number}") for number, client in enumerate(clients)] == [str(n) for n in range(200)]
    for client in clients:
        client.close()


def main():
    passed = failed = 0
    for test in (strings, binary, collections, pipelines, optimistic_locking, two_writers, publish_subscribe, blocking_pops,
                 scans, expiry, errors, administration, many_connections):
        r = connect()
        r.flushall()
        try:
            test(r)
            passed += 1
        except Exception:  # whatever it is, the next test still runs
            failed += 1
            print(f"FAILED {test.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
