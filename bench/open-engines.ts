import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import * as ort from "onnxruntime-web";
import type { Engine } from "../src/engine/engine.ts";
import { createOrtNativeEngine } from "../src/engine/ort-native.ts";
import type { OrtRuntime } from "../src/engine/ort-session.ts";
import { createOrtWasmEngine } from "../src/engine/ort-wasm.ts";
import { hasRelaxedSimd } from "../src/engine/simd/relaxed-simd.ts";
import { createSimdEngine } from "../src/engine/simd/simd-engine.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { loadKernels } from "../src/node/pool/load-kernels.ts";

/** Why something was not measured. */
export interface Skipped {
  readonly name: string;
  readonly needs: string;
}

export interface NamedEngine {
  readonly name: string;
  readonly engine: Engine;
}

/** Every engine that this host can run on one thread, onnxruntime-web first, and those that it cannot. */
export async function openEngines(): Promise<{
  readonly engines: readonly NamedEngine[];
  readonly skipped: readonly Skipped[];
}> {
  ort.env.wasm.numThreads = 1;
  const engines: NamedEngine[] = [{ name: "ort-wasm", engine: createOrtWasmEngine(ort) }];
  const skipped: Skipped[] = [];
  if (hasRelaxedSimd()) {
    engines.push({ name: "simd", engine: createSimdEngine(await loadKernels(true)) });
  } else skipped.push({ name: "simd", needs: "a host with relaxed SIMD" });
  engines.push({ name: "simd, plain", engine: createSimdEngine(await loadKernels(false)) });
  const native = requireOrtNode();
  if (native) engines.push({ name: "ort-native", engine: createOrtNativeEngine(native, 1) });
  else skipped.push({ name: "ort-native", needs: "onnxruntime-node (npm run bench:peers:install)" });
  return { engines, skipped };
}

/** Portico's own optional peer, or what `npm run bench:peers:install` brought. */
const require = createRequire(new URL("./peers/package.json", import.meta.url));

function requireOrtNode(): OrtRuntime | undefined {
  try {
    return require("onnxruntime-node") as OrtRuntime;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

/** The converted ResNet50. */
export async function readResnet50(): Promise<Uint8Array> {
  return readFile(await prepareModel(await findModelManifest("resnet50")));
}
