import { parseArgs } from "node:util";
import { compareVectors } from "../src/embed/compare-vectors.ts";
import { normaliseL2 } from "../src/embed/normalise.ts";
import type { EngineSession } from "../src/engine/engine.ts";
import { engineTolerance } from "../src/engine/engine-tolerances.ts";
import { createOrtWebGpuEngine } from "../src/engine/ort-webgpu.ts";
import { createDecodeImage } from "../src/image/decode-image.ts";
import { defaultImageLimits } from "../src/image/pixels.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { listVectorGoldens, readVectorGolden } from "../src/node/model/vector-golden.ts";
import { maxBatchPictures } from "../src/node/pool/batch-line.ts";
import { chooseWorkers, readMachine } from "../src/node/pool/default-workers.ts";
import { enginePackageLacks } from "../src/node/pool/engine-package.ts";
import { loadCodecs } from "../src/node/pool/load-codecs.ts";
import { createNativeCalls } from "../src/node/pool/native-calls.ts";
import { loadWebGpuRuntime, webGpuPackage } from "../src/node/pool/webgpu-runtime.ts";
import { preprocess } from "../src/preprocess/preprocess.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { describeMachine } from "./machine.ts";
import { readResnet50 } from "./open-engines.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import { measureWebGpuPool, type PoolRate } from "./webgpu-pool.ts";

/**
 * `npm run bench:webgpu`: the engine `ort-webgpu` on the adapter that is here, which the report names: how far its vectors
 * are from Keras's, the time of batches of 1, 2, 4 and so on (tensor to features), and what a pool of workers makes of it
 * (bytes to vectors). A software adapter will do.
 */

export interface WebGpuReport {
  readonly adapter: string;
  /** From the model's bytes to a session. */
  readonly loadMs: number;
  readonly parity: readonly Parity[];
  readonly batches: readonly Batch[];
  /** Through the pool of a server. */
  readonly pool: readonly PoolRate[];
}

interface Parity {
  readonly image: string;
  readonly tolerance: number;
  readonly maxAbsError: number;
  readonly cosine: number;
  /** Of the engine; the first is with the compilation of its programs. */
  readonly ms: number;
}

interface Batch {
  readonly pictures: number;
  readonly times: Spread;
  readonly picturesPerSecond: number;
}

export interface WebGpuOptions {
  /** How many goldens are compared, of those whose path holds `only`. */
  readonly goldens: number;
  readonly only: string;
  /** The largest batch, or 0 for none. */
  readonly batch: number;
  /** Runs of each batch. */
  readonly rounds: number;
  /** Of a closed loop over the pool for one caller and for `poolCallers`; 0: none. */
  readonly seconds: number;
  /** Threads that decode for the pool. */
  readonly workers: number;
}

/** Two full batches: one is with the engine while the other is decoded. */
const poolCallers = 2 * maxBatchPictures;

export async function measureWebGpu(options: WebGpuOptions): Promise<WebGpuReport> {
  const { ort, gpu } = await loadWebGpuRuntime(createNativeCalls().state);
  let adapter = "";
  const engine = createOrtWebGpuEngine({
    loadOrt: async () => ort,
    gpu,
    maySoftware: true,
    onAdapter(name) {
      adapter = name;
    },
    onDeviceReplaced(why) {
      throw why;
    },
  });
  const onnx = await readResnet50();
  const start = performance.now();
  const session = await engine.load(onnx);
  const loadMs = performance.now() - start;
  const readTensor = await createReadTensor();
  const images = (await listVectorGoldens()).filter((image) => image.includes(options.only));
  const parity: Parity[] = [];
  for (const image of images.slice(0, options.goldens)) {
    const golden = await readVectorGolden(image);
    const tensor = await readTensor(golden.bytes);
    const begin = performance.now();
    const vector = normaliseL2(await session.run(tensor, 1));
    const ms = performance.now() - begin;
    const tolerance = engineTolerance("ort-webgpu", golden.tolerance);
    parity.push({ image, tolerance, ...compareVectors(vector, golden.vector), ms });
  }
  const { bytes } = await readVectorGolden("photo/locomotion-house-cat.jpg");
  const batches = await timeBatches(session, await readTensor(bytes), options);
  await session.dispose();
  const { seconds, workers } = options;
  const pool = seconds > 0 ? await measureWebGpuPool({ workers, callers: [1, poolCallers], seconds }) : [];
  return { adapter, loadMs, parity, batches, pool };
}

