import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { EmbedResult } from "../embed/embedder.ts";
import type { PoolState } from "./worker-pool.ts";

/** What a Prometheus server reads from `/metrics`. Names follow its conventions: base units, `_total`. */
export interface Metrics {
  readonly contentType: string;
  /** The text of `/metrics`. */
  text(): Promise<string>;
  /** Counts calls and their time, by method, protocol and code. */
  readonly interceptor: Interceptor;
  /** Counts one picture by its reason, and the time of its stages. */
  readonly onResult: (result: EmbedResult) => void;
}

/** From a Health check to a batch of a thousand pictures. */
const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** From a nearest resize to the slowest picture. */
const stageBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** @param poolState what waits and works at this moment */
export function createMetrics(poolState: () => PoolState): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: "portico_calls_total",
    help: "RPCs answered, by method, protocol and code; OK is success",
    labelNames: ["method", "protocol", "code"],
    registers,
  });
  const callSeconds = new Histogram({
    name: "portico_call_seconds",
    help: "Time of an RPC, from its headers to its answer",
    labelNames: ["method"],
    buckets: callBuckets,
    registers,
  });
  const items = new Counter({
    name: "portico_items_total",
    help: "Pictures worked on, by reason; OK is an embedding",
    labelNames: ["reason"],
    registers,
  });
  const stageSeconds = new Histogram({
    name: "portico_stage_seconds",
    help: "Time of one picture in one stage inside a worker",
    labelNames: ["stage"],
    buckets: stageBuckets,
    registers,
  });
  addPoolGauges(registers, poolState);

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    interceptor: (next) => async (request) => {
      const method = `${request.service.typeName}/${request.method.name}`;
      const protocol = protocolOf(request.header, request.requestMethod);
      const end = callSeconds.startTimer({ method });
      let code = 0;
      try {
        return await next(request);
      } catch (error) {
        ({ code } = ConnectError.from(error));
        throw error;
      } finally {
        end();
        calls.inc({ method, protocol, code: code === 0 ? "OK" : (Code[code] ?? String(code)) });
      }
    },
    onResult(result) {
      items.inc({ reason: result.ok ? "OK" : result.error.reason });
      if (!result.ok) return;
      stageSeconds.observe({ stage: "decode" }, result.timings.decodeMs / 1000);
      stageSeconds.observe({ stage: "preprocess" }, result.timings.preprocessMs / 1000);
      stageSeconds.observe({ stage: "infer" }, result.timings.inferMs / 1000);
    },
  };
}

/** Read only when somebody asks for the metrics. */
function addPoolGauges(registers: Registry[], poolState: () => PoolState): void {
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
}

function protocolOf(header: Headers, httpMethod: string): "connect" | "grpc" | "grpc-web" {
  const contentType = header.get("content-type") ?? "";
  if (httpMethod === "GET" || !contentType.startsWith("application/grpc")) return "connect";
  return contentType.startsWith("application/grpc-web") ? "grpc-web" : "grpc";
}
