import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { runInThread } from "./run-in-thread.ts";

let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-thread-"));
});

afterAll(() => rm(work, { recursive: true, force: true }));

/** A thread of this program, with `parentPort` and `workerData` in reach. */
async function entry(name: string, program: string): Promise<URL> {
  const file = join(work, `${name}.mjs`);
  await writeFile(file, `import { parentPort, workerData } from "node:worker_threads";\n${program}`);
  return pathToFileURL(file);
}

async function failure(running: Promise<unknown>): Promise<EmbedError> {
  const error = await running.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  return error as EmbedError;
}

test("gives what the thread answers, and ends it though it would stay", async () => {
  const stay = "setInterval(() => new Int32Array(workerData.beats)[0]++, 1);";
  const beats = new SharedArrayBuffer(4);
  const url = await entry("stays", `${stay} parentPort.postMessage({ ok: true, value: workerData.n + 1 });`);
  expect(await runInThread<number>(url, { n: 41, beats })).toBe(42);
  const atTheEnd = new Int32Array(beats)[0];
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(new Int32Array(beats)[0]).toBe(atTheEnd);
});

test("a typed error comes out as itself", async () => {
  const plain = { reason: "CONVERT_INVALID", message: "layer x", cause: "Error: y" };
  const url = await entry("typed", "parentPort.postMessage({ ok: false, error: workerData });");
  const error = await failure(runInThread(url, plain));
  expect(error.toPlain()).toEqual(plain);
});

test.each([
  ["throws", "throw new RangeError('no memory');", "the thread throws.mjs failed: no memory"],
  ["exits", "process.exit(3);", "the thread exits.mjs ended with exit code 3 and without an answer"],
  ["is-silent", "", "the thread is-silent.mjs ended with exit code 0 and without an answer"],
])("a thread that %s", async (name, program, message) => {
  const error = await failure(runInThread(await entry(name, program), undefined));
  expect({ reason: error.reason, message: error.message }).toEqual({ reason: "INTERNAL", message });
});

test("the signal ends a thread that never yields", async () => {
  const beats = new SharedArrayBuffer(4);
  const url = await entry("spins", "const at = new Int32Array(workerData); for (;;) Atomics.add(at, 0, 1);");
  const abort = new AbortController();
  const running = runInThread(url, beats, abort.signal).catch((reason: unknown) => reason);
  await expect.poll(() => Atomics.load(new Int32Array(beats), 0)).toBeGreaterThan(0);
  const why = new Error("enough");
  abort.abort(why);
  expect(await running).toBe(why);
  const atTheEnd = Atomics.load(new Int32Array(beats), 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(Atomics.load(new Int32Array(beats), 0)).toBe(atTheEnd);
});

test("a signal that was given before starts none", async () => {
  const why = new Error("too late");
  const url = await entry("never", "parentPort.postMessage({ ok: true });");
  await expect(runInThread(url, undefined, AbortSignal.abort(why))).rejects.toBe(why);
});
