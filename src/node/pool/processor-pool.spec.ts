import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import { readImage } from "../../../fixtures/read-golden.ts";
import type { ProcessResult } from "../../embed/processor.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { createProcessorPool, type ProcessorPool, type ProcessorPoolOptions } from "./processor-pool.ts";
import type { PoolEvent } from "./worker-pool.ts";

/** What a processor does follows from the width of its picture, so that one module has every fault. */
const faults = `
import { setTimeout } from "node:timers/promises";
export default {
  name: "faults",
  async process({ width, bytes }) {
    if (width === 1) for (;;);
    if (width === 223) await new Promise(() => undefined);
    if (width === 33) throw new Error("no face found");
    if (width === 2) process.exit(3);
    if (width === 224) {
      const kept = [];
      for (;;) {
        for (let i = 0; i < 1e5; i++) kept.push({ i });
        await setTimeout(1);
      }
    }
    return [bytes];
  },
};
`;
const endless = "png/rgb-1x1.png";
const never = "png/rgb-223x225.png";
const thrown = "jpeg/baseline-444-33x2.jpg";
const exits = "png/rgb-2x3.png";
const greedy = "png/rgb-224x224.png";
const good = "png/rgb-16x16.png";

const folder = mkdtempSync(join(tmpdir(), "portico-processor-"));
afterAll(() => rmSync(folder, { recursive: true }));

let pool: ProcessorPool | undefined;
afterEach(() => pool?.dispose());

function open(text: string, options: Partial<ProcessorPoolOptions> = {}, file = "p.mjs"): ProcessorPool {
  const path = join(folder, file);
  writeFileSync(path, text);
  pool = createProcessorPool({
    source: { kind: "module", url: pathToFileURL(path).href, shown: `./${file}` },
    workers: 2,
    pictures: { maxPixels: 1e6, maxImageBytes: 1e6 },
    queue: defaultQueueLimits,
    // On a busy machine a thread starts slowly.
    noWorkerMaxMs: 60_000,
    ...options,
  });
  return pool;
}

const bytesOf = (path: string) => Uint8Array.from(readImage(path));
const told = (result: ProcessResult) =>
  result.ok
    ? result.images.map((image) => Buffer.from(image).toString())
    : `${result.error.reason}: ${result.error.message}`;
const goodReply = [Buffer.from(readImage(good)).toString("base64")];

describe("one picture's fault is its own", () => {
  test("an error, a loop without end, a thread that ends: the others of the call are right", async () => {
    const events: PoolEvent[] = [];
    const processor = open(faults, { itemTimeoutMs: 700, onEvent: (event) => events.push(event) });
    await processor.ready;
    const paths = [good, thrown, good, endless, good, exits, good];
    const results = await Promise.all(paths.map((path) => processor.process(bytesOf(path))));
    expect(results.map(told)).toEqual([
      goodReply,
      "PROCESSOR_FAILED: the processor faults failed: no face found",
      goodReply,
      "IMAGE_TOO_SLOW: expected a picture to take at most 700 ms (--item-timeout-ms); its worker is being replaced",
      goodReply,
      "ENGINE_FAILED: a worker ended with exit code 3; it is being replaced, try again",
      goodReply,
    ]);
    const lost = events.flatMap((event) => (event.kind === "worker-lost" ? [event.error.reason] : []));
    // That which ended its thread was tried twice.
    expect(lost.sort()).toEqual(["ENGINE_FAILED", "ENGINE_FAILED", "IMAGE_TOO_SLOW"]);
    await expect.poll(() => processor.state().workers, { timeout: 30_000 }).toBe(2);
  });

  test("a heap that grows without end is stopped", async () => {
    const processor = open(faults, { workers: 1, maxHeapMiB: 48 });
    const [greedyResult, goodResult] = await Promise.all(
      [greedy, good].map((path) => processor.process(bytesOf(path))),
    );
    expect(told(greedyResult!)).toBe(
      "IMAGE_TOO_LARGE: expected a picture to need at most 48 MiB of a worker's JavaScript heap; its worker is being replaced",
    );
    expect(told(goodResult!)).toEqual(goodReply);
  });
});

