// SPDX-License-Identifier: BSD-3-Clause
// Cache-aside: fifty readers want a key that is not there, and one of them asks the database. They
// share one connection, so nobody waits on it: who is told BUSY comes again.  cache_aside.mjs PORT
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "redis";

// The key's value, null if there is no such thing; load(key) asks the database.
async function read(cache, key, load) {
  const call = (...words) => cache.sendCommand(words.map(String));
  for (;;) {
    const [state, found, number] = await call("CACHE.GET", key);
    if (["HIT", "STALE", "ABSENT"].includes(state)) return found;
    if (state === "BUSY") {
      await sleep(number);
      continue;
    }
    try {
      const value = await load(key);
      if (value === null) await call("CACHE.NIL", key, number);
      else await call("SET", key, value, "EX", 60, "STALE", 30_000, "JITTER", 10, "LEASE", number);
      return value;
    } catch (error) {
      await call("CACHE.FAIL", key, number);
      throw error;
    }
  }
}

const cache = await createClient({ socket: { port: Number(process.argv[2]) } }).connect();
let loads = 0;
const askDatabase = async (key) => (loads++, await sleep(200), `what is known of ${key}`);
const values = await Promise.all(Array.from({ length: 50 }, () => read(cache, "user:42", askDatabase)));
console.log(`${values.filter((value) => value === "what is known of user:42").length} readers, ${loads} load`);
cache.destroy();
