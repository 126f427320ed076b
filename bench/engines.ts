import { readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import * as ort from "onnxruntime-web";
import type { EngineSession } from "../src/engine/engine.ts";
import { createOrtWasmEngine } from "../src/engine/ort-wasm.ts";
import { hasRelaxedSimd } from "../src/engine/simd/relaxed-simd.ts";
import { createSimdEngine } from "../src/engine/simd/simd-engine.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { loadKernels } from "../src/node/pool/load-kernels.ts";

/**
 * Engines on one thread and one picture at a time, in turns in one process: milliseconds of the engine alone, and
 * how many times as fast each is as onnxruntime-web.
 *
 * npm run bench:engines [-- --rounds 20]
 */

interface Timed {
  readonly name: string;
  readonly loadMs: number;
  readonly session: EngineSession;
  readonly times: number[];
}

const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" } } });
const onnx = await readFile(await prepareModel(await findModelManifest("resnet50")));
ort.env.wasm.numThreads = 1;

const engines = [
  ["ort-wasm", createOrtWasmEngine(ort)],
  ...(hasRelaxedSimd() ? [["simd, relaxed", createSimdEngine(await loadKernels(true))] as const] : []),
  ["simd, plain", createSimdEngine(await loadKernels(false))],
] as const;
const timed: Timed[] = [];
for (const [name, engine] of engines) {
  const start = performance.now();
  const session = await engine.load(onnx);
  timed.push({ name, session, loadMs: performance.now() - start, times: [] });
}

const [height, width, channels] = timed[0]!.session.inputShape;
// Values like those of a picture; what they are changes nothing in the time.
const tensor = Float32Array.from({ length: height * width * channels }, (_, i) => ((i * 7919) % 256) - 128);
for (const { session } of timed) await session.run(tensor, 1);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const { session, times } of timed) {
    const start = performance.now();
    await session.run(tensor, 1);
    times.push(performance.now() - start);
  }
}

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.versions.node}`);
console.log(`ResNet50, one thread, ${values.rounds} rounds in turns`);
console.log("engine              load ms   least ms  median ms  times ort-wasm (least, median)");
const sorted = timed.map(({ times }) => times.toSorted((a, b) => a - b));
const [least, median] = [0, Math.floor(Number(values.rounds) / 2)];
for (const [index, { name, loadMs }] of timed.entries()) {
  const [own, reference] = [sorted[index]!, sorted[0]!];
  const ratios = [least, median].map((at) => (reference[at]! / own[at]!).toFixed(2)).join(", ");
  const columns = [loadMs.toFixed(0), own[least]!.toFixed(1), own[median]!.toFixed(1)];
  console.log(`${name.padEnd(16)} ${columns.map((column) => column.padStart(10)).join(" ")}  ${ratios}`);
}
