import { Counter, Gauge, type Registry } from "prom-client";
import type { PoolState } from "../pool/worker-pool.ts";

/** Gauges of what waits and works; read only when somebody asks for the metrics. */
export function addPoolGauges(registers: Registry[], poolState: () => PoolState): void {
  const gauges: readonly [string, string, (state: PoolState) => number][] = [
    ["portico_queue_items", "Pictures that wait for a worker", ({ queuedItems }) => queuedItems],
    ["portico_queue_bytes", "Encoded bytes of the pictures that wait", ({ queuedBytes }) => queuedBytes],
    [
      "portico_queue_oldest_seconds",
      "Age of the picture that waits longest",
      ({ oldestMs }) => oldestMs / 1000,
    ],
    ["portico_workers", "Workers that passed their self-check and live", ({ workers }) => workers],
    ["portico_ready", "1 while work is taken", ({ isReady }) => (isReady ? 1 : 0)],
  ];
  for (const [name, help, read] of gauges) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read(poolState()));
      },
    });
  }
  new Counter({
    name: "portico_worker_helps_total",
    help: "Times that a worker without work was sent to help another; it stays while pictures follow each other",
    registers,
    collect() {
      this.reset();
      this.inc(poolState().helps);
    },
  });
}
