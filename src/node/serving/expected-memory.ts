import type { EngineName } from "../../engine/engine.ts";
import { threadBytes } from "../pool/worker-pool.ts";

/** What an engine makes of a model's file: bytes for each byte of it, once and again in each worker. */
interface ModelWeight {
  readonly shared: number;
  readonly perWorker: number;
}

/**
 * Of ResNet50 (94 MiB) as measured, rounded up. Winograd's filtering makes `simd` hold a 3x3 filter up to four times as large
 * as the file; a model of nothing else, as VGG, comes to 3. What the native engines hold no counter tells: theirs is what the
 * process grew by.
 */
const modelWeights: Readonly<Record<EngineName, ModelWeight>> = {
  simd: { shared: 2, perWorker: 0.1 },
  "ort-wasm": { shared: 0, perWorker: 2.75 },
  "ort-native": { shared: 0, perWorker: 3 },
  "ort-webgpu": { shared: 3, perWorker: 0 },
};

export interface PoolSize {
  readonly engine: EngineName;
  readonly workers: number;
  /** Of the model's file. */
  readonly onnxBytes: number;
}

/** What a pool of workers will take, in bytes, as far as that is known before there is one. */
export function expectedPoolBytes({ engine, workers, onnxBytes }: PoolSize): number {
  const { shared, perWorker } = modelWeights[engine];
  return Math.round(shared * onnxBytes + workers * (perWorker * onnxBytes + threadBytes));
}

/** Engines whose memory is seen from outside, since it is WebAssembly's. */
const measured: ReadonlySet<EngineName> = new Set(["simd", "ort-wasm"]);

/** What a pool takes now: as its workers tell, or where they cannot know, as expected. */
export function poolBytes(
  size: Omit<PoolSize, "engine">,
  engine: EngineName | undefined,
  memoryBytes: number,
): number {
  if (engine === undefined) return 0;
  return measured.has(engine) ? memoryBytes : expectedPoolBytes({ ...size, engine });
}
