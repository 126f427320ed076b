import { Worker } from "node:worker_threads";
import type { ModelOutcome } from "./model-mutation-worker.ts";
import { damageModel } from "./model-mutations.ts";

export interface ModelMutationReport {
  readonly outcomes: Readonly<Record<string, number>>;
  /** What broke a promise: an untyped error, or a thread that ended by itself. */
  readonly faults: readonly string[];
  /** Most processor time that one case took, of those that were not stopped. */
  readonly slowestMs: number;
  /** The largest resident size of the process beyond what it had after the first case. */
  readonly grownBytes: number;
}

export interface ModelMutationOptions {
  readonly seed: number;
  readonly count: number;
  /** A case that takes longer is stopped, as `readModelInThread` stops it. */
  readonly caseTimeoutMs: number;
  readonly onCase?: (index: number, line: string) => void;
}

/** Reads and converts damaged models in a thread that is replaced when it had to be stopped. */
export async function runModelMutation(options: ModelMutationOptions): Promise<ModelMutationReport> {
  const outcomes: Record<string, number> = {};
  const faults: string[] = [];
  let slowestMs = 0;
  let firstBytes = 0;
  let grownBytes = 0;
  let worker = startWorker();
  for (let index = 0; index < options.count; index++) {
    const model = damageModel(options.seed, index);
    const { name, fault, cpuMs } = await runCase(worker, model, options.caseTimeoutMs);
    outcomes[name] = (outcomes[name] ?? 0) + 1;
    const line = `${index}: ${model.file}, ${model.changes.join(", ")}: ${fault ?? name}`;
    if (fault) faults.push(line);
    options.onCase?.(index, line);
    if (name === "stopped" || name === "ended") {
      await worker.terminate();
      worker = startWorker();
    } else {
      slowestMs = Math.max(slowestMs, cpuMs);
    }
    const bytes = process.memoryUsage.rss();
    firstBytes ||= bytes;
    grownBytes = Math.max(grownBytes, bytes - firstBytes);
  }
  await worker.terminate();
  return { outcomes, faults, slowestMs, grownBytes };
}

function startWorker(): Worker {
  return new Worker(new URL("model-mutation-worker.ts", import.meta.url));
}

async function runCase(worker: Worker, model: object, timeoutMs: number): Promise<ModelOutcome> {
  const { promise, resolve } = Promise.withResolvers<ModelOutcome>();
  const onError = (error: unknown) => resolve({ name: "ended", fault: String(error), cpuMs: 0 });
  const timer = setTimeout(() => resolve({ name: "stopped", cpuMs: timeoutMs }), timeoutMs);
  worker.once("message", resolve);
  worker.once("error", onError);
  worker.postMessage(model);
  const outcome = await promise;
  clearTimeout(timer);
  worker.off("message", resolve);
  worker.off("error", onError);
  return outcome;
}
