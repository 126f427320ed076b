import { availableParallelism, totalmem } from "node:os";

export interface WorkerCount {
  readonly workers: number;
  /** Which bound decided, for the log. */
  readonly why: string;
}

/**
 * Memory of one onnxruntime-web session with ResNet50, as measured (RSS), with room for a large picture. A further worker of
 * `simd` needs a tenth of it, but which engine will run is not known yet, and `auto` may fall back on this one.
 */
export const workerBytes = 640 * 2 ** 20;

/** What the process needs beside its workers: the runtime, the model while it is read, requests of 100 MiB. */
export const processBytes = 512 * 2 ** 20;

const mostWorkers = 4;

export interface Machine {
  readonly cores: number;
  /** The cgroup's limit where there is one, else the machine's memory. */
  readonly memoryBytes: number;
}

/** What this process may use. */
export function readMachine(): Machine {
  const constrained = process.constrainedMemory();
  const total = totalmem();
  return {
    cores: availableParallelism(),
    memoryBytes: constrained > 0 && constrained < total ? constrained : total,
  };
}

/** What models may take: the rest of the memory, in bytes. */
export const modelBytesOf = ({ memoryBytes }: Machine): number => Math.max(0, memoryBytes - processBytes);

/**
 * Workers of each model by default: min(available cores, 4, what the memory limit holds), at least 1. Each model has as many
 * as a lone one would: one that has all the work can so use all cores, and workers without work cost little.
 * @param models that are in memory at once
 */
export function chooseWorkers({ cores, memoryBytes }: Machine, models = 1): WorkerCount {
  const held = Math.floor((memoryBytes - processBytes) / (workerBytes * models));
  const memoryMiB = Math.round(memoryBytes / 2 ** 20);
  const forEach = models > 1 ? ` for each of ${models} models` : "";
  const bounds = [
    { workers: cores, why: `${cores} available cores` },
    { workers: mostWorkers, why: `the default cap of ${mostWorkers}` },
    { workers: held, why: `${memoryMiB} MiB of memory hold ${Math.max(held, 0)}${forEach}` },
  ];
  const lowest = bounds.reduce((low, bound) => (bound.workers < low.workers ? bound : low));
  return { workers: Math.max(1, lowest.workers), why: lowest.why };
}
