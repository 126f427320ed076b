import { execFileSync } from "node:child_process";
import { mkdtemp, open, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbedError } from "../../errors.ts";
import { maxModelFileBytes } from "./read-model-file.ts";
import { readModelInThread } from "./read-model-in-thread.ts";

const saved = fileURLToPath(new URL("../../../fixtures/golden/saved/", import.meta.url));
let work: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-read-model-"));
});

afterAll(() => rm(work, { recursive: true, force: true }));

async function failure(reading: Promise<unknown>): Promise<{ reason: string; message: string }> {
  const error = await reading.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(EmbedError);
  const { reason, message } = error as EmbedError;
  return { reason, message };
}

/**
 * A file of weights with a hole in the heap that holds its texts: an object without a number is free room, and of a
 * length of zero it never ends. HDF5 2.0.0 goes round in circles there.
 */
async function writeEndless(file: string): Promise<void> {
  const bytes = await readFile(join(saved, "nested.keras2.notop.h5"));
  const heap = bytes.indexOf("GCOL");
  expect(heap).toBeGreaterThan(0);
  // The collection's head has 16 bytes, its first object 16 more: number, references, length (III.E of the format).
  bytes.fill(0, heap + 16, heap + 32);
  await writeFile(file, bytes);
}

describe.each(["nested.keras2.h5", "nested.keras3.keras", "nested.tfjs.json"])("%s", (file) => {
  test("crosses the thread whole", async () => {
    const golden = JSON.parse(await readFile(join(saved, "nested.json"), "utf8"));
    const model = await readModelInThread({ folder: saved, file });
    expect(model.topology.outputs).toEqual([{ layer: "head/out", call: 0 }]);
    for (const [name, [shape, values]] of Object.entries<[number[], string]>(golden.weights)) {
      const bytes = Buffer.from(values, "base64");
      const data = new Float32Array(Uint8Array.from(bytes).buffer);
      expect([name, model.weights.get(name)]).toEqual([name, { shape, data }]);
    }
  });
});

test("weights with their topology, by whole paths", async () => {
  const file = join(saved, "nested.keras3.weights.h5");
  const topology = join(saved, "nested.keras3.topology.json");
  const model = await readModelInThread({ folder: work, file, topology });
  expect([model.format, model.weights.size]).toEqual(["keras-h5-weights", 12]);
});

describe("a file that cannot be read", () => {
  test("is not there", async () => {
    expect(await failure(readModelInThread({ folder: work, file: "gone.h5" }))).toEqual({
      reason: "MODEL_UNREACHABLE",
      message: `${join(work, "gone.h5")} cannot be read: ENOENT: no such file or directory, open '${join(work, "gone.h5")}'`,
    });
  });

  test("is a pipe that nobody writes to", async () => {
    const pipe = join(work, "pipe.h5");
    execFileSync("mkfifo", [pipe]);
    expect(await failure(readModelInThread({ folder: work, file: pipe }))).toEqual({
      reason: "MODEL_UNREACHABLE",
      message: `${pipe} cannot be read: it is no plain file`,
    });
  });

  test("is larger than any model may be", async () => {
    const file = join(work, "large.h5");
    // A hole: it takes no room on the disk.
    await (await open(file, "w")).close();
    await truncate(file, maxModelFileBytes + 1);
    const before = process.memoryUsage.rss();
    expect(await failure(readModelInThread({ folder: work, file }))).toEqual({
      reason: "CONVERT_INVALID",
      message: `${file}: expected at most ${maxModelFileBytes} bytes, got ${maxModelFileBytes + 1}`,
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(256 * 2 ** 20);
  });

  test("sends the library round in circles", async () => {
    const file = join(work, "endless.h5");
    await writeEndless(file);
    const topology = join(saved, "nested.keras2.topology.json");
    const reading = readModelInThread({ folder: work, file, topology }, { timeoutMs: 3000 });
    expect(await failure(reading)).toEqual({
      reason: "CONVERT_INVALID",
      message: `${file}: reading it took longer than 3000 ms`,
    });
  });
});

test("the signal stops the reading, and its reason comes out", async () => {
  const file = join(work, "endless.h5");
  await writeEndless(file);
  const topology = join(saved, "nested.keras2.topology.json");
  const stop = new AbortController();
  const why = new Error("enough");
  setTimeout(() => stop.abort(why), 500);
  await expect(readModelInThread({ folder: work, file, topology }, { signal: stop.signal })).rejects.toBe(
    why,
  );
});
