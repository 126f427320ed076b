import { defaultQueueLimits } from "../../src/node/pool/job-queue.ts";
import { createWorkerPool } from "../../src/node/pool/worker-pool.ts";
import { greyPicture, openMeanModel } from "../gpu/mean-model.ts";
import { faults, markPicture } from "./marked-picture.ts";

/**
 * `node misbehaving-decoders.ts`, preloaded with misbehave.ts: pictures on their way to an engine that takes batches, with one
 * of each fault among them. Prints the outcomes as JSON.
 */
const setup = await openMeanModel();
const pool = createWorkerPool({
  workers: 2,
  batchedEngine: setup.engine,
  queue: defaultQueueLimits,
  // What fills a heap must get there before.
  itemTimeoutMs: 15_000,
  loadSetup: async () => setup,
});

async function embed(bytes: Uint8Array): Promise<string> {
  const result = await pool.embed(bytes);
  return result.ok ? "a vector" : `${result.error.reason}: ${result.error.message}`;
}

const good = () => Array.from({ length: 10 }, (_, tone) => embed(greyPicture(tone).bytes));
const marked = faults.map((fault) => embed(markPicture(greyPicture(5).bytes, fault)));
const others = await Promise.all([...good(), ...good()]);
const outcomes = Object.fromEntries(
  await Promise.all(marked.map(async (outcome, i) => [faults[i], await outcome])),
);
console.log(JSON.stringify({ ...outcomes, others: [...new Set(others)], workers: pool.state().workers }));
await pool.dispose();
