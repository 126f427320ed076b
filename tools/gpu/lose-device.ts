import { once } from "node:events";
import { compareVectors } from "../../src/embed/compare-vectors.ts";
import type { EngineName } from "../../src/engine/engine.ts";
import { defaultQueueLimits } from "../../src/node/pool/job-queue.ts";
import { createWorkerPool, type PoolEvent } from "../../src/node/pool/worker-pool.ts";
import { type LossRequest, lossChannel } from "./losable-gpu.ts";
import { greyPicture, openMeanModel } from "./mean-model.ts";

/**
 * `node lose-device.ts REQUESTS FALLBACKS PICTURES`, the first two separated by commas: a picture, then each request followed
 * by a picture, by a pool whose engine is `ort-webgpu`. With more than one picture they come at once, and the request when
 * the engine begins with several of them. Prints what came of it as JSON. A process of its own, since the Vulkan loader
 * is found by the environment that a process is started with.
 */
const [requests, fallbacks, [count = "1"] = []] = process.argv
  .slice(2)
  .map((list) => list.split(",").filter(Boolean));
const pictures = Number(count);
/** Of an engine that takes over; with one its place among the events is certain, whatever else is going on. */
const workers = pictures > 1 ? 1 : 2;

const setup = await openMeanModel();
const story: string[] = [];
let onBatch: () => void = () => undefined;
const pool = createWorkerPool({
  workers,
  queue: defaultQueueLimits,
  loadSetup: async () => ({
    ...setup,
    engine: "ort-webgpu",
    fallbacks: fallbacks as EngineName[],
    maySoftwareGpu: true,
  }),
  onEvent(event) {
    story.push(...tell(event));
    if (event.kind === "batch-begun" && event.pictures > 1) onBatch();
  },
});

function tell(event: PoolEvent): string[] {
  if (event.kind === "worker-ready")
    return [`${event.engine} is ready on ${event.adapter ?? "the processor"}`];
  if (event.kind === "device-replaced" || event.kind === "worker-lost") {
    return [`${event.kind}: ${event.error.message}`];
  }
  return event.kind === "engine-passed-over" ? [`${event.engine}, next ${event.next}`] : [];
}

async function embed(tone: number): Promise<string> {
  const { bytes, vector, tolerance } = greyPicture(tone);
  const result = await pool.embed(bytes);
  const isRight = result.ok && compareVectors(result.vector, vector).maxAbsError <= tolerance;
  return result.ok ? `a ${isRight ? "right" : "wrong"} vector` : result.error.message;
}

const channel = new BroadcastChannel(lossChannel);

async function lose(request: LossRequest): Promise<void> {
  const lost = once(channel as unknown as EventTarget, "message");
  channel.postMessage(request);
  await lost;
}

/** So many of each outcome. */
async function embedWhileLosing(request: LossRequest): Promise<string[]> {
  const lost = Promise.withResolvers<void>();
  onBatch = () => {
    onBatch = () => undefined;
    lose(request).then(lost.resolve, lost.reject);
  };
  const outcomes = await Promise.all(Array.from({ length: pictures }, (_, tone) => embed(tone)));
  await lost.promise;
  return [...new Set(outcomes)].map((what) => `${outcomes.filter((one) => one === what).length} x ${what}`);
}

story.push(await embed(90));
for (const [index, request] of (requests as LossRequest[]).entries()) {
  if (pictures > 1) story.push(...(await embedWhileLosing(request)));
  else {
    await lose(request);
    story.push(await embed(91 + index));
  }
}
channel.close();
while (pool.state().workers < (fallbacks?.length ? workers : 1))
  await new Promise((resolve) => setTimeout(resolve, 20));
await pool.dispose();
console.log(JSON.stringify({ story }));
