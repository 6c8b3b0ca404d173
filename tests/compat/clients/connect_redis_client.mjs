// SPDX-License-Identifier: BSD-3-Clause
// connect-redis: sessions of express kept by the server.
import { RedisStore } from "connect-redis";
import session from "express-session";
import { createClient } from "redis";
import { promisify } from "node:util";

import { assert, run } from "./checks.mjs";

const port = Number(process.argv.at(-1));
const client = await createClient({ socket: { host: "127.0.0.1", port } }).connect();

// One request through express-session: what `change` does to the session is saved.
async function visit(store, cookie, change) {
  const handler = session({ store, secret: "secret", resave: false, saveUninitialized: false });
  const headers = new Map();
  const request = { headers: cookie ? { cookie } : {}, url: "/", originalUrl: "/", connection: {}, method: "GET" };
  const response = {
    headersSent: false,
    writeHead() {},
    getHeader: (name) => headers.get(name.toLowerCase()),
    setHeader: (name, value) => headers.set(name.toLowerCase(), value),
    end() {},
  };
  await new Promise((resolve, reject) => handler(request, response, (error) => (error ? reject(error) : resolve())));
  change(request.session);
  if (request.session) await promisify(request.session.save.bind(request.session))();
  response.writeHead(200);
  const set = headers.get("set-cookie")?.[0];
  return set ? set.split(";")[0] : cookie;
}

await run({
  async aSessionLivesFromVisitToVisit() {
    const store = new RedisStore({ client, prefix: "session:" });
    const cookie = await visit(store, null, (state) => { state.visits = 1; });
    assert.match(cookie, /^connect\.sid=/);
    await visit(store, cookie, (state) => { state.visits += 1; });
    let seen;
    await visit(store, cookie, (state) => { seen = state.visits; });
    assert.equal(seen, 2);
    assert.equal((await store.ids()).length, 1);
  },
  async sessionsExpire() {
    const store = new RedisStore({ client, prefix: "short:", ttl: 1 });
    await store.set("one", { cookie: {}, user: "u" });
    assert.equal((await store.get("one")).user, "u");
    const ttl = await client.ttl("short:one");
    assert.ok(ttl >= 0 && ttl <= 1, `ttl ${ttl}`);
    await store.touch("one", { cookie: { expires: new Date(Date.now() + 100000).toISOString() } });
    assert.ok((await client.ttl("short:one")) > 90);
  },
  async allSessionsAreListedAndCleared() {
    const store = new RedisStore({ client, prefix: "many:" });
    await Promise.all(Array.from({ length: 250 }, (_, n) => store.set(`s${n}`, { cookie: {}, n })));
    assert.equal(await store.length(), 250);
    assert.equal((await store.all()).length, 250);
    await store.destroy("s0");
    assert.equal(await store.length(), 249);
    await store.clear();
    assert.equal(await store.length(), 0);
  },
});