describe("the pool around it", () => {
  test("holds work until it is ready, says its name, and is ready until it is closed", async () => {
    const events: PoolEvent[] = [];
    const processor = open(faults, { workers: 1, onEvent: (event) => events.push(event) });
    const early = processor.process(bytesOf(good));
    expect([processor.isReady(), processor.name()]).toEqual([false, ""]);
    await processor.ready;
    expect([processor.isReady(), processor.name()]).toEqual([true, "faults"]);
    expect(told(await early)).toEqual(goodReply);
    await processor.dispose();
    expect(processor.isReady()).toBe(false);
    expect(told(await processor.process(bytesOf(good)))).toBe(
      "SHUTTING_DOWN: the workers of the processor are closed",
    );
    expect(events).toEqual([{ kind: "ready-changed", ready: true }]);
  });

  test("that is closed before it is ready tells whoever waits", async () => {
    const processor = open(faults, { workers: 1 });
    const waiting = processor.process(bytesOf(good));
    await processor.dispose();
    await expect(processor.ready).rejects.toThrow("the workers of the processor are closed");
    expect(told(await waiting)).toBe("SHUTTING_DOWN: the workers of the processor are closed");
  });

  test("refuses what its queue does not hold, and drops what nobody waits for", async () => {
    const processor = open(faults, {
      workers: 1,
      itemTimeoutMs: 1_000,
      queue: { maxItems: 1, maxBytes: 1e6 },
    });
    await processor.ready;
    const slow = processor.process(bytesOf(never));
    const gone = new AbortController();
    const waiting = processor.process(bytesOf(good), { signal: gone.signal });
    expect(told(await processor.process(bytesOf(good)))).toBe(
      "OVERLOADED: expected fewer than 1 pictures to wait (--max-queued-items); try again later",
    );
    gone.abort();
    expect(told(await waiting)).toBe("CANCELLED: the caller went away before the work was done");
    expect(told(await slow)).toMatch(/^IMAGE_TOO_SLOW: /);
  });
});

const shape = "expected ./p.mjs to export a processor by default, { name, process(picture) }, got";

describe("a module that is no processor is never ready, and says why", () => {
  test.each([
    ["no syntax", "export default {", "the processor ./p.mjs cannot be loaded: Unexpected end of input"],
    [
      "an error",
      'throw new Error("no weights\\nmore")',
      "the processor ./p.mjs cannot be loaded: no weights",
    ],
    ["no process", 'export default { name: "x" };', `${shape} an object with name`],
    [
      "its thread ends",
      "process.exit(4)",
      "the processor ./p.mjs cannot be loaded: a worker ended with exit code 4 before it was ready",
    ],
  ])("%s", async (_, text, message) => {
    const events: PoolEvent[] = [];
    const processor = open(text, { workers: 1, onEvent: (event) => events.push(event) });
    await expect(processor.ready).rejects.toThrow(
      expect.objectContaining({ reason: "CONFIG_INVALID", message }),
    );
    expect(told(await processor.process(bytesOf(good)))).toContain(message);
    expect(events).toEqual([]);
  });

  test("a start that hangs is given up", async () => {
    const processor = open("await new Promise((resolve) => setTimeout(resolve, 1e6));", {
      workers: 1,
      startTimeoutMs: 1_000,
    });
    await expect(processor.ready).rejects.toThrow(
      "the processor ./p.mjs cannot be loaded: expected a worker to be ready after at most 1000 ms",
    );
  });

  test("TypeScript is loaded as it stands", async () => {
    const text =
      'export default { name: "typed" as string, process: (picture: object): Uint8Array[] => [] };';
    const processor = open(text, { workers: 1 }, "p.ts");
    await processor.ready;
    expect(processor.name()).toBe("typed");
    expect(told(await processor.process(bytesOf(good)))).toEqual([]);
  });
});
