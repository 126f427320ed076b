import { access, readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { packModel, seatBytes } from "../src/engine/simd/packed-model.ts";
import { findModelManifest } from "../src/node/model/model-catalog.ts";
import { prepareModel } from "../src/node/model/model-store.ts";
import { readMemory } from "../tools/load/process-memory.ts";
import { orUsage, wholeNumbers } from "../tools/or-usage.ts";
import { type PorticoProcess, startPortico } from "../tools/start-portico.ts";
import { runClosedLoop } from "./closed-loop.ts";
import { createExecute } from "./execute-picture.ts";
import { readPhotographs } from "./photographs.ts";
import { memorySection } from "./report/memory-section.ts";

/**
 * What a server holds in memory by its number of workers, for each engine: once all are ready, at most during its
 * start, and after it has answered photographs. Servers run one after the other, from `dist` as users run them. Linux
 * only: other systems do not tell.
 */

export interface MemoryOptions {
  /** Sent to each server, two at a time for each worker. */
  readonly pictures: number;
  /** From the last answer to the last reading. */
  readonly idleMs: number;
}

export interface MemoryReport extends MemoryOptions {
  /** Of the one WebAssembly memory in which `simd` holds ResNet50. */
  readonly shared: SharedBytes;
  readonly servers: readonly ServerMemory[];
}

export interface SharedBytes {
  /** Once, whatever the number of workers. */
  readonly weightBytes: number;
  /** Added by each worker. */
  readonly seatBytes: number;
}

export interface ServerMemory {
  readonly engine: string;
  readonly workers: number;
  /** Resident bytes (VmRSS) once every worker has passed its self-check. */
  readonly readyBytes: number;
  /** The most that was resident until then (VmHWM). */
  readonly startPeakBytes: number;
  readonly idle: ResidentMemory;
}

/** Bytes, as /proc/PID/smaps_rollup tells them. */
export interface ResidentMemory {
  readonly residentBytes: number;
  /** Of no file: what this process alone holds. The rest is the program itself, which processes share. */
  readonly anonymousBytes: number;
}

const memoryEngines = ["simd", "ort-wasm"] as const;
const memoryWorkers = [1, 2, 4] as const;

const entry = "dist/cli/portico.js";

/** @throws Error on a system without /proc, or before `npm run build` */
export async function measureMemory(options: MemoryOptions): Promise<MemoryReport> {
  await access(new URL(`../${entry}`, import.meta.url)).catch((cause: unknown) => {
    throw new Error(`expected ${entry}; npm run build makes it`, { cause });
  });
  const photos = (await readPhotographs()).map((bytes) => Buffer.from(bytes).toString("base64"));
  const servers: ServerMemory[] = [];
  for (const engine of memoryEngines) {
    for (const workers of memoryWorkers) servers.push(await measureServer(engine, workers, photos, options));
  }
  return { ...options, shared: await readSharedBytes(), servers };
}

/** What the plan of ResNet50 asks for. */
async function readSharedBytes(): Promise<SharedBytes> {
  const { plan } = packModel(await readFile(await prepareModel(await findModelManifest("resnet50"))));
  return { weightBytes: plan.weightBytes, seatBytes: seatBytes(plan) };
}

async function measureServer(
  engine: string,
  workers: number,
  photos: readonly string[],
  { pictures, idleMs }: MemoryOptions,
): Promise<ServerMemory> {
  const args = ["--engine", engine, "--workers", String(workers), "--log-level", "debug"];
  const server = await startPortico({ entry, args });
  try {
    await workersReady(server, workers);
    const [readyBytes, startPeakBytes] = await Promise.all([
      readMemory(Number(server.child.pid), "VmRSS"),
      readMemory(Number(server.child.pid), "VmHWM"),
    ]);
    const executes = Array.from({ length: 2 * workers }, () => createExecute(server.address));
    const call = (index: number, caller: number) => executes[caller]!(photos[index % photos.length]!);
    await runClosedLoop(call, executes.length, { calls: pictures });
    await setTimeout(idleMs);
    return { engine, workers, readyBytes, startPeakBytes, idle: await readResident(server) };
  } finally {
    await server.stop();
  }
}

/** A server is ready with its first worker; the others follow. */
async function workersReady({ log }: PorticoProcess, workers: number): Promise<void> {
  const limitMs = 120_000;
  const endsAt = performance.now() + limitMs;
  const passed = () => log.filter(({ msg }) => msg === "a worker passed its self-check").length;
  while (passed() < workers) {
    if (performance.now() > endsAt)
      throw new Error(`expected ${workers} workers after ${limitMs} ms, got ${passed()}`);
    await setTimeout(50);
  }
}

async function readResident(server: PorticoProcess): Promise<ResidentMemory> {
  const [residentBytes, anonymousBytes] = await Promise.all([
    readMemory(Number(server.child.pid), "Rss"),
    readMemory(Number(server.child.pid), "Anonymous"),
  ]);
  return { residentBytes, anonymousBytes };
}

if (import.meta.main) {
  const options = orUsage("npm run bench:memory -- [--pictures N] [--idleMs N]", () =>
    wholeNumbers(
      parseArgs({
        options: { pictures: { type: "string", default: "24" }, idleMs: { type: "string", default: "3000" } },
      }).values,
    ),
  );
  console.log(memorySection(await measureMemory(options)));
}