/** A picture's bytes to what ResNet50 takes. */
async function createReadTensor(): Promise<(bytes: Uint8Array) => Promise<Float32Array>> {
  const manifest = await findModelManifest("resnet50");
  const decode = createDecodeImage(await loadCodecs(), defaultImageLimits);
  return async (bytes) => preprocess((await decode(bytes)).pixels, manifest.preprocess);
}

async function timeBatches(
  session: EngineSession,
  tensor: Float32Array,
  { batch, rounds }: WebGpuOptions,
): Promise<Batch[]> {
  const batches: Batch[] = [];
  for (let pictures = 1; pictures <= batch; pictures *= 2) {
    const input = new Float32Array(pictures * tensor.length);
    for (let index = 0; index < pictures; index++) input.set(tensor, index * tensor.length);
    const timesMs: number[] = [];
    // The first compiles the programs of this batch.
    for (let round = 0; round <= rounds; round++) {
      const start = performance.now();
      await session.run(input, pictures);
      if (round > 0) timesMs.push(performance.now() - start);
    }
    const times = spreadOf(timesMs);
    batches.push({ pictures, times, picturesPerSecond: (1000 * pictures) / times.medianMs });
  }
  return batches;
}

function describe({ adapter, loadMs, parity, batches, pool }: WebGpuReport): string {
  const { cpu, system, node } = describeMachine();
  const worst = Math.max(...parity.map(({ maxAbsError }) => maxAbsError));
  const within = parity.filter(({ maxAbsError, tolerance }) => maxAbsError <= tolerance).length;
  return [
    `adapter: ${adapter}`,
    `machine: ${cpu}, ${system}, Node ${node}`,
    `loaded in ${Math.round(loadMs)} ms`,
    `${within} of ${parity.length} vectors within their tolerance of Keras's; largest error ${worst.toExponential(2)}`,
    ...batches.map(
      ({ pictures, times, picturesPerSecond }) =>
        `batch of ${pictures}: ${times.medianMs.toFixed(1)} ms (least ${times.leastMs.toFixed(1)}, of ${times.runs}), ${picturesPerSecond.toFixed(1)} pictures/s`,
    ),
    ...pool.map(
      ({ callers, picturesPerSecond, meanBatch, largestBatch, maxAbsError }) =>
        `pool, ${callers} callers: ${picturesPerSecond.toFixed(1)} pictures/s in batches of ${meanBatch.toFixed(1)} (largest ${largestBatch}); largest error ${maxAbsError.toExponential(2)}`,
    ),
  ].join("\n");
}

if (import.meta.main) {
  const usage =
    "npm run bench:webgpu -- [--goldens N] [--only TEXT] [--batch LARGEST] [--rounds N] [--seconds N] [--workers N] [--json]";
  const options = orUsage(usage, () => {
    const { values } = parseArgs({
      options: {
        goldens: { type: "string", default: "209" },
        only: { type: "string", default: "" },
        batch: { type: "string", default: "32" },
        rounds: { type: "string", default: "10" },
        seconds: { type: "string", default: "10" },
        workers: { type: "string", default: String(chooseWorkers(readMachine()).workers) },
        json: { type: "boolean", default: false },
      },
    });
    const { only, json, ...numbers } = values;
    return { ...wholeNumbers(numbers), only, json };
  });
  const lacks = enginePackageLacks(webGpuPackage);
  if (lacks !== undefined) {
    console.error(lacks);
    process.exit(2);
  }
  const report = await measureWebGpu(options);
  console.log(options.json ? JSON.stringify(report, undefined, 2) : describe(report));
  const inPool = report.pool.every(({ maxAbsError }) => maxAbsError <= engineTolerance("ort-webgpu", 0));
  const alone = report.parity.every(({ maxAbsError, tolerance }) => maxAbsError <= tolerance);
  if (!inPool || !alone) process.exitCode = 1;
}
