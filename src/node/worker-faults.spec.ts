import type { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { compareVectors } from "../embed/compare-vectors.ts";
import { defaultImageLimits } from "../image/pixels.ts";
import { defaultQueueLimits } from "./job-queue.ts";
import { findModelManifest } from "./model-catalog.ts";
import { prepareModel } from "./model-store.ts";
import { openEmbedder } from "./open-embedder.ts";
import { readVectorGolden } from "./vector-golden.ts";

test("workers killed at random under load: right vectors or a clear error, none shifted, none lost", async () => {
  const threads: Worker[] = [];
  const onWorker = (worker: Worker) => threads.push(worker);
  process.on("worker", onWorker);
  const manifest = await findModelManifest("resnet50");
  const pictures = await Promise.all(
    ["photo/locomotion-house-cat.jpg", "webp/lossy.webp", "bmp/24bit.bmp"].map(readVectorGolden),
  );
  const embedder = openEmbedder({
    manifest,
    prepare: () => prepareModel(manifest),
    engine: "ort-wasm",
    workers: 2,
    threads: 1,
    limits: defaultImageLimits,
    itemTimeoutMs: 30_000,
    queue: defaultQueueLimits,
  });
  await embedder.ready;

  const until = performance.now() + 8_000;
  const counts = { right: 0, failed: 0 };
  async function call(caller: number): Promise<void> {
    for (let round = caller; performance.now() < until; round++) {
      const picture = pictures[round % pictures.length]!;
      const result = await embedder.embed(Uint8Array.from(picture.bytes));
      if (result.ok) {
        expect(compareVectors(result.vector, picture.vector).maxAbsError).toBeLessThanOrEqual(
          picture.tolerance,
        );
        counts.right += 1;
      } else {
        expect(result.error.reason).toBe("ENGINE_FAILED");
        expect(result.error.message).toMatch(
          /^a worker ended with exit code 1; it is being replaced, try again$/,
        );
        counts.failed += 1;
      }
    }
  }
  async function kill(): Promise<void> {
    while (performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      // Either of the youngest two: the pool has no others alive.
      await threads.at(-1 - Math.trunc(Math.random() * 2))?.terminate();
    }
  }
  await Promise.all([kill(), ...[0, 1, 2, 3].map(call)]);

  expect(threads.length).toBeGreaterThan(4);
  expect(counts.right).toBeGreaterThan(0);
  expect(counts.failed).toBeGreaterThan(0);
  const after = await embedder.embed(Uint8Array.from(pictures[0]!.bytes));
  expect(after.ok).toBe(true);
  await embedder.dispose();
  process.off("worker", onWorker);
});
