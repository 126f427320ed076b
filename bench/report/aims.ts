import type { CallersLatency } from "../execute-in-turns.ts";
import { originalName } from "../peers/operators.ts";
import type { Reports } from "../results.ts";

/** What was promised, and what came of it; undefined where a side was skipped. */
export interface Aim {
  readonly what: string;
  /** At least this, unless `isMost`. */
  readonly bound: number;
  readonly isMost?: true;
  /** What `bound` and `measured` are shown as; milliseconds are behind seconds, bytes behind megabytes. */
  readonly unit: "times" | "share" | "seconds" | "megabytes";
  readonly measured: number | undefined;
}

/** Everything that the benchmarks are measured for, in the order of the page. */
export function listAims(bench: Reports["bench"], peers: Reports["peers"]): readonly Aim[] {
  return [...engineAims(bench, peers), ...operatorAims(peers.operators), ...serverAims(bench)];
}

function engineAims({ engines }: Reports["bench"], peers: Reports["peers"]): readonly Aim[] {
  const least = (name: string) => engines.engines.find((entry) => entry.name === name)?.engine.leastMs;
  const oneThread = peers.engines.find(({ threads }) => threads === 1);
  const inPage = (name: string) =>
    oneThread?.peers.find((peer) => peer.kind === "page" && peer.name === name)?.leastMs;
  return [
    {
      what: "speed of the engine `simd` to onnxruntime-web's, one thread",
      bound: 2.6,
      unit: "times",
      measured: ratio(least("ort-wasm"), least("simd")),
    },
    {
      what: "the same without relaxed SIMD",
      bound: 2,
      unit: "times",
      measured: ratio(least("ort-wasm"), least("simd, plain")),
    },
    {
      what: "speed of the engine `simd` to LiteRT.js's in the same page of Chromium, one thread",
      bound: 1.7,
      unit: "times",
      measured: ratio(inPage("LiteRT.js"), inPage("Portico simd")),
    },
  ];
}

function operatorAims({ operators }: Reports["peers"]["operators"]): readonly Aim[] {
  const [original, ours] = [originalName, "Portico, simd"].map((name) =>
    operators.find((operator) => operator.name === name),
  );
  const perSecond = (of: typeof ours, callers: number) =>
    of?.byCallers.find((entry) => entry.callers === callers)?.perSecond;
  return [
    ...([1, 4] as const).map((callers) => ({
      what: `photographs per second to the Python original's, ${callers === 1 ? "one caller" : "four callers"}`,
      bound: callers === 1 ? 1.4 : 1.3,
      unit: "times" as const,
      measured: ratio(perSecond(ours, callers), perSecond(original, callers)),
    })),
    {
      what: "memory to the Python original's",
      bound: 0.45,
      unit: "share",
      isMost: true,
      measured: ratio(ours?.memoryBytes, original?.memoryBytes),
    },
    {
      what: "time of the start to the Python original's",
      bound: 1 / 3,
      unit: "share",
      isMost: true,
      measured: ratio(ours?.start.medianMs, original?.start.medianMs),
    },
  ];
}

function serverAims({ throughput, latency, start, memory }: Reports["bench"]): readonly Aim[] {
  const at = (name: string, callers: number): CallersLatency | undefined =>
    latency.servers
      .find((server) => server.name === name)
      ?.byCallers.find((entry) => entry.callers === callers);
  return [
    ...throughput.map(({ engine, execute }) => ({
      what: `photographs per second by Execute to the pool's called directly, \`${engine}\``,
      bound: 0.95,
      unit: "share" as const,
      measured: execute.ratio,
    })),
    {
      what: "speed for a lone caller with gangs to that without (p50)",
      bound: 1.6,
      unit: "times",
      measured: ratio(at("simd, no gangs", 1)?.p50Ms, at("simd", 1)?.p50Ms),
    },
    {
      what: "photographs per second for eight callers with gangs to those without",
      bound: 0.95,
      unit: "share",
      measured: ratio(at("simd", 8)?.perSecond, at("simd, no gangs", 8)?.perSecond),
    },
    {
      what: "start of a server with `simd` to ready, the model in the cache",
      bound: 1100,
      unit: "seconds",
      isMost: true,
      measured: start.starts.find(({ engine, from }) => engine === "simd" && from === "dist")?.ready.leastMs,
    },
    {
      what: "what a worker adds to the memory that `simd` shares",
      bound: 20e6,
      unit: "megabytes",
      isMost: true,
      measured: memory.shared.seatBytes,
    },
  ];
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

export function isMet({ bound, isMost, measured }: Aim): boolean {
  if (measured === undefined) return false;
  return isMost ? measured <= bound : measured >= bound;
}
