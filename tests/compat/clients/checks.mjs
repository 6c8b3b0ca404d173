// SPDX-License-Identifier: BSD-3-Clause
// Runs named checks one after the other and prints the count.
import assert from "node:assert/strict";

export { assert };

export async function run(checks) {
  let passed = 0;
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("took more than 30 s")), 30000);
    });
    try {
      await Promise.race([check(), late]);
      passed += 1;
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}: ${error.stack}`);
    }
    clearTimeout(timer);
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

// Waits until the condition holds.
export async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}
