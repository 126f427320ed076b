import type { EngineName } from "../../engine/engine.ts";
import { threadBytes } from "../pool/worker-pool.ts";

/** What an engine makes of a model's file: bytes for each byte of it, once and again in each worker. */
interface ModelWeight {
  readonly shared: number;
  readonly perWorker: number;
}

/**
 * At most, as measured. `simd` packs a 3x3 filter for Winograd's filtering into up to four times its size: VGG19 (80 MB) comes
 * to 4.0 and 0.4, ResNet50 to 1.8 and 0.1, Xception to 1.0 and 0.5. onnxruntime-web takes 2.7 for ResNet50. What the native
 * engines hold no counter tells: theirs is what the process grew by.
 */
const mostWeights: Readonly<Record<EngineName, ModelWeight>> = {
  simd: { shared: 4, perWorker: 0.5 },
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

/** What a pool of workers will take at most, in bytes, as far as that is known before there is one. */
export function expectedPoolBytes({ engine, workers, onnxBytes }: PoolSize): number {
  const { shared, perWorker } = mostWeights[engine];
  return Math.round(shared * onnxBytes + workers * (perWorker * onnxBytes + threadBytes));
}

/** What it will take at least: the weights once, and its threads. */
export function leastPoolBytes({ workers, onnxBytes }: Omit<PoolSize, "engine">): number {
  return onnxBytes + workers * threadBytes;
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
