import { setTimeout as sleep } from "node:timers/promises";
import { defaultQueueLimits } from "../../src/node/pool/job-queue.ts";
import { createWorkerPool } from "../../src/node/pool/worker-pool.ts";
import { flatPng } from "../load/flat-png.ts";
import { openTinyModel } from "../load/tiny-model.ts";

/**
 * `node end-early.ts MS...`: closes a pool on `ort-webgpu` so long after its start, whatever it does then, once for each; the
 * last one is left to the end of the process. Prints `ended` if nothing else ended it before.
 */
const waits = process.argv.slice(2).map(Number);

const { setup } = await openTinyModel();
for (const [index, waitMs] of waits.entries()) {
  const pool = createWorkerPool({
    workers: 1,
    queue: defaultQueueLimits,
    loadSetup: async () => ({ ...setup, engine: "ort-webgpu", maySoftwareGpu: true }),
  });
  const held = Array.from({ length: 20 }, (_, tone) => pool.embed(flatPng(8, 8, tone)));
  await sleep(waitMs);
  if (index === waits.length - 1) process.exit();
  await pool.dispose();
  for (const result of await Promise.all(held)) {
    if (!result.ok && result.error.reason !== "SHUTTING_DOWN") throw result.error;
  }
  console.log("ended");
}
