import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Engine } from "../../src/engine/engine.ts";
import type { OrtRuntime } from "../../src/engine/ort-session.ts";
import type { Pixels } from "../../src/image/pixels.ts";
import type { Interpolation } from "../../src/preprocess/preprocess-spec.ts";
import type { EngineBuild, ModelRun, Value, Work } from "./work.ts";

/**
 * Runs in the Node that is looked at: `NODE make-values.ts WORK.json` makes of the built program (`npm run build`) what the
 * work asks for, in one thread, and prints a line of JSON for each value.
 */

const [workFile = ""] = process.argv.slice(2);
const work = JSON.parse(readFileSync(workFile, "utf8")) as Work;
const root = new URL("../../", import.meta.url);

/** By a name that is not known beforehand: types are checked before dist is written. */
const built = (path: string) => import(new URL(`dist/${path}`, root).href);
type Source<Module> = Promise<Module>;
const { createDecodeImage } = await (built("image/decode-image.js") as Source<
  typeof import("../../src/image/decode-image.ts")
>);
const { loadCodecs } = await (built("node/pool/load-codecs.js") as Source<
  typeof import("../../src/node/pool/load-codecs.ts")
>);
const { loadKernels } = await (built("node/pool/load-kernels.js") as Source<
  typeof import("../../src/node/pool/load-kernels.ts")
>);
const { createSimdEngine } = await (built("engine/simd/simd-engine.js") as Source<
  typeof import("../../src/engine/simd/simd-engine.ts")
>);
const { createOrtWasmEngine } = await (built("engine/ort-wasm.js") as Source<
  typeof import("../../src/engine/ort-wasm.ts")
>);
const { createOrtNativeEngine } = await (built("engine/ort-native.js") as Source<
  typeof import("../../src/engine/ort-native.ts")
>);
const { preprocess } = await (built("preprocess/preprocess.js") as Source<
  typeof import("../../src/preprocess/preprocess.ts")
>);
const { resize } = await (built("preprocess/resize.js") as Source<
  typeof import("../../src/preprocess/resize.ts")
>);
const { interpolations } = await (built("preprocess/preprocess-spec.js") as Source<
  typeof import("../../src/preprocess/preprocess-spec.ts")
>);
const { normaliseL2 } = await (built("embed/normalise.js") as Source<
  typeof import("../../src/embed/normalise.ts")
>);

const decode = createDecodeImage(await loadCodecs(), { maxPixels: work.maxPixels });
const readPicture = (path: string) => new Uint8Array(readFileSync(new URL(`fixtures/images/${path}`, root)));
const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Float32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);
const hashOf = (...parts: readonly (Uint8Array | Float32Array)[]) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(bytesOf(part));
  return hash.digest("hex");
};

function print(value: Value): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function pixelBits(path: string): Promise<string> {
  try {
    const { width, height, data } = (await decode(readPicture(path))).pixels;
    return `${width}x${height} ${hashOf(data)}`;
  } catch (error) {
    return String(error);
  }
}

/** Noise, resized to widths and heights below and above its own. */
function filterBits(interpolation: Interpolation): string {
  const [width, height] = [61, 43];
  // A generator of whole numbers (Numerical Recipes), the same everywhere.
  let state = 1;
  const data = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
  const noise: Pixels = { width, height, data };
  const sizes = Array.from({ length: 30 }, (_, i) => [1 + i * 5, 1 + ((i * 37) % 150)] as const);
  return hashOf(...sizes.map(([w, h]) => resize(noise, w, h, interpolation).data));
}

async function openEngine(build: EngineBuild): Promise<Engine> {
  if (build === "ort-native") {
    const ort = createRequire(import.meta.url)("onnxruntime-node") as OrtRuntime;
    return createOrtNativeEngine(ort, 1);
  }
  if (build === "ort-wasm") {
    const ort = await import("onnxruntime-web");
    ort.env.wasm.numThreads = 1;
    return createOrtWasmEngine(ort);
  }
  return createSimdEngine(await loadKernels(build === "simd-relaxed"));
}

async function run(engine: Engine, { onnx, input }: ModelRun): Promise<Float32Array> {
  const session = await engine.load(new Uint8Array(readFileSync(onnx)));
  try {
    if ("tensor" in input) {
      const bytes = Uint8Array.from(readFileSync(input.tensor));
      return await session.run(new Float32Array(bytes.buffer), input.batch);
    }
    const { pixels } = await decode(readPicture(input.picture));
    return normaliseL2(await session.run(preprocess(pixels, input.preprocess), 1));
  } finally {
    await session.dispose();
  }
}

for (const path of work.pictures) print({ group: "pixels", name: path, bits: await pixelBits(path) });
if (work.filters) {
  for (const name of interpolations) print({ group: "filters", name, bits: filterBits(name) });
}
const engines = new Map<EngineBuild, Promise<Engine>>();
for (const one of work.runs) {
  for (const build of one.engines) {
    if (!engines.has(build)) engines.set(build, openEngine(build));
    const values = await run(await engines.get(build)!, one);
    const floats = Buffer.from(bytesOf(values)).toString("base64");
    print({ group: build, name: one.name, bits: hashOf(values), floats });
  }
}
// The machine code of onnxruntime-node may still hold threads.
process.exit(0);
