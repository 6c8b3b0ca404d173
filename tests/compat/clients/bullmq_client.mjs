// SPDX-License-Identifier: BSD-3-Clause
// BullMQ: queues as its users have them. It is scripts, streams, sorted sets and blocking pops.
import { FlowProducer, Queue, QueueEvents, Worker } from "bullmq";

import { assert, run, until } from "./checks.mjs";

const port = Number(process.argv.at(-1));
const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };

// A queue with a worker that runs `process` and an ear for its events, closed at the end.
async function withQueue(name, process, options, use) {
  const queue = new Queue(name, { connection });
  const events = new QueueEvents(name, { connection });
  const worker = new Worker(name, process, { connection, ...options });
  await Promise.all([queue.waitUntilReady(), events.waitUntilReady(), worker.waitUntilReady()]);
  try {
    await use(queue, events, worker);
  } finally {
    await worker.close();
    await events.close();
    await queue.close();
  }
}

await run({
  async jobsRunAndGiveResults() {
    await withQueue("sums", async (job) => job.data.a + job.data.b, {}, async (queue, events) => {
      const job = await queue.add("sum", { a: 2, b: 3 });
      assert.equal(await job.waitUntilFinished(events, 20000), 5);
      assert.equal(await job.getState(), "completed");
      const jobs = await queue.addBulk(Array.from({ length: 200 }, (_, n) => ({ name: "sum", data: { a: n, b: 1 } })));
      const results = await Promise.all(jobs.map((each) => each.waitUntilFinished(events, 20000)));
      assert.deepEqual(results, Array.from({ length: 200 }, (_, n) => n + 1));
      assert.equal((await queue.getJobCounts("completed")).completed, 201);
    });
  },
  async delayedJobsWait() {
    await withQueue("later", async () => Date.now(), {}, async (queue, events) => {
      const job = await queue.add("late", {}, { delay: 400 });
      assert.equal(await job.getState(), "delayed");
      const ran = await job.waitUntilFinished(events, 20000);
      assert.ok(ran - job.timestamp >= 395, `after ${ran - job.timestamp} ms`);
    });
  },
  async repeatedJobsComeAgain() {
    let count = 0;
    await withQueue("often", async () => ++count, {}, async (queue) => {
      await queue.upsertJobScheduler("tick", { every: 100 }, { name: "tick" });
      await until(() => count >= 3);
      assert.equal((await queue.getJobSchedulers()).length, 1);
      assert.equal(await queue.removeJobScheduler("tick"), true);
    });
  },
  async failedJobsAreTriedAgain() {
    const process = async (job) => {
      if (job.attemptsMade < 2) throw new Error("not yet");
      return job.attemptsMade;
    };
    await withQueue("stubborn", process, {}, async (queue, events) => {
      const job = await queue.add("try", {}, { attempts: 3, backoff: { type: "fixed", delay: 50 } });
      assert.equal(await job.waitUntilFinished(events, 20000), 2);
      const lost = await queue.add("try", {}, { attempts: 1 });
      await assert.rejects(lost.waitUntilFinished(events, 20000), /not yet/);
      assert.equal((await queue.getFailed()).length, 1);
    });
  },
  async prioritiesDecideTheOrder() {
    const order = [];
    const queue = new Queue("ranked", { connection });
    for (const priority of [3, 1, 2]) await queue.add(`p${priority}`, {}, { priority });
    const worker = new Worker("ranked", async (job) => { order.push(job.name); }, { connection, concurrency: 1 });
    await until(() => order.length === 3);
    assert.deepEqual(order, ["p1", "p2", "p3"]);
    await worker.close();
    await queue.close();
  },
  async rateLimitsHold() {
    const limiter = { max: 2, duration: 300 };
    const times = [];
    await withQueue("slow", async () => { times.push(Date.now()); }, { limiter }, async (queue) => {
      await queue.addBulk(Array.from({ length: 5 }, () => ({ name: "n", data: {} })));
      await until(() => times.length === 5);
      assert.ok(times[4] - times[0] >= 500, `five in ${times[4] - times[0]} ms`);
    });
  },
  async childrenComeBeforeTheirParent() {
    const done = [];
    await withQueue("family", async (job) => {
      done.push(job.name);
      return job.name === "parent" ? Object.values(await job.getChildrenValues()).sort() : job.data.value;
    }, {}, async (queue, events) => {
      const flow = new FlowProducer({ connection });
      const children = [1, 2, 3].map((value) => ({ name: `child${value}`, queueName: "family", data: { value } }));
      const tree = await flow.add({ name: "parent", queueName: "family", children });
      assert.deepEqual(await tree.job.waitUntilFinished(events, 20000), [1, 2, 3]);
      assert.equal(done.at(-1), "parent");
      await flow.close();
    });
  },
  async aQueueIsPausedDrainedAndRemoved() {
    await withQueue("halted", async () => "ran", {}, async (queue, events) => {
      await queue.pause();
      const job = await queue.add("n", {});
      assert.equal(await queue.isPaused(), true);
      await queue.resume();
      assert.equal(await job.waitUntilFinished(events, 20000), "ran");
      await queue.obliterate({ force: true });
      assert.equal(await queue.getJobCountByTypes("completed", "waiting", "paused"), 0);
    });
  },
});
