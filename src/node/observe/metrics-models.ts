import { Counter, Gauge, type Registry } from "prom-client";
import type { PoolState } from "../pool/worker-pool.ts";

/** A model whose figures are told. */
export interface ModelSeries {
  readonly name: string;
  /** The fingerprint of its vectors; empty as long as that is not known. */
  readonly vectorSpace: () => string;
  /** Undefined as long as it is not known. */
  readonly engine: () => string | undefined;
  /** What waits and works at this moment; undefined while the model is not in memory. */
  readonly pool: () => PoolState | undefined;
  /** What it takes at this moment, 0 while it is not in memory. */
  readonly memoryBytes: () => number;
}

type Read = (pool: PoolState | undefined, model: ModelSeries) => number;

const gauges: readonly (readonly [name: string, help: string, read: Read])[] = [
  ["portico_queue_items", "Pictures that wait for a worker", (pool) => pool?.queuedItems ?? 0],
  ["portico_queue_bytes", "Encoded bytes of the pictures that wait", (pool) => pool?.queuedBytes ?? 0],
  [
    "portico_queue_oldest_seconds",
    "Age of the picture that waits longest",
    (pool) => (pool?.oldestMs ?? 0) / 1000,
  ],
  ["portico_workers", "Workers that passed their self-check and live", (pool) => pool?.workers ?? 0],
  [
    "portico_model_ready",
    "1 while the model embeds; 0 while it is not in memory",
    (pool) => (pool?.isReady ? 1 : 0),
  ],
  [
    "portico_model_memory_bytes",
    "Memory of the model's workers, as they tell it",
    (_pool, { memoryBytes }) => memoryBytes(),
  ],
];

/** Gauges of what waits and works, by model; read only when somebody asks for the metrics. */
export function addModelGauges(registers: Registry[], version: string, models: readonly ModelSeries[]): void {
  new Gauge({
    name: "portico_build_info",
    help: "Always 1; its labels say what runs here; no engine before the first worker has one",
    labelNames: ["version", "engine", "model", "vector_space", "node"],
    registers,
    collect() {
      this.reset();
      for (const { name, engine, vectorSpace } of models) {
        const labels = { version, engine: engine() ?? "", model: name, vector_space: vectorSpace() };
        this.set({ ...labels, node: process.version }, 1);
      }
    },
  });
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ["model"],
      registers,
      collect() {
        for (const model of models) this.set({ model: model.name }, read(model.pool(), model));
      },
    });
  }
  new Counter({
    name: "portico_worker_helps_total",
    help: "Times that a worker without work was sent to help another; it stays while pictures follow each other",
    labelNames: ["model"],
    registers,
    collect() {
      this.reset();
      for (const { name, pool } of models) this.inc({ model: name }, pool()?.helps ?? 0);
    },
  });
}
