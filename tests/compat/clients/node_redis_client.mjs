// SPDX-License-Identifier: BSD-3-Clause
// node-redis, in RESP2 and, where the library has it, in RESP3.
import { createClient, WatchError } from "redis";

import { assert, run, until } from "./checks.mjs";

const port = Number(process.argv.at(-1));

async function connect(options = {}) {
  const client = createClient({ socket: { host: "127.0.0.1", port }, ...options });
  client.on("error", (error) => console.log(String(error)));
  await client.connect();
  return client;
}

function checksOf(redis, other, options) {
  return {
    async strings() {
      await redis.flushAll();
      assert.equal(await redis.set("k", "v", { EX: 100 }), "OK");
      assert.equal(await redis.get("k"), "v");
      assert.equal(await redis.set("k", "w", { NX: true }), null);
      assert.ok((await redis.ttl("k")) > 90);
      assert.equal(await redis.incrBy("n", 7), 7);
      assert.equal(await redis.getRange("k", 0, 0), "v");
    },
    async collections() {
      assert.equal(await redis.hSet("h", { a: "1", b: "2" }), 2);
      assert.deepEqual({ ...(await redis.hGetAll("h")) }, { a: "1", b: "2" });
      assert.equal(await redis.rPush("l", ["1", "2", "3"]), 3);
      assert.deepEqual(await redis.lRange("l", 0, -1), ["1", "2", "3"]);
      assert.equal(await redis.zAdd("z", [{ score: 1, value: "one" }, { score: 2.5, value: "two" }]), 2);
      assert.deepEqual((await redis.zRangeWithScores("z", 0, -1)).map(({ score, value }) => [score, value]),
        [[1, "one"], [2.5, "two"]]);
      assert.equal(await redis.zScore("z", "two"), 2.5);
      await redis.sAdd("s", ["x", "y"]);
      assert.deepEqual([...(await redis.sMembers("s"))].sort(), ["x", "y"]);
    },
    async concurrentCommands() {
      await Promise.all(Array.from({ length: 1000 }, (_, i) => redis.set(`p:${i}`, String(i))));
      const values = await Promise.all(Array.from({ length: 1000 }, (_, i) => redis.get(`p:${i}`)));
      assert.deepEqual(values, Array.from({ length: 1000 }, (_, i) => String(i)));
    },
    async transactions() {
      assert.deepEqual(await redis.multi().set("t", "1").incr("t").get("t").exec(), ["OK", 2, "2"]);
      const watcher = await connect(options);
      await watcher.watch("t");
      await other.set("t", "9");
      await assert.rejects(watcher.multi().set("t", "3").exec(), WatchError);
      assert.equal(await redis.get("t"), "9");
      await watcher.quit();
    },
    async publishSubscribe() {
      const listener = await connect(options);
      const messages = [];
      await listener.subscribe("news", (text, channel) => messages.push([channel, text]));
      await listener.pSubscribe("w*", (text, channel) => messages.push([channel, text]));
      assert.equal(await redis.publish("news", "a"), 1);
      assert.equal(await redis.publish("weather", "b"), 1);
      await until(() => messages.length === 2);
      assert.deepEqual(messages, [["news", "a"], ["weather", "b"]]);
      await listener.unsubscribe("news");
      assert.equal(await redis.publish("news", "c"), 0);
      await listener.pUnsubscribe();
      await listener.quit();
    },
    async blockingPops() {
      const worker = await connect(options);
      const job = worker.blPop("jobs", 10);
      await until(async () => (await redis.info("clients")).includes("blocked_clients:1"));
      await redis.rPush("jobs", "first");
      const popped = await job;
      assert.deepEqual([popped.key, popped.element], ["jobs", "first"]);
      assert.equal(await worker.blPop("nothing", 0.05), null);
      await worker.quit();
    },
    async scans() {
      await redis.flushDb();
      await Promise.all(Array.from({ length: 2000 }, (_, i) => redis.set(`scan:${i}`, "x")));
      const keys = new Set();
      for await (const found of redis.scanIterator({ MATCH: "scan:*", COUNT: 50 })) {
        [found].flat().forEach((key) => keys.add(key));
      }
      assert.equal(keys.size, 2000);
    },
    async errors() {
      await redis.set("text", "abc");
      await assert.rejects(redis.incr("text"), /ERR value is not an integer or out of range/);
      await assert.rejects(redis.lPush("text", "x"), /WRONGTYPE/);
      await assert.rejects(redis.sendCommand(["NOSUCH"]), /unknown command/);
    },
  };
}

const checks = {};
for (const RESP of [2, 3]) {
  const options = { RESP };
  const [redis, other] = [await connect(options), await connect(options)];
  for (const [name, check] of Object.entries(checksOf(redis, other, options))) checks[`${name} RESP${RESP}`] = check;
}
await run(checks);
