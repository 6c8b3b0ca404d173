// SPDX-License-Identifier: BSD-3-Clause
// redlock: locks by scripts that compare and delete or extend.
import Redis from "ioredis";
import Redlock from "redlock";

import { assert, run } from "./checks.mjs";

const port = Number(process.argv.at(-1));
const client = new Redis({ host: "127.0.0.1", port });

await run({
  async oneHolderAtATime() {
    const locks = new Redlock([client], { retryCount: 0 });
    const held = await locks.lock("resource", 10000);
    await assert.rejects(locks.lock("resource", 10000), Redlock.LockError);
    await held.unlock();
    await (await locks.lock("resource", 10000)).unlock();
    assert.equal(await client.exists("resource"), 0);
  },
  async aLockIsExtendedByItsHolderOnly() {
    const locks = new Redlock([client], { retryCount: 0 });
    const held = await locks.lock("longer", 500);
    await held.extend(60000);
    assert.ok((await client.pttl("longer")) > 50000);
    await client.set("longer", "somebody else's");
    await assert.rejects(held.unlock(), Redlock.LockError);
    assert.equal(await client.get("longer"), "somebody else's");
  },
  async aLockExpires() {
    const locks = new Redlock([client], { retryCount: 20, retryDelay: 50 });
    await locks.lock("lost", 200);
    await (await locks.lock("lost", 1000)).unlock();
  },
  async sectionsDoNotOverlap() {
    const locks = new Redlock([client], { retryCount: 500, retryDelay: 5, retryJitter: 5 });
    let inside = 0;
    let most = 0;
    let entered = 0;
    await Promise.all(Array.from({ length: 20 }, async () => {
      const held = await locks.lock(["a", "b"], 10000);
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 2));
      ++entered;
      --inside;
      await held.unlock();
    }));
    assert.deepEqual([most, entered], [1, 20]);
  },
});
