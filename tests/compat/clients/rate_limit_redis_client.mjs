// SPDX-License-Identifier: BSD-3-Clause
// rate-limit-redis: the store of express-rate-limit, which counts in a script.
import { RedisStore } from "rate-limit-redis";
import { createClient } from "redis";

import { assert, run, until } from "./checks.mjs";

const port = Number(process.argv.at(-1));
const client = await createClient({ socket: { host: "127.0.0.1", port } }).connect();

async function makeStore(prefix, windowMs) {
  const store = new RedisStore({ prefix, sendCommand: (...words) => client.sendCommand(words) });
  store.init({ windowMs });
  return store;
}

await run({
  async hitsAreCountedPerKey() {
    const store = await makeStore("hits:", 60000);
    for (let count = 1; count <= 5; ++count) {
      const { totalHits, resetTime } = await store.increment("10.0.0.1");
      assert.equal(totalHits, count);
      assert.ok(resetTime.getTime() > Date.now() + 50000);
    }
    assert.equal((await store.increment("10.0.0.2")).totalHits, 1);
    await store.decrement("10.0.0.1");
    assert.equal((await store.increment("10.0.0.1")).totalHits, 5);
    assert.equal((await store.get("10.0.0.1")).totalHits, 5);
    await store.resetKey("10.0.0.1");
    assert.equal((await store.increment("10.0.0.1")).totalHits, 1);
  },
  async concurrentHitsAreAllCounted() {
    const store = await makeStore("storm:", 60000);
    const counts = await Promise.all(Array.from({ length: 500 }, () => store.increment("k")));
    assert.deepEqual(counts.map((each) => each.totalHits).sort((a, b) => a - b), Array.from({ length: 500 }, (_, n) => n + 1));
  },
  async aWindowEnds() {
    const store = await makeStore("short:", 200);
    await store.increment("k");
    await store.increment("k");
    await until(async () => (await client.exists("short:k")) === 0);
    assert.equal((await store.increment("k")).totalHits, 1);
  },
  async scriptsAreLoadedAgainAfterAFlush() {
    const store = await makeStore("flush:", 60000);
    await store.increment("k");
    await client.sendCommand(["SCRIPT", "FLUSH"]);
    assert.equal((await store.increment("k")).totalHits, 2);
  },
});
