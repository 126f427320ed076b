import { afterAll, beforeAll, expect, test } from "vitest";
import { convertKeras } from "../../src/convert/convert-keras.ts";
import { readTopology } from "../../src/convert/keras-format/read-topology.ts";
import { normaliseL2 } from "../../src/embed/normalise.ts";
import { createDecodeImage } from "../../src/image/decode-image.ts";
import { defaultImageLimits } from "../../src/image/pixels.ts";
import { readVectorGolden } from "../../src/node/model/vector-golden.ts";
import { defaultQueueLimits } from "../../src/node/pool/job-queue.ts";
import { loadCodecs } from "../../src/node/pool/load-codecs.ts";
import { loadKernels } from "../../src/node/pool/load-kernels.ts";
import { createWorkerPool, type PoolEvent, type WorkerPool } from "../../src/node/pool/worker-pool.ts";
import type { WorkerSetup } from "../../src/node/pool/worker-protocol.ts";
import { preprocess } from "../../src/preprocess/preprocess.ts";
import type { PreprocessSpec } from "../../src/preprocess/preprocess-spec.ts";
import { damagePicture } from "./picture-mutations.ts";
import { readPictureSeeds } from "./picture-seeds.ts";

// The share of the damaged pictures that goes the whole way of a server: two real workers, their codecs and an
// engine, with a network that only averages, so that an embedding takes a millisecond.
const count = 3000;
const seed = 11;
const pictureReasons = ["SOURCE_EMPTY", "IMAGE_UNSUPPORTED", "IMAGE_CORRUPT", "IMAGE_TOO_LARGE"];
const spec: PreprocessSpec = { width: 32, height: 32, interpolation: "nearest", mode: "caffe" };

const topology = readTopology({
  class_name: "Model",
  config: {
    name: "average",
    layers: [
      {
        class_name: "InputLayer",
        name: "input",
        config: { batch_input_shape: [null, 32, 32, 3] },
        inbound_nodes: [],
      },
      {
        class_name: "GlobalAveragePooling2D",
        name: "average",
        config: { data_format: "channels_last" },
        inbound_nodes: [[["input", 0, 0, {}]]],
      },
    ],
  },
});

let pool: WorkerPool;
let good: Uint8Array;
const events: PoolEvent[] = [];

async function createSetup(): Promise<WorkerSetup> {
  const { onnx } = convertKeras(
    { topology, weights: new Map() },
    { outputLayer: "average", inputShape: [32, 32, 3] },
  );
  const shared = new Uint8Array(new SharedArrayBuffer(onnx.length));
  shared.set(onnx);
  const codecs = await loadCodecs();
  const { pixels } = await createDecodeImage(codecs, defaultImageLimits)(good);
  const tensor = preprocess(pixels, spec);
  const sums = [0, 1, 2].map((channel) =>
    tensor.filter((_, i) => i % 3 === channel).reduce((a, b) => a + b, 0),
  );
  return {
    engine: "ort-wasm",
    onnx: shared,
    codecs,
    kernels: await loadKernels(),
    selfCheck: {
      name: "average",
      bytes: good,
      vector: normaliseL2(Float32Array.from(sums)),
      tolerance: 1e-4,
    },
    preprocess: spec,
    limits: defaultImageLimits,
    threads: 1,
  };
}

beforeAll(async () => {
  good = (await readVectorGolden("bmp/24bit.bmp")).bytes;
  pool = createWorkerPool({
    workers: 2,
    loadSetup: createSetup,
    queue: defaultQueueLimits,
    onEvent: (event) => events.push(event),
  });
  await pool.ready;
});
afterAll(() => pool.dispose());

test(`${count} damaged pictures through the worker pool: each has a vector or its own reason, no worker is lost`, {
  timeout: 300_000,
}, async () => {
  const seeds = readPictureSeeds();
  const outcomes: Record<string, number> = {};
  let next = 0;
  async function call(): Promise<void> {
    while (next < count) {
      const index = next++;
      const { bytes, from, changes } = damagePicture(seeds, seed, index);
      const result = await pool.embed(bytes);
      const name = result.ok ? "embedded" : result.error.reason;
      outcomes[name] = (outcomes[name] ?? 0) + 1;
      const what = `case ${index} of seed ${seed}: ${from}, ${changes.join(", ")}`;
      if (result.ok) expect(Math.hypot(...result.vector), what).toBeCloseTo(1, 5);
      else expect(pictureReasons, `${what}: ${result.error.message}`).toContain(result.error.reason);
    }
  }
  await Promise.all([call(), call(), call(), call()]);

  expect(outcomes.embedded).toBeGreaterThan(count / 10);
  expect(outcomes.IMAGE_CORRUPT).toBeGreaterThan(count / 4);
  expect(events.filter(({ kind }) => kind === "worker-lost")).toEqual([]);
  expect((await pool.embed(Uint8Array.from(good))).ok).toBe(true);
});
