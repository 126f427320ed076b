import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createLightResNet50, resNet50Topology } from "../../../tools/light-resnet50.ts";
import { packTestModel } from "../../../tools/pack-test-model.ts";
import type { ModelManifest } from "../../embed/model-manifest.ts";
import { prepareModel } from "./model-store.ts";
import { readModel } from "./read-model.ts";

// A model of the size and structure of the real one, through the real store: while it is converted, a server
// answers Identity on the same thread.

/** Ten times what was seen. On the main thread the conversion works for one to four seconds. */
const longestHoldMs = 250;
const tickMs = 5;

let work: string;
let cacheDir: string;
let manifest: ModelManifest;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "portico-convert-"));
  cacheDir = join(work, "cache");
  const { weights } = createLightResNet50();
  const specs = [...weights].map(([name, { shape }]) => ({ name, shape, dtype: "float32" }));
  const shard = {
    name: "weights.bin",
    bytes: Buffer.concat(
      [...weights.values()].map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    ),
  };
  const modelJson = {
    format: "layers-model",
    modelTopology: resNet50Topology,
    weightsManifest: [{ paths: [shard.name], weights: specs }],
  };
  const model = {
    name: "light",
    modelJson,
    shard,
    outputLayer: "avg_pool",
    side: 224,
    padding: new Uint8Array(0),
  };
  ({ manifest } = await packTestModel(work, model));
});

afterEach(() => rm(cacheDir, { recursive: true, force: true }));

afterAll(() => rm(work, { recursive: true, force: true }));

/** Measures how long this thread held the event loop at the most, in processor time: others on the machine may hold it, too. */
function watchEventLoop() {
  let last = process.threadCpuUsage();
  let longestMs = 0;
  const tick = () => {
    const { user, system } = process.threadCpuUsage(last);
    longestMs = Math.max(longestMs, (user + system) / 1000);
    last = process.threadCpuUsage();
  };
  const timer = setInterval(tick, tickMs);
  return () => {
    clearInterval(timer);
    tick();
    return longestMs;
  };
}

test("the main thread stays free while a model is prepared", async () => {
  const from = join(work, "light.tgz");
  const stopWatching = watchEventLoop();
  const file = await prepareModel(manifest, { cacheDir, from });
  await readModel(file, manifest);
  expect(stopWatching()).toBeLessThan(longestHoldMs);
});

test("the signal stops a conversion, and nothing is left", async () => {
  const interrupt = new AbortController();
  const preparing = prepareModel(manifest, {
    cacheDir,
    from: join(work, "light.tgz"),
    onProgress: (event) => {
      if (event.kind === "converting") setTimeout(() => interrupt.abort(), 100);
    },
    signal: interrupt.signal,
  });
  await expect(preparing).rejects.toMatchObject({
    reason: "CANCELLED",
    message: "preparing was stopped; the next run starts again",
  });
  const left = await readdir(cacheDir, { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile())).toEqual([]);
});
