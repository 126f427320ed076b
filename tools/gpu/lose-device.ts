import { once } from "node:events";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import type { EngineName } from "../../src/engine/engine.ts";
import { defaultQueueLimits } from "../../src/node/pool/job-queue.ts";
import { createWorkerPool, type PoolEvent } from "../../src/node/pool/worker-pool.ts";
import { type LossRequest, lossChannel } from "./losable-gpu.ts";
import { greyPicture, openMeanModel } from "./mean-model.ts";

/**
 * `node lose-device.ts REQUESTS FALLBACKS`, both separated by commas: a picture, then each request followed by a picture, by
 * a pool whose engine is `ort-webgpu`. Prints what came of it as JSON. A process of its own, since the Vulkan loader is
 * found by the environment that a process is started with.
 */
const [requests, fallbacks] = process.argv.slice(2).map((list) => list.split(",").filter(Boolean));

const setup = await openMeanModel();
const story: string[] = [];
const pool = createWorkerPool({
  workers: 2,
  queue: defaultQueueLimits,
  loadSetup: async () => ({
    ...setup,
    engine: "ort-webgpu",
    fallbacks: fallbacks as EngineName[],
    maySoftwareGpu: true,
  }),
  onEvent: (event) => story.push(...tell(event)),
});

function tell(event: PoolEvent): string[] {
  if (event.kind === "worker-ready")
    return [`${event.engine} is ready on ${event.adapter ?? "the processor"}`];
  if (event.kind === "device-replaced" || event.kind === "worker-lost") {
    return [`${event.kind}: ${event.error.message}`];
  }
  return event.kind === "engine-passed-over" ? [`${event.engine}, next ${event.next}`] : [];
}

async function embed(tone: number): Promise<void> {
  const { bytes, vector, tolerance } = greyPicture(tone);
  const result = await pool.embed(bytes);
  const isRight = result.ok && compareVectors(result.vector, vector).maxAbsError <= tolerance;
  story.push(result.ok ? `a ${isRight ? "right" : "wrong"} vector` : result.error.message);
}

const channel = new BroadcastChannel(lossChannel);
await embed(90);
for (const [index, request] of (requests as LossRequest[]).entries()) {
  channel.postMessage(request);
  await once(channel as unknown as EventTarget, "message");
  await embed(91 + index);
}
channel.close();
const workers = fallbacks?.length ? 2 : 1;
while (pool.state().workers < workers) await new Promise((resolve) => setTimeout(resolve, 20));
await pool.dispose();
console.log(JSON.stringify({ story }));
