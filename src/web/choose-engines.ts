import { EmbedError } from "../errors.ts";
import { type WebEngineName, webEngineNames } from "./web-engines.ts";

/** What decides how a page computes. */
export interface EngineWishes {
  readonly engine: WebEngineName | "auto";
  /** Of `ort-wasm`; undefined if that was left open. */
  readonly threads: number | undefined;
}

export interface PageConditions {
  /** Whether threads may share memory (COOP and COEP). */
  readonly isIsolated: boolean;
  readonly cores: number;
}

export interface EngineSelection {
  /** To be tried in turn. */
  readonly engines: readonly WebEngineName[];
  /** Of `ort-wasm`. */
  readonly threads: number;
}

/** 64, as on a server: each has a worker of its own, and a browser that is asked for a million stops answering. */
const threadsMax = 64;

/** More threads than this are not taken unless they are asked for: other tabs want to live. */
const defaultThreadsMax = 4;

/**
 * From so many threads on `ort-wasm` is taken to be quicker than `simd` with its one. Measured: `simd` 110 ms, `ort-wasm` 296 ms
 * with 1 thread and 152 ms with 2 (docs/benchmarks.md), from which 104 ms follow for 3 threads and 80 ms for 4.
 */
const threadsThatBeatSimd = 4;

/**
 * The engine that was named; for `auto` a GPU first, then `simd`, then `ort-wasm`, or these two the other way round for who asks
 * for enough threads.
 * @throws EmbedError `CONFIG_INVALID` for an engine that browsers do not have, or threads that it cannot have
 */
export function chooseEngines(
  { engine, threads: wished }: EngineWishes,
  { isIsolated, cores }: PageConditions,
): EngineSelection {
  if (wished !== undefined && !(Number.isSafeInteger(wished) && wished > 0 && wished <= threadsMax)) {
    const message = `expected threads to be a whole number from 1 to ${threadsMax}, got ${wished}`;
    throw new EmbedError("CONFIG_INVALID", message);
  }
  const threads = isIsolated ? (wished ?? Math.min(cores, defaultThreadsMax)) : 1;
  if (engine === "auto") {
    const manyThreads = wished !== undefined && threads >= threadsThatBeatSimd;
    return {
      engines: manyThreads ? ["ort-webgpu", "ort-wasm", "simd"] : ["ort-webgpu", "simd", "ort-wasm"],
      threads,
    };
  }
  if (!webEngineNames.includes(engine)) {
    const known = ["auto", ...webEngineNames].join(", ");
    throw new EmbedError("CONFIG_INVALID", `expected engine ${known} in a browser, got "${engine}"`);
  }
  if (engine === "simd" && (wished ?? 1) > 1) {
    throw new EmbedError("CONFIG_INVALID", `expected 1 thread with engine simd, got ${wished}`);
  }
  return { engines: [engine], threads };
}
