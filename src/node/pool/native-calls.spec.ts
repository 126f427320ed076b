import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { callNative, callNativeNow, createNativeCalls } from "./native-calls.ts";

test("the end waits for the call that is under way, and no other begins", async () => {
  const { state, end } = createNativeCalls();
  const order: string[] = [];
  const { promise, resolve } = Promise.withResolvers<string>();
  const call = callNative(state, () => promise);
  const ended = end().then(() => order.push("ended"));
  await new Promise((later) => setTimeout(later, 20));
  order.push("call returns");
  resolve("its value");
  await expect(call).resolves.toBe("its value");
  await ended;
  expect(order).toEqual(["call returns", "ended"]);
  const refused = { reason: "ENGINE_FAILED", message: "the worker is being ended" };
  await expect(callNative(state, async () => order.push("ran"))).rejects.toMatchObject(refused);
  expect(() => callNativeNow(state, () => order.push("ran"))).toThrow(expect.objectContaining(refused));
  expect(order).toHaveLength(2);
  // It is over at once where nothing is under way, the refused calls included.
  await end();
});

test("a call that fails is over too", async () => {
  const { state, end } = createNativeCalls();
  await expect(callNative(state, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await end();
});

/** A thread tells that it begins, and half a second later that it is done, both in one call. */
const threadCode = `
  const { workerData } = require("node:worker_threads");
  const { writeSync } = require("node:fs");
  import(workerData.module).then(({ callNativeNow }) => callNativeNow(workerData.state, () => {
    writeSync(1, "begins,");
    Atomics.store(workerData.begun, 0, 1);
    Atomics.notify(workerData.begun, 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    writeSync(1, "done");
  }));`;

test("the end of the process waits as well", async () => {
  const module = new URL("native-calls.ts", import.meta.url).href;
  const program = `
    const { Worker } = require("node:worker_threads");
    import(${JSON.stringify(module)}).then(async ({ createNativeCalls }) => {
      const { state } = createNativeCalls();
      const begun = new Int32Array(new SharedArrayBuffer(4));
      const workerData = { module: ${JSON.stringify(module)}, state, begun };
      new Worker(${JSON.stringify(threadCode)}, { eval: true, workerData });
      await Atomics.waitAsync(begun, 0, 0).value;
      process.exit(0);
    });`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", program]);
  expect(stdout).toBe("begins,done");
});
