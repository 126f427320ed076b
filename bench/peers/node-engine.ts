import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import * as ort from "onnxruntime-web";
import type { Engine } from "../../src/engine/engine.ts";
import { createOrtNativeEngine } from "../../src/engine/ort-native.ts";
import type { OrtRuntime } from "../../src/engine/ort-session.ts";
import { createOrtWasmEngine } from "../../src/engine/ort-wasm.ts";
import { hasRelaxedSimd } from "../../src/engine/simd/relaxed-simd.ts";
import { createSimdEngine } from "../../src/engine/simd/simd-engine.ts";
import { loadKernels } from "../../src/node/pool/load-kernels.ts";
import { openPool } from "../open-pool.ts";
import { peerPicture } from "./peer-picture.ts";

/**
 * One engine in a process of its own, for engine-peers.ts: reads numbers of runs, a line each, and tells their times.
 *
 * node bench/peers/node-engine.ts simd|onnxruntime-web|onnxruntime-node THREADS ONNX TENSOR
 */

interface Run {
  readonly ms: number;
  readonly features: Float32Array;
}

interface Opened {
  readonly version: string;
  readonly run: () => Promise<Run>;
}

const [name, threadsText, onnxFile, tensorFile] = process.argv.slice(2) as [string, string, string, string];
const threads = Number(threadsText);

const openers: Readonly<Record<string, () => Promise<Opened>>> = {
  async simd() {
    if (threads > 1) return openGang();
    const engine = createSimdEngine(await loadKernels());
    return openEngine(`${hasRelaxedSimd() ? "relaxed" : "plain"} SIMD`, engine);
  },
  async "onnxruntime-web"() {
    ort.env.wasm.numThreads = threads;
    return openEngine(`onnxruntime-web ${ort.env.versions.web}`, createOrtWasmEngine(ort));
  },
  async "onnxruntime-node"() {
    const require = createRequire(import.meta.url);
    const { version } = require("onnxruntime-node/package.json") as { version: string };
    const native = require("onnxruntime-node") as OrtRuntime;
    return openEngine(`onnxruntime-node ${version}`, createOrtNativeEngine(native, threads));
  },
};

async function openEngine(version: string, engine: Engine): Promise<Opened> {
  const bytes = await readFile(tensorFile);
  const tensor = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const session = await engine.load(await readFile(onnxFile));
  return {
    version,
    async run() {
      const start = performance.now();
      const features = await session.run(tensor, 1);
      return { ms: performance.now() - start, features };
    },
  };
}

/** Workers that share a picture, as a server has them: they get the picture itself and tell how long their engine took. */
async function openGang(): Promise<Opened> {
  const pool = await openPool("simd", threads);
  const picture = await peerPicture();
  return {
    version: `a gang of ${threads} workers`,
    async run() {
      const result = await pool.embed(picture.bytes.slice());
      if (!result.ok) throw result.error;
      return { ms: result.timings.inferMs, features: result.vector };
    },
  };
}

const start = performance.now();
const { version, run } = await openers[name]!();
const loadMs = performance.now() - start;
tell({ version, loadMs, features: [...(await run()).features] });
for await (const line of createInterface(process.stdin)) {
  const times: number[] = [];
  for (let done = 0; done < Number(line); done++) times.push((await run()).ms);
  tell(times);
}
process.exit();

function tell(facts: unknown): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}
