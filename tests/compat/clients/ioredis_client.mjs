// SPDX-License-Identifier: BSD-3-Clause
// ioredis: its handshake, auto-pipelining, transactions, pub/sub, blocking pops, scan streams.
import { Redis } from "ioredis";

import { assert, run, until } from "./checks.mjs";

const port = Number(process.argv.at(-1));
const connect = (options = {}) => new Redis({ port, host: "127.0.0.1", maxRetriesPerRequest: 1, ...options });
const redis = connect();
const other = connect();

await run({
  async strings() {
    await redis.flushall();
    assert.equal(await redis.set("k", "v", "EX", 100), "OK");
    assert.equal(await redis.get("k"), "v");
    assert.equal(await redis.set("k", "w", "NX"), null);
    assert.deepEqual(await redis.mget("k", "missing"), ["v", null]);
    assert.equal(await redis.incrby("n", 41), 41);
    assert.deepEqual(await redis.getBuffer("k"), Buffer.from("v"));
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    await redis.set("bytes", bytes);
    assert.deepEqual(await redis.getBuffer("bytes"), bytes);
  },
  async collections() {
    assert.equal(await redis.hset("h", { a: 1, b: 2 }), 2);
    assert.deepEqual(await redis.hgetall("h"), { a: "1", b: "2" });
    await redis.rpush("l", 1, 2, 3);
    assert.deepEqual(await redis.lrange("l", 0, -1), ["1", "2", "3"]);
    await redis.zadd("z", 1, "one", 2, "two");
    assert.deepEqual(await redis.zrange("z", 0, -1, "WITHSCORES"), ["one", "1", "two", "2"]);
    await redis.sadd("s", "x", "y");
    assert.deepEqual((await redis.smembers("s")).sort(), ["x", "y"]);
  },
  async pipelines() {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 500; ++i) pipeline.set(`p:${i}`, i);
    pipeline.lpush("p:1", "x");
    const results = await pipeline.exec();
    assert.equal(results.length, 501);
    assert.ok(results.slice(0, 500).every(([error, value]) => error === null && value === "OK"));
    assert.match(results[500][0].message, /WRONGTYPE/);
    const automatic = connect({ enableAutoPipelining: true });
    const values = await Promise.all(Array.from({ length: 500 }, (_, i) => automatic.get(`p:${i}`)));
    assert.deepEqual(values, Array.from({ length: 500 }, (_, i) => String(i)));
    automatic.disconnect();
  },
  async transactions() {
    assert.deepEqual(await redis.multi().set("t", 1).incr("t").get("t").exec(), [[null, "OK"], [null, 2], [null, "2"]]);
    await redis.watch("t");
    await other.set("t", 9);
    assert.equal(await redis.multi().set("t", 3).exec(), null);
    assert.equal(await redis.get("t"), "9");
    await assert.rejects(redis.multi().call("NOSUCH").set("t", 1).exec(), /EXECABORT/);
  },
  async publishSubscribe() {
    const listener = connect();
    const messages = [];
    listener.on("message", (channel, text) => messages.push([channel, text]));
    listener.on("pmessage", (pattern, channel, text) => messages.push([pattern, channel, text]));
    assert.equal(await listener.subscribe("news", "sport"), 2);
    assert.equal(await listener.psubscribe("w*"), 3);
    assert.equal(await redis.publish("news", "a"), 1);
    assert.equal(await redis.publish("weather", "b"), 1);
    await until(() => messages.length === 2);
    assert.deepEqual(messages, [["news", "a"], ["w*", "weather", "b"]]);
    assert.equal(await listener.unsubscribe("news", "sport"), 1);
    assert.equal(await listener.punsubscribe("w*"), 0);
    listener.disconnect();
  },
  async blockingPops() {
    const worker = connect();
    const job = worker.blpop("jobs", 10);
    await until(async () => (await redis.info("clients")).includes("blocked_clients:1"));
    await redis.rpush("jobs", "first");
    assert.deepEqual(await job, ["jobs", "first"]);
    const moved = worker.blmove("from", "to", "LEFT", "RIGHT", 10);
    await until(async () => (await redis.info("clients")).includes("blocked_clients:1"));
    await redis.rpush("from", "x");
    assert.equal(await moved, "x");
    assert.equal(await worker.brpop("nothing", 0.05), null);
    worker.disconnect();
  },
  async scanStreams() {
    await redis.flushdb();
    const pipeline = redis.pipeline();
    for (let i = 0; i < 2000; ++i) pipeline.set(`scan:${i}`, i);
    await pipeline.exec();
    const keys = new Set();
    for await (const page of redis.scanStream({ match: "scan:*", count: 50 })) page.forEach((key) => keys.add(key));
    assert.equal(keys.size, 2000);
    await redis.hset("fields", Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, i])));
    const fields = new Set();
    for await (const page of redis.hscanStream("fields")) page.filter((_, i) => i % 2 === 0).forEach((f) => fields.add(f));
    assert.equal(fields.size, 1000);
  },
  async monitorAndInfo() {
    assert.match(await redis.info(), /redis_version:7\./);
    const monitor = await connect().monitor();
    const seen = new Promise((resolve) => monitor.on("monitor", (_, args) => resolve(args)));
    await redis.set("watched", "by monitor");
    assert.deepEqual((await seen).map(String), ["set", "watched", "by monitor"]);
    monitor.disconnect();
  },
  async databases() {
    const third = connect({ db: 3 });
    await third.set("only here", 1);
    assert.equal(await redis.exists("only here"), 0);
    assert.equal(await third.dbsize(), 1);
    third.disconnect();
  },
});
