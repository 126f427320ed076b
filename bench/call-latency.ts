import { readFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Operator } from "../src/gen/omnisearch/operator_pb.ts";
import { startPortico } from "../tools/start-portico.ts";

/**
 * How fast Identity and Healthy answer while callers load the server with photographs.
 * `node bench/call-latency.ts [--callers 8] [--seconds 15] [--json]`
 */

export interface LatencyReport {
  readonly callers: number;
  /** Vectors per second, of all callers together. */
  readonly vectorsPerSecond: number;
  readonly identity: Percentiles;
  readonly healthy: Percentiles;
}

export interface Percentiles {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

export async function measureCallLatency(
  address: string,
  callers: number,
  seconds: number,
): Promise<LatencyReport> {
  const photo = await readFile(
    new URL("../fixtures/images/photo/locomotion-house-cat.jpg", import.meta.url),
    "base64",
  );
  const client = () => createClient(Operator, createGrpcTransport({ baseUrl: `http://${address}` }));
  const until = performance.now() + seconds * 1000;
  let vectors = 0;

  async function load(): Promise<void> {
    const caller = client();
    while (performance.now() < until) {
      const reply = await caller.execute({ datas: [photo] });
      vectors += reply.vectors.length;
    }
  }
  async function probe(call: () => Promise<unknown>): Promise<Percentiles> {
    const times: number[] = [];
    while (performance.now() < until) {
      const start = performance.now();
      await call();
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return percentiles(times);
  }

  const prober = client();
  const [identity, healthy] = await Promise.all([
    probe(() => prober.identity({})),
    probe(() => prober.healthy({})),
    ...Array.from({ length: callers }, load),
  ]);
  return { callers, vectorsPerSecond: vectors / seconds, identity, healthy };
}

function percentiles(times: readonly number[]): Percentiles {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { calls: sorted.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: at(1) };
}

if (import.meta.main) {
  const option = (name: string, fallback: number) => {
    const place = process.argv.indexOf(name);
    return place < 0 ? fallback : Number(process.argv[place + 1]);
  };
  const server = await startPortico();
  const idle = await measureCallLatency(server.address, 0, 3);
  const loaded = await measureCallLatency(server.address, option("--callers", 8), option("--seconds", 15));
  await server.stop();
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ startMs: server.startMs, idle, loaded }, undefined, 2));
  } else {
    const row = (name: string, { calls, p50Ms, p95Ms, maxMs }: Percentiles) =>
      `${name.padEnd(18)} ${String(calls).padStart(6)} ${p50Ms.toFixed(1).padStart(8)} ${p95Ms.toFixed(1).padStart(8)} ${maxMs.toFixed(1).padStart(8)}`;
    console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.versions.node}`);
    console.log(
      `ready after ${server.startMs.toFixed(0)} ms; ${loaded.vectorsPerSecond.toFixed(2)} vectors/s with ${loaded.callers} callers`,
    );
    console.log(
      `${"call".padEnd(18)} ${"calls".padStart(6)} ${"p50 ms".padStart(8)} ${"p95 ms".padStart(8)} ${"max ms".padStart(8)}`,
    );
    console.log(row("Identity, idle", idle.identity));
    console.log(row("Healthy, idle", idle.healthy));
    console.log(row("Identity, loaded", loaded.identity));
    console.log(row("Healthy, loaded", loaded.healthy));
  }
}
